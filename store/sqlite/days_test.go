package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/store/sqlite"
)

func TestDays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	old := time.Date(1969, 12, 30, 23, 59, 59, 0, time.UTC)
	var prices []kurs.Price
	for i, at := range []time.Time{old, midnight.Add(-time.Millisecond), midnight, midnight.Add(23 * time.Hour), midnight.AddDate(0, 0, 40)} {
		p := fullPrice(quote("A", i))
		p.Time = at
		prices = append(prices, p)
	}
	b := fullPrice(quote("B", 9))
	b.Time = midnight.AddDate(0, 0, 1)
	g := group(append(prices, b)...)
	g.Batches[0].Bars = []kurs.PricedBar{{
		Bar:     kurs.Bar{Symbol: "A", Source: "yahoo", Start: midnight.AddDate(0, 0, -3), Interval: "1d", Close: kurs.Int(1), Unit: "USD"},
		Receipt: b.Receipt, Conversion: b.Conversion,
	}}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	r := reader(t, path)
	if symbols, err := r.Symbols(t.Context()); err != nil || !gocmp.Equal(symbols, []string{"A", "B"}) {
		t.Errorf("symbols: %q, %v", symbols, err)
	}
	for _, c := range []struct {
		name   string
		filter sqlite.Filter
		want   []string
	}{
		{"all", sqlite.Filter{}, []string{"1969-12-30", "2026-11-23", "2026-11-24", "2026-11-25", "2027-01-03"}},
		{"one symbol", sqlite.Filter{Symbols: []string{"B"}}, []string{"2026-11-25"}},
		{"a stretch", sqlite.Filter{Since: midnight, Until: midnight.AddDate(0, 0, 1)}, []string{"2026-11-24"}},
		{"nobody", sqlite.Filter{Symbols: []string{"NOPE"}}, nil},
	} {
		days, err := r.QuoteDays(t.Context(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range days {
			got = append(got, d.Format(time.DateOnly))
		}
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
	for interval, n := range map[string]int{"1d": 1, "1h": 0, "no such": 0} {
		if days, err := r.BarDays(t.Context(), sqlite.BarFilter{Interval: interval}); err != nil || len(days) != n {
			t.Errorf("%s: %v, %v", interval, days, err)
		}
	}
}
