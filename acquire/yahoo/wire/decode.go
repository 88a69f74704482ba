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
//
// # Float32
//
// Yahoo computes prices in float32. The stream sends the four bytes; the quote
// endpoint prints the shortest decimal that is that float32 (1.0489877); chart and
// spark widen it to binary64 and print that (189.9499969482422 for 189.95). The
// lines drawn here:
//
//   - A number of chart or spark that is exactly a float32 was one, and becomes
//     the shortest decimal that is it. Any other is a decimal that somebody
//     rounded (the recorded v7 spark is), or a true double, and stays as it is.
//   - A number of a quote answer stays as it is, unless it has 15 digits or more
//     and is exactly a float32: then it was widened as in a chart.
//   - Of a price of at most 7 significant digits the restored number is that very
//     price: prices below 100,000 with 2 decimals, below 10,000 with 3, below
//     1,000 with 4. For where a step in the seventh digit is not smaller than the
//     step to the next float32, no two such prices are one float32, and none
//     shorter is it. That holds from 0.001 to 8,589,973,000, and below but for
//     the last 2 to 5 % of each third decade (0.0009765625 to 0.001), where it
//     holds of 6 digits.
//   - What has more digits than that is marked approximate, wherever it came from:
//     there may have been others that float32 could not hold, and rounding to the
//     decimals that the instrument trades in does not bring them back. Where
//     another answer tells the price exactly, that one wins (store).
//   - What has more than 15 digits is no decimal of the market. It becomes the
//     nearest binary64's shortest decimal, and is approximate.
//
// float32_test.go proves it, a decade at a time.
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
