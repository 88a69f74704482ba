package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	"kurs"
	"kurs/store/versions"
)

// This file writes what people have a say in: observations that were set aside,
// what was decided of them, corrections and aliases. Of each, all that was ever
// said is kept, and what holds follows from it whatever the order of arrival.

// aside writes what was set aside. An observation that comes again, as it does at
// each poll of a closed market, is the same: the first receipt is kept.
func (t *tx) aside(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.SetAside {
			if _, err := t.asideOne(ctx, &b.SetAside[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.SetAside[i].Symbol), err)
			}
		}
	}
	return nil
}

// asideRow is an observation in the table: its id, the first receipt, and the
// decision that holds of it.
type asideRow struct {
	id      int64
	first   versions.Receipt
	priced  bool // whether its rate is known
	decided bool
	holds   versions.Receipt // of the decision
}

// asideOne writes one observation, and returns where it is.
func (t *tx) asideOne(ctx context.Context, a *kurs.SetAside) (asideRow, error) {
	key, err := t.asideKey(ctx, a)
	if err != nil {
		return asideRow{}, err
	}
	row := make([]driver.Value, 9)
	if err := reals(row[:5], a.Open, a.High, a.Low, a.Bid, a.Ask); err != nil {
		return asideRow{}, err
	}
	row[5] = volume(a.Volume)
	if err := t.conversion(ctx, row[6:9], a.Rate); err != nil {
		return asideRow{}, err
	}
	r, err := t.receiptFor(ctx, a.Receipt)
	if err != nil {
		return asideRow{}, err
	}
	there, found, err := t.findAside(ctx, key, a.Unit)
	if err != nil {
		return asideRow{}, err
	}
	rest := slices.Concat(row, []driver.Value{flag(a.Approximate), r.Received, r.Run, r.Counter, r.Origin, string(a.Reason), a.Detail})
	switch {
	case !found:
		t.counts["quarantine"]++
		id, err := t.conn.number(ctx, `INSERT INTO quarantine (kind, instrument, time, session, source, interval, native, unit,
			open, high, low, bid, ask, volume, fx_rate, fx_time, fx_source, approximate, received, run, counter, origin, reason, detail)
			VALUES (`+marks(24)+`) RETURNING id`, slices.Concat(key, rest)...)
		return asideRow{id: id, first: r}, err
	case r.Compare(there.first) < 0, r.Compare(there.first) == 0 && !there.priced && a.Rate.Known():
		_, err = t.conn.exec(ctx, `UPDATE quarantine SET open = ?, high = ?, low = ?, bid = ?, ask = ?, volume = ?, fx_rate = ?, fx_time = ?,
			fx_source = ?, approximate = ?, received = ?, run = ?, counter = ?, origin = ?, reason = ?, detail = ? WHERE id = ?`,
			append(rest, there.id)...)
	}
	return there, err
}

// asideKey binds what tells one observation from another; of the unit what it is
// called counts.
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

func (t *tx) findAside(ctx context.Context, key []driver.Value, unit string) (asideRow, bool, error) {
	row, err := t.conn.row(ctx, `SELECT q.id, q.received, q.run, q.counter, q.fx_rate IS NOT NULL, q.decided, q.decided_run, q.decided_counter
		FROM quarantine q JOIN units u ON u.id = q.unit
		WHERE q.kind = ? AND q.instrument = ? AND q.time = ? AND q.session = ? AND q.source = ? AND q.interval = ? AND q.native IS ? AND u.unit = ?
		ORDER BY q.id LIMIT 1`, append(slices.Clone(key[:7]), unit)...)
	if err != nil || row == nil {
		return asideRow{}, false, err
	}
	out := asideRow{id: whole(row[0]), priced: whole(row[4]) == 1, decided: row[5] != nil}
	received, id, counter := row[5], row[6], row[7]
	if out.first, err = t.receipt(ctx, whole(row[1]), whole(row[2]), whole(row[3]), 0); err == nil && out.decided {
		out.holds, err = t.receipt(ctx, whole(received), whole(id), whole(counter), 0)
	}
	return out, true, err
}

