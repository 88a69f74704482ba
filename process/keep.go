package process

import (
	"context"
	"sync"

	"kurs"
)

// keeper hands raw messages to whoever keeps them. That they cannot be kept is said
// once, and once that they can again: prices go on without.
type keeper struct {
	mu      sync.Mutex
	failing bool
}

func (k *keeper) keep(ctx context.Context, s *stage, raws []kurs.Raw) {
	if s.Keep == nil {
		return
	}
	err := s.Keep(raws)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && !k.failing:
		s.log.WarnContext(ctx, "raw messages are not kept: prices go on without", "error", err)
	case err == nil && k.failing:
		s.log.InfoContext(ctx, "raw messages are kept again")
	}
	k.failing = err != nil
}
