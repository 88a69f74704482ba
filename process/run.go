package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kurs"
	"kurs/fault"
	"kurs/process/fx"
	"kurs/queue"
)

// Config is what the stage is to do.
type Config struct {
	Run     string // the run whose end ends the stage; empty: none
	Holder  string // who this is, for what only one may do
	Workers int
	Base    string // base currency, ISO 4217
	Decode  map[string]kurs.Decode
	Policy  fx.Policy
	Keep    func([]kurs.Raw) error // keeps raw messages to look at; may be nil. Its failures hold up nothing
}

// stage is the second stage at work.
type stage struct {
	Config
	q     *queue.Queue
	log   *slog.Logger
	meter *queue.Meter
	book  *fx.Book
	epoch string // of the stream rates
	proc  *Processor
	fill  *filler
	told  instruments
	stand *standIns
	first sync.Once // prices of this process
	kept  keeper
	crowd crowd
}

// errDone ends the stage: everything of the run is worked off.
var errDone = errors.New("done")

// Run works until ctx is done, or until everything of the run is worked off, and
// then returns nil. What a worker has in hand is finished first.
func Run(ctx context.Context, c Config, q *queue.Queue, meter *queue.Meter, log *slog.Logger) error {
	s := &stage{Config: c, q: q, log: log, meter: meter, book: fx.New(), stand: newStandIns(c.Policy.Sources, log)}
	if err := s.restore(ctx); err != nil {
		return err
	}
	s.proc = &Processor{Base: c.Base, Decode: c.Decode, Policy: c.Policy, Rates: s.book}
	s.fill = newFiller(s)
	log.InfoContext(ctx, "started", "workers", c.Workers, "currency", c.Base, "rates", s.book.Pos())

	// The book, the filler and the reports go on until the workers are done.
	side, stopSide := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSide()
	var beside errgroup.Group
	beside.Go(func() error {
		return s.q.FollowRates(side, s.book.Pos()+1, func(m queue.RateMessage) { s.learn(side, m) })
	})
	beside.Go(func() error { return s.q.HoldLease(side, "fill", c.Holder, s.fill.keep) })
	beside.Go(func() error { q.Tell(side, meter, nil); return nil })

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.q.WorkRaw(ctx, max(c.Workers, 1), s.work) })
	if c.Run != "" {
		group.Go(func() error { return s.finish(ctx) })
	}
	err := group.Wait()
	stopSide()
	err = errors.Join(err, beside.Wait())
	if errors.Is(err, errDone) {
		err = nil
	}
	counts := meter.Report().Counts
	log.InfoContext(ctx, "ended", "messages", counts[queue.CountMessages], "prices", counts[queue.CountPrices],
		"rates", counts[queue.CountRates], "filled", counts[queue.CountFilled], "dead", counts[queue.CountDead])
	return err
}

// restore makes the book what the newest snapshot says. A snapshot that cannot
// be read is passed over: the rates that are still in the stream are all that is
// known then.
func (s *stage) restore(ctx context.Context) error {
	state, err := s.q.RatesState(ctx)
	if err != nil {
		return err
	}
	s.epoch = state.Epoch
	snapshot, err := s.q.LastSnapshot(ctx)
	if err != nil || snapshot == nil {
		return err
	}
	if err := s.book.Restore(snapshot); err != nil {
		if errors.Is(err, kurs.ErrNewerFormat) {
			return err
		}
		s.log.ErrorContext(ctx, "snapshot of the rates is not readable: older rates are not known", "error", err)
	}
	return nil
}

