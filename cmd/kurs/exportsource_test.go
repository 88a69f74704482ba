package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/reading"
	"kurs/store/sqlite"
)

// around is a data directory with prices of exchanges around the world, over the
// changes of clocks and the turns of a month and a year.
func around(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	draw := rand.New(rand.NewPCG(1, 2))
	batch := kurs.Batch{BaseCurrency: "DKK"}
	zones := map[string]string{
		"A.NS": "Asia/Kolkata", "B.L": "Europe/London", "C": "America/New_York", "D.T": "Asia/Tokyo", "E.NZ": "Pacific/Auckland", "F-USD": "", "G": "No/Such",
	}
	symbols := []string{"A.NS", "B.L", "C", "D.T", "E.NZ", "F-USD", "G"}
	for _, symbol := range symbols {
		batch.Instruments = append(batch.Instruments, kurs.Instrument{Symbol: symbol, Source: "yahoo", TimeZone: zones[symbol]})
		for _, day := range []string{"2026-03-07", "2026-03-28", "2026-03-29", "2026-03-30", "2026-10-24", "2026-10-25", "2026-12-31", "2027-01-01", "2027-01-02"} {
			at := clock(day + "T00:00:00Z")
			volume := int64(0)
			for range 12 {
				at = at.Add(time.Duration(draw.IntN(4*3600)) * time.Second)
				volume += int64(draw.IntN(100))
				n := kurs.Volume{N: volume, Known: draw.IntN(4) > 0}
				id := kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(len(batch.Prices) + 1)}
				value := kurs.Int(int64(100 + draw.IntN(50)))
				batch.Raws = append(batch.Raws, id)
				batch.Prices = append(batch.Prices, kurs.Price{
					Quote:      kurs.Quote{Symbol: symbol, Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: value, Unit: "DKK", Volume: n},
					Receipt:    kurs.Receipt{Received: at.Add(time.Second), Raw: id},
					Conversion: kurs.Conversion{Currency: "DKK", Factor: kurs.Int(1), BaseCurrency: "DKK", Rate: kurs.Identity("DKK")},
					Base:       value,
				})
			}
		}
	}
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batch}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func records(t *testing.T, text []byte) []string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d records, %v", len(all), err)
	}
	var out []string
	for _, r := range all[1:] {
		out = append(out, strings.Join(r, ","))
	}
	slices.Sort(out)
	return out
}

// TestDaysAreTheWhole: the files of the days have together what one file has, to
// the volume of each bar, and each has what begins on its day.
func TestDaysAreTheWhole(t *testing.T) {
	data := around(t)
	kinds := [][]string{nil, {"--symbols", "C,NOPE"}, {"--since", "2026-03-28T07:13:00Z", "--until", "2026-12-31T20:00:00Z"}}
	for _, interval := range reading.IntervalNames() {
		kinds = append(kinds, []string{"--bars", interval}, []string{"--bars", interval, "--since", "2026-03-28T07:13:00Z", "--until", "2027-01-01T01:00:00Z"})
	}
	for _, kind := range kinds {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			dir := t.TempDir()
			whole, folder := filepath.Join(dir, "whole.csv"), filepath.Join(dir, "days")+"/"
			for _, out := range []string{whole, folder} {
				args := append([]string{"export", "--data", data, "--out", out}, kind...)
				if _, talk, code := ran(t, args...); code != kurs.ExitOK && code != kurs.ExitPartly {
					t.Fatalf("exit code %d, %s", code, talk)
				}
			}
			text, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			files, err := filepath.Glob(folder + "date=*/*.csv")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range files {
				text, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				_, day, _ := strings.Cut(filepath.Dir(name), "date=")
				rows := records(t, text)
				for _, r := range rows {
					if !strings.Contains(r, ","+day+"T") {
						t.Errorf("%s has %s", name, r)
					}
				}
				got = append(got, rows...)
			}
			slices.Sort(got)
			if diff := cmp.Diff(records(t, text), got); diff != "" {
				t.Errorf("-whole +days:\n%s", diff)
			}
		})
	}
}

// TestLinesAreOfTheExchangesDay compares with the bars of a day.
func TestLinesAreOfTheExchangesDay(t *testing.T) {
	data := around(t)
	fromPrices, _, code := ran(t, "export", "--data", data, "-o", "hledger")
	if code != kurs.ExitOK {
		t.Fatal(code)
	}
	fromBars, _, code := ran(t, "export", "--data", data, "-o", "hledger", "--bars", "1d")
	if diff := cmp.Diff(fromBars, fromPrices); diff != "" || code != kurs.ExitOK {
		t.Errorf("exit code %d, -bars +prices:\n%s", code, diff)
	}
	if !strings.Contains(fromPrices, `P 2026-10-26 "E.NZ"`) || strings.Contains(fromPrices, `P 2026-10-26 C `) {
		t.Errorf("Sunday evening in London is Monday in Auckland only:\n%s", fromPrices)
	}
	each, _, _ := ran(t, "export", "--data", data, "-o", "beancount", "--all")
	if n := strings.Count(each, " price "); n < 700 {
		t.Errorf("%d of each price", n)
	}
}
