package reading

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Interval is the length of a bar that kurs makes of prices.
type Interval struct {
	name   string
	length time.Duration // below a day
}

// intervals are those that kurs makes, under the names that Yahoo gives them.
var intervals = []Interval{
	{"1m", time.Minute},
	{"2m", 2 * time.Minute},
	{"5m", 5 * time.Minute},
	{"15m", 15 * time.Minute},
	{"30m", 30 * time.Minute},
	{"1h", time.Hour},
	{"4h", 4 * time.Hour},
	{"1d", 0},
	{"1wk", 0},
	{"1mo", 0},
}

// ParseInterval reads the name of an interval.
func ParseInterval(name string) (Interval, error) {
	for _, i := range intervals {
		if i.name == name {
			return i, nil
		}
	}
	return Interval{}, fmt.Errorf("%q is not an interval: there are %s", name, strings.Join(IntervalNames(), ", "))
}

// IntervalNames are the names of all intervals.
func IntervalNames() []string {
	var names []string
	for _, i := range intervals {
		names = append(names, i.name)
	}
	return names
}

// Span is the bar that a time is in. Days, weeks (from Monday) and months are
// those of the exchange's zone, so that a day is its trading day; shorter ones
// begin at their multiples in UTC.
func (i Interval) Span(t time.Time, zone *time.Location) kurs.Span {
	if i.length > 0 {
		start := t.UTC().Truncate(i.length)
		return kurs.Span{From: start, To: start.Add(i.length)}
	}
	year, month, date := t.In(zone).Date()
	// Where clocks are put forward at midnight the day begins at one.
	day := func(y int, m time.Month, d int) time.Time {
		begin, noon := time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d, 12, 0, 0, 0, zone)
		if begin.Day() != noon.Day() {
			begin = begin.Add(time.Hour)
		}
		return begin.UTC()
	}
	switch i.name {
	case "1wk":
		monday := date - (int(t.In(zone).Weekday())+6)%7
		return kurs.Span{From: day(year, month, monday), To: day(year, month, monday+7)}
	case "1mo":
		return kurs.Span{From: day(year, month, 1), To: day(year, month+1, 1)}
	default:
		return kurs.Span{From: day(year, month, date), To: day(year, month, date+1)}
	}
}

// Builder makes bars of the prices of one instrument, which are handed to it in
// the order of their times. Values in the user's currency come from prices that
// were each converted at its own time, so the highest of them need not be of the
// moment of the highest native one. A bar with a price that has no such value yet
// has none itself.
type Builder struct {
	Interval Interval
	Zone     *time.Location // of the exchange; nil: UTC
	Sessions []kurs.Session // which prices count; none: all
	Now      time.Time      // what is not over by then is marked as unfinished
	Yield    func(kurs.BarRow) error

	bar    kurs.BarRow
	span   kurs.Span
	open   bool
	traded traded
}

// Add takes the next price.
func (b *Builder) Add(r kurs.Row) error {
	if len(b.Sessions) > 0 && !slices.Contains(b.Sessions, r.Session) || !r.PriceNative.Known() {
		return nil
	}
	zone := b.Zone
	if zone == nil {
		zone = time.UTC
	}
	// Another currency is another bar: its values do not compare.
	if !b.open || !b.span.Holds(r.Time) || r.CurrencyNative != b.bar.CurrencyNative {
		if err := b.Flush(); err != nil {
			return err
		}
		b.span = b.Interval.Span(r.Time, zone)
		b.begin(&r)
	}
	if err := b.sameUnit(&r); err != nil {
		return err
	}
	b.take(&r)
	b.traded.add(&r, b.span.From, b.bar.Prices == 1, zone)
	return nil
}

func (b *Builder) begin(r *kurs.Row) {
	b.open = true
	b.bar = kurs.BarRow{
		Symbol: r.Symbol, Instrument: r.Instrument, Time: b.span.From, Interval: b.Interval.name, Unit: r.Unit, CurrencyNative: r.CurrencyNative,
		Factor: r.Factor, CurrencyBase: r.CurrencyBase, Source: r.Source, MadeOf: kurs.MadeOfPrices, SplitFactor: r.SplitFactor,
		OpenNative: r.PriceNative, HighNative: r.PriceNative, LowNative: r.PriceNative,
		OpenBase: r.PriceBase, HighBase: r.PriceBase, LowBase: r.PriceBase,
	}
}

