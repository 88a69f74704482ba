package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kurs"
)

// These tests are about what people have a say in: what was set aside, decisions,
// corrections and other names. They hold for stores that keep rows.

// said is the receipt of what a person said, so many seconds after noon.
func said(seconds int) kurs.Receipt {
	return kurs.Receipt{
		Received: after(seconds), Raw: kurs.RawID{Source: kurs.SourceUser, Run: fmt.Sprintf("said-%03d", seconds), Counter: 1},
		Origin: kurs.OriginCorrection,
	}
}

func saidBatch(r kurs.Receipt) kurs.Batch {
	return kurs.Batch{BaseCurrency: "DKK", Raws: []kurs.RawID{r.Raw}}
}

// aside is a price that was set aside.
func aside(symbol, value string, counter uint64) kurs.SetAside {
	p := price(symbol, value, counter)
	p.Origin = kurs.OriginPoll
	p.Bid, p.Ask, p.Volume = dec("1"), dec("2"), kurs.Volume{N: 3, Known: true}
	p.Rate = usd("6.5")
	return kurs.SetAside{Kind: kurs.AsideQuote, Price: p, Reason: kurs.ReasonJump, Detail: "next to 1 USD"}
}

func asides(all ...kurs.SetAside) kurs.Batch {
	b := kurs.Batch{BaseCurrency: "DKK", SetAside: all}
	for i := range all {
		b.Raws = append(b.Raws, all[i].Raw)
	}
	return b
}

// keeps is a decision to keep, with the price or bar that it makes.
func keeps(a kurs.SetAside, factor string, r kurs.Receipt) kurs.Batch {
	b := saidBatch(r)
	b.Decisions = []kurs.Decision{{Of: a, Action: kurs.ActionKeep, Factor: dec(factor), Author: "anna", Comment: "right", Receipt: r}}
	value, err := a.Value.Mul(dec(factor))
	if err != nil {
		panic(err) // constants of these tests
	}
	a.Value = value
	if a.Kind == kurs.AsideBar {
		one := bar(a.Symbol, "1", 1)
		one.Receipt, one.Close, one.Interval = r, a.Value, a.Interval
		b.Bars = []kurs.PricedBar{one}
		return b
	}
	p := a.Price
	p.Receipt = r
	b.Prices = []kurs.Price{converted(p, p.Rate)}
	return b
}

func drops(a kurs.SetAside, r kurs.Receipt) kurs.Batch {
	b := saidBatch(r)
	b.Decisions = []kurs.Decision{{Of: a, Action: kurs.ActionDrop, Factor: dec("1"), Author: "bo", Comment: "wrong", Receipt: r}}
	return b
}

// ordered writes some batches in every order, one symbol an order, and all of them
// again after the store was opened anew. Whatever the order, what is there is what
// the first order left. The symbols begin with prefix.
func ordered(t *testing.T, data Data, prefix string, steps []func(symbol string) kurs.Batch) (want Dump) {
	t.Helper()
	orders := map[string][]int{}
	permutations(len(steps), func(order []int) { orders[fmt.Sprintf("%s%04d", prefix, len(orders))] = slices.Clone(order) })
	first := prefix + "0000"
	write := func(s *table) {
		for round := range len(steps) {
			var batches []kurs.Batch
			for symbol, order := range orders {
				batches = append(batches, steps[order[round]](symbol))
			}
			s.write(batches...)
		}
	}
	s := open(t, data)
	write(s)
	once := s.read()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, data)
	write(again)
	same(t, "everything written after opening again", once, again.read())
	if err := again.Close(); err != nil { // whoever goes on opens it for himself
		t.Fatal(err)
	}
	want = once.of(first)
	for symbol, order := range orders {
		if same(t, fmt.Sprintf("in the order %v", order), want, once.of(symbol).renamed(first)); t.Failed() {
			return want
		}
	}
	return want
}

