package yahoo

import (
	"context"
	"slices"
	"time"
)

// A schedule says when each batch of symbols is due: all at once at the start,
// then each once an interval at its own moment, evenly spread, so that a server
// sees a steady trickle. A batch that is still in hand when it is due again is
// skipped.
type schedule struct {
	interval time.Duration
	slots    []slot
	ready    []int // due and not yet in hand, the longest waiting first
	skipped  func()
}

type slot struct {
	due  time.Time
	busy bool // ready or in hand
}

func newSchedule(batches int, interval time.Duration, now time.Time, skipped func()) *schedule {
	s := &schedule{interval: interval, slots: make([]slot, batches), skipped: skipped}
	for i := range s.slots {
		phase := interval * time.Duration(i) / time.Duration(batches)
		if phase < interval/2 {
			phase += interval // not soon after the first time, which is now
		}
		s.slots[i] = slot{due: now.Add(phase), busy: true}
		s.ready = append(s.ready, i)
	}
	return s
}

// tick makes ready what is due, and says when something will be next.
func (s *schedule) tick(now time.Time) (next time.Time) {
	for i := range s.slots {
		slot := &s.slots[i]
		if !slot.due.After(now) {
			slot.due = following(slot.due, s.interval, now)
			if slot.busy {
				s.skipped()
			} else {
				slot.busy = true
				s.ready = append(s.ready, i)
			}
		}
		if next.IsZero() || slot.due.Before(next) {
			next = slot.due
		}
	}
	return next
}

// run hands batches out through work as they are due, and takes them back through
// done, until ctx is done.
func (s *schedule) run(ctx context.Context, work chan<- int, done <-chan int) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var out chan<- int // nil, so never ready, while there is nothing to hand out
		first := 0
		if len(s.ready) > 0 {
			out, first = work, s.ready[0]
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(time.Until(s.tick(time.Now())))
		case out <- first:
			s.ready = slices.Delete(s.ready, 0, 1)
		case i := <-done:
			s.slots[i].busy = false
		}
	}
}
