package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"time"
)

// This file deletes old bars and rates, and ends a pass.

// oldBars are the bars b that may go: ?1 the instrument, ?2 the time. The newest of
// each interval stays.
const oldBars = ` b.instrument = ?1 AND b.time < ?2 AND coalesce(b.last_received, b.received) < ?2
	AND b.time < (SELECT max(m.time) FROM bars m WHERE m.instrument = b.instrument AND m.interval = b.interval)`

// retireBars deletes some bars of one symbol.
func (t *tx) retireBars(ctx context.Context, p *pass, _ *Reader) (rows int64, over bool, err error) {
	if p.keep.Bars <= 0 {
		return 0, true, nil
	}
	row, err := t.conn.row(ctx, "SELECT id FROM instruments WHERE id >= ? ORDER BY id LIMIT 1", p.id)
	if err != nil || row == nil {
		return 0, row == nil, err
	}
	p.id = whole(row[0])
	of := []driver.Value{p.id, cut(p.now, p.keep.Bars)}
	n, err := t.conn.exec(ctx, `DELETE FROM bars WHERE (instrument, interval, time, source) IN
		(SELECT b.instrument, b.interval, b.time, b.source FROM bars b WHERE`+oldBars+` LIMIT ?3)`, append(of, retireRows)...)
	if err != nil {
		return 0, false, err
	}
	t.counts["bars"] -= n
	p.done.Bars += n
	if n == retireRows {
		return n, false, nil
	}
	p.id++
	const gone = `NOT EXISTS (SELECT 1 FROM bars b WHERE `
	versions, err := t.conn.exec(ctx, `DELETE FROM bars_versions AS v WHERE v.instrument = ?1 AND v.time < ?2 AND `+gone+
		`b.instrument = v.instrument AND b.interval = v.interval AND b.time = v.time AND b.source = v.source)`, of...)
	if err != nil {
		return 0, false, err
	}
	t.counts["bars_versions"] -= versions
	_, err = t.conn.exec(ctx, `DELETE FROM filled AS f WHERE f.series = 'bars' AND f.k1 = ?1 AND f.k3 < ?2 AND `+gone+
		`b.instrument = f.k1 AND b.interval = f.k2 AND b.time = f.k3 AND b.source = f.k4)`, of...)
	return n + versions, false, err
}

// ratesNeeded is how long before a price's own time a rate may be that it is
// converted with: no setting allows more (fx.max_age_daily and its kin).
const ratesNeeded = 31 * 24 * time.Hour

// ratesUntil is the time before which no rate is needed any more: rates are kept as
// long as is said, and as long as there may be prices that are shown in another
// currency with them, or that wait for one. The newest price of a symbol that is no
// longer traded, and one that a person corrected, do not count: each has its own rate
// with it.
func ratesUntil(ctx context.Context, number func(ctx context.Context, text string) (int64, bool, error), keep Retention, now time.Time) (int64, error) {
	until := cut(now, keep.Rates)
	oldest := func(kept time.Duration, text string) error {
		if kept > 0 {
			until = min(until, cut(now, kept)-ratesNeeded.Milliseconds())
			return nil
		}
		first, ok, err := number(ctx, text)
		if ok {
			until = min(until, first-ratesNeeded.Milliseconds())
		}
		return err
	}
	if err := oldest(keep.Quotes, `SELECT min((SELECT min(time) FROM quotes q WHERE q.instrument = i.id)) FROM instruments i`); err != nil {
		return 0, err
	}
	if err := oldest(keep.Bars, `SELECT min((SELECT min(time) FROM bars b WHERE b.instrument = i.id AND b.interval = t.id))
		FROM instruments i CROSS JOIN (SELECT id FROM texts WHERE text GLOB '[0-9]*[mhdkyo]') t`); err != nil {
		return 0, err
	}
	return until, oldest(0, `SELECT min(t) FROM (SELECT min(time) AS t FROM quotes WHERE base IS NULL UNION ALL SELECT min(time) FROM bars WHERE base IS NULL)`)
}

// oldRates are the rates r of a pair, ?1 and ?2, that may go, ?3 being the time. The
// newest of the pair stays.
const oldRates = ` r.from_currency = ?1 AND r.to_currency = ?2 AND r.time < ?3 AND coalesce(r.last_received, r.received) < ?3
	AND r.time < (SELECT max(m.time) FROM rates m WHERE m.from_currency = r.from_currency AND m.to_currency = r.to_currency)`

// retireRates deletes some rates of one pair.
func (t *tx) retireRates(ctx context.Context, p *pass, _ *Reader) (rows int64, over bool, err error) {
	if p.keep.Rates <= 0 {
		return 0, true, nil
	}
	if p.pairs == nil {
		if p.rates, err = ratesUntil(ctx, t.maybe, p.keep, p.now); err != nil {
			return 0, false, err
		}
		p.pairs = [][2]int64{}
		if err := t.conn.rows(ctx, "SELECT DISTINCT from_currency, to_currency FROM rates", func(row []driver.Value) error {
			p.pairs = append(p.pairs, [2]int64{whole(row[0]), whole(row[1])})
			return nil
		}); err != nil {
			return 0, false, err
		}
	}
	if p.id >= int64(len(p.pairs)) {
		_, err := t.conn.exec(ctx, "DELETE FROM legs WHERE time < ?", p.rates)
		return 0, true, err
	}
	pair := p.pairs[p.id]
	of := []driver.Value{pair[0], pair[1], p.rates}
	n, err := t.conn.exec(ctx, `DELETE FROM rates WHERE (from_currency, to_currency, time, source, interval) IN
		(SELECT r.from_currency, r.to_currency, r.time, r.source, r.interval FROM rates r WHERE`+oldRates+` LIMIT ?4)`, append(of, retireRows)...)
	if err != nil {
		return 0, false, err
	}
	t.counts["rates"] -= n
	p.done.Rates += n
	if n == retireRows {
		return n, false, nil
	}
	p.id++
	versions, err := t.conn.exec(ctx, `DELETE FROM rates_versions AS v WHERE v.from_currency = ?1 AND v.to_currency = ?2 AND v.time < ?3
		AND NOT EXISTS (SELECT 1 FROM rates r WHERE r.from_currency = v.from_currency AND r.to_currency = v.to_currency AND r.time = v.time
			AND r.source = v.source AND r.interval = v.interval)`, of...)
	t.counts["rates_versions"] -= versions
	return n + versions, false, err
}

