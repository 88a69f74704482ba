package kurs

import "time"

// Row is the flat form of a price: the columns of the view v_quotes, under the
// same names in every store, file and answer. Decimals are JSON strings, times
// RFC 3339 UTC, unknown values are left out.
type Row struct {
	Symbol         string    `json:"symbol"`
	Time           time.Time `json:"time"`
	PriceNative    Decimal   `json:"price_native"`
	Unit           string    `json:"unit,omitempty"`
	CurrencyNative string    `json:"currency_native,omitempty"`
	Factor         Decimal   `json:"factor,omitzero"`
	FXRate         Decimal   `json:"fx_rate,omitzero"`
	FXTime         time.Time `json:"fx_time,omitzero"`
	FXSource       string    `json:"fx_source,omitempty"`
	PriceBase      Decimal   `json:"price_base,omitzero"`
	CurrencyBase   string    `json:"currency_base"`
	Bid            Decimal   `json:"bid,omitzero"`
	Ask            Decimal   `json:"ask,omitzero"`
	Volume         *int64    `json:"volume,omitempty"`
	Session        Session   `json:"session"`
	Source         string    `json:"source"`
	ReceivedISO    time.Time `json:"received_iso"`
	Approximate    bool      `json:"approximate,omitempty"`  // float32 or more than 15 digits: the last ones are not sure
	Origin         Origin    `json:"origin,omitempty"`       // how it came
	CorrectedBy    string    `json:"corrected_by,omitempty"` // the author of a correction
	Instrument     string    `json:"instrument,omitempty"`   // where it goes by another name: that
	SplitFactor    Decimal   `json:"split_factor,omitzero"`  // what the values were multiplied with for splits since
}

// Row flattens the price.
func (p Price) Row() Row {
	r := Row{
		Symbol:         p.Symbol,
		Time:           p.Time.UTC(),
		PriceNative:    p.Value,
		Unit:           p.Unit,
		CurrencyNative: p.Currency,
		Factor:         p.Factor,
		FXRate:         p.Rate.Value,
		FXTime:         p.Rate.Time,
		FXSource:       p.Rate.Source,
		PriceBase:      p.Base,
		CurrencyBase:   p.BaseCurrency,
		Bid:            p.Bid,
		Ask:            p.Ask,
		Session:        p.Session,
		Source:         p.Source,
		ReceivedISO:    p.Received.UTC(),
		Approximate:    p.Approximate,
		Origin:         p.Origin,
	}
	if p.Volume.Known {
		r.Volume = &p.Volume.N
	}
	return r
}
