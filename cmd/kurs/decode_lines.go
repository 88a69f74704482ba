package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// The lines of kurs decode. Names and order of their members are a promise.
type (
	decodedQuote struct {
		decodedHead
		Time        time.Time    `json:"time"`
		Session     kurs.Session `json:"session,omitempty"`
		Price       kurs.Decimal `json:"price"`
		Approximate bool         `json:"approximate,omitempty"`
		decodedUnit
		Bid            kurs.Decimal        `json:"bid,omitzero"`
		Ask            kurs.Decimal        `json:"ask,omitzero"`
		Volume         *int64              `json:"volume,omitempty"`
		DelaySeconds   int64               `json:"delay_seconds,omitempty"`
		Exchange       string              `json:"exchange,omitempty"`
		InstrumentKind kurs.InstrumentKind `json:"instrument_kind,omitempty"`
		Name           string              `json:"name,omitempty"`
	}

	decodedBar struct {
		decodedHead
		Start       time.Time    `json:"start"`
		Interval    string       `json:"interval,omitempty"`
		Open        kurs.Decimal `json:"open,omitzero"`
		High        kurs.Decimal `json:"high,omitzero"`
		Low         kurs.Decimal `json:"low,omitzero"`
		Close       kurs.Decimal `json:"close"`
		Approximate bool         `json:"approximate,omitempty"`
		Volume      *int64       `json:"volume,omitempty"`
		decodedUnit
	}

	// decodedEvent is a dividend, a capital gain or a split.
	decodedEvent struct {
		decodedHead
		Time   time.Time    `json:"time"`
		Amount kurs.Decimal `json:"amount,omitzero"`
		decodedUnit
		Numerator   kurs.Decimal `json:"numerator,omitzero"`
		Denominator kurs.Decimal `json:"denominator,omitzero"`
	}

	// decodedInstrument is an instrument without a price, or one that a search found.
	decodedInstrument struct {
		decodedHead
		Name           string              `json:"name,omitempty"`
		Exchange       string              `json:"exchange,omitempty"`
		InstrumentKind kurs.InstrumentKind `json:"instrument_kind,omitempty"`
		decodedUnit
	}

	decodedError struct {
		Kind        string   `json:"kind"`
		Code        string   `json:"code,omitempty"`
		Description string   `json:"description,omitempty"`
		Symbols     []string `json:"symbols,omitempty"`
	}

	decodedHead struct {
		Kind   string `json:"kind"`
		Source string `json:"source"`
		Symbol string `json:"symbol"`
	}

	decodedUnit struct {
		Unit     string       `json:"unit,omitempty"`
		Currency string       `json:"currency,omitempty"`
		Factor   kurs.Decimal `json:"factor,omitzero"`
	}
)

// decodedUnitOf resolves a unit; currency and factor stay out where it is no currency
// that kurs knows.
func decodedUnitOf(unit string) decodedUnit {
	currency, factor, ok := kurs.CurrencyOf(unit)
	if !ok {
		return decodedUnit{Unit: unit}
	}
	return decodedUnit{Unit: unit, Currency: currency, Factor: factor}
}

func decodedVolume(v kurs.Volume) *int64 {
	if !v.Known {
		return nil
	}
	return &v.N
}

// decodedLines is all that an answer says. A chart's bars come before the quote that
// it ends with; instruments are told with their quotes, and in lines of their own
// where they have neither a quote nor a bar.
func decodedLines(o kurs.Observed) []any {
	var lines []any
	priced := make(map[string]bool)
	instruments := make(map[string]kurs.Instrument, len(o.Instruments))
	for _, i := range o.Instruments {
		instruments[i.Symbol] = i
	}
	for _, b := range o.Bars {
		priced[b.Symbol] = true
		lines = append(lines, decodedBar{
			decodedHead: decodedHead{"bar", b.Source, b.Symbol}, Start: b.Start, Interval: b.Interval,
			Open: b.Open, High: b.High, Low: b.Low, Close: b.Close, Approximate: b.Approximate,
			Volume: decodedVolume(b.Volume), decodedUnit: decodedUnitOf(b.Unit),
		})
	}
	for _, e := range o.Events {
		line := decodedEvent{
			decodedHead: decodedHead{string(e.Kind), e.Source, e.Symbol}, Time: e.Time, Amount: e.Amount,
			Numerator: e.Numerator, Denominator: e.Denominator,
		}
		if e.Amount.Known() {
			line.decodedUnit = decodedUnitOf(e.Unit)
		}
		lines = append(lines, line)
	}
	for _, q := range o.Quotes {
		priced[q.Symbol] = true
		i := instruments[q.Symbol]
		lines = append(lines, decodedQuote{
			decodedHead: decodedHead{"quote", q.Source, q.Symbol}, Time: q.Time, Session: q.Session,
			Price: q.Value, Approximate: q.Approximate, decodedUnit: decodedUnitOf(q.Unit), Bid: q.Bid, Ask: q.Ask,
			Volume: decodedVolume(q.Volume), DelaySeconds: int64(q.Delay / time.Second),
			Exchange: i.Exchange, InstrumentKind: i.Kind, Name: i.Name,
		})
	}
	for _, i := range o.Instruments {
		if !priced[i.Symbol] {
			lines = append(lines, decodedInstrument{decodedHead{"instrument", i.Source, i.Symbol}, i.Name, i.Exchange, i.Kind, decodedUnitOf(i.Unit)})
		}
	}
	for _, hit := range o.Found {
		lines = append(lines, decodedInstrument{
			decodedHead: decodedHead{"instrument", wire.Source, hit.Symbol},
			Name:        hit.Name, Exchange: hit.Exchange, InstrumentKind: hit.Kind,
		})
	}
	if e := o.Failure; e != nil {
		lines = append(lines, decodedError{"error", e.Code, e.Description, e.Symbols})
	}
	return lines
}

// writeDecoded writes one JSON object a line and returns how many.
func writeDecoded(w io.Writer, o kurs.Observed) (int, error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	lines := decodedLines(o)
	for _, line := range lines {
		if err := enc.Encode(line); err != nil {
			return 0, fmt.Errorf("write a line: %w", err)
		}
	}
	return len(lines), nil
}
