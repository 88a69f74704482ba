package yahoo

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A budget bounds how many requests are made: so many at the same time, and so
// many in any minute, all kinds and all workers together. It hands out turns in
// about the order in which they were asked for.
type budget struct {
	inFlight chan struct{}
	pace     *rate.Limiter // nil: unlimited

	mu   sync.Mutex
	sent []time.Time // ring: when each of the last max requests was made
	next int         // the oldest of them
}

// Some requests may follow each other at once, a session and the first prices,
// say; the pace holds for the rest.
const mostBurst = 12

// minute is what no more than max requests fall into. The second besides is for
// those who count at the other end, where requests arrive unevenly.
const minute = time.Minute + time.Second

// newBudget makes a budget of so many requests a minute (0: unlimited) and at
// the same time.
func newBudget(perMinute, inFlight int) *budget {
	b := &budget{inFlight: make(chan struct{}, inFlight)}
	if perMinute > 0 {
		burst := min(max(perMinute/2, 1), mostBurst)
		b.pace = rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), burst)
		b.sent = make([]time.Time, perMinute)
	}
	return b
}

// turn waits until a request may be made; release ends it. It fails only when
// ctx is done.
func (b *budget) turn(ctx context.Context) (release func(), err error) {
	select {
	case b.inFlight <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	release = func() { <-b.inFlight }
	if err := b.wait(ctx); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// wait keeps the pace. The pace alone would allow a minute of its rate and the
// burst besides; the ring makes the promise exact: in no minute more than max.
func (b *budget) wait(ctx context.Context) error {
	if b.pace == nil {
		return nil
	}
	if err := b.pace.Wait(ctx); err != nil {
		return err
	}
	for {
		left := b.take(time.Now())
		if left <= 0 {
			return nil
		}
		if err := pause(ctx, left); err != nil {
			return err
		}
	}
}

// take makes a request now, or says how long until one may be made.
func (b *budget) take(now time.Time) (left time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if oldest := b.sent[b.next]; !oldest.IsZero() {
		if left = oldest.Add(minute).Sub(now); left > 0 {
			return left
		}
	}
	b.sent[b.next] = now
	b.next = (b.next + 1) % len(b.sent)
	return 0
}

// pause waits for a time, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
