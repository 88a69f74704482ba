package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kurs"
)

// These tests hold for stores that keep rows.

func testKinds(t *testing.T, data Data) {
	s := open(t, data)
	p := converted(price("A", "1.25", 1), usd("6.4"))
	b := bar("A", "1.5", 1)
	b.Rate, b.BaseClose = usd("6.4"), dec("9.6")
	rate := kurs.Rate{
		Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: dec("6.4"), Time: noon, Source: "yahoo", Symbol: "DKK=X", Interval: "1m",
		ValidFor: 10 * time.Minute, Received: receipt(1).Received, Raw: receipt(1).Raw,
	}
	dividend := kurs.Event{Kind: kurs.EventDividend, Symbol: "A", Source: "yahoo", Time: noon, Amount: dec("0.25"), Unit: "USD"}
	split := kurs.Event{Kind: kurs.EventSplit, Symbol: "A", Source: "yahoo", Time: after(1), Numerator: kurs.Int(4), Denominator: kurs.Int(1)}
	instrument := kurs.Instrument{
		Symbol: "A", Source: "yahoo", Name: "Agilent", Kind: kurs.KindEquity, Exchange: "NYQ", Unit: "USD", TimeZone: "America/New_York",
	}
	gap := kurs.Gap{Symbol: "A", Source: "yahoo", From: noon, To: after(60), Reason: "no answer", Receipt: receipt(2)}
	group := kurs.Batch{
		Raws: []kurs.RawID{receipt(1).Raw, receipt(2).Raw}, BaseCurrency: "DKK",
		Prices: []kurs.Price{p}, Bars: []kurs.PricedBar{b}, Rates: []kurs.Rate{rate}, Events: []kurs.Event{dividend, split},
		Instruments: []kurs.Instrument{instrument}, Gaps: []kurs.Gap{gap},
	}
	rate.Raw, gap.Raw = kurs.RawID{}, kurs.RawID{}
	want := Dump{
		Quotes: []kurs.Row{p.Row()},
		Latest: []kurs.Row{p.Row()},
		Bars: []Bar{{
			Symbol: "A", Source: "yahoo", Interval: "1m", Unit: "USD", Start: noon,
			Open: b.Open, High: b.High, Low: b.Low, Close: b.Close, Volume: b.Volume,
			FXRate: dec("6.4"), BaseClose: dec("9.6"), Received: b.Received,
		}},
		Rates:       []kurs.Rate{rate},
		Instruments: []kurs.Instrument{instrument},
		Events:      []kurs.Event{dividend, split},
		Gaps:        []kurs.Gap{gap},
	}
	for range 3 {
		s.write(group)
		same(t, "all", want, s.read())
	}
}

func testIdempotent(t *testing.T, data Data) {
	s := open(t, data)
	first, second := batch(price("A", "1", 1), price("B", "1", 1)), batch(price("A", "2", 2), price("B", "1", 3))
	late := fills(fill(first.Prices[0], usd("6.4")))
	all := []kurs.Batch{first, second, late}
	s.write(all...)
	want := s.read()
	for i, batches := range [][]kurs.Batch{all, {first}, {second}, {late}, {second, first}, {late, second, first}, all} {
		for _, pos := range []kurs.StreamPos{{}, position(5), position(1), {Epoch: "second", Seq: 1}} {
			if err := s.Write(t.Context(), kurs.Group{Batches: batches, Position: pos}); err != nil {
				t.Fatal(err)
			}
			same(t, fmt.Sprintf("round %d at %v", i, pos), want, s.read())
		}
	}
}

