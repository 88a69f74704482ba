package yahoo

import (
	"context"
	"sync"
)

// slots are the requests that may be under way at the same time: as many as the
// config allows, fewer after the host asked for fewer or did not keep up, and one
// more again after each few that went well (additive increase, multiplicative
// decrease). Turns are given in the order in which they were asked for.
type slots struct {
	most int

	mu      sync.Mutex
	limit   int
	used    int
	good    int // in a row, at this limit
	waiting []chan struct{}
}

const goodForMore = 10

func newSlots(most int) *slots { return &slots{most: most, limit: most} }

// take waits for a slot. It fails only when ctx is done.
func (s *slots) take(ctx context.Context) error {
	s.mu.Lock()
	if s.used < s.limit && len(s.waiting) == 0 {
		s.used++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting = append(s.waiting, turn)
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-turn: // given meanwhile
		s.used--
		s.next()
	default:
		for i, other := range s.waiting {
			if other == turn {
				s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
				break
			}
		}
	}
	return context.Cause(ctx)
}

// give gives a slot back.
func (s *slots) give() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	s.next()
}

// next lets in who waits, as far as there is room.
func (s *slots) next() {
	for s.used < s.limit && len(s.waiting) > 0 {
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
		s.used++
	}
}

// went says how a request went.
func (s *slots) went(well bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !well {
		s.limit, s.good = max(s.limit/2, 1), 0
		return
	}
	if s.good++; s.good >= goodForMore && s.limit < s.most {
		s.limit, s.good = s.limit+1, 0
		s.next()
	}
}

// now is how many are allowed at present.
func (s *slots) now() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit
}
