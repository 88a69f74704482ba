package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/sqlite"
)

var decimals = gocmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

func fullPrice(p kurs.Price) kurs.Price {
	p.Rate = kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.MustDecimal("6.4"), Time: p.Time, Source: "yahoo"}
	p.Base, _ = kurs.Convert(p.Value, p.Factor, p.Rate.Value)
	return p
}

// filled is a database of two symbols with n prices each, and one with none.
func filled(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	var prices []kurs.Price
	for i := range n {
		prices = append(prices, fullPrice(quote("A", i)), fullPrice(quote("B", i)))
	}
	g := group(prices...)
	g.Batches[0].Instruments = []kurs.Instrument{{Symbol: "C", Kind: kurs.KindEquity, Name: "Nothing Yet"}}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestQuotesByFilter(t *testing.T) {
	r := reader(t, filled(t, 4500))
	for _, c := range []struct {
		name        string
		filter      sqlite.Filter
		want        int
		first, last string
	}{
		{"all", sqlite.Filter{}, 9000, "A 12:00:00", "B 13:14:59"},
		{"one symbol", sqlite.Filter{Symbols: []string{"B"}}, 4500, "B 12:00:00", "B 13:14:59"},
		{"named twice, and one unknown", sqlite.Filter{Symbols: []string{"B", "A", "X", "B", "C"}}, 9000, "A 12:00:00", "B 13:14:59"},
		{"from a time on", sqlite.Filter{Symbols: []string{"A"}, Since: noon.Add(4490 * time.Second)}, 10, "A 13:14:50", "A 13:14:59"},
		{"up to a time", sqlite.Filter{Symbols: []string{"A"}, Until: noon.Add(10 * time.Second)}, 10, "A 12:00:00", "A 12:00:09"},
		{
			"between, not on a second",
			sqlite.Filter{Symbols: []string{"A"}, Since: noon.Add(time.Nanosecond), Until: noon.Add(2*time.Second + time.Nanosecond)},
			2, "A 12:00:01", "A 12:00:02",
		},
		{"SQL", sqlite.Filter{Symbols: []string{"A' OR '1'='1"}}, 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rows []string
			err := r.Quotes(t.Context(), c.filter, func(row kurs.Row) error {
				rows = append(rows, row.Symbol+" "+row.Time.Format(time.TimeOnly))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) != c.want || !slices.IsSorted(rows) {
				t.Fatalf("%d rows, want %d, sorted", len(rows), c.want)
			}
			if c.want > 0 && (rows[0] != c.first || rows[len(rows)-1] != c.last) {
				t.Errorf("%s to %s, want %s to %s", rows[0], rows[len(rows)-1], c.first, c.last)
			}
		})
	}
}

func TestQuotesEndWithTheConsumer(t *testing.T) {
	r := reader(t, filled(t, 4500))
	enough := errors.New("enough")
	n := 0
	err := r.Quotes(t.Context(), sqlite.Filter{}, func(kurs.Row) error {
		n++
		if n == 5000 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 5000 {
		t.Errorf("%d, %v", n, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Quotes(ctx, sqlite.Filter{}, func(kurs.Row) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestLatestOfSymbols(t *testing.T) {
	r := reader(t, filled(t, 10))
	rows, err := r.Latest(t.Context(), []string{"B", "nobody", "A", "C"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := []kurs.Row{fullPrice(quote("B", 9)).Row(), fullPrice(quote("A", 9)).Row()}
	if diff := gocmp.Diff(want, rows, decimals); diff != "" {
		t.Error(diff)
	}
}

func TestStatsAreCountedAlong(t *testing.T) {
	path := filled(t, 1000)
	s, r := open(t, path), reader(t, path)
	again := quote("A", 0)
	again.Value, again.Raw.Counter, again.Received = kurs.MustDecimal("2"), 9999, noon.Add(9999*time.Second)
	early := quote("D", 0)
	early.Time = noon.Add(-time.Minute)
	for range 2 {
		if err := s.Write(t.Context(), group(fullPrice(again), early)); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := r.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if stats.Bytes < 100_000 {
		t.Errorf("%d bytes", stats.Bytes)
	}
	stats.Bytes = 0
	want := sqlite.Stats{Quotes: 2001, Corrected: 1, Instruments: 4, FirstTime: noon.Add(-time.Minute), LastTime: noon.Add(999 * time.Second)}
	if diff := gocmp.Diff(want, stats); diff != "" {
		t.Error(diff)
	}
	if r.BaseCurrency() != "DKK" {
		t.Errorf("base currency %q", r.BaseCurrency())
	}
}

func TestWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s, r := open(t, path), reader(t, filled(t, 10))
	if got, err := r.Waiting(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	yen := quote("7203.T", 5)
	yen.Unit, yen.Currency = "JPY", "JPY"
	nobody := quote("X", 6)
	nobody.Unit, nobody.Currency, nobody.Factor = "", "", kurs.Decimal{}
	g := group(quote("A", 3), quote("A", 2), fullPrice(quote("A", 1)), yen, nobody)
	g.Batches[0].Bars = []kurs.PricedBar{{
		Bar:     kurs.Bar{Symbol: "A", Source: "yahoo", Start: noon, Interval: "1d", Close: kurs.Int(1), Unit: "USD"},
		Receipt: yen.Receipt, Conversion: quote("A", 0).Conversion,
	}}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	got, err := reader(t, path).Waiting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []sqlite.WaitingPair{
		{Pair: kurs.Pair{To: "DKK"}, Quotes: 1, Oldest: noon.Add(6 * time.Second), Newest: noon.Add(6 * time.Second)},
		{Pair: kurs.Pair{From: "JPY", To: "DKK"}, Quotes: 1, Oldest: noon.Add(5 * time.Second), Newest: noon.Add(5 * time.Second)},
		{Pair: kurs.Pair{From: "USD", To: "DKK"}, Quotes: 2, Bars: 1, Oldest: noon, Newest: noon.Add(3 * time.Second)},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for asOf, want := range map[time.Time][]sqlite.WaitingPair{noon.Add(time.Hour): want, noon.Add(-time.Hour): {}} {
		then, err := reader(t, path).WaitingAsOf(t.Context(), asOf)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, then); diff != "" {
			t.Errorf("as of %v: %s", asOf, diff)
		}
	}
}

// The ledger against a set of numbers, in any order and with repetitions.
func TestAccountedIsASet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s, r := open(t, path), reader(t, func() string { open(t, path); return path }())
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		name := fmt.Sprintf("run%d", round)
		model := map[uint64]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "groups") {
			var g kurs.Group
			for _, n := range rapid.SliceOfN(rapid.Uint64Range(0, 20), 1, 8).Draw(rt, "counters") {
				g.Batches = append(g.Batches, kurs.Batch{Raws: []kurs.RawID{{Source: "yahoo", Run: name, Counter: n}}})
				model[n] = true
			}
			if err := s.Write(t.Context(), g); err != nil {
				rt.Fatal(err)
			}
			got, err := r.Accounted(t.Context(), "yahoo", name)
			if err != nil || got != uint64(len(model)) {
				rt.Fatalf("%d accounted, want %d (%v)", got, len(model), err)
			}
		}
		ranges := 0
		for n := range model {
			if !model[n+1] {
				ranges++
			}
		}
		got := 0
		err := sqlite.QueryAll(t.Context(), path, map[string]func(sqlite.Columns){
			"SELECT 1 FROM ledger l JOIN runs r ON r.id = l.run WHERE r.run = '" + name + "'": func(sqlite.Columns) { got++ },
		})
		if err != nil || got != ranges {
			rt.Fatalf("%d ranges, want %d (%v)", got, ranges, err)
		}
	})
	if got, err := r.Accounted(t.Context(), "nobody", "run1"); err != nil || got != 0 {
		t.Errorf("%d, %v", got, err)
	}
}

// TestReadersDoNotBlockTheWriter reads in the middle of an open read.
func TestReadersDoNotBlockTheWriter(t *testing.T) {
	path := filled(t, 1000)
	s, r := open(t, path), reader(t, path)
	var once sync.Once
	err := r.Quotes(t.Context(), sqlite.Filter{}, func(kurs.Row) error {
		var err error
		once.Do(func() {
			if err = s.Write(t.Context(), group(quote("Z", 1))); err == nil {
				_, err = r.Stats(t.Context())
			}
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := count(t, path); got != 2001 {
		t.Errorf("%d quotes, want 2001", got)
	}
}

func TestNoQueryOfTheLatestScans(t *testing.T) {
	path := filled(t, 10)
	for query, most := range map[string]int{
		"SELECT * FROM v_latest":                                                   1, // the instruments
		"SELECT * FROM v_latest WHERE symbol = 'A'":                                0,
		"SELECT * FROM v_quotes WHERE symbol = 'A'":                                0,
		"SELECT * FROM v_quotes WHERE symbol = 'A' AND time_ms > 9":                0,
		"SELECT * FROM v_bars WHERE symbol = 'A' AND interval = '1d'":              0,
		"SELECT * FROM v_instruments":                                              1,
		"SELECT count(*) FROM quotes INDEXED BY quotes_waiting WHERE base IS NULL": 1, // of those that wait
	} {
		var scans []string
		err := sqlite.QueryAll(t.Context(), path, map[string]func(sqlite.Columns){
			"EXPLAIN QUERY PLAN " + query: func(c sqlite.Columns) {
				if strings.HasPrefix(c.Text(3), "SCAN") {
					scans = append(scans, c.Text(3))
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(scans) > most {
			t.Errorf("%s: %v", query, scans)
		}
	}
}

// TestViewsInTheShell reads the views as people do, while the store is open.
func TestViewsInTheShell(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	testkit.Require(t, "the sqlite3 shell", err == nil, "not on the path (apt-get install sqlite3)")
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	first := fullPrice(quote("VOD.L", 1))
	first.Unit, first.Currency, first.Factor = "GBp", "GBP", kurs.MustDecimal("0.01")
	first.Time = first.Time.Add(123 * time.Millisecond)
	first.Bid = kurs.MustDecimal("1.2")
	second := quote("VOD.L", 1)
	second.Time, second.Unit, second.Currency, second.Factor = first.Time, "GBp", "GBP", kurs.MustDecimal("0.01")
	second.Value, second.Received, second.Raw.Counter = kurs.MustDecimal("1.5"), noon.Add(time.Minute), 60
	g := group(first, second)
	g.Batches[0].Instruments = []kurs.Instrument{{Symbol: "VOD.L", Source: "yahoo", Name: "Vodafone", Kind: kurs.KindEquity, Exchange: "LSE", Unit: "GBp", TimeZone: "Europe/London"}}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, want string }{
		{"SELECT name FROM pragma_table_info('v_quotes') WHERE cid < 18", `symbol
time
time_iso
price_native
unit
currency_native
factor
fx_rate
fx_time
fx_source
price_base
currency_base
bid
ask
volume
session
source
received_iso`},
		{"SELECT * FROM v_quotes", "VOD.L|1795521601.123|2026-11-24T12:00:01.123Z|1.5|GBp|GBP|0.01|NULL|NULL|NULL|NULL|DKK|NULL|NULL|NULL|" +
			"regular|yahoo|2026-11-24T12:01:00.000Z|1795521601123|0|Vodafone|NULL|NULL|NULL|VOD.L"},
		{
			"SELECT price_native, price_base, fx_rate, fx_time, bid, received_iso, shown FROM v_versions ORDER BY received_iso",
			"1.25|8.0|6.4|1795521601.0|1.2|2026-11-24T12:00:01.000Z|0\n1.5|NULL|NULL|NULL|NULL|2026-11-24T12:01:00.000Z|1",
		},
		{"SELECT symbol, price_native, name, age > 0 OR age <= 0 FROM v_latest", "VOD.L|1.5|Vodafone|1"},
		{
			"SELECT * FROM v_instruments",
			"VOD.L|Vodafone|equity|LSE|GBp|GBP|Europe/London|yahoo|2026-11-24T12:00:01.123Z|2026-11-24T12:00:01.123Z",
		},
		{"SELECT count(*) FROM v_bars, v_fx, v_gaps, v_events, v_bar_versions, v_fx_versions", "0"},
		{"PRAGMA integrity_check", "ok"},
		{"SELECT typeof(time), typeof(price_native), typeof(factor), typeof(time_ms) FROM v_quotes", "real|real|real|integer"},
	} {
		out, err := exec.CommandContext(t.Context(), shell, "-readonly", "-nullvalue", "NULL", path, c.query).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.query, err, out)
		}
		if got := strings.TrimSpace(string(out)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}
