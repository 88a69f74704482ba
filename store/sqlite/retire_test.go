package sqlite_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/store/sqlite"
)

// dated is a price of a symbol at a time, received a second later; n is its message.
func dated(symbol string, at time.Time, value string, n int) kurs.Price {
	p := quote(symbol, n)
	p.Time, p.Received, p.Value = at, at.Add(time.Second), kurs.MustDecimal(value)
	return fullPrice(p)
}

// days is a database with prices of A on three days, the first 40 days before noon,
// and one of B 50 days before.
func days(t *testing.T) (path string, groups []kurs.Group) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	old := noon.AddDate(0, 0, -40)
	var prices []kurs.Price
	for d := range 3 {
		for i := range 5 {
			at := old.AddDate(0, 0, d*20).Add(time.Duration(i) * 20 * time.Second)
			prices = append(prices, dated("A", at, fmt.Sprintf("%d.5", 100+d*10+i), 1+d*10+i))
		}
	}
	prices = append(prices, dated("B", noon.AddDate(0, 0, -50), "7", 50))
	again := dated("A", old, "99", 60) // another version of the first, a second later
	again.Received = again.Received.Add(time.Second)
	for i, p := range append(prices, again) {
		g := group(p)
		g.Batches[0].BaseCurrency = "DKK"
		g.Position = kurs.StreamPos{Epoch: "e", Seq: uint64(i + 1)}
		rate := p.Rate
		rate.Received, rate.Raw, rate.Time = p.Received, p.Raw, p.Time
		g.Batches[0].Rates = []kurs.Rate{rate}
		groups = append(groups, g)
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	return path, groups
}

// counter is a summary that makes one bar a day of all prices.
type counter struct {
	bar   kurs.BarRow
	yield func(kurs.BarRow) error
}

func (c *counter) Add(r kurs.Row) error {
	if c.bar.Prices == 0 {
		c.bar = kurs.BarRow{
			Symbol: r.Symbol, Time: r.Time.Truncate(24 * time.Hour), Interval: "1d", Unit: r.Unit, CurrencyNative: r.CurrencyNative, Factor: r.Factor,
			OpenNative: r.PriceNative, LowNative: r.PriceNative, HighNative: r.PriceNative, OpenBase: r.PriceBase, LowBase: r.PriceBase, HighBase: r.PriceBase,
		}
	}
	c.bar.Prices++
	c.bar.CloseNative, c.bar.CloseBase, c.bar.ReceivedISO = r.PriceNative, r.PriceBase, r.ReceivedISO
	if r.PriceNative.Cmp(c.bar.LowNative) < 0 {
		c.bar.LowNative, c.bar.LowBase = r.PriceNative, r.PriceBase
	}
	if r.PriceNative.Cmp(c.bar.HighNative) > 0 {
		c.bar.HighNative, c.bar.HighBase = r.PriceNative, r.PriceBase
	}
	return nil
}

func (c *counter) Flush() error {
	if c.bar.Prices == 0 {
		return nil
	}
	return c.yield(c.bar)
}

func rolling(keep sqlite.Retention) sqlite.Retention {
	keep.Summary = func(_ *time.Location, yield func(kurs.BarRow) error) sqlite.Summary { return &counter{yield: yield} }
	return keep
}

// retire goes through the whole database.
func retire(t *testing.T, s *sqlite.Store, keep sqlite.Retention, now time.Time) (done sqlite.Retired) {
	t.Helper()
	for more := true; more; {
		var err error
		if done, more, err = s.Retire(t.Context(), keep, now); err != nil {
			t.Fatal(err)
		}
	}
	return done
}

