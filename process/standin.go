package process

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kurs"
)

// standIns say in the log when the prices of a pair begin to be converted with
// rates of another source than the preferred one, and when that is over: one line
// each. What every single price was converted with is stored with it.
type standIns struct {
	preferred string // empty: no source is preferred to another
	log       *slog.Logger

	mu sync.Mutex
	of map[kurs.Pair]*standIn
}

// standIn is where a pair's rates come from.
type standIn struct {
	newest time.Time // price; older ones come late and say nothing about now
	source string    // as it was told; the preferred one to begin with
	told   time.Time
}

const (
	standInQuiet = 10 * time.Minute // between two lines about a pair
	mostPairs    = 1000             // that are watched
)

func newStandIns(sources []string, log *slog.Logger) *standIns {
	s := &standIns{log: log, of: map[kurs.Pair]*standIn{}}
	if len(sources) > 1 {
		s.preferred = sources[0]
	}
	return s
}

// see is told of each price and bar that was converted.
func (s *standIns) see(ctx context.Context, rate *kurs.Rate, at time.Time) {
	if s.preferred == "" || !rate.Known() || rate.IsIdentity() {
		return
	}
	source, _, _ := strings.Cut(rate.Source, " ") // "ecb via EUR"
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of[rate.Pair]
	if p == nil {
		if len(s.of) == mostPairs {
			return
		}
		p = &standIn{source: s.preferred}
		s.of[rate.Pair] = p
	}
	if at.Before(p.newest) {
		return
	}
	p.newest = at
	if source == p.source {
		return
	}
	now := time.Now()
	if !p.told.IsZero() && now.Sub(p.told) < standInQuiet {
		return
	}
	p.source, p.told = source, now
	if source == s.preferred {
		s.log.InfoContext(ctx, "prices are converted with rates of the preferred source again", "pair", rate.String(), "source", source)
		return
	}
	s.log.WarnContext(ctx, "prices are converted with rates of another source, since the preferred one has none of the right time",
		"pair", rate.String(), "source", source, "preferred", s.preferred, "rate_time", rate.Time)
}

// seeAll is told of what was made of a message.
func (s *standIns) seeAll(ctx context.Context, b *kurs.Batch) {
	if s.preferred == "" {
		return
	}
	for i := range b.Prices {
		s.see(ctx, &b.Prices[i].Rate, b.Prices[i].Time)
	}
	for i := range b.Bars {
		s.see(ctx, &b.Bars[i].Rate, b.Bars[i].End())
	}
}
