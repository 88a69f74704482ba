package faults

import (
	"context"
	"database/sql"
	"math/big"
	"slices"
	"sort"
	"time"
)

// rate is a row of v_fx.
type rate struct {
	ms       int64
	value    string
	source   string
	interval string
	received time.Time
}

// readRates reads v_fx. A rate without a symbol was computed, not handed out; but
// the European Central Bank's have none and were handed out, as those of euro pairs.
func (c *checker) readRates(ctx context.Context, db *sql.DB) error {
	c.rates = map[string][]rate{}
	type key struct {
		pair, source, interval string
		ms                     int64
	}
	keys := map[key]bool{}
	err := each(ctx, db, `SELECT pair, coalesce(symbol, ''), time_ms, rate, source, coalesce(interval, ''), received_iso FROM v_fx`,
		func(scan func(...any) error) error {
			var (
				pair, symbol, received string
				value                  float64
				r                      rate
			)
			if err := scan(&pair, &symbol, &r.ms, &value, &r.source, &r.interval, &received); err != nil {
				return err
			}
			var err error
			if r.received, err = time.Parse(time.RFC3339Nano, received); err != nil {
				return err
			}
			r.value = real64(value)
			c.Rates++
			k := key{pair, r.source, r.interval, r.ms}
			if keys[k] {
				c.wrong("%s at %d is in v_fx twice", pair, r.ms)
			}
			keys[k] = true
			if r.source == "ecb" {
				symbol = pair + "=X"
			}
			if symbol != "" {
				c.stored(symbol, r.ms, r.value, "v_fx")
			}
			if r.source == "yahoo" {
				c.rates[pair] = append(c.rates[pair], r)
			}
			return nil
		})
	for _, all := range c.rates {
		slices.SortFunc(all, func(a, b rate) int { return int(a.ms - b.ms) })
	}
	return err
}

var lengths = map[string]int64{"1m": 60_000, "2m": 120_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000, "60m": 3_600_000, "1h": 3_600_000, "1d": 86_400_000}

// readBars reads v_bars: a bar's close is a price at its end.
func (c *checker) readBars(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, `SELECT symbol, time_ms, interval, close_native FROM v_bars`, func(scan func(...any) error) error {
		var (
			symbol, interval string
			ms               int64
			closed           float64
		)
		if err := scan(&symbol, &ms, &interval, &closed); err != nil {
			return err
		}
		c.Bars++
		length, ok := lengths[interval]
		if !ok {
			c.wrong("%s at %d: a bar of %q", symbol, ms, interval)
			return nil
		}
		c.stored(symbol, ms+length, real64(closed), "v_bars")
		return nil
	})
}

// readAside reads v_quarantine: each observation in it was handed out as it is
// there. A rate that was read from a bar has either time.
func (c *checker) readAside(ctx context.Context, db *sql.DB) error {
	return each(ctx, db, `SELECT symbol, kind, cast(time * 1000 + 0.5 AS INTEGER), interval, price_native FROM v_quarantine
			WHERE time IS NOT NULL AND price_native IS NOT NULL`,
		func(scan func(...any) error) error {
			var (
				symbol, kind string
				ms           int64
				interval     sql.NullString
				native       float64
			)
			if err := scan(&symbol, &kind, &ms, &interval, &native); err != nil {
				return err
			}
			c.Aside++
			if end := ms + lengths[interval.String]; kind == "bar" || c.ledger[seen{symbol, ms}] == nil {
				ms = end
			}
			c.stored(symbol, ms, real64(native), "v_quarantine")
			return nil
		})
}

// quote is a row of v_quotes.
type quote struct {
	symbol, session, source string
	ms                      int64
	native                  float64
	unit, currency          sql.NullString
	factor, rate, rateTime  sql.NullFloat64
	rateSource              sql.NullString
	base                    sql.NullFloat64
	baseCurrency, received  string
}

func (c *checker) readQuotes(ctx context.Context, db *sql.DB) error {
	type key struct {
		symbol, session, source string
		ms                      int64
	}
	keys := map[key]bool{}
	return each(ctx, db, `SELECT symbol, coalesce(session, ''), coalesce(source, ''), time_ms, price_native, unit, currency_native, factor,
			fx_rate, fx_time, fx_source, price_base, currency_base, received_iso FROM v_quotes`,
		func(scan func(...any) error) error {
			var q quote
			err := scan(&q.symbol, &q.session, &q.source, &q.ms, &q.native, &q.unit, &q.currency, &q.factor,
				&q.rate, &q.rateTime, &q.rateSource, &q.base, &q.baseCurrency, &q.received)
			if err != nil {
				return err
			}
			c.Quotes++
			k := key{q.symbol, q.session, q.source, q.ms}
			if keys[k] {
				c.wrong("%s at %d is in v_quotes twice", q.symbol, q.ms)
			}
			keys[k] = true
			c.stored(q.symbol, q.ms, real64(q.native), "v_quotes")
			return c.conversion(&q)
		})
}

