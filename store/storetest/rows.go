package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
)

// These tests hold for every store, also for one that only writes lines.

func testEmpty(t *testing.T, data Data) {
	s := open(t, data)
	pos, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "position", kurs.StreamPos{}, pos)
	s.write()
	s.write(kurs.Batch{})
	same(t, "quotes", 0, len(s.quotes()))
}

func testPrice(t *testing.T, data Data) {
	s := open(t, data)
	p := price("VOD.L", "88.42", 1)
	p.Unit, p.Currency, p.Factor = "GBp", "GBP", dec("0.01")
	p.Bid, p.Ask = dec("88.4"), dec("88.44")
	p.Volume = kurs.Volume{N: 5_000_000_000, Known: true}
	p.Session = kurs.SessionPost
	p.Time = noon.Add(123 * time.Millisecond)
	p = converted(p, kurs.Rate{Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: dec("8.6123"), Time: after(-1), Source: "yahoo via EUR"})
	own := price("NOVO-B.CO", "318.4", 2)
	own.Unit, own.Currency = "DKK", "DKK"
	own = converted(own, kurs.Identity("DKK"))
	s.write(batch(p, own))
	same(t, "quotes", []kurs.Row{own.Row(), p.Row()}, s.quotes())
}

func testUnknown(t *testing.T, data Data) {
	s := open(t, data)
	bare := price("A", "1", 1)
	bare.Unit, bare.Currency, bare.Factor, bare.Session = "", "", kurs.Decimal{}, ""
	zero := price("B", "0", 2)
	zero.Volume = kurs.Volume{Known: true}
	zero.Bid = kurs.Int(0)
	s.write(batch(bare, zero))
	same(t, "quotes", []kurs.Row{bare.Row(), zero.Row()}, s.quotes())
}

func testDigits(t *testing.T, data Data) {
	s := open(t, data)
	digits := rapid.Custom(func(r *rapid.T) kurs.Decimal {
		limit := int64(1)
		for range rapid.IntRange(1, kurs.Precision).Draw(r, "digits") {
			limit *= 10
		}
		d, err := kurs.NewDecimal(rapid.Int64Range(1-limit, limit-1).Draw(r, "coefficient"), rapid.IntRange(-40, 40).Draw(r, "exponent"))
		if err != nil {
			r.Fatal(err)
		}
		return d
	})
	var prices []kurs.Price
	rapid.Check(t, func(r *rapid.T) {
		for range 10 {
			n := len(prices)
			p := at(price("A", "1", uint64(n+1)), after(n))
			p.Value, p.Bid, p.Ask, p.Base = digits.Draw(r, "value"), digits.Draw(r, "bid"), digits.Draw(r, "ask"), digits.Draw(r, "base")
			p.Rate = usd("1")
			p.Rate.Value = digits.Draw(r, "rate")
			prices = append(prices, p)
		}
	})
	s.write(batch(prices...))
	rows := s.quotes()
	same(t, "quotes", len(prices), len(rows))
	for i, p := range prices {
		if same(t, "quote", p.Row(), rows[i]); t.Failed() {
			return
		}
	}
}

// hostile are names that a provider, a file or a user could send. All of them
// are UTF-8: what is not cannot pass the queue.
var hostile = []string{
	"'; DROP TABLE quotes; --", `"quoted"`, "`ticked`", "O'Brien", "a\x00b", "\x00", "line\nfeed", "tab\there", "\r",
	"\x1b[31mred\x1b[0m", "*", ">", "a.b.>", "%s%d%n", "%", "_", "\\", "../../etc/passwd", "=cmd|' /C calc'!A0", "NULL", "null",
	"\u202egpj.exe", "שלום", "💹", "é", "e\u0301", " ", " leading", "trailing ", "{\"json\":1}", "<script>alert(1)</script>", "?1", ":a", "$1",
	strings.Repeat("A", 5000), strings.Repeat("A", 4999) + "B", "CON", "a", "A", "ß", "\u2028", "\ufeffbom",
}

func testHostile(t *testing.T, data Data) {
	s := open(t, data)
	var prices []kurs.Price
	want := map[string]kurs.Row{}
	for i, name := range hostile {
		p := price(name, "1.5", uint64(i+1))
		p.Unit, p.Source, p.Session = name, name, kurs.Session(name)
		p.Rate, p.Base = usd("2"), dec("3")
		p.Rate.Source = name
		prices = append(prices, p)
		want[name] = p.Row()
	}
	b := batch(prices...)
	for i, name := range hostile {
		b.Raws[i].Source, b.Raws[i].Run = name, name
		b.Instruments = append(b.Instruments, kurs.Instrument{Symbol: name, Name: name, Exchange: name, TimeZone: name, Kind: kurs.InstrumentKind(name)})
	}
	s.write(b)
	got := map[string]kurs.Row{}
	for _, row := range s.quotes() {
		got[row.Symbol] = row
	}
	same(t, "quotes", want, got)
}

