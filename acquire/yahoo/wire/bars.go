package wire

import (
	"time"

	"kurs"
)

// element is one place of a chart's parallel arrays.
type element struct {
	start                  time.Time
	open, high, low, close value
	volume                 kurs.Volume
	spoiled                []byte // the close, where it is there and no number
}

func (c *columns) element() element {
	e := element{
		start: seconds(c.time.token()),
		open:  widened(c.open.token()), high: widened(c.high.token()),
		low: widened(c.low.token()), volume: volume(c.volume.token()),
	}
	last := c.close.token()
	e.close = widened(last)
	if last != nil && !e.close.Known() {
		e.spoiled = last
	}
	return e
}

// flat tells whether nothing happened in an element: what Yahoo sends as the
// live element of an intraday chart is the last price four times, volume 0. A
// spark has closes alone.
func (e element) flat() bool {
	for _, v := range []value{e.open, e.high, e.low} {
		if v.Known() && v.Decimal != e.close.Decimal {
			return false
		}
	}
	return e.volume.N == 0
}

// elementsOf reads the columns abreast and says the bars, and the quote that a
// trailing live element is.
//
// An element without a close is no bar (a halt, a holiday in a series of
// rates); one whose close is no number (NaN) is spoiled. Of two that are the same the last counts.
func (d *decoder) elementsOf(m *meta, c *columns, symbol, unit string) {
	s := series{
		meta: m, symbol: symbol, unit: unit, out: &d.out,
		market: seconds(m.at),
	}
	s.step, s.intraday = kurs.IntervalLength(m.interval)
	s.intraday = s.intraday && s.step < day
	if n, ok := whole(m.offset); ok && n > -maxOffset && n < maxOffset {
		s.offset = time.Duration(n) * time.Second
	}
	var before, last element
	for n := 0; c.time.more; n++ {
		if n == maxElements {
			d.fail(c.time.i, "a chart with more than 250000 elements")
			return
		}
		e := c.element()
		if e.start.IsZero() {
			continue
		}
		s.settle(before, last)
		before, last = last, e
	}
	if s.live(before, last) {
		s.bar(before)
		s.quote(last)
		return
	}
	s.settle(before, last)
	s.bar(last)
}

const (
	day       = 24 * time.Hour
	maxOffset = 24 * 60 * 60 // seconds; time zones are within 14 hours
)

// series is what all elements of a chart have in common.
type series struct {
	*meta
	symbol, unit string
	market       time.Time // of the last regular price
	step         time.Duration
	intraday     bool
	offset       time.Duration // of the exchange's clock, now
	out          *kurs.Observed
}

// settle says the bar of an element, unless the one after it is the same again.
func (s *series) settle(e, after element) {
	if !s.same(e, after) || !after.close.Known() {
		s.bar(e)
	}
}

// same tells whether two elements are about one bar: equal times, or daily bars
// of one day. Around a change of clocks, and when today's bar is still open,
// Yahoo sends a day twice (yfinance fix_Yahoo_dst_issue, ghost rows). The clock's
// offset is today's, so days are also compared by their distance.
func (s *series) same(e, after element) bool {
	if e.start.Equal(after.start) {
		return true
	}
	apart := after.start.Sub(e.start).Abs()
	return s.interval == "1d" && apart < 20*time.Hour &&
		s.date(e).Equal(s.date(after))
}

func (s *series) date(e element) time.Time { return e.start.Add(s.offset).Truncate(day) }

func (s *series) bar(e element) {
	if e.spoiled != nil && !e.start.IsZero() {
		aside := spoiled(kurs.AsideBar, kurs.Quote{Symbol: s.symbol, Source: Source, Time: e.start, Unit: s.unit, Volume: e.volume}, e.spoiled)
		aside.Interval, aside.Open, aside.High, aside.Low = s.interval, e.open.Decimal, e.high.Decimal, e.low.Decimal
		s.out.Spoiled = append(s.out.Spoiled, aside)
	}
	if !e.close.Known() || e.start.IsZero() {
		return
	}
	s.out.Bars = append(s.out.Bars, kurs.Bar{
		Symbol: s.symbol, Source: Source, Start: e.start, Interval: s.interval,
		Open: e.open.Decimal, High: e.high.Decimal, Low: e.low.Decimal, Close: e.close.Decimal,
		Approximate: e.open.approximate || e.high.approximate || e.low.approximate || e.close.approximate,
		Volume:      e.volume, Unit: s.unit,
	})
}

// live tells whether the last element of a chart is no bar but the current
// price, which Yahoo appends while the market is open and long after (yfinance
// fix_Yahoo_returning_live_separate; recorded AAPL 1d and 1m).
//
// Its time is that of the last regular price, perhaps cut to the minute. An
// intraday bar may begin at that very minute, so there the element must also be
// off the bars' grid, or flat. Bars begin with a minute: what does not, such as
// the last price outside of the regular session, is none.
func (s *series) live(before, last element) bool {
	if last.start.IsZero() || last.start.Second() != 0 {
		return !last.start.IsZero()
	}
	if !s.intraday {
		return s.atMarket(last)
	}
	offGrid := !before.start.IsZero() && last.start.Sub(before.start)%s.step != 0
	if s.market.IsZero() { // v8 spark does not say
		return offGrid
	}
	return s.atMarket(last) && (offGrid || last.flat())
}

// atMarket tells whether the element is of the minute of the last regular price.
func (s *series) atMarket(e element) bool {
	after := s.market.Sub(e.start)
	return !s.market.IsZero() && after >= -time.Second && after < time.Minute
}

// quote says the live element as a quote, at the time of the last regular price
// where it is that. Its value is the element's close: regularMarketPrice is
// rounded, to as few as 4 digits for a currency, so it stands in for a close
// that is null only for what is no currency.
func (s *series) quote(e element) {
	q := kurs.Quote{
		Symbol: s.symbol, Source: Source, Time: e.start, Session: s.session(e.start),
		Value: e.close.Decimal, Approximate: e.close.approximate, Unit: s.unit,
	}
	if !s.intraday {
		q.Volume = e.volume // the day's; in intraday charts it is always 0
	}
	if s.atMarket(e) {
		q.Time, q.Session = s.market, kurs.SessionRegular
		if v := volume(s.volume); v.Known {
			q.Volume = v
		}
		if v := quoted(s.price); !q.Value.Known() && kindOf(string(s.kind)) != kurs.KindCurrency {
			q.Value, q.Approximate = v.Decimal, v.approximate
		}
	}
	if q.Value.Known() {
		s.out.Quotes = append(s.out.Quotes, q)
	}
}

// session is the part of the trading day that a time falls in. The periods are
// of the current or the next day, so what lies outside of them is judged by the
// last regular price.
func (s *series) session(t time.Time) kurs.Session {
	switch {
	case s.pre.Holds(t):
		return kurs.SessionPre
	case s.post.Holds(t):
		return kurs.SessionPost
	case !s.regular.Holds(t) && !s.market.IsZero() && t.After(s.market):
		return kurs.SessionPost
	}
	return kurs.SessionRegular
}
