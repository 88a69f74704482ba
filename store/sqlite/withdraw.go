package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"kurs/store/versions"
)

// This file takes away what a person kept and then thought better of: the version
// that is known by the receipt of the decision. What remains is what would be
// there without it.

// withdraw takes a version away and tells whether it was there. Of a key that has
// no other the row goes. A price is kept aside, for what was known meanwhile.
func (t *tx) withdraw(ctx context.Context, s *series, of [maxKey]int64, aside int64, r versions.Receipt) (bool, error) {
	key := make([]driver.Value, s.keyWidth)
	for i := range key {
		key[i] = of[i]
	}
	old, err := t.allVersions(ctx, s, key)
	if err != nil {
		return false, err
	}
	now, taken := t.rules(ctx, s).Without(old, r)
	if taken == nil {
		return false, nil
	}
	if s == t.in.quotes {
		if err := t.keepWithdrawn(ctx, key, aside, *taken); err != nil {
			return false, err
		}
	}
	if len(now) > 0 {
		return true, t.replace(ctx, s, key, old, now)
	}
	t.counts[s.table]--
	_, err = t.conn.exec(ctx, "DELETE FROM "+s.table+" WHERE "+each(s.key, " = ?", " AND "), key...)
	return true, err
}

// keepWithdrawn writes down the version that is taken away.
func (t *tx) keepWithdrawn(ctx context.Context, key []driver.Value, aside int64, v versions.Span) error {
	first := v.First
	row := slices.Concat(key, []driver.Value{first.Received, first.Run, first.Counter, aside}, v.Columns, []driver.Value{first.Origin}, first.Attrs)
	_, err := t.conn.exec(ctx, `INSERT INTO withdrawn (instrument, time, session, source, received, run, counter, aside, native, unit, origin,
			approximate, fx_rate, fx_time, fx_source, base, bid, ask, volume)
		VALUES (`+marks(len(row))+`) ON CONFLICT DO NOTHING`, row...)
	return err
}

// allVersions reads all versions of a key, in order; the one that is shown comes
// last.
func (t *tx) allVersions(ctx context.Context, s *series, key []driver.Value) ([]versions.Span, error) {
	row, err := t.conn.row(ctx, s.load, key...)
	if err != nil || row == nil {
		return nil, err
	}
	shown, err := t.span(ctx, s, row)
	if err != nil {
		return nil, err
	}
	var rows [][]driver.Value
	err = t.conn.rows(ctx, strings.Replace(s.load, "FROM "+s.table, "FROM "+s.table+"_versions", 1), func(row []driver.Value) error {
		rows = append(rows, slices.Clone(row))
		return nil
	}, key...)
	if err != nil {
		return nil, err
	}
	var spans []versions.Span
	for _, row := range rows {
		v, err := t.span(ctx, s, row)
		if err != nil {
			return nil, err
		}
		spans = append(spans, v)
	}
	slices.SortFunc(spans, func(a, b versions.Span) int { return a.First.Compare(b.First.Receipt) })
	return append(spans, shown), nil
}

// newestAgain finds where an instrument stands after a price of it was taken away:
// at its newest that is left, with what the newest answer of that said.
func (t *tx) newestAgain(ctx context.Context, gone [maxKey]int64) error {
	latest, err := t.conn.row(ctx, "SELECT time, session, source, delay FROM latest WHERE instrument = ?", gone[0])
	if err != nil || latest == nil || whole(latest[0]) != gone[1] || whole(latest[1]) != gone[2] || whole(latest[2]) != gone[3] {
		return err
	}
	var newest record
	var last versions.Seen
	s := t.in.quotes
	var keys [][]driver.Value
	err = t.conn.rows(ctx, `SELECT instrument, time, session, source FROM quotes
		WHERE instrument = ?1 AND time = (SELECT max(time) FROM quotes WHERE instrument = ?1)`, func(row []driver.Value) error {
		keys = append(keys, slices.Clone(row))
		return nil
	}, gone[0])
	if err != nil {
		return err
	}
	for i, key := range keys {
		row, err := t.conn.row(ctx, s.load, key...)
		if err != nil {
			return err
		}
		v, err := t.span(ctx, s, row)
		if err != nil {
			return err
		}
		r := record{key: [maxKey]int64{whole(key[0]), whole(key[1]), whole(key[2]), whole(key[3])}, Receipt: v.Last.Receipt}
		if i == 0 || r.newer(newest) {
			newest, last = r, v.Last
		}
	}
	if _, err := t.conn.exec(ctx, "DELETE FROM latest WHERE instrument = ?", gone[0]); err != nil || len(keys) == 0 {
		return err
	}
	_, err = t.conn.exec(ctx, `INSERT INTO latest (instrument, time, session, source, received, run, counter, bid, ask, volume, delay)
		VALUES (`+marks(11)+`)`, newest.key[0], newest.key[1], newest.key[2], newest.key[3], newest.Received, newest.Run, newest.Counter,
		last.Attrs[5], last.Attrs[6], last.Attrs[7], latest[3])
	return err
}