// of is what a dump holds of a symbol.
func (d Dump) of(symbol string) (out Dump) {
	for _, r := range d.Quotes {
		if r.Symbol == symbol {
			out.Quotes = append(out.Quotes, r)
		}
	}
	for _, r := range d.Superseded {
		if r.Symbol == symbol {
			out.Superseded = append(out.Superseded, r)
		}
	}
	for _, r := range d.Latest {
		if r.Symbol == symbol {
			out.Latest = append(out.Latest, r)
		}
	}
	for _, b := range d.Bars {
		if b.Symbol == symbol {
			out.Bars = append(out.Bars, b)
		}
	}
	for i := range d.SetAside {
		if d.SetAside[i].Symbol == symbol {
			out.SetAside = append(out.SetAside, d.SetAside[i])
		}
	}
	for _, k := range d.Said {
		if k.Symbol == symbol {
			out.Said = append(out.Said, k)
		}
	}
	return out
}

// renamed is the dump of one symbol as that of another.
func (d Dump) renamed(to string) Dump {
	for _, rows := range [][]kurs.Row{d.Quotes, d.Superseded, d.Latest} {
		for i := range rows {
			rows[i].Symbol = to
		}
	}
	for i := range d.Bars {
		d.Bars[i].Symbol = to
	}
	for i := range d.SetAside {
		d.SetAside[i].Symbol = to
	}
	for i := range d.Said {
		d.Said[i].Symbol = to
	}
	return d
}

func testAside(t *testing.T, data Data) {
	s := open(t, data)
	a := aside("A", "100", 3)
	s.write(asides(a))
	want := []Aside{{SetAside: a, State: "waiting"}}
	same(t, "set aside", want, s.read().SetAside)
	same(t, "prices", 0, len(s.quotes()))
	s.write(asides(aside("A", "100", 5)))
	same(t, "the same again", want, s.read().SetAside)
	first := aside("A", "100", 1)
	first.Detail, first.Bid, first.Rate = "next to 2 USD", kurs.Decimal{}, usd("6.6")
	s.write(asides(first))
	same(t, "an earlier reception", []Aside{{SetAside: first, State: "waiting"}}, s.read().SetAside)
	// What tells one from another.
	none := aside("A", "100", 6)
	none.Value, none.Time, none.Rate, none.Reason = kurs.Decimal{}, none.Time.AddDate(-1, 0, 0), kurs.Rate{}, kurs.ReasonValue
	timeless := none
	timeless.Time, timeless.Reason = time.Time{}, kurs.ReasonTime
	unit := aside("A", "100", 6)
	unit.Unit = "USX"
	ofBar := aside("A", "100", 6)
	ofBar.Kind, ofBar.Interval, ofBar.Open, ofBar.High, ofBar.Low = kurs.AsideBar, "1d", dec("1"), dec("200"), dec("0.5")
	for i, more := range []kurs.SetAside{aside("A", "101", 6), none, timeless, unit, ofBar} {
		for range 2 {
			s.write(asides(more))
		}
		same(t, "others", i+2, len(s.read().SetAside))
	}
	if !slices.ContainsFunc(s.read().SetAside, func(got Aside) bool {
		return got.Kind == kurs.AsideBar && got.High == ofBar.High && got.Interval == "1d" && got.Raw == ofBar.Raw
	}) {
		t.Errorf("the bar is not whole: %+v", s.read().SetAside)
	}
}

