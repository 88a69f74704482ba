package process

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// crowd counts the prices that could not wait for a rate any more because as many
// as the queue takes wait already. They are in the stores as they came, without a
// value in the base currency, and nothing fills that in later; the log says so once
// an hour a currency.
type crowd struct {
	mu sync.Mutex
	of map[string]*crowded // by currency
}

type crowded struct {
	told time.Time
	many int // since the start
}

func (c *crowd) turnedAway(ctx context.Context, log *slog.Logger, currency string, prices int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.of[currency]
	if w == nil {
		if c.of == nil {
			c.of = map[string]*crowded{}
		}
		w = &crowded{}
		c.of[currency] = w
	}
	w.many += prices
	if !w.told.IsZero() && now.Sub(w.told) < missingEvery {
		return
	}
	w.told = now
	log.ErrorContext(ctx, "as many prices wait for a rate as the queue takes: further ones are stored without a value and stay so; --currency converts them when they are read",
		"currency", currency, "prices", w.many, "code", "KURS-FX")
}
