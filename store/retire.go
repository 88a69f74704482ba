package store

import (
	"context"
	"time"

	"kurs"
)

// What is older than is kept is deleted once an hour, by the store's own writer,
// between two groups: a short transaction at a time, so that prices wait no longer
// than for one.
//
// Nothing is deleted that another store may still lack. The writer notes how far it
// is, and waits until every configured store has come as far: then they all have
// what it had. What it stored since counts only where it was received within the
// last day, and nothing as young as that is ever deleted; if it stored something
// older meanwhile, as after a long outage, it notes its place anew. While a store is
// detached nothing is deleted: it will be filled from the first.

const (
	retireEvery = time.Hour
	retireAsk   = 5 * time.Second // between two looks at the other stores

	// youngest is the least age of what may be deleted: the least that the settings
	// allow.
	youngest = 24 * time.Hour
)

// retiring is how far a store is with deleting what is old.
type retiring struct {
	due    time.Time      // when the next pass may begin
	asked  time.Time      // when the other stores were looked at
	mark   kurs.StreamPos // what every store must have
	marked bool
	all    bool      // every store has that
	late   bool      // something old was stored since
	pass   time.Time // when the pass began that is under way; zero: none is
}

// committed takes note of what was stored.
func (o *retiring) committed(group kurs.Group) {
	if !o.marked {
		return
	}
	old := time.Now().Add(-youngest)
	for _, b := range group.Batches {
		for i := range b.Prices {
			o.late = o.late || b.Prices[i].Received.Before(old)
		}
		for i := range b.Bars {
			o.late = o.late || b.Bars[i].Received.Before(old)
		}
		for i := range b.Rates {
			o.late = o.late || b.Rates[i].Received.Before(old)
		}
	}
}

// retire does the next piece of it, if there is one to do. That it fails is told and
// hinders nothing else: it is tried again an hour later.
func (w *writer) retire(ctx context.Context) {
	o := &w.old
	now := time.Now()
	if w.Retire == nil || now.Before(o.due) || ctx.Err() != nil {
		return
	}
	if !o.marked || o.late {
		o.mark, o.marked, o.late, o.all = w.at, true, false, false
	}
	if !o.all {
		if now.Sub(o.asked) < retireAsk {
			return
		}
		o.asked = now
		var err error
		if o.all, err = w.allHave(ctx, o.mark); err != nil || !o.all {
			return // a broker that does not answer is asked again
		}
	}
	if o.pass.IsZero() {
		o.pass = now
	}
	more, err := w.Retire(ctx, w.store, o.pass)
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "old rows are not deleted; trying again in an hour", "error", err)
	}
	if err != nil || !more {
		*o = retiring{due: now.Add(retireEvery)}
	}
}

// allHave tells whether every other store is as far as a position, and none is
// detached.
func (w *writer) allHave(ctx context.Context, at kurs.StreamPos) (bool, error) {
	for _, name := range w.names() {
		if name == w.Name {
			continue
		}
		if _, detached, err := w.q.Detached(ctx, name); err != nil || detached {
			return false, err
		}
		its, err := w.q.Position(ctx, name)
		if err != nil || its.Epoch != at.Epoch || its.Seq < at.Seq {
			return false, err
		}
	}
	return true, nil
}
