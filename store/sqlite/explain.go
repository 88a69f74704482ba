package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"time"

	"kurs"
)

// Explain returns all that is stored of the prices that a symbol had at a time: one
// for each session and source, nearly always one. None where there is no price of
// just that time. Where asOf is not zero it is what was known then.
func (r *Reader) Explain(ctx context.Context, symbol string, at, asOf time.Time) ([]kurs.Explanation, error) {
	names, err := r.names(ctx)
	if err != nil {
		return nil, err
	}
	var out []kurs.Explanation
	err = r.histories(ctx, []string{symbol}, names, func(symbol string, parts []part) error {
		for _, p := range parts {
			if ms := at.UnixMilli(); ms <= p.after || ms >= p.before {
				continue
			}
			found, err := r.explainAt(ctx, symbol, p.id, at, asOf)
			out = append(out, found...)
			if err != nil {
				return err
			}
		}
		return nil
	}, inOrder)
	return out, err
}

// explainAt explains the prices of one stored symbol.
func (r *Reader) explainAt(ctx context.Context, symbol string, id int64, at, asOf time.Time) ([]kurs.Explanation, error) {
	type found struct {
		kurs.Explanation
		key []any // instrument, time, session, source
	}
	var all []found
	from, args := source(asOf)
	err := r.query(ctx, func(row []driver.Value) error {
		v, err := r.named(row, symbol)
		raw := rawID(row[rowWidth+2], row[rowWidth+3], row[rowWidth+4])
		all = append(all, found{kurs.Explanation{Row: v, Raw: raw}, []any{id, at.UnixMilli(), row[rowWidth], row[rowWidth+1]}})
		return err
	}, `SELECT `+rowColumns+`, q.session, q.source, a.source, a.run, coalesce(c.counter, q.counter)
		FROM `+from+` JOIN instruments i ON i.id = q.instrument JOIN runs a ON a.id = coalesce(c.run, q.run)`+rowTexts+`
		WHERE q.instrument = ? AND q.time = ? ORDER BY q.session, q.source`, append(args, id, at.UnixMilli())...)
	if err != nil {
		return nil, err
	}
	out := make([]kurs.Explanation, len(all))
	for i := range all {
		e := &all[i].Explanation
		if e.Versions, err = r.versionsOf(ctx, all[i].key, asOf); err != nil {
			return nil, err
		}
		markShown(e)
		if err := r.keptOf(ctx, e); err != nil {
			return nil, err
		}
		if e.FilledISO, err = r.filledAt(ctx, "quotes", all[i].key, e.ReceivedISO); err != nil {
			return nil, err
		}
		if !e.PriceBase.Known() { // not known yet at the time asked for
			e.FilledISO = time.Time{}
		}
		if e.Rates, err = r.quotedRates(ctx, used{kurs.Pair{From: e.CurrencyNative, To: e.CurrencyBase}, e.FXRate, e.FXTime, e.FXSource}, asOf); err != nil {
			return nil, err
		}
		out[i] = *e
	}
	return out, nil
}

// markShown marks the version that the row shows, and takes over what it says.
func markShown(e *kurs.Explanation) {
	for i := range e.Versions {
		if v := &e.Versions[i]; v.Raw == e.Raw {
			v.Shown = true
			e.ReceivedISO, e.SeenISO, e.Correction = v.ReceivedISO, v.SeenISO, v.Correction
		}
	}
}

// keptOf finds what a price was before a person kept it: the receipt of such a
// price is that of the decision.
func (r *Reader) keptOf(ctx context.Context, e *kurs.Explanation) error {
	if e.Raw.Source != kurs.SourceUser || e.CorrectedBy != "" {
		return nil
	}
	return r.query(ctx, func(c []driver.Value) error {
		k := kurs.Kept{
			Unit: str(c[1]), Reason: kurs.Reason(str(c[2])), Detail: str(c[3]), Author: str(c[5]), Comment: str(c[6]), ReceivedISO: moment(c[7]),
			Origin: kurs.Origin(str(c[8])), Raw: rawID(c[9], c[10], c[11]),
		}
		var err error
		if k.PriceNative, err = decimal(c[0]); err == nil {
			k.Factor, err = decimal(c[4])
		}
		e.Kept = &k
		return err
	}, `SELECT q.native, u.unit, q.reason, q.detail, d.factor, d.author, d.comment, q.received, g.text, a.source, a.run, q.counter
		FROM runs b JOIN decisions d ON d.run = b.id AND d.received = ?3 AND d.counter = ?4 JOIN quarantine q ON q.id = d.aside
		JOIN instruments i ON i.id = q.instrument JOIN units u ON u.id = q.unit JOIN runs a ON a.id = q.run LEFT JOIN texts g ON g.id = q.origin
		WHERE b.source = ?1 AND b.run = ?2 AND i.symbol = ?5 AND q.time = ?6 AND q.kind <> 'bar'`,
		e.Raw.Source, e.Raw.Run, e.ReceivedISO.UnixMilli(), int64(e.Raw.Counter), e.Symbol, e.Time.UnixMilli()) //nolint:gosec // it came from there
}