func testRejected(t *testing.T, data Data) {
	for _, c := range []struct {
		name string
		make func() kurs.Price
	}{
		{"no value", func() kurs.Price {
			p := price("BAD", "1", 2)
			p.Value = kurs.Decimal{}
			return p
		}},
		{"no symbol", func() kurs.Price { return price("", "1", 2) }},
		{"no time", func() kurs.Price { return at(price("BAD", "1", 2), time.Time{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t, data)
			before := s.quotes()
			group := kurs.Group{Batches: []kurs.Batch{batch(price("GOOD", "1", 1)), batch(c.make())}, Position: position(9)}
			err := s.Write(t.Context(), group)
			if !errors.Is(err, kurs.ErrRejected) {
				t.Fatalf("got %v, want one that wraps ErrRejected", err)
			}
			same(t, "quotes", before, s.quotes())
			pos, err := s.Position(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, "position", kurs.StreamPos{}, pos)
		})
	}
	s := open(t, data) // and it goes on working
	s.write(batch(price("GOOD", "1", 1)))
	same(t, "quotes", 1, len(s.quotes()))
}

func testBaseCurrency(t *testing.T, data Data) {
	s := open(t, data)
	p := price("A", "1", 1)
	p.BaseCurrency = "EUR"
	other := batch(p)
	other.BaseCurrency = "EUR"
	for _, b := range []kurs.Batch{other, batch(p)} {
		err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}})
		if !errors.Is(err, kurs.ErrRejected) || !errors.Is(err, kurs.ErrBaseCurrency) {
			t.Errorf("got %v, want one that wraps ErrRejected and ErrBaseCurrency", err)
		}
	}
	same(t, "quotes", 0, len(s.quotes()))
}

func testCancelled(t *testing.T, data Data) {
	s := open(t, data)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	group := kurs.Group{Batches: []kurs.Batch{batch(price("A", "1", 1), price("B", "1", 1))}, Position: position(1)}
	want := 0
	if err := s.Write(ctx, group); err == nil {
		want = 2
	}
	same(t, "quotes", want, len(s.quotes()))
	if err := s.Write(t.Context(), group); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
	same(t, "quotes", 2, len(s.quotes()))
}

func testPosition(t *testing.T, data Data) {
	s := open(t, data)
	other := kurs.StreamPos{Epoch: "second", Seq: 3}
	for i, step := range []struct{ write, want kurs.StreamPos }{
		{position(5), position(5)},
		{position(6), position(6)},
		{position(6), position(6)},
		{position(2), position(6)}, // delivered again
		{kurs.StreamPos{}, position(6)},
		{other, other}, // the queue was made anew
		{kurs.StreamPos{Epoch: "second", Seq: 1}, other},
		{position(1 << 40), position(1 << 40)},
	} {
		group := kurs.Group{Batches: []kurs.Batch{batch(price("A", "1", uint64(i+1)))}, Position: step.write}
		if err := s.Write(t.Context(), group); err != nil {
			t.Fatal(err)
		}
		pos, err := s.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		same(t, "position", step.want, pos)
	}
}

func testReopen(t *testing.T, data Data) {
	var want []kurs.Row
	random := rand.New(rand.NewPCG(1, 2))
	for i := range uint64(3) {
		s := data.Open(t)
		pos, err := s.Position(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			same(t, "position", position(i), pos)
		}
		p := price("A", "1", i+1)
		p.Value, p.Time = kurs.Int(random.Int64N(1000)), after(int(i))
		if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batch(p)}, Position: position(i + 1)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		want = append(want, p.Row())
	}
	same(t, "quotes", want, data.Read(t).sorted().Quotes)
}

func testFill(t *testing.T, data Data) {
	s := open(t, data)
	p := price("A", "2.5", 1)
	s.write(batch(p))
	same(t, "before", []kurs.Row{p.Row()}, s.quotes())
	s.write(fills(fill(p, usd("6.4321"))))
	same(t, "after", []kurs.Row{converted(p, usd("6.4321")).Row()}, s.quotes())
}
