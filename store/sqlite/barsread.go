package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"kurs"
)

// BarFilter chooses a provider's bars.
type BarFilter struct {
	Filter
	Interval string // "1d"; empty: all
}

// Bars calls yield with the bars that a provider sent, by symbol, then by interval
// and time. A bar that the provider sent again after a split that it is older than
// counts in the new shares: what was seen before is given where there is such.
func (r *Reader) Bars(ctx context.Context, f BarFilter, yield func(kurs.BarRow) error) error {
	names, err := r.names(ctx)
	if err != nil {
		return err
	}
	return r.histories(ctx, f.Symbols, names, func(symbol string, parts []part) error {
		after, before := f.bounds()
		for _, p := range parts {
			p.after, p.before = max(p.after, after), min(p.before, before)
			if err := r.barsOf(ctx, symbol, p, f, yield); err != nil {
				return err
			}
		}
		return nil
	}, sorted)
}

// barsQuery reads the versions of a page of bars and keeps of each the newest
// that is not rewritten, else the newest. ?1 is the time of which something was
// known, ?2 to ?4 the part of a history, ?5 to ?10 the page: after a key, and up
// to another.
const barsQuery = `SELECT i.symbol, b.time, n.text, b.open, b.high, b.low, b.close, u.unit, u.currency, u.factor,
		iif(b.later, NULL, b.fx_rate), iif(b.later, NULL, b.fx_time), iif(b.later, NULL, f.text),
		iif(b.later, NULL, b.base_open), iif(b.later, NULL, b.base_high), iif(b.later, NULL, b.base_low), iif(b.later, NULL, b.base),
		b.volume, o.text, b.received, b.approximate, g.text, b.rewritten
	FROM (
		SELECT s.*, EXISTS (SELECT 1 FROM filled l WHERE l.series = 'bars' AND l.k1 = s.instrument AND l.k2 = s.interval AND l.k3 = s.time
				AND l.k4 = s.source AND l.received = s.received AND l.run = s.run AND l.counter = s.counter AND l.at > ?1) AS later,
			row_number() OVER (PARTITION BY s.interval, s.time, s.source ORDER BY s.rewritten, s.received DESC, s.run DESC, s.counter DESC) AS place
		FROM (
			SELECT v.*, EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
				WHERE t.text = 'split' AND e.instrument = v.instrument AND e.time > v.time AND e.time <= v.received) AS rewritten
			FROM (
				SELECT * FROM bars WHERE instrument = ?2 AND time > ?3 AND time < ?4 AND (interval, time, source) > (?5, ?6, ?7) AND (interval, time, source) <= (?8, ?9, ?10) AND received <= ?1
				UNION ALL
				SELECT * FROM bars_versions WHERE instrument = ?2 AND time > ?3 AND time < ?4 AND (interval, time, source) > (?5, ?6, ?7) AND (interval, time, source) <= (?8, ?9, ?10) AND received <= ?1
			) v
		) s
	) b
	JOIN instruments i ON i.id = ?2 JOIN texts n ON n.id = b.interval JOIN texts o ON o.id = b.source JOIN units u ON u.id = b.unit
	LEFT JOIN texts f ON f.id = b.fx_source LEFT JOIN texts g ON g.id = b.origin
	WHERE b.place = 1 ORDER BY b.interval, b.time, b.source`

// barKeys is where a page of bars ends.
const barKeys = `SELECT interval, time, source FROM bars WHERE instrument = ? AND time > ? AND time < ? AND (interval, time, source) > (?, ?, ?)
	AND interval <= ? ORDER BY interval, time, source LIMIT 1 OFFSET ?`

func (r *Reader) barsOf(ctx context.Context, symbol string, p part, f BarFilter, yield func(kurs.BarRow) error) error {
	known := int64(math.MaxInt64)
	if !f.AsOf.IsZero() {
		known = f.AsOf.UnixMilli()
	}
	first, last := int64(-1), int64(math.MaxInt64)
	if f.Interval != "" {
		id, err := r.number(ctx, "SELECT id FROM texts WHERE text = ?", f.Interval)
		if err != nil || id == 0 {
			return err
		}
		first, last = id-1, id
	}
	within := []any{p.id, p.after, p.before}
	cursor := []any{first, int64(math.MaxInt64), int64(math.MaxInt64)}
	for {
		end := []any{last, int64(math.MaxInt64), int64(math.MaxInt64)}
		more := false
		err := r.query(ctx, func(row []driver.Value) error {
			end, more = []any{row[0], row[1], row[2]}, true
			return nil
		}, barKeys, slices.Concat(within, cursor, []any{last, int64(pageRows - 1)})...)
		if err != nil {
			return err
		}
		var page []kurs.BarRow
		err = r.query(ctx, func(row []driver.Value) error {
			b, err := r.barRow(row)
			if b.Symbol != symbol {
				b.Instrument = symbol
			}
			page = append(page, b)
			return err
		}, barsQuery, slices.Concat([]any{known}, within, cursor, end)...)
		if err != nil {
			return err
		}
		for _, b := range page {
			if err := yield(b); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		cursor = end
	}
}

// barRow reads the columns of barsQuery.
func (r *Reader) barRow(c []driver.Value) (kurs.BarRow, error) {
	b := kurs.BarRow{
		Symbol: str(c[0]), Time: moment(c[1]), Interval: str(c[2]), Unit: str(c[7]), CurrencyNative: str(c[8]),
		FXTime: moment(c[11]), FXSource: str(c[12]), CurrencyBase: r.base, Source: str(c[18]), ReceivedISO: moment(c[19]),
		Approximate: whole(c[20]) == 1, Origin: kurs.Origin(str(c[21])), Rewritten: whole(c[22]) == 1, MadeOf: kurs.MadeByProvider,
	}
	for _, d := range []struct {
		to *kurs.Decimal
		at int
	}{
		{&b.OpenNative, 3},
		{&b.HighNative, 4},
		{&b.LowNative, 5},
		{&b.CloseNative, 6},
		{&b.Factor, 9},
		{&b.FXRate, 10},
		{&b.OpenBase, 13},
		{&b.HighBase, 14},
		{&b.LowBase, 15},
		{&b.CloseBase, 16},
	} {
		var err error
		if *d.to, err = decimal(c[d.at]); err != nil {
			return b, fmt.Errorf("bar of %s at %s: %w", quoted(b.Symbol), b.Time.Format(timeFormat), err)
		}
	}
	if n, ok := c[17].(int64); ok {
		b.Volume = &n
	}
	if b.Source == SourceKurs {
		b.MadeOf = kurs.MadeOfPrices
	}
	return b, nil
}
