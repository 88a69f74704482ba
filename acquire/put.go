package acquire

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"kurs"
	"kurs/fault"
	"kurs/queue"
)

// onto puts answers on the queue, and knows the place of the rates before them.
type onto struct {
	q     *queue.Queue
	epoch string        // of the stream rates
	rates atomic.Uint64 // the last sequence of it that is known
}

// look finds out where the stream rates is.
func (o *onto) look(ctx context.Context) error {
	state, err := o.q.RatesState(ctx)
	if err != nil {
		return err
	}
	o.epoch = state.Epoch
	o.rates.Store(state.Last)
	return nil
}

// put puts an answer that has its ID on the queue. One with rates is put on the
// stream rates first, so that its place there is known to all that come after. An
// answer that is too large for the queue is an error that wraps [kurs.ErrRejected].
func (o *onto) put(ctx context.Context, raw kurs.Raw, kind kurs.RawKind) error {
	raw.Received = raw.Received.UTC().Truncate(time.Millisecond) // what every store keeps
	if kind == kurs.CarriesRates {
		fault.Point("acquire.before_rates")
		seq, err := o.q.PutRates(ctx, raw)
		if err != nil {
			return err
		}
		fault.Point("acquire.after_rates")
		raise(&o.rates, seq)
	}
	raw.FX = kurs.StreamPos{Epoch: o.epoch, Seq: o.rates.Load()}
	fault.Point("acquire.before_raw")
	if _, err := o.q.PutRaw(ctx, raw); err != nil {
		return err
	}
	fault.Point("acquire.after_raw")
	return nil
}

// raise sets v to at least n.
func raise(v *atomic.Uint64, n uint64) {
	for {
		now := v.Load()
		if n <= now || v.CompareAndSwap(now, n) {
			return
		}
	}
}

// Put puts one message on the queue beside those of a run, under the ID that it
// has: what a person says while others acquire. It returns when the message is on
// disk.
func Put(ctx context.Context, q *queue.Queue, raw kurs.Raw, kind kurs.RawKind) error {
	o := onto{q: q}
	if err := o.look(ctx); err != nil {
		return err
	}
	raw.Source = raw.ID.Source
	if err := o.put(ctx, raw, kind); err != nil {
		return fmt.Errorf("hand on %s: %w", raw.ID, err)
	}
	return nil
}
