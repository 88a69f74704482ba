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
	inFlight *slots
	pace     *rate.Limiter // nil: unlimited
	log      *requestLog   // what all processes sent; nil: it is not known
	unkept   func(error)   // the log cannot be kept

	full rate.Limit // the pace at most

	mu   sync.Mutex
	slow time.Time   // when the pace was last changed for the host's sake; zero: it is full
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
	b := &budget{inFlight: newSlots(inFlight), unkept: func(error) {}}
	if perMinute > 0 {
		burst := min(max(perMinute/2, 1), mostBurst)
		b.full = rate.Every(time.Minute / time.Duration(perMinute))
		b.pace = rate.NewLimiter(b.full, burst)
		b.sent = make([]time.Time, perMinute)
	}
	return b
}

// turn waits until a request may be made; release ends it. It fails only when
// ctx is done.
func (b *budget) turn(ctx context.Context) (release func(), err error) {
	if err := b.inFlight.take(ctx); err != nil {
		return nil, err
	}
	release = b.inFlight.give
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
	b.quicken(time.Now())
	if err := b.pace.Wait(ctx); err != nil {
		return err
	}
	for {
		left := b.take(ctx, time.Now())
		if left <= 0 {
			return nil
		}
		if err := pause(ctx, left); err != nil {
			return err
		}
	}
}

// take makes a request now, or says how long until one may be made.
func (b *budget) take(ctx context.Context, now time.Time) (left time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if oldest := b.sent[b.next]; !oldest.IsZero() {
		if left = oldest.Add(minute).Sub(now); left > 0 {
			return left
		}
	}
	if b.log != nil {
		left, err := b.log.take(ctx)
		switch {
		case err != nil && ctx.Err() == nil: // what is remembered here must do
			b.unkept(err)
		case left > 0:
			return left
		}
	}
	b.sent[b.next] = now
	b.next = (b.next + 1) % len(b.sent)
	return 0
}

// The pace after a refusal: half of it, never less than an eighth of the whole,
// and each minute a twentieth more.
const (
	leastPace = 8
	quicker   = 1.05
)

// went says how a request went: whether the host asked for fewer, or did not keep
// up with those that it has.
func (b *budget) went(t *trouble) {
	tooMany := t != nil && t.code == codeRate
	b.inFlight.went(!tooMany && (t == nil || !t.late))
	if !tooMany || b.pace == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slow = time.Now()
	b.pace.SetLimit(max(b.pace.Limit()/2, b.full/leastPace))
}

// quicken brings the pace back as time passes.
func (b *budget) quicken(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.slow.IsZero() && now.Sub(b.slow) >= time.Minute {
		b.slow = b.slow.Add(time.Minute)
		limit := b.pace.Limit() * quicker
		if limit >= b.full {
			limit, b.slow = b.full, time.Time{}
		}
		b.pace.SetLimit(limit)
	}
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