// testDecisions: the newest decision holds, and of a price that was kept once and
// is not any more nothing is left.
func testDecisions(t *testing.T, data Data) {
	setAside := func(symbol string) kurs.Batch { return asides(aside(symbol, "100", 2)) }
	keep := func(factor string, at int) func(string) kurs.Batch {
		return func(symbol string) kurs.Batch { return keeps(aside(symbol, "100", 2), factor, said(at)) }
	}
	drop := func(at int) func(string) kurs.Batch {
		return func(symbol string) kurs.Batch { return drops(aside(symbol, "100", 2), said(at)) }
	}
	told := func(value string, counter uint64) func(string) kurs.Batch {
		return func(symbol string) kurs.Batch { return batch(converted(price(symbol, value, counter), usd("6.4"))) }
	}
	for i, c := range []struct {
		name   string
		steps  []func(string) kurs.Batch
		state  string
		values []string // of the versions, the newest last
	}{
		{"kept", []func(string) kurs.Batch{setAside, keep("1", 10)}, "kept", []string{"100"}},
		{"dropped", []func(string) kurs.Batch{setAside, drop(10)}, "dropped", nil},
		{"kept, and dropped later", []func(string) kurs.Batch{setAside, keep("1", 10), drop(11)}, "dropped", nil},
		{"dropped, and kept later", []func(string) kurs.Batch{setAside, drop(10), keep("0.01", 11)}, "kept", []string{"1"}},
		{"kept, and again with another factor", []func(string) kurs.Batch{setAside, keep("1", 10), keep("0.01", 11)}, "kept", []string{"1"}},
		{"kept, dropped, kept", []func(string) kurs.Batch{setAside, keep("1", 10), drop(11), keep("0.1", 12)}, "kept", []string{"10"}},
		{"kept beside what the provider says", []func(string) kurs.Batch{setAside, told("7", 5), keep("0.01", 10), told("8", 20)}, "kept", []string{"7", "1", "8"}},
		{"dropped beside what the provider says", []func(string) kurs.Batch{told("7", 5), keep("1", 10), told("8", 20), drop(30)}, "dropped", []string{"7", "8"}},
		{"what is left says the same", []func(string) kurs.Batch{told("7", 5), keep("1", 10), told("7", 20), drop(30)}, "dropped", []string{"7"}},
		{"it said the same", []func(string) kurs.Batch{told("100", 5), keep("1", 10), told("100", 20), drop(30)}, "dropped", []string{"100"}},
		{"only the first is left", []func(string) kurs.Batch{told("7", 5), keep("1", 10), keep("0.1", 20), drop(30)}, "dropped", []string{"7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ordered(t, data, fmt.Sprintf("CASE%02d-", i), c.steps)
			if len(got.SetAside) != 1 || got.SetAside[0].State != c.state {
				t.Fatalf("set aside: %+v", got.SetAside)
			}
			var values []string
			for _, r := range slices.Concat(got.Superseded, got.Quotes) {
				values = append(values, r.PriceNative.String())
			}
			same(t, "versions", c.values, values)
			same(t, "latest", len(got.Quotes), len(got.Latest))
			if len(got.Latest) == 1 {
				same(t, "the latest", got.Quotes[0].PriceNative, got.Latest[0].PriceNative)
			}
		})
	}
}

func testBarDecisions(t *testing.T, data Data) {
	of := func(symbol string) kurs.SetAside {
		a := aside(symbol, "100", 2)
		a.Kind, a.Interval, a.Session = kurs.AsideBar, "1m", ""
		return a
	}
	got := ordered(t, data, "S", []func(string) kurs.Batch{
		func(symbol string) kurs.Batch { return bars(bar(symbol, "7", 5)) },
		func(symbol string) kurs.Batch { return keeps(of(symbol), "0.1", said(10)) },
		func(symbol string) kurs.Batch { return keeps(of(symbol), "0.01", said(20)) },
	})
	same(t, "kept", dec("1"), got.Bars[0].Close)
	s := open(t, data)
	s.write(drops(of("S0000"), said(30)))
	same(t, "dropped", dec("7"), s.read().of("S0000").Bars[0].Close)
	s.write(keeps(of("Z"), "1", said(40)))
	s.write(drops(of("Z"), said(41)))
	same(t, "and nothing else", 0, len(s.read().of("Z").Bars))
}

// testLatestAfterDrop: an instrument stands where it stood before.
func testLatestAfterDrop(t *testing.T, data Data) {
	s := open(t, data)
	old := at(price("A", "7", 1), after(-60))
	old.Bid = dec("6.9")
	s.write(batch(old))
	a := aside("A", "100", 2)
	s.write(asides(a), keeps(a, "1", said(10)))
	same(t, "kept", dec("100"), s.read().Latest[0].PriceNative)
	s.write(drops(a, said(11)))
	same(t, "dropped", []kurs.Row{old.Row()}, s.read().Latest)
	s.write(batch(at(price("A", "8", 20), after(60))))
	same(t, "and on", dec("8"), s.read().Latest[0].PriceNative)
}

