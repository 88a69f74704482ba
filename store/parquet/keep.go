package parquet

import (
	"context"
	"errors"
	"time"
)

// lookEvery is how often the store looks whether there is something to do.
const lookEvery = time.Second

// keep makes files of what waits for long enough, and compacts days, until ctx is
// done.
func (s *Store) keep(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var compacted time.Time
	failing := false
	for {
		err := s.flushDue(ctx)
		if err == nil && time.Since(compacted) >= s.config.Compact {
			compacted = time.Now()
			err = s.compactDays(ctx)
		} else if err == nil {
			err = s.compactMany(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failing && !errors.Is(err, ErrBroken):
			s.log.WarnContext(ctx, "files cannot be made or compacted, trying again; prices are safe in the journal and in the queue", "error", err)
		}
		failing = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// flushDue makes files of what is in the journal for long enough.
func (s *Store) flushDue(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil || !s.due() {
		return err
	}
	return s.commit(ctx, s.position)
}

// compactDays compacts the days that are over and have files that were not made
// by compacting.
func (s *Store) compactDays(ctx context.Context) error {
	over := time.Now().Add(-s.config.Compact).Add(-24 * time.Hour).UTC().Format(time.DateOnly)
	return s.compact(ctx, func(d daysFiles) bool { return d.fresh > 0 && d.date <= over })
}

// compactMany compacts the days that have many files.
func (s *Store) compactMany(ctx context.Context) error {
	return s.compact(ctx, func(d daysFiles) bool { return d.fresh >= mostFiles })
}

// compact compacts each day of each kind that which tells.
func (s *Store) compact(ctx context.Context, which func(daysFiles) bool) error {
	var failed []error
	for _, t := range s.tables.all() {
		s.mu.Lock()
		days := s.manifest.days(t.label())
		s.mu.Unlock()
		for _, d := range days {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if which(d) {
				failed = append(failed, s.compactDay(ctx, t, d.date))
			}
		}
	}
	return errors.Join(failed...)
}

// compactDay makes one sorted file of all those of a day, and one each of what
// completes it. Prices may be written meanwhile.
func (s *Store) compactDay(ctx context.Context, t anyTable, date string) error {
	s.mu.Lock()
	var files []string
	for _, suffix := range suffixes {
		files = append(files, s.manifest.in(t.label()+suffix+"/"+datePrefix+date)...)
	}
	err := s.usable()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	w := &writing{work: s.work(), step: s.step}
	defer w.discard()
	began := time.Now()
	if err := t.merge(ctx, &reading{at: s.at}, date, files, w); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if s.litter {
		if err := s.clean(ctx); err != nil {
			return err
		}
	}
	// What is in the journal stays there, and its position with it.
	if err := s.replace(ctx, w, s.manifest.with(files, nil), files); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "day compacted", "kind", t.label(), "date", date, "files", len(files), "took", time.Since(began).Round(time.Millisecond))
	return nil
}
