package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kurs"
)

// errGone: the session was lost, or the server does not answer.
var errGone = errors.New("no session with PostgreSQL")

// session sees to it that there is a session with the right to write.
func (s *Store) session(ctx context.Context) error {
	if s.closed {
		return errClosed
	}
	if s.conn != nil && !s.conn.IsClosed() {
		return nil
	}
	s.drop(ctx)
	options, err := s.options()
	if err != nil {
		return err
	}
	s.conn, err = pgx.ConnectConfig(ctx, options)
	if err != nil {
		s.conn = nil
		return fmt.Errorf("%w: %w", errGone, err)
	}
	if err := s.begin(ctx); err != nil {
		s.drop(ctx)
		return notTold(err)
	}
	return nil
}

// notTold says of an error that is no answer of the server that the session is gone.
func notTold(err error) error {
	if _, own := errors.AsType[*kurs.Error](err); own {
		return err
	}
	return lost(err)
}

// begin makes a new session fit for writing.
func (s *Store) begin(ctx context.Context) error {
	found, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	if err := s.migrate(ctx, found.format); err != nil {
		return err
	}
	for _, t := range s.tables.all() {
		if _, err := s.conn.Exec(ctx, t.stageTable); err != nil {
			return fmt.Errorf("temporary table: %w", err)
		}
	}
	_, err = s.conn.Exec(ctx, latestStage)
	return err
}

// lock takes the right to write, which lasts as long as the session. A session that
// was just lost may still have it, so it is waited for as long as for any other lock.
func (s *Store) lock(ctx context.Context) error {
	_, err := s.conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", "kurs writes "+s.Schema)
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == lockNotAvailable {
		return s.errOtherWriter()
	}
	return err
}

// found is what is known of a schema before it is written to.
type found struct {
	format int64 // 0: there is none, or nothing in it
}

// inspect reads what the server and the schema are, and refuses what is not for this
// kurs.
func (s *Store) inspect(ctx context.Context) (f found, err error) {
	var (
		version  int
		encoding string
		tables   int
		allowed  bool
	)
	err = s.conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::integer, current_setting('server_encoding'),
		(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)::integer,
		coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1), true)`,
		s.Schema).Scan(&version, &encoding, &tables, &allowed)
	if err != nil {
		return f, err
	}
	const oldest = 150_000
	switch {
	case version < oldest:
		return f, errServer(fmt.Sprintf("the server is PostgreSQL %d; kurs needs 15 or later", version/10_000))
	case encoding != "UTF8":
		return f, errServer(fmt.Sprintf("the database has the encoding %s; kurs needs UTF8", encoding))
	case !allowed:
		return f, s.errRights()
	case tables == 0:
		return f, nil
	}
	f.format, err = s.format(ctx)
	var base string
	if err == nil {
		err = s.conn.QueryRow(ctx, "SELECT value FROM meta WHERE key = 'base_currency'").Scan(&base)
	}
	if undefined(err) || errors.Is(err, pgx.ErrNoRows) {
		return f, s.errForeign()
	}
	switch {
	case err != nil:
		return f, err
	case f.format > Format:
		return f, s.errNewer(f.format)
	case base != s.BaseCurrency:
		return f, s.errBase(base)
	}
	return f, nil
}

// format is that of the schema's tables.
func (s *Store) format(ctx context.Context) (n int64, err error) {
	err = s.conn.QueryRow(ctx, "SELECT value::bigint FROM meta WHERE key = 'format'").Scan(&n)
	return n, err
}

// undefined tells whether there is no such table or column, or one of another type.
func undefined(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(e.Code, "42P") || e.Code == "42703" || e.Code == "42883" || e.Code == "42846" || e.Code == "22P02")
}
