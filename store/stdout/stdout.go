// Package stdout is the store that prints: a JSON line a price for programs, or
// a readable line for people. It is the smallest store; begin a new one with a
// copy of it.
//
// It must not know what is a terminal, what the config says, or who reads.
//
// It writes prices, and the rate of a price that had none (a fill), in the
// order of the queue; bars, rates, events and instruments are not printed.
// It cannot take a line back, so it promises less than a database: after a
// crash between printing and noting the position, lines are printed again (at
// least once), and of a price that was corrected, both are there.
package stdout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"kurs"
	"kurs/fault"
	"kurs/rowtext"
	"kurs/store/position"
)

// Config is how the store prints.
type Config struct {
	Human        bool           // readable lines instead of JSON
	Color        bool           // in readable lines
	Location     *time.Location // of the times in readable lines; nil is UTC. JSON is always UTC
	PositionFile string         // where the position is kept; empty: nowhere, so each start begins anew
}

// Store prints groups. It implements [kurs.Store].
type Store struct {
	w      io.Writer
	file   *os.File // w, where it is a file on a disk
	config Config
	log    *slog.Logger

	mu   sync.Mutex
	pos  kurs.StreamPos
	torn bool  // the last write ended in the middle of a line
	gone error // nobody will read any more
}

var _ kurs.Store = (*Store)(nil)

// ErrReaderGone says that the program that read the output has ended. Nothing is
// lost; what was not printed is in the queue.
var ErrReaderGone = errors.New("nobody reads the output any more (its pipe was closed)")

// Open begins to print to w, after the position that is in the position file.
func Open(w io.Writer, config Config, log *slog.Logger) (*Store, error) {
	if config.Location == nil {
		config.Location = time.UTC
	}
	s := &Store{w: w, config: config, log: log}
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			s.file = file
		}
	}
	if config.PositionFile != "" {
		if err := position.Read(config.PositionFile, &s.pos); err != nil {
			return nil, fmt.Errorf("stdout: %w", err)
		}
	}
	log.Debug("printing", "human", config.Human, "position", s.pos.Seq)
	return s, nil
}

// Write implements [kurs.Store]. A group at or before the position was printed
// already and is passed over. It blocks while the reader of a pipe does not
// read: that is back-pressure.
func (s *Store) Write(ctx context.Context, group kurs.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.gone != nil {
		return s.gone
	}
	if group.Position.Epoch == s.pos.Epoch && group.Position.Seq <= s.pos.Seq && group.Position != (kurs.StreamPos{}) {
		return nil
	}
	// First everything is rendered: a price that is rejected prints nothing.
	var out bytes.Buffer
	if s.torn {
		out.WriteByte('\n')
	}
	for i := range group.Batches {
		if err := s.render(&out, &group.Batches[i]); err != nil {
			return err
		}
	}
	fault.Point("store.before_commit")
	if err := s.print(out.Bytes()); err != nil {
		return err
	}
	if group.Position != (kurs.StreamPos{}) {
		if s.config.PositionFile != "" {
			if err := position.Write(s.config.PositionFile, group.Position); err != nil {
				return fmt.Errorf("stdout: %w", err)
			}
		}
		s.pos = group.Position
	}
	fault.Point("store.after_commit")
	return nil
}

func (s *Store) render(out *bytes.Buffer, b *kurs.Batch) error {
	line, fill := rowtext.JSON, rowtext.JSONFill
	if s.config.Human {
		line, fill = s.humanLine, s.humanFill
	}
	return rowtext.Each(b,
		func(row *kurs.Row) error { return line(out, row) },
		func(f *rowtext.Fill) error { return fill(out, f) })
}

func (s *Store) print(lines []byte) error {
	if len(lines) == 0 {
		return nil
	}
	n, err := s.w.Write(lines)
	if err == nil && s.file != nil {
		err = s.file.Sync() // the position may not be on the disk before the lines
	}
	if err == nil {
		s.torn = false
		return nil
	}
	if n > 0 {
		s.torn = lines[n-1] != '\n'
	}
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, os.ErrClosed) {
		s.gone = fmt.Errorf("stdout: %w: %w", ErrReaderGone, err)
		return s.gone
	}
	return fmt.Errorf("stdout: %w", err)
}

// Position implements [kurs.Store].
func (s *Store) Position(context.Context) (kurs.StreamPos, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pos, nil
}

// Close implements [kurs.Store]. The writer stays open: it is not the store's.
func (*Store) Close() error { return nil }
