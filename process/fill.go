package process

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kurs"
	"kurs/fault"
	"kurs/queue"
)

// filler gives prices that went on without a rate the first rate of the stream
// that fits. One process at a time does it, by a lease, so that a price is
// filled in once; a second time would change nothing.
type filler struct {
	*stage
	held atomic.Bool

	mu      sync.Mutex
	next    uint64 // of the stream unpriced: what was not read yet
	entries []entry
	kept    uint64 // place of the newest snapshot

	every uint64    // messages of the stream rates make a snapshot due
	again time.Time // when to look next whether one is due

	missing missing
}

// entry is a message of the stream unpriced, without its prices.
type entry struct {
	seq      uint64
	currency string
	known    uint64  // the place in the stream rates that they were received at
	after    uint64  // no rate up to here fits
	times    []int64 // that rates are wanted of, Unix nanoseconds
	prices   int
	received time.Time // the first of them
}

func newFiller(s *stage) *filler {
	return &filler{stage: s, next: 1, kept: s.book.Pos(), every: snapshotEvery}
}

const (
	fillEvery     = 200 * time.Millisecond
	snapshotEvery = 10_000
	snapshotBytes = 64 << 20 // of the stream rates, which make one due as well
	snapshotLook  = time.Minute
)

// keep fills in while the lease is held.
func (f *filler) keep(ctx context.Context) error {
	f.mu.Lock()
	f.next, f.entries = 1, nil // another process may have done some meanwhile
	f.mu.Unlock()
	f.held.Store(true)
	defer f.held.Store(false)
	var failing bool
	return poll(ctx, fillEvery, func() (bool, error) {
		err := errors.Join(f.pass(ctx), f.snapshot(ctx))
		if err != nil && ctx.Err() == nil && !failing {
			f.log.WarnContext(ctx, "filling in waits", "error", err)
			f.meter.Failed(err)
		}
		failing = err != nil
		return ctx.Err() != nil, nil // an outage: it goes on when that is over
	})
}

// lastWait is how long the end of a run waits for the lease, which another
// process may hold.
const lastWait = 10 * time.Second

// last goes over everything that waits once more, with all rates that came.
func (f *filler) last(ctx context.Context) error {
	state, err := f.q.RatesState(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, lastWait)
	defer cancel()
	if err := f.book.WaitFor(ctx, state.Last); err != nil {
		return err
	}
	if err := poll(ctx, finishPoll, func() (bool, error) { return f.held.Load(), nil }); err != nil {
		return fmt.Errorf("another process fills in: %w", err)
	}
	return f.pass(ctx)
}

// pass reads what came to wait, and tries everything that waits and was not tried
// with the rates that are known now.
func (f *filler) pass(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := f.book.Pos()
	next, err := f.q.ReadUnpriced(ctx, f.next, f.take)
	f.next = max(f.next, next)
	if err != nil {
		return err
	}
	rest := f.entries[:0]
	for i := range f.entries {
		e := f.entries[i]
		if e.after < at && f.fits(&e) {
			err := f.fillIn(ctx, &e)
			if err == nil {
				continue
			}
			if !errors.Is(err, queue.ErrFull) {
				f.entries = append(rest, f.entries[i:]...)
				return err
			}
			// What is left of the message has no room beside it: the whole stays, and
			// what is filled in twice is as it was.
		}
		e.after = max(e.after, at)
		rest = append(rest, e)
	}
	f.entries = rest
	for _, w := range f.missing.due(f.entries, time.Now()) {
		f.log.WarnContext(ctx, "fx missing", "pair", w.currency+f.Base, "prices_waiting", w.prices, "since", w.since.UTC().Format(time.RFC3339), "code", "KURS-FX")
	}
	return nil
}

// take notes a message that waits. Its prices stay in the stream.
func (f *filler) take(u queue.Unpriced) error {
	w, err := decodeWaiting(u.Data)
	if err != nil {
		// Written by another version; its rows are in the stores, without a base value.
		f.log.Error("prices that wait are not readable and stay without a value", "seq", u.Seq, "error", err)
		return nil
	}
	f.next = u.Seq + 1
	f.entries = append(f.entries, entry{
		seq: u.Seq, currency: w.Prices[0].Currency, known: w.After, after: w.After, times: w.times(), prices: len(w.Prices), received: w.received(),
	})
	return nil
}

// fits tells whether there is a rate for any of the prices.
func (f *filler) fits(e *entry) bool {
	pair := kurs.Pair{From: e.currency, To: f.Base}
	return slices.ContainsFunc(e.times, func(at int64) bool {
		_, _, ok := f.book.FirstAfter(pair, time.Unix(0, at).UTC(), e.known, e.after)
		return ok
	})
}

// fillIn publishes what can be filled in of a message, then takes it away; what
// is left of it waits anew, in a message of its own.
func (f *filler) fillIn(ctx context.Context, e *entry) error {
	u, ok, err := f.q.GetUnpriced(ctx, e.seq)
	if err != nil {
		return err
	}
	if !ok { // another process that held the lease did it
		f.log.DebugContext(ctx, "prices that waited are gone", "seq", e.seq, "currency", e.currency, "prices", e.prices)
		return nil
	}
	w, err := decodeWaiting(u.Data)
	if err != nil {
		return err
	}
	fills, rest := kurs.Batch{BaseCurrency: f.Base}, waiting{After: w.After}
	for i := range w.Prices {
		p := &w.Prices[i]
		fill, ok, err := p.Fill(f.book, f.Base, w.After)
		if !ok {
			rest.Prices = append(rest.Prices, *p)
			continue
		}
		if err != nil { // a value beyond what a decimal holds: no other rate would mend it
			f.log.ErrorContext(ctx, "price stays without a value", "symbol", p.Symbol, "time", p.Time, "error", err)
			continue
		}
		fills.Fills = append(fills.Fills, fill)
		f.stand.see(ctx, &fill.Rate, p.At)
	}
	fault.Point("process.before_fill")
	// Rates only come: of one message, as many fills are always the same fills.
	id := fmt.Sprintf("fill %d %d", e.seq, len(fills.Fills))
	if _, err := f.q.PutPriced(ctx, id, fills); err != nil {
		return err
	}
	if len(rest.Prices) > 0 {
		data, err := rest.encode()
		if err != nil {
			return err
		}
		if err := f.q.PutUnpriced(ctx, e.currency, "rest of "+id, data); err != nil {
			return err
		}
	}
	fault.Point("process.after_fill")
	f.meter.Add(queue.CountFilled, len(fills.Fills))
	return f.q.DropUnpriced(ctx, e.seq)
}

// snapshot keeps the book when much has been added to it, so that the next start
// need not read the whole stream. What is dropped of the stream is what the
// snapshot before stood for: a process that lags behind may still need the rest.
func (f *filler) snapshot(ctx context.Context) error {
	at, now := f.book.Pos(), time.Now()
	if at <= f.kept || now.Before(f.again) {
		return nil
	}
	f.again = now.Add(snapshotLook)
	state, err := f.q.RatesState(ctx)
	if err != nil {
		return err
	}
	if at < f.kept+f.every && state.Bytes < snapshotBytes {
		return nil
	}
	data, err := f.book.Snapshot()
	if err != nil {
		return err
	}
	fault.Point("process.before_snapshot")
	if err := f.q.PutSnapshot(ctx, f.kept, data); err != nil {
		return err
	}
	fault.Point("process.after_snapshot")
	f.kept = at
	return nil
}
