package rowtext

import (
	"fmt"
	"time"

	"kurs"
)

// Fill is the flat form of a fill: the key and the version of a price that was
// written without a base value, and what it lacked. The names are those of
// [kurs.Row].
type Fill struct {
	Symbol       string       `json:"symbol"`
	Time         time.Time    `json:"time"`
	Session      kurs.Session `json:"session"`
	Source       string       `json:"source"`
	ReceivedISO  time.Time    `json:"received_iso"` // that of the price
	FXRate       kurs.Decimal `json:"fx_rate,omitzero"`
	FXTime       time.Time    `json:"fx_time,omitzero"`
	FXSource     string       `json:"fx_source,omitempty"`
	PriceBase    kurs.Decimal `json:"price_base"`
	CurrencyBase string       `json:"currency_base"`
	From         string       `json:"-"` // the currency that the rate is from
}

func filled(f *kurs.Fill, base string) Fill {
	if base == "" {
		base = f.Rate.To
	}
	return Fill{
		Symbol: f.Symbol, Time: f.Time.UTC(), Session: f.Session, Source: f.Source, ReceivedISO: f.Received.UTC(),
		FXRate: f.Rate.Value, FXTime: f.Rate.Time, FXSource: f.Rate.Source, PriceBase: f.Base, CurrencyBase: base, From: f.Rate.From,
	}
}

// Each hands over what a store of lines writes of a batch, in its order: each
// price, and then each fill of one. Bars and all else are passed over. An error
// is that of what it was handed to, or that no line can show a price; both wrap
// [kurs.ErrRejected].
func Each(b *kurs.Batch, price func(*kurs.Row) error, fill func(*Fill) error) error {
	for i := range b.Prices {
		p := &b.Prices[i]
		if err := check(p); err != nil {
			return err
		}
		row := p.Row()
		if err := price(&row); err != nil {
			return fmt.Errorf("%w: %q: %w", kurs.ErrRejected, p.Symbol, err)
		}
	}
	for i := range b.Fills {
		f := &b.Fills[i]
		if f.Interval != "" {
			continue // a bar, which was not written
		}
		flat := filled(f, b.BaseCurrency)
		if err := fill(&flat); err != nil {
			return fmt.Errorf("%w: fill of %q: %w", kurs.ErrRejected, f.Symbol, err)
		}
	}
	return nil
}

// check refuses what no line can show.
func check(p *kurs.Price) error {
	switch year := p.Time.UTC().Year(); {
	case p.Symbol == "":
		return fmt.Errorf("%w: a price without a symbol", kurs.ErrRejected)
	case !p.Value.Known():
		return fmt.Errorf("%w: %q: a price without a value", kurs.ErrRejected, p.Symbol)
	case p.Time.IsZero() || year < 0 || year > 9999:
		return fmt.Errorf("%w: %q: a time that is not one", kurs.ErrRejected, p.Symbol)
	}
	return nil
}
