package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurs"
	"kurs/fault"
	"kurs/store/versions"
)

// tx is a group on its way into the database.
type tx struct {
	conn   *pgx.Conn
	in     tables
	known  *lookups
	counts map[string]int64 // by how much each count of the table counts grows
	bounds bounds           // of the times of the quotes written
	memo   memo
	legs   []kurs.Rate // whose legs are to be written
	buffer []byte

	cautious bool // takes nothing for new
	trusting bool // took something for new
}

// bounds are the first and the last of some times.
type bounds struct {
	first, last int64
	known       bool
}

func (b *bounds) take(ms int64) {
	if !b.known || ms < b.first {
		b.first = ms
	}
	if !b.known || ms > b.last {
		b.last = ms
	}
	b.known = true
}

// memo is the last receipt that was looked up: all rows of an answer share one.
type memo struct {
	asked    kurs.Receipt
	answered versions.Receipt
}

// Write implements [kurs.Store]. A group that was stored before is written again and
// changes nothing, so a commit of unknown outcome may be repeated.
func (s *Store) Write(ctx context.Context, group kurs.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkBase(group); err != nil {
		return err
	}
	if err := s.session(ctx); err != nil {
		return err
	}
	s.known.trim()
	err := s.try(ctx, group)
	if err != nil {
		// The ids that were learned meanwhile are not in the database either.
		s.known = newLookups()
		if !s.usable(err) {
			s.drop(ctx)
			err = lost(err)
		}
		return classify(err)
	}
	fault.Point("store.after_commit")
	return nil
}

// usable tells whether the session is as good after an error as before: the server
// said what is wrong, or a row was, and all was undone.
func (s *Store) usable(err error) bool {
	_, told := errors.AsType[*pgconn.PgError](err)
	return (told || errors.Is(err, kurs.ErrRejected)) && !errors.Is(err, errGone) && !s.conn.IsClosed() && s.conn.PgConn().TxStatus() == 'I'
}

// try writes a group. Where a key was taken for new and is not, somebody else wrote into
// the schema, and all is looked up.
func (s *Store) try(ctx context.Context, group kurs.Group) error {
	t := &tx{conn: s.conn, in: s.tables, known: s.known, counts: map[string]int64{}, buffer: s.buffer}
	err := t.run(ctx, group)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == uniqueViolation && t.trusting {
		s.known = newLookups()
		t = &tx{conn: s.conn, in: s.tables, known: s.known, counts: map[string]int64{}, buffer: s.buffer, cautious: true}
		err = t.run(ctx, group)
	}
	s.buffer = t.buffer
	return err
}

// lost says that the session is gone with which an error came.
func lost(err error) error {
	if _, told := errors.AsType[*pgconn.PgError](err); told || Condition(err) != "" {
		return err
	}
	return fmt.Errorf("%w: %w", errGone, err)
}

func (t *tx) run(ctx context.Context, group kurs.Group) error {
	if _, err := t.conn.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	err := t.write(ctx, group)
	if err == nil {
		fault.Point("store.before_commit")
		_, err = t.conn.Exec(ctx, "COMMIT")
	}
	if err != nil && !t.conn.IsClosed() {
		undoCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		_, undo := t.conn.Exec(undoCtx, "ROLLBACK")
		cancel()
		if undo != nil {
			err = fmt.Errorf("%w: %w", errGone, err)
		}
	}
	return err
}

// checkBase refuses prices in another currency than that of the schema: nobody could
// tell them apart afterwards.
func (s *Store) checkBase(group kurs.Group) error {
	for _, b := range group.Batches {
		if b.BaseCurrency != "" && b.BaseCurrency != s.BaseCurrency {
			return fmt.Errorf("%w: a batch in %s: %w", kurs.ErrRejected, b.BaseCurrency, kurs.ErrBaseCurrency)
		}
		for i := range b.Prices {
			if c := b.Prices[i].BaseCurrency; c != "" && c != s.BaseCurrency {
				return fmt.Errorf("%w: a price in %s: %w", kurs.ErrRejected, c, kurs.ErrBaseCurrency)
			}
		}
		for i := range b.Bars {
			if c := b.Bars[i].BaseCurrency; c != "" && c != s.BaseCurrency {
				return fmt.Errorf("%w: a bar in %s: %w", kurs.ErrRejected, c, kurs.ErrBaseCurrency)
			}
		}
	}
	return nil
}

// write puts the whole group into the open transaction. Fills come after the prices
// and the ledger: they look for both.
func (t *tx) write(ctx context.Context, group kurs.Group) error {
	ahead, err := t.position(ctx, group.Position)
	if err != nil {
		return err
	}
	if err := t.learn(ctx, group); err != nil {
		return fmt.Errorf("names: %w", err)
	}
	if ahead { // what is known of an instrument is the newest in the order of the queue
		if err := t.instruments(ctx, group); err != nil {
			return fmt.Errorf("instruments: %w", err)
		}
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, kurs.Group) error
	}{
		{"quotes", t.quotes},
		{"bars", t.bars},
		{"rates", t.rates},
		{"events", t.events},
		{"gaps", t.gaps},
		{"quarantine", t.aside},
		{"decisions", t.decisions},
		{"corrections", t.corrections},
		{"aliases", t.aliases},
		{"ledger", t.ledger},
		{"fills", t.fills},
		{"legs", t.writeLegs},
		{"counts", t.count},
	} {
		if err := step.do(ctx, group); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// position moves the store's position on. It tells whether the group is ahead of it:
// not, where it or a later one was stored before. The numbers of another epoch begin
// again, so nothing can be said of them but that they are new.
func (t *tx) position(ctx context.Context, pos kurs.StreamPos) (ahead bool, err error) {
	if pos == (kurs.StreamPos{}) {
		return true, nil
	}
	tag, err := t.conn.Exec(ctx, `INSERT INTO position (one, epoch, seq) VALUES (1, $1, $2)
		ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
		WHERE excluded.epoch <> position.epoch OR excluded.seq > position.seq`,
		escape(pos.Epoch), int64(pos.Seq)) //nolint:gosec // a stream has fewer than 2^63 messages
	return tag.RowsAffected() > 0, err
}

// sortRecords brings records into the order of the key, so that a transaction goes
// through the index once, and of one key into that of the receipts.
func sortRecords(records []record) {
	slices.SortFunc(records, func(a, b record) int {
		for i := range a.key {
			if a.key[i] != b.key[i] {
				return cmp.Compare(a.key[i], b.key[i])
			}
		}
		return cmp.Or(a.Compare(b.Receipt), cmp.Compare(a.batch, b.batch), cmp.Compare(a.index, b.index))
	})
}

// quoted is a name as errors show it: whatever bytes it has, on one line and not long.
func quoted(name string) string {
	const most = 40
	if len(name) > most {
		return strconv.Quote(name[:most]) + "..."
	}
	return strconv.Quote(name)
}
