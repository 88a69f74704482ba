package storetest

import (
	"testing"

	"kurs"
)

func testFillOnce(t *testing.T, data Data) {
	s := open(t, data)
	p := price("A", "2.5", 1)
	full := converted(p, usd("6.4"))
	for _, c := range []struct {
		name  string
		batch kurs.Batch
		want  kurs.Price
	}{
		{"the price, without", batch(p), p},
		{"its fill", fills(fill(p, usd("6.4"))), full},
		{"another fill", fills(fill(p, usd("7.7"))), full},
		{"the price again, without", batch(p), full},
		{"the price again, with another", batch(converted(p, usd("7.7"))), full},
	} {
		s.write(c.batch)
		same(t, c.name, []kurs.Row{c.want.Row()}, s.quotes())
		same(t, c.name+": latest", []kurs.Row{c.want.Row()}, s.read().Latest)
	}
	// The same receipt, first without a base value, then with one.
	q := price("B", "2.5", 2)
	s.write(batch(q))
	s.write(batch(converted(q, usd("6.4"))))
	same(t, "the price again, with one", converted(q, usd("6.4")).Row(), s.quotes()[1])
	// One that was complete from the start.
	s.write(batch(converted(price("C", "1", 3), usd("6.4"))))
	s.write(fills(fill(price("C", "1", 3), usd("7.7"))))
	same(t, "a full one", converted(price("C", "1", 3), usd("6.4")).Row(), s.quotes()[2])
}

// testFillVersion fills versions in every order of three receipts and their
// fills that the queue allows: a price before its fill.
func testFillVersion(t *testing.T, data Data) {
	s := open(t, data)
	rates := []kurs.Rate{usd("6.1"), usd("6.2"), usd("6.3")}
	n := 0
	permutations(6, func(order []int) { // 0-2: the prices, 3-5: their fills
		placed := [6]int{}
		for i, what := range order {
			placed[what] = i
		}
		if placed[0] > placed[3] || placed[1] > placed[4] || placed[2] > placed[5] {
			return
		}
		prices := []kurs.Price{price("A", "1", 1), price("A", "2", 2), price("A", "1", 3)}
		for i := range prices { // each order is another time of the same symbol
			prices[i].Time = after(100 + n)
		}
		n++
		var batches []kurs.Batch
		for _, what := range order {
			if what < 3 {
				batches = append(batches, batch(prices[what]))
			} else {
				batches = append(batches, fills(fill(prices[what-3], rates[what-3])))
			}
		}
		for _, b := range batches {
			if n%2 == 0 { // group by group, or all in one
				s.write(b)
			}
		}
		s.write(batches...)
	})
	got := s.read()
	same(t, "orders", []int{n, 2 * n}, []int{len(got.Quotes), len(got.Superseded)})
	for i := range n {
		want := []kurs.Price{price("A", "1", 1), price("A", "2", 2), price("A", "1", 3)}
		for j := range want {
			want[j] = converted(at(want[j], after(100+i)), rates[j])
		}
		same(t, "the newest", want[2].Row(), got.Quotes[i])
		same(t, "those before", []kurs.Row{want[0].Row(), want[1].Row()}, got.Superseded[2*i:2*i+2])
		if t.Failed() {
			return
		}
	}
}

// testFillFirst brings fills before their prices, as a queue that was repaired
// might.
func testFillFirst(t *testing.T, data Data) {
	s := open(t, data)
	p := price("A", "2.5", 3)
	s.write(fills(fill(p, usd("6.4"))))
	same(t, "a fill alone", 0, len(s.quotes()))
	s.write(batch(price("A", "9", 1)))
	s.write(batch(p))
	want := converted(p, usd("6.4")).Row()
	same(t, "then its price", []kurs.Row{want}, s.quotes())
	s.write(fills(fill(p, usd("7.7"))))
	same(t, "and another fill", []kurs.Row{want}, s.quotes())
	b := bar("A", "2", 4)
	s.write(fills(barFill(b, usd("2"))))
	s.write(bars(b))
	same(t, "a bar", dec("4"), s.read().Bars[0].BaseClose)
	// Between two receipts of one value, before its own.
	s.write(batch(price("B", "1", 5)))
	s.write(batch(price("B", "1", 7)))
	between := price("B", "2", 6)
	s.write(fills(fill(between, usd("6.4"))))
	s.write(batch(between))
	same(t, "between", converted(between, usd("6.4")).Row(), s.read().Superseded[len(s.read().Superseded)-1])
}

func barFill(b kurs.PricedBar, rate kurs.Rate) kurs.Fill {
	times := func(d kurs.Decimal) kurs.Decimal {
		base, err := kurs.Convert(d, b.Factor, rate.Value)
		if err != nil {
			return kurs.Decimal{} // an unknown price has an unknown base
		}
		return base
	}
	return kurs.Fill{
		Symbol: b.Symbol, Source: b.Source, Time: b.Start, Interval: b.Interval, Receipt: b.Receipt, Rate: rate,
		BaseOpen: times(b.Open), BaseHigh: times(b.High), BaseLow: times(b.Low), BaseClose: times(b.Close),
	}
}

func testFillBar(t *testing.T, data Data) {
	s := open(t, data)
	b := bar("A", "2", 1)
	b.High = kurs.Decimal{}
	s.write(bars(b))
	f := barFill(b, usd("6.4"))
	s.write(fills(f))
	s.write(fills(barFill(b, usd("7.7"))))
	s.write(bars(b))
	got := s.read().Bars
	same(t, "bars", 1, len(got))
	same(t, "base", []kurs.Decimal{f.BaseOpen, {}, f.BaseLow, f.BaseClose},
		[]kurs.Decimal{got[0].BaseOpen, got[0].BaseHigh, got[0].BaseLow, got[0].BaseClose})
	same(t, "rate", dec("6.4"), got[0].FXRate)
}
