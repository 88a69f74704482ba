package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"kurs"
)

// This file writes what people have a say in: observations that were set aside,
// what was decided of them, corrections and aliases. Of each, all that was ever
// said is kept, and what holds follows from it whatever the order of arrival.

// aside writes what was set aside. An observation that comes again, as it does at
// each poll of a closed market, is the same: the first receipt is kept.
func (t *tx) aside(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.SetAside {
			if err := t.asideOne(ctx, &b.SetAside[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.SetAside[i].Symbol), err)
			}
		}
	}
	return nil
}

func (t *tx) asideOne(ctx context.Context, a *kurs.SetAside) error {
	key, err := t.asideKey(ctx, a)
	if err != nil {
		return err
	}
	row := make([]driver.Value, 9)
	if err := reals(row[:5], a.Open, a.High, a.Low, a.Bid, a.Ask); err != nil {
		return err
	}
	row[5] = volume(a.Volume)
	if err := t.conversion(ctx, row[6:9], a.Rate); err != nil {
		return err
	}
	r, err := t.receiptFor(ctx, a.Receipt)
	if err != nil {
		return err
	}
	args := slices.Concat(key, row, []driver.Value{flag(a.Approximate), r.received, r.run, r.counter, r.origin, string(a.Reason), a.Detail})
	changed, err := t.conn.exec(ctx, `INSERT INTO quarantine (kind, instrument, time, session, source, interval, native, unit,
			open, high, low, bid, ask, volume, fx_rate, fx_time, fx_source, approximate, received, run, counter, origin, reason, detail)
		VALUES (`+marks(24)+`) ON CONFLICT DO NOTHING`, args...)
	if err != nil {
		return err
	}
	if changed == 1 {
		t.counts["quarantine"]++
		return nil
	}
	_, err = t.conn.exec(ctx, `UPDATE quarantine SET received = ?, run = ?, counter = ?, origin = ?, reason = ?, detail = ?
		WHERE kind = ? AND instrument = ? AND time = ? AND session = ? AND source = ? AND interval = ? AND native IS ? AND unit = ?
		AND received > ?`,
		slices.Concat([]driver.Value{r.received, r.run, r.counter, r.origin, string(a.Reason), a.Detail}, key, []driver.Value{r.received})...)
	return err
}

// asideKey binds what tells one observation from another.
func (t *tx) asideKey(ctx context.Context, a *kurs.SetAside) ([]driver.Value, error) {
	if a.Symbol == "" {
		return nil, rejected("an observation without a symbol")
	}
	row := make([]driver.Value, 8)
	row[0] = string(a.Kind)
	id, err := t.instrumentID(ctx, a.Symbol)
	if err != nil {
		return nil, err
	}
	row[1], row[2] = id, int64(0)
	if !a.Time.IsZero() { // that it has no time may be what is wrong with it
		if row[2], err = millis(a.Time); err != nil {
			return nil, err
		}
	}
	for i, text := range [3]string{string(a.Session), a.Source, a.Interval} {
		id, err := t.textID(ctx, text)
		if err != nil {
			return nil, err
		}
		row[3+i] = id
	}
	if row[6], err = binary64(a.Value); err != nil {
		return nil, err
	}
	row[7], err = t.unitID(ctx, unit{unit: a.Unit, currency: a.Currency, factor: a.Factor})
	return row, err
}

// decisions marks what was decided. The newest decision holds.
func (t *tx) decisions(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Decisions {
			d := &b.Decisions[i]
			if err := t.asideOne(ctx, &d.Of); err != nil { // a store that was added later has not seen it
				return fmt.Errorf("%s: %w", quoted(d.Of.Symbol), err)
			}
			if err := t.decide(ctx, d); err != nil {
				return fmt.Errorf("%s: %w", quoted(d.Of.Symbol), err)
			}
		}
	}
	return nil
}

func (t *tx) decide(ctx context.Context, d *kurs.Decision) error {
	key, err := t.asideKey(ctx, &d.Of)
	if err != nil {
		return err
	}
	factor, err := binary64(d.Factor)
	if err != nil {
		return err
	}
	r, err := t.receiptFor(ctx, d.Receipt)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `UPDATE quarantine SET state = ?, factor = ?, author = ?, comment = ?, decided = ?, decided_run = ?, decided_counter = ?
		WHERE kind = ? AND instrument = ? AND time = ? AND session = ? AND source = ? AND interval = ? AND native IS ? AND unit = ?
		AND (decided IS NULL OR (decided, decided_run, decided_counter) < (?, ?, ?))`,
		slices.Concat([]driver.Value{string(d.Action), factor, d.Author, d.Comment, r.received, r.run, r.counter}, key,
			[]driver.Value{r.received, r.run, r.counter})...)
	return err
}

// corrections writes what people say of prices.
func (t *tx) corrections(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Corrections {
			if err := t.correct(ctx, &b.Corrections[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.Corrections[i].Symbol), err)
			}
		}
	}
	return nil
}

func (t *tx) correct(ctx context.Context, c *kurs.Correction) error {
	r, err := t.quoteRecord(ctx, &c.Price)
	if err != nil {
		return err
	}
	row := make([]driver.Value, 6)
	if !c.Undo {
		if row[0], err = known(c.Value); err != nil {
			return err
		}
	}
	if row[1], err = t.unitID(ctx, unit{unit: c.Unit, currency: c.Currency, factor: c.Factor}); err != nil {
		return err
	}
	if err := t.conversion(ctx, row[2:5], c.Rate); err != nil {
		return err
	}
	if row[5], err = binary64(c.Base); err != nil {
		return err
	}
	key := []driver.Value{r.key[0], r.key[1], r.key[2], r.key[3]}
	_, err = t.conn.exec(ctx, `INSERT INTO corrections (instrument, time, session, source, received, run, counter,
			native, unit, fx_rate, fx_time, fx_source, base, author, reason)
		VALUES (`+marks(15)+`) ON CONFLICT DO NOTHING`,
		slices.Concat(key, []driver.Value{r.received, r.run, r.counter}, row, []driver.Value{c.Author, c.Reason})...)
	if err != nil {
		return err
	}
	return t.holds(ctx, key)
}

