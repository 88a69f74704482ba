package parquet

import (
	"context"
	"fmt"
	"time"

	"kurs"
)

// manifestTime is how long replacing the manifest may take. It is not ended with
// the caller's context: whether it was done would not be known.
const manifestTime = 30 * time.Second

// commit makes files of all rows that are in none, and has the manifest name
// them, with the position. Where it fails, nothing of it is there.
func (s *Store) commit(ctx context.Context, position kurs.StreamPos) error {
	if s.litter {
		if err := s.clean(ctx); err != nil {
			return fmt.Errorf("parquet: %w", err)
		}
	}
	w := &writing{work: s.work(), step: s.step}
	defer w.discard()
	for _, t := range s.tables.all() {
		if err := t.write(ctx, w); err != nil {
			return fmt.Errorf("parquet: %s: %w", t.label(), err)
		}
	}
	var gone []string
	if s.changed {
		if err := s.instruments.write(w); err != nil {
			return fmt.Errorf("parquet: instruments: %w", err)
		}
		gone = s.manifest.in(instrumentsFolder)
	}
	next := s.manifest.with(gone, nil)
	next.Journal, next.Position = s.journal.number, position
	if err := s.replace(ctx, w, next, gone); err != nil {
		return err
	}
	for _, t := range s.tables.all() {
		t.done()
	}
	s.changed, s.oldest = false, time.Time{}
	if err := s.step("journal"); err != nil {
		return err
	}
	if err := s.journal.next(); err != nil {
		// It is void: the manifest has its number.
		s.log.DebugContext(ctx, "the old journal cannot be removed", "error", err)
	}
	return nil
}

// replace publishes files, has the next manifest name them, and removes those that
// it does not name any more.
func (s *Store) replace(ctx context.Context, w *writing, next manifest, gone []string) error {
	// A file that could not be published may still arrive: no other has its name.
	next.Commit = s.manifest.Commit + 1 + s.failed
	come, err := w.publish(ctx, s.at, next.Commit)
	if err != nil {
		s.litter = true
		s.failed++
		return fmt.Errorf("parquet: %w", err)
	}
	next = next.with(nil, come)
	if err := s.step("manifest"); err != nil {
		s.litter = true
		return err
	}
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), manifestTime)
	defer cancel()
	if err := writeManifest(sure, s.at, s.work(), next); err != nil {
		s.broken = err // whether it was replaced is found out by opening anew
		return fmt.Errorf("parquet: manifest: %w", err)
	}
	s.manifest, s.failed = next, 0
	for _, name := range gone {
		if err := s.step("remove"); err != nil {
			return err
		}
		if err := s.at.remove(ctx, name); err != nil {
			s.litter = true
			s.log.DebugContext(ctx, "an old file cannot be removed yet", "file", name, "error", err)
		}
	}
	return nil
}
