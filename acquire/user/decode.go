package user

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Bounds of a document.
const (
	MaxBytes = 4 << 20  // of a document
	MaxWords = 1000     // decisions, corrections and aliases in one
	maxText  = 16 << 10 // bytes of a name, a reason or a comment
)

// Encode writes a document. Words that Decode would refuse are refused here.
func Encode(w Words) ([]byte, error) {
	doc := document{Version: version}
	for i := range w.Decisions {
		d := &w.Decisions[i]
		out := decision{Of: asideFrom(&d.Of), Action: d.Action, Factor: d.Factor, Author: d.Author, Comment: d.Comment}
		if d.Near.Known() {
			near := d.Near
			near.Time = moment(near.Time)
			out.Near = &near
		}
		doc.Decisions = append(doc.Decisions, out)
	}
	for i := range w.Corrections {
		c := &w.Corrections[i]
		doc.Corrections = append(doc.Corrections, correction{Price: priceFrom(&c.Price), Author: c.Author, Reason: c.Reason, Undo: c.Undo})
	}
	for _, a := range w.Aliases {
		doc.Aliases = append(doc.Aliases, alias{
			Symbol: a.Symbol, Was: a.Was, From: moment(a.From), Until: moment(a.Until), Removed: a.Removed, Author: a.Author,
		})
	}
	if err := doc.check(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(doc)
	if err != nil { // a time beyond four digits
		return nil, rejected("cannot be written: %w", err)
	}
	if len(body) > MaxBytes {
		return nil, rejected("%d bytes at once, more than %d", len(body), MaxBytes)
	}
	return body, nil
}

// Decode implements [kurs.Decode].
func Decode(raw kurs.Raw) (kurs.Observed, error) {
	w, err := parse(raw.Body)
	return kurs.Observed{Decisions: w.Decisions, Corrections: w.Corrections, Aliases: w.Aliases}, err
}

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: what somebody says: "+format, append([]any{kurs.ErrRejected}, args...)...)
}

func parse(body []byte) (Words, error) {
	if len(body) > MaxBytes {
		return Words{}, rejected("%d bytes at once, more than %d", len(body), MaxBytes)
	}
	var doc document
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&doc); err != nil {
		return Words{}, rejected("%w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Words{}, rejected("more than one document")
	}
	if err := doc.check(); err != nil {
		return Words{}, err
	}
	var w Words
	for i := range doc.Decisions {
		d := &doc.Decisions[i]
		out := kurs.Decision{Of: d.Of.setAside(), Action: d.Action, Factor: d.Factor, Author: d.Author, Comment: d.Comment}
		if !out.Factor.Known() {
			out.Factor = kurs.Int(1)
		}
		if d.Near != nil {
			out.Near = *d.Near
			out.Near.Time = moment(d.Near.Time)
		}
		w.Decisions = append(w.Decisions, out)
	}
	for i := range doc.Corrections {
		c := &doc.Corrections[i]
		w.Corrections = append(w.Corrections, kurs.Correction{Price: c.Price.price(), Author: c.Author, Reason: c.Reason, Undo: c.Undo})
	}
	for _, a := range doc.Aliases {
		w.Aliases = append(w.Aliases, kurs.Alias{
			Symbol: a.Symbol, Was: a.Was, From: moment(a.From), Until: moment(a.Until), Removed: a.Removed, Author: a.Author,
		})
	}
	return w, nil
}

// check refuses what nothing could be done with.
func (d *document) check() error {
	switch n := len(d.Decisions) + len(d.Corrections) + len(d.Aliases); {
	case d.Version < 1:
		return rejected("no version")
	case d.Version > version:
		return rejected("version %d, this kurs knows up to %d", d.Version, version)
	case n == 0:
		return rejected("nothing")
	case n > MaxWords:
		return rejected("%d at once, more than %d", n, MaxWords)
	}
	for i := range d.Decisions {
		if err := d.Decisions[i].check(); err != nil {
			return err
		}
	}
	for i := range d.Corrections {
		if err := d.Corrections[i].check(); err != nil {
			return err
		}
	}
	for _, a := range d.Aliases {
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

func (d *decision) check() error {
	a := &d.Of
	texts := []string{d.Author, d.Comment, string(a.Reason), a.Detail, a.Interval, a.Raw.Source, a.Raw.Run, string(a.Origin)}
	if d.Near != nil {
		texts = append(texts, d.Near.Unit)
	}
	switch {
	case a.Kind != kurs.AsideQuote && a.Kind != kurs.AsideBar && a.Kind != kurs.AsideRate:
		return rejected("a decision of a %q", a.Kind)
	case d.Action != kurs.ActionKeep && d.Action != kurs.ActionDrop:
		return rejected("the decision %q", d.Action)
	case d.Factor.Known() && d.Factor.Sign() <= 0:
		return rejected("the factor %s", d.Factor)
	case a.Received.IsZero():
		return rejected("a decision of what was never received")
	case d.Action == kurs.ActionKeep && (!a.Price.Value.Known() || a.Price.Time.IsZero()):
		return rejected("what has no value, or no time, cannot be kept")
	case d.Near != nil && !d.Near.Value.Known():
		return rejected("a neighbour without a value")
	}
	times := []time.Time{a.Received}
	if d.Near != nil {
		times = append(times, d.Near.Time)
	}
	return errors.Join(a.Price.check(), checkTexts(texts...), checkTimes(times...))
}

func (c *correction) check() error {
	switch {
	case c.Price.Time.IsZero():
		return rejected("a correction of a price without a time")
	case !c.Undo && !c.Price.Value.Known():
		return rejected("a correction without a value")
	case !c.Undo && (c.Price.Value.Sign() <= 0 || !c.Price.Value.Plausible()):
		return rejected("a correction to %s", c.Price.Value)
	}
	return errors.Join(c.Price.check(), checkTexts(c.Author, c.Reason))
}

func (a alias) check() error {
	switch {
	case a.Symbol == "" || a.Was == "" || a.Symbol == a.Was:
		return rejected("an alias of %q onto %q", a.Symbol, a.Was)
	case !a.From.IsZero() && !a.Until.IsZero() && !moment(a.From).Before(moment(a.Until)):
		return rejected("an alias that ends before it begins")
	}
	return errors.Join(checkTexts(a.Symbol, a.Was, a.Author), checkTimes(a.From, a.Until))
}

func (p *price) check() error {
	if p.Symbol == "" {
		return rejected("no symbol")
	}
	if c := p.Conversion; c != nil {
		if !c.Factor.Known() || c.Rate.Sign() <= 0 {
			return rejected("a conversion without a rate")
		}
		if err := errors.Join(checkTexts(c.Currency, c.To, c.Source), checkTimes(c.Time)); err != nil {
			return err
		}
	}
	return errors.Join(checkTexts(p.Symbol, p.Source, string(p.Session), p.Unit), checkTimes(p.Time))
}

// checkTimes refuses years that have no four digits, as no store keeps them.
func checkTimes(times ...time.Time) error {
	for _, t := range times {
		if y := t.UTC().Year(); y < 0 || y > 9999 {
			return rejected("the year %d", y)
		}
	}
	return nil
}

func checkTexts(texts ...string) error {
	if slices.ContainsFunc(texts, func(s string) bool { return len(s) > maxText }) {
		return rejected("a text of more than %d bytes", maxText)
	}
	if slices.ContainsFunc(texts, func(s string) bool { return strings.ToValidUTF8(s, "") != s }) {
		return rejected("a text that is not UTF-8")
	}
	return nil
}
