package yahoo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"kurs"
	"kurs/fault"
)

// Source polls Yahoo: the prices of its symbols each interval, and the rates that
// their units need. It is a [kurs.Source].
type Source struct {
	cfg     Config
	client  *Client
	log     *slog.Logger
	polled  []string       // symbols that are no pairs
	listed  []string       // symbols that are currency pairs
	order   map[string]int // all symbols, by their place in the list
	pairs   *pairBook
	unknown *unknowns
	hours   *hours
	stream  *stream // nil: none
	plan    *plan
	near    neighbours
}

var _ kurs.Source = (*Source)(nil)

// New makes a source. decode reads what Yahoo answered, as far as the source
// needs it to go on asking.
func New(cfg Config, decode kurs.Decode, log *slog.Logger) (*Source, error) {
	client, err := newClient(cfg, decode, log, true)
	if err != nil {
		return nil, err
	}
	cfg = client.cfg
	if len(cfg.Symbols) == 0 {
		return nil, errors.New("yahoo: no symbols")
	}
	s := &Source{
		cfg: cfg, client: client, log: log, unknown: newUnknowns(log), hours: newHours(cfg.Extended),
		order: map[string]int{},
	}
	for i, symbol := range cfg.Symbols {
		s.order[symbol] = i
		if _, ok := kurs.ParsePair(symbol); ok {
			s.listed = append(s.listed, symbol)
		} else {
			s.polled = append(s.polled, symbol)
		}
	}
	if cfg.Mode != ModePoll {
		s.stream = newStream(s)
	}
	s.pairs = newPairBook(cfg, s.listed)
	s.pairs.again = func(symbol string, asked time.Time) time.Time {
		due, _ := s.again(symbol, asked)
		if due.IsZero() { // the stream's alone; its rates are asked like those of any pair
			due = asked.Add(slowest)
		}
		return due
	}
	s.pairs.open = s.hours.open
	if was := client.memory.load(); was.Base == cfg.Base {
		s.pairs.restore(was.Pairs)
	}
	s.near.restore(client.memory)
	return s, nil
}

const (
	// emitGrace is how long an answer that came after the end was asked for may
	// wait for the queue.
	emitGrace = 10 * time.Second
	// ratesFirst is how long prices wait at the start for the rates of pairs that
	// are known from earlier.
	ratesFirst = 2 * time.Second
)

// errHandOn says that an answer was not taken over.
var errHandOn = errors.New("hand on an answer")

// Run asks until ctx is done. Then it makes no new requests, waits for those
// under way, no longer than Config.Timeout, hands their answers on, and returns
// nil. The only other reason to return is that emit failed.
func (s *Source) Run(ctx context.Context, emit kurs.Emit) error {
	group, ctx := errgroup.WithContext(ctx)
	late, release := outlive(ctx, s.cfg.Timeout+emitGrace)
	defer release()
	defer s.client.Close()
	defer s.near.save(s.client.memory)
	hear := func(raw kurs.Raw, kind kurs.RawKind, seen kurs.Observed) error {
		s.near.attach(&raw, seen)
		fault.Point("acquire.before_emit")
		if err := emit(late, raw, kind); err != nil {
			return fmt.Errorf("%w: %w", errHandOn, err)
		}
		s.client.stats.emitted()
		s.learn(raw, kind, seen)
		return nil
	}
	now := time.Now()
	s.pairs.start(now)
	s.plan = newPlan(s.polled, s.cfg.Batch, s.cfg.Interval, now)
	s.plan.again, s.plan.skipped = s.again, s.client.stats.skip
	started := make(chan struct{}) // the rates of known pairs have been asked for
	for _, part := range []func(context.Context) error{
		func(ctx context.Context) error { return s.askRates(ctx, started, hear) },
		func(ctx context.Context) error { return s.askPast(ctx, hear) },
		func(ctx context.Context) error { return s.askDoubts(ctx, hear) },
		func(ctx context.Context) error { return s.askPrices(ctx, started, hear) },
		func(ctx context.Context) error { return s.askHours(ctx, hear) },
		func(ctx context.Context) error { s.near.keep(ctx, s.client.memory); return nil },
		func(ctx context.Context) error {
			if s.stream == nil {
				return nil
			}
			return s.stream.run(ctx, hear)
		},
	} {
		group.Go(func() error {
			err := part(ctx)
			if ctx.Err() != nil && !errors.Is(err, errHandOn) {
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

// Settle takes what a person said is right: what comes next is held against it.
func (s *Source) Settle(symbol string, near kurs.Neighbour) { s.near.settle(symbol, near) }

// outlive is a context that is done some time after ctx is.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, func() {
		stop()
		cancel()
	}
}

// learn takes from an answer which pairs its prices need, and which symbols and
// pairs were answered.
func (s *Source) learn(raw kurs.Raw, kind kurs.RawKind, seen kurs.Observed) {
	now := time.Now()
	s.hours.learn(raw.Endpoint, seen, now)
	if s.stream != nil {
		s.stream.learn(raw, seen)
	}
	symbols := make([]string, 0, len(raw.Asked))
	oldest := map[string]time.Time{}
	note := func(symbol, unit string, at time.Time) {
		if len(symbols) == 0 || symbols[len(symbols)-1] != symbol {
			symbols = append(symbols, symbol)
		}
		if kind == kurs.CarriesRates && !slices.Contains(raw.Listed, symbol) {
			return
		}
		if t, ok := oldest[unit]; !ok || at.Before(t) {
			oldest[unit] = at
		}
	}
	for i := range seen.Quotes {
		note(seen.Quotes[i].Symbol, seen.Quotes[i].Unit, seen.Quotes[i].Time)
	}
	for i := range seen.Bars {
		note(seen.Bars[i].Symbol, seen.Bars[i].Unit, seen.Bars[i].End())
	}
	s.unknown.seen(symbols)
	s.pairs.need(oldest, now)
	if kind == kurs.CarriesRates && s.pairs.heard(symbols, now) {
		s.client.memory.update(func(r *remembered) { r.Base, r.Pairs = s.cfg.Base, s.pairs.names() })
	}
}

// pursue takes a round as far as it goes: to its end, or to the first failure
// after a time. Between failures the gate lets it wait.
func (s *Source) pursue(ctx context.Context, r *round, until time.Time, hear hear) error {
	for !r.done() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := s.client.step(ctx, r, hear)
		var t *trouble
		switch {
		case err == nil:
		case !errors.As(err, &t):
			return err
		case !until.IsZero() && !time.Now().Before(until):
			return nil
		}
	}
	return nil
}

// pursueAll takes a round to its end, however long that takes.
func (s *Source) pursueAll(ctx context.Context, r *round, hear hear) error {
	return s.pursue(ctx, r, time.Time{}, hear)
}

// askPrices has the workers ask for the batches as they are due.
func (s *Source) askPrices(ctx context.Context, started <-chan struct{}, hear hear) error {
	if len(s.polled) == 0 {
		return nil
	}
	timer := time.NewTimer(ratesFirst)
	defer timer.Stop()
	select {
	case <-started:
	case <-timer.C:
	case <-ctx.Done():
		return nil
	}
	work := make(chan taken)
	done := make(chan taken, s.cfg.Workers) // room for all: a worker never waits here
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		s.plan.run(ctx, work, done)
		return nil
	})
	for range s.cfg.Workers {
		group.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case batch := <-work:
					if err := s.askBatch(ctx, batch.symbols, hear); err != nil {
						return err
					}
					done <- batch
				}
			}
		})
	}
	return group.Wait()
}

