package yahoo

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kurs"
)

// askRates asks for the rates of the pairs as they are due or new. It closes
// started when it has done so once.
func (s *Source) askRates(ctx context.Context, started chan<- struct{}, hear hear) error {
	first := true
	for {
		err := s.askDueRates(ctx, hear)
		if first {
			close(started)
			first = false
		}
		if err != nil {
			return err
		}
		timer := time.NewTimer(time.Until(s.pairs.next()))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.pairs.news:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a soft stop is no failure
		}
	}
}

func (s *Source) askDueRates(ctx context.Context, hear hear) error {
	now := time.Now()
	symbols := s.unknown.wanted(s.pairs.due(now), now)
	if len(symbols) == 0 {
		return nil
	}
	until := s.pairs.next()
	r := newRound(symbols, s.listed, kurs.CarriesRates)
	if err := s.pursue(ctx, r, until, hear); err != nil {
		return err
	}
	absent := slices.DeleteFunc(slices.Clone(symbols), func(symbol string) bool { return !r.isMissing(symbol) })
	if len(absent) == 0 {
		return nil
	}
	again := newRound(absent, s.listed, kurs.CarriesRates)
	if err := s.pursue(ctx, again, until, hear); err != nil {
		return err
	}
	if !again.done() {
		return nil // nobody said that they are unknown
	}
	absent = slices.DeleteFunc(slices.Clone(absent), func(symbol string) bool { return !again.isMissing(symbol) })
	now = time.Now()
	s.unknown.doubt(slices.DeleteFunc(slices.Clone(absent), s.isNotListed), now)
	for _, pair := range s.pairs.absent(absent, now) {
		s.log.WarnContext(ctx, "provider has no rate of the pair: asking for it through USD and EUR", "pair", pair.String(), "symbol", pair.Symbol())
	}
	return nil
}

// askPast asks for rates of the past where prices need them.
func (s *Source) askPast(ctx context.Context, hear hear) error {
	for {
		histories, again := s.pairs.histories(time.Now())
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(s.cfg.Workers)
		for _, h := range histories {
			group.Go(func() error { return s.pursuePast(groupCtx, h, hear) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if len(histories) > 0 {
			continue // something may have come up meanwhile
		}
		timer := time.NewTimer(time.Hour)
		if !again.IsZero() {
			timer.Reset(time.Until(again))
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.pairs.pastNew:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // a soft stop is no failure
		}
	}
}

// pursuePast asks for one history, however long that takes.
func (s *Source) pursuePast(ctx context.Context, h history, hear hear) error {
	for {
		err := s.client.past(ctx, &h, hear)
		var t *trouble
		switch {
		case err == nil:
			s.pairs.covered(h)
			return nil
		case ctx.Err() != nil || !errors.As(err, &t):
			s.pairs.uncovered(h, time.Now())
			return err
		}
	}
}
