package sqlite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// received is a receipt that many seconds after noon.
func received(seconds int) kurs.Receipt {
	return kurs.Receipt{
		Received: noon.Add(time.Duration(seconds) * time.Second), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(seconds)}, Origin: kurs.OriginPoll,
	}
}

// TestRatesAsOf reads rates as they were known at several times: one that was told
// late, one that was told twice with other values.
func TestRatesAsOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	pair := kurs.Pair{From: "USD", To: "DKK"}
	rate := func(value string, at, told int) kurs.Rate {
		r := received(told)
		return kurs.Rate{
			Pair: pair, Value: kurs.MustDecimal(value), Time: noon.Add(time.Duration(at) * time.Second), Source: "yahoo", Symbol: "DKK=X",
			Received: r.Received, Raw: r.Raw,
		}
	}
	other := rate("0.15", 10, 11)
	other.Pair = pair.Inverse()
	b := kurs.Batch{BaseCurrency: "DKK", Rates: []kurs.Rate{rate("6.4", 10, 11), rate("6.5", 20, 21), rate("6.6", 20, 31), rate("6.45", 15, 41), other}}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
		t.Fatal(err)
	}
	r := reader(t, path)
	for _, c := range []struct {
		name        string
		pairs       []kurs.Pair
		after, till int
		asOf        time.Time
		want        []string
	}{
		{"all that is known, in the order of reception", []kurs.Pair{pair}, 0, 60, time.Time{}, []string{"6.4@10", "6.6@20", "6.45@15"}},
		{"before the second value was told", []kurs.Pair{pair}, 0, 60, noon.Add(30 * time.Second), []string{"6.4@10", "6.5@20"}},
		{"before anything", []kurs.Pair{pair}, 0, 60, noon, nil},
		{"after a time, up to another and that too", []kurs.Pair{pair}, 10, 15, time.Time{}, []string{"6.45@15"}},
		{"both ways", []kurs.Pair{pair, pair.Inverse()}, 0, 10, time.Time{}, []string{"6.4@10", "0.15@10"}},
		{"a pair that is not there", []kurs.Pair{{From: "X", To: "DKK"}}, 0, 60, time.Time{}, nil},
	} {
		var got []string
		err := r.Rates(t.Context(), c.pairs, noon.Add(time.Duration(c.after)*time.Second), noon.Add(time.Duration(c.till)*time.Second), c.asOf, func(r kurs.Rate) error {
			got = append(got, fmt.Sprintf("%s@%d", r.Value, int(r.Time.Sub(noon)/time.Second)))
			if !r.Kept {
				t.Errorf("%s: a stored rate is one that was believed", c.name)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// TestBarsAsOf reads more bars than a page has, of two intervals, one of them with
// two versions around a split.
func TestBarsAsOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	bar := func(symbol, interval string, start, told int, closed string) kurs.PricedBar {
		return kurs.PricedBar{
			Bar: kurs.Bar{
				Symbol: symbol, Source: "yahoo", Start: noon.Add(time.Duration(start) * time.Second), Interval: interval, Close: kurs.MustDecimal(closed), Unit: "USD",
			},
			Receipt: received(told), Conversion: quote("A", 0).Conversion,
		}
	}
	b := kurs.Batch{BaseCurrency: "DKK", Events: []kurs.Event{{
		Kind: kurs.EventSplit, Symbol: "A", Source: "yahoo", Time: noon.Add(20 * time.Second), Numerator: kurs.Int(4), Denominator: kurs.Int(1),
	}}}
	b.Bars = append(b.Bars, bar("A", "1d", 0, 10, "400"), bar("A", "1d", 0, 30, "100"), bar("A", "1d", 5, 31, "101"), bar("A", "1h", 0, 10, "399"))
	const many = 9000
	for i := range many {
		b.Bars = append(b.Bars, bar("B", "1m", 60*i, 40, "7"))
	}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
		t.Fatal(err)
	}
	r := reader(t, path)
	for _, c := range []struct {
		name   string
		filter sqlite.BarFilter
		want   []string
	}{
		{
			"as it was seen before the split",
			sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"A"}}, Interval: "1d"},
			[]string{"400", "101 rewritten"}, // the second was never seen before
		},
		{
			"before the split",
			sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"A"}, AsOf: noon.Add(15 * time.Second)}, Interval: "1d"},
			[]string{"400"},
		},
		{"all intervals", sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"A"}}}, []string{"400", "101 rewritten", "399"}},
		{"of no interval that is there", sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"A"}}, Interval: "5m"}, nil},
	} {
		var got []string
		err := r.Bars(t.Context(), c.filter, func(b kurs.BarRow) error {
			text := b.CloseNative.String()
			if b.Rewritten {
				text += " rewritten"
			}
			got = append(got, text)
			return nil
		})
		slices.Sort(got)
		slices.Sort(c.want)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	n, last := 0, time.Time{}
	err := r.Bars(t.Context(), sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"B"}}}, func(b kurs.BarRow) error {
		n++
		if !b.Time.After(last) {
			t.Fatalf("%s after %s", b.Time, last)
		}
		last = b.Time
		return nil
	})
	if err != nil || n != many {
		t.Errorf("%d bars, %v, want %d", n, err, many)
	}
}
