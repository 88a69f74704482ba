package sim

import (
	"strconv"
	"strings"
	"time"
)

const chartPath = "/v8/finance/chart/"

const noData = "No data found, symbol may be delisted"

// chart answers /v8/finance/chart/{symbol}: what is known of the instrument, and
// bars of one length. It needs no session. The look-back limits keep the answer
// below 44,000 bars.
func (a *answer) chart() {
	in, ok := a.lookup(strings.TrimPrefix(a.r.URL.Path, chartPath))
	if !ok {
		a.fail("chart", notFound(noData))
		return
	}
	m := a.moment(in.venue)
	q, p := parseChart(a.r.URL.Query(), in, m)
	if p != nil {
		a.fail("chart", *p)
		return
	}
	if a.x.isDelisted(in) {
		a.deadChart(in)
		return
	}
	bars := a.bars(in, &q, m)
	b := append(a.body[:0], `{"chart":{"result":[{"meta":`...)
	b = a.appendMeta(b, in, m, &q, bars)
	if len(bars) > 0 {
		b = append(b, `,"timestamp":`...)
		b = appendEach(b, bars, func(b []byte, x *bar) []byte { return strconv.AppendInt(b, x.start, 10) })
	}
	b = appendEvents(b, in, m, &q)
	b = append(b, `,"indicators":{"quote":[{`...)
	if len(bars) > 0 {
		b = appendQuoteArrays(b, bars)
	}
	b = append(b, '}', ']')
	if q.step == 0 {
		b = append(b, `,"adjclose":[{`...)
		if len(bars) > 0 {
			b = appendAdjusted(append(b, `"adjclose":`...), in, m, bars)
		}
		b = append(b, '}', ']')
	}
	a.body = append(b, `}}],"error":null}}`...)
	a.send(200, jsonType, "public, max-age=10, stale-while-revalidate=20")
}

// series makes the bars that were asked for and, behind them, the newest price:
// while the session lasts, and after it until the next one begins, the last
// element is no bar but carries the price's own time. It comes whenever the
// session was asked for, even past the end of the request (recorded).
func (in *instrument) series(q *chartQuery, m *moment) []bar {
	v := in.venue
	var out []bar
	live := q.p2 > min(m.last.open, m.last.stamp) && q.p1 <= m.regular
	if q.step == 0 {
		out = in.longBars(q, m)
	} else {
		if q.prePost && v.extended && !m.open() {
			live = false
		}
		for s := v.sessionAfter(v.dateOf(q.p1) - 1); s.pre < q.p2 && s.pre <= m.now; s = v.sessionAfter(s.date + 1) {
			if q.prePost && v.extended {
				out = in.bars(out, s, s.pre, s.open, q.step, q.p1, q.p2, m.now)
			}
			out = in.bars(out, s, s.open, s.close, q.step, q.p1, q.p2, m.now)
			if q.prePost && v.extended {
				out = in.bars(out, s, s.close, s.post, q.step, q.p1, q.p2, m.now)
			}
		}
	}
	if live {
		p := in.path.at(m.regular)
		b := bar{start: m.regular, end: m.regular, open: p, high: p, low: p, close: p, live: true}
		if q.step == 0 {
			f := in.factsAt(m)
			b.open, b.volume = f.opened, in.volumeAt(m.last, m.regular)
			b.low, b.high = in.dayRange(&f, m.regular)
		}
		out = append(out, b)
	}
	return out
}

