package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kurs"
	"kurs/fault"
	"kurs/queue"
)

// Target is one store that is written to.
type Target struct {
	Name string
	Open func(ctx context.Context) (kurs.Store, error)

	// Refill hands over what the first store holds of the prices that were received
	// at or after a time, for a store that lagged behind too far. Nil where that
	// cannot be had: such a store is waited for, however full the queue is.
	Refill func(ctx context.Context, since time.Time, write func(kurs.Batch) error) error

	// Retire deletes some of what is older than is kept, in one short transaction,
	// and tells whether there is more. Nil where everything is kept for ever.
	Retire func(ctx context.Context, store kurs.Store, now time.Time) (more bool, err error)

	// Trouble says of an error of the store which outage it is, as a code of kurs
	// (KURS-LOCK, KURS-DISK); empty where it is none in particular. May be nil.
	Trouble func(err error) (code string)
}

// Config is what the stage is to do.
type Config struct {
	Run     string // the run whose end ends the stage; empty: none
	Holder  string // who this is, for what only one may do
	Targets []Target
	Batch   int           // rows in one transaction, at most
	Flush   time.Duration // longest wait for a transaction to fill
}

// errDone ends a store's work: it has everything of the run.
var errDone = errors.New("done")

// Run stores until ctx is done, or until every store has everything of the run,
// and then returns nil. An error is one that trying again cannot mend, as a
// database in another currency; outages are waited out.
func Run(ctx context.Context, c Config, q *queue.Queue, meter *queue.Meter, log *slog.Logger) error {
	names := make([]string, len(c.Targets))
	for i, t := range c.Targets {
		names[i] = t.Name
	}

	log.InfoContext(ctx, "started", "stores", names)
	side, stopSide := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSide()
	var told sync.WaitGroup
	told.Go(func() { q.Tell(side, meter, nil) })

	group, groupCtx := errgroup.WithContext(ctx)
	for i, t := range c.Targets {
		w := &writer{Config: c, Target: t, first: i == 0, q: q, meter: meter, log: log.With("store", t.Name)}
		group.Go(func() error {
			// Where several processes serve the same stores, one writes to each.
			err := q.HoldLease(groupCtx, "store-"+t.Name, c.Holder, w.run)
			if errors.Is(err, errDone) {
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	stopSide()
	told.Wait()
	counts := meter.Report().Counts
	log.InfoContext(ctx, "ended", "rows", counts[queue.CountRows], "retries", counts[queue.CountRetries], "dead", counts[queue.CountDead])
	return err
}

// writer takes prices to one store.
type writer struct {
	Config
	Target
	first bool
	q     *queue.Queue
	meter *queue.Meter
	log   *slog.Logger

	begun  sync.Once
	store  kurs.Store
	reader *queue.PricedReader
	outage outage

	rows     uint64
	received time.Time      // of the newest price that is stored
	at       kurs.StreamPos // committed
	noted    kurs.StreamPos // told to the queue
	notedAt  time.Time
	askedAt  time.Time // whether it was detached
	end      uint64    // of the run, on priced; 0 while it is not known
	ends     bool
	old      retiring
}

// run stores until ctx is done or the run has ended; errDone says the latter.
func (w *writer) run(ctx context.Context) (err error) {
	if err := w.open(ctx); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, w.store.Close())
		w.store = nil
	}()
	for ctx.Err() == nil {
		group, batches, err := w.gather(ctx)
		if err != nil {
			if ctx.Err() == nil && w.outage.begins() {
				w.log.WarnContext(ctx, "queue not readable, trying again", "error", err)
			}
			if err := pause(ctx, w.outage.next()); err != nil {
				return nil // ctx is done
			}
			continue
		}
		if filled, err := w.catchUp(ctx, batches); filled || err != nil {
			// What was read and is not written is read again by a new start only.
			if err != nil && ctx.Err() == nil && (len(batches) > 0 || hopeless(err)) {
				return err
			}
			continue
		}
		if len(batches) == 0 {
			w.over(ctx) // it was the queue, if anything
		} else {
			fault.Point("store.before_write")
			if err := w.write(ctx, group, batches); err != nil {
				if ctx.Err() != nil {
					return nil // what was not committed stays in the queue
				}
				return err
			}
			w.reader.Ack()
		}
		if err := w.note(ctx, len(batches) == 0); err != nil {
			w.log.DebugContext(ctx, "position not noted", "error", err)
		}
		w.retire(ctx)
		if done, err := w.finished(ctx); done || err != nil {
			return err
		}
	}
	return nil
}

// open opens the store and finds its place in the queue. An outage is waited
// out; what no waiting can mend is returned.
func (w *writer) open(ctx context.Context) error {
	for {
		err := w.tryOpen(ctx)
		if err == nil {
			w.over(ctx)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if hopeless(err) {
			return err
		}
		if err := w.wait(ctx, err, 0); err != nil {
			return err
		}
	}
}

func (w *writer) tryOpen(ctx context.Context) (err error) {
	if w.store == nil {
		if w.store, err = w.Open(ctx); err != nil {
			w.store = nil
			return err
		}
	}
	if w.at, err = w.store.Position(ctx); err != nil {
		return err
	}
	if w.reader, err = w.q.ReadPriced(ctx, w.Name, w.at); err != nil {
		return err
	}
	w.at = w.reader.Position() // a place in another queue, which is no more, says nothing here
	_, err = w.back(ctx)
	return err
}

// hopeless tells whether an error is one that waiting cannot mend.
func hopeless(err error) bool {
	if errors.Is(err, kurs.ErrBaseCurrency) || errors.Is(err, kurs.ErrNewerFormat) {
		return true
	}
	e, ok := errors.AsType[*kurs.Error](err)
	return ok && !e.Retryable
}

// idle is how long to wait for prices before looking at other things.
const idle = 250 * time.Millisecond

// gather collects a transaction's worth: as much as is there, for the time of
// Flush at most since the first of it.
func (w *writer) gather(ctx context.Context) (kurs.Group, []queue.Batch, error) {
	var (
		group   kurs.Group
		batches []queue.Batch
		rows    int
		until   time.Time
	)
	for rows < w.Batch {
		wait := idle
		if len(batches) > 0 {
			if wait = time.Until(until); wait <= 0 || w.ended() {
				break
			}
			wait = min(wait, idle)
		}
		more, err := w.reader.Next(ctx, wait)
		if err != nil && len(batches)+len(more) == 0 {
			return group, nil, err
		}
		if len(more) == 0 && (err != nil || len(batches) == 0) {
			break
		}
		if len(batches) == 0 {
			until = time.Now().Add(w.Flush)
		}
		for _, b := range more {
			rows += b.Rows()
		}
		batches = append(batches, more...)
	}
	for _, b := range batches {
		group.Position = b.Position
		if b.Wrong == nil {
			group.Batches = append(group.Batches, b.Batch)
		}
	}
	return group, batches, nil
}

// ended tells whether all of the run has been read, so that waiting for more to
// fill a transaction is in vain.
func (w *writer) ended() bool { return w.ends && w.reader.Position().Seq >= w.end }

// noteEvery is how often the queue is told how far the store is.
const noteEvery = time.Second

// note tells the queue how far the store is, and has it drop what all have.
func (w *writer) note(ctx context.Context, idle bool) error {
	if w.noted == w.at || !idle && time.Since(w.notedAt) < noteEvery {
		return nil
	}
	if err := w.q.PutPosition(ctx, w.Name, w.at); err != nil {
		return err
	}
	w.noted, w.notedAt = w.at, time.Now()
	if w.first {
		if err := w.detach(ctx); err != nil {
			return err
		}
	}
	return w.q.PurgePriced(ctx, w.names())
}

// finished tells whether the store has everything of the run, once that is known.
func (w *writer) finished(ctx context.Context) (bool, error) {
	if w.Run == "" {
		return false, nil
	}
	if !w.ends {
		end, _, ok, err := w.q.Mark(ctx, w.Run, queue.MarkProcessed)
		if err != nil || !ok {
			return false, nil //nolint:nilerr // a broker that does not answer is asked again
		}
		w.end, w.ends = end, true
	}
	if w.at.Seq < w.end {
		return false, nil
	}
	fault.Point("store.before_end")
	if err := w.note(ctx, true); err != nil {
		return false, err
	}
	if err := w.q.PutMark(ctx, w.Run, queue.MarkStored(w.Name), w.at.Seq, 0); err != nil {
		return false, err
	}
	fault.Point("store.after_end")
	return true, errDone
}

// pause waits, or ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
