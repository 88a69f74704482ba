package store

import (
	"context"
	"fmt"
	"time"

	"kurs"
	"kurs/queue"
)

// Only the first store may hold up the stages before it. Another that lags
// behind until the queue is nearly full is detached: its place is written down,
// and the queue no longer keeps anything for it. When it is back, it is filled
// from the first store, and reads on.

// names are those of all stores.
func (c *Config) names() []string {
	out := make([]string, len(c.Targets))
	for i := range c.Targets {
		out[i] = c.Targets[i].Name
	}
	return out
}

// detach detaches the stores for whose sake the queue is nearly full. The writer
// of the first store does it.
func (w *writer) detach(ctx context.Context) error {
	if len(w.Targets) < 2 {
		return nil
	}
	full, err := w.q.PricedIsFull(ctx)
	if err != nil || !full {
		return err
	}
	for i := range w.Targets[1:] {
		t := &w.Targets[1+i]
		if t.Refill == nil {
			continue
		}
		d, done, err := w.q.Detach(ctx, t.Name, w.at)
		if err != nil {
			return err
		}
		if done {
			w.log.ErrorContext(ctx, "store is detached: it lags so far behind that the queue is nearly full; when it is back it is filled from the first",
				"detached", t.Name, "lacks_since", d.Received.Format(time.RFC3339), "code", "KURS-LAG")
		}
	}
	return nil
}

// catchUp fills the store if it was detached while it was at work: messages are
// missing before those that were read, or nothing comes any more. Then what was
// read is to be read again.
func (w *writer) catchUp(ctx context.Context, batches []queue.Batch) (filled bool, err error) {
	gap := len(batches) > 0 && batches[0].Position.Seq > w.at.Seq+1
	if w.first || w.Refill == nil || !gap && (len(batches) > 0 || time.Since(w.askedAt) < noteEvery) {
		return false, nil
	}
	w.askedAt = time.Now()
	return w.back(ctx)
}

// back looks whether the store was detached, and fills it then with what it lacks
// before the place where it reads on.
func (w *writer) back(ctx context.Context) (filled bool, err error) {
	if w.first || w.Refill == nil {
		return false, nil
	}
	d, detached, err := w.q.Detached(ctx, w.Name)
	if err != nil || !detached {
		return false, err
	}
	next, err := w.q.Fill(ctx, w.Name, d)
	if err != nil {
		return false, err
	}
	if next.Seq > w.at.Seq+1 {
		w.log.InfoContext(ctx, "store is filled from the first", "since", d.Received.Format(time.RFC3339), "from", w.at.Seq+1, "to", next.Seq-1)
		rows := 0
		err = w.Refill(ctx, d.Received, func(b kurs.Batch) error {
			rows += b.Rows()
			return w.commit(ctx, kurs.Group{Batches: []kurs.Batch{b}})
		})
		if err != nil {
			return false, fmt.Errorf("fill %s from the first store: %w", w.Name, err)
		}
		w.at = kurs.StreamPos{Epoch: next.Epoch, Seq: next.Seq - 1}
		if err := w.commit(ctx, kurs.Group{Position: w.at}); err != nil {
			return false, err
		}
		if w.reader, err = w.q.ReadPriced(ctx, w.Name, w.at); err != nil {
			return false, err
		}
		w.log.InfoContext(ctx, "store is filled", "rows", rows)
		filled = true
	}
	return filled, w.q.Rejoin(ctx, w.Name)
}
