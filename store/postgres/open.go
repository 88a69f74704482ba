package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs"
)

// Config is where a store is and whose currency it is in.
type Config struct {
	DSN          string        // URL or words; what it does not say, PG* and PGPASSFILE do
	DSNFile      string        // a file that holds the DSN, where that is not given; read at each connection
	Schema       string        // it is made if it is missing
	Timeout      time.Duration // of a statement
	LockTimeout  time.Duration // how long a statement waits for what another session holds
	BaseCurrency string        // ISO 4217; for an existing schema, the one that it was begun with
}

// Store writes prices to a schema of PostgreSQL. It implements [kurs.Store] and may
// be used by several goroutines, one at a time. A session that is lost is opened
// again by the next call.
type Store struct {
	Config
	log *slog.Logger

	mu     sync.Mutex
	closed bool
	conn   *pgx.Conn // nil while there is no session
	known  *lookups
	tables tables
	buffer []byte // of rows on their way, used again
}

var _ kurs.Store = (*Store)(nil)

// Open opens the schema for writing, or begins one. It refuses, without touching it,
// a schema that is not kurs's ([ErrForeign]), one of a newer format
// ([kurs.ErrNewerFormat]), one in another base currency ([kurs.ErrBaseCurrency]) and
// one that another kurs writes into ([ErrOtherWriter]); an older format is brought up
// to date first.
func Open(ctx context.Context, config Config, log *slog.Logger) (*Store, error) {
	if !kurs.LooksLikeCurrency(config.BaseCurrency) {
		return nil, fmt.Errorf("postgres: base currency %q is not an ISO 4217 code", config.BaseCurrency)
	}
	s := &Store{Config: config, log: log, known: newLookups(), tables: newTables()}
	if err := s.session(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// closeTimeout is how long a server that does not answer is waited for at the end.
const closeTimeout = 2 * time.Second

// Close implements [kurs.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.drop(context.Background())
	return nil
}

// drop ends the session. Nothing committed depends on it, and of what was not the
// server lets go; so its errors say nothing.
func (s *Store) drop(ctx context.Context) {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = s.conn.Close(ctx) // see above
	s.conn = nil
	s.known = newLookups()
}

// Position implements [kurs.Store].
func (s *Store) Position(ctx context.Context) (kurs.StreamPos, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.session(ctx); err != nil {
		return kurs.StreamPos{}, err
	}
	var (
		epoch string
		seq   int64
	)
	err := s.conn.QueryRow(ctx, "SELECT epoch, seq FROM position").Scan(&epoch, &seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return kurs.StreamPos{}, nil
	}
	if err != nil {
		s.drop(ctx)
		return kurs.StreamPos{}, fmt.Errorf("position in %s: %w", s.where(), lost(err))
	}
	return kurs.StreamPos{Epoch: unescape(epoch), Seq: uint64(seq)}, nil //nolint:gosec // written from one
}

// options are how to reach the server.
func (c Config) options() (*pgx.ConnConfig, error) {
	dsn := c.DSN
	if dsn == "" && c.DSNFile != "" {
		text, err := os.ReadFile(c.DSNFile)
		if err != nil {
			return nil, fmt.Errorf("store.postgres.dsn_file: %w", err)
		}
		dsn = strings.TrimSpace(string(text))
	}
	options, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errDSN()
	}
	if options.ConnectTimeout == 0 {
		options.ConnectTimeout = connectTimeout
	}
	maps.Copy(options.RuntimeParams, map[string]string{
		"application_name":   "kurs",
		"search_path":        pgx.Identifier{c.Schema}.Sanitize() + ", pg_temp",
		"timezone":           "UTC",
		"client_encoding":    "UTF8",
		"synchronous_commit": "on", // no option: what was acknowledged is on disk
		"statement_timeout":  milliseconds(c.Timeout),
		"lock_timeout":       milliseconds(max(c.LockTimeout, time.Millisecond)), // 0 would be for ever
		// A server that lost this machine lets go of the lock after a minute.
		"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3",
		// All that is looked up is looked up by its key, a row at a time. A plan that
		// was made while a table was small must not read the whole of it later.
		"enable_hashjoin": "off", "enable_mergejoin": "off", "enable_seqscan": "off", "enable_bitmapscan": "off", "enable_material": "off",
		"jit": "off",
	})
	return options, nil
}

// connectTimeout is how long a server is waited for that does not answer, where the
// DSN says nothing else.
const connectTimeout = 10 * time.Second

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
