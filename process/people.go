package process

import (
	"context"
	"fmt"

	"kurs"
	"kurs/process/fx"
)

// This file does what people say: they decide of what was set aside, correct
// prices and name instruments. What they say comes as a raw message like any
// answer, so it reaches every store, once, and a replay does it again.

// doubtedRates sets the rates of the message aside that cannot be rates, and
// those that the book does not believe.
func (c *conversion) doubtedRates(refused []fx.Refused) {
	for _, r := range refused {
		if r.Reason == "" {
			c.out.refuse(r.Symbol, r.Time, r.Detail)
			continue
		}
		c.asideRate(r)
	}
	doubts := c.Rates.Doubts(c.raw.ID)
	if len(doubts) == 0 {
		return
	}
	kept := c.out.Batch.Rates[:0]
	for _, r := range c.out.Batch.Rates {
		if i := doubtOf(r, doubts); i >= 0 {
			c.asideRate(doubts[i])
			continue
		}
		kept = append(kept, r)
	}
	c.out.Batch.Rates = kept
}

// doubtOf finds the doubt of a rate; -1 where it is believed.
func doubtOf(r kurs.Rate, doubts []fx.Refused) int {
	for i := range doubts {
		d := &doubts[i]
		if pair, ok := kurs.ParsePair(d.Symbol); ok && pair == r.Pair && d.Time.Equal(r.Time) && d.Source == r.Source &&
			d.Interval == r.Interval && d.Value == r.Value {
			return i
		}
	}
	return -1
}

func (c *conversion) asideRate(r fx.Refused) {
	c.aside(kurs.SetAside{
		Kind: kurs.AsideRate, Interval: r.Interval, Reason: r.Reason, Detail: r.Detail,
		Price: kurs.Price{Receipt: c.receipt(), Quote: kurs.Quote{
			Symbol: r.Symbol, Source: r.Source, Time: r.Time, Session: r.Session, Value: r.Value, Unit: r.Unit,
		}},
	})
}

// spoiled sets aside what was no number.
func (c *conversion) spoiled() {
	for _, s := range c.seen.Spoiled {
		if _, pair := kurs.ParsePair(s.Symbol); pair {
			s.Kind = kurs.AsideRate
		}
		s.Receipt = c.receipt()
		c.aside(s)
	}
}

// people does what the message says of other observations.
func (c *conversion) people() {
	kept := map[observation]bool{}
	for _, d := range c.seen.Decisions {
		d.Receipt = c.receipt()
		c.said(&d.Of.Price)
		if d.Of.Kind == kurs.AsideRate {
			d.Of.Conversion = kurs.Conversion{BaseCurrency: c.Base}
		}
		if d.Action == kurs.ActionKeep {
			of := observationOf(&d.Of)
			if kept[of] {
				c.out.refuse(d.Of.Symbol, d.Of.Time, "cannot be kept: another of that time is kept in the same message")
				continue
			}
			kept[of] = true
			if err := c.keep(d); err != nil {
				c.out.refuse(d.Of.Symbol, d.Of.Time, "cannot be kept: "+err.Error())
				continue
			}
		}
		c.out.Batch.Decisions = append(c.out.Batch.Decisions, d)
	}
	for _, k := range c.seen.Corrections {
		k.Receipt = c.receipt()
		c.said(&k.Price)
		if !k.Undo {
			c.convert(&k.Price)
		}
		c.out.Batch.Corrections = append(c.out.Batch.Corrections, k)
	}
	for _, a := range c.seen.Aliases {
		a.Receipt = c.receipt()
		c.out.Batch.Aliases = append(c.out.Batch.Aliases, a)
	}
}

// observation is what a price, a bar or a rate is known by.
type observation struct {
	kind                     kurs.AsideKind
	symbol, source, interval string
	session                  kurs.Session
	at                       int64
}

func observationOf(s *kurs.SetAside) observation {
	return observation{s.Kind, s.Symbol, s.Source, s.Interval, s.Session, s.Time.UnixMilli()}
}

// said makes the conversion of a price that a person speaks of what it would be
// by itself: only its rate is taken over, and only into the base currency.
func (c *conversion) said(p *kurs.Price) {
	rate := p.Rate
	p.Conversion = kurs.Conversion{BaseCurrency: c.Base}
	if currency, factor, ok := kurs.CurrencyOf(p.Unit); ok {
		p.Currency, p.Factor = currency, factor
		if currency != c.Base && rate.Pair == (kurs.Pair{From: currency, To: c.Base}) && rate.Value.Sign() > 0 {
			p.Rate = rate
		}
	}
}

// keep makes a price or a bar of what was set aside, times the factor. It counts
// from the decision on and is known by its receipt, so that another decision can
// take its place, and nobody takes it for known before. The rate is that of its
// reception. A rate that is kept is among the message's rates.
func (c *conversion) keep(d kurs.Decision) error {
	of := d.Of
	values := []*kurs.Decimal{&of.Value, &of.Bid, &of.Ask, &of.Open, &of.High, &of.Low}
	for _, v := range values {
		if !v.Known() {
			continue
		}
		times, err := v.Mul(d.Factor)
		if err != nil {
			return err
		}
		*v = times
	}
	switch of.Kind {
	case kurs.AsideQuote:
		c.price(kurs.Price{Quote: of.Quote, Receipt: d.Receipt, Conversion: of.Conversion})
	case kurs.AsideBar:
		c.pricedBar(kurs.PricedBar{Receipt: d.Receipt, Conversion: of.Conversion, Bar: kurs.Bar{
			Symbol: of.Symbol, Source: of.Source, Start: of.Time, Interval: of.Interval, Open: of.Open, High: of.High, Low: of.Low,
			Close: of.Value, Approximate: of.Approximate, Volume: of.Volume, Unit: of.Unit,
		}})
	case kurs.AsideRate:
	}
	return nil
}

// settle tells who acquires which prices people found to be right, so that what
// comes next is held against those; and of one that was kept and is dropped now,
// what is right in its place. The newest of a symbol is told.
func (s *stage) settle(ctx context.Context, results []result) error {
	right := map[string]kurs.Neighbour{}
	for i := range results {
		for j := range results[i].Batch.Decisions {
			d := &results[i].Batch.Decisions[j]
			of := &d.Of
			if of.Kind != kurs.AsideQuote || of.Time.Before(right[of.Symbol].Time) {
				continue
			}
			switch {
			case d.Action == kurs.ActionKeep && d.Factor == kurs.Int(1):
				right[of.Symbol] = kurs.Neighbour{Unit: of.Unit, Value: of.Value, Time: of.Time}
			case d.Action == kurs.ActionDrop && d.Near.Known():
				right[of.Symbol] = kurs.Neighbour{Unit: d.Near.Unit, Value: d.Near.Value, Time: of.Time}
			}
		}
	}
	for symbol, near := range right {
		if !near.Known() {
			continue
		}
		if err := s.q.PutSettled(ctx, symbol, near); err != nil {
			return fmt.Errorf("settle %s: %w", symbol, err)
		}
	}
	return nil
}
