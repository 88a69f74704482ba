package kurs

import "time"

// An Explanation is all that is stored of one price: what was seen, what it was
// converted with, and what else was ever said of it.
type Explanation struct {
	Row
	Raw        RawID         `json:"raw"`                  // the receipt of what is shown
	SeenISO    time.Time     `json:"seen_iso"`             // when it was last received unchanged
	FilledISO  time.Time     `json:"filled_iso,omitzero"`  // when the rate came, where that was later than the price
	Correction string        `json:"correction,omitempty"` // the reason of the author
	Kept       *Kept         `json:"kept,omitempty"`       // where it was set aside, and a person kept it
	Rates      []RateReceipt `json:"rates,omitempty"`      // those that were quoted: the rate itself, or its legs
	Versions   []Version     `json:"versions"`             // in the order in which they were received; one of them is shown
}

// Kept is what a price was before a person kept it.
type Kept struct {
	PriceNative Decimal   `json:"price_native"` // as it was quoted
	Unit        string    `json:"unit,omitempty"`
	Reason      Reason    `json:"reason"` // why it was set aside
	Detail      string    `json:"detail,omitempty"`
	Factor      Decimal   `json:"factor"`
	Author      string    `json:"author"`
	Comment     string    `json:"comment,omitempty"`
	ReceivedISO time.Time `json:"received_iso"`
	Origin      Origin    `json:"origin,omitempty"`
	Raw         RawID     `json:"raw"` // the message that it came in
}

// A RateReceipt is a quoted rate that a price was converted with.
type RateReceipt struct {
	Pair        string    `json:"pair"`
	Rate        Decimal   `json:"rate"`
	Time        time.Time `json:"time"`
	Source      string    `json:"source"`
	Interval    string    `json:"interval,omitempty"`    // of the bar that it was read from
	Inverse     bool      `json:"inverse,omitempty"`     // it was read the other way round
	ReceivedISO time.Time `json:"received_iso,omitzero"` // zero: not known, as of one that a person wrote down
	Raw         *RawID    `json:"raw,omitempty"`
}

// A Version is a price as it was said once.
type Version struct {
	PriceNative Decimal   `json:"price_native,omitzero"` // unknown: a correction was taken back
	Unit        string    `json:"unit,omitempty"`
	FXRate      Decimal   `json:"fx_rate,omitzero"`
	FXTime      time.Time `json:"fx_time,omitzero"`
	FXSource    string    `json:"fx_source,omitempty"`
	PriceBase   Decimal   `json:"price_base,omitzero"`
	Approximate bool      `json:"approximate,omitempty"`
	ReceivedISO time.Time `json:"received_iso"`
	SeenISO     time.Time `json:"seen_iso,omitzero"` // when it was last received unchanged
	Origin      Origin    `json:"origin,omitempty"`
	CorrectedBy string    `json:"corrected_by,omitempty"`
	Correction  string    `json:"correction,omitempty"`
	Raw         RawID     `json:"raw"`
	Shown       bool      `json:"shown"`
	Withdrawn   bool      `json:"withdrawn,omitempty"` // a person kept it, and took that back later
}

// A BarExplanation is all that is stored of one bar of a provider.
type BarExplanation struct {
	BarRow
	Raw       RawID         `json:"raw"`
	SeenISO   time.Time     `json:"seen_iso"`
	FilledISO time.Time     `json:"filled_iso,omitzero"`
	Rates     []RateReceipt `json:"rates,omitempty"`
	Versions  []BarVersion  `json:"versions"`
}

// A BarVersion is a bar as the provider sent it once.
type BarVersion struct {
	OpenNative  Decimal   `json:"open_native,omitzero"`
	HighNative  Decimal   `json:"high_native,omitzero"`
	LowNative   Decimal   `json:"low_native,omitzero"`
	CloseNative Decimal   `json:"close_native,omitzero"`
	Unit        string    `json:"unit,omitempty"`
	Volume      *int64    `json:"volume,omitempty"`
	FXRate      Decimal   `json:"fx_rate,omitzero"`
	CloseBase   Decimal   `json:"close_base,omitzero"`
	ReceivedISO time.Time `json:"received_iso"`
	SeenISO     time.Time `json:"seen_iso"`
	Origin      Origin    `json:"origin,omitempty"`
	Rewritten   bool      `json:"rewritten,omitempty"`
	Raw         RawID     `json:"raw"`
	Shown       bool      `json:"shown"`
}