// versionsOf are all versions of a price and all that people said of it.
func (r *Reader) versionsOf(ctx context.Context, key []any, asOf time.Time) ([]kurs.Version, error) {
	const columns = `q.native, u.unit, q.fx_rate, q.fx_time, f.text, q.base, q.approximate, q.received, q.last_received, g.text, q.author, q.reason,
		r.source, r.run, q.counter, q.said`
	const query = `SELECT ` + columns + ` FROM (
			SELECT native, unit, fx_rate, fx_time, fx_source, base, approximate, received, coalesce(last_received, received) AS last_received,
				origin, NULL AS author, NULL AS reason, run, counter, 0 AS said FROM quotes
				WHERE instrument = ?1 AND time = ?2 AND session = ?3 AND source = ?4
			UNION ALL
			SELECT native, unit, fx_rate, fx_time, fx_source, base, approximate, received, coalesce(last_received, received),
				origin, NULL, NULL, run, counter, 0 FROM quotes_versions
				WHERE instrument = ?1 AND time = ?2 AND session = ?3 AND source = ?4
			UNION ALL
			SELECT native, unit, fx_rate, fx_time, fx_source, base, approximate, received, received, origin, NULL, NULL, run, counter, 2 FROM withdrawn
				WHERE instrument = ?1 AND time = ?2 AND session = ?3 AND source = ?4
			UNION ALL
			SELECT native, unit, fx_rate, fx_time, fx_source, base, 0, received, received, 0, author, reason, run, counter, 1 FROM corrections
				WHERE instrument = ?1 AND time = ?2 AND session = ?3 AND source = ?4
		) q JOIN units u ON u.id = q.unit JOIN runs r ON r.id = q.run LEFT JOIN texts f ON f.id = q.fx_source LEFT JOIN texts g ON g.id = q.origin
		ORDER BY q.received, r.source, r.run, q.counter`
	var out []kurs.Version
	err := r.query(ctx, func(c []driver.Value) error {
		v := kurs.Version{
			Unit: str(c[1]), FXTime: moment(c[3]), FXSource: str(c[4]), Approximate: whole(c[6]) == 1, ReceivedISO: moment(c[7]), SeenISO: moment(c[8]),
			Origin: kurs.Origin(str(c[9])), CorrectedBy: str(c[10]), Correction: str(c[11]), Raw: rawID(c[12], c[13], c[14]),
		}
		if c[10] != nil {
			v.Origin = kurs.OriginCorrection
		}
		v.Withdrawn = whole(c[15]) == 2
		for _, d := range []struct {
			to *kurs.Decimal
			at int
		}{{&v.PriceNative, 0}, {&v.FXRate, 2}, {&v.PriceBase, 5}} {
			var err error
			if *d.to, err = decimal(c[d.at]); err != nil {
				return fmt.Errorf("version of %s: %w", v.ReceivedISO.Format(timeFormat), err)
			}
		}
		if asOf.IsZero() || !v.ReceivedISO.After(asOf) {
			out = append(out, v)
		}
		return nil
	}, query, key...)
	return out, err
}

// filledAt is when the base value of a receipt came, where that was later than it;
// else the zero time.
func (r *Reader) filledAt(ctx context.Context, series string, key []any, received time.Time) (time.Time, error) {
	ms, err := r.number(ctx, `SELECT max(at) FROM filled WHERE series = ? AND k1 = ? AND k2 = ? AND k3 = ? AND k4 = ? AND received = ?`,
		slices.Concat([]any{series}, key, []any{received.UnixMilli()})...)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}

