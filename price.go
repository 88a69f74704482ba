package kurs

import "time"

// Receipt says when and by which answer kurs learned of something. With the
// natural key its time and raw message are what a version is known by.
type Receipt struct {
	Received time.Time // UTC
	Raw      RawID
	Origin   Origin
}

// Origin tells how something came to kurs; empty where an older kurs did not
// note it.
type Origin string

// The origins.
const (
	OriginPoll       Origin = "poll"       // it was asked for
	OriginStream     Origin = "stream"     // the provider sent it by itself
	OriginCorrection Origin = "correction" // a person said so
)

// Conversion is how a native value became a base value. Rate is unknown, and
// the base empty, until a rate of the right time is known.
type Conversion struct {
	Currency     string  // ISO 4217 of the unit: "GBP"
	Factor       Decimal // what turns the unit into the currency: 0.01
	Rate         Rate
	BaseCurrency string
}

// A Price is a quote in the user's own currency, with the rate that made it so.
// Base is unknown until a rate of the right time is known; it is filled in once
// and never changed.
type Price struct {
	Quote
	Receipt
	Conversion
	Base Decimal // = Value x Factor x Rate.Value, rounded once, half-even, to 15 digits
}

// A PricedBar is a provider's bar, converted whole with the rate as of its end.
type PricedBar struct {
	Bar
	Receipt
	Conversion
	BaseOpen, BaseHigh, BaseLow, BaseClose Decimal
}

// A Fill gives a price that was stored without a base value its rate. It names
// the price's natural key and version; a store applies it where the base is
// empty, and nowhere else.
type Fill struct {
	Symbol   string
	Source   string
	Time     time.Time // event time of the quote, or start of the bar
	Session  Session   // of a quote
	Interval string    // of a bar; empty for a quote
	Receipt
	Rate                                   Rate
	Base                                   Decimal // of a quote
	BaseOpen, BaseHigh, BaseLow, BaseClose Decimal // of a bar
}

// A Gap is a stretch of time in which prices could not be had, with the reason.
type Gap struct {
	Symbol   string
	Source   string
	From, To time.Time
	Reason   string
	Receipt
}

// Batch is what process hands to store in one message: all that came out of one
// or more raw messages.
type Batch struct {
	Raws         []RawID // the receipts that this batch accounts for
	BaseCurrency string
	Prices       []Price
	Bars         []PricedBar
	Rates        []Rate
	Events       []Event
	Instruments  []Instrument
	Fills        []Fill
	Gaps         []Gap
	SetAside     []SetAside
	Decisions    []Decision
	Corrections  []Correction
	Aliases      []Alias
}

// Rows is how many rows a batch becomes at most; what transactions are counted in.
func (b Batch) Rows() int {
	return len(b.Prices) + len(b.Bars) + len(b.Rates) + len(b.Events) + len(b.Instruments) + len(b.Fills) + len(b.Gaps) +
		len(b.SetAside) + len(b.Decisions) + len(b.Corrections) + len(b.Aliases)
}
