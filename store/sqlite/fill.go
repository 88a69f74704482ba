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

// Fills give a version its conversion, once. Process publishes a fill after the
// price that it is for, so there should always be a price. Where there is none,
// the ledger tells why: its raw message is accounted for, so the receipt said
// the same as those around it and was not kept; or it is not, so the price is
// still to come, and the fill waits for it in pending_fills.

func (t *tx) fills(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for i := range b.Fills {
			if err := t.fillOne(ctx, &b.Fills[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.Fills[i].Symbol), err)
			}
		}
	}
	return t.pendingFills(ctx)
}

func (t *tx) fillOne(ctx context.Context, f *kurs.Fill) error {
	if f.Symbol == "" {
		return rejected("a fill without a symbol")
	}
	r, err := t.fillRecord(ctx, f)
	if err != nil {
		return err
	}
	s := t.in.quotes
	base := f.Base
	if f.Interval != "" {
		s, base = t.in.bars, f.BaseClose
	}
	if !base.Known() {
		return rejected("a fill without a value")
	}
	// The conversion's columns in both tables: the rate's three, then the base
	// values; of a quote only the last of these.
	conv := make([]driver.Value, 7)
	if err := t.conversion(ctx, conv[:3], f.Rate); err != nil {
		return err
	}
	if err := reals(conv[3:], f.BaseOpen, f.BaseHigh, f.BaseLow, base); err != nil {
		return err
	}
	if s == t.in.quotes {
		conv = slices.Delete(conv, 3, 6)
	}
	at, err := millis(f.Rate.Received)
	if err != nil {
		at = r.Received // a rate of nobody: a fixed one
	}
	found, err := t.applyFill(ctx, s, r, conv, at)
	if err == nil && !found && s == t.in.quotes {
		found, err = t.fillCorrection(ctx, r, conv, at)
	}
	if err != nil || found {
		return err
	}
	accounted, err := t.accounted(ctx, r.Run, r.Counter)
	if err != nil || accounted {
		return err
	}
	return t.keepFill(ctx, s, r, conv, at)
}

func (t *tx) fillRecord(ctx context.Context, f *kurs.Fill) (record, error) {
	if f.Interval != "" {
		bar := kurs.PricedBar{Bar: kurs.Bar{Symbol: f.Symbol, Source: f.Source, Start: f.Time, Interval: f.Interval}, Receipt: f.Receipt}
		return t.barRecord(ctx, &bar)
	}
	price := kurs.Price{Quote: kurs.Quote{Symbol: f.Symbol, Source: f.Source, Time: f.Time, Session: f.Session}, Receipt: f.Receipt}
	return t.quoteRecord(ctx, &price)
}

// applyFill looks for the receipt and gives it the conversion, where it has
// none, known since the time at. It tells whether the receipt was found.
func (t *tx) applyFill(ctx context.Context, s *series, r record, conv []driver.Value, at int64) (bool, error) {
	key := make([]driver.Value, s.keyWidth)
	for i := range key {
		key[i] = r.key[i]
	}
	args := slices.Concat(conv, key, []driver.Value{r.Received, r.Run, r.Counter})
	changed, err := t.conn.exec(ctx, s.fill, args...)
	if err == nil && changed > 0 {
		return true, t.noteFilled(ctx, s.table, r, at)
	}
	if err != nil {
		return false, err
	}
	old, err := t.versions(ctx, s, key, r.Receipt)
	if err != nil || !slices.ContainsFunc(old, func(v versions.Span) bool { return v.Holds(r.Receipt) }) {
		return false, err
	}
	attrs := make([]driver.Value, len(s.attrs))
	for i, at := range s.conv {
		attrs[at] = conv[i]
	}
	now, rules := slices.Clone(old), t.rules(ctx, s)
	for i := range now {
		now[i] = rules.Fill(now[i], versions.Seen{Receipt: r.Receipt, Attrs: attrs})
	}
	if slices.EqualFunc(old, now, versions.Span.Equal) {
		return true, nil
	}
	return true, errors.Join(t.replace(ctx, s, key, old, now), t.noteFilled(ctx, s.table, r, at))
}

// noteFilled keeps since when a base value is known.
func (t *tx) noteFilled(ctx context.Context, table string, r record, at int64) error {
	_, err := t.conn.exec(ctx, `INSERT INTO filled (series, k1, k2, k3, k4, received, run, counter, at)
		VALUES (`+marks(9)+`) ON CONFLICT DO NOTHING`, table, r.key[0], r.key[1], r.key[2], r.key[3], r.Received, r.Run, r.Counter, at)
	return err
}

func (t *tx) accounted(ctx context.Context, id, counter int64) (bool, error) {
	n, err := t.conn.number(ctx, `SELECT last >= ?2 FROM ledger
		WHERE run = ?1 AND first = (SELECT max(first) FROM ledger WHERE run = ?1 AND first <= ?2)`, id, counter)
	return n == 1, err
}

func (t *tx) keepFill(ctx context.Context, s *series, r record, conv []driver.Value, at int64) error {
	if s == t.in.quotes {
		conv = slices.Insert(slices.Clone(conv), 3, driver.Value(nil), nil, nil)
	}
	args := slices.Concat(
		[]driver.Value{s.table, r.key[0], r.key[1], r.key[2], r.key[3], r.Received, r.Run, r.Counter}, conv, []driver.Value{at})
	_, err := t.conn.exec(ctx, `INSERT INTO pending_fills (series, k1, k2, k3, k4, received, run, counter,
		fx_rate, fx_time, fx_source, base_open, base_high, base_low, base, at)
		VALUES (`+marks(16)+`) ON CONFLICT DO NOTHING`, args...)
	return err
}

// pendingFills applies the fills whose price has come meanwhile.
func (t *tx) pendingFills(ctx context.Context) error {
	var ripe [][]driver.Value
	err := t.conn.rows(ctx, `SELECT series, k1, k2, k3, k4, received, run, counter,
		fx_rate, fx_time, fx_source, base_open, base_high, base_low, base, at
		FROM pending_fills p WHERE EXISTS (SELECT 1 FROM ledger l WHERE l.run = p.run AND l.last >= p.counter
		AND l.first = (SELECT max(first) FROM ledger WHERE run = p.run AND first <= p.counter))`,
		func(row []driver.Value) error {
			ripe = append(ripe, slices.Clone(row))
			return nil
		})
	if err != nil {
		return err
	}
	for _, row := range ripe {
		s := t.in.quotes
		conv := slices.Clone(row[8:15])
		if str(row[0]) == t.in.bars.table {
			s = t.in.bars
		} else {
			conv = slices.Delete(conv, 3, 6)
		}
		r := record{key: [maxKey]int64{whole(row[1]), whole(row[2]), whole(row[3]), whole(row[4])}}
		if r.Receipt, err = t.receipt(ctx, whole(row[5]), whole(row[6]), whole(row[7]), 0); err != nil {
			return err
		}
		found, err := t.applyFill(ctx, s, r, conv, whole(row[15]))
		if err == nil && !found && s == t.in.quotes {
			_, err = t.fillCorrection(ctx, r, conv, whole(row[15]))
		}
		if err != nil {
			return err
		}
		if _, err := t.conn.exec(ctx, `DELETE FROM pending_fills WHERE series = ? AND k1 = ? AND k2 = ? AND k3 = ? AND k4 = ?
			AND received = ? AND run = ? AND counter = ?`, row[:8]...); err != nil {
			return err
		}
	}
	return nil
}
