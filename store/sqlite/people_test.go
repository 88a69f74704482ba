package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// TestWhatIsSetAsideAgainIsAsItCameFirst, whatever came first here, to every detail:
// a price that is kept is made of these.
func TestWhatIsSetAsideAgainIsAsItCameFirst(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	aside := func(source string, received time.Time, counter uint64) kurs.SetAside {
		return kurs.SetAside{Kind: kurs.AsideQuote, Reason: kurs.ReasonJump, Detail: source, Price: kurs.Price{
			Quote: kurs.Quote{
				Symbol: "VOD.L", Source: "yahoo", Time: noon, Session: kurs.SessionRegular, Value: kurs.Int(8842), Unit: "GBp",
				Bid: kurs.Int(int64(counter)), Volume: kurs.Volume{N: int64(counter), Known: true},
			},
			Receipt: kurs.Receipt{Received: received, Raw: kurs.RawID{Source: source, Run: "r", Counter: counter}},
			Conversion: kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), BaseCurrency: "DKK", Rate: kurs.Rate{
				Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.Int(int64(counter)), Time: noon, Source: "yahoo",
			}},
		}}
	}
	first, others := aside("a", noon, 7), []kurs.SetAside{aside("a", noon, 8), aside("b", noon, 6), aside("a", noon.Add(time.Second), 5)}
	for i, other := range others {
		for _, order := range [][]kurs.SetAside{{first, other}, {other, first}, {other, first, other}} {
			path := filepath.Join(t.TempDir(), "kurs.db")
			s := open(t, path)
			for _, a := range order {
				batch := kurs.Batch{Raws: []kurs.RawID{a.Raw}, BaseCurrency: "DKK", SetAside: []kurs.SetAside{a}}
				if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batch}}); err != nil {
					t.Fatal(err)
				}
			}
			rows := 0
			err := sqlite.QueryAll(t.Context(), path, map[string]func(sqlite.Columns){
				"SELECT bid, volume, fx_rate, counter, detail FROM quarantine": func(c sqlite.Columns) {
					rows++
					if c.Decimal(0) != kurs.Int(7) || c.Volume(1).N != 7 || c.Decimal(2) != kurs.Int(7) || c.Volume(3).N != 7 || c.Text(4) != "a" {
						t.Errorf("%d: %s %d %s %d %s", i, c.Decimal(0), c.Volume(1).N, c.Decimal(2), c.Volume(3).N, c.Text(4))
					}
				},
			})
			if err != nil || rows != 1 {
				t.Errorf("%d rows, %v", rows, err)
			}
		}
	}
}

