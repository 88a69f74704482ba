package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"kurs"
	"kurs/fault"
)

// Config is where a dataset is, whose currency it is in, and when files are made.
type Config struct {
	Dir          string        // the dataset; with S3, what has to be on the local disk meanwhile
	S3           *S3           // object storage that holds the dataset instead; nil: Dir does
	BaseCurrency string        // ISO 4217; for an existing dataset, the one that it was begun with
	FlushRows    int           // so many rows become files at once
	FlushEvery   time.Duration // the longest that a row waits in the journal
	Compact      time.Duration // how long after its end a day is compacted, and how often that is looked for
}

// mostFiles is how many files a day of a kind may have before they are compacted,
// although it is not over.
const mostFiles = 64

// largeGroup: a group of this part of FlushRows becomes files at once. That is
// faster than the journal, and there are few of them: they come from a backlog.
const largeGroup = 4

// Store writes prices to a dataset. It implements [kurs.Store] and may be used by
// several goroutines, one at a time.
type Store struct {
	config Config
	at     place
	log    *slog.Logger
	step   func(what string) error // called before each thing that cannot be undone; tests end there

	mu          sync.Mutex
	manifest    manifest
	position    kurs.StreamPos // of what is in the journal
	tables      *tables
	instruments instruments
	changed     bool // instruments are not those of the file
	journal     journal
	oldest      time.Time // when the first row came that is in no file
	decimals    decimals
	litter      bool  // there may be files that the manifest does not name
	failed      int64 // commits since the manifest's whose files could not be published
	broken      error
	closed      bool
	lock        *flock.Flock

	stop    context.CancelFunc
	keeping sync.WaitGroup
}

var _ kurs.Store = (*Store)(nil)

// Open opens a dataset for writing, or begins one, and makes files of what a
// crash left in the journal. It refuses, without touching it, one of a newer
// format ([kurs.ErrNewerFormat]) and one in another base currency
// ([kurs.ErrBaseCurrency]).
//
// Only one process may have it open for writing. A lock in Dir keeps others on this
// machine out ([ErrInUse]); of object storage that several machines write to whoever
// calls sees to that.
func Open(ctx context.Context, config Config, log *slog.Logger) (*Store, error) {
	if !kurs.LooksLikeCurrency(config.BaseCurrency) {
		return nil, fmt.Errorf("parquet: base currency %q is not an ISO 4217 code", config.BaseCurrency)
	}
	dir, err := filepath.Abs(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("parquet: %w", err)
	}
	config.Dir = dir
	var at place = local{dir: dir}
	if config.S3 != nil {
		if at, err = newRemote(*config.S3, filepath.Join(dir, own, "work")); err != nil {
			return nil, fmt.Errorf("parquet: %w", err)
		}
	}
	lock, err := hold(dir)
	if err != nil {
		return nil, fmt.Errorf("parquet: %s: %w", dir, err)
	}
	s, err := open(ctx, config, at, log, func(string) error { return nil })
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.keeping.Go(func() { s.keep(keep) })
	return s, nil
}

func open(ctx context.Context, config Config, at place, log *slog.Logger, step func(string) error) (*Store, error) {
	s := &Store{config: config, at: at, log: log, step: step, tables: newTables()}
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("parquet: %s: %w", at, err)
	}
	return s, nil
}

// load brings the dataset into the state that the manifest tells, and what is in
// the journal into files.
func (s *Store) load(ctx context.Context) error {
	m, found, err := readManifest(ctx, s.at)
	switch {
	case errors.Is(err, kurs.ErrNewerFormat):
		return errNewer(s.at, m.Format)
	case err != nil:
		return err
	case found && m.Base != s.config.BaseCurrency:
		return errBase(s.at, m.Base, s.config.BaseCurrency)
	}
	if !found {
		if err := s.empty(ctx); err != nil {
			return err
		}
		m = manifest{Format: Format, Base: s.config.BaseCurrency, Files: map[string][]string{}}
	}
	for _, folder := range []string{s.work(), s.journals()} {
		if err := makeFolder(folder); err != nil {
			return err
		}
	}
	if err := emptyWork(s.work()); err != nil {
		return err
	}
	s.manifest, s.position = m, m.Position
	if !found { // begun before the first price: from now on its currency is known
		if err := s.step("manifest"); err != nil {
			return err
		}
		if err := writeManifest(ctx, s.at, s.work(), m); err != nil {
			return err
		}
	}
	if err := s.clean(ctx); err != nil {
		return err
	}
	if s.instruments, err = readInstruments(ctx, s.at, m); err != nil {
		return err
	}
	for _, t := range s.tables.all() {
		if err := t.remember(ctx, s.at, m); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.log.WarnContext(ctx, "not all files can be read: what is received again unchanged may be there twice until its day is compacted", "kind", t.label(), "error", err)
		}
	}
	if err := removeJournals(s.journals(), m.Journal); err != nil {
		return err
	}
	return s.recover(ctx)
}

// empty tells that there is no file of a dataset yet. The manifest is there before
// the first: where only it is missing, somebody took it away, and to begin anew would
// be to remove all files.
func (s *Store) empty(ctx context.Context) error {
	names, err := s.at.list(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, _, ours := cutName(name); ours {
			return errNoManifest(s.at, name)
		}
	}
	return nil
}

