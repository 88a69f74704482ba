package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strconv"

	"kurs"
)

// This file writes the small tables: a few rows a group each.

const timeFormat = "2006-01-02T15:04:05.000Z"

// quoted is a name as errors show it: whatever bytes it has, on one line and
// not long.
func quoted(name string) string {
	const most = 40
	if len(name) > most {
		return strconv.Quote(name[:most]) + "..."
	}
	return strconv.Quote(name)
}

// instruments keeps what is known of each: of every field the newest that was
// not empty.
func (t *tx) instruments(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for _, i := range b.Instruments {
			if i.Symbol == "" {
				return rejected("an instrument without a symbol")
			}
			_, err := t.conn.exec(ctx, `INSERT INTO instruments (symbol, source, name, kind, exchange, unit, time_zone)
				VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (symbol) DO UPDATE SET
				  source    = coalesce(nullif(excluded.source, ''), source),
				  name      = coalesce(nullif(excluded.name, ''), name),
				  kind      = coalesce(nullif(excluded.kind, ''), kind),
				  exchange  = coalesce(nullif(excluded.exchange, ''), exchange),
				  unit      = coalesce(nullif(excluded.unit, ''), unit),
				  time_zone = coalesce(nullif(excluded.time_zone, ''), time_zone)`,
				i.Symbol, i.Source, i.Name, string(i.Kind), i.Exchange, i.Unit, i.TimeZone)
			if err != nil {
				return fmt.Errorf("%s: %w", quoted(i.Symbol), err)
			}
		}
	}
	return nil
}