// longBars are those of a day and longer. The session of the live element is
// not among them, and a week or month only once it has ended.
func (in *instrument) longBars(q *chartQuery, m *moment) []bar {
	v := in.venue
	var out []bar
	if q.name == "1d" {
		for s := v.sessionAfter(v.dateOf(q.p1) - 1); s.stamp < q.p2 && s.date < m.last.date; s = v.sessionAfter(s.date + 1) {
			if s.stamp >= q.p1 {
				out = append(out, in.dayBar(s))
			}
		}
		return out
	}
	var group bar
	date := groupDate(q.name, v.dateOf(q.p1))
	for s := v.sessionAfter(date); s.date < m.last.date; s = v.sessionAfter(s.date + 1) {
		next := groupDate(q.name, s.date)
		start := v.wall(next, 0)
		if next != date {
			out = group.appendFrom(out, q.p1)
			group, date = bar{}, next
		}
		if start >= q.p2 {
			return out
		}
		group = group.with(in.dayBar(s), start)
	}
	if date != groupDate(q.name, m.last.date) {
		out = group.appendFrom(out, q.p1)
	}
	return out
}

// appendFrom appends a bar that holds something and does not start too early.
func (b bar) appendFrom(out []bar, p1 int64) []bar {
	if b.end == 0 || b.start < p1 {
		return out
	}
	return append(out, b)
}

// with widens a bar by a day.
func (b bar) with(d bar, start int64) bar {
	if b.end == 0 {
		d.start = start
		return d
	}
	b.end, b.close, b.volume = d.end, d.close, b.volume+d.volume
	if d.high.coef > b.high.coef {
		b.high = d.high
	}
	if d.low.coef < b.low.coef {
		b.low = d.low
	}
	return b
}

// groupDate is the first date of the week, month or quarter that a date is in.
func groupDate(name string, date int64) int64 {
	switch y, mo, d := civil(date); name {
	case "1mo":
		return date - int64(d) + 1
	case "3mo":
		return time.Date(y, mo-(mo-1)%3, 1, 0, 0, 0, 0, time.UTC).Unix() / day
	}
	return date - floorMod(date+3, 7) // Monday
}

func appendEach(b []byte, bars []bar, one func([]byte, *bar) []byte) []byte {
	b = append(b, '[')
	for i := range bars {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, &bars[i])
	}
	return append(b, ']')
}

func appendQuoteArrays(b []byte, bars []bar) []byte {
	wide := func(field func(*bar) price) func([]byte, *bar) []byte {
		return func(b []byte, x *bar) []byte {
			if x.null {
				return append(b, "null"...)
			}
			return appendWide(b, field(x).float32())
		}
	}
	b = append(b, `"volume":`...)
	b = appendEach(b, bars, func(b []byte, x *bar) []byte {
		if x.null {
			return append(b, "null"...)
		}
		return strconv.AppendInt(b, x.volume, 10)
	})
	b = appendEach(append(b, `,"close":`...), bars, wide(func(x *bar) price { return x.close }))
	b = appendEach(append(b, `,"open":`...), bars, wide(func(x *bar) price { return x.open }))
	b = appendEach(append(b, `,"low":`...), bars, wide(func(x *bar) price { return x.low }))
	return appendEach(append(b, `,"high":`...), bars, wide(func(x *bar) price { return x.high }))
}

// lastOf is the newest price: the chart's live element, where it has one.
func lastOf(in *instrument, m *moment, bars []bar) price {
	if n := len(bars); n > 0 && bars[n-1].live {
		return bars[n-1].close
	}
	return in.path.at(m.regular)
}

const validRanges = `"validRanges":` + ranges

