package main

import (
	"bytes"
	"encoding/csv"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
)

// recorded is a data directory with a few prices.
func recorded(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 9, 15, 4, 0, time.UTC)
	raw := kurs.RawID{Source: "yahoo", Run: "r", Counter: 1}
	price := func(symbol, value string, at time.Time) kurs.Price {
		return kurs.Price{
			Quote:   kurs.Quote{Symbol: symbol, Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: kurs.MustDecimal(value), Unit: "GBp"},
			Receipt: kurs.Receipt{Received: at.Add(1500 * time.Millisecond), Raw: raw},
			Conversion: kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), BaseCurrency: "DKK", Rate: kurs.Rate{
				Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.6123"), Time: at.Add(-time.Minute), Source: "yahoo",
			}},
			Base: kurs.MustDecimal("7.61499566"),
		}
	}
	waiting := price("=EVIL", "-1.5", at.AddDate(0, 0, -1))
	waiting.Rate, waiting.Base = kurs.Rate{}, kurs.Decimal{}
	err = s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{{
		Raws: []kurs.RawID{raw}, BaseCurrency: "DKK", Prices: []kurs.Price{price("VOD.L", "88.42", at), waiting},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ran runs a command line.
func ran(t *testing.T, args ...string) (out, talk string, code kurs.ExitCode) {
	t.Helper()
	var o, e bytes.Buffer
	code = execute(t.Context(), args, streams{in: strings.NewReader(""), out: &o, err: &e})
	return o.String(), e.String(), code
}

const exportedCSV = `symbol,time,price_native,unit,currency_native,factor,fx_rate,fx_time,fx_source,price_base,currency_base,bid,ask,volume,session,source,received_iso,approximate,origin,corrected_by,instrument,split_factor
'=EVIL,2026-11-23T09:15:04Z,-1.5,GBp,GBP,0.01,,,,,DKK,,,,regular,yahoo,2026-11-23T09:15:05.5Z,,,,,
VOD.L,2026-11-24T09:15:04Z,88.42,GBp,GBP,0.01,8.6123,2026-11-24T09:14:04Z,yahoo,7.61499566,DKK,,,,regular,yahoo,2026-11-24T09:15:05.5Z,,,,,
`

func TestExport(t *testing.T) {
	dir := recorded(t)
	out, talk, code := ran(t, "export", "--data", dir)
	if diff := cmp.Diff(exportedCSV, out); diff != "" || code != kurs.ExitOK || !strings.Contains(talk, "2 prices written") {
		t.Errorf("exit code %d, %q, -want +got:\n%s", code, talk, diff)
	}
	if rows, err := csv.NewReader(strings.NewReader(out)).ReadAll(); err != nil || len(rows) != 3 {
		t.Errorf("%d rows of CSV, %v", len(rows), err)
	}
	out, _, code = ran(t, "export", "--data", dir, "-o", "jsonl", "--since", "2026-11-24", "--symbols", "VOD.L")
	const line = `{"symbol":"VOD.L","time":"2026-11-24T09:15:04Z","price_native":"88.42","unit":"GBp","currency_native":"GBP","factor":"0.01",` +
		`"fx_rate":"8.6123","fx_time":"2026-11-24T09:14:04Z","fx_source":"yahoo","price_base":"7.61499566","currency_base":"DKK",` +
		`"session":"regular","source":"yahoo","received_iso":"2026-11-24T09:15:05.5Z"}` + "\n"
	if diff := cmp.Diff(line, out); diff != "" || code != kurs.ExitOK {
		t.Errorf("exit code %d, -want +got:\n%s", code, diff)
	}
}

func TestExportToAFile(t *testing.T) {
	dir := recorded(t)
	name := filepath.Join(dir, "out.csv")
	if out, _, code := ran(t, "export", "--data", dir, "--out", name); code != kurs.ExitOK || out != "" {
		t.Errorf("exit code %d, printed %q", code, out)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != exportedCSV {
		t.Errorf("%v\n%s", err, text)
	}
	if _, talk, code := ran(t, "export", "--data", dir, "--out", name); code != kurs.ExitUsage || !strings.Contains(talk, "KURS-EXISTS") {
		t.Errorf("an existing file: exit code %d, %s", code, talk)
	}
	if _, talk, code := ran(t, "export", "--data", dir, "--out", name, "--force", "-o", "jsonl"); code != kurs.ExitOK {
		t.Errorf("with --force: exit code %d, %s", code, talk)
	}
	if _, talk, code := ran(t, "export", "--data", dir, "--out", filepath.Join(dir, "no", "such")); code != kurs.ExitFailed || !strings.Contains(talk, "KURS-EXPORT") {
		t.Errorf("no such folder: exit code %d, %s", code, talk)
	}
	left, err := filepath.Glob(filepath.Join(dir, "out.csv.*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestExportOfWhatIsNotThere(t *testing.T) {
	dir := recorded(t)
	for _, c := range []struct {
		name string
		args []string
		code kurs.ExitCode
		want string
	}{
		{"one symbol of two", []string{"--data", dir, "--symbols", "VOD.L,NOPE"}, kurs.ExitPartly, "no prices are stored of NOPE"},
		{"no symbol at all", []string{"--data", dir, "--symbols", "NOPE"}, kurs.ExitNotFound, "no prices are stored of NOPE"},
		{"nothing recorded", []string{"--data", t.TempDir()}, kurs.ExitNotFound, "KURS-EMPTY"},
		{"no such format", []string{"--data", dir, "-o", "xlsx"}, kurs.ExitUsage, "csv, jsonl, parquet, arrow, hledger and beancount"},
		{"no such time", []string{"--data", dir, "--since", "yesterday"}, kurs.ExitUsage, `"yesterday" is not a time`},
	} {
		if _, talk, code := ran(t, append([]string{"export"}, c.args...)...); code != c.code || !strings.Contains(talk, c.want) {
			t.Errorf("%s: exit code %d, %s", c.name, code, talk)
		}
	}
}

func TestTimeOf(t *testing.T) {
	copenhagen, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 9, 15, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"": "0001-01-01T00:00:00Z", "today": "2026-11-23T23:00:00Z", "2026-07-01": "2026-06-30T22:00:00Z",
		"2026-11-24T09:00:00+01:00": "2026-11-24T08:00:00Z", "24h": "2026-11-23T09:15:00Z", "7d": "2026-11-17T09:15:00Z", "90m": "2026-11-24T07:45:00Z",
	} {
		if got, err := timeOf("--since", text, copenhagen, now); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "-1h", "-3d", "2026-13-01", "d"} {
		if got, err := timeOf("--since", text, copenhagen, now); err == nil {
			t.Errorf("%q is %s", text, got)
		}
	}
}

// TestQuoteStored shows what is stored, and says what is not.
func TestQuoteStored(t *testing.T) {
	dir := recorded(t)
	out, _, code := ran(t, "quote", "--stored", "--data", dir)
	if code != kurs.ExitOK || !strings.Contains(out, "VOD.L") || !strings.Contains(out, "7,615") || !strings.Contains(out, "no rate yet") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	out, talk, code := ran(t, "quote", "--stored", "--data", dir, "-o", "json", "VOD.L", "NOPE")
	if code != kurs.ExitPartly || !strings.Contains(out, `"price_base": "7.61499566"`) || !strings.Contains(talk, "NOPE") {
		t.Errorf("exit code %d\n%s%s", code, out, talk)
	}
}

func TestNumbersForPeople(t *testing.T) {
	danish, english := newNumbers("da-DK"), newNumbers("en-US")
	for _, c := range []struct{ in, danish, english string }{
		{"1712.33563", "1.712,34", "1,712.34"},
		{"7.4900582", "7,4901", "7.4901"},
		{"0.0412512", "0,041251", "0.041251"},
		{"-37.63", "-37,63", "-37.63"},
		{"425481.365", "425.481,36", "425,481.36"},
		{"0", "0,00", "0.00"},
		{"1e12", "1.000.000.000.000,00", "1,000,000,000,000.00"},
	} {
		d := kurs.MustDecimal(c.in)
		if got := danish.price(d); got != c.danish {
			t.Errorf("%s: %q, want %q", c.in, got, c.danish)
		}
		if got := english.price(d); got != c.english {
			t.Errorf("%s: %q, want %q", c.in, got, c.english)
		}
	}
	if got := danish.price(kurs.Decimal{}); got != "-" {
		t.Errorf("unknown: %q", got)
	}
}

// TestRefillHandsOverWhatWasReceivedSince, as it would have been printed.
func TestRefillHandsOverWhatWasReceivedSince(t *testing.T) {
	dir := recorded(t)
	c := config.Config{Currency: "DKK", Paths: config.Paths{Database: filepath.Join(dir, "kurs.db")}}
	want := storedRows(t, c.Paths.Database)
	for since, n := range map[time.Time]int{{}: 2, want[1].ReceivedISO: 1, want[1].ReceivedISO.Add(time.Second): 0} {
		var got []kurs.Row
		err := refillFromSQLite(c)(t.Context(), since, func(b kurs.Batch) error {
			for _, p := range b.Prices {
				got = append(got, p.Row())
			}
			return nil
		})
		if diff := cmp.Diff(want[len(want)-n:], got, cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })); err != nil || len(got) != n || diff != "" && n > 0 {
			t.Errorf("since %s: %v, -want +got:\n%s", since, err, diff)
		}
	}
}

func storedRows(t *testing.T, path string) []kurs.Row {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	var rows []kurs.Row
	if err := r.Quotes(t.Context(), sqlite.Filter{}, func(row kurs.Row) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestRefillHandsOverAllThatALineTells: of a correction that is its value.
func TestRefillHandsOverAllThatALineTells(t *testing.T) {
	dir := t.TempDir()
	if err := storeMarket(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	c := config.Config{Currency: "DKK", Paths: config.Paths{Database: filepath.Join(dir, "kurs.db")}}
	want := storedRows(t, c.Paths.Database)
	for i := range want {
		want[i].CorrectedBy, want[i].Instrument = "", "" // of the price's history, not of the price
	}
	var got []kurs.Row
	err := refillFromSQLite(c)(t.Context(), time.Time{}, func(b kurs.Batch) error {
		for _, p := range b.Prices {
			got = append(got, p.Row())
		}
		return nil
	})
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