// latest moves each instrument to its newest price: by event time, then by
// receipt. records are in the order of the table.
func (t *tx) latest(ctx context.Context, group kurs.Group, records []record) error {
	for from := 0; from < len(records); {
		to := from + 1
		for to < len(records) && records[to].key[0] == records[from].key[0] {
			to++
		}
		newest := records[from]
		for _, r := range records[from+1 : to] {
			if r.newer(newest) {
				newest = r
			}
		}
		if err := t.moveLatest(ctx, newest, &group.Batches[newest.batch].Prices[newest.index]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// newer orders the records of an instrument by what is to be called latest. The
// last two keys only settle ties, the same way each time.
func (r record) newer(o record) bool {
	return cmp.Or(
		cmp.Compare(r.key[1], o.key[1]), r.Compare(o.Receipt),
		cmp.Compare(r.key[2], o.key[2]), cmp.Compare(r.key[3], o.key[3]),
	) > 0
}

func (t *tx) moveLatest(ctx context.Context, r record, p *kurs.Price) error {
	row := []driver.Value{r.key[0], r.key[1], r.key[2], r.key[3], r.Received, r.Run, r.Counter, nil, nil, volume(p.Volume), p.Delay.Milliseconds()}
	if err := reals(row[7:9], p.Bid, p.Ask); err != nil {
		return err
	}
	const insert = `INSERT INTO latest (instrument, time, session, source, received, run, counter, bid, ask, volume, delay)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instrument) DO UPDATE SET time = excluded.time,
		session = excluded.session, source = excluded.source, received = excluded.received, run = excluded.run,
		counter = excluded.counter, bid = excluded.bid, ask = excluded.ask, volume = excluded.volume, delay = excluded.delay`
	changed, err := t.conn.exec(ctx, insert+" WHERE (excluded.time, excluded.received) > (latest.time, latest.received)", row...)
	if err != nil || changed > 0 {
		return err
	}
	// Older, or a tie in both times: then the raw message's id decides.
	has, err := t.conn.row(ctx, "SELECT time, session, source, received, run, counter FROM latest WHERE instrument = ?", r.key[0])
	if err != nil || has == nil || whole(has[0]) != r.key[1] || whole(has[3]) != r.Received {
		return err
	}
	stands := record{key: [maxKey]int64{r.key[0], whole(has[0]), whole(has[1]), whole(has[2])}}
	if stands.Receipt, err = t.receipt(ctx, whole(has[3]), whole(has[4]), whole(has[5]), 0); err != nil {
		return err
	}
	if r.newer(stands) {
		_, err = t.conn.exec(ctx, insert, row...)
	}
	return err
}

// events writes what companies did.
func (t *tx) events(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for _, e := range b.Events {
			if e.Symbol == "" {
				return rejected("an event without a symbol")
			}
			row := make([]driver.Value, 8)
			err := t.key(ctx, row, e.Symbol, string(e.Kind), e.Source)
			if err != nil {
				return err
			}
			if row[3], err = millis(e.Time); err != nil {
				return err
			}
			if err := reals(row[4:7], e.Amount, e.Numerator, e.Denominator); err != nil {
				return err
			}
			row[7] = e.Unit
			if _, err := t.conn.exec(ctx, `INSERT INTO events (instrument, kind, source, time, amount, numerator, denominator, unit)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, row...); err != nil {
				return err
			}
		}
	}
	return nil
}

// key binds the ids of an instrument and of texts.
func (t *tx) key(ctx context.Context, row []driver.Value, symbol string, texts ...string) error {
	id, err := t.instrumentID(ctx, symbol)
	if err != nil {
		return err
	}
	row[0] = id
	for i, s := range texts {
		if id, err = t.textID(ctx, s); err != nil {
			return err
		}
		row[i+1] = id
	}
	return nil
}

// gaps writes what could not be had. One without a symbol is everybody's.
func (t *tx) gaps(ctx context.Context, group kurs.Group) error {
	for _, b := range group.Batches {
		for _, g := range b.Gaps {
			row := make([]driver.Value, 6)
			if err := t.key(ctx, row, g.Symbol, g.Source); err != nil {
				return err
			}
			from, err := millis(g.From)
			if err != nil {
				return err
			}
			to, err := millis(g.To)
			if err != nil {
				return err
			}
			r, err := t.receiptFor(ctx, g.Receipt)
			if err != nil {
				return err
			}
			row[2], row[3], row[4], row[5] = from, to, g.Reason, r.Received
			if _, err := t.conn.exec(ctx, `INSERT INTO gaps (instrument, source, time, to_time, reason, received)
				VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET received = excluded.received
				WHERE excluded.received < received`, row...); err != nil {
				return err
			}
		}
	}
	return nil
}

// ledger notes the raw receipts that the group accounts for, as ranges.
func (t *tx) ledger(ctx context.Context, group kurs.Group) error {
	counters := map[int64][]int64{} // by run
	for _, b := range group.Batches {
		for _, raw := range b.Raws {
			if raw.Counter > math.MaxInt64 {
				return rejected("receipt %s: a counter beyond 2^63", raw)
			}
			id, err := t.runID(ctx, run{source: raw.Source, name: raw.Run})
			if err != nil {
				return err
			}
			counters[id] = append(counters[id], int64(raw.Counter))
		}
	}
	for id, of := range counters {
		slices.Sort(of)
		for len(of) > 0 {
			n := 1
			for n < len(of) && of[n]-of[n-1] <= 1 {
				n++
			}
			if err := t.account(ctx, id, of[0], of[n-1]); err != nil {
				return err
			}
			of = of[n:]
		}
	}
	return nil
}

// account adds a range to the ledger, joined with those that it touches.
func (t *tx) account(ctx context.Context, id, first, last int64) error {
	// Ranges do not overlap, so at most one begins before this one and reaches it.
	const touching = ` run = ?1 AND (first BETWEEN ?2 AND ?3 OR (last >= ?2 - 1 AND
		first = (SELECT max(first) FROM ledger WHERE run = ?1 AND first < ?2)))`
	after := last
	if after < math.MaxInt64 {
		after++
	}
	row, err := t.conn.row(ctx, "SELECT count(*), min(first), max(last) FROM ledger WHERE"+touching, id, first, after)
	if err != nil {
		return err
	}
	if whole(row[0]) > 0 {
		if whole(row[0]) == 1 && whole(row[1]) <= first && whole(row[2]) >= last {
			return nil
		}
		if _, err := t.conn.exec(ctx, "DELETE FROM ledger WHERE"+touching, id, first, after); err != nil {
			return err
		}
		first, last = min(first, whole(row[1])), max(last, whole(row[2]))
	}
	_, err = t.conn.exec(ctx, "INSERT INTO ledger (run, first, last) VALUES (?, ?, ?)", id, first, last)
	return err
}

// count brings the table counts up to date.
func (t *tx) count(ctx context.Context, _ kurs.Group) error {
	for name, n := range t.counts {
		if n == 0 {
			continue
		}
		_, err := t.conn.exec(ctx, `INSERT INTO counts (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n`, name, n)
		if err != nil {
			return err
		}
	}
	if !t.bounds.known {
		return nil
	}
	_, err := t.conn.exec(ctx, `INSERT INTO counts (name, n) VALUES ('quotes_first', ?)
		ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE excluded.n < n`, t.bounds.first)
	if err != nil {
		return err
	}
	_, err = t.conn.exec(ctx, `INSERT INTO counts (name, n) VALUES ('quotes_last', ?)
		ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE excluded.n > n`, t.bounds.last)
	return err
}
