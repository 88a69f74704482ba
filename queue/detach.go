package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"kurs"
)

// A Detachment says that a store lagged so far behind that the queue priced would
// have been full for its sake. What it lacks is no longer kept for it here; it is
// filled from the first store when it is back.
type Detachment struct {
	At       kurs.StreamPos `json:"at"`       // how far it was
	Received time.Time      `json:"received"` // of the oldest price that it lacks, UTC
	Since    time.Time      `json:"since"`
	Filling  bool           `json:"filling"` // it is back: what comes from now on is kept for it again
}

// detachFull is how full priced may be, in percent, before stores are detached
// for whose sake it is.
const detachFull = 80

// PricedIsFull tells whether priced is so full that laggards are to be detached.
func (q *Queue) PricedIsFull(ctx context.Context) (bool, error) {
	state, err := q.state(ctx, streamPriced)
	if err != nil || state.MaxBytes <= 0 {
		return false, err
	}
	return state.Bytes >= uint64(state.MaxBytes)/100*detachFull, nil
}

// Detach notes that a store is detached, if it is behind the position of another
// and was not before. done tells whether that is news.
func (q *Queue) Detach(ctx context.Context, store string, ahead kurs.StreamPos) (d Detachment, done bool, err error) {
	if _, was, err := q.Detached(ctx, store); was || err != nil {
		return Detachment{}, false, err
	}
	at, err := q.Position(ctx, store)
	if err != nil || at.Epoch == ahead.Epoch && at.Seq >= ahead.Seq {
		return Detachment{}, false, err
	}
	if at.Epoch != ahead.Epoch {
		at = kurs.StreamPos{Epoch: ahead.Epoch}
	}
	d = Detachment{At: at, Since: time.Now().UTC()}
	if d.Received, err = q.oldestAfter(ctx, at); err != nil {
		return Detachment{}, false, err
	}
	return d, true, q.putDetachment(ctx, store, d)
}

func (q *Queue) putDetachment(ctx context.Context, store string, d Detachment) error {
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("detach %s: %w", store, err)
	}
	return q.say(ctx, "detached."+kurs.Token(store), data)
}

// Fill begins to fill a detached store: from here on what comes is kept for it
// again. next is the first message that is; what was before it, the store gets
// elsewhere, and then says so by Rejoin.
func (q *Queue) Fill(ctx context.Context, store string, d Detachment) (next kurs.StreamPos, err error) {
	state, err := q.state(ctx, streamPriced)
	if err != nil {
		return next, err
	}
	if err := q.PutPosition(ctx, store, kurs.StreamPos{Epoch: state.Epoch, Seq: state.First - min(state.First, 1)}); err != nil {
		return next, err
	}
	d.Filling = true
	if err := q.putDetachment(ctx, store, d); err != nil {
		return next, err
	}
	// Some may have been dropped before that was known.
	if state, err = q.state(ctx, streamPriced); err != nil {
		return next, err
	}
	return kurs.StreamPos{Epoch: state.Epoch, Seq: state.First}, nil
}

// oldestAfter is when the oldest price was received that comes after a position.
func (q *Queue) oldestAfter(ctx context.Context, at kurs.StreamPos) (time.Time, error) {
	stream, err := q.js.Stream(ctx, streamPriced)
	if err != nil {
		return time.Time{}, fmt.Errorf("read priced: %w", err)
	}
	first := max(at.Seq+1, stream.CachedInfo().State.FirstSeq)
	msg, err := stream.GetMsg(ctx, first)
	if err != nil {
		return time.Time{}, fmt.Errorf("read priced: %w", err)
	}
	// Messages are put soon after what is in them was received; one that is not
	// understood, or has no prices, says when by its own time.
	oldest := msg.Time.UTC().Add(-time.Minute)
	if b, err := decodeBatch(msg.Data); err == nil {
		for i := range b.Prices {
			if r := b.Prices[i].Received; r.Before(oldest) {
				oldest = r
			}
		}
	}
	return oldest, nil
}

// Detached tells whether a store is detached.
func (q *Queue) Detached(ctx context.Context, store string) (d Detachment, ok bool, err error) {
	data, _, err := q.last(ctx, "detached."+kurs.Token(store))
	if err != nil || data == nil {
		return Detachment{}, false, err
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return Detachment{}, false, fmt.Errorf("read that %s is detached: %w", store, err)
	}
	return d, true, nil
}

// Rejoin says that a store has everything again.
func (q *Queue) Rejoin(ctx context.Context, store string) error {
	return q.forget(ctx, "detached."+kurs.Token(store))
}