// sameUnit brings a price and the bar to the currency itself where they are in
// different units of it: pence and pounds.
func (b *Builder) sameUnit(r *kurs.Row) error {
	if r.Unit == b.bar.Unit || !r.Factor.Known() || !b.bar.Factor.Known() {
		return nil
	}
	for _, v := range []*kurs.Decimal{&b.bar.OpenNative, &b.bar.HighNative, &b.bar.LowNative, &b.bar.CloseNative} {
		if err := multiply(v, b.bar.Factor); err != nil {
			return err
		}
	}
	b.bar.Unit, b.bar.Factor = b.bar.CurrencyNative, kurs.Int(1)
	if err := multiply(&r.PriceNative, r.Factor); err != nil {
		return err
	}
	r.Unit, r.Factor = r.CurrencyNative, kurs.Int(1)
	return nil
}

func multiply(v *kurs.Decimal, by kurs.Decimal) error {
	if !v.Known() {
		return nil
	}
	product, err := v.Mul(by)
	if err != nil {
		return fmt.Errorf("bring a price to its currency: %w", err)
	}
	*v = product
	return nil
}

func (b *Builder) take(r *kurs.Row) {
	bar := &b.bar
	bar.Prices++
	bar.Approximate = bar.Approximate || r.Approximate
	if r.ReceivedISO.After(bar.ReceivedISO) {
		bar.ReceivedISO = r.ReceivedISO
	}
	raise(&bar.HighNative, r.PriceNative)
	lower(&bar.LowNative, r.PriceNative)
	bar.CloseNative = r.PriceNative
	if !r.PriceBase.Known() {
		bar.Unconverted++
	}
	raise(&bar.HighBase, r.PriceBase)
	lower(&bar.LowBase, r.PriceBase)
	bar.CloseBase = r.PriceBase
}

func raise(to *kurs.Decimal, v kurs.Decimal) {
	if to.Known() && v.Known() && v.Cmp(*to) > 0 {
		*to = v
	}
}

func lower(to *kurs.Decimal, v kurs.Decimal) {
	if to.Known() && v.Known() && v.Cmp(*to) < 0 {
		*to = v
	}
}

// Flush hands on the bar that is being made. It is called after the last price.
func (b *Builder) Flush() error {
	if !b.open {
		return nil
	}
	b.open = false
	bar := b.bar
	if bar.Unconverted > 0 {
		bar.OpenBase, bar.HighBase, bar.LowBase, bar.CloseBase = kurs.Decimal{}, kurs.Decimal{}, kurs.Decimal{}, kurs.Decimal{}
	}
	bar.Volume = b.traded.within()
	bar.Unfinished = b.span.To.After(b.Now)
	return b.Yield(bar)
}

// traded makes the volume of a bar of what prices tell: how much was traded on
// their day so far. Where a bar begins within a day, what was traded before it is
// known from the bar before; else the bar has no volume.
type traded struct {
	day, bar time.Time
	last     int64 // of the day so far
	told     bool  // last is known
	before   int64 // of the day, when the bar began
	days     int64 // of the days of the bar that are over
	whole    bool  // what was traded before the bar is known
}

// add takes the volume of a price of the bar that begins at a time; first says that
// it is the first of the bar.
func (t *traded) add(r *kurs.Row, bar time.Time, first bool, zone *time.Location) {
	y, m, d := r.Time.In(zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, zone)
	nextDay := !day.Equal(t.day)
	switch nextBar := first || !bar.Equal(t.bar); {
	case nextBar && nextDay:
		t.before, t.days, t.whole = 0, 0, !bar.After(day)
	case nextBar:
		t.before, t.days, t.whole = t.last, 0, t.told
	case nextDay:
		t.days += t.last - t.before
		t.before = 0
	}
	if nextDay {
		t.last, t.told = 0, false
	}
	t.day, t.bar = day, bar
	if r.Volume != nil && *r.Volume >= t.last {
		t.last, t.told = *r.Volume, true
	}
}

// within is the volume of the bar; nil where it is not known.
func (t *traded) within() *int64 {
	if !t.told || !t.whole {
		return nil
	}
	n := t.days + t.last - t.before
	return &n
}
