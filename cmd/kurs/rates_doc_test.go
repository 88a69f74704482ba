package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/ecb/wire"
	"kurs/config"
	"kurs/internal/testkit"
	"kurs/process/fx"
)

// TestTheExampleOfRates holds docs/rates.md to what it says.
func TestTheExampleOfRates(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs", "rates.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	book := exampleBook(t, page)
	conversions := regexp.MustCompile(`(?m)^\| ([0-9.]+) (\w{3}) \| (\S+Z) \| (\S*) ?\| (.*?) ?\| (\S*) ?\|$`).FindAllStringSubmatch(page, -1)
	for _, row := range conversions {
		amount, unit, want := kurs.MustDecimal(row[1]), row[2], row[4:]
		at, err := time.Parse(time.RFC3339, row[3])
		currency, factor, ok := kurs.CurrencyOf(unit)
		if err != nil || !ok {
			t.Fatal(row, err)
		}
		got := []string{"", "", ""}
		if rate, known := book.AsOf(kurs.Pair{From: currency, To: "DKK"}, at, book.Pos()); known {
			base, err := kurs.Convert(amount, factor, rate.Value)
			if err != nil {
				t.Fatal(err)
			}
			got = []string{rate.Value.String(), rate.Source, base.String()}
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q", row[0], got)
		}
	}
	doubted := regexp.MustCompile(`(?m)^\| (\S{10}) (\w{3}) (\S+) \| (.+) \|$`).FindAllStringSubmatch(page, -1)
	for i, row := range doubted {
		csv := "Date," + row[2] + ",\n" + row[1] + "," + row[3] + ",\n"
		if got := asideInTheExample(t, exampleBook(t, page), csv); got != kurs.Reason(row[4]) {
			t.Errorf("%d: %s: %q", i, row[0], got)
		}
	}
	if len(conversions) != 7 || len(doubted) != 5 {
		t.Errorf("%d conversions and %d rates that are set aside were found", len(conversions), len(doubted))
	}
}

// block is what the page has in a fence of a kind.
func block(t *testing.T, page, kind string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, "```"+kind+"\n")
	body, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("no %s on the page", kind)
	}
	return body
}

// exampleBook has the page's settings and was told of its rates, long ago.
func exampleBook(t *testing.T, page string) *fx.Book {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kurs.toml")
	if err := os.WriteFile(file, []byte(block(t, page, "toml")), 0o600); err != nil {
		t.Fatal(err)
	}
	c, origins, err := config.Load(config.Input{File: file, Environ: []string{"HOME=" + t.TempDir()}})
	if err != nil || len(origins.Warnings) > 0 {
		t.Fatal(origins, err)
	}
	book := fx.New()
	book.SetPolicy(1, ratePolicy(c))
	rates, refused := ratesOf(t, block(t, page, "csv"), 1)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	book.Learn(2, rates)
	return book
}

// ratesOf is what a file tells, as it was received some time after its days.
func ratesOf(t *testing.T, csv string, counter uint64) ([]kurs.Rate, []fx.Refused) {
	t.Helper()
	raw := kurs.Raw{
		ID: kurs.RawID{Source: wire.Source, Counter: counter}, Source: wire.Source,
		Received: time.Date(2026, 4, 21, 12, 0, 0, 0, time.UTC), Body: []byte(csv),
	}
	seen, err := wire.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	rates, refused := fx.RatesOf(seen, raw)
	for _, s := range seen.Spoiled {
		refused = append(refused, fx.Refused{Symbol: s.Symbol, Reason: s.Reason})
	}
	return rates, refused
}

// asideInTheExample is why a rate of a file is set aside; empty where it is not.
func asideInTheExample(t *testing.T, book *fx.Book, csv string) kurs.Reason {
	t.Helper()
	rates, refused := ratesOf(t, csv, 2)
	if len(refused) > 0 {
		return refused[0].Reason
	}
	book.Learn(3, rates)
	for _, doubt := range book.Doubts(rates[0].Raw) {
		return doubt.Reason
	}
	return ""
}
