// Package storetest is what every store must pass: one suite, called from a
// ten-line test in the store's folder. A new store begins with it.
//
// It must not know any store: it writes groups and asks its caller to read back
// what became of them.
package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
)

// Harness is a kind of store under test.
type Harness struct {
	// New gives each test data of its own, in which nothing is stored yet, in
	// the base currency DKK.
	New      func(t *testing.T) Data
	Promises Promises
}

// Data is one place that a store keeps things at.
type Data struct {
	// Open opens the store. The suite closes it, and may open it again after.
	Open func(t *testing.T) kurs.Store
	// Read reads what is stored; the store may be open meanwhile.
	Read func(t *testing.T) Dump
}

// Promises is what a store does not promise, of what others do.
type Promises struct {
	// AtLeastOnce: it writes a line a price, in the order of the queue, and
	// nothing else. What is written twice is there twice (a group with a position
	// that was reached is not), and nothing that was written is ever changed. The
	// suite then leaves out versions, latest prices, and every kind but prices and
	// fills.
	AtLeastOnce bool
}

// Dump is all that a store holds, in any order; the suite sorts it.
type Dump struct {
	Quotes      []kurs.Row // the newest version of each price
	Superseded  []kurs.Row // versions that a newer one took the place of
	Latest      []kurs.Row
	Bars        []Bar
	Rates       []kurs.Rate // without Raw
	Instruments []kurs.Instrument
	Events      []kurs.Event
	Gaps        []kurs.Gap // without Raw
	SetAside    []Aside
	Said        []Said       // all that people said of prices
	Aliases     []kurs.Alias // what holds of them, without receipts
}

// Bar is the newest version of a bar as it is stored.
type Bar struct {
	Symbol, Source, Interval, Unit         string
	Start                                  time.Time
	Open, High, Low, Close                 kurs.Decimal
	Volume                                 kurs.Volume
	FXRate                                 kurs.Decimal
	BaseOpen, BaseHigh, BaseLow, BaseClose kurs.Decimal
	Received                               time.Time
}

// Aside is what was set aside, and what was decided of it: State is "waiting",
// "kept" or "dropped".
type Aside struct {
	kurs.SetAside

	State           string
	Factor          kurs.Decimal
	Author, Comment string
	Decided         time.Time
}

// Said is a correction as it is stored; one that took another back has no value.
type Said struct {
	Symbol         string
	Value, Base    kurs.Decimal
	Author, Reason string
	Received       time.Time
	Holds          bool // it is what is shown
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range []struct {
		name string
		do   func(*testing.T, Data)
		rows bool // only for stores that hold rows
	}{
		{"an empty store", testEmpty, false},
		{"a price is there with everything it says", testPrice, false},
		{"what is unknown stays unknown", testUnknown, false},
		{"fifteen digits come back exactly", testDigits, false},
		{"hostile names are only names", testHostile, false},
		{"a rejected price takes its whole group along", testRejected, false},
		{"another base currency is rejected", testBaseCurrency, true},
		{"a cancelled write is all or nothing", testCancelled, false},
		{"the position moves on, and never back", testPosition, false},
		{"what is stored is there after opening again", testReopen, false},
		{"a fill completes a price", testFill, false},

		{"every kind is kept", testKinds, true},
		{"writing again changes nothing", testIdempotent, true},
		{"every order of arrival gives one table", testOrders, true},
		{"bars have versions as well", testBarVersions, true},
		{"only the observation makes a version", testNoVersion, true},
		{"an exact price wins over an approximate one", testExact, true},
		{"a base value is filled in once", testFillOnce, true},
		{"a fill finds its version", testFillVersion, true},
		{"a fill that comes first waits", testFillFirst, true},
		{"a bar is filled", testFillBar, true},
		{"latest never goes back", testLatest, true},
		{"an instrument keeps what was last known", testInstruments, true},
		{"what was set aside is kept whole", testAside, true},
		{"the newest decision holds", testDecisions, true},
		{"a bar may be kept", testBarDecisions, true},
		{"an instrument stands where it stood before", testLatestAfterDrop, true},
		{"a correction holds until it is taken back", testCorrections, true},
		{"no price belongs to two instruments", testAliases, true},
		{"what people say is only texts", testHostileWords, true},
	} {
		if c.rows && h.Promises.AtLeastOnce {
			continue
		}
		t.Run(c.name, func(t *testing.T) { c.do(t, h.New(t)) })
	}
}

// decimals compares decimals as numbers.
var decimals = gocmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

func (d Dump) sorted() Dump {
	row := func(a, b kurs.Row) int {
		return cmp.Or(
			cmp.Compare(a.Symbol, b.Symbol), a.Time.Compare(b.Time), cmp.Compare(a.Session, b.Session),
			cmp.Compare(a.Source, b.Source), a.ReceivedISO.Compare(b.ReceivedISO),
		)
	}
	slices.SortFunc(d.Quotes, row)
	slices.SortFunc(d.Superseded, row)
	slices.SortFunc(d.Latest, row)
	slices.SortFunc(d.Bars, func(a, b Bar) int { return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), a.Start.Compare(b.Start)) })
	slices.SortFunc(d.Rates, func(a, b kurs.Rate) int { return cmp.Or(cmp.Compare(a.String(), b.String()), a.Time.Compare(b.Time)) })
	slices.SortFunc(d.Instruments, func(a, b kurs.Instrument) int { return cmp.Compare(a.Symbol, b.Symbol) })
	slices.SortFunc(d.Events, func(a, b kurs.Event) int { return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), a.Time.Compare(b.Time)) })
	slices.SortFunc(d.Gaps, func(a, b kurs.Gap) int { return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), a.From.Compare(b.From)) })
	slices.SortFunc(d.SetAside, func(a, b Aside) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Kind, b.Kind), a.Time.Compare(b.Time), cmp.Compare(a.Unit, b.Unit), a.Value.Cmp(b.Value))
	})
	slices.SortFunc(d.Said, func(a, b Said) int { return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), a.Received.Compare(b.Received)) })
	slices.SortFunc(d.Aliases, func(a, b kurs.Alias) int { return cmp.Or(cmp.Compare(a.Was, b.Was), a.From.Compare(b.From)) })
	return d
}

// table is a store that is open, as the tests use it.
type table struct {
	*testing.T
	kurs.Store
	data Data
}

func open(t *testing.T, data Data) *table {
	t.Helper()
	s := &table{T: t, Store: data.Open(t), data: data}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// write writes batches without a position, as one group.
func (s *table) write(batches ...kurs.Batch) {
	s.Helper()
	if err := s.Write(s.Context(), kurs.Group{Batches: batches}); err != nil {
		s.Fatalf("write: %v", err)
	}
}

func (s *table) read() Dump {
	s.Helper()
	return s.data.Read(s.T).sorted()
}

// quotes are the prices that are stored, once each.
func (s *table) quotes() []kurs.Row {
	s.Helper()
	return s.read().Quotes
}

func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := gocmp.Diff(want, got, decimals); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
