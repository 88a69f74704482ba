package fx_test

import (
	"fmt"
	"math/rand/v2"
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
		r := rate(uint64(minute)+2, from, "DKK", "7.4301", tuesday.Add(time.Duration(minute)*time.Minute))
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
		if _, _, ok := book.FirstAfter(pair, at, 100, 100); !ok {
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

// The book of the goal: 200 pairs, each with a rate a minute for a week.
const (
	manyPairs = 200
	manyRates = 10_000
)

// aWeek is that book: of currencies in kroner, of which each price is asked in
// its own way.
func aWeek(tb testing.TB) *fx.Book {
	tb.Helper()
	b := fx.New()
	b.SetPolicy(1, fx.DefaultPolicy())
	rates := make([]kurs.Rate, manyPairs)
	for minute := range manyRates {
		pos, at := uint64(minute)+2, tuesday.Add(time.Duration(minute)*time.Minute)
		for i := range rates {
			r := rate(pos, coined(i), "DKK", "6.4301", at)
			switch i % 3 {
			case 1: // had the other way round
				r.From, r.To = r.To, r.From
			case 2: // had through the euro
				r.To = "EUR"
			}
			if i == 0 {
				r.From = "EUR"
				r.Value = kurs.MustDecimal("7.4612")
			}
			value, err := r.Value.Add(kurs.MustDecimal(fmt.Sprintf("0.%04d", (minute*7+i)%97)))
			if err != nil {
				tb.Fatal(err)
			}
			r.Value = value
			rates[i] = r
		}
		b.Learn(pos, rates)
	}
	return b
}

// coined is the name of a currency that there is not.
func coined(i int) string { return string([]byte{'X', 'A' + byte(i/26), 'A' + byte(i%26)}) }

// BenchmarkConvertPrices is what is done of each price for its value: the rate as
// of its time, direct, inverse and cross in turn, and the product. An iteration is
// a price: as they come, all symbols of a minute and then of the next, from the
// first to the last minute of the book; and of any minute in any order, as
// happens nowhere.
func BenchmarkConvertPrices(b *testing.B) {
	book := aWeek(b)
	random := rand.New(rand.NewPCG(1, 2))
	type price struct {
		pair  kurs.Pair
		at    time.Time
		value kurs.Decimal
	}
	prices := make([]price, 1<<20)
	for _, c := range []struct {
		name   string
		minute func(i int) int
	}{
		{"as they come", func(i int) int { return i * manyRates / len(prices) }},
		{"in any order", func(int) int { return random.IntN(manyRates) }},
	} {
		for i := range prices {
			value, err := kurs.NewDecimal(1+random.Int64N(99_999_999), -2)
			if err != nil {
				b.Fatal(err)
			}
			at := tuesday.Add(time.Duration(c.minute(i))*time.Minute + time.Duration(random.IntN(60))*time.Second)
			prices[i] = price{kurs.Pair{From: coined(1 + i%(manyPairs-1)), To: "DKK"}, at, value}
		}
		factors := [2]kurs.Decimal{kurs.Int(1), kurs.MustDecimal("0.01")}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				p := &prices[i%len(prices)]
				r, ok := book.AsReceived(p.pair, p.at, manyRates+1)
				if !ok {
					b.Fatalf("no rate of %s at %s", p.pair, p.at)
				}
				if _, err := kurs.Convert(p.value, factors[i%2], r.Value); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "prices/s")
		})
	}
}

// BenchmarkAsOfAMillion looks a rate up among a million of its pair: as of random
// times, and as of the newest, which is what is nearly always asked.
func BenchmarkAsOfAMillion(b *testing.B) {
	const n = 1_000_000
	book := fx.New()
	book.SetPolicy(1, fx.DefaultPolicy())
	for i := range n {
		at := tuesday.Add(time.Duration(i) * 500 * time.Millisecond)
		book.Learn(uint64(i)+2, []kurs.Rate{rate(uint64(i)+2, "USD", "DKK", "6.4301", at)})
	}
	random := rand.New(rand.NewPCG(1, 2))
	times := make([]time.Time, 1<<16)
	pair := kurs.Pair{From: "USD", To: "DKK"}
	for _, c := range []struct {
		name string
		ago  func() int
	}{
		{"any time", func() int { return random.IntN(n) }},
		{"now", func() int { return random.IntN(20) }},
	} {
		for i := range times {
			times[i] = tuesday.Add(time.Duration(n-1-c.ago()) * 500 * time.Millisecond)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, ok := book.AsReceived(pair, times[i%len(times)], n+1); !ok {
					b.Fatal("no rate")
				}
				i++
			}
		})
	}
}
