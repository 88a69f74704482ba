package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kurs"
)

// This file reads what people have a say in: what was set aside, the stored price
// that they want to correct, and gaps.

// The states of what was set aside.
const (
	StateWaiting = "waiting" // for a person
	StateKept    = string(kurs.ActionKeep)
	StateDropped = string(kurs.ActionDrop)
)

// Aside is an observation that was set aside, with what was decided of it.
type Aside struct {
	kurs.SetAside

	ID      int64 // in this database
	State   string
	Factor  kurs.Decimal // of one that was kept
	Author  string       // of the decision, as are the two below
	Comment string
	Decided time.Time
}

// AsideFilter chooses what was set aside. The zero value is all of it.
type AsideFilter struct {
	IDs     []int64
	Symbols []string
	State   string
	Reason  kurs.Reason
	AsOf    time.Time // what was set aside and decided by then; zero: what is known
}

// SetAside calls yield with what was set aside, in the order in which it came to
// this database. An error of yield ends it and is returned.
func (r *Reader) SetAside(ctx context.Context, filter AsideFilter, yield func(Aside) error) error {
	where, args, err := r.asideWhere(ctx, filter)
	if err != nil {
		return err
	}
	return r.query(ctx, func(row []driver.Value) error {
		a, err := asideOf(row, r.base)
		if err != nil {
			return err
		}
		return yield(a)
	}, `SELECT q.id, q.kind, i.symbol, q.time, s.text, o.text, n.text, q.native, q.open, q.high, q.low, u.unit, u.currency, u.factor,
		q.approximate, q.bid, q.ask, q.volume, q.fx_rate, q.fx_time, f.text, q.received, a.source, a.run, q.counter, g.text,
		q.reason, q.detail, q.state, q.factor, q.author, q.comment, q.decided
		FROM `+quarantineAsOf+` q JOIN instruments i ON i.id = q.instrument JOIN units u ON u.id = q.unit JOIN runs a ON a.id = q.run
		JOIN texts s ON s.id = q.session JOIN texts o ON o.id = q.source JOIN texts n ON n.id = q.interval
		LEFT JOIN texts f ON f.id = q.fx_source LEFT JOIN texts g ON g.id = q.origin
		WHERE `+where+` ORDER BY q.id`, slices.Insert(args, 0, any(knownMillis(filter.AsOf)))...)
}

// quarantineAsOf is the table quarantine as it was known at a time in milliseconds,
// which it is bound to once: a decision that came later was none yet.
const quarantineAsOf = `(SELECT a.id, a.kind, a.instrument, a.time, a.session, a.source, a.interval, a.native, a.open, a.high, a.low, a.unit,
		a.approximate, a.bid, a.ask, a.volume, a.fx_rate, a.fx_time, a.fx_source, a.received, a.run, a.counter, a.origin, a.reason, a.detail,
		coalesce(d.action, 'waiting') AS state, d.factor, d.author, d.comment, d.received AS decided
	FROM (SELECT ? AS at) w JOIN quarantine a ON a.received <= w.at
	LEFT JOIN decisions d ON d.aside = a.id AND (d.received, d.run, d.counter) = (
		SELECT e.received, e.run, e.counter FROM decisions e JOIN runs r ON r.id = e.run
		WHERE e.aside = a.id AND e.received <= w.at ORDER BY e.received DESC, r.source DESC, r.run DESC, e.counter DESC LIMIT 1))`

// knownMillis is up to when receipts count for what was known at a time.
func knownMillis(asOf time.Time) int64 {
	if asOf.IsZero() {
		return math.MaxInt64
	}
	return asOf.UnixMilli()
}

// asideWhere is the filter as a condition. A symbol stands for its instrument,
// under all its names.
func (r *Reader) asideWhere(ctx context.Context, f AsideFilter) (where string, args []any, err error) {
	all := []string{"1"}
	either := func(n int, one string) {
		all = append(all, "("+strings.TrimSuffix(strings.Repeat(one+" OR ", n), " OR ")+")")
	}
	if len(f.IDs) > 0 {
		all = append(all, "q.id IN ("+marks(len(f.IDs))+")")
		for _, id := range f.IDs {
			args = append(args, id)
		}
	}
	if len(f.Symbols) > 0 {
		names, err := r.names(ctx)
		if err != nil {
			return "", nil, err
		}
		n := 0
		err = r.histories(ctx, f.Symbols, names, func(_ string, parts []part) error {
			for _, p := range parts {
				args = append(args, p.id, p.after, p.before)
				n++
			}
			return nil
		}, inOrder)
		if err != nil {
			return "", nil, err
		}
		if n == 0 {
			return "0", nil, nil
		}
		either(n, "q.instrument = ? AND q.time > ? AND q.time < ?")
	}
	if f.State != "" {
		all, args = append(all, "q.state = ?"), append(args, f.State)
	}
	if f.Reason != "" {
		all, args = append(all, "q.reason = ?"), append(args, string(f.Reason))
	}
	return strings.Join(all, " AND "), args, nil
}

