package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/versions"
)

// put adds observations, which are sorted, to their table. Keys that are known to be
// new (fresh tells of a record) are copied into it; by one statement those that turn
// out to be, and those that nothing has changed of since; the others by reading the
// versions of their keys.
func (t *tx) put(ctx context.Context, s *series, records []record, fresh func(record) bool, row rowFunc) error {
	if len(records) == 0 {
		return nil
	}
	if err := t.partitions(ctx, s, records); err != nil {
		return err
	}
	plan, err := t.plan(ctx, s, records, fresh, row)
	if err != nil {
		return err
	}
	copied, err := t.copyFresh(ctx, s, records, plan, row)
	if err != nil {
		return err
	}
	t.counts[s.table] += copied
	if plan.staged > 0 {
		if err := t.putStaged(ctx, s, records, plan, row); err != nil {
			return err
		}
	}
	return t.merge(ctx, s, records, plan.hard, row)
}

// plan is what becomes of the keys of a group, by their first record.
type plan struct {
	ways   []way // of the keys, each at its first record
	merged map[int][]cell
	hard   []int // to be merged with what is stored
	fresh  int   // how many keys are copied
	staged int
}

type way uint8

const (
	staged way = iota
	copied
	merged
)

func (t *tx) plan(ctx context.Context, s *series, records []record, fresh func(record) bool, row rowFunc) (*plan, error) {
	p := &plan{ways: make([]way, len(records)), merged: map[int][]cell{}}
	for from := 0; from < len(records); {
		to := endOfKey(records, from)
		if to-from > 1 {
			one, err := t.together(ctx, s, records[from:to], row)
			if err != nil {
				return nil, err
			}
			if one == nil {
				p.ways[from] = merged
				p.hard = append(p.hard, from)
				from = to
				continue
			}
			p.merged[from] = one
		}
		if fresh(records[from]) {
			p.ways[from] = copied
			p.fresh++
		} else {
			p.staged++
		}
		from = to
	}
	return p, nil
}

// copyFresh copies the keys that are new into their table.
func (t *tx) copyFresh(ctx context.Context, s *series, records []record, p *plan, row rowFunc) (int64, error) {
	if p.fresh == 0 {
		return 0, nil
	}
	t.trusting = true
	return t.copyRows(ctx, &stager{
		s: s, records: records, row: row, merged: p.merged, take: func(at int) bool { return p.ways[at] == copied },
	})
}

// putStaged puts in what may be stored already, or a version of it. What remains to be
// merged is added to the plan.
func (t *tx) putStaged(ctx context.Context, s *series, records []record, p *plan, row rowFunc) error {
	n, err := t.copyRows(ctx, &stager{
		s: s, records: records, row: row, merged: p.merged, staged: true, take: func(at int) bool { return p.ways[at] == staged },
	})
	if err != nil {
		return err
	}
	var fresh, done int64
	var args []any
	if s.unit >= 0 {
		said, err := t.textID(ctx, string(kurs.OriginCorrection))
		if err != nil {
			return err
		}
		args = append(args, said)
	}
	if err := t.conn.QueryRow(ctx, s.upsert, args...).Scan(&fresh, &done); err != nil {
		return err
	}
	if len(p.merged) > 0 {
		tag, err := t.conn.Exec(ctx, s.insert)
		if err != nil {
			return err
		}
		fresh, done = fresh+tag.RowsAffected(), done+tag.RowsAffected()
	}
	t.counts[s.table] += fresh
	if done == n {
		return nil
	}
	span := timesOf(s, records)
	rows, err := t.conn.Query(ctx, s.unsettled, moment(span.first), moment(span.last))
	if err != nil {
		return err
	}
	more, err := pgx.CollectRows(rows, pgx.RowTo[int])
	p.hard = append(p.hard, more...)
	return err
}

// unknown is fresh where nothing is known of what is stored.
func unknown(record) bool { return false }

func endOfKey(records []record, from int) int {
	to := from + 1
	for to < len(records) && records[to].sameKey(records[from]) {
		to++
	}
	return to
}

func timesOf(s *series, records []record) bounds {
	var b bounds
	for i := range records {
		b.take(records[i].key[s.time])
	}
	return b
}

// together is one row of all receipts of a key, where they say the same; nil where
// they do not.
func (t *tx) together(ctx context.Context, s *series, records []record, row rowFunc) ([]cell, error) {
	spans, err := t.mergeInto(ctx, s, nil, records, row)
	if err != nil || len(spans) != 1 {
		return nil, err
	}
	cells, attrs := s.cellsOf(spans[0])
	if attrs != nil {
		return nil, nil
	}
	key := make([]cell, len(s.key), len(s.row))
	for i := range key {
		key[i] = whole(records[0].key[i])
	}
	return append(key, cells...), nil
}

// mergeInto adds the receipts of one key to its versions.
func (t *tx) mergeInto(ctx context.Context, s *series, spans []versions.Span, records []record, row rowFunc) ([]versions.Span, error) {
	cells := make([]cell, len(s.row))
	rules := t.rules(s)
	for _, r := range records {
		if err := row(r, cells); err != nil {
			return nil, err
		}
		said, err := t.valueOf(ctx, s, cells[len(s.key):], r.Receipt)
		if err != nil {
			return nil, err
		}
		spans = rules.Merge(spans, versions.Seen{Receipt: r.Receipt, Attrs: valuesOf(s.attrs, cells[s.attrsAt:s.lastAt])}, said)
	}
	return spans, nil
}

// mergeAtOnce is how many keys are read and merged at once.
const mergeAtOnce = 2000

// merge adds receipts to the versions of their keys, which are given by their first
// record, and writes what that changes.
func (t *tx) merge(ctx context.Context, s *series, records []record, keys []int, row rowFunc) error {
	for len(keys) > 0 {
		some := keys[:min(len(keys), mergeAtOnce)]
		keys = keys[len(some):]
		first := make([]record, len(some))
		for i, at := range some {
			first[i] = records[at]
		}
		stored, err := t.stored(ctx, s, first)
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		for i, at := range some {
			now, err := t.mergeInto(ctx, s, stored[i], records[at:endOfKey(records, at)], row)
			if err != nil {
				return err
			}
			t.replace(batch, s, first[i], stored[i], now)
		}
		if err := t.conn.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
	}
	return nil
}
