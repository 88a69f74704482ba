package fx

import (
	"fmt"
	"slices"
	"time"

	"kurs"
)

// Refused is an observation of a currency pair that is taken for no rate, and
// why.
type Refused struct {
	Symbol   string
	Source   string
	Time     time.Time // that it is a rate as of; of a bar its end
	Session  kurs.Session
	Interval string // of a bar
	Value    kurs.Decimal
	Unit     string
	Reason   kurs.Reason // empty: it was not asked for, and is of no use
	Detail   string
}

// RatesOf is the rates that a raw message tells of, in its order: the quotes and
// bars of symbols that are currency pairs, the rates of a source that tells
// nothing else, and those that a person decided to keep. It depends on nothing but
// its arguments, so every book that is told of a message learns the same from it.
//
// A bar is a rate as of its end, and none before it is over. What cannot be a
// rate is refused: a price that is not above 0, a time that is missing or later
// than the reception by more than 5 minutes, a unit that is not the pair's second
// currency, a pair that was not asked for. An empty unit is the second currency:
// the symbol says so.
func RatesOf(obs kurs.Observed, raw kurs.Raw) ([]kurs.Rate, []Refused) {
	o := observer{raw: raw}
	for i := range obs.Quotes {
		q := &obs.Quotes[i]
		o.see(Refused{Symbol: q.Symbol, Source: q.Source, Time: q.Time, Session: q.Session, Value: q.Value, Unit: q.Unit}, q.Time, true)
	}
	for i := range obs.Bars {
		b := &obs.Bars[i]
		over := b.End().After(b.Start) && !b.End().After(raw.Received)
		o.see(Refused{Symbol: b.Symbol, Source: b.Source, Time: b.Start, Interval: b.Interval, Value: b.Close, Unit: b.Unit}, b.End(), over)
	}
	for _, r := range obs.Rates {
		r.Value = r.Value.Round(kurs.Precision)
		r.Received, r.Raw = raw.Received.UTC(), raw.ID
		seen := Refused{Symbol: r.Pair.Symbol(), Source: r.Source, Time: r.Time, Interval: r.Interval, Value: r.Value, Unit: r.To}
		if reason, detail := unfit(r.Pair, seen, raw.Received); reason != "" {
			seen.Reason, seen.Detail = reason, detail
			o.refused = append(o.refused, seen)
			continue
		}
		o.rates = append(o.rates, r)
	}
	for i := range obs.Decisions {
		o.keep(&obs.Decisions[i])
	}
	return o.rates, o.refused
}

// observer reads one message.
type observer struct {
	raw     kurs.Raw
	rates   []kurs.Rate
	refused []Refused
}

// see takes a quote or a bar for a rate as of a time, if it is one of a pair and
// if it may be taken for one already.
func (o *observer) see(seen Refused, asOf time.Time, over bool) {
	pair, ok := kurs.ParsePair(seen.Symbol)
	if !ok {
		return
	}
	if seen.Reason, seen.Detail = unfit(pair, seen, o.raw.Received); seen.Reason != "" {
		if seen.Time.Unix() > 0 { // should a person keep it, it is a rate of then
			seen.Time = asOf
		}
		o.refused = append(o.refused, seen)
		return
	}
	if len(o.raw.Asked) > 0 && !slices.ContainsFunc(o.raw.Asked, func(symbol string) bool { return isPair(symbol, pair) }) {
		seen.Detail = "not asked for"
		o.refused = append(o.refused, seen)
		return
	}
	if over {
		o.rates = append(o.rates, kurs.Rate{
			Pair: pair, Value: seen.Value.Round(kurs.Precision), Time: asOf.UTC(), Source: seen.Source, Symbol: seen.Symbol,
			Interval: seen.Interval, Received: o.raw.Received.UTC(), Raw: o.raw.ID,
		})
	}
}

// keep takes a rate that a person decided to keep. It counts from the decision
// on: what was converted before stays as it is.
func (o *observer) keep(d *kurs.Decision) {
	pair, ok := kurs.ParsePair(d.Of.Symbol)
	if !ok || d.Of.Kind != kurs.AsideRate || d.Action != kurs.ActionKeep {
		return
	}
	value, err := d.Of.Value.Mul(d.Factor)
	if err != nil || value.Sign() <= 0 || d.Of.Time.IsZero() {
		return
	}
	o.rates = append(o.rates, kurs.Rate{
		Pair: pair, Value: value.Round(kurs.Precision), Time: d.Of.Time.UTC(), Source: d.Of.Source, Symbol: d.Of.Symbol, Interval: d.Of.Interval,
		Received: o.raw.Received.UTC(), Raw: o.raw.ID, Kept: true,
	})
}

// unfit says why something is no rate; nothing when it is one.
func unfit(pair kurs.Pair, seen Refused, received time.Time) (reason kurs.Reason, detail string) {
	switch {
	case !seen.Value.Known():
		return kurs.ReasonValue, ""
	case seen.Value.Sign() <= 0:
		return kurs.ReasonSign, ""
	case seen.Time.Unix() <= 0: // the zero time too
		return kurs.ReasonTime, ""
	case seen.Time.Sub(received) > kurs.Ahead:
		return kurs.ReasonFuture, "received " + received.UTC().Format(time.RFC3339)
	case seen.Unit != "" && seen.Unit != pair.To:
		return kurs.ReasonUnit, fmt.Sprintf("%s is in %s", pair, pair.To)
	}
	return "", ""
}

func isPair(symbol string, pair kurs.Pair) bool {
	p, ok := kurs.ParsePair(symbol)
	return ok && p == pair
}