// used is a rate that something was converted with, as it is stored with it.
type used struct {
	kurs.Pair
	rate   kurs.Decimal
	at     time.Time
	source string
}

// quotedRates are what a rate was quoted as: the rate itself or its legs, and how
// each of them was received.
func (r *Reader) quotedRates(ctx context.Context, u used, asOf time.Time) ([]kurs.RateReceipt, error) {
	if !u.rate.Known() || u.at.IsZero() {
		return nil, nil
	}
	name := kurs.Rate{Source: u.source}.Provider()
	out := []kurs.RateReceipt{{Pair: u.String(), Rate: u.rate, Time: u.at, Source: name}}
	if name != u.source {
		var err error
		if out, err = r.legsOf(ctx, u, name); err != nil {
			return nil, err
		}
	}
	for i := range out {
		leg := &out[i]
		of, ok := kurs.ParsePair(leg.Pair + "=X")
		if !ok {
			continue
		}
		err := r.Rates(ctx, []kurs.Pair{of}, leg.Time.Add(-time.Millisecond), leg.Time, asOf, func(rate kurs.Rate) error {
			if rate.Source == leg.Source && rate.Value == leg.Rate {
				leg.Interval, leg.ReceivedISO, leg.Raw = rate.Interval, rate.Received, &rate.Raw
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// legsOf reads what a rate was computed from. The same rate may have been computed
// of legs of other times as well: one way to it is enough.
func (r *Reader) legsOf(ctx context.Context, u used, name string) ([]kurs.RateReceipt, error) {
	var out []kurs.RateReceipt
	rate, err := binary64(u.rate)
	if err != nil {
		return nil, err
	}
	err = r.query(ctx, func(c []driver.Value) error {
		for i := 0; i < 10; i += 5 {
			value, err := decimal(c[i+3])
			if err != nil {
				return fmt.Errorf("leg of %s: %w", u.Pair, err)
			}
			if value.Known() {
				out = append(out, kurs.RateReceipt{
					Pair: str(c[i+1]) + str(c[i+2]), Rate: value, Time: moment(c[i]), Source: name, Inverse: whole(c[i+4]) == 1,
				})
			}
		}
		return nil
	}, `SELECT l.first_time, a.text, b.text, l.first_rate, l.first_inverse, l.second_time, c.text, d.text, l.second_rate, l.second_inverse
		FROM legs l JOIN texts f ON f.id = l.from_currency JOIN texts t ON t.id = l.to_currency JOIN texts s ON s.id = l.source
		JOIN texts a ON a.id = l.first_from JOIN texts b ON b.id = l.first_to
		LEFT JOIN texts c ON c.id = l.second_from LEFT JOIN texts d ON d.id = l.second_to
		WHERE f.text = ? AND t.text = ? AND l.time = ? AND s.text = ? AND l.rate = ? ORDER BY l.first_time DESC, l.second_time DESC LIMIT 1`,
		u.From, u.To, u.at.UnixMilli(), u.source, rate)
	return out, err
}

// Nearest are the times of the prices of a symbol just before and just after a
// time; zero where there is none.
func (r *Reader) Nearest(ctx context.Context, symbol string, at time.Time) (before, after time.Time, err error) {
	names, err := r.names(ctx)
	if err != nil {
		return before, after, err
	}
	err = r.histories(ctx, []string{symbol}, names, func(_ string, parts []part) error {
		for _, p := range parts {
			ms := at.UnixMilli()
			b, err := r.number(ctx, "SELECT max(time) FROM quotes WHERE instrument = ? AND time > ? AND time < ?", p.id, p.after, min(ms, p.before))
			if err != nil {
				return err
			}
			a, err := r.number(ctx, "SELECT min(time) FROM quotes WHERE instrument = ? AND time > ? AND time < ?", p.id, max(ms, p.after), p.before)
			if err != nil {
				return err
			}
			if t := time.UnixMilli(b).UTC(); b != 0 && t.After(before) {
				before = t
			}
			if t := time.UnixMilli(a).UTC(); a != 0 && (after.IsZero() || t.Before(after)) {
				after = t
			}
		}
		return nil
	}, inOrder)
	return before, after, err
}