func asideOf(c []driver.Value, base string) (Aside, error) {
	a := Aside{ID: whole(c[0]), State: str(c[28]), Author: str(c[30]), Comment: str(c[31]), Decided: moment(c[32])}
	a.Kind, a.Symbol, a.Session, a.Source, a.Interval = kurs.AsideKind(str(c[1])), str(c[2]), kurs.Session(str(c[4])), str(c[5]), str(c[6])
	if ms := whole(c[3]); ms != 0 {
		a.Time = time.UnixMilli(ms).UTC()
	}
	a.Unit, a.Currency, a.BaseCurrency = str(c[11]), str(c[12]), base
	a.Approximate = whole(c[14]) == 1
	if n, ok := c[17].(int64); ok {
		a.Volume = kurs.Volume{N: n, Known: true}
	}
	a.Receipt = kurs.Receipt{Received: moment(c[21]), Origin: kurs.Origin(str(c[25])), Raw: kurs.RawID{
		Source: str(c[22]), Run: str(c[23]), Counter: uint64(whole(c[24])), //nolint:gosec // it was written from one
	}}
	a.Reason, a.Detail = kurs.Reason(str(c[26])), str(c[27])
	for _, d := range []struct {
		to *kurs.Decimal
		at int
	}{{&a.Value, 7}, {&a.Open, 8}, {&a.High, 9}, {&a.Low, 10}, {&a.Price.Factor, 13}, {&a.Bid, 15}, {&a.Ask, 16}, {&a.Rate.Value, 18}, {&a.Factor, 29}} {
		var err error
		if *d.to, err = decimal(c[d.at]); err != nil {
			return Aside{}, fmt.Errorf("set aside as %d: %w", a.ID, err)
		}
	}
	if a.Rate.Known() {
		a.Rate.Pair = kurs.Pair{From: a.Currency, To: base}
		a.Rate.Time, a.Rate.Source = moment(c[19]), str(c[20])
	}
	return a, nil
}

// AsideWaiting is how many observations wait for a person's decision, and the
// first reception of them; zero where there are none.
func (r *Reader) AsideWaiting(ctx context.Context) (n int64, since time.Time, err error) {
	err = r.query(ctx, func(row []driver.Value) error {
		n, since = whole(row[0]), moment(row[1])
		return nil
	}, "SELECT count(*), min(received) FROM quarantine WHERE state = 'waiting'")
	return n, since, err
}

