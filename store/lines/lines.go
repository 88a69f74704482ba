package lines

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"kurs"
	"kurs/fault"
	"kurs/rowtext"
	"kurs/store/position"
)

// Format is how a line looks.
type Format string

// The formats. They are the ends of file names as well.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
)

// Config is where and how the store writes.
type Config struct {
	Dir      string
	Format   Format
	Dialect  rowtext.Dialect // of CSV
	MaxSize  int64           // bytes; a line that would make a file longer begins another. 0: no limit
	MaxFiles int             // closed files that are kept; 0: all
	Compress Compression     // of closed files
}

// Store writes groups to files. It implements [kurs.Store].
type Store struct {
	config Config
	log    *slog.Logger
	lock   *flock.Flock

	mu     sync.Mutex
	at     place
	file   *os.File // the one that is written; nil: the next line begins one
	day    time.Time
	broken error // the disk failed: what is on it is to be looked at again

	tidy *tidier
}

var _ kurs.Store = (*Store)(nil)

// place is the position file: how far the store is, in the queue and in its own
// files. Files with a higher number, and what is longer, are not committed.
type place struct {
	kurs.StreamPos

	Number int64  `json:"number"` // highest that was given to a file
	File   string `json:"file"`   // the one that is written; empty: none
	Bytes  int64  `json:"bytes"`  // its length
}

// ErrInUse is that another process writes into the folder.
var ErrInUse = errors.New("another process writes there")

var errClosed = errors.New("lines: the store is closed")

// Full tells whether an error is that the disk is full, or the user's share of it.
func Full(err error) bool {
	const diskFull, handleDiskFull = syscall.Errno(112), syscall.Errno(39) // of Windows
	if runtime.GOOS == "windows" && (errors.Is(err, diskFull) || errors.Is(err, handleDiskFull)) {
		return true
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// Open goes on behind what was committed: the rest, of a process that ended in
// the middle, is removed. It makes the folder if it is not there.
func Open(ctx context.Context, config Config, log *slog.Logger) (*Store, error) {
	s := &Store{config: config, log: log, lock: flock.New(filepath.Join(config.Dir, lockName), flock.SetPermissions(0o600))}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("lines: %w", errors.Join(err, s.release()))
	}
	s.tidy = newTidier(ctx, config, log)
	s.tidy.wake(s.at.Number)
	log.DebugContext(ctx, "writing lines", "dir", config.Dir, "file", s.at.File, "position", s.at.Seq)
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return err
	}
	if locked, err := s.lock.TryLock(); err != nil {
		return err
	} else if !locked {
		return fmt.Errorf("%s: %w", s.config.Dir, ErrInUse)
	}
	return s.recover(ctx)
}

// release lets go of everything.
func (s *Store) release() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	return errors.Join(err, s.lock.Unlock())
}

// Write implements [kurs.Store]. A group at or before the position is there
// already and is passed over.
func (s *Store) Write(ctx context.Context, group kurs.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.broken); err != nil {
		return err
	}
	next := s.at
	if group.Position != (kurs.StreamPos{}) {
		if group.Position.Epoch == s.at.Epoch && group.Position.Seq <= s.at.Seq {
			return nil
		}
		next.StreamPos = group.Position
	}
	// First everything is rendered: a price that is rejected writes nothing.
	lines, ends, err := s.render(group)
	if err != nil {
		return err
	}
	if err := s.commit(ctx, next, lines, ends); err != nil {
		s.broken = fmt.Errorf("lines: %w", err)
		return s.broken
	}
	return nil
}

// render gives the lines of a group, and where each of them ends.
func (s *Store) render(group kurs.Group) (lines []byte, ends []int, err error) {
	const usual = 400 // bytes of a line
	var out bytes.Buffer
	out.Grow(usual * group.Rows())
	ends = make([]int, 0, group.Rows())
	add := func(err error) error {
		ends = append(ends, out.Len())
		return err
	}
	row := func(r *kurs.Row) error { return add(rowtext.JSON(&out, r)) }
	fill := func(f *rowtext.Fill) error { return add(rowtext.JSONFill(&out, f)) }
	if dialect := s.config.Dialect; s.config.Format == CSV {
		row = func(r *kurs.Row) error {
			_, err := out.Write(dialect.Row(out.AvailableBuffer(), r))
			return add(err)
		}
		fill = func(f *rowtext.Fill) error {
			_, err := out.Write(dialect.Fill(out.AvailableBuffer(), f))
			return add(err)
		}
	}
	for i := range group.Batches {
		if err := rowtext.Each(&group.Batches[i], row, fill); err != nil {
			return nil, nil, err
		}
	}
	return out.Bytes(), ends, nil
}

// commit writes the lines, and then the position.
func (s *Store) commit(ctx context.Context, next place, lines []byte, ends []int) error {
	if len(lines) > 0 {
		if err := s.append(ctx, &next, lines, ends); err != nil {
			return err
		}
	}
	fault.Point("store.before_commit")
	if next != s.at {
		if err := position.Write(filepath.Join(s.config.Dir, positionName), next); err != nil {
			return err
		}
	}
	fault.Point("store.after_commit")
	rotated := next.Number != s.at.Number
	s.at = next
	if rotated {
		s.tidy.wake(next.Number)
	}
	return nil
}

// Position implements [kurs.Store]. After a failure of the disk it is not known
// until the store is opened again.
func (s *Store) Position(context.Context) (kurs.StreamPos, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at.StreamPos, s.broken
}

// Close implements [kurs.Store]. A file that is being compressed stays as it was.
func (s *Store) Close() error {
	s.tidy.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = errClosed
	return s.release()
}
