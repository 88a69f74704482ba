package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// aged is a database with two prices of a minute of 40 days ago, and one of now.
func aged(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	at := time.Now().UTC().AddDate(0, 0, -40).Truncate(24 * time.Hour).Add(12 * time.Hour)
	var m market
	m.batch.BaseCurrency = "DKK"
	for i, value := range []string{"100", "102", "101"} {
		when := at.Add(time.Duration(i) * 20 * time.Second)
		if i == 2 {
			when = time.Now().UTC()
		}
		m.quote(m.price("AAPL", value, "USD", when.Format(time.RFC3339), time.Second, m.rate("USD", "DKK", "6.5", when.Format(time.RFC3339))))
	}
	if m.err != nil {
		t.Fatal(m.err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{m.batch}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestRetention: told first, then deleted, with bars in the place of the prices.
func TestRetention(t *testing.T) {
	dir := aged(t)
	t.Setenv("KURS_STORE_RETENTION_QUOTES", "30d")
	t.Setenv("KURS_STORE_RETENTION_ROLLUP", "1m,1d")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"db", "retention", "--dry-run"}, "2 rows, about"},
		{[]string{"db", "retention", "--dry-run", "-o", "json"}, `"symbol": "AAPL"`},
		{[]string{"query", "-o", "csv", "SELECT count(*) AS n FROM v_quotes"}, "n\n3\n"},
		{[]string{"db", "retention"}, "Deleted 2 prices, 0 bars and 0 rates; made 2 bars of prices"},
		{
			[]string{"query", "-o", "csv", "SELECT interval, open_native, high_native, close_native, open_base, source FROM v_bars ORDER BY interval"},
			"1d,100,102,102,650,kurs\n1m,100,102,102,650,kurs\n",
		},
		{[]string{"bars", "AAPL", "--provider", "-o", "json"}, `"made_of": "prices"`},
		{[]string{"query", "-o", "csv", "SELECT price_native FROM v_quotes"}, "price_native\n101\n"},
		{[]string{"db", "retention", "--dry-run"}, "Nothing is too old"},
		{[]string{"db", "check", "--full"}, "is whole"},
	} {
		out, talk, code := ran(t, append(c.args, "--data", dir)...)
		if code != kurs.ExitOK || !strings.Contains(out, c.want) {
			t.Errorf("%q: exit code %d\n%s%s", c.args, code, out, talk)
		}
	}
}

// TestRetentionWaitsForTheOtherStores: where they cannot be asked nothing goes.
func TestRetentionWaitsForTheOtherStores(t *testing.T) {
	dir := aged(t)
	t.Setenv("KURS_STORE_RETENTION_QUOTES", "30d")
	t.Setenv("KURS_STORE_USE", "sqlite,stdout")
	out, talk, code := ran(t, "db", "retention", "--data", dir)
	if code != kurs.ExitPartly || !strings.Contains(talk, "KURS-LAG") {
		t.Errorf("exit code %d\n%s%s", code, out, talk)
	}
	if out, _, _ := ran(t, "query", "-o", "csv", "SELECT count(*) AS n FROM v_quotes", "--data", dir); out != "n\n3\n" {
		t.Errorf("left: %s", out)
	}
}

// TestRunDeletesWhatIsTooOld by itself, while it stores.
func TestRunDeletesWhatIsTooOld(t *testing.T) {
	dir := aged(t)
	at(t, "http://127.0.0.1:1") // a demo has an exchange of its own
	t.Setenv("KURS_STORE_RETENTION_QUOTES", "30d")
	t.Setenv("KURS_STORE_RETENTION_ROLLUP", "1d")
	if out, talk, code := ran(t, "run", "--demo", "--demo-symbols", "3", "--duration", "3s", "--in-process", "--data", dir); code != kurs.ExitOK {
		t.Fatalf("exit code %d\n%s%s", code, out, talk)
	}
	for query, want := range map[string]string{
		"SELECT count(*) AS n FROM v_quotes WHERE time < unixepoch() - 30 * 86400": "n\n0\n",
		"SELECT count(*) AS n FROM v_bars WHERE source = 'kurs'":                   "n\n1\n",
		"SELECT count(*) > 1 AS n FROM v_quotes":                                   "n\n1\n",
	} {
		if out, talk, code := ran(t, "query", "-o", "csv", query, "--data", dir); code != kurs.ExitOK || out != want {
			t.Errorf("%s: exit code %d\n%s%s", query, code, out, talk)
		}
	}
	if out, _, code := ran(t, "db", "check", "--data", dir); code != kurs.ExitOK {
		t.Errorf("exit code %d\n%s", code, out)
	}
}
