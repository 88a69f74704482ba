package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/versions"
)

// This file writes what people have a say in: observations that were set aside, what
// was decided of them, corrections and aliases. Of each, all that was ever said is
// kept, and what holds follows from it whatever the order of arrival.

// aside writes what was set aside. An observation that comes again, as it does at each
// poll of a closed market, is the same: the first receipt is kept.
func (t *tx) aside(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.SetAside {
			if _, err := t.asideOne(ctx, &b.SetAside[i]); err != nil {
				return nameless(err, b.SetAside[i].Symbol)
			}
		}
	}
	return nil
}

// asideRow is an observation in the table: its id, the first receipt, and the decision
// that holds of it.
type asideRow struct {
	id      int64
	first   versions.Receipt
	priced  bool // whether its rate is known
	decided bool
	holds   versions.Receipt // of the decision
}

const (
	asideKeys = "kind, instrument, time, session, source, interval, native, unit"
	asideRest = "open, high, low, bid, ask, volume, fx_rate, fx_time, fx_source, approximate, received, run, counter, origin, reason, detail"
)

// asideOne writes one observation, and returns where it is.
func (t *tx) asideOne(ctx context.Context, a *kurs.SetAside) (asideRow, error) {
	key, err := t.asideKey(ctx, a)
	if err != nil {
		return asideRow{}, err
	}
	rate, err := t.rateArgs(ctx, a.Rate)
	if err != nil {
		return asideRow{}, err
	}
	r, err := t.receiptOf(ctx, a.Receipt)
	if err != nil {
		return asideRow{}, err
	}
	there, found, err := t.findAside(ctx, key, a.Unit)
	if err != nil {
		return asideRow{}, err
	}
	rest := []any{decimal(a.Open), decimal(a.High), decimal(a.Low), decimal(a.Bid), decimal(a.Ask), volume(a.Volume).arg(kindWhole)}
	rest = append(rest, rate...)
	rest = append(rest, a.Approximate, moment(r.Received), r.Run, r.Counter, r.Origin, escape(string(a.Reason)), escape(a.Detail))
	switch {
	case !found:
		t.counts["quarantine"]++
		there = asideRow{first: r}
		err = t.conn.QueryRow(ctx, "INSERT INTO quarantine ("+asideKeys+", "+asideRest+") VALUES ("+params(1, len(key)+len(rest))+") RETURNING id",
			slices.Concat(key, rest)...).Scan(&there.id)
	case r.Compare(there.first) < 0, r.Compare(there.first) == 0 && !there.priced && a.Rate.Known():
		_, err = t.conn.Exec(ctx, "UPDATE quarantine SET ("+asideRest+") = ("+params(2, len(rest))+") WHERE id = $1",
			append([]any{there.id}, rest...)...)
	}
	return there, err
}

// asideKey are the arguments of asideKeys, which tell one observation from another; of
// the unit what it is called counts.
func (t *tx) asideKey(ctx context.Context, a *kurs.SetAside) ([]any, error) {
	if a.Symbol == "" {
		return nil, rejected("an observation without a symbol")
	}
	id, err := t.instrumentID(ctx, a.Symbol)
	if err != nil {
		return nil, err
	}
	at := int64(0)
	if !a.Time.IsZero() { // that it has no time may be what is wrong with it
		if at, err = millis(a.Time); err != nil {
			return nil, err
		}
	}
	texts, err := t.textIDs(ctx, string(a.Session), a.Source, a.Interval)
	if err != nil {
		return nil, err
	}
	of, err := t.unitID(ctx, unit{unit: a.Unit, currency: a.Currency, factor: a.Factor})
	return []any{escape(string(a.Kind)), id, moment(at), texts[0], texts[1], texts[2], decimal(a.Value), of}, err
}

func (t *tx) findAside(ctx context.Context, key []any, unit string) (out asideRow, found bool, err error) {
	called, err := t.textID(ctx, unit)
	if err != nil {
		return out, false, err
	}
	var (
		received         time.Time
		run, counter     int64
		decided          *time.Time
		byRun, byCounter *int64
	)
	err = t.conn.QueryRow(ctx, `SELECT q.id, q.received, q.run, q.counter, q.fx_rate IS NOT NULL, q.decided, q.decided_run, q.decided_counter
		FROM quarantine q JOIN units u ON u.id = q.unit
		WHERE q.kind = $1 AND q.instrument = $2 AND q.time = $3 AND q.session = $4 AND q.source = $5 AND q.interval = $6
		AND q.native IS NOT DISTINCT FROM $7::numeric AND u.unit = $8 ORDER BY q.id LIMIT 1`, append(slices.Clone(key[:7]), called)...).
		Scan(&out.id, &received, &run, &counter, &out.priced, &decided, &byRun, &byCounter)
	if errors.Is(err, pgx.ErrNoRows) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	out.first, err = t.receipt(ctx, received.UnixMilli(), run, counter, 0)
	if err == nil && decided != nil {
		out.decided = true
		out.holds, err = t.receipt(ctx, decided.UnixMilli(), *byRun, *byCounter, 0)
	}
	return out, true, err
}

