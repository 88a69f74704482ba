package process

import (
	"fmt"
	"time"

	"kurs"
)

// conversion is the work on one raw message.
type conversion struct {
	*Processor
	raw  kurs.Raw
	seen *kurs.Observed
	near neighbours
	upTo uint64
	out  *Outcome
}

func (c *conversion) receipt() kurs.Receipt {
	return kurs.Receipt{Received: c.raw.Received.UTC(), Raw: c.raw.ID, Origin: c.raw.Origin()}
}

// quote makes a price of a quote, or sets it aside.
func (c *conversion) quote(q kurs.Quote) {
	near := c.near.of(q.Symbol)
	reason := near.DoubtQuote(&q, c.raw.Received)
	p := kurs.Price{Quote: q, Receipt: c.receipt()}
	if reason != "" {
		c.aside(kurs.SetAside{Kind: kurs.AsideQuote, Price: p, Reason: reason, Detail: detail(reason, near, c.raw.Received)})
		return
	}
	c.near.set(q.Symbol, near.Next(&q))
	c.price(p)
}

func (c *conversion) price(p kurs.Price) {
	c.convert(&p)
	c.out.Batch.Prices = append(c.out.Batch.Prices, p)
}

// convert computes the base value of a price, or has it wait for a rate. A price
// that comes with its rate keeps it: it was found when the price was received.
func (c *conversion) convert(p *kurs.Price) {
	if !p.Rate.Known() {
		p.Conversion = c.conversion(p.Unit, p.Time)
	}
	if !p.Rate.Known() {
		if p.Currency != "" {
			c.out.Pending = append(c.out.Pending, Pending{
				Symbol: p.Symbol, Source: p.Source, Time: p.Time, Session: p.Session, Received: p.Received, Raw: p.Raw,
				Currency: p.Currency, Factor: p.Factor, At: p.Time, Value: p.Value,
			})
		}
		return
	}
	var err error
	if p.Base, err = kurs.Convert(p.Value, p.Factor, p.Rate.Value); err != nil {
		c.out.refuse(p.Symbol, p.Time, "no value in "+c.Base+": "+err.Error())
		p.Rate = kurs.Rate{}
	}
}

// bar converts a bar that is kept.
func (c *conversion) bar(b kurs.Bar) { c.pricedBar(kurs.PricedBar{Bar: b, Receipt: c.receipt()}) }

func (c *conversion) pricedBar(p kurs.PricedBar) {
	if !p.Rate.Known() {
		p.Conversion = c.conversion(p.Unit, p.End())
	}
	if p.Rate.Known() {
		base, err := convertBar([4]kurs.Decimal{p.Open, p.High, p.Low, p.Close}, p.Factor, p.Rate.Value)
		if err != nil {
			c.out.refuse(p.Symbol, p.Start, "no value in "+c.Base+": "+err.Error())
			p.Rate = kurs.Rate{}
		}
		p.BaseOpen, p.BaseHigh, p.BaseLow, p.BaseClose = base[0], base[1], base[2], base[3]
	} else if p.Currency != "" {
		c.out.Pending = append(c.out.Pending, Pending{
			Symbol: p.Symbol, Source: p.Source, Time: p.Start, Interval: p.Interval, Received: p.Received, Raw: p.Raw,
			Currency: p.Currency, Factor: p.Factor, At: p.End(), Value: p.Close, Open: p.Open, High: p.High, Low: p.Low,
		})
	}
	c.out.Batch.Bars = append(c.out.Batch.Bars, p)
}

// aside keeps an observation that is probably wrong, with the rate of its time:
// should a person keep it later, the rate book may have forgotten that.
func (c *conversion) aside(s kurs.SetAside) {
	at := s.Time
	if s.Kind == kurs.AsideBar {
		at = kurs.Bar{Start: s.Time, Interval: s.Interval}.End()
	}
	s.Conversion = kurs.Conversion{BaseCurrency: c.Base}
	if s.Kind != kurs.AsideRate {
		s.Conversion = c.conversion(s.Unit, at)
	}
	c.out.Batch.SetAside = append(c.out.Batch.SetAside, s)
}

// conversion finds the rate of a price as of its time. The rate is unknown where
// there is none; the currency too, where the unit is none.
func (c *conversion) conversion(unit string, at time.Time) kurs.Conversion {
	out := kurs.Conversion{BaseCurrency: c.Base}
	currency, factor, ok := kurs.CurrencyOf(unit)
	if !ok {
		return out
	}
	out.Currency, out.Factor = currency, factor
	if rate, known := c.Rates.AsReceived(kurs.Pair{From: currency, To: c.Base}, at, c.upTo); known {
		out.Rate = rate
	}
	return out
}

// convertBar converts what is known of a bar; what is not stays unknown.
func convertBar(native [4]kurs.Decimal, factor, rate kurs.Decimal) (base [4]kurs.Decimal, err error) {
	for i, v := range native {
		if !v.Known() {
			continue
		}
		if base[i], err = kurs.Convert(v, factor, rate); err != nil {
			return [4]kurs.Decimal{}, fmt.Errorf("convert %s: %w", v, err)
		}
	}
	return base, nil
}
