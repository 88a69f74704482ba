package main

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
)

// TestRatesOfAFile: a file as the European Central Bank publishes them, on this
// machine, is all that prices are converted with, whatever else can be had.
func TestRatesOfAFile(t *testing.T) {
	home := at(t, "http://127.0.0.1:1") // a demo has an exchange of its own
	file := filepath.Join(home, "eurofxref-hist.csv")
	day := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	if err := os.WriteFile(file, fmt.Appendf(nil, "Date,USD,XXX,DKK,\n%s,1.25,N/A,7.5,\n2004-12-31,1.3621,N/A,7.4388,\n", day), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KURS_FX_SOURCE", "ecb")
	t.Setenv("KURS_FX_ECB_URL", "file://"+filepath.ToSlash(file))
	dir := filepath.Join(home, "d")
	if _, talk, code := ran(t, "run", "--demo", "--in-process", "--symbols", "AAPL,SAP.DE", "--duration", "2s", "--data", dir); code != kurs.ExitOK ||
		strings.Contains(talk, "wait for a rate") {
		t.Fatalf("exit code %d\n%s", code, talk)
	}
	out, talk, code := ran(t, "export", "--data", dir)
	if code != kurs.ExitOK {
		t.Fatalf("exit code %d\n%s", code, talk)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) < 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for _, row := range rows[1:] {
		want := [3]string{"6", day, "ecb via EUR"} // 7.5 / 1.25
		if row[column["unit"]] == "EUR" {
			want = [3]string{"7.5", day, "ecb"}
		}
		got := [3]string{row[column["fx_rate"]], row[column["fx_time"]][:len(day)], row[column["fx_source"]]}
		if got != want {
			t.Errorf("%s: %q, want %q", row[0], got, want)
		}
	}
}