// correction is what a person says of the price of symbol in USD at noon.
func correction(symbol, value string, at int) kurs.Batch {
	r := said(at)
	r.Raw.Run += symbol // a message of its own: a fill that comes first waits for that
	b := saidBatch(r)
	c := kurs.Correction{Price: price(symbol, "1", 1), Author: "anna", Reason: fmt.Sprintf("said at %d", at)}
	c.Receipt = r
	if value == "" {
		c.Undo, c.Value = true, kurs.Decimal{}
	} else {
		c.Value = dec(value)
		c.Price = converted(c.Price, usd("6.4"))
	}
	b.Corrections = []kurs.Correction{c}
	return b
}

// testCorrections: what a person says holds whatever the provider says, until it
// is taken back.
func testCorrections(t *testing.T, data Data) {
	told := func(value string, counter uint64) func(string) kurs.Batch {
		return func(symbol string) kurs.Batch { return batch(converted(price(symbol, value, counter), usd("6.4"))) }
	}
	says := func(value string, at int) func(string) kurs.Batch {
		return func(symbol string) kurs.Batch { return correction(symbol, value, at) }
	}
	waits := func(symbol string) kurs.Batch { // a correction without a rate
		b := correction(symbol, "5", 10)
		b.Corrections[0].Rate, b.Corrections[0].Base = kurs.Rate{}, kurs.Decimal{}
		return b
	}
	filled := func(symbol string) kurs.Batch {
		b := correction(symbol, "5", 10)
		return fills(fill(b.Corrections[0].Price, usd("6.5")))
	}
	for i, c := range []struct {
		name  string
		steps []func(string) kurs.Batch
		value string
		base  string
		by    string
	}{
		{"corrected", []func(string) kurs.Batch{told("7", 5), says("5", 10)}, "5", "32", "anna"},
		{"a refresh does not overwrite it", []func(string) kurs.Batch{told("7", 5), says("5", 10), told("8", 20)}, "5", "32", "anna"},
		{"corrected twice", []func(string) kurs.Batch{told("7", 5), says("5", 10), says("6", 20)}, "6", "38.4", "anna"},
		{"undone", []func(string) kurs.Batch{told("7", 5), says("5", 10), says("", 20)}, "7", "44.8", ""},
		{"undone, and refreshed", []func(string) kurs.Batch{told("7", 5), says("5", 10), says("", 20), told("8", 30)}, "8", "51.2", ""},
		{"corrected again", []func(string) kurs.Batch{told("7", 5), says("5", 10), says("", 20), says("6", 30)}, "6", "38.4", "anna"},
		{"filled in", []func(string) kurs.Batch{told("7", 5), waits, filled}, "5", "32.5", "anna"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ordered(t, data, fmt.Sprintf("CASE%02d-", i), c.steps)
			if len(got.Quotes) != 1 {
				t.Fatalf("%+v", got.Quotes)
			}
			row := got.Quotes[0]
			if row.PriceNative != dec(c.value) || row.PriceBase != dec(c.base) || row.CorrectedBy != c.by {
				t.Errorf("%s is %s, by %q; want %s, %s, by %q", row.PriceNative, row.PriceBase, row.CorrectedBy, c.value, c.base, c.by)
			}
			same(t, "latest", row.PriceNative, got.Latest[0].PriceNative)
			n := 0
			for _, step := range c.steps {
				n += len(step("A").Corrections)
			}
			same(t, "all that was said", n, len(got.Said))
			for _, k := range got.Said {
				if k.Holds != (c.by != "" && k.Value == row.PriceNative) || k.Reason == "" {
					t.Errorf("%+v", k)
				}
			}
		})
	}
}

