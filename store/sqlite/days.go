package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"time"
)

// Symbols are the names of all instruments, sorted.
func (r *Reader) Symbols(ctx context.Context) ([]string, error) {
	var out []string
	err := r.instruments(ctx, nil, func(_ int64, symbol string) error {
		out = append(out, symbol)
		return nil
	})
	return out, err
}

const dayMillis = 24 * 60 * 60 * 1000

// The queries jump from day to day of one instrument instead of reading its rows.
const (
	quoteDays = `WITH RECURSIVE d(at) AS (
		SELECT (SELECT min(time) FROM quotes WHERE instrument = ?1 AND time > ?2 AND time < ?3)
		UNION ALL
		SELECT (SELECT min(time) FROM quotes WHERE instrument = ?1 AND time >= ?4 * CAST(floor(d.at * 1.0 / ?4) + 1 AS INTEGER) AND time < ?3)
		FROM d WHERE d.at IS NOT NULL
	) SELECT at FROM d WHERE at IS NOT NULL`
	barDays = `WITH RECURSIVE d(at) AS (
		SELECT (SELECT min(time) FROM bars WHERE instrument = ?1 AND interval = ?5 AND time > ?2 AND time < ?3)
		UNION ALL
		SELECT (SELECT min(time) FROM bars WHERE instrument = ?1 AND interval = ?5 AND time >= ?4 * CAST(floor(d.at * 1.0 / ?4) + 1 AS INTEGER) AND time < ?3)
		FROM d WHERE d.at IS NOT NULL
	) SELECT at FROM d WHERE at IS NOT NULL`
)

// QuoteDays are the days (UTC) that have prices of a filter, in order, each as its
// first moment. What was known at a time is not looked at: there may be a day too
// many.
func (r *Reader) QuoteDays(ctx context.Context, f Filter) ([]time.Time, error) {
	return r.days(ctx, f, quoteDays)
}

// BarDays are the days (UTC) in which a provider's bars begin.
func (r *Reader) BarDays(ctx context.Context, f BarFilter) ([]time.Time, error) {
	id, err := r.number(ctx, "SELECT id FROM texts WHERE text = ?", f.Interval)
	if err != nil || id == 0 {
		return nil, err
	}
	return r.days(ctx, f.Filter, barDays, id)
}

func (r *Reader) days(ctx context.Context, f Filter, query string, more ...any) ([]time.Time, error) {
	names, err := r.names(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{}
	after, before := f.bounds()
	err = r.histories(ctx, f.Symbols, names, func(_ string, parts []part) error {
		for _, p := range parts {
			args := append([]any{p.id, max(p.after, after), min(p.before, before), int64(dayMillis)}, more...)
			err := r.query(ctx, func(row []driver.Value) error {
				at := time.UnixMilli(whole(row[0])).UTC()
				seen[at.Truncate(24*time.Hour).UnixMilli()] = true
				return nil
			}, query, args...)
			if err != nil {
				return err
			}
		}
		return nil
	}, sorted)
	var out []time.Time
	for at := range seen {
		out = append(out, time.UnixMilli(at).UTC())
	}
	slices.SortFunc(out, time.Time.Compare)
	return out, err
}
