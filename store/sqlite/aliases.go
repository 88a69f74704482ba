package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"time"

	"kurs"
)

// This file keeps the other names of instruments: all that was said (aliases), and
// what follows from it (renamed), by the rules of [kurs.Renames].

// noLimit is the end of an alias that has none; of its beginning, -1.
const noLimit = math.MaxInt64

func (t *tx) aliases(ctx context.Context, group kurs.Group) error {
	n := 0
	for _, b := range group.Batches {
		for i := range b.Aliases {
			if err := t.alias(ctx, &b.Aliases[i]); err != nil {
				return fmt.Errorf("%s: %w", quoted(b.Aliases[i].Symbol), err)
			}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return t.rename(ctx)
}

func (t *tx) alias(ctx context.Context, a *kurs.Alias) error {
	if a.Symbol == "" || a.Was == "" || a.Symbol == a.Was {
		return rejected("an alias that is none")
	}
	row, err := t.aliasKey(ctx, a)
	if err != nil {
		return err
	}
	r, err := t.receiptFor(ctx, a.Receipt)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `INSERT INTO aliases (instrument, was, from_time, until_time, received, run, counter, removed, author)
		VALUES (`+marks(9)+`) ON CONFLICT DO NOTHING`, append(row, r.Received, r.Run, r.Counter, flag(a.Removed), a.Author)...)
	return err
}

// aliasKey binds the symbols and the time of an alias.
func (t *tx) aliasKey(ctx context.Context, a *kurs.Alias) ([]driver.Value, error) {
	row := []driver.Value{nil, nil, int64(-1), int64(noLimit)}
	for i, symbol := range []string{a.Symbol, a.Was} {
		id, err := t.instrumentID(ctx, symbol)
		if err != nil {
			return nil, err
		}
		row[i] = id
	}
	var err error
	if !a.From.IsZero() {
		if row[2], err = millis(a.From); err != nil {
			return nil, err
		}
	}
	if !a.Until.IsZero() {
		if row[3], err = millis(a.Until); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// rename brings the table of what holds up to date. There are few aliases, so it
// is made anew.
func (t *tx) rename(ctx context.Context) error {
	var said []kurs.Alias
	err := t.conn.rows(ctx, saidAliases, func(row []driver.Value) error {
		said = append(said, aliasOf(row))
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := t.conn.exec(ctx, "DELETE FROM renamed"); err != nil {
		return err
	}
	for _, a := range kurs.Renames(said) {
		row, err := t.aliasKey(ctx, &a)
		if err != nil {
			return err
		}
		if _, err := t.conn.exec(ctx, `INSERT INTO renamed (instrument, was, from_time, until_time, author) VALUES (`+marks(5)+`)`,
			append(row, a.Author)...); err != nil {
			return err
		}
	}
	return nil
}

// saidAliases are all that were ever said.
const saidAliases = `SELECT i.symbol, w.symbol, a.from_time, a.until_time, a.removed, a.author, a.received, r.source, r.run, a.counter
	FROM aliases a JOIN instruments i ON i.id = a.instrument JOIN instruments w ON w.id = a.was JOIN runs r ON r.id = a.run`

func aliasOf(row []driver.Value) kurs.Alias {
	a := kurs.Alias{Symbol: str(row[0]), Was: str(row[1]), Removed: whole(row[4]) == 1, Author: str(row[5])}
	if from := whole(row[2]); from >= 0 {
		a.From = time.UnixMilli(from).UTC()
	}
	if until := whole(row[3]); until < noLimit {
		a.Until = time.UnixMilli(until).UTC()
	}
	a.Receipt = kurs.Receipt{Received: moment(row[6]), Raw: kurs.RawID{
		Source: str(row[7]), Run: str(row[8]), Counter: uint64(whole(row[9])), //nolint:gosec // it was written from one
	}}
	return a
}

// SaidAliases are the aliases that people said and did not take back, the newest
// first: also those that do not hold because a newer one clashes with them.
func (r *Reader) SaidAliases(ctx context.Context) ([]kurs.Alias, error) {
	var all []kurs.Alias
	err := r.query(ctx, func(row []driver.Value) error {
		all = append(all, aliasOf(slices.Clone(row)))
		return nil
	}, saidAliases)
	return kurs.Said(all), err
}