func permutations(n int, do func(order []int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	var walk func(k int)
	walk = func(k int) {
		if k == n {
			do(order)
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			walk(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	walk(0)
}

// testOrders writes four receipts of one key in every order, and then each once
// more: where all of them say the same but for the price, and where bid and rate
// differ as well. Each order is a symbol of its own; group n brings the receipt
// that is n-th in its order.
func testOrders(t *testing.T, data Data) {
	s := open(t, data)
	type history struct {
		receipts []kurs.Price
		order    []int
	}
	var histories []history
	for _, values := range [][]string{{"1.1", "2.2", "1.1", "3.3"}, {"1.1", "1.1", "2.2", "3.3"}, {"1.1", "2.2", "2.2", "1.1"}} {
		for _, alike := range []bool{true, false} {
			permutations(4, func(order []int) {
				h := history{order: slices.Clone(order)}
				for i, value := range values {
					p := price(fmt.Sprintf("ORDER%03d", len(histories)), value, uint64(i+1))
					rate := usd("6.5")
					if !alike {
						p.Bid, rate = kurs.Int(int64(100+i)), usd(fmt.Sprintf("6.%d", i+1))
					}
					h.receipts = append(h.receipts, converted(p, rate))
				}
				histories = append(histories, h)
			})
		}
	}
	for range 2 {
		for n := range 4 {
			var prices []kurs.Price
			for _, h := range histories {
				prices = append(prices, h.receipts[h.order[n]])
			}
			s.write(batch(prices...))
		}
	}
	got := map[string][]kurs.Row{}
	all := s.read()
	for _, row := range slices.Concat(all.Superseded, all.Quotes, all.Latest) {
		got[row.Symbol] = append(got[row.Symbol], row)
	}
	for _, h := range histories {
		var want []kurs.Row // each that differs from the one before, and then the latest
		for i, p := range h.receipts {
			if i == 0 || h.receipts[i-1].Value != p.Value {
				want = append(want, p.Row())
			}
		}
		latest, last := want[len(want)-1], h.receipts[3]
		latest.Bid, latest.ReceivedISO = last.Bid, last.Received
		same(t, fmt.Sprintf("in the order %v", h.order), append(want, latest), got[last.Symbol])
		if t.Failed() {
			return
		}
	}
}

func testBarVersions(t *testing.T, data Data) {
	s := open(t, data)
	for i, change := range []func(*kurs.PricedBar){
		func(b *kurs.PricedBar) { b.Open = dec("1.6") },
		func(b *kurs.PricedBar) { b.High = kurs.Decimal{} },
		func(b *kurs.PricedBar) { b.Low = dec("0.4") },
		func(b *kurs.PricedBar) { b.Close = dec("2") },
		func(b *kurs.PricedBar) { b.Volume = kurs.Volume{} },
		func(b *kurs.PricedBar) { b.Unit = "USX" },
	} {
		symbol := string(rune('A' + i))
		newer := bar(symbol, "1.5", 2)
		change(&newer)
		s.write(bars(newer))
		s.write(bars(bar(symbol, "1.5", 1))) // late
		want := Bar{
			Symbol: symbol, Source: "yahoo", Interval: "1m", Unit: newer.Unit, Start: noon,
			Open: newer.Open, High: newer.High, Low: newer.Low, Close: newer.Close, Volume: newer.Volume, Received: newer.Received,
		}
		same(t, "the newest", want, s.read().Bars[i])
		s.write(bars(bar(symbol, "1.5", 3))) // as it was at first
		same(t, "received", receipt(3).Received, s.read().Bars[i].Received)
		same(t, "bars", i+1, len(s.read().Bars))
	}
}

func testNoVersion(t *testing.T, data Data) {
	s := open(t, data)
	first := converted(price("A", "1", 1), usd("6.4"))
	s.write(batch(first))
	for i, change := range []func(*kurs.Price){
		func(*kurs.Price) {},
		func(p *kurs.Price) { p.Bid, p.Ask = dec("0.9"), dec("1.1") },
		func(p *kurs.Price) { p.Volume = kurs.Volume{N: 7, Known: true} },
		func(p *kurs.Price) { p.Delay = 15 * time.Minute },
		func(p *kurs.Price) { *p = converted(*p, usd("6.5")) },
		func(p *kurs.Price) { p.Rate, p.Base = kurs.Rate{}, kurs.Decimal{} },
		func(p *kurs.Price) { p.Currency, p.Factor = "USX", dec("0.01") }, // how the unit is resolved
	} {
		p := converted(price("A", "1", uint64(i+2)), usd("6.4"))
		change(&p)
		s.write(batch(p))
		got := s.read()
		same(t, "quotes", []kurs.Row{first.Row()}, got.Quotes)
		same(t, "superseded", 0, len(got.Superseded))
		latest := first.Row()
		latest.Bid, latest.Ask, latest.Volume, latest.ReceivedISO = p.Bid, p.Ask, p.Row().Volume, p.Received
		same(t, "latest", []kurs.Row{latest}, got.Latest)
	}
	// Another session, time or source is another price.
	for _, change := range []func(*kurs.Price){
		func(p *kurs.Price) { p.Session = kurs.SessionPost },
		func(p *kurs.Price) { p.Source = "ecb" },
		func(p *kurs.Price) { p.Time = after(1) },
	} {
		p := price("A", "2", 9)
		change(&p)
		before := s.read()
		s.write(batch(p))
		got := s.read()
		same(t, "quotes", len(before.Quotes)+1, len(got.Quotes))
		same(t, "superseded", 0, len(got.Superseded))
	}
}

// testExact brings one price exactly and as a float32 has it, in every order of
// reception and of arrival: the exact one is shown. An approximate one that is no
// float32 of it is news, and is shown.
func testExact(t *testing.T, data Data) {
	s := open(t, data)
	exact, about, other := "123456.789", "123456.79", "123456.8"
	type history struct{ symbol, want string }
	var histories []history
	for _, values := range [][]string{
		{exact, about}, {about, exact}, {about, exact, about}, {exact, about, about}, {about, about, exact}, {exact, other}, {other, exact}, {exact, about, other},
	} {
		permutations(len(values), func(order []int) {
			h := history{symbol: fmt.Sprintf("EXACT%03d", len(histories)), want: exact}
			if values[len(values)-1] == other {
				h.want = other
			}
			for _, i := range order {
				p := converted(price(h.symbol, values[i], uint64(i+1)), usd("6.4"))
				p.Approximate = values[i] != exact
				s.write(batch(p))
				s.write(batch(p))
			}
			histories = append(histories, h)
		})
	}
	got := map[string]kurs.Row{}
	for _, row := range s.read().Quotes {
		got[row.Symbol] = row
	}
	for _, h := range histories {
		want := converted(price(h.symbol, h.want, 1), usd("6.4"))
		if row := got[h.symbol]; row.PriceNative != want.Value || row.PriceBase != want.Base || row.Approximate != (h.want != exact) {
			t.Errorf("%s: %s, %s, approximate %t, want %s, %s", h.symbol, row.PriceNative, row.PriceBase, row.Approximate, want.Value, want.Base)
		}
	}
}

func testLatest(t *testing.T, data Data) {
	s := open(t, data)
	newest := at(price("A", "5", 4), after(30))
	newest.Bid = dec("4.9")
	s.write(batch(newest))
	sameTime := at(price("A", "5", 3), after(30)) // received earlier
	sameTime.Bid = dec("4.8")
	for _, older := range []kurs.Price{
		at(price("A", "1", 1), after(10)),
		at(price("A", "2", 9), after(20)), // late, though received last
		sameTime,
	} {
		s.write(batch(older))
		same(t, "latest", []kurs.Row{newest.Row()}, s.read().Latest)
	}
	// One group, not in order.
	s.write(batch(at(price("B", "3", 3), after(3)), at(price("B", "9", 1), after(9)), at(price("B", "6", 2), after(6))))
	same(t, "latest", at(price("B", "9", 1), after(9)).Row(), s.read().Latest[1])
	post := at(price("A", "6", 5), after(40))
	post.Session = kurs.SessionPost
	s.write(batch(post))
	same(t, "latest", post.Row(), s.read().Latest[0])
	// Everything at one instant but for the receipt's number.
	for _, counters := range [][]uint64{{1, 2}, {2, 1}} {
		symbol := fmt.Sprintf("C%d", counters[0])
		for _, counter := range counters {
			p := price(symbol, "1", counter)
			p.Received, p.Bid = noon, kurs.Int(int64(counter))
			s.write(batch(p))
		}
	}
	got := s.read().Latest
	same(t, "bid of a tie", []kurs.Decimal{kurs.Int(2), kurs.Int(2)}, []kurs.Decimal{got[2].Bid, got[3].Bid})
}

func testInstruments(t *testing.T, data Data) {
	s := open(t, data)
	full := kurs.Instrument{Symbol: "A", Source: "yahoo", Name: "Old Inc", Kind: kurs.KindEquity, Exchange: "NMS", Unit: "USD", TimeZone: "America/New_York"}
	steps := []struct {
		write, want kurs.Instrument
	}{
		{full, full},
		{kurs.Instrument{Symbol: "A", Source: "yahoo"}, full},
		{kurs.Instrument{Symbol: "A", Name: "New Inc"}, func() kurs.Instrument { i := full; i.Name = "New Inc"; return i }()},
		{kurs.Instrument{Symbol: "A", Unit: "USX"}, func() kurs.Instrument { i := full; i.Name, i.Unit = "New Inc", "USX"; return i }()},
	}
	groups := make([]kurs.Group, len(steps))
	for i, step := range steps {
		groups[i] = kurs.Group{
			Batches:  []kurs.Batch{{BaseCurrency: "DKK", Instruments: []kurs.Instrument{step.write}}},
			Position: position(uint64(i + 1)),
		}
		if err := s.Write(t.Context(), groups[i]); err != nil {
			t.Fatal(err)
		}
		same(t, "instruments", []kurs.Instrument{step.want}, s.read().Instruments)
	}
	// The first group again: the order of the queue decides, not that of arrival.
	if err := s.Write(t.Context(), groups[0]); err != nil {
		t.Fatal(err)
	}
	same(t, "instruments", []kurs.Instrument{steps[len(steps)-1].want}, s.read().Instruments)
}
