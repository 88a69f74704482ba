package fx_test

import (
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
)

// aDay is a book of a day of minutes of 30 pairs, 1,440 messages.
func aDay(tb testing.TB) *fx.Book {
	tb.Helper()
	b := fx.New()
	b.SetPolicy(1, fx.DefaultPolicy())
	for minute := range 1440 {
		b.Learn(uint64(minute)+2, minuteOf(minute))
	}
	return b
}

// pairs are 28 currencies in DKK, and dollars and euros.
func minuteOf(minute int) []kurs.Rate {
	rates := make([]kurs.Rate, 0, 30)
	for i := range 30 {
		from := string([]byte{'A' + byte(i%26), 'A' + byte(i/26), 'X'})
		switch i {
		case 0:
			from = "USD"
		case 1:
			from = "EUR"
		}
		r := rate(uint64(minute)+2, from, "DKK", "6.4301", tuesday.Add(time.Duration(minute)*time.Minute))
		if i == 2 { // one that is had through a third currency only
			r.Pair = kurs.Pair{From: "JPY", To: "EUR"}
		}
		rates = append(rates, r)
	}
	return rates
}

func BenchmarkAsOf(b *testing.B) {
	book := aDay(b)
	for _, c := range []struct {
		name string
		pair kurs.Pair
		ago  time.Duration
	}{
		{"direct, now", kurs.Pair{From: "USD", To: "DKK"}, 0},
		{"direct, in the morning", kurs.Pair{From: "USD", To: "DKK"}, 20 * time.Hour},
		{"inverse", kurs.Pair{From: "DKK", To: "USD"}, 0},
		{"cross", kurs.Pair{From: "JPY", To: "DKK"}, 0},
	} {
		at := tuesday.Add(1439*time.Minute - c.ago)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := book.AsOf(c.pair, at, 1441); !ok {
					b.Fatal("no rate")
				}
			}
		})
	}
}

// BenchmarkLearn is the rates of a day: 43,200.
func BenchmarkLearn(b *testing.B) {
	for b.Loop() {
		aDay(b)
	}
	b.ReportMetric(float64(43_200*b.N)/b.Elapsed().Seconds(), "rates/s")
}

func BenchmarkFirstAfter(b *testing.B) {
	book := aDay(b)
	pair, at := kurs.Pair{From: "USD", To: "DKK"}, tuesday.Add(720*time.Minute)
	for b.Loop() {
		if _, _, ok := book.FirstAfter(pair, at, 100); !ok {
			b.Fatal("no rate")
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	book := aDay(b)
	var size int
	for b.Loop() {
		data, err := book.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		size = len(data)
	}
	b.ReportMetric(float64(size)/43_200, "bytes/rate")
}

func BenchmarkRestore(b *testing.B) {
	data, err := aDay(b).Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := fx.New().Restore(data); err != nil {
			b.Fatal(err)
		}
	}
}