// Around are the stored prices of a symbol next to a time, under all its names: up
// to so many before it, those at it, and up to so many after it, in the order of
// their times.
func (r *Reader) Around(ctx context.Context, symbol string, at time.Time, most int) (before, exact, after []kurs.Row, err error) {
	names, err := r.names(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	ms := at.UnixMilli()
	err = r.histories(ctx, []string{symbol}, names, func(symbol string, parts []part) error {
		for _, p := range parts {
			for _, side := range []struct {
				to    *[]kurs.Row
				where string
				limit int
			}{
				{&before, "q.time < ? ORDER BY q.time DESC, s.text, o.text", most},
				{&exact, "q.time = ? ORDER BY s.text, o.text", 100},
				{&after, "q.time > ? ORDER BY q.time, s.text, o.text", most},
			} {
				err := r.query(ctx, func(row []driver.Value) error {
					v, err := r.named(row, symbol)
					*side.to = append(*side.to, v)
					return err
				}, `SELECT `+rowColumns+` FROM quotes q JOIN instruments i ON i.id = q.instrument`+rowTables+`
					WHERE q.instrument = ? AND q.time > ? AND q.time < ? AND `+side.where+` LIMIT ?`, p.id, p.after, p.before, ms, side.limit)
				if err != nil {
					return err
				}
			}
		}
		return nil
	}, inOrder)
	byTime := func(a, b kurs.Row) int { return a.Time.Compare(b.Time) }
	slices.SortStableFunc(before, byTime)
	slices.SortStableFunc(after, byTime)
	return before[max(0, len(before)-most):], exact, after[:min(most, len(after))], err
}

// Correction is what a person said of a price, once.
type Correction struct {
	Symbol   string       `json:"symbol"` // that the price was received under
	Time     time.Time    `json:"time"`
	Session  kurs.Session `json:"session,omitempty"`
	Source   string       `json:"source"`
	Value    kurs.Decimal `json:"price_native,omitzero"` // unknown: what was said before is void
	Unit     string       `json:"unit,omitempty"`
	Base     kurs.Decimal `json:"price_base,omitzero"`
	Provider kurs.Decimal `json:"provider,omitzero"` // what the provider says of it
	Author   string       `json:"author"`
	Reason   string       `json:"reason"`
	Said     time.Time    `json:"said"`
	Holds    bool         `json:"holds"`
}

// Corrections are all that people said of the prices of some symbols, or of all,
// where asOf is not zero as it was known then: by symbol, time, and then in the
// order in which it was said.
func (r *Reader) Corrections(ctx context.Context, symbols []string, asOf time.Time) ([]Correction, error) {
	var out []Correction
	known := knownMillis(asOf)
	err := r.query(ctx, func(c []driver.Value) error {
		k := Correction{
			Symbol: str(c[0]), Time: moment(c[1]), Session: kurs.Session(str(c[2])), Source: str(c[3]), Unit: str(c[5]),
			Author: str(c[8]), Reason: str(c[9]), Said: moment(c[10]), Holds: whole(c[11]) == 1,
		}
		for _, d := range []struct {
			to *kurs.Decimal
			at int
		}{{&k.Value, 4}, {&k.Base, 6}, {&k.Provider, 7}} {
			var err error
			if *d.to, err = decimal(c[d.at]); err != nil {
				return fmt.Errorf("%s at %s: %w", quoted(k.Symbol), k.Time.Format(timeFormat), err)
			}
		}
		if len(symbols) == 0 || slices.Contains(symbols, k.Symbol) || slices.Contains(symbols, str(c[12])) {
			out = append(out, k)
		}
		return nil
	}, `SELECT i.symbol, k.time, s.text, o.text, k.native, u.unit, k.base,
		CASE WHEN q.received <= w.at THEN q.native ELSE (SELECT v.native FROM quotes_versions v
			WHERE v.instrument = k.instrument AND v.time = k.time AND v.session = k.session AND v.source = k.source AND v.received <= w.at
			ORDER BY v.received DESC LIMIT 1) END,
		k.author, k.reason, k.received,
		k.native IS NOT NULL AND (k.received, k.run, k.counter) = (SELECT c.received, c.run, c.counter FROM corrections c JOIN runs e ON e.id = c.run
			WHERE c.instrument = k.instrument AND c.time = k.time AND c.session = k.session AND c.source = k.source AND c.received <= w.at
			ORDER BY c.received DESC, e.source DESC, e.run DESC, c.counter DESC LIMIT 1),
		(SELECT n.symbol FROM renamed e JOIN instruments n ON n.id = e.instrument
			WHERE e.was = k.instrument AND k.time >= e.from_time AND k.time < e.until_time)
		FROM (SELECT ? AS at) w JOIN corrections k ON k.received <= w.at JOIN instruments i ON i.id = k.instrument JOIN units u ON u.id = k.unit JOIN runs r ON r.id = k.run
		JOIN texts s ON s.id = k.session JOIN texts o ON o.id = k.source
		LEFT JOIN quotes q ON q.instrument = k.instrument AND q.time = k.time AND q.session = k.session AND q.source = k.source
		ORDER BY i.symbol, k.time, s.text, o.text, k.received, r.source, r.run, k.counter`, known)
	return out, err
}

// Gap is a stretch of time in which prices could not be had.
type Gap struct {
	Symbol string    `json:"symbol,omitempty"` // empty: of all
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason,omitempty"`
	Source string    `json:"source,omitempty"`
}

// Gaps are those of some symbols, and those of everybody; or all. By time.
func (r *Reader) Gaps(ctx context.Context, symbols []string) ([]Gap, error) {
	var out []Gap
	err := r.query(ctx, func(c []driver.Value) error {
		g := Gap{Symbol: str(c[0]), From: moment(c[1]), To: moment(c[2]), Reason: str(c[3]), Source: str(c[4])}
		if len(symbols) == 0 || g.Symbol == "" || slices.Contains(symbols, g.Symbol) {
			out = append(out, g)
		}
		return nil
	}, `SELECT i.symbol, g.time, g.to_time, g.reason, o.text FROM gaps g
		JOIN instruments i ON i.id = g.instrument JOIN texts o ON o.id = g.source ORDER BY g.time, i.symbol, g.to_time`)
	return out, err
}
