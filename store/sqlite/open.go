package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kurs"
)

// Config is where a store is and whose currency it is in.
type Config struct {
	Path         string        // of the file; its folder is made if it is missing
	BusyTimeout  time.Duration // how long a write waits while another program holds the database; 0: not at all
	BaseCurrency string        // ISO 4217; for an existing database, the one that it was begun with
}

// Store writes prices to a SQLite file. It implements [kurs.Store] and may be
// used by several goroutines, one at a time.
type Store struct {
	path string
	base string
	log  *slog.Logger

	mu     sync.Mutex
	conn   *conn
	known  *lookups
	tables tables
	broken error // why nothing more may be written
	pass   *pass // of deleting what is too old; nil between two
}

var _ kurs.Store = (*Store)(nil)

// Pragmas of the writing connection. synchronous=FULL is no option: in NORMAL a
// power cut takes the last commits, which were acknowledged. The cache is 8 MiB:
// measured, SQLite keeps about six times as many pages as it is told while large
// transactions write, and with 64 MiB the memory grew with the database, for no
// row a second more. A checkpoint every 80
// MB of log (5,000 pages of 16 KB) writes each of those leaves once, not once a
// commit.
func writerPragmas(busy time.Duration) []string {
	return []string{
		busyTimeout(busy),
		"synchronous(FULL)",
		"cache_size(-8192)",
		"wal_autocheckpoint(5000)",
		"journal_size_limit(134217728)",
		"foreign_keys(OFF)",
	}
}

// Open opens the database for writing, or begins one. It refuses, without
// touching it, a file that is not kurs's ([ErrForeign]), one of a newer format
// ([kurs.ErrNewerFormat]) and one in another base currency
// ([kurs.ErrBaseCurrency]); an older format is brought up to date first.
//
// Only one process may have it open for writing; whoever calls sees to that.
func Open(ctx context.Context, config Config, log *slog.Logger) (*Store, error) {
	if !kurs.LooksLikeCurrency(config.BaseCurrency) {
		return nil, fmt.Errorf("sqlite: base currency %q is not an ISO 4217 code", config.BaseCurrency)
	}
	path, err := filepath.Abs(config.Path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	found, err := inspect(ctx, path, config.BusyTimeout)
	if err != nil {
		return nil, err
	}
	if found.base != "" && found.base != config.BaseCurrency {
		return nil, errBase(path, found.base, config.BaseCurrency)
	}
	s := &Store{path: path, base: config.BaseCurrency, log: log, known: newLookups(), tables: newTables()}
	s.conn, err = dial(path, "mode=rw", writerPragmas(config.BusyTimeout)...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if err := s.prepare(ctx, found.format); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: %s: %w", path, err), s.conn.close())
	}
	return s, nil
}

// prepare makes the file what this version writes.
func (s *Store) prepare(ctx context.Context, format int64) error {
	if format == 0 {
		// Both only take effect before the first table is there. Large pages hold
		// more of a symbol's rows, so fewer are written (docs/performance.md).
		for _, pragma := range []string{"PRAGMA page_size = 16384", "PRAGMA journal_mode = WAL"} {
			if err := s.conn.script(ctx, pragma); err != nil {
				return fmt.Errorf("%s: %w", pragma, err)
			}
		}
	}
	if err := migrate(ctx, s.conn, s.base); err != nil {
		return err
	}
	has, err := baseCurrency(ctx, s.conn)
	if err != nil {
		return err
	}
	if has != s.base {
		return errBase(s.path, has, s.base)
	}
	if format != Format {
		s.log.InfoContext(ctx, "database ready", "path", s.path, "format", Format, "was", format)
	}
	return nil
}

// create makes the file, which nobody but its owner may read: what one watches
// is one's own business. SQLite gives the log beside it the same permissions.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(filepath.Clean(path), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// Position implements [kurs.Store].
func (s *Store) Position(ctx context.Context) (kurs.StreamPos, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return kurs.StreamPos{}, errClosed
	}
	row, err := s.conn.row(ctx, "SELECT epoch, seq FROM position")
	if err != nil {
		return kurs.StreamPos{}, fmt.Errorf("position in %s: %w", s.path, err)
	}
	if row == nil {
		return kurs.StreamPos{}, nil
	}
	return kurs.StreamPos{Epoch: str(row[0]), Seq: uint64(whole(row[1]))}, nil //nolint:gosec // written from one
}

// Close implements [kurs.Store]. The last connection to close moves what is in
// the log into the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	err := s.conn.close()
	s.conn = nil
	return err
}
