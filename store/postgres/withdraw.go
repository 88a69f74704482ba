package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs/store/versions"
)

// This file takes away what a person kept and then thought better of: the version that
// is known by the receipt of the decision. What remains is what would be there without
// it.

// earliest is before everything that can be received, in milliseconds.
var earliest = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// withdraw takes a version of a record's key away and tells whether it was there. Of a
// key that has no other the row goes. A price is kept aside, for what was known
// meanwhile.
func (t *tx) withdraw(ctx context.Context, s *series, of record, aside int64, kept versions.Receipt) (bool, error) {
	of.Receipt = versions.Receipt{Received: earliest} // all versions
	stored, err := t.stored(ctx, s, []record{of})
	if err != nil {
		return false, err
	}
	now, taken := t.rules(s).Without(stored[0], kept)
	if taken == nil {
		return false, nil
	}
	batch := &pgx.Batch{}
	if s == t.in.quotes {
		s.keepWithdrawn(batch, of, aside, *taken)
	}
	if len(now) > 0 {
		t.replace(batch, s, of, stored[0], now)
	} else {
		t.counts[s.table]--
		batch.Queue(s.delete, s.keyArgs(of)...)
	}
	return true, t.send(ctx, batch)
}

// keepWithdrawn has the batch write down the version that is taken away.
func (s *series) keepWithdrawn(batch *pgx.Batch, of record, aside int64, v versions.Span) {
	cells, _ := s.cellsOf(v)
	columns := s.row[len(s.key):s.lastAt]
	args := s.keyArgs(of)
	for i, c := range columns {
		args = append(args, cells[i].arg(c.kind))
	}
	batch.Queue("INSERT INTO withdrawn ("+listed(s.row[:s.lastAt])+", aside) VALUES ("+params(1, len(args)+1)+") ON CONFLICT DO NOTHING",
		append(args, aside)...)
}

// newestAgain finds where an instrument stands after a price of it was taken away: at
// its newest that is left, with what the newest answer of that said.
func (t *tx) newestAgain(ctx context.Context, gone record) error {
	var (
		stands                 time.Time
		session, source, delay int64
	)
	err := t.conn.QueryRow(ctx, "SELECT time, session, source, delay FROM latest WHERE instrument = $1", gone.key[0]).
		Scan(&stands, &session, &source, &delay)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil || stands.UnixMilli() != gone.key[1] || session != gone.key[2] || source != gone.key[3] {
		return err
	}
	left, err := t.newestQuotes(ctx, gone.key[0])
	if err != nil {
		return err
	}
	if _, err := t.conn.Exec(ctx, "DELETE FROM latest WHERE instrument = $1", gone.key[0]); err != nil || len(left) == 0 {
		return err
	}
	shown, err := t.stored(ctx, t.in.quotes, left)
	if err != nil {
		return err
	}
	var (
		newest record
		said   []cell
	)
	for i, r := range left {
		v := shown[i][len(shown[i])-1]
		r.Receipt = v.Last.Receipt
		if i == 0 || r.newer(newest) {
			newest, said = r, []cell{cellOf(v.Last.Attrs[5]), cellOf(v.Last.Attrs[6]), cellOf(v.Last.Attrs[7])}
		}
	}
	_, err = t.conn.Exec(ctx, `INSERT INTO latest (instrument, time, session, source, received, run, counter, bid, ask, volume, delay)
		VALUES (`+params(1, 11)+`)`, append(newest.quoteKey(), moment(newest.Received), newest.Run, newest.Counter,
		said[0].arg(kindDecimal), said[1].arg(kindDecimal), said[2].arg(kindWhole), delay)...)
	return err
}

// newestQuotes are the keys of an instrument's prices of its newest time.
func (t *tx) newestQuotes(ctx context.Context, instrument int64) ([]record, error) {
	rows, err := t.conn.Query(ctx, `SELECT time, session, source FROM quotes
		WHERE instrument = $1 AND time = (SELECT max(time) FROM quotes WHERE instrument = $1)`, instrument)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (record, error) {
		var at time.Time
		r := record{Receipt: versions.Receipt{Received: math.MaxInt64}} // none but the version that is shown
		r.key[0] = instrument
		err := row.Scan(&at, &r.key[2], &r.key[3])
		r.key[1] = at.UnixMilli()
		return r, err
	})
}
