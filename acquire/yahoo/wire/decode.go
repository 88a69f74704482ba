// Package wire reads Yahoo Finance's messages: what a quote, chart, spark or
// search answer and a frame of the stream say, and in which of Yahoo's many
// shapes. It is pure: bytes in, the words of package kurs out, the same on every
// machine, today or from an archive.
//
// It must not know how an answer was got (no network, no session, no clock),
// what a price is worth in another currency, or whether it is plausible: it
// passes on what Yahoo said.
//
// Yahoo documents nothing of this. The facts were read in public clients
// (yfinance, node-yahoo-finance2, ghostfolio, portfolio-performance, ticker) and
// in the answers that they recorded; each is named where it is used.
package wire

import (
	"fmt"
	"sync"

	"kurs"
)

// Source is the name under which everything decoded here is observed.
const Source = "yahoo"

// MaxBody is the size of the largest answer that is read. Yahoo's largest, a
// chart over decades, has a few megabytes.
const MaxBody = 64 << 20

// Decode reads one answer, or for the stream one or several frames. It is a
// [kurs.Decode].
//
// The endpoint decides what is looked for; an answer to quoteSummary counts as
// a quote. An error that Yahoo answered with, in the envelope of any endpoint or
// as the plain text of a rate limit, is no error here but Observed.Failure. What
// is not Yahoo's, or cut off, is an error that tells the position and wraps
// [kurs.ErrRejected]; then nothing is observed.
//
// Symbols come in canonical form, so an answer matches what was asked. The body
// is not changed, and nothing that is returned refers to it.
func Decode(raw kurs.Raw) (kurs.Observed, error) {
	d, ok := decoders.Get().(*decoder)
	if !ok {
		d = new(decoder)
	}
	defer d.release()
	d.reset(raw)
	if err := d.decode(raw); err != nil {
		return kurs.Observed{}, fmt.Errorf("decode yahoo %s: %w", raw.Endpoint, err)
	}
	d.fillUnits(raw)
	return d.out, nil
}

// fillUnits gives prices that came without a unit the one that the message
// brings along: Yahoo's stream tells none but for coins.
func (d *decoder) fillUnits(raw kurs.Raw) {
	if len(raw.Units) == 0 || len(raw.Units) != len(raw.Asked) {
		return
	}
	for i := range d.out.Quotes {
		q := &d.out.Quotes[i]
		if q.Unit == "" {
			q.Unit = raw.UnitOf(q.Symbol)
		}
	}
	for i := range d.out.Spoiled {
		if s := &d.out.Spoiled[i]; s.Unit == "" {
			s.Unit = raw.UnitOf(s.Symbol)
		}
	}
}

// A decoder reads one answer at a time. It is reused for the short texts that all
// answers share.
type decoder struct {
	reader
	out      kurs.Observed
	asked    []string
	names    names
	frameBuf []byte
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

func (d *decoder) reset(raw kurs.Raw) {
	d.reader.reset(raw.Body)
	d.asked = raw.Asked
	d.out = kurs.Observed{}
}

func (d *decoder) release() {
	d.reader.reset(nil)
	d.asked = nil
	d.out = kurs.Observed{}
	decoders.Put(d)
}

func (d *decoder) decode(raw kurs.Raw) error {
	if len(raw.Body) > MaxBody {
		return fmt.Errorf("%d bytes, more than the %d that are read: %w", len(raw.Body), MaxBody, kurs.ErrRejected)
	}
	switch raw.Endpoint {
	case kurs.EndpointQuote, kurs.EndpointChart, kurs.EndpointSpark, kurs.EndpointSearch:
	case kurs.EndpointStream:
		return d.frames()
	default:
		return fmt.Errorf("%q is no endpoint of Yahoo: %w", raw.Endpoint, kurs.ErrRejected)
	}
	if d.next() != '{' {
		e, err := plain(d.b)
		if err == nil {
			d.out.Failure = d.provider(e)
		}
		return err
	}
	found := d.envelope(raw.Endpoint)
	d.end()
	if !d.failed() && !found && d.out.Failure == nil {
		d.fail(0, "no "+string(raw.Endpoint)+" answer: neither a result nor an error")
	}
	return d.mistake()
}

// envelope reads the object around an answer and tells whether it had a result.
// Errors come in the envelope of their endpoint, or in "finance" for all.
func (d *decoder) envelope(endpoint kurs.Endpoint) (found bool) {
	empty := true
	for key := range d.members() {
		empty = false
		switch name := string(key); {
		case name == "quoteResponse" && endpoint == kurs.EndpointQuote:
			found = d.answer(d.quote) || found
		case name == "quoteSummary" && endpoint == kurs.EndpointQuote:
			found = d.answer(d.summary) || found
		case name == "chart" && endpoint == kurs.EndpointChart:
			found = d.answer(d.onlySeries) || found
		case name == "spark" && endpoint == kurs.EndpointSpark:
			found = d.answer(d.sparkV7) || found
		case name == "finance", name == "quoteResponse", name == "quoteSummary", name == "chart", name == "spark":
			d.answer(nil)
		case name == "quotes" && endpoint == kurs.EndpointSearch:
			found = d.hits() || found
		case endpoint == kurs.EndpointSpark:
			found = d.sparkV8(key) || found
		}
	}
	// A v8 spark is {} where Yahoo knows none of the symbols.
	return found || empty && endpoint == kurs.EndpointSpark
}

// answer reads {"result":[...],"error":...}, calls each for every element of the
// result and tells whether there was one: an empty list, too, is an answer.
func (d *decoder) answer(each func()) (found bool) {
	for key := range d.members() {
		switch string(key) {
		case "result":
			if each == nil || d.next() != '[' || found {
				continue
			}
			found = true
			for range d.elements() {
				each()
			}
		case "error":
			d.failure()
		}
	}
	return found
}

// mistake is the reader's error with its position, for a person to look at.
func (d *decoder) mistake() error {
	if !d.failed() {
		return nil
	}
	return refused(d.b, d.at, d.msg)
}

// refused says what is wrong with the body and where.
func refused(body []byte, at int, msg string) error {
	line, column := position(body, at)
	return fmt.Errorf("line %d, column %d: %s: %w", line, column, msg, kurs.ErrRejected)
}
