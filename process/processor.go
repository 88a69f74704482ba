package process

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"kurs"
	"kurs/fault"
	"kurs/process/fx"
)

// Rates answers which rate a price is converted with, and which rates of a
// message were not believed. A [fx.Book] does.
type Rates interface {
	AsReceived(pair kurs.Pair, at time.Time, upTo uint64) (kurs.Rate, bool)
	Doubts(raw kurs.RawID) []fx.Refused
}

// Processor turns one raw message at a time into prices. It holds no state, so
// any number of workers share one.
type Processor struct {
	Base   string                 // base currency, ISO 4217
	Decode map[string]kurs.Decode // by source
	Policy fx.Policy              // how long a rate is good for, as it is stored with the rate
	Rates  Rates
}

// Outcome is all that became of one raw message.
type Outcome struct {
	Batch   kurs.Batch
	Pending []Pending // prices of the batch that found no rate
	Refused []string  // parts of the message that cannot be kept, and why
}

// Process decodes a message and converts its prices with the rates of the stream
// up to the sequence upTo; 0 is none. An error wraps [kurs.ErrRejected]: the
// message cannot be understood, now or later. A decoder that panics counts as
// such: nothing that a provider sends may end the process.
func (p *Processor) Process(raw kurs.Raw, upTo uint64) (Outcome, error) {
	fault.Point("process.before_decode")
	seen, err := p.decode(raw)
	if err != nil {
		return Outcome{}, err
	}
	rates, refused := fx.RatesOf(seen, raw)
	for i := range rates {
		rates[i].ValidFor = p.validFor(rates[i])
	}
	out := Outcome{Batch: kurs.Batch{
		Raws: []kurs.RawID{raw.ID}, BaseCurrency: p.Base, Rates: rates, Events: seen.Events, Instruments: undoubted(seen.Instruments, raw),
	}}
	if raw.Endpoint == kurs.EndpointStream {
		out.Batch.Instruments = nil // a frame says less of them than any other answer
	}
	c := conversion{Processor: p, raw: raw, seen: &seen, near: neighboursOf(raw), upTo: upTo, out: &out}
	c.doubtedRates(refused)
	for i := range seen.Quotes {
		if isPrice(seen.Quotes[i].Symbol, raw) {
			c.quote(seen.Quotes[i])
		}
	}
	bars := make([]kurs.Bar, 0, len(seen.Bars))
	for i := range seen.Bars {
		b := &seen.Bars[i]
		// A bar that is not over yet is no bar: it comes again, whole.
		begun := b.Start.Sub(raw.Received) <= kurs.Ahead
		if isPrice(b.Symbol, raw) && (!begun || !b.End().After(raw.Received)) {
			bars = append(bars, *b)
		}
	}
	c.bars(bars)
	c.spoiled()
	c.people()
	return out, nil
}

// Learn tells a book of the answer at a position of the stream rates.
func (p *Processor) Learn(book *fx.Book, pos uint64, raw kurs.Raw) {
	seen, err := p.decode(raw)
	if err != nil { // the same answer is on raw, where it becomes a dead letter
		book.Advance(pos)
		return
	}
	rates, _ := fx.RatesOf(seen, raw) // what is refused is set aside there
	if len(rates) == 0 {
		book.Tick(pos, raw.Received)
		return
	}
	book.Learn(pos, rates)
}

func (p *Processor) decode(raw kurs.Raw) (seen kurs.Observed, err error) {
	decode, ok := p.Decode[raw.Source]
	if !ok {
		return kurs.Observed{}, fmt.Errorf("%w: nothing here decodes answers of the source %q", kurs.ErrRejected, raw.Source)
	}
	defer func() {
		if trouble := recover(); trouble != nil {
			err = fmt.Errorf("%w: the decoder of %s panicked: %v", kurs.ErrRejected, raw.Source, trouble)
		}
	}()
	seen, err = decode(raw)
	switch {
	case err != nil && !errors.Is(err, kurs.ErrRejected):
		return seen, fmt.Errorf("%w: %w", kurs.ErrRejected, err)
	case err != nil:
		return seen, err
	case seen.Failure != nil:
		return seen, fmt.Errorf("%w: %s answered with an error: %w", kurs.ErrRejected, raw.Source, seen.Failure)
	}
	return seen, nil
}

// undoubted are instruments without the units for which the message's prices are
// set aside: what is known of their units already stays.
func undoubted(all []kurs.Instrument, raw kurs.Raw) []kurs.Instrument {
	out := slices.Clone(all)
	for i := range out {
		if near := raw.NeighbourOf(out[i].Symbol).Unit; near != "" && out[i].Unit != near {
			out[i].Unit = ""
		}
	}
	return out
}

// isPrice tells whether a symbol's quotes are prices that the user records.
// Those of currency pairs that nobody listed are rates alone.
func isPrice(symbol string, raw kurs.Raw) bool {
	if _, pair := kurs.ParsePair(symbol); !pair {
		return true
	}
	return slices.Contains(raw.Listed, symbol)
}

// validFor is the span that a rate is good for from its time on.
func (p *Processor) validFor(r kurs.Rate) time.Duration {
	if r.ValidFor > 0 {
		return r.ValidFor
	}
	if length, known := kurs.IntervalLength(r.Interval); r.Interval != "" && (!known || length >= 24*time.Hour) {
		return p.Policy.MaxAgeDaily
	}
	return p.Policy.MaxAge
}

func (o *Outcome) refuse(symbol string, at time.Time, reason string) {
	o.Refused = append(o.Refused, fmt.Sprintf("%q at %s: %s", symbol, at.UTC().Format(time.RFC3339), reason))
}
