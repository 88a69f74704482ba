package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"kurs"
	"kurs/store/postgres/pgtest"
)

// TestWhatPeopleSay: of what people said, what holds does not depend on the order.
func TestWhatPeopleSay(t *testing.T) {
	server := pgtest.Shared(t)
	said := func(second int) kurs.Receipt {
		return kurs.Receipt{
			Received: noon.Add(time.Duration(second) * time.Second), Raw: kurs.RawID{Source: kurs.SourceUser, Run: "r", Counter: uint64(second)},
			Origin: kurs.OriginCorrection,
		}
	}
	correct := func(second int, value string, undo bool) kurs.Batch {
		p := quote("A", 0)
		p.Receipt = said(second)
		p.Value = kurs.Decimal{}
		if value != "" {
			p.Value = kurs.MustDecimal(value)
		}
		return kurs.Batch{Corrections: []kurs.Correction{{Price: p, Author: "me", Reason: "a slip", Undo: undo}}}
	}
	aside := kurs.SetAside{Kind: kurs.AsideQuote, Price: quote("B", 0), Reason: kurs.ReasonJump, Detail: "100 times"}
	decide := func(second int, action kurs.Action) kurs.Batch {
		return kurs.Batch{Decisions: []kurs.Decision{{Of: aside, Action: action, Author: "me", Receipt: said(second)}}}
	}
	alias := func(second int, removed bool) kurs.Batch {
		return kurs.Batch{Aliases: []kurs.Alias{{Symbol: "NEW", Was: "A", Until: noon.AddDate(1, 0, 0), Removed: removed, Author: "me", Receipt: said(second)}}}
	}
	batches := []kurs.Batch{
		group(quote("A", 0)).Batches[0],
		correct(10, "2", false), correct(20, "3", false),
		{SetAside: []kurs.SetAside{aside}},
		decide(10, kurs.ActionKeep), decide(20, kurs.ActionDrop),
		alias(10, true), alias(20, false),
	}
	reversed := make([]kurs.Batch, 0, len(batches))
	for i := range batches {
		reversed = append(reversed, batches[len(batches)-1-i])
	}
	for name, order := range map[string][]kurs.Batch{"forward": batches, "backward": reversed} {
		s := open(t, config(server, name))
		for range 2 {
			for _, b := range order {
				if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		for query, want := range map[string]int64{
			"SELECT count(*) FROM v_quotes WHERE price_native = 3 AND corrected_by = 'me' AND origin = 'correction' AND instrument = 'NEW'": 1,
			"SELECT count(*) FROM v_versions":                                                   3,
			"SELECT count(*) FROM v_versions WHERE shown AND price_native = 3":                  1,
			"SELECT count(*) FROM v_quarantine":                                                 1,
			"SELECT count(*) FROM v_quarantine WHERE state = 'dropped' AND time IS NOT NULL":    1,
			"SELECT n FROM counts WHERE name = 'quarantine'":                                    1,
			"SELECT count(*) FROM v_aliases WHERE from_iso IS NULL AND until_iso LIKE '2027-%'": 1,
		} {
			if got := count(t, server, name, query); got != want {
				t.Errorf("%s: %s: %d, want %d", name, query, got, want)
			}
		}
		// Taken back, the provider's own word stands again.
		if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{correct(30, "", true), alias(30, true)}}); err != nil {
			t.Fatal(err)
		}
		if got := count(t, server, name, "SELECT count(*) FROM v_quotes WHERE price_native = 1.25 AND corrected_by IS NULL AND instrument = 'A'"); got != 1 {
			t.Errorf("%s: it is not taken back", name)
		}
	}
}