func testAliases(t *testing.T, data Data) {
	one := func(symbol, was string, from, until, at int, removed bool) kurs.Batch {
		r := said(at)
		b := saidBatch(r)
		a := kurs.Alias{Symbol: symbol, Was: was, Removed: removed, Author: "anna", Receipt: r}
		if from != 0 {
			a.From = after(from)
		}
		if until != 0 {
			a.Until = after(until)
		}
		b.Aliases = []kurs.Alias{a}
		return b
	}
	s := open(t, data)
	var prices []kurs.Price
	for i := range 6 {
		prices = append(prices, at(price("OLD", "1", uint64(i+1)), after(10*i)))
	}
	s.write(batch(prices...))
	steps := []kurs.Batch{
		one("NEW", "OLD", 0, 20, 1, false), // prices at 0 and 10
		one("OTHER", "OLD", 30, 0, 2, false),
		one("THIRD", "OLD", 40, 0, 3, false), // claims what OTHER has: the last that was said holds
		one("NEWER", "NEW", 0, 0, 4, false),  // carries NEW on
		one("GONE", "OLD", 20, 30, 5, false),
		one("GONE", "OLD", 20, 30, 6, true),
	}
	plain := func(symbol string, from, until int) kurs.Alias {
		a := kurs.Alias{Symbol: symbol, Was: "OLD", Author: "anna"}
		if from != 0 {
			a.From = after(from)
		}
		if until != 0 {
			a.Until = after(until)
		}
		return a
	}
	carried := plain("NEWER", 0, 0)
	carried.Was = "NEW"
	want := []kurs.Alias{carried, plain("NEWER", 0, 20), plain("THIRD", 40, 0)}
	random := 0
	permutations(len(steps), func(order []int) {
		if random++; random%61 != 1 || t.Failed() { // some of 720
			return
		}
		for _, i := range order {
			s.write(steps[i])
		}
		got := s.read()
		same(t, fmt.Sprintf("in the order %v", order), want, got.Aliases)
		var names []string
		for _, r := range got.Quotes {
			names = append(names, r.Instrument)
		}
		slices.Sort(names)
		same(t, "whose the prices are", []string{"", "", "NEWER", "NEWER", "THIRD", "THIRD"}, names)
	})
	for _, wrong := range []kurs.Batch{one("A", "A", 0, 0, 9, false), one("", "A", 0, 0, 9, false), one("A", "", 0, 0, 9, false)} {
		if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{wrong}}); err == nil {
			t.Errorf("written: %+v", wrong.Aliases)
		}
	}
	same(t, "afterwards", want, s.read().Aliases)
}

// testHostileWords brings texts that people could type.
func testHostileWords(t *testing.T, data Data) {
	s := open(t, data)
	byName := map[string]Aside{}
	for i, name := range hostile {
		a := aside(name, "100", uint64(i+1))
		a.Detail, a.Reason, a.Unit, a.Source = name, kurs.Reason(name), name, name
		d := drops(a, said(100+i))
		d.Decisions[0].Author, d.Decisions[0].Comment = name, name
		k := correction(name, "5", 200+i)
		k.Corrections[0].Author, k.Corrections[0].Reason = name, name
		w := saidBatch(said(300 + i))
		w.Aliases = []kurs.Alias{{Symbol: "N" + name, Was: name, Until: after(-1), Author: name, Receipt: said(300 + i)}}
		s.write(asides(a), d, k, batch(price(name, "7", 1)), w)
		byName[name] = Aside{SetAside: a, State: "dropped", Factor: dec("1"), Author: name, Comment: name, Decided: said(100 + i).Received}
	}
	got := s.read()
	found := map[string]Aside{}
	for _, a := range got.SetAside {
		found[a.Symbol] = a
	}
	same(t, "set aside", byName, found)
	same(t, "corrections", len(hostile), len(got.Said))
	for _, k := range got.Said {
		if k.Author != k.Symbol || k.Reason != k.Symbol || !k.Holds {
			t.Errorf("%q: by %q, %q", k.Symbol, k.Author, k.Reason)
		}
	}
	same(t, "aliases", len(hostile), len(got.Aliases))
	for _, a := range got.Aliases {
		if a.Author != a.Was || a.Symbol != "N"+a.Was {
			t.Errorf("%q was %q, by %q", a.Symbol, a.Was, a.Author)
		}
	}
}
