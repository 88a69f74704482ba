package yahoo

import (
	"container/heap"
	"context"
	"time"
)

// A plan says when each symbol is due: all at once at the start, then each once
// an interval on a grid of its own, so that a server sees a steady trickle and
// symbols that were asked together stay together. How long the interval is may
// differ from symbol to symbol, and from time to time: markets close, and what
// is streamed need not be polled as often. A symbol that is still in hand when it
// is due again is skipped.
type plan struct {
	interval time.Duration // of the grid
	most     int           // symbols in a batch
	// again is when a symbol that was asked at a time is due again: at exactly that
	// moment, or at the one of its grid next to it. The zero time is never.
	again   func(symbol string, asked time.Time) (due time.Time, exact bool)
	skipped func()

	slots map[string]*slot
	due   dueHeap
	hurry chan []string // due at once
}

// slot is a symbol of a plan.
type slot struct {
	symbol string
	grid   time.Time // one of the moments that it is due at
	due    time.Time
	at     int // in the heap; -1: in hand, or never due again
	busy   bool
}

func newPlan(symbols []string, most int, interval time.Duration, now time.Time) *plan {
	p := &plan{interval: interval, most: most, slots: make(map[string]*slot, len(symbols)), hurry: make(chan []string, 64)}
	p.again = func(_ string, asked time.Time) (time.Time, bool) { return asked.Add(interval), false }
	p.skipped = func() {}
	batches := (len(symbols) + most - 1) / max(most, 1)
	for i, symbol := range symbols {
		s := &slot{symbol: symbol, due: now, grid: now.Add(interval * time.Duration(i/most) / time.Duration(batches))}
		p.slots[symbol] = s
		heap.Push(&p.due, s)
	}
	return p
}

// early is how much before its time a symbol may be asked, to fill a request.
func (p *plan) early() time.Duration { return p.interval / 8 }

// take takes a batch that is due; nil where there is none, and then when there
// will be (zero: not until something changes).
func (p *plan) take(now time.Time) (batch []string, next time.Time) {
	if len(p.due) == 0 {
		return nil, time.Time{}
	}
	if first := p.due[0].due; first.After(now) {
		return nil, first
	}
	limit := now.Add(p.early())
	for len(p.due) > 0 && len(batch) < p.most && !p.due[0].due.After(limit) {
		s, ok := heap.Pop(&p.due).(*slot)
		if !ok {
			continue // the heap holds nothing else
		}
		s.busy = true
		batch = append(batch, s.symbol)
	}
	return batch, now
}

// done puts a batch back that was taken at a time.
func (p *plan) done(batch []string, taken, now time.Time) {
	late := false
	for _, symbol := range batch {
		s := p.slots[symbol]
		if s == nil {
			continue
		}
		s.busy = false
		due, exact := p.again(symbol, taken)
		if due.IsZero() {
			continue
		}
		if s.due = due; !exact {
			s.due = s.onGrid(due, p.interval)
		}
		if s.due.Before(now) {
			late = true
			s.due = s.onGrid(now, p.interval)
		}
		heap.Push(&p.due, s)
	}
	if late {
		p.skipped()
	}
}

// onGrid is the moment of the symbol's grid that is nearest to a time.
func (s *slot) onGrid(t time.Time, step time.Duration) time.Time {
	past := ((t.Sub(s.grid)+step/2)%step + step) % step // since the moment before, and half a step
	return t.Add(step/2 - past)
}

// rush makes symbols due now.
func (p *plan) rush(symbols []string, now time.Time) {
	for _, symbol := range symbols {
		s := p.slots[symbol]
		switch {
		case s == nil || s.busy:
		case s.at >= 0 && s.due.After(now):
			s.due = now
			heap.Fix(&p.due, s.at)
		case s.at < 0:
			s.due = now
			heap.Push(&p.due, s)
		}
	}
}

// taken is a batch in hand.
type taken struct {
	symbols []string
	at      time.Time
}

// run hands batches out through work as they are due, and takes them back through
// done, until ctx is done.
func (p *plan) run(ctx context.Context, work chan<- taken, done <-chan taken) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var ready taken
	for {
		var out chan<- taken // nil, so never ready, while there is nothing to hand out
		if ready.symbols == nil {
			now := time.Now()
			batch, next := p.take(now)
			switch {
			case batch != nil:
				ready = taken{batch, now}
			case next.IsZero():
				timer.Stop()
			default:
				timer.Reset(next.Sub(now))
			}
		}
		if ready.symbols != nil {
			out = work
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case out <- ready:
			ready = taken{}
		case t := <-done:
			p.done(t.symbols, t.at, time.Now())
		case symbols := <-p.hurry:
			p.rush(symbols, time.Now())
		}
	}
}

// dueHeap is the slots by when they are due.
type dueHeap []*slot

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push appends a slot.
func (h *dueHeap) Push(x any) {
	s, ok := x.(*slot)
	if !ok {
		return
	}
	s.at = len(*h)
	*h = append(*h, s)
}

// Pop takes the last slot away.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	s := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	s.at = -1
	return s
}
