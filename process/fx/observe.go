package fx

import (
	"fmt"
	"slices"
	"time"

	"kurs"
)

// maxAhead is how far a rate's time may be after its reception: clocks differ.
const maxAhead = 5 * time.Minute

// Refused is a quote or a bar of a currency pair that is no rate, and why.
type Refused struct {
	Symbol   string
	Source   string
	Time     time.Time // of a quote, or the start of a bar
	Session  kurs.Session
	Interval string // of a bar
	Value    kurs.Decimal
	Unit     string
	Reason   string
}

// RatesOf is the rates that a raw message tells of, in its order: the quotes and
// bars of symbols that are currency pairs. It depends on nothing but its
// arguments, so every book that is told of a message learns the same from it.
//
// A bar is a rate as of its end, and none before it is over. What cannot be a
// rate is refused: a price that is not above 0, a time that is missing or later
// than the reception by more than 5 minutes, a unit that is not the pair's second
// currency, a pair that was not asked for. An empty unit is the second currency:
// the symbol says so.
func RatesOf(obs kurs.Observed, raw kurs.Raw) ([]kurs.Rate, []Refused) {
	var (
		rates   []kurs.Rate
		refused []Refused
	)
	for i := range obs.Quotes {
		q := &obs.Quotes[i]
		pair, ok := kurs.ParsePair(q.Symbol)
		if !ok {
			continue
		}
		if reason := unfit(pair, q.Value, q.Unit, q.Time, raw); reason != "" {
			refused = append(refused, Refused{
				Symbol: q.Symbol, Source: q.Source, Time: q.Time, Session: q.Session, Value: q.Value, Unit: q.Unit, Reason: reason,
			})
			continue
		}
		rates = append(rates, rate(pair, q.Value, q.Time, q.Source, q.Symbol, "", raw))
	}
	for i := range obs.Bars {
		b := &obs.Bars[i]
		pair, ok := kurs.ParsePair(b.Symbol)
		if !ok {
			continue
		}
		reason := unfit(pair, b.Close, b.Unit, b.Start, raw)
		if reason == "" && !b.End().After(b.Start) {
			reason = fmt.Sprintf("a bar whose interval %q has no length", b.Interval)
		}
		if reason != "" {
			refused = append(refused, Refused{
				Symbol: b.Symbol, Source: b.Source, Time: b.Start, Interval: b.Interval, Value: b.Close, Unit: b.Unit, Reason: reason,
			})
			continue
		}
		if !b.End().After(raw.Received) {
			rates = append(rates, rate(pair, b.Close, b.End(), b.Source, b.Symbol, b.Interval, raw))
		}
	}
	return rates, refused
}

// unfit says why something is no rate; nothing when it is one.
func unfit(pair kurs.Pair, value kurs.Decimal, unit string, at time.Time, raw kurs.Raw) string {
	switch {
	case !value.Known():
		return "no price"
	case value.Sign() <= 0:
		return "a rate that is not above 0"
	case at.Unix() <= 0: // the zero time too
		return "no time"
	case at.Sub(raw.Received) > maxAhead:
		return "a time in the future of its reception, " + raw.Received.UTC().Format(time.RFC3339)
	case unit != "" && unit != pair.To:
		return fmt.Sprintf("unit %q, where %s is in %s", unit, pair, pair.To)
	case len(raw.Asked) > 0 && !slices.ContainsFunc(raw.Asked, func(symbol string) bool { return isPair(symbol, pair) }):
		return "not asked for"
	}
	return ""
}

func isPair(symbol string, pair kurs.Pair) bool {
	p, ok := kurs.ParsePair(symbol)
	return ok && p == pair
}

func rate(pair kurs.Pair, value kurs.Decimal, at time.Time, source, symbol, interval string, raw kurs.Raw) kurs.Rate {
	return kurs.Rate{
		Pair: pair, Value: value.Round(kurs.Precision), Time: at.UTC(), Source: source, Symbol: symbol,
		Interval: interval, Received: raw.Received.UTC(), Raw: raw.ID,
	}
}