// learn tells the book of the next message of the stream rates.
func (s *stage) learn(ctx context.Context, m queue.RateMessage) {
	if m.Seq > s.book.Pos()+1 && m.Seq > 1 {
		s.catchUp(ctx, m.Seq)
	}
	switch {
	case m.Raw != nil:
		s.proc.Learn(s.book, m.Seq, *m.Raw)
	case m.Policy != nil:
		var policy fx.Policy
		if err := json.Unmarshal(m.Policy, &policy); err != nil {
			s.log.ErrorContext(ctx, "policy of rates is not readable: the one before stays", "seq", m.Seq, "error", err)
			s.book.Advance(m.Seq)
			return
		}
		s.book.SetPolicy(m.Seq, policy)
	default:
		s.book.Advance(m.Seq)
	}
}

// catchUp takes up the newest snapshot where the messages up to next, which the
// book has not seen, are no longer in the stream.
func (s *stage) catchUp(ctx context.Context, next uint64) {
	snapshot, err := s.q.LastSnapshot(ctx)
	if err != nil || snapshot == nil {
		s.log.ErrorContext(ctx, "rates are missing", "from", s.book.Pos()+1, "to", next-1, "error", err)
		return
	}
	fresh := fx.New()
	if err := fresh.Restore(snapshot); err != nil || fresh.Pos() <= s.book.Pos() {
		s.log.ErrorContext(ctx, "rates are missing", "from", s.book.Pos()+1, "to", next-1, "error", err)
		return
	}
	if err := s.book.Restore(snapshot); err != nil {
		s.log.ErrorContext(ctx, "rates are missing", "from", s.book.Pos()+1, "to", next-1, "error", err)
	}
}

// bookWait is how long a worker waits for the book to reach a message's place.
// The broker is told meanwhile that the message is being worked on.
const bookWait = 30 * time.Second

// usable is the place up to which rates may be used for a message, once the book
// is there; 0 where the message names a place that the stream does not have.
func (s *stage) usable(ctx context.Context, at kurs.StreamPos) (uint64, error) {
	if at.Epoch != s.epoch {
		return 0, nil
	}
	if s.book.Pos() >= at.Seq {
		return at.Seq, nil
	}
	state, err := s.q.RatesState(ctx)
	if err != nil {
		return 0, err
	}
	if state.Epoch != s.epoch || state.Last < at.Seq {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, bookWait)
	defer cancel()
	return at.Seq, s.book.WaitFor(ctx, at.Seq)
}

// result is what one raw message became.
type result struct {
	raw  kurs.Raw
	upTo uint64
	Outcome
}

// work takes a group of raw messages through the stage: to priced, then to
// unpriced; the queue acknowledges raw when it returns nil.
func (s *stage) work(ctx context.Context, raws []kurs.Raw) error {
	results := make([]result, 0, len(raws))
	for _, raw := range raws {
		upTo, err := s.usable(ctx, raw.FX)
		if err != nil {
			return err
		}
		out, err := s.proc.Process(raw, upTo)
		switch {
		case err != nil:
			if err := s.dead(ctx, raw, err.Error()); err != nil {
				return err
			}
			// The receipt is accounted for all the same.
			out = Outcome{Batch: kurs.Batch{Raws: []kurs.RawID{raw.ID}, BaseCurrency: s.Base}}
		case len(out.Refused) > 0:
			if err := s.dead(ctx, raw, "in part: "+strings.Join(out.Refused, "; ")); err != nil {
				return err
			}
		}
		results = append(results, result{raw: raw, upTo: upTo, Outcome: out})
	}
	s.kept.keep(ctx, s, raws)
	fault.Point("process.before_priced")
	if err := s.publish(ctx, results); err != nil {
		return err
	}
	fault.Point("process.after_priced")
	if err := s.settle(ctx, results); err != nil {
		return err
	}
	for i := range results {
		if err := s.putPending(ctx, &results[i]); err != nil {
			return err
		}
	}
	s.count(ctx, results)
	return nil
}

func (s *stage) dead(ctx context.Context, raw kurs.Raw, reason string) error {
	s.meter.Add(queue.CountDead, 1)
	return s.q.PutDeadRaw(ctx, "process", raw, reason)
}