// again is when a symbol that was polled at a time is due again.
func (s *Source) again(symbol string, asked time.Time) (due time.Time, exact bool) {
	interval := s.cfg.Interval
	switch {
	case s.stream == nil:
	case s.cfg.Mode == ModeStream && s.stream.knows(symbol):
		return time.Time{}, false // what is left is the stream's
	case s.stream.delivers(symbol):
		interval = max(interval, min(slower*interval, slowest))
	}
	return s.hours.again(symbol, asked, interval, s.cfg.Closed)
}

// hurry has symbols polled at once that the stream delivered, and does no more.
func (s *Source) hurry(symbols []string) {
	if s.cfg.Mode == ModeStream {
		return
	}
	select {
	case s.plan.hurry <- symbols:
	default: // so many are waiting already that it makes no difference
	}
}

// askHours asks for the hours of the exchanges, by the chart of one instrument of
// each.
func (s *Source) askHours(ctx context.Context, hear hear) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		symbols, next := s.hours.due(time.Now())
		for _, symbol := range symbols {
			kind := kurs.CarriesPrices
			if _, pair := kurs.ParsePair(symbol); pair {
				kind = kurs.CarriesRates
			}
			r := newRound([]string{symbol}, s.listed, kind)
			r.byChart, r.byDay = true, true
			if err := s.pursue(ctx, r, time.Now().Add(hoursRetry), hear); err != nil {
				return err
			}
		}
		var later <-chan time.Time
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), time.Second))
			later = timer.C
		}
		select {
		case <-ctx.Done():
			return nil
		case <-later:
		case <-s.hours.news:
		}
	}
}

// askBatch asks for the prices of a batch once, with further tries until it is
// due again.
func (s *Source) askBatch(ctx context.Context, batch []string, hear hear) error {
	now := time.Now()
	r := newRound(s.unknown.wanted(batch, now), nil, kurs.CarriesPrices)
	err := s.pursue(ctx, r, now.Add(s.cfg.Interval), hear)
	now = time.Now()
	s.unknown.mark(r.refused, now)
	s.unknown.doubt(r.missing, now)
	return err
}

// askDoubts asks again for the symbols that answers left out.
func (s *Source) askDoubts(ctx context.Context, hear hear) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.unknown.news:
		}
		r := newRound(nil, s.listed, kurs.CarriesPrices)
		r.missing = s.unknown.doubts()
		if pairs := slices.DeleteFunc(slices.Clone(r.missing), s.isNotListed); len(pairs) > 0 {
			// Their answers carry rates, so they are asked for apart.
			r.missing = slices.DeleteFunc(r.missing, func(symbol string) bool { return !s.isNotListed(symbol) })
			apart := newRound(nil, s.listed, kurs.CarriesRates)
			apart.missing = pairs
			unknown, err := s.client.doubt(ctx, apart, s.pursueAll, hear)
			s.unknown.mark(unknown, time.Now())
			if err != nil {
				return err
			}
		}
		unknown, err := s.client.doubt(ctx, r, s.pursueAll, hear)
		s.suggest(ctx, unknown)
		s.unknown.mark(unknown, time.Now())
		if err != nil {
			return err
		}
	}
}

// mostSuggested is how many symbols at a time suggestions are looked up for.
const mostSuggested = 3

// suggest says with unknown symbols what may have been meant, unless that was
// said already.
func (s *Source) suggest(ctx context.Context, unknown []unknownSymbol) {
	looked := 0
	for i := range unknown {
		u := &unknown[i]
		if looked >= mostSuggested || u.words == noPrice || s.unknown.has(u.symbol) {
			continue
		}
		looked++
		for _, hit := range s.client.Near(ctx, u.symbol) {
			u.near = append(u.near, hit.Symbol)
		}
	}
}

func (s *Source) isNotListed(symbol string) bool { return !slices.Contains(s.listed, symbol) }