// TestWhatWasKnownBetweenTwoDecisions: a price that was kept and then dropped is
// what kurs knew in between, in whatever order the decisions came here.
func TestWhatWasKnownBetweenTwoDecisions(t *testing.T) {
	said := func(seconds int) kurs.Receipt {
		return kurs.Receipt{
			Received: noon.Add(time.Duration(seconds) * time.Second), Raw: kurs.RawID{Source: kurs.SourceUser, Run: "said", Counter: uint64(seconds)},
			Origin: kurs.OriginCorrection,
		}
	}
	seen := fullPrice(quote("A", 1))
	seen.Receipt = received(5)
	odd := kurs.SetAside{Kind: kurs.AsideQuote, Reason: kurs.ReasonJump, Price: fullPrice(quote("A", 1))}
	odd.Value, odd.Receipt = kurs.Int(99), received(6)
	keep := func(at int, value int64) kurs.Batch {
		p := fullPrice(odd.Price)
		p.Value, p.Receipt = kurs.Int(value), said(at)
		return kurs.Batch{
			Raws: []kurs.RawID{p.Raw}, BaseCurrency: "DKK", Prices: []kurs.Price{p},
			Decisions: []kurs.Decision{{Of: odd, Action: kurs.ActionKeep, Factor: kurs.Int(1), Author: "anna", Receipt: p.Receipt}},
		}
	}
	batches := []kurs.Batch{
		{Raws: []kurs.RawID{seen.Raw}, BaseCurrency: "DKK", Prices: []kurs.Price{seen}},
		{Raws: []kurs.RawID{odd.Raw}, BaseCurrency: "DKK", SetAside: []kurs.SetAside{odd}},
		keep(10, 50), keep(20, 60),
		{Raws: []kurs.RawID{said(30).Raw}, BaseCurrency: "DKK", Decisions: []kurs.Decision{{Of: odd, Action: kurs.ActionDrop, Author: "anna", Receipt: said(30)}}},
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {1, 2, 3, 4, 0}, {4, 3, 2, 1, 0}, {1, 4, 2, 0, 3}, {0, 3, 2, 4, 1}, {0, 1, 2, 3, 4, 2, 3}} {
		path := filepath.Join(t.TempDir(), "kurs.db")
		s := open(t, path)
		for _, i := range order {
			if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batches[i]}}); err != nil {
				t.Fatal(err)
			}
		}
		r := reader(t, path)
		for at, want := range map[int]kurs.Decimal{4: {}, 7: seen.Value, 15: kurs.Int(50), 25: kurs.Int(60), 35: seen.Value} {
			var got kurs.Decimal
			err := r.Quotes(t.Context(), sqlite.Filter{AsOf: noon.Add(time.Duration(at) * time.Second)}, func(row kurs.Row) error {
				got = row.PriceNative
				return nil
			})
			if err != nil || got != want {
				t.Errorf("order %v, known %d s after noon: %s, %v, want %s", order, at, got, err, want)
			}
		}
		for at, want := range map[int]string{4: "", 7: "waiting", 15: "kept anna 10", 25: "kept anna 20", 35: "dropped anna 30"} {
			got := ""
			err := r.SetAside(t.Context(), sqlite.AsideFilter{AsOf: noon.Add(time.Duration(at) * time.Second)}, func(a sqlite.Aside) error {
				got = a.State
				if !a.Decided.IsZero() {
					got = fmt.Sprintf("%s %s %.0f", a.State, a.Author, a.Decided.Sub(noon).Seconds())
				}
				return nil
			})
			if err != nil || got != want {
				t.Errorf("order %v, known %d s after noon: %q, %v, want %q", order, at, got, err, want)
			}
		}
	}
}

// TestCorrectionsAsOf: what a person had said by a time, which of it held, and what
// the provider had said by then.
func TestCorrectionsAsOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	seen, again := fullPrice(quote("A", 1)), fullPrice(quote("A", 1))
	seen.Value, seen.Receipt = kurs.Int(88), received(5)
	again.Value, again.Receipt = kurs.Int(90), received(25)
	say := func(at int, value kurs.Decimal) kurs.Correction {
		c := kurs.Correction{Price: fullPrice(quote("A", 1)), Undo: !value.Known(), Author: "anna", Reason: "a slip"}
		c.Value = value
		c.Receipt = kurs.Receipt{
			Received: noon.Add(time.Duration(at) * time.Second), Origin: kurs.OriginCorrection,
			Raw: kurs.RawID{Source: kurs.SourceUser, Run: "said", Counter: uint64(at)},
		}
		return c
	}
	for _, b := range []kurs.Batch{
		{Prices: []kurs.Price{seen}},
		{Prices: []kurs.Price{again}},
		{Corrections: []kurs.Correction{say(30, kurs.Decimal{})}},
		{Corrections: []kurs.Correction{say(10, kurs.Int(87))}},
		{Corrections: []kurs.Correction{say(20, kurs.Int(86))}},
	} {
		b.BaseCurrency = "DKK"
		if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[int]string{
		5: "", 15: "[87 of 88 true]", 22: "[87 of 88 false][86 of 88 true]", 27: "[87 of 90 false][86 of 90 true]",
		40: "[87 of 90 false][86 of 90 false][ of 90 false]",
	} {
		all, err := reader(t, path).Corrections(t.Context(), []string{"A"}, noon.Add(time.Duration(at)*time.Second))
		var told strings.Builder
		for _, k := range all {
			fmt.Fprintf(&told, "[%s of %s %t]", k.Value, k.Provider, k.Holds)
		}
		if got := told.String(); err != nil || got != want {
			t.Errorf("known %d s after noon: %s, %v, want %s", at, got, err, want)
		}
	}
}
