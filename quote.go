package kurs

import "time"

// Session is the part of a trading day in which a price was made.
type Session string

// The sessions.
const (
	SessionPre     Session = "pre"
	SessionRegular Session = "regular"
	SessionPost    Session = "post"
	SessionClosed  Session = "closed"
)

// A Quote is one observed price of an instrument at a time, as quoted: in pence
// where London quotes pence.
type Quote struct {
	Symbol      string
	Source      string
	Time        time.Time // event time, UTC: when the exchange says the price was made
	Session     Session
	Value       Decimal // in Unit
	Approximate bool    // float32 could not hold the digits the instrument trades at, or more than 15 digits
	Unit        string  // as quoted, letter case kept: "GBp". Empty: the source did not say
	Bid, Ask    Decimal // in Unit; unknown where the source sent none or 0
	Volume      Volume
	Delay       time.Duration // by which the exchange's data is delayed, as the source says
}

// Volume is a number of shares (or of base units) traded; the zero value is
// unknown, not none. It may exceed 2^31 (crypto).
type Volume struct {
	N     int64
	Known bool
}

// A Bar is open, high, low, close and volume of an interval.
type Bar struct {
	Symbol                 string
	Source                 string
	Start                  time.Time // UTC; of the session for bars of a day or longer
	Interval               string    // as Yahoo names it: "1m", "1d"
	Open, High, Low, Close Decimal   // in Unit; Close is always known
	Approximate            bool      // as for a quote
	Volume                 Volume
	Unit                   string
}

// End is when the bar is over: the time that its close is known as of. Months
// and longer have no fixed length; they end where the calendar says, in UTC.
func (b Bar) End() time.Time {
	if d, ok := intervals[b.Interval]; ok {
		return b.Start.Add(d)
	}
	switch b.Interval {
	case "1mo":
		return b.Start.AddDate(0, 1, 0)
	case "3mo":
		return b.Start.AddDate(0, 3, 0)
	}
	return b.Start
}

var intervals = map[string]time.Duration{
	"1m": time.Minute, "2m": 2 * time.Minute, "5m": 5 * time.Minute, "15m": 15 * time.Minute,
	"30m": 30 * time.Minute, "60m": time.Hour, "90m": 90 * time.Minute, "1h": time.Hour, "4h": 4 * time.Hour,
	"1d": 24 * time.Hour, "5d": 5 * 24 * time.Hour, "1wk": 7 * 24 * time.Hour,
}

// IntervalLength is the length of a bar's interval; ok is false for names that
// kurs does not know and for calendar months.
func IntervalLength(interval string) (length time.Duration, ok bool) {
	length, ok = intervals[interval]
	return length, ok
}

// EventKind tells what a company did.
type EventKind string

// The kinds of events.
const (
	EventDividend    EventKind = "dividend"
	EventSplit       EventKind = "split"
	EventCapitalGain EventKind = "capital_gain"
)

// An Event is a corporate action: stored as it was told, never applied to
// stored prices.
type Event struct {
	Kind                   EventKind
	Symbol                 string
	Source                 string
	Time                   time.Time // UTC, as the source dates it
	Amount                 Decimal   // of a dividend or capital gain, in Unit
	Unit                   string
	Numerator, Denominator Decimal // of a split: 4 and 1 for "4:1"
}

// InstrumentKind is what an instrument is.
type InstrumentKind string

// The kinds of instruments, in Yahoo's distinction.
const (
	KindEquity         InstrumentKind = "equity"
	KindETF            InstrumentKind = "etf"
	KindIndex          InstrumentKind = "index"
	KindCurrency       InstrumentKind = "currency"
	KindCryptocurrency InstrumentKind = "cryptocurrency"
	KindFuture         InstrumentKind = "future"
	KindFund           InstrumentKind = "fund"
	KindOption         InstrumentKind = "option"
	KindOther          InstrumentKind = "other"
)

// An Instrument is what has a price. Unknown texts are empty.
type Instrument struct {
	Symbol   string // Yahoo's name, canonical
	Source   string
	Name     string
	Kind     InstrumentKind
	Exchange string // Yahoo's short name: "LSE", "NMS", "CPH"
	Unit     string // as quoted: "GBp"
	TimeZone string // IANA: "Europe/London"
}
