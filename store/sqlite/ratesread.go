package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"time"

	"kurs"
)

// Rates calls yield with the rates of some pairs, in either direction, whose times
// are after a time and not after another, in the order in which they were
// received. Of each it is the value that is known, or that was known at a time
// where asOf is not zero. All of them were believed, so they are marked as kept.
func (r *Reader) Rates(ctx context.Context, pairs []kurs.Pair, after, until, asOf time.Time, yield func(kurs.Rate) error) error {
	known := int64(math.MaxInt64)
	if !asOf.IsZero() {
		known = asOf.UnixMilli()
	}
	// Of a rate that had another value at the time, the newest version of then.
	const query = `WITH pair (a, b) AS (SELECT x.id, y.id FROM texts x, texts y WHERE x.text = ?1 AND y.text = ?2),
		seen AS (
			SELECT r.* FROM pair CROSS JOIN rates r ON r.from_currency = a AND r.to_currency = b AND r.time > ?3 AND r.time <= ?4 WHERE r.received <= ?5
			UNION ALL
			SELECT v.* FROM pair CROSS JOIN rates_versions v ON v.from_currency = a AND v.to_currency = b AND v.time > ?3 AND v.time <= ?4
			WHERE ?5 < 9223372036854775807 AND v.received <= ?5
			  AND NOT EXISTS (SELECT 1 FROM rates s WHERE s.from_currency = a AND s.to_currency = b AND s.time = v.time AND s.source = v.source
			    AND s.interval = v.interval AND s.received <= ?5)
			  AND NOT EXISTS (SELECT 1 FROM rates_versions w WHERE w.from_currency = a AND w.to_currency = b AND w.time = v.time AND w.source = v.source
			    AND w.interval = v.interval AND w.received <= ?5 AND (w.received, w.run, w.counter) > (v.received, v.run, v.counter))
		)
		SELECT seen.time, seen.rate, o.text, n.text, y.text, seen.received, u.source, u.run, seen.counter
		FROM seen JOIN texts o ON o.id = seen.source JOIN texts n ON n.id = seen.interval JOIN texts y ON y.id = seen.symbol
		JOIN runs u ON u.id = seen.run ORDER BY seen.received, u.source, u.run, seen.counter`
	for _, pair := range pairs {
		err := r.query(ctx, func(c []driver.Value) error {
			value, err := decimal(c[1])
			if err != nil {
				return fmt.Errorf("rate %s: %w", pair, err)
			}
			return yield(kurs.Rate{
				Pair: pair, Value: value, Time: moment(c[0]), Source: str(c[2]), Interval: str(c[3]), Symbol: str(c[4]), Received: moment(c[5]),
				Raw: rawID(c[6], c[7], c[8]), Kept: true,
			})
		}, query, pair.From, pair.To, after.UnixMilli(), until.UnixMilli(), known)
		if err != nil {
			return err
		}
	}
	return nil
}

func rawID(source, name, counter driver.Value) kurs.RawID {
	return kurs.RawID{Source: str(source), Run: str(name), Counter: uint64(whole(counter))} //nolint:gosec // never negative
}

// Events calls yield with what companies did, by symbol and then by time. None:
// every symbol.
func (r *Reader) Events(ctx context.Context, symbols []string, yield func(kurs.Event) error) error {
	return r.instruments(ctx, symbols, func(id int64, symbol string) error {
		return r.query(ctx, func(c []driver.Value) error {
			e := kurs.Event{Kind: kurs.EventKind(str(c[0])), Symbol: symbol, Source: str(c[1]), Time: moment(c[2]), Unit: str(c[4])}
			for i, to := range []*kurs.Decimal{&e.Amount, nil, &e.Numerator, &e.Denominator} {
				if to == nil {
					continue
				}
				var err error
				if *to, err = decimal(c[3+i]); err != nil {
					return fmt.Errorf("event of %s: %w", quoted(symbol), err)
				}
			}
			return yield(e)
		}, `SELECT k.text, o.text, e.time, e.amount, e.unit, e.numerator, e.denominator FROM events e
			JOIN texts k ON k.id = e.kind JOIN texts o ON o.id = e.source WHERE e.instrument = ? ORDER BY e.time, k.text, e.amount`, id)
	})
}

// TimeZone is the zone that a symbol's exchange keeps, or that of a symbol that the
// instrument had before; empty where neither is known.
func (r *Reader) TimeZone(ctx context.Context, symbol string) (zone string, err error) {
	err = r.query(ctx, func(c []driver.Value) error {
		zone = str(c[0])
		return nil
	}, `SELECT coalesce(nullif(i.time_zone, ''), (SELECT w.time_zone FROM renamed r JOIN instruments w ON w.id = r.was
		WHERE r.instrument = i.id AND w.time_zone <> '' ORDER BY r.until_time DESC LIMIT 1), '') FROM instruments i WHERE i.symbol = ?`, symbol)
	return zone, err
}
