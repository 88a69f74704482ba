package kurs

import "time"

// BarRow is the flat form of a bar: the columns of the view v_bars, under the same
// names in every store, file and answer. Unknown values are left out.
type BarRow struct {
	Symbol         string    `json:"symbol"`
	Time           time.Time `json:"time"` // its start, UTC
	Interval       string    `json:"interval"`
	OpenNative     Decimal   `json:"open_native,omitzero"`
	HighNative     Decimal   `json:"high_native,omitzero"`
	LowNative      Decimal   `json:"low_native,omitzero"`
	CloseNative    Decimal   `json:"close_native,omitzero"`
	Unit           string    `json:"unit,omitempty"`
	CurrencyNative string    `json:"currency_native,omitempty"`
	Factor         Decimal   `json:"factor,omitzero"`
	FXRate         Decimal   `json:"fx_rate,omitzero"` // of a provider's bar; one of prices has a rate a price
	FXTime         time.Time `json:"fx_time,omitzero"`
	FXSource       string    `json:"fx_source,omitempty"`
	OpenBase       Decimal   `json:"open_base,omitzero"`
	HighBase       Decimal   `json:"high_base,omitzero"`
	LowBase        Decimal   `json:"low_base,omitzero"`
	CloseBase      Decimal   `json:"close_base,omitzero"`
	CurrencyBase   string    `json:"currency_base"`
	Volume         *int64    `json:"volume,omitempty"`
	Source         string    `json:"source,omitempty"`
	ReceivedISO    time.Time `json:"received_iso,omitzero"`
	Approximate    bool      `json:"approximate,omitempty"`
	Origin         Origin    `json:"origin,omitempty"`
	Instrument     string    `json:"instrument,omitempty"` // where it goes by another name: that

	MadeOf      MadeOf  `json:"made_of"`
	Prices      int64   `json:"prices,omitempty"`      // that it was made of
	Unconverted int64   `json:"unconverted,omitempty"` // of these, without a base value: then the bar has none either
	Unfinished  bool    `json:"unfinished,omitempty"`  // its interval is not over
	Rewritten   bool    `json:"rewritten,omitempty"`   // received after a split that it is older than: in the new shares
	SplitFactor Decimal `json:"split_factor,omitzero"` // what the values were multiplied with for splits since
}

// MadeOf says how a bar came to be, and so how it was converted.
type MadeOf string

// The ways in which bars are made.
const (
	MadeOfPrices   MadeOf = "prices"   // by kurs, of prices that were each converted at its own time
	MadeByProvider MadeOf = "provider" // by the provider; converted whole, with the rate as of its end
)
