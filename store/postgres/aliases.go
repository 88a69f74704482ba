package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"kurs"
)

// This file keeps the other names of instruments: all that was said (aliases), and
// what follows from it (renamed), by the rules of [kurs.Renames].

func (t *tx) aliases(ctx context.Context, group kurs.Group) error {
	n := 0
	for _, b := range group.Batches {
		for i := range b.Aliases {
			if err := t.alias(ctx, &b.Aliases[i]); err != nil {
				return nameless(err, b.Aliases[i].Symbol)
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
	key, err := t.aliasKey(ctx, a)
	if err != nil {
		return err
	}
	r, err := t.receiptOf(ctx, a.Receipt)
	if err != nil {
		return err
	}
	_, err = t.conn.Exec(ctx, `INSERT INTO aliases (instrument, was, from_time, until_time, received, run, counter, removed, author)
		VALUES (`+params(1, 9)+`) ON CONFLICT DO NOTHING`, append(key, moment(r.Received), r.Run, r.Counter, a.Removed, escape(a.Author))...)
	return err
}

// aliasKey are the symbols and the time of an alias as parameters.
func (t *tx) aliasKey(ctx context.Context, a *kurs.Alias) ([]any, error) {
	id, err := t.instrumentID(ctx, a.Symbol)
	if err != nil {
		return nil, err
	}
	was, err := t.instrumentID(ctx, a.Was)
	if err != nil {
		return nil, err
	}
	from, err := limit(a.From, pgtype.NegativeInfinity)
	if err != nil {
		return nil, err
	}
	until, err := limit(a.Until, pgtype.Infinity)
	return []any{id, was, from, until}, err
}

// limit is the end of an alias; without one, infinitely far away.
func limit(at time.Time, none pgtype.InfinityModifier) (pgtype.Timestamptz, error) {
	if at.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: none, Valid: true}, nil
	}
	ms, err := millis(at)
	return pgtype.Timestamptz{Time: moment(ms), Valid: true}, err
}

// rename brings the table of what holds up to date. There are few aliases, so it is
// made anew.
func (t *tx) rename(ctx context.Context) error {
	said, err := t.saidAliases(ctx)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue("DELETE FROM renamed")
	for _, a := range kurs.Renames(said) {
		key, err := t.aliasKey(ctx, &a)
		if err != nil {
			return err
		}
		batch.Queue("INSERT INTO renamed (instrument, was, from_time, until_time, author) VALUES ("+params(1, 5)+")", append(key, escape(a.Author))...)
	}
	return t.send(ctx, batch)
}

// saidAliases are all that were ever said.
func (t *tx) saidAliases(ctx context.Context) ([]kurs.Alias, error) {
	rows, err := t.conn.Query(ctx, `SELECT i.symbol, w.symbol, a.from_time, a.until_time, a.removed, a.author, a.received, s.text, n.text, a.counter
		FROM aliases a JOIN instruments i ON i.id = a.instrument JOIN instruments w ON w.id = a.was
		JOIN runs r ON r.id = a.run JOIN texts s ON s.id = r.source JOIN texts n ON n.id = r.run`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a kurs.Alias, err error) {
		var (
			from, until pgtype.Timestamptz
			counter     int64
		)
		err = row.Scan(&a.Symbol, &a.Was, &from, &until, &a.Removed, &a.Author, &a.Received, &a.Raw.Source, &a.Raw.Run, &counter)
		for _, text := range []*string{&a.Symbol, &a.Was, &a.Author, &a.Raw.Source, &a.Raw.Run} {
			*text = unescape(*text)
		}
		a.From, a.Until, a.Received = from.Time, until.Time, a.Received.UTC()
		a.Raw.Counter = uint64(counter) //nolint:gosec // it was written from one
		return a, err
	})
}
