package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/faults"
	"kurs/store/postgres/pgtest"
	"kurs/store/sqlite"
)

// TestTwoStores records a simulated exchange into both databases, of which one is
// killed and started again meanwhile. Both hold exactly what was handed out.
func TestTwoStores(t *testing.T) {
	server := pgtest.New(t)
	data := t.TempDir()
	ledger := filepath.Join(t.TempDir(), "ledger")
	for name, value := range map[string]string{"KURS_CONFIG": "", "HOME": data, "KURS_STORE_POSTGRES_DSN": server.DSN(pgtest.Admin)} {
		t.Setenv(name, value)
	}
	ended := make(chan string, 1)
	var talk lockedBuffer
	go func() {
		code := execute(context.Background(), []string{
			"run", "--demo", "--demo-symbols", "30", "--seed", "9", "--duration", "8s", "--data", data, "--ledger", ledger, "--in-process",
			"--store", "postgres,sqlite",
		}, streams{in: strings.NewReader(""), out: &talk, err: &talk})
		if code != kurs.ExitOK {
			ended <- fmt.Sprintf("exit code %d\n%s", code, talk.String())
		}
		close(ended)
	}()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for server.Psql(t, "SELECT to_regclass('kurs_demo.position') IS NOT NULL") != "t" || server.Psql(t, "SELECT count(*) FROM kurs_demo.position") != "1" {
		select {
		case <-tick.C:
		case words := <-ended:
			t.Fatalf("it ended before anything was stored: %s", words)
		case <-limit.C:
			t.Fatal("nothing is stored")
		}
	}
	server.Kill(t)
	server.Start(t)
	if words := <-ended; words != "" {
		t.Fatal(words)
	}

	if !strings.Contains(talk.String(), `FROM "kurs_demo".v_latest`) || !strings.Contains(talk.String(), "sqlite3 -readonly") {
		t.Errorf("it does not tell where the prices are: %s", talk.String())
	}
	report, err := faults.Check(t.Context(), ledger, filepath.Join(data, "kurs.db"), faults.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !report.OK() {
		t.Errorf("the file and the ledger differ: %s", report)
	}
	const query = `SELECT symbol, time_iso, price_native, unit, currency_native, factor, fx_rate, fx_source, price_base, bid, ask, volume, session, source,
		received_iso FROM kurs_demo.v_quotes`
	got := strings.Split(server.Psql(t, query), "\n")
	want := printedRows(t, filepath.Join(data, "kurs.db"))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 30 {
		t.Errorf("%d rows; -file +server:\n%s", len(want), diff)
	}
}

// printedRows are the prices of a file, as psql prints them.
func printedRows(t *testing.T, path string) []string {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	const iso = "2006-01-02T15:04:05.000Z"
	var out []string
	err = r.Quotes(t.Context(), sqlite.Filter{}, func(row kurs.Row) error {
		volume := ""
		if row.Volume != nil {
			volume = strconv.FormatInt(*row.Volume, 10)
		}
		out = append(out, strings.Join([]string{
			row.Symbol, row.Time.Format(iso), row.PriceNative.String(), row.Unit, row.CurrencyNative, row.Factor.String(), row.FXRate.String(),
			row.FXSource, row.PriceBase.String(), row.Bid.String(), row.Ask.String(), volume, string(row.Session), row.Source, row.ReceivedISO.Format(iso),
		}, "|"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDemoSchema(t *testing.T) {
	for _, c := range []struct{ schema, want string }{
		{"kurs", "kurs_demo"},
		{strings.Repeat("a", 63), strings.Repeat("a", 58) + "_demo"},
		{strings.Repeat("a", 57) + "ø", strings.Repeat("a", 57) + "_demo"},
	} {
		if got := demoSchema(c.schema); got != c.want {
			t.Errorf("%s: got %s, want %s", c.schema, got, c.want)
		}
	}
}
