package acquire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"kurs"
	"kurs/fault"
	"kurs/queue"
)

// Config is what the stage is to do.
type Config struct {
	Run     string // the run's id
	Shared  bool   // others acquire onto the same queue
	Sources []Source
	Policy  []byte // of rates, as the rate book reads it; put on the stream rates
	Space   *Space // watches the disks; may be nil
}

// Source is one of those that are asked, side by side.
type Source struct {
	kurs.Source
	Name   string
	Status func(r *queue.StageReport)               // adds how the source does to a report; may be nil
	Settle func(symbol string, near kurs.Neighbour) // takes what a person said is right; may be nil
}

// Run acquires until ctx is done or no source has more. Then it says on the
// queue how far the run goes: that is the end-of-data mark, which the stages
// behind it work up to. A run that was begun by another process is taken up.
//
// It returns nil when the mark is put.
func Run(ctx context.Context, c Config, q *queue.Queue, meter *queue.Meter, log *slog.Logger) error {
	s := &stage{Config: c, onto: onto{q: q}, meter: meter, log: log}
	// The beginning and the end are put down also where ctx ends meanwhile.
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if err := s.begin(late); err != nil {
		return err
	}
	log.InfoContext(ctx, "started", "sources", c.names(), "run", c.Run)
	told := make(chan struct{})
	side, stopSide := context.WithCancel(late)
	go func() {
		defer close(told)
		q.Tell(side, meter, c.status)
	}()
	settled := make(chan struct{})
	go func() {
		defer close(settled)
		if c.settles() {
			q.FollowSettled(side, c.settle)
		}
	}()
	err := s.ask(ctx)
	if err == nil {
		err = s.end(late)
	}
	stopSide()
	<-told
	<-settled
	counts := meter.Report().Counts
	log.InfoContext(ctx, "ended", "answers", counts[queue.CountAnswers], "requests", counts[queue.CountRequests], "errors", counts[queue.CountErrors])
	return err
}

// ask lets all sources ask until none has more. One that fails ends the others.
func (s *stage) ask(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, from := range s.Sources {
		group.Go(func() error {
			return from.Run(ctx, func(ctx context.Context, raw kurs.Raw, kind kurs.RawKind) error {
				return s.emit(ctx, from.Name, raw, kind)
			})
		})
	}
	return group.Wait()
}

// names are those of the sources, for people.
func (c *Config) names() string {
	all := make([]string, len(c.Sources))
	for i, from := range c.Sources {
		all[i] = from.Name
	}
	return strings.Join(all, ",")
}

func (c *Config) status(r *queue.StageReport) {
	for _, from := range c.Sources {
		if from.Status != nil {
			from.Status(r)
		}
	}
}

func (c *Config) settles() bool {
	return slices.ContainsFunc(c.Sources, func(from Source) bool { return from.Settle != nil })
}

func (c *Config) settle(symbol string, near kurs.Neighbour) {
	for _, from := range c.Sources {
		if from.Settle != nil {
			from.Settle(symbol, near)
		}
	}
}

// stage is the first stage at work.
type stage struct {
	Config
	onto
	meter *queue.Meter
	log   *slog.Logger

	first   uint64 // of the run on raw, less one
	counter atomic.Uint64
}

// incarnation leaves room for so many receipts of one process in a run; a
// process that takes a run up begins with the next multiple.
const incarnation = 1 << 40

// begin takes the run up where it is.
func (s *stage) begin(ctx context.Context) error {
	if err := s.repair(ctx); err != nil {
		return err
	}
	first, processes, ok, err := s.q.Mark(ctx, s.Run, queue.MarkStarted)
	if err != nil {
		return err
	}
	if !ok {
		state, err := s.q.RawState(ctx)
		if err != nil {
			return err
		}
		first = state.Last
	}
	if err := s.q.PutMark(ctx, s.Run, queue.MarkStarted, first, processes+1); err != nil {
		return err
	}
	s.first = first
	s.counter.Store(processes * incarnation)
	if s.Policy != nil {
		if err := s.q.PutPolicy(ctx, s.Policy); err != nil {
			return err
		}
	}
	return s.look(ctx)
}

// emit takes an answer of a source over; see [kurs.Emit].
func (s *stage) emit(ctx context.Context, source string, raw kurs.Raw, kind kurs.RawKind) error {
	if s.Space != nil {
		if err := s.Space.Wait(ctx, s.meter); err != nil {
			return err
		}
	}
	raw.ID = kurs.RawID{Source: source, Run: s.Run, Counter: s.counter.Add(1)}
	raw.Source = source
	if err := s.put(ctx, raw, kind); err != nil {
		return s.refused(ctx, raw, err)
	}
	s.meter.Add(queue.CountAnswers, 1)
	return nil
}

// refused deals with an answer that the queue cannot take: one too large becomes
// a dead letter without its body, and the source goes on.
func (s *stage) refused(ctx context.Context, raw kurs.Raw, err error) error {
	if !errors.Is(err, kurs.ErrRejected) {
		return fmt.Errorf("hand on %s: %w", raw.ID, err)
	}
	s.meter.Add(queue.CountDead, 1)
	raw.Body = raw.Body[:min(len(raw.Body), keptOfRefused)]
	return s.q.PutDeadRaw(ctx, "acquire", raw, err.Error())
}

// keptOfRefused is how much of an answer that is too large is kept, to look at.
const keptOfRefused = 64 << 10

// end says how far the run goes, and how many answers it accepted.
func (s *stage) end(ctx context.Context) error {
	state, err := s.q.RawState(ctx)
	if err != nil {
		return err
	}
	if err := s.noteRates(ctx); err != nil {
		return err
	}
	fault.Point("acquire.before_end")
	accepted := state.Last - min(s.first, state.Last)
	if err := s.q.PutMark(ctx, s.Run, queue.MarkAcquired, state.Last, accepted); err != nil {
		return err
	}
	fault.Point("acquire.after_end")
	return nil
}