// rateArgs are a conversion as parameters.
func (t *tx) rateArgs(ctx context.Context, r kurs.Rate) ([]any, error) {
	if _, err := t.textID(ctx, r.Source); err != nil {
		return nil, err
	}
	row := make([]cell, 3)
	if err := t.conversion(row, r); err != nil {
		return nil, err
	}
	t.noteLegs(r)
	return []any{row[0].arg(kindDecimal), row[1].arg(kindTime), row[2].arg(kindID)}, nil
}

// decisions marks what was decided. The newest decision holds: the price that an older
// one made is none any more.
func (t *tx) decisions(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Decisions {
			if err := t.decide(ctx, &b.Decisions[i]); err != nil {
				return nameless(err, b.Decisions[i].Of.Symbol)
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
	r, err := t.receiptOf(ctx, d.Receipt)
	if err != nil {
		return err
	}
	if _, err = t.conn.Exec(ctx, `INSERT INTO decisions (aside, received, run, counter, action, factor, author, comment)
		VALUES (`+params(1, 8)+`) ON CONFLICT DO NOTHING`,
		there.id, moment(r.Received), r.Run, r.Counter, escape(string(d.Action)), decimal(d.Factor), escape(d.Author), escape(d.Comment)); err != nil {
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
	_, err = t.conn.Exec(ctx, `UPDATE quarantine SET state = $2, factor = $3, author = $4, comment = $5,
			decided = $6, decided_run = $7, decided_counter = $8 WHERE id = $1`,
		there.id, escape(string(d.Action)), decimal(d.Factor), escape(d.Author), escape(d.Comment), moment(r.Received), r.Run, r.Counter)
	return err
}

// void takes the price or bar away that a decision of what was set aside made, by its
// receipt.
func (t *tx) void(ctx context.Context, d *kurs.Decision, aside int64, r versions.Receipt) error {
	switch d.Of.Kind {
	case kurs.AsideQuote:
		at, err := t.quoteRecord(ctx, &d.Of.Price)
		if err != nil {
			return err
		}
		changed, err := t.withdraw(ctx, t.in.quotes, at, aside, r)
		if err != nil || !changed {
			return err
		}
		return t.newestAgain(ctx, at)
	case kurs.AsideBar:
		bar := kurs.PricedBar{Bar: kurs.Bar{Symbol: d.Of.Symbol, Source: d.Of.Source, Start: d.Of.Time, Interval: d.Of.Interval}, Receipt: d.Of.Receipt}
		at, err := t.barRecord(ctx, &bar)
		if err != nil {
			return err
		}
		_, err = t.withdraw(ctx, t.in.bars, at, aside, r)
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
				return nameless(err, b.Corrections[i].Symbol)
			}
		}
	}
	return nil
}

// quoteKey is the key of a price as parameters.
func (r record) quoteKey() []any { return []any{r.key[0], moment(r.key[1]), r.key[2], r.key[3]} }

func (t *tx) correct(ctx context.Context, c *kurs.Correction) error {
	r, err := t.quoteRecord(ctx, &c.Price)
	if err != nil {
		return err
	}
	var native any
	if !c.Undo {
		if !c.Value.Known() {
			return rejected("a value that is not known")
		}
		native = decimal(c.Value)
	}
	of, err := t.unitID(ctx, unit{unit: c.Unit, currency: c.Currency, factor: c.Factor})
	if err != nil {
		return err
	}
	rate, err := t.rateArgs(ctx, c.Rate)
	if err != nil {
		return err
	}
	args := append(r.quoteKey(), moment(r.Received), r.Run, r.Counter, native, of)
	args = append(args, rate...)
	_, err = t.conn.Exec(ctx, `INSERT INTO corrections (instrument, time, session, source, received, run, counter,
			native, unit, fx_rate, fx_time, fx_source, base, author, reason)
		VALUES (`+params(1, 15)+`) ON CONFLICT (instrument, time, session, source, received, run, counter) DO UPDATE SET
			fx_rate = excluded.fx_rate, fx_time = excluded.fx_time, fx_source = excluded.fx_source, base = excluded.base
		WHERE corrections.base IS NULL AND excluded.base IS NOT NULL`, append(args, decimal(c.Base), escape(c.Author), escape(c.Reason))...)
	if err != nil {
		return err
	}
	return t.holds(ctx, r)
}

// newestFirst orders what people said by its receipt.
const newestFirst = ` ORDER BY c.received DESC, (SELECT text FROM texts WHERE id = r.source) DESC,
		(SELECT text FROM texts WHERE id = r.run) DESC, c.counter DESC LIMIT 1`

// holds brings the correction that holds of a price up to date.
func (t *tx) holds(ctx context.Context, r record) error {
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM corrected WHERE instrument = $1 AND time = $2 AND session = $3 AND source = $4", r.quoteKey()...)
	batch.Queue(`INSERT INTO corrected (instrument, time, session, source, received, run, counter,
			native, unit, fx_rate, fx_time, fx_source, base, author, reason)
		SELECT * FROM (
			SELECT c.instrument, c.time, c.session, c.source, c.received, c.run, c.counter,
				c.native, c.unit, c.fx_rate, c.fx_time, c.fx_source, c.base, c.author, c.reason
			FROM corrections c JOIN runs r ON r.id = c.run
			WHERE c.instrument = $1 AND c.time = $2 AND c.session = $3 AND c.source = $4`+newestFirst+`
		) newest WHERE native IS NOT NULL`, r.quoteKey()...)
	return t.send(ctx, batch)
}

// fillCorrection gives a correction its conversion, and tells whether there is one of
// that receipt.
func (t *tx) fillCorrection(ctx context.Context, f filling) (bool, error) {
	args := append(f.quoteKey(), moment(f.Received), f.Run, f.Counter,
		f.conv[0].arg(kindDecimal), f.conv[1].arg(kindTime), f.conv[2].arg(kindID), f.conv[3].arg(kindDecimal))
	tag, err := t.conn.Exec(ctx, `UPDATE corrections SET fx_rate = $8, fx_time = $9, fx_source = $10, base = $11
		WHERE instrument = $1 AND time = $2 AND session = $3 AND source = $4 AND received = $5 AND run = $6 AND counter = $7
		AND base IS NULL`, args...)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	if err := t.holds(ctx, f.record); err != nil {
		return false, err
	}
	batch := &pgx.Batch{}
	noteFilled(batch, "corrections", f)
	return true, t.send(ctx, batch)
}

// noteLegs remembers what a rate was computed from, to be written at the end: rows are
// on their way to the server meanwhile.
func (t *tx) noteLegs(r kurs.Rate) {
	if r.Legs[0].Known() && (len(t.legs) == 0 || t.legs[len(t.legs)-1] != r) {
		t.legs = append(t.legs, r)
	}
}

// writeLegs keeps what rates were computed from.
func (t *tx) writeLegs(ctx context.Context, _ kurs.Group) error {
	batch := &pgx.Batch{}
	for _, r := range t.legs {
		texts, err := t.textIDs(ctx, r.From, r.To, r.Source)
		if err != nil {
			return err
		}
		at, err := millis(r.Time)
		if err != nil {
			return err
		}
		args := []any{texts[0], texts[1], moment(at), texts[2], decimal(r.Value)}
		for _, l := range r.Legs {
			leg, err := t.legArgs(ctx, l)
			if err != nil {
				return err
			}
			args = append(args, leg...)
		}
		batch.Queue(`INSERT INTO legs (from_currency, to_currency, time, source, rate,
				first_from, first_to, first_rate, first_inverse, first_time,
				second_from, second_to, second_rate, second_inverse, second_time)
			VALUES (`+params(1, 15)+`) ON CONFLICT DO NOTHING`, args...)
	}
	return t.send(ctx, batch)
}

func (t *tx) legArgs(ctx context.Context, l kurs.Leg) ([]any, error) {
	if !l.Known() {
		return []any{0, 0, nil, false, moment(0)}, nil
	}
	texts, err := t.textIDs(ctx, l.From, l.To)
	if err != nil {
		return nil, err
	}
	at, err := millis(l.Time)
	return []any{texts[0], texts[1], decimal(l.Value), l.Inverse, moment(at)}, err
}
