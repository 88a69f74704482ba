package acquire

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kurs/queue"
)

// Space holds answers back while a disk is nearly full: what was fetched is
// still stored, and nothing new is fetched that could not be.
type Space struct {
	Dirs []string                                // that grow
	Min  int64                                   // bytes; 0 is off
	Free func(dir string) (free uint64, _ error) // what is free below a folder
	Log  *slog.Logger

	mu      sync.Mutex
	checked time.Time
	low     bool
	since   time.Time
}

// spaceEvery is how often the disks are looked at.
const spaceEvery = 2 * time.Second

// Wait returns when there is room, or ctx is done, whose error it returns.
func (s *Space) Wait(ctx context.Context, meter *queue.Meter) error {
	for s.isLow(ctx, meter) {
		t := time.NewTimer(spaceEvery)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
	return nil
}

func (s *Space) isLow(ctx context.Context, meter *queue.Meter) bool {
	if s.Min <= 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.checked) < spaceEvery {
		return s.low
	}
	s.checked = now
	low, least := false, uint64(0)
	for _, dir := range s.Dirs {
		free, err := s.Free(dir)
		if err != nil {
			s.Log.DebugContext(ctx, "free space not known", "dir", dir, "error", err)
			continue
		}
		if free < uint64(s.Min) {
			low, least = true, free
		}
	}
	switch {
	case low && !s.low:
		s.since = now
		s.Log.ErrorContext(ctx, "fetching paused: the disk is nearly full; what was fetched is stored or safe in the queue",
			"free_bytes", least, "min_free_bytes", s.Min, "code", "KURS-DISK")
	case !low && s.low:
		s.Log.InfoContext(ctx, "space is back: fetching again", "paused", now.Sub(s.since).Round(time.Second))
	}
	s.low = low
	meter.Set(func(r *queue.StageReport) {
		r.Trouble = nil
		if low {
			r.Trouble = &queue.Trouble{Code: "KURS-DISK", Message: "fetching paused: the disk is nearly full", Since: s.since.UTC()}
		}
	})
	return low
}