// TestWhatWasKnownBetweenTwoDecisions: of a price that was kept and then dropped is noted
// what it was, in whatever order the decisions came here, and of a correction since when
// its value is known.
func TestWhatWasKnownBetweenTwoDecisions(t *testing.T) {
	server := pgtest.Shared(t)
	said := func(second int) kurs.Receipt {
		return kurs.Receipt{
			Received: noon.Add(time.Duration(second) * time.Second), Raw: kurs.RawID{Source: kurs.SourceUser, Run: "said", Counter: uint64(second)},
		}
	}
	odd := kurs.SetAside{Kind: kurs.AsideQuote, Price: quote("A", 0), Reason: kurs.ReasonJump}
	odd.Value, odd.Raw.Counter = kurs.Int(99), 7
	keep := func(second int, value int64) kurs.Batch {
		p := odd.Price
		p.Value, p.Receipt = kurs.Int(value), said(second)
		return kurs.Batch{
			Prices:    []kurs.Price{p},
			Decisions: []kurs.Decision{{Of: odd, Action: kurs.ActionKeep, Factor: kurs.Int(1), Author: "anna", Receipt: p.Receipt}},
		}
	}
	corrected := quote("A", 0)
	corrected.Receipt = said(40)
	batches := []kurs.Batch{
		group(quote("A", 0)).Batches[0],
		{SetAside: []kurs.SetAside{odd}},
		keep(10, 50), keep(20, 60),
		{Decisions: []kurs.Decision{{Of: odd, Action: kurs.ActionDrop, Author: "anna", Receipt: said(30)}}},
		{Raws: []kurs.RawID{corrected.Raw}, Corrections: []kurs.Correction{{Price: corrected, Author: "anna", Reason: "a slip"}}},
		{Fills: []kurs.Fill{{
			Symbol: "A", Source: "yahoo", Time: corrected.Time, Session: corrected.Session, Receipt: corrected.Receipt, Base: kurs.Int(9),
			Rate: kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.MustDecimal("7.2"), Time: noon, Received: noon.Add(time.Minute), Source: "yahoo"},
		}}},
	}
	for i, order := range [][]int{
		{0, 1, 2, 3, 4, 5, 6}, {6, 5, 1, 2, 3, 4, 0}, {4, 6, 3, 5, 2, 1, 0}, {1, 4, 2, 0, 6, 3, 5}, {0, 1, 2, 3, 4, 5, 6, 2, 3, 6, 5},
	} {
		schema := fmt.Sprintf("order%d", i)
		s := open(t, config(server, schema))
		for _, at := range order {
			if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batches[at]}}); err != nil {
				t.Fatalf("order %v: %v", order, err)
			}
		}
		for query, want := range map[string]int64{
			"SELECT count(*) FROM withdrawn": 2,
			"SELECT count(*) FROM withdrawn w JOIN decisions d USING (aside, received, run, counter) WHERE d.action = 'kept' AND w.native IN (50, 60)": 2,
			"SELECT count(*) FROM v_versions":                                                          2,
			"SELECT count(*) FROM v_quotes WHERE price_base = 9":                                       1,
			"SELECT count(*) FROM filled WHERE series = 'corrections' AND at = '2026-11-24T12:01:00Z'": 1,
		} {
			if got := count(t, server, schema, query); got != want {
				t.Errorf("order %v: %s: %d, want %d", order, query, got, want)
			}
		}
	}
}

// TestSplits: a bar that was rewritten after a split is not shown where it was seen
// before.
func TestSplits(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	bar := func(value string, received time.Time, counter uint64) kurs.Batch {
		return kurs.Batch{Bars: []kurs.PricedBar{{
			Bar:     kurs.Bar{Symbol: "A", Source: "yahoo", Start: noon, Interval: "1d", Close: kurs.MustDecimal(value)},
			Receipt: kurs.Receipt{Received: received, Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: counter}},
		}}}
	}
	split := kurs.Batch{Events: []kurs.Event{{
		Kind: kurs.EventSplit, Symbol: "A", Source: "yahoo", Time: noon.AddDate(0, 0, 2), Numerator: kurs.Int(4), Denominator: kurs.Int(1),
	}}}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{bar("400", noon.AddDate(0, 0, 1), 1), split, bar("100", noon.AddDate(0, 0, 3), 2)}}); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int64{
		"SELECT close_native::bigint FROM v_bars WHERE NOT rewritten":                   400,
		"SELECT close_native::bigint FROM v_bar_versions WHERE rewritten AND NOT shown": 100,
	} {
		if got := count(t, server, "kurs", query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
