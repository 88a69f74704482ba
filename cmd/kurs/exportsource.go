package main

import (
	"context"
	"slices"
	"time"

	"kurs"
	"kurs/reading"
	"kurs/store/sqlite"
)

// exportSource is what is exported: prices, or bars of one of two kinds, of some
// symbols and a stretch of time.
type exportSource struct {
	view     *view
	filter   sqlite.Filter
	bars     string           // their interval; empty: prices
	interval reading.Interval // of bars that are made
	provider bool
	extended bool

	zones map[string]*time.Location
}

// all hands over everything, by symbol and time.
func (s *exportSource) all(ctx context.Context, to *rowWriter) error {
	switch {
	case s.bars == "":
		return s.view.quotes(ctx, s.filter, to.price)
	case s.provider:
		return s.view.providerBars(ctx, s.filter, s.bars, to.bar)
	}
	one := s.filter
	var err error
	if one.Symbols, err = s.symbols(ctx); err != nil {
		return err
	}
	return s.view.build(ctx, one, s.interval, s.extended, to.bar)
}

// day hands over what is of a day (UTC), by symbol and time: prices of that day,
// and bars that begin in it.
func (s *exportSource) day(ctx context.Context, day kurs.Span, to *rowWriter) error {
	within := s.filter
	if within.Since.Before(day.From) {
		within.Since = day.From
	}
	if within.Until.IsZero() || within.Until.After(day.To) {
		within.Until = day.To
	}
	switch {
	case s.bars == "":
		return s.view.quotes(ctx, within, to.price)
	case s.provider:
		return s.view.providerBars(ctx, within, s.bars, to.bar)
	}
	symbols, err := s.symbols(ctx)
	if err != nil {
		return err
	}
	for _, symbol := range symbols {
		if err := s.barsOf(ctx, symbol, day, to); err != nil {
			return err
		}
	}
	return nil
}

// barsOf makes the bars of a symbol that begin in a day. They need the prices from
// the beginning of the exchange's day, by which their volume is known, up to the
// end of the last of them.
func (s *exportSource) barsOf(ctx context.Context, symbol string, day kurs.Span, to *rowWriter) error {
	zone, err := s.zone(ctx, symbol, "")
	if err != nil {
		return err
	}
	within := barsStarting(s.interval, day, zone)
	if !within.From.Before(within.To) {
		return nil
	}
	f := s.filter
	f.Symbols = []string{symbol}
	if f.Since.Before(within.From) {
		f.Since = within.From
	}
	if f.Until.IsZero() || f.Until.After(within.To) {
		f.Until = within.To
	}
	return s.view.build(ctx, f, s.interval, s.extended, func(b kurs.BarRow) error {
		if b.Time.Before(day.From) || !b.Time.Before(day.To) {
			return nil
		}
		return to.bar(b)
	})
}

// barsStarting is the stretch of prices that decides on the bars that begin in a
// day; it is empty where none does.
func barsStarting(interval reading.Interval, day kurs.Span, zone *time.Location) kurs.Span {
	first := interval.Span(day.From, zone)
	if first.From.Before(day.From) {
		first = interval.Span(first.To, zone)
	}
	last := interval.Span(day.To.Add(-1), zone)
	if !first.From.Before(day.To) {
		return kurs.Span{}
	}
	exchangeDay, err := reading.ParseInterval("1d")
	if err != nil {
		return kurs.Span{From: first.From, To: last.To} // cannot be
	}
	return kurs.Span{From: exchangeDay.Span(first.From, zone).From, To: last.To}
}

// days are those that may have something, in order.
func (s *exportSource) days(ctx context.Context) ([]kurs.Span, error) {
	var (
		days []time.Time
		err  error
	)
	if s.provider {
		days, err = s.view.db.BarDays(ctx, sqlite.BarFilter{Filter: s.filter, Interval: s.bars})
	} else {
		days, err = s.view.db.QuoteDays(ctx, s.filter)
	}
	if err != nil {
		return nil, err
	}
	if s.bars != "" && !s.provider {
		days = s.beginnings(days)
	}
	var out []kurs.Span
	for _, d := range days {
		out = append(out, kurs.Span{From: d, To: d.AddDate(0, 0, 1)})
	}
	return out, nil
}

// beginnings are the days in which bars of the prices of some days may begin, in
// any zone: those days, the ones before, and those in which their week or month
// does.
func (s *exportSource) beginnings(days []time.Time) []time.Time {
	var out []time.Time
	for _, d := range days {
		first := s.interval.Span(d, time.UTC).From
		for _, begin := range []time.Time{d, first} {
			for shift := -1; shift <= 1; shift++ {
				out = append(out, begin.Truncate(24*time.Hour).AddDate(0, 0, shift))
			}
		}
		// Where it is the next day, it may be the next week or month.
		next := s.interval.Span(d.AddDate(0, 0, 1), time.UTC).From.Truncate(24 * time.Hour)
		before := s.interval.Span(d.AddDate(0, 0, -1), time.UTC).From.Truncate(24 * time.Hour)
		out = append(out, next, next.AddDate(0, 0, -1), before, before.AddDate(0, 0, -1), before.AddDate(0, 0, 1))
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// symbols are those that are asked for, or all; sorted, each once.
func (s *exportSource) symbols(ctx context.Context) ([]string, error) {
	if len(s.filter.Symbols) == 0 {
		return s.view.db.Symbols(ctx)
	}
	out := slices.Clone(s.filter.Symbols)
	slices.Sort(out)
	return slices.Compact(out), nil
}

// zone is that of a symbol's exchange, or of what the instrument is called now;
// UTC where neither is known.
func (s *exportSource) zone(ctx context.Context, symbol, instrument string) (*time.Location, error) {
	if zone, ok := s.zones[symbol]; ok {
		return zone, nil
	}
	name, err := s.view.db.TimeZone(ctx, symbol)
	if err == nil && name == "" && instrument != "" {
		name, err = s.view.db.TimeZone(ctx, instrument)
	}
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = time.UTC // a name that this machine does not know
	}
	if s.zones == nil {
		s.zones = map[string]*time.Location{}
	}
	s.zones[symbol] = zone
	return zone, nil
}