// shown are the prices as "A 11-24 123.5".
func shown(t *testing.T, path string) (out []string) {
	t.Helper()
	err := reader(t, path).Quotes(t.Context(), sqlite.Filter{}, func(r kurs.Row) error {
		out = append(out, fmt.Sprintf("%s %s %s", r.Symbol, r.Time.Format("01-02"), r.PriceNative))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const day = 24 * time.Hour

func TestRetire(t *testing.T) {
	for _, c := range []struct {
		name    string
		keep    sqlite.Retention
		want    sqlite.Retired
		left    int
		bars    int64
		version int64
	}{
		{"for ever", sqlite.Retention{}, sqlite.Retired{}, 16, 0, 1},
		{"nothing is so old", sqlite.Retention{Quotes: 60 * day}, sqlite.Retired{}, 16, 0, 1},
		{"the first day; B has no newer price", sqlite.Retention{Quotes: 30 * day}, sqlite.Retired{Quotes: 5}, 11, 0, 0},
		{"two days", sqlite.Retention{Quotes: 10 * day}, sqlite.Retired{Quotes: 10}, 6, 0, 0},
		{"with bars", rolling(sqlite.Retention{Quotes: 10 * day}), sqlite.Retired{Quotes: 10, Rolled: 2}, 6, 2, 0},
		{"rates are needed by prices", sqlite.Retention{Rates: 10 * day}, sqlite.Retired{}, 16, 0, 1},
		{"rates with their prices, a month later", sqlite.Retention{Quotes: 10 * day, Rates: 10 * day}, sqlite.Retired{Quotes: 10, Rates: 1}, 6, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := days(t)
			s := open(t, path)
			old, err := reader(t, path).Old(t.Context(), c.keep, noon)
			if err != nil {
				t.Fatal(err)
			}
			planned := map[string]int64{}
			for _, o := range old {
				planned[o.Kind] += o.Rows
				if o.Bytes <= 0 || o.First.After(o.Last) {
					t.Errorf("%+v", o)
				}
			}
			done := retire(t, s, c.keep, noon)
			if done != c.want {
				t.Errorf("done %+v, want %+v", done, c.want)
			}
			if planned["quotes"] != done.Quotes || c.keep.Quotes == 0 && planned["rates"] != done.Rates {
				t.Errorf("planned %v, done %+v", planned, done)
			}
			if left := shown(t, path); len(left) != c.left {
				t.Errorf("left: %v", left)
			}
			if got := wrong(t, path); len(got) > 0 {
				t.Errorf("check: %v", got)
			}
			stats, err := reader(t, path).Stats(t.Context())
			if err != nil || stats.Bars != c.bars || stats.Corrected != c.version {
				t.Errorf("%+v, %v", stats, err)
			}
			if again := retire(t, s, c.keep, noon); again != (sqlite.Retired{}) {
				t.Errorf("a second time: %+v", again)
			}
		})
	}
}

// TestRetiredDoesNotComeBack: messages that are delivered again bring nothing back;
// what was never stored, and what was received lately, is.
func TestRetiredDoesNotComeBack(t *testing.T) {
	path, groups := days(t)
	s := open(t, path)
	keep := rolling(sqlite.Retention{Quotes: 10 * day, Rates: 10 * day})
	retire(t, s, keep, noon)
	before := dump(t, path)
	for i, g := range groups {
		g.Position = kurs.StreamPos{Epoch: "another", Seq: uint64(i + 1)}
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if diff := gocmp.Diff(before, dump(t, path), decimals); diff != "" {
		t.Errorf("delivered again: -before +after:\n%s", diff)
	}
	late := group(dated("A", noon.AddDate(0, 0, -40).Add(time.Hour), "1.5", 900))
	late.Position = kurs.StreamPos{Epoch: "another", Seq: 100}
	lately := group(dated("A", noon.AddDate(0, 0, -39), "2.5", 901))
	lately.Batches[0].Prices[0].Received = noon
	lately.Position = kurs.StreamPos{Epoch: "another", Seq: 101}
	for _, g := range []kurs.Group{late, lately} {
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if left := strings.Join(shown(t, path), ", "); !strings.Contains(left, "A 10-15 1.5") || !strings.Contains(left, "A 10-16 2.5") {
		t.Errorf("left: %s", left)
	}
	// What came late is in the bar of its day, which was made before.
	if done := retire(t, s, keep, noon); done.Quotes != 1 || done.Rolled != 0 {
		t.Errorf("%+v", done)
	}
	var bar kurs.BarRow
	err := reader(t, path).Bars(t.Context(), sqlite.BarFilter{Filter: sqlite.Filter{Symbols: []string{"A"}, Until: noon.AddDate(0, 0, -39)}}, func(b kurs.BarRow) error {
		bar = b
		return nil
	})
	if err != nil || bar.OpenNative.String() != "99" || bar.HighNative.String() != "104.5" || bar.LowNative.String() != "1.5" || bar.CloseNative.String() != "104.5" ||
		bar.Source != sqlite.SourceKurs || bar.MadeOf != kurs.MadeOfPrices || bar.LowBase.String() != "9.6" {
		t.Errorf("%+v, %v", bar, err)
	}
	if got := wrong(t, path); len(got) > 0 {
		t.Errorf("check: %v", got)
	}
}

// TestRetireIsResumed by another process after a crash: the store is opened anew in
// the middle of a pass.
func TestRetireIsResumed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	var prices []kurs.Price
	for i := range 12_000 {
		prices = append(prices, dated("A", noon.AddDate(0, 0, -40).Add(time.Duration(i)*time.Second), "5", i))
	}
	if err := s.Write(t.Context(), group(prices...)); err != nil {
		t.Fatal(err)
	}
	keep := sqlite.Retention{Quotes: 10 * day}
	done, more, err := s.Retire(t.Context(), keep, noon)
	if err != nil || !more || done.Quotes == 0 || done.Quotes > 6000 {
		t.Fatalf("%+v, %v, %v", done, more, err)
	}
	if got := wrong(t, path); len(got) > 0 {
		t.Errorf("in the middle: %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rest := retire(t, open(t, path), keep, noon)
	if done.Quotes+rest.Quotes != 11_999 || len(shown(t, path)) != 1 {
		t.Errorf("%+v and %+v", done, rest)
	}
}

// TestRetireLeavesWhatPeopleSaid and what was set aside.
func TestRetireLeavesWhatPeopleSaid(t *testing.T) {
	path, groups := days(t)
	s := open(t, path)
	right := groups[2].Batches[0].Prices[0]
	right.Value = kurs.MustDecimal("50")
	right.Receipt = kurs.Receipt{Received: noon, Raw: kurs.RawID{Source: kurs.SourceUser, Run: "20261124T120000-abcd", Counter: 1}, Origin: kurs.OriginCorrection}
	right = fullPrice(right)
	g := kurs.Group{Position: kurs.StreamPos{Epoch: "e", Seq: 200}, Batches: []kurs.Batch{{BaseCurrency: "DKK", Corrections: []kurs.Correction{{Price: right, Author: "anna", Reason: "a slip"}}}}}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if done := retire(t, s, sqlite.Retention{Quotes: 10 * day}, noon); done.Quotes != 9 {
		t.Errorf("%+v", done)
	}
	if left := shown(t, path); left[0] != "A 10-15 50" {
		t.Errorf("left: %v", left)
	}
}