// appendMeta writes a chart's meta. Its prices are rounded, those of foreign
// exchange to 4 decimals: the array's last element is the better one.
func (a *answer) appendMeta(b []byte, in *instrument, m *moment, q *chartQuery, bars []bar) []byte {
	v, f := in.venue, in.factsAt(m)
	rounded := func(o *object, name string, p price) {
		if o.key(name) {
			o.b = appendRounded(o.b, p.float64(), in.metaDecimals())
		}
	}
	o := object{b: b}
	o.begin()
	o.text("currency", a.x.unitTold(in, a.now))
	o.text("symbol", in.symbol)
	o.text("exchangeName", v.code)
	o.text("fullExchangeName", v.name)
	o.text("instrumentType", in.kind.quoteType())
	o.plain("firstTradeDate", in.firstTrade)
	o.plain("regularMarketTime", m.regular)
	o.boolean("hasPrePostMarketData", v.extended)
	o.plain("gmtoffset", int64(m.offset))
	o.text("timezone", m.zone)
	o.text("exchangeTimezoneName", v.zone)
	rounded(&o, "regularMarketPrice", lastOf(in, m, bars))
	rounded(&o, "fiftyTwoWeekHigh", f.yearHigh)
	rounded(&o, "fiftyTwoWeekLow", f.yearLow)
	low, high := in.dayRange(&f, m.regular)
	rounded(&o, "regularMarketDayHigh", high)
	rounded(&o, "regularMarketDayLow", low)
	o.plain("regularMarketVolume", in.volumeAt(m.last, m.regular))
	if in.long != "" {
		o.text("longName", in.long)
	}
	o.text("shortName", in.short)
	first := q.p1
	if len(bars) > 0 {
		first = bars[0].start
	}
	rounded(&o, "chartPreviousClose", in.path.at(v.sessionBefore(v.dateOf(first)).close))
	if q.step != 0 {
		rounded(&o, "previousClose", f.previous)
		o.plain("scale", 3)
	}
	o.plain("priceHint", int64(in.hint))
	o.key("currentTradingPeriod")
	o.b = appendPeriods(o.b, v, m.current)
	if q.step != 0 {
		o.key("tradingPeriods")
		o.b = appendTradingPeriods(o.b, v, q, m)
	}
	o.text("dataGranularity", q.reported)
	o.text("range", q.span)
	o.b = append(append(o.b, ','), validRanges...)
	o.end()
	return o.b
}

// appendPeriods writes a session. A market that never closes is said to close a
// minute before midnight (recorded).
func appendPeriods(b []byte, v *venue, s session) []byte {
	if v.nonstop && !v.always {
		s.open, s.close = s.stamp, s.stamp+day-60
		s.pre, s.post = s.open, s.close
	}
	b = appendPeriod(append(b, `{"pre":`...), v, s.pre, s.open)
	b = appendPeriod(append(b, `,"regular":`...), v, s.open, s.close)
	b = appendPeriod(append(b, `,"post":`...), v, s.close, s.post)
	return append(b, '}')
}

func appendPeriod(b []byte, v *venue, start, end int64) []byte {
	zone, offset := time.Unix(start, 0).In(v.location).Zone()
	b = appendString(append(b, `{"timezone":`...), zone)
	b = strconv.AppendInt(append(b, `,"start":`...), start, 10)
	b = strconv.AppendInt(append(b, `,"end":`...), end, 10)
	b = strconv.AppendInt(append(b, `,"gmtoffset":`...), int64(offset), 10)
	return append(b, '}')
}

// appendTradingPeriods has two shapes: a list of days, or with includePrePost an
// object of three such lists.
func appendTradingPeriods(b []byte, v *venue, q *chartQuery, m *moment) []byte {
	var days []session
	for s := v.sessionAfter(v.dateOf(q.p1)); s.open < q.p2 && s.pre <= m.now; s = v.sessionAfter(s.date + 1) {
		days = append(days, s)
	}
	list := func(b []byte, span func(session) (int64, int64)) []byte {
		b = append(b, '[')
		for i, s := range days {
			if i > 0 {
				b = append(b, ',')
			}
			start, end := span(s)
			b = append(appendPeriod(append(b, '['), v, start, end), ']')
		}
		return append(b, ']')
	}
	regular := func(s session) (int64, int64) { return s.open, s.close }
	if !q.prePost || !v.extended {
		return list(b, regular)
	}
	b = list(append(b, `{"pre":`...), func(s session) (int64, int64) { return s.pre, s.open })
	b = list(append(b, `,"post":`...), func(s session) (int64, int64) { return s.close, s.post })
	return append(list(append(b, `,"regular":`...), regular), '}')
}
