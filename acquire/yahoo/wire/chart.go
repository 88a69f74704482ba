package wire

import (
	"time"

	"kurs"
)

// meta is what is wanted of a chart's "meta", as sent. regularMarketPrice is
// there too, but rounded by Yahoo (currencies to 4 decimals); see live.
type meta struct {
	symbol, kind, exchange, currency, zone, short, long []byte
	interval                                            string
	price, at, volume, offset                           []byte
	pre, regular, post                                  kurs.Span
}

// columns are the parallel arrays of a chart. They are remembered where they
// stand in the body and read abreast once the whole answer has been seen.
type columns struct{ time, open, high, low, close, volume column }

// maxElements bounds a chart; the longest of Yahoo, 2-minute bars of 60 days,
// has 43,200.
const maxElements = 250_000

// series reads one result of a chart answer (or one response of a v7 spark):
// an instrument, bars, events, and a quote from the trailing live element.
// symbol is its name where meta has none.
func (d *decoder) series(symbol string) {
	var (
		m      meta
		c      columns
		at     = d.i
		events = len(d.out.Events)
	)
	for key := range d.members() {
		switch string(key) {
		case "meta":
			d.meta(&m)
		case "timestamp":
			d.column(&c.time)
		case "indicators":
			d.indicators(&c)
		case "events":
			d.events()
		}
	}
	if d.failed() {
		return
	}
	if s := canonical(m.symbol); s != "" {
		symbol = s
	}
	if symbol == "" {
		d.fail(at, "a chart without a symbol")
		return
	}
	unit := d.names.share(m.currency)
	for i := range d.out.Events[events:] {
		e := &d.out.Events[events+i]
		e.Symbol, e.Source = symbol, Source
		if e.Unit == "" && e.Kind != kurs.EventSplit {
			e.Unit = unit
		}
	}
	d.instrument(kurs.Instrument{
		Symbol: symbol, Source: Source, Name: nameOf(m.long, m.short), Kind: kindOf(d.names.share(m.kind)),
		Exchange: d.names.share(m.exchange), Unit: unit, TimeZone: d.names.share(m.zone),
	})
	if !m.regular.Empty() {
		d.out.Hours = append(d.out.Hours, kurs.Hours{
			Symbol: symbol, Exchange: d.names.share(m.exchange), Pre: m.pre, Regular: m.regular, Post: m.post,
		})
	}
	d.elementsOf(&m, &c, symbol, unit)
}

// onlySeries reads a result of a chart answer, which is about one symbol.
func (d *decoder) onlySeries() {
	symbol := ""
	if len(d.asked) == 1 {
		symbol = kurs.CanonicalSymbol(d.asked[0])
	}
	d.series(symbol)
}

func (d *decoder) meta(m *meta) {
	for key := range d.members() {
		switch string(key) {
		case "symbol":
			d.firstText(&m.symbol)
		case "instrumentType":
			d.firstText(&m.kind)
		case "exchangeName":
			d.firstText(&m.exchange)
		case "currency":
			d.firstText(&m.currency)
		case "exchangeTimezoneName":
			d.firstText(&m.zone)
		case "shortName":
			d.firstText(&m.short)
		case "longName":
			d.firstText(&m.long)
		case "dataGranularity":
			m.interval = d.interval()
		case "regularMarketPrice":
			d.firstToken(&m.price)
		case "regularMarketTime":
			d.firstToken(&m.at)
		case "regularMarketVolume":
			d.firstToken(&m.volume)
		case "gmtoffset":
			d.firstToken(&m.offset)
		case "currentTradingPeriod":
			d.periods(m)
		}
	}
}

// periods reads currentTradingPeriod. Its namesake tradingPeriods, which comes in
// two shapes, is not needed: kurs keeps the provider's bars whatever their session.
func (d *decoder) periods(m *meta) {
	for key := range d.members() {
		switch string(key) {
		case "pre":
			m.pre = d.period()
		case "regular":
			m.regular = d.period()
		case "post":
			m.post = d.period()
		}
	}
}

func (d *decoder) period() (p kurs.Span) {
	for key := range d.members() {
		switch string(key) {
		case "start":
			p.From = seconds(d.token())
		case "end":
			p.To = seconds(d.token())
		}
	}
	return p
}

// interval reads dataGranularity: a name in chart and v7 spark ("5m"), a number
// of seconds in v8 spark (300).
func (d *decoder) interval() string {
	if d.next() == '"' {
		return d.names.share(d.text())
	}
	n, ok := whole(d.token())
	if !ok {
		return ""
	}
	for _, name := range []string{"1m", "2m", "5m", "15m", "30m", "1h", "90m", "4h", "1d", "5d", "1wk"} {
		if length, known := kurs.IntervalLength(name); known && int64(length/time.Second) == n {
			return name
		}
	}
	return ""
}

// indicators reads {"quote":[{"open":[...],...}],"adjclose":...}. Without bars
// it is {"quote":[{}]}. Adjusted closes change with each later dividend and are
// not kept.
func (d *decoder) indicators(c *columns) {
	for key := range d.members() {
		if string(key) != "quote" {
			continue
		}
		for n := range d.elements() {
			if n == 0 {
				d.prices(c)
			}
		}
	}
}

func (d *decoder) prices(c *columns) {
	for key := range d.members() {
		switch string(key) {
		case "open":
			d.column(&c.open)
		case "high":
			d.column(&c.high)
		case "low":
			d.column(&c.low)
		case "close":
			d.column(&c.close)
		case "volume":
			d.column(&c.volume)
		}
	}
}

// A column is an array of numbers that has been stepped over once, so is well
// formed.
type column struct {
	reader
	more bool
}

// column remembers the array that comes next, unless there was one of the name.
func (d *decoder) column(c *column) {
	if d.next() != '[' || c.b != nil {
		return
	}
	c.reader = reader{b: d.b, i: d.i + 1}
	c.more = c.next() != ']'
	d.skip()
}

// token reads the next number; nil where it is null, and after the end.
func (c *column) token() []byte {
	if !c.more {
		return nil
	}
	token := c.reader.token()
	c.more = c.next() == ','
	c.i++
	return token
}

// events reads {"dividends":{"1604673000":{...}},"splits":...}. Their symbol,
// and the unit where an event has none of its own, are filled in by the caller.
func (d *decoder) events() {
	for name := range d.members() {
		var kind kurs.EventKind
		switch string(name) {
		case "dividends":
			kind = kurs.EventDividend
		case "capitalGains":
			kind = kurs.EventCapitalGain
		case "splits":
			kind = kurs.EventSplit
		default:
			continue
		}
		for at := range d.members() {
			d.event(kind, at)
		}
	}
}

// event reads one event; at is the name of its member, the time as text.
func (d *decoder) event(kind kurs.EventKind, at []byte) {
	e := kurs.Event{Kind: kind}
	for key := range d.members() {
		switch string(key) {
		case "amount":
			e.Amount = decimal(d.token())
		case "currency":
			e.Unit = d.names.share(d.text())
		case "date":
			e.Time = seconds(d.token())
		case "numerator":
			e.Numerator = decimal(d.token())
		case "denominator":
			e.Denominator = decimal(d.token())
		}
	}
	if e.Time.IsZero() {
		e.Time = seconds(at)
	}
	complete := e.Amount.Known()
	if kind == kurs.EventSplit {
		complete = e.Numerator.Sign() > 0 && e.Denominator.Sign() > 0
		e.Unit, e.Amount = "", kurs.Decimal{}
	}
	if complete && !e.Time.IsZero() {
		d.out.Events = append(d.out.Events, e)
	}
}