// decisions marks what was decided. The newest decision holds: the price that an
// older one made is none any more.
func (t *tx) decisions(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Decisions {
			if err := t.decide(ctx, &b.Decisions[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.Decisions[i].Of.Symbol), err)
			}
		}
	}
	return nil
}

func (t *tx) decide(ctx context.Context, d *kurs.Decision) error {
	there, err := t.asideOne(ctx, &d.Of) // a store that was added later has not seen it
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
	if _, err = t.conn.exec(ctx, `INSERT INTO decisions (aside, received, run, counter, action, factor, author, comment)
		VALUES (`+marks(8)+`) ON CONFLICT DO NOTHING`, there.id, r.Received, r.Run, r.Counter, string(d.Action), factor, d.Author, d.Comment); err != nil {
		return err
	}
	switch order := r.Compare(there.holds); {
	case there.decided && order == 0:
		return nil
	case there.decided && order < 0:
		return t.void(ctx, d, there.id, r)
	case there.decided:
		if err := t.void(ctx, d, there.id, there.holds); err != nil {
			return err
		}
	}
	_, err = t.conn.exec(ctx, `UPDATE quarantine SET state = ?, factor = ?, author = ?, comment = ?, decided = ?, decided_run = ?, decided_counter = ?
		WHERE id = ?`, string(d.Action), factor, d.Author, d.Comment, r.Received, r.Run, r.Counter, there.id)
	return err
}

// void takes the price or bar away that a decision of what was set aside made, by
// its receipt.
func (t *tx) void(ctx context.Context, d *kurs.Decision, aside int64, r versions.Receipt) error {
	switch d.Of.Kind {
	case kurs.AsideQuote:
		at, err := t.quoteRecord(ctx, &d.Of.Price)
		if err != nil {
			return err
		}
		changed, err := t.withdraw(ctx, t.in.quotes, at.key, aside, r)
		if err != nil || !changed {
			return err
		}
		return t.newestAgain(ctx, at.key)
	case kurs.AsideBar:
		bar := kurs.PricedBar{Bar: kurs.Bar{Symbol: d.Of.Symbol, Source: d.Of.Source, Start: d.Of.Time, Interval: d.Of.Interval}, Receipt: d.Of.Receipt}
		at, err := t.barRecord(ctx, &bar)
		if err != nil {
			return err
		}
		_, err = t.withdraw(ctx, t.in.bars, at.key, aside, r)
		return err
	case kurs.AsideRate: // prices were converted with it, so it stays; see docs/formats.md
	}
	return nil
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
		VALUES (`+marks(15)+`) ON CONFLICT DO UPDATE SET fx_rate = excluded.fx_rate, fx_time = excluded.fx_time, fx_source = excluded.fx_source,
			base = excluded.base WHERE base IS NULL AND excluded.base IS NOT NULL`,
		slices.Concat(key, []driver.Value{r.Received, r.Run, r.Counter}, row, []driver.Value{c.Author, c.Reason})...)
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

// fillCorrection gives a correction its conversion, known since the time at, and tells whether there is one
// of that receipt.
func (t *tx) fillCorrection(ctx context.Context, r record, conv []driver.Value, at int64) (bool, error) {
	key := []driver.Value{r.key[0], r.key[1], r.key[2], r.key[3]}
	changed, err := t.conn.exec(ctx, `UPDATE corrections SET fx_rate = ?, fx_time = ?, fx_source = ?, base = ?
		WHERE instrument = ? AND time = ? AND session = ? AND source = ? AND received = ? AND run = ? AND counter = ? AND base IS NULL`,
		slices.Concat(conv, key, []driver.Value{r.Received, r.Run, r.Counter})...)
	if err != nil || changed == 0 {
		return false, err
	}
	return true, errors.Join(t.holds(ctx, key), t.noteFilled(ctx, "corrections", r, at))
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