// recover makes files of what is in the journal.
func (s *Store) recover(ctx context.Context) error {
	s.journal = journal{folder: s.journals(), number: s.manifest.Journal + 1}
	waiting, groups := &rows{decimals: &s.decimals}, 0
	dropped, damaged, err := readJournal(s.journals(), s.journal.number, func(group kurs.Group) error {
		groups++
		if group.Position != (kurs.StreamPos{}) {
			s.position = group.Position
		}
		return waiting.add(group)
	})
	if err != nil {
		return err
	}
	if damaged {
		kept, err := s.journal.keepCopy()
		if err != nil {
			return err
		}
		s.log.ErrorContext(ctx, "the journal is damaged in its middle: what is behind that is not in the files, and kept aside", "bytes", dropped, "copy", kept)
	} else if dropped > 0 {
		s.log.WarnContext(ctx, "the journal ends in the middle of a record: what was being written when kurs died is in the queue still", "bytes", dropped)
	}
	if groups == 0 {
		return nil
	}
	s.take(waiting)
	if err := s.commit(ctx, s.position); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "prices of the run before are in files now", "groups", groups)
	return nil
}

func (s *Store) work() string     { return filepath.Join(s.config.Dir, own, "work") }
func (s *Store) journals() string { return filepath.Join(s.config.Dir, own, "journal") }

// clean removes files that the manifest does not name: of a commit that did not
// come to its end, and those that others took the place of.
func (s *Store) clean(ctx context.Context) error {
	names, err := s.at.list(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, _, ours := cutName(name); !ours || s.manifest.has(name) {
			continue // what is not of kurs's making is left alone
		}
		if err := s.step("clean"); err != nil {
			return err
		}
		if err := s.at.remove(ctx, name); err != nil {
			return err
		}
	}
	s.litter = false
	return nil
}

// Write implements [kurs.Store]. A group at or before the position was written
// already and is passed over.
func (s *Store) Write(ctx context.Context, group kurs.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.checkBase(group); err != nil {
		return err
	}
	if group.Position != (kurs.StreamPos{}) && group.Position.Epoch == s.position.Epoch && group.Position.Seq <= s.position.Seq {
		return nil
	}
	come := &rows{decimals: &s.decimals}
	if err := come.add(group); err != nil {
		s.decimals.outside() // of the row that was rejected
		return err
	}
	position := s.position
	if group.Position != (kurs.StreamPos{}) {
		position = group.Position
	}
	fault.Point("store.before_commit")
	if n := come.len(); s.waiting()+n < s.config.FlushRows && n < s.config.FlushRows/largeGroup && !s.due() {
		if err := s.note(group); err != nil {
			return err
		}
		s.take(come)
	} else {
		undo := s.take(come)
		if err := s.commit(ctx, position); err != nil {
			undo()
			return err
		}
	}
	s.position = position
	fault.Point("store.after_commit")
	return nil
}

// note puts a group into the journal.
func (s *Store) note(group kurs.Group) error {
	if err := s.step("journal"); err != nil {
		return err
	}
	broken, err := s.journal.append(group)
	if broken {
		s.broken = err
	}
	if err != nil {
		return fmt.Errorf("parquet: journal: %w", err)
	}
	return nil
}

// take takes rows over, until they are in files; undo takes them back.
func (s *Store) take(r *rows) (undo func()) {
	if s.oldest.IsZero() {
		s.oldest = time.Now()
	}
	back, changed := s.tables.add(r), s.changed
	before := s.instruments.learn(r.instruments)
	s.changed = changed || len(before) > 0
	return func() {
		back()
		s.instruments.unlearn(before)
		s.changed = changed
	}
}

// waiting is how many rows are in no file yet.
func (s *Store) waiting() int { return s.tables.len() }

// due tells whether rows wait for long enough to become files.
func (s *Store) due() bool {
	return s.journal.size > 0 && time.Since(s.oldest) >= s.config.FlushEvery
}

func (s *Store) usable() error {
	switch {
	case s.closed:
		return errClosed
	case s.broken != nil:
		return fmt.Errorf("%w: %w", ErrBroken, s.broken)
	}
	return nil
}

// checkBase refuses prices in another currency than that of the dataset: nobody
// could tell them apart afterwards.
func (s *Store) checkBase(group kurs.Group) error {
	for i := range group.Batches {
		b := &group.Batches[i]
		if err := s.checkCurrency(b.BaseCurrency); err != nil {
			return err
		}
		for j := range b.Prices {
			if err := s.checkCurrency(b.Prices[j].BaseCurrency); err != nil {
				return err
			}
		}
		for j := range b.Bars {
			if err := s.checkCurrency(b.Bars[j].BaseCurrency); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) checkCurrency(code string) error {
	if code != "" && code != s.config.BaseCurrency {
		return fmt.Errorf("%w: prices in %s: %w", kurs.ErrRejected, code, kurs.ErrBaseCurrency)
	}
	return nil
}

// Position implements [kurs.Store].
func (s *Store) Position(context.Context) (kurs.StreamPos, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.position, s.usable()
}

// closing is how long the last files may take.
const closing = 10 * time.Second

// Close implements [kurs.Store]. What is in the journal becomes files, so that
// readers find all of it; where that fails it stays in the journal until the next
// start.
func (s *Store) Close() error {
	if s.stop != nil {
		s.stop()
		s.keeping.Wait()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	if s.usable() == nil && s.journal.size > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		if err := s.commit(ctx, s.position); err != nil {
			s.log.Warn("prices stay in the journal until the next start", "rows", s.waiting(), "error", err)
		}
	}
	s.closed = true
	err := s.journal.close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Unlock())
	}
	return err
}
