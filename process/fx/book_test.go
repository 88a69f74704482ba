package fx_test

import (
	"fmt"
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
)

// tuesday is a day on which the currency market is open.
var tuesday = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func rate(pos uint64, from, to, value string, at time.Time) kurs.Rate {
	return kurs.Rate{
		Pair: kurs.Pair{From: from, To: to}, Value: kurs.MustDecimal(value), Time: at, Source: "yahoo",
		Received: at, Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: pos},
	}
}

// filled is a book of four messages after its policy.
func filled() *fx.Book {
	b := fx.New()
	b.SetPolicy(1, fx.DefaultPolicy())
	for i, r := range []kurs.Rate{
		rate(2, "GBP", "DKK", "8.61", tuesday),
		rate(3, "GBP", "DKK", "8.62", tuesday.Add(time.Minute)),
		rate(4, "EUR", "DKK", "7.46", tuesday),
		rate(5, "EUR", "JPY", "186.5", tuesday.Add(-time.Minute)),
	} {
		b.Learn(uint64(i)+2, []kurs.Rate{r})
	}
	return b
}

func TestAsOf(t *testing.T) {
	tests := []struct {
		name, from, to string
		at             time.Duration // after tuesday
		upTo           uint64
		want           string // value and age; empty: no rate
	}{
		{"the newest that is not after it", "GBP", "DKK", 90 * time.Second, 5, "8.62 30s"},
		{"of its very time", "GBP", "DKK", 0, 5, "8.61 0s"},
		{"never a later one", "GBP", "DKK", -time.Second, 5, ""},
		{"only what was known", "GBP", "DKK", 90 * time.Second, 2, "8.61 1m30s"},
		{"nothing was known", "GBP", "DKK", 90 * time.Second, 1, ""},
		{"just young enough", "GBP", "DKK", 11 * time.Minute, 5, "8.62 10m0s"},
		{"too old", "GBP", "DKK", 11*time.Minute + time.Second, 5, ""},
		{"inverse", "DKK", "EUR", 0, 5, "0.134048257372654 0s"},
		{"through a third, as old as its older leg", "JPY", "DKK", 0, 5, "0.04 1m0s"},
		{"a currency in itself", "DKK", "DKK", 0, 0, "1"},
		{"a pair nobody knows", "XAU", "DKK", 0, 5, ""},
	}
	original := filled()
	snapshot, err := original.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := fx.New()
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	for kind, book := range map[string]*fx.Book{"original": original, "restored": restored} {
		for _, tt := range tests {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				at := tuesday.Add(tt.at)
				got, ok := book.AsOf(kurs.Pair{From: tt.from, To: tt.to}, at, tt.upTo)
				text := ""
				if ok {
					text = got.Value.String()
				}
				if ok && !got.IsIdentity() {
					text += fmt.Sprintf(" %v", at.Sub(got.Time))
				}
				if text != tt.want {
					t.Errorf("got %q (%s), want %q", text, got.Source, tt.want)
				}
			})
		}
	}
}

// TestFirstAfter: a price that found no rate takes the first that comes and fits.
func TestFirstAfter(t *testing.T) {
	b := filled()
	pair := kurs.Pair{From: "USD", To: "DKK"}
	at := tuesday.Add(2 * time.Minute)
	if _, _, ok := b.FirstAfter(pair, at, 5, 5); ok {
		t.Fatal("a rate out of nothing")
	}
	b.Learn(6, []kurs.Rate{rate(6, "USD", "DKK", "6.5", at.Add(time.Second))}) // after the price
	b.Learn(7, []kurs.Rate{rate(7, "USD", "DKK", "6.4", at.Add(-time.Second))})
	b.Learn(8, []kurs.Rate{rate(8, "USD", "DKK", "6.3", at)}) // better, but later learned
	got, pos, ok := b.FirstAfter(pair, at, 5, 5)
	if !ok || pos != 7 || got.Value != kurs.MustDecimal("6.4") {
		t.Errorf("got %s at %d, %v", got.Value, pos, ok)
	}
}

// TestWeekend: over a closed market an older rate will do.
func TestWeekend(t *testing.T) {
	b := fx.New()
	b.SetPolicy(1, fx.DefaultPolicy())
	friday := time.Date(2026, 11, 20, 21, 59, 0, 0, time.UTC)
	b.Learn(2, []kurs.Rate{rate(2, "GBP", "DKK", "8.6", friday)})
	if _, ok := b.AsOf(kurs.Pair{From: "GBP", To: "DKK"}, friday.AddDate(0, 0, 1), 2); !ok {
		t.Error("no rate on Saturday")
	}
	if _, ok := b.AsOf(kurs.Pair{From: "GBP", To: "DKK"}, friday.AddDate(0, 0, 4), 2); ok {
		t.Error("Friday's rate on Tuesday")
	}
}
