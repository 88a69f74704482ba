package postgres

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"kurs"
)

// This file writes the small tables.

// errorsOf joins the error of a statement with that of what it was part of, which is
// mostly the same.
func errorsOf(err, whole error) error {
	if whole == nil || errors.Is(whole, err) || errors.Is(err, whole) {
		return err
	}
	return errors.Join(err, whole)
}

// instruments keeps what is known of each: of every field the newest that was not
// empty.
func (t *tx) instruments(ctx context.Context, group kurs.Group) error {
	batch := &pgx.Batch{}
	for _, b := range group.Batches {
		for _, i := range b.Instruments {
			if i.Symbol == "" {
				return rejected("an instrument without a symbol")
			}
			id, err := t.instrumentID(ctx, i.Symbol)
			if err != nil {
				return nameless(err, i.Symbol)
			}
			batch.Queue(`UPDATE instruments SET
				  source    = coalesce(nullif($2, ''), source),
				  name      = coalesce(nullif($3, ''), name),
				  kind      = coalesce(nullif($4, ''), kind),
				  exchange  = coalesce(nullif($5, ''), exchange),
				  unit      = coalesce(nullif($6, ''), unit),
				  time_zone = coalesce(nullif($7, ''), time_zone)
				WHERE id = $1`,
				id, escape(i.Source), escape(i.Name), escape(string(i.Kind)), escape(i.Exchange), escape(i.Unit), escape(i.TimeZone))
		}
	}
	return t.send(ctx, batch)
}

// send has all statements run, of which there may be none.
func (t *tx) send(ctx context.Context, batch *pgx.Batch) error {
	if batch.Len() == 0 {
		return nil
	}
	return t.conn.SendBatch(ctx, batch).Close()
}

// latestColumns are those of the table latest.
var latestColumns = []column{
	{"instrument", kindID},
	{"time", kindTime},
	{"session", kindID},
	{"source", kindID},
	{"received", kindTime},
	{"run", kindID},
	{"counter", kindWhole},
	{"bid", kindDecimal},
	{"ask", kindDecimal},
	{"volume", kindWhole},
	{"delay", kindWhole},
}

var (
	latestStage = "CREATE TEMPORARY TABLE stage_latest (n integer, " + definitions(latestColumns) + ") ON COMMIT DELETE ROWS"
	latestCopy  = "COPY stage_latest (n, " + listed(latestColumns) + ") FROM STDIN (FORMAT binary)"
	latestMove  = "INSERT INTO latest (" + listed(latestColumns) + ") SELECT " + listed(latestColumns) + " FROM stage_latest" +
		" ON CONFLICT (instrument) DO UPDATE SET " + each(latestColumns[1:], "%[1]s = excluded.%[1]s", ", ")
)

// newestOf are the records by which each instrument stands, of records in the order of
// the key: the newest by event time, then by receipt.
func newestOf(records []record) []record {
	var newest []record
	for from := 0; from < len(records); {
		to := from + 1
		best := records[from]
		for ; to < len(records) && records[to].key[0] == records[from].key[0]; to++ {
			if records[to].newer(best) {
				best = records[to]
			}
		}
		newest = append(newest, best)
		from = to
	}
	return newest
}

// latest moves each instrument to its newest price, where that is newer than what is
// stored.
func (t *tx) latest(ctx context.Context, group kurs.Group, newest []record, stored map[int64]record) error {
	newest = slices.DeleteFunc(newest, func(r record) bool {
		has, ok := stored[r.key[0]]
		return ok && !r.newer(has)
	})
	if len(newest) == 0 {
		return nil
	}
	b := append(t.buffer[:0], copyHead...)
	for i, r := range newest {
		p := &group.Batches[r.batch].Prices[r.index]
		b = appendRow(b, i, latestColumns, []cell{
			whole(r.key[0]), whole(r.key[1]), whole(r.key[2]), whole(r.key[3]), whole(r.Received), whole(r.Run), whole(r.Counter),
			number(p.Bid), number(p.Ask), volume(p.Volume), whole(p.Delay.Milliseconds()),
		})
	}
	b = binary.BigEndian.AppendUint16(b, math.MaxUint16)
	t.buffer = b
	if _, err := t.copyFrom(ctx, bytes.NewReader(b), latestCopy); err != nil {
		return err
	}
	_, err := t.conn.Exec(ctx, latestMove)
	return err
}

// storedLatest are the prices by which the records' instruments stand, by instrument.
func (t *tx) storedLatest(ctx context.Context, records []record) (map[int64]record, error) {
	stored := map[int64]record{}
	if len(records) == 0 {
		return stored, nil
	}
	ids := make([]int64, len(records))
	for i, r := range records {
		ids[i] = r.key[0]
	}
	rows, err := t.conn.Query(ctx, `SELECT instrument, time, session, source, received, run, counter
		FROM unnest($1::integer[]) AS k JOIN latest ON instrument = k`, pgx.QueryResultFormats{pgx.BinaryFormatCode}, ids)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r record
		for i, to := range []*int64{&r.key[0], &r.key[1], &r.key[2], &r.key[3], &r.Received, &r.Run, &r.Counter} {
			c, err := readCell(latestColumns[i].kind, rows.RawValues()[i])
			if err != nil {
				return nil, err
			}
			*to = c.n
		}
		stored[r.key[0]] = r
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for id, r := range stored {
		if r.Receipt, err = t.receipt(ctx, r.Received, r.Run, r.Counter, 0); err != nil {
			return nil, err
		}
		stored[id] = r
	}
	return stored, nil
}