// maybe is the one number of an answer, if there is one.
func (t *tx) maybe(ctx context.Context, text string) (int64, bool, error) {
	row, err := t.conn.row(ctx, text)
	if err != nil || len(row) == 0 || row[0] == nil {
		return 0, false, err
	}
	return whole(row[0]), true, nil
}

// retireEnd notes the first time of the prices that are left.
func (t *tx) retireEnd(ctx context.Context, _ *pass, _ *Reader) (int64, bool, error) {
	first, ok, err := t.maybe(ctx, "SELECT min((SELECT min(time) FROM quotes q WHERE q.instrument = i.id)) FROM instruments i")
	if err != nil || !ok {
		return 0, true, err
	}
	_, err = t.conn.exec(ctx, "UPDATE counts SET n = ? WHERE name = 'quotes_first' AND n < ?", first, first)
	return 0, true, err
}

// OldRows is what a kind would lose of a symbol, or of a pair.
type OldRows struct {
	Kind   string    `json:"kind"` // "quotes", "bars" or "rates"
	Symbol string    `json:"symbol"`
	Rows   int64     `json:"rows"`
	Bytes  int64     `json:"bytes"` // about
	First  time.Time `json:"first_time"`
	Last   time.Time `json:"last_time"`
}

// Old tells what [Store.Retire] would delete. It changes nothing. bars that would
// be made are not counted.
func (r *Reader) Old(ctx context.Context, keep Retention, now time.Time) ([]OldRows, error) {
	var out []OldRows
	add := func(kind, symbol, query string, args ...any) error {
		return r.query(ctx, func(row []driver.Value) error {
			if n := whole(row[0]); n > 0 {
				out = append(out, OldRows{Kind: kind, Symbol: symbol, Rows: n, First: moment(row[1]), Last: moment(row[2])})
			}
			return nil
		}, query, args...)
	}
	err := r.eachZone(ctx, func(id int64, symbol, zone string) error {
		if keep.Quotes > 0 {
			limit := cut(now, keep.Quotes)
			until := limit
			if keep.Summary != nil {
				until = dayOf(limit, zoneOf(zone)).From.UnixMilli()
			}
			if err := add("quotes", symbol, "SELECT count(*), min(time), max(time) FROM quotes q WHERE"+oldQuotes, id, int64(math.MinInt64), until, limit); err != nil {
				return err
			}
		}
		if keep.Bars <= 0 {
			return nil
		}
		return add("bars", symbol, "SELECT count(*), min(time), max(time) FROM bars b WHERE"+oldBars, id, cut(now, keep.Bars))
	})
	if err != nil || keep.Rates <= 0 {
		return r.priced(ctx, out, err)
	}
	until, err := ratesUntil(ctx, r.maybe, keep, now)
	if err != nil {
		return nil, err
	}
	var pairs [][]any
	if err := r.query(ctx, func(row []driver.Value) error {
		pairs = append(pairs, []any{row[0], row[1], str(row[2]) + str(row[3])})
		return nil
	}, `SELECT p.f, p.t, a.text, b.text FROM (SELECT DISTINCT from_currency AS f, to_currency AS t FROM rates) p
		JOIN texts a ON a.id = p.f JOIN texts b ON b.id = p.t ORDER BY a.text, b.text`); err != nil {
		return nil, err
	}
	for _, pair := range pairs {
		name, _ := pair[2].(string)
		if err := add("rates", name, "SELECT count(*), min(time), max(time) FROM rates r WHERE"+oldRates, pair[0], pair[1], until); err != nil {
			return nil, err
		}
	}
	return r.priced(ctx, out, nil)
}

// priced adds how many bytes the rows take, by what a row of the table takes.
func (r *Reader) priced(ctx context.Context, rows []OldRows, err error) ([]OldRows, error) {
	if err != nil || len(rows) == 0 {
		return rows, err
	}
	var s FileStats
	if err := r.tableStats(ctx, &s); err != nil {
		return nil, err
	}
	perRow := map[string]int64{}
	for _, t := range s.Tables {
		perRow[t.Name] = t.PerRow()
	}
	for i := range rows {
		rows[i].Bytes = rows[i].Rows * perRow[rows[i].Kind]
	}
	return rows, nil
}

func (r *Reader) maybe(ctx context.Context, text string) (n int64, ok bool, err error) {
	err = r.query(ctx, func(row []driver.Value) error {
		n, ok = row[0].(int64)
		return nil
	}, text)
	return n, ok, err
}

// eachZone calls do with each symbol, in their order, and its exchange's time zone.
func (r *Reader) eachZone(ctx context.Context, do func(id int64, symbol, zone string) error) error {
	return r.instruments(ctx, nil, func(id int64, symbol string) error {
		zone := ""
		if err := r.query(ctx, func(row []driver.Value) error {
			zone = str(row[0])
			return nil
		}, "SELECT time_zone FROM instruments WHERE id = ?", id); err != nil {
			return err
		}
		return do(id, symbol, zone)
	})
}