// holds brings the correction that holds of a price up to date.
func (t *tx) holds(ctx context.Context, key []driver.Value) error {
	if _, err := t.conn.exec(ctx, "DELETE FROM corrected WHERE instrument = ? AND time = ? AND session = ? AND source = ?", key...); err != nil {
		return err
	}
	_, err := t.conn.exec(ctx, `INSERT INTO corrected SELECT * FROM (
			SELECT c.* FROM corrections c JOIN runs r ON r.id = c.run
			WHERE c.instrument = ? AND c.time = ? AND c.session = ? AND c.source = ?
			ORDER BY c.received DESC, r.source DESC, r.run DESC, c.counter DESC LIMIT 1
		) WHERE native IS NOT NULL`, key...)
	return err
}

// fillCorrection gives a correction its conversion, and tells whether there is one
// of that receipt.
func (t *tx) fillCorrection(ctx context.Context, r record, conv []driver.Value) (bool, error) {
	key := []driver.Value{r.key[0], r.key[1], r.key[2], r.key[3]}
	changed, err := t.conn.exec(ctx, `UPDATE corrections SET fx_rate = ?, fx_time = ?, fx_source = ?, base = ?
		WHERE instrument = ? AND time = ? AND session = ? AND source = ? AND received = ? AND run = ? AND counter = ? AND base IS NULL`,
		slices.Concat(conv, key, []driver.Value{r.received, r.run, r.counter})...)
	if err != nil || changed == 0 {
		return false, err
	}
	return true, t.holds(ctx, key)
}

// noLimit is the end of an alias that has none; of its beginning, -1.
const noLimit = math.MaxInt64

// aliases writes the other names of instruments.
func (t *tx) aliases(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Aliases {
			if err := t.alias(ctx, &b.Aliases[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.Aliases[i].Symbol), err)
			}
		}
	}
	return nil
}

func (t *tx) alias(ctx context.Context, a *kurs.Alias) error {
	if a.Symbol == "" || a.Was == "" || a.Symbol == a.Was {
		return rejected("an alias that is none")
	}
	row := []driver.Value{nil, nil, int64(-1), int64(noLimit)}
	for i, symbol := range []string{a.Symbol, a.Was} {
		id, err := t.instrumentID(ctx, symbol)
		if err != nil {
			return err
		}
		row[i] = id
	}
	var err error
	if !a.From.IsZero() {
		if row[2], err = millis(a.From); err != nil {
			return err
		}
	}
	if !a.Until.IsZero() {
		if row[3], err = millis(a.Until); err != nil {
			return err
		}
	}
	r, err := t.receiptFor(ctx, a.Receipt)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `INSERT INTO aliases (instrument, was, from_time, until_time, received, run, counter, removed, author)
		VALUES (`+marks(9)+`) ON CONFLICT DO NOTHING`, append(row, r.received, r.run, r.counter, flag(a.Removed), a.Author)...)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `DELETE FROM renamed WHERE instrument = ? AND was = ? AND from_time = ? AND until_time = ?`, row[:4]...)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `INSERT INTO renamed (was, from_time, until_time, instrument, author)
		SELECT was, from_time, until_time, instrument, author FROM (
			SELECT a.* FROM aliases a JOIN runs r ON r.id = a.run
			WHERE a.instrument = ? AND a.was = ? AND a.from_time = ? AND a.until_time = ?
			ORDER BY a.received DESC, r.source DESC, r.run DESC, a.counter DESC LIMIT 1
		) WHERE NOT removed`, row[:4]...)
	return err
}

// legs keeps what a rate was computed from.
func (t *tx) legs(ctx context.Context, r kurs.Rate) error {
	if !r.Legs[0].Known() || t.lastLegs == r {
		return nil
	}
	t.lastLegs = r
	row := make([]driver.Value, 0, 15)
	for _, text := range []string{r.From, r.To} {
		id, err := t.textID(ctx, text)
		if err != nil {
			return err
		}
		row = append(row, id)
	}
	at, err := millis(r.Time)
	if err != nil {
		return err
	}
	source, err := t.textID(ctx, r.Source)
	if err != nil {
		return err
	}
	value, err := known(r.Value)
	if err != nil {
		return err
	}
	row = append(row, at, source, value)
	times := make([]driver.Value, 2)
	var rest []driver.Value
	for i, l := range r.Legs {
		times[i] = int64(0)
		if !l.Known() {
			rest = append(rest, int64(0), int64(0), nil, int64(0))
			continue
		}
		if times[i], err = millis(l.Time); err != nil {
			return err
		}
		from, err := t.textID(ctx, l.From)
		if err != nil {
			return err
		}
		to, err := t.textID(ctx, l.To)
		if err != nil {
			return err
		}
		quoted, err := known(l.Value)
		if err != nil {
			return err
		}
		rest = append(rest, from, to, quoted, flag(l.Inverse))
	}
	_, err = t.conn.exec(ctx, `INSERT INTO legs (from_currency, to_currency, time, source, rate, first_time, second_time,
			first_from, first_to, first_rate, first_inverse, second_from, second_to, second_rate, second_inverse)
		VALUES (`+marks(15)+`) ON CONFLICT DO NOTHING`, slices.Concat(row, times, rest)...)
	return err
}