// newer orders the records of an instrument by what is to be called latest. The last
// two keys only settle ties, the same way each time.
func (r record) newer(o record) bool {
	return cmp.Or(
		cmp.Compare(r.key[1], o.key[1]), r.Compare(o.Receipt),
		cmp.Compare(r.key[2], o.key[2]), cmp.Compare(r.key[3], o.key[3]),
	) > 0
}

// events writes what companies did.
func (t *tx) events(ctx context.Context, group kurs.Group) error {
	batch := &pgx.Batch{}
	for _, b := range group.Batches {
		for _, e := range b.Events {
			if e.Symbol == "" {
				return rejected("an event without a symbol")
			}
			id, err := t.instrumentID(ctx, e.Symbol)
			if err != nil {
				return err
			}
			texts, err := t.textIDs(ctx, string(e.Kind), e.Source, e.Unit)
			if err != nil {
				return err
			}
			at, err := millis(e.Time)
			if err != nil {
				return nameless(err, e.Symbol)
			}
			batch.Queue(`INSERT INTO events (instrument, kind, source, unit, time, amount, numerator, denominator)
				VALUES (`+params(1, 8)+`) ON CONFLICT DO NOTHING`,
				id, texts[0], texts[1], texts[2], moment(at), decimal(e.Amount), decimal(e.Numerator), decimal(e.Denominator))
		}
	}
	return t.send(ctx, batch)
}

// gaps writes what could not be had. One without a symbol is everybody's.
func (t *tx) gaps(ctx context.Context, group kurs.Group) error {
	batch := &pgx.Batch{}
	for _, b := range group.Batches {
		for _, g := range b.Gaps {
			id, err := t.instrumentID(ctx, g.Symbol)
			if err != nil {
				return err
			}
			texts, err := t.textIDs(ctx, g.Source, g.Reason)
			if err != nil {
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
			r, err := t.receiptOf(ctx, g.Receipt)
			if err != nil {
				return err
			}
			batch.Queue(`INSERT INTO gaps (instrument, source, reason, time, to_time, received)
				VALUES (`+params(1, 6)+`) ON CONFLICT (instrument, time, to_time, source, reason) DO UPDATE SET received = excluded.received
				WHERE excluded.received < gaps.received`, id, texts[0], texts[1], moment(from), moment(to), moment(r.Received))
		}
	}
	return t.send(ctx, batch)
}

// ledger notes the raw receipts that the group accounts for.
func (t *tx) ledger(ctx context.Context, group kurs.Group) error {
	counters := map[int64][]int64{} // by run
	for _, b := range group.Batches {
		for _, raw := range b.Raws {
			if err := countable(raw); err != nil {
				return err
			}
			id, err := t.runID(ctx, run{source: raw.Source, name: raw.Run})
			if err != nil {
				return err
			}
			counters[id] = append(counters[id], int64(raw.Counter)) //nolint:gosec // looked at above
		}
	}
	batch := &pgx.Batch{}
	for id, of := range counters {
		batch.Queue(`INSERT INTO ledger (run, counters) VALUES ($1, $2)
			ON CONFLICT (run) DO UPDATE SET counters = ledger.counters + excluded.counters WHERE NOT ledger.counters @> excluded.counters`, id, ranges(of))
	}
	return t.send(ctx, batch)
}

// ranges are numbers as ranges without holes.
func ranges(of []int64) pgtype.Multirange[pgtype.Range[int64]] {
	var out pgtype.Multirange[pgtype.Range[int64]]
	slices.Sort(of)
	for len(of) > 0 {
		n := 1
		for n < len(of) && of[n]-of[n-1] <= 1 {
			n++
		}
		out = append(out, pgtype.Range[int64]{
			Lower: of[0], Upper: of[n-1] + 1, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true,
		})
		of = of[n:]
	}
	return out
}

// count brings the table counts up to date.
func (t *tx) count(ctx context.Context, _ kurs.Group) error {
	batch := &pgx.Batch{}
	for name, n := range t.counts {
		if n != 0 {
			batch.Queue("INSERT INTO counts (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = counts.n + excluded.n", name, n)
		}
	}
	if t.bounds.known {
		batch.Queue(`INSERT INTO counts (name, n) VALUES ('quotes_first', $1)
			ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE excluded.n < counts.n`, t.bounds.first)
		batch.Queue(`INSERT INTO counts (name, n) VALUES ('quotes_last', $1)
			ON CONFLICT (name) DO UPDATE SET n = excluded.n WHERE excluded.n > counts.n`, t.bounds.last)
	}
	return t.send(ctx, batch)
}
