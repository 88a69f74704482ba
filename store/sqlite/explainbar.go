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

// ExplainBar returns all that is stored of the bars of an interval that a provider
// sent of a symbol and that begin at a time: one for each source. Where asOf is not
// zero it is what was known then.
func (r *Reader) ExplainBar(ctx context.Context, symbol, interval string, at, asOf time.Time) ([]kurs.BarExplanation, error) {
	var out []kurs.BarExplanation
	f := BarFilter{Filter: Filter{Symbols: []string{symbol}, Since: at, Until: at.Add(time.Millisecond), AsOf: asOf}, Interval: interval}
	err := r.Bars(ctx, f, func(b kurs.BarRow) error {
		out = append(out, kurs.BarExplanation{BarRow: b})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := r.explainBar(ctx, &out[i], asOf); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Reader) explainBar(ctx context.Context, e *kurs.BarExplanation, asOf time.Time) error {
	var key []any // instrument, interval, time, source
	err := r.query(ctx, func(c []driver.Value) error {
		key = []any{c[0], c[1], e.Time.UnixMilli(), c[2]}
		return nil
	}, "SELECT i.id, n.id, o.id FROM instruments i, texts n, texts o WHERE i.symbol = ? AND n.text = ? AND o.text = ?", e.Symbol, e.Interval, e.Source)
	if err != nil {
		return err
	}
	if e.Versions, err = r.barVersions(ctx, key, asOf); err != nil {
		return err
	}
	for i := range slices.Backward(e.Versions) {
		if v := &e.Versions[i]; v.ReceivedISO.Equal(e.ReceivedISO) {
			v.Shown = true
			e.Raw, e.SeenISO = v.Raw, v.SeenISO
			break
		}
	}
	if e.FilledISO, err = r.filledAt(ctx, "bars", key, e.ReceivedISO); err != nil {
		return err
	}
	if !e.CloseBase.Known() {
		e.FilledISO = time.Time{}
	}
	e.Rates, err = r.quotedRates(ctx, used{kurs.Pair{From: e.CurrencyNative, To: e.CurrencyBase}, e.FXRate, e.FXTime, e.FXSource}, asOf)
	return err
}

// barVersions are all versions of a bar, in the order in which they were received.
func (r *Reader) barVersions(ctx context.Context, key []any, asOf time.Time) ([]kurs.BarVersion, error) {
	known := int64(math.MaxInt64)
	if !asOf.IsZero() {
		known = asOf.UnixMilli()
	}
	const columns = `instrument, time, open, high, low, close, unit, volume, fx_rate, base, received, last_received, origin, run, counter`
	const of = ` WHERE instrument = ?1 AND interval = ?2 AND time = ?3 AND source = ?4 AND received <= ?5`
	const query = `SELECT b.open, b.high, b.low, b.close, u.unit, b.volume, b.fx_rate, b.base, b.received, coalesce(b.last_received, b.received), g.text,
			EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
				WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received),
			r.source, r.run, b.counter
		FROM (SELECT ` + columns + ` FROM bars` + of + ` UNION ALL SELECT ` + columns + ` FROM bars_versions` + of + `) b
		JOIN units u ON u.id = b.unit JOIN runs r ON r.id = b.run LEFT JOIN texts g ON g.id = b.origin
		ORDER BY b.received, r.source, r.run, b.counter`
	var out []kurs.BarVersion
	err := r.query(ctx, func(c []driver.Value) error {
		v := kurs.BarVersion{
			Unit: str(c[4]), ReceivedISO: moment(c[8]), SeenISO: moment(c[9]), Origin: kurs.Origin(str(c[10])), Rewritten: whole(c[11]) == 1,
			Raw: rawID(c[12], c[13], c[14]),
		}
		if n, ok := c[5].(int64); ok {
			v.Volume = &n
		}
		for _, d := range []struct {
			to *kurs.Decimal
			at int
		}{{&v.OpenNative, 0}, {&v.HighNative, 1}, {&v.LowNative, 2}, {&v.CloseNative, 3}, {&v.FXRate, 6}, {&v.CloseBase, 7}} {
			var err error
			if *d.to, err = decimal(c[d.at]); err != nil {
				return fmt.Errorf("version of %s: %w", v.ReceivedISO.Format(timeFormat), err)
			}
		}
		out = append(out, v)
		return nil
	}, query, append(slices.Clone(key), known)...)
	return out, err
}
