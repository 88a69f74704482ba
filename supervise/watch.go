package supervise

import (
	"context"
	"time"

	"kurs/queue"
)

// firstSummary is when the first line of how it goes comes; then one a minute.
const firstSummary = 10 * time.Second

// watch looks after the run: the broker's health each second, and a line a
// minute.
func (s *supervisor) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	next, words := time.Now().Add(firstSummary), "so far"
	ill := false
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.tally.mark(now)
			ill = s.checkBroker(ctx, ill, now)
			if !now.Before(next) {
				next = now.Add(minute)
				if !s.known() {
					s.summary(ctx, words)
				}
				words = "last minute"
			}
		}
	}
}

// The broker is started again when there is this much room, in bytes, and not
// more often than this.
const (
	restartRoom  = 16 << 20
	restartEvery = 5 * time.Second
)

// checkBroker asks the broker about itself: a full disk shows there and nowhere
// else. A broker that is not well is started again as soon as there is room: by
// itself it does not recover.
func (s *supervisor) checkBroker(ctx context.Context, was bool, now time.Time) (ill bool) {
	if s.server == nil {
		return false
	}
	err := s.server.Health()
	switch {
	case err != nil && !was:
		s.Log.ErrorContext(ctx, "queue is not well: nothing is accepted until it is", "error", err, "code", "KURS-QUEUE")
	case err == nil && was:
		s.Log.InfoContext(ctx, "queue is well again")
	}
	if err == nil {
		return false
	}
	if free, ferr := s.Free(s.Settings.Paths.Queue); ferr == nil && free >= restartRoom && now.Sub(s.restarted) >= restartEvery {
		s.restarted = now
		if err := s.server.Restart(); err != nil {
			s.Log.ErrorContext(ctx, "queue cannot be started again", "error", err, "code", "KURS-QUEUE")
		}
	}
	return true
}

// summary is the line of each minute.
// known tells that a minute's summary would say nothing: the provider cannot be
// asked, which the log has, and so nothing came and nothing was stored.
func (s *supervisor) known() bool {
	report, heard := s.tally.report(Acquire)
	return heard && report.Trouble != nil &&
		s.tally.lastMinute(Process, queue.CountPrices) == 0 && s.tally.lastMinute(Store, queue.CountRows) == 0
}

func (s *supervisor) summary(ctx context.Context, words string) {
	s.Log.InfoContext(ctx, words, //nolint:sloglint // one of two constants
		"prices", s.tally.lastMinute(Process, queue.CountPrices),
		"stored", s.tally.lastMinute(Store, queue.CountRows),
		"requests", s.tally.lastMinute(Acquire, queue.CountRequests),
		"errors", s.tally.lastMinute(Acquire, queue.CountErrors),
		"lag", s.lag(ctx).Round(100*time.Millisecond),
		"waiting", s.waiting(ctx))
}

// lag is how long ago the oldest message was received that is not stored yet.
func (s *supervisor) lag(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	oldest := time.Time{}
	if raw, err := s.queue.RawState(ctx); err == nil && raw.Messages > 0 {
		oldest = raw.FirstTime
	}
	priced, err := s.queue.PricedState(ctx)
	report, heard := s.tally.report(Store)
	if err == nil && heard && priced.Messages > 0 {
		for _, store := range report.Stores {
			behind := store.Position.Epoch != priced.Epoch || store.Position.Seq < priced.Last
			if at := later(store.Received, priced.FirstTime); behind && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
	}
	if oldest.IsZero() {
		return 0
	}
	return max(0, time.Since(oldest))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
