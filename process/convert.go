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
	upTo uint64
	out  *Outcome
}

func (c *conversion) receipt() kurs.Receipt {
	return kurs.Receipt{Received: c.raw.Received.UTC(), Raw: c.raw.ID}
}

func (c *conversion) quote(q kurs.Quote) {
	if reason := c.unfit(q.Value, q.Time); reason != "" {
		c.out.refuse(q.Symbol, q.Time, reason)
		return
	}
	p := kurs.Price{Quote: q, Receipt: c.receipt(), Conversion: c.conversion(q.Unit, q.Time)}
	if p.Rate.Known() {
		var err error
		if p.Base, err = kurs.Convert(q.Value, p.Factor, p.Rate.Value); err != nil {
			c.out.refuse(q.Symbol, q.Time, "no value in "+c.Base+": "+err.Error())
			p.Rate = kurs.Rate{}
		}
	} else if p.Currency != "" {
		c.out.Pending = append(c.out.Pending, Pending{
			Symbol: q.Symbol, Source: q.Source, Time: q.Time, Session: q.Session, Received: p.Received, Raw: p.Raw,
			Currency: p.Currency, Factor: p.Factor, At: q.Time, Value: q.Value,
		})
	}
	c.out.Batch.Prices = append(c.out.Batch.Prices, p)
}

func (c *conversion) bar(b kurs.Bar) {
	if reason := c.unfit(b.Close, b.Start); reason != "" {
		c.out.refuse(b.Symbol, b.Start, reason)
		return
	}
	p := kurs.PricedBar{Bar: b, Receipt: c.receipt(), Conversion: c.conversion(b.Unit, b.End())}
	if p.Rate.Known() {
		base, err := convertBar([4]kurs.Decimal{b.Open, b.High, b.Low, b.Close}, p.Factor, p.Rate.Value)
		if err != nil {
			c.out.refuse(b.Symbol, b.Start, "no value in "+c.Base+": "+err.Error())
			p.Rate = kurs.Rate{}
		}
		p.BaseOpen, p.BaseHigh, p.BaseLow, p.BaseClose = base[0], base[1], base[2], base[3]
	} else if p.Currency != "" {
		c.out.Pending = append(c.out.Pending, Pending{
			Symbol: b.Symbol, Source: b.Source, Time: b.Start, Interval: b.Interval, Received: p.Received, Raw: p.Raw,
			Currency: p.Currency, Factor: p.Factor, At: b.End(), Value: b.Close, Open: b.Open, High: b.High, Low: b.Low,
		})
	}
	c.out.Batch.Bars = append(c.out.Batch.Bars, p)
}

// unfit says why a price cannot be kept; nothing when it can. Prices may be
// negative (oil, April 2020).
func (c *conversion) unfit(value kurs.Decimal, at time.Time) string {
	switch {
	case !value.Known():
		return "no price"
	case at.Unix() <= 0: // the zero time too
		return "no time"
	case at.Sub(c.raw.Received) > mostAhead:
		return "a time in the future of its reception, " + c.raw.Received.UTC().Format(time.RFC3339)
	}
	return ""
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
	if rate, known := c.Rates.AsOf(kurs.Pair{From: currency, To: c.Base}, at, c.upTo); known {
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