// units is what a unit is in its currency.
var units = map[string]struct{ currency, factor string }{
	"GBp": {"GBP", "0.01"}, "GBX": {"GBP", "0.01"}, "ZAc": {"ZAR", "0.01"}, "ILA": {"ILS", "0.01"}, "KWF": {"KWD", "0.001"},
}

// conversion checks how a price was converted.
func (c *checker) conversion(q *quote) error {
	want, ok := units[q.unit.String]
	if !ok {
		want.currency, want.factor = q.unit.String, "1"
	}
	if q.currency.String != want.currency || q.unit.Valid && real64(q.factor.Float64) != want.factor {
		c.wrong("%s at %d: unit %q is currency %q, factor %s", q.symbol, q.ms, q.unit.String, q.currency.String, real64(q.factor.Float64))
	}
	if !q.base.Valid {
		c.Unfilled++
		if !c.AllowUnfilled {
			c.wrong("%s at %d has no base value", q.symbol, q.ms)
		}
		return nil
	}
	product := new(big.Rat).Mul(exact(real64(q.native)), exact(real64(q.factor.Float64)))
	product.Mul(product, exact(real64(q.rate.Float64)))
	if got, exactly := exact(real64(q.base.Float64)), round15(product); got.Cmp(exactly) != 0 {
		c.wrong("%s at %d: %s x %s x %s is %s, stored is %s", q.symbol, q.ms, real64(q.native), real64(q.factor.Float64),
			real64(q.rate.Float64), exactly.FloatString(20), real64(q.base.Float64))
	}
	if q.currency.String == q.baseCurrency {
		if real64(q.rate.Float64) != "1" || q.rateTime.Valid || q.rateSource.Valid {
			c.wrong("%s at %d: nothing was to be converted, yet there is a rate", q.symbol, q.ms)
		}
		return nil
	}
	return c.rateOf(q)
}

// slack is how much earlier a rate must have been received than the price before
// it counts as one that should have been used: the two travel side by side.
const slack = 5 * time.Second

// rateOf checks that the rate of a price is one that is stored, and the newest
// that was known.
func (c *checker) rateOf(q *quote) error {
	pair := q.currency.String + q.baseCurrency
	at := int64(q.rateTime.Float64*1000 + 0.5)
	received, err := time.Parse(time.RFC3339Nano, q.received)
	if err != nil {
		return err
	}
	switch {
	case !q.rateTime.Valid:
		c.wrong("%s at %d: the rate has no time", q.symbol, q.ms)
		return nil
	case at > q.ms:
		c.wrong("%s at %d: the rate is of %d, after the price", q.symbol, q.ms, at)
	case q.rateSource.String != "yahoo":
		return nil // computed; its legs are checked where the rate book is tested
	}
	known := false
	all := c.rates[pair]
	from := sort.Search(len(all), func(i int) bool { return all[i].ms >= at })
	for _, r := range all[from:] {
		if r.ms > q.ms {
			break
		}
		if r.ms == at && r.value == real64(q.rate.Float64) {
			known = true
		}
		if r.ms > at && r.received.Before(received.Add(-slack)) {
			c.wrong("%s at %d: the rate is of %d, and one of %d was known %s before", q.symbol, q.ms, at, r.ms, received.Sub(r.received))
			break
		}
	}
	if !known {
		c.wrong("%s at %d: there is no rate %s of %s at %d", q.symbol, q.ms, real64(q.rate.Float64), pair, at)
	}
	return nil
}

func exact(decimal string) *big.Rat {
	r, ok := new(big.Rat).SetString(decimal)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// round15 rounds to 15 significant digits, half to even.
func round15(r *big.Rat) *big.Rat {
	if r.Sign() == 0 {
		return r
	}
	abs := new(big.Rat).Abs(r)
	scale := new(big.Rat).SetInt64(1) // brings abs into [10^14, 10^15)
	ten, low, high := big.NewRat(10, 1), big.NewRat(100_000_000_000_000, 1), big.NewRat(1_000_000_000_000_000, 1)
	for abs.Cmp(low) < 0 {
		abs.Mul(abs, ten)
		scale.Mul(scale, ten)
	}
	for abs.Cmp(high) >= 0 {
		abs.Quo(abs, ten)
		scale.Quo(scale, ten)
	}
	whole, rest := new(big.Int).QuoRem(abs.Num(), abs.Denom(), new(big.Int))
	switch twice := rest.Lsh(rest, 1).Cmp(abs.Denom()); {
	case twice > 0, twice == 0 && whole.Bit(0) == 1:
		whole.Add(whole, big.NewInt(1))
	}
	out := new(big.Rat).SetInt(whole)
	out.Quo(out, scale)
	if r.Sign() < 0 {
		out.Neg(out)
	}
	return out
}

// each calls do for each row of a query.
func each(ctx context.Context, db *sql.DB, query string, do func(scan func(...any) error) error) (err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := rows.Close(); err == nil {
			err = cerr
		}
	}()
	for rows.Next() {
		if err := do(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