// publish puts what came of a group on priced, in one message where it fits.
func (s *stage) publish(ctx context.Context, results []result) error {
	batch := results[0].Batch
	for i := range results[1:] {
		batch = join(batch, results[i+1].Batch)
	}
	batch.Instruments = s.told.news(batch.Instruments)
	id := "priced " + results[0].raw.ID.String()
	if len(results) > 1 {
		id += " to " + results[len(results)-1].raw.ID.String()
	}
	_, err := s.q.PutPriced(ctx, id, batch)
	switch {
	case err == nil:
		s.told.keep(batch.Instruments)
		return nil
	case !errors.Is(err, kurs.ErrRejected):
		return err
	case len(results) > 1:
		half := len(results) / 2
		if err := s.publish(ctx, results[:half]); err != nil {
			return err
		}
		return s.publish(ctx, results[half:])
	}
	results[0].Pending = nil
	return s.dead(ctx, results[0].raw, err.Error())
}

func join(a, b kurs.Batch) kurs.Batch {
	a.Raws = append(a.Raws, b.Raws...)
	a.Prices = append(a.Prices, b.Prices...)
	a.Bars = append(a.Bars, b.Bars...)
	a.Rates = append(a.Rates, b.Rates...)
	a.Events = append(a.Events, b.Events...)
	a.Instruments = append(a.Instruments, b.Instruments...)
	a.SetAside = append(a.SetAside, b.SetAside...)
	a.Decisions = append(a.Decisions, b.Decisions...)
	a.Corrections = append(a.Corrections, b.Corrections...)
	a.Aliases = append(a.Aliases, b.Aliases...)
	return a
}

func (s *stage) putPending(ctx context.Context, r *result) error {
	for currency, w := range byCurrency(r.Pending, r.upTo) {
		data, err := w.encode()
		if err != nil {
			return err
		}
		err = s.q.PutUnpriced(ctx, currency, fmt.Sprintf("unpriced %s %s", r.raw.ID, currency), data)
		if errors.Is(err, queue.ErrFull) {
			s.crowd.turnedAway(ctx, s.log, currency, len(w.Prices), time.Now())
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) count(ctx context.Context, results []result) {
	s.meter.Add(queue.CountMessages, len(results))
	if n := len(results[0].Batch.Prices); n > 0 {
		s.first.Do(func() {
			s.log.InfoContext(ctx, "first prices", "prices", n, "without_rate_yet", len(results[0].Pending))
		})
	}
	for i := range results {
		b := &results[i].Batch
		s.stand.seeAll(ctx, b)
		s.meter.Add(queue.CountPrices, len(b.Prices)+len(b.Bars))
		s.meter.Add(queue.CountRates, len(b.Rates))
		s.meter.Add(queue.CountUnpriced, len(results[i].Pending))
	}
}

// finishPoll is how often the end of a run looks at the queues.
const finishPoll = 50 * time.Millisecond

// finish waits for the end of the run: when all that acquire put is worked off,
// and what waits for a rate had its last chance, it says how far priced goes.
func (s *stage) finish(ctx context.Context) error {
	last, _, err := s.q.AwaitMark(ctx, s.Run, queue.MarkAcquired)
	if err != nil {
		return nil //nolint:nilerr // ctx is done
	}
	err = poll(ctx, finishPoll, func() (bool, error) {
		state, err := s.q.RawState(ctx)
		return err == nil && (state.Messages == 0 || state.First > last), nil // a broker that does not answer is asked again
	})
	if err != nil {
		return nil //nolint:nilerr // ctx is done
	}
	if err := s.fill.last(ctx); err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "prices without a rate wait for the next run", "error", err)
	}
	state, err := s.q.PricedState(ctx)
	if err != nil {
		return err
	}
	fault.Point("process.before_end")
	if err := s.q.PutMark(ctx, s.Run, queue.MarkProcessed, state.Last, 0); err != nil {
		return err
	}
	fault.Point("process.after_end")
	return errDone
}

// poll asks until the answer is yes.
func poll(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
