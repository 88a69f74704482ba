package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"kurs"
	"kurs/queue"
)

// write commits a group, however long the store is down meanwhile. What the
// store refuses for good becomes a dead letter, and the rest is stored. Its
// errors are that ctx is done, or what waiting cannot mend.
func (w *writer) write(ctx context.Context, group kurs.Group, batches []queue.Batch) error {
	for _, b := range batches {
		if b.Wrong != nil {
			if err := w.dead(ctx, b, b.Wrong.Error()); err != nil {
				return err
			}
		}
	}
	err := w.commit(ctx, group)
	if errors.Is(err, kurs.ErrRejected) {
		if err = w.apart(ctx, batches); err == nil {
			err = w.commit(ctx, kurs.Group{Position: group.Position})
		}
	}
	if err != nil {
		return err
	}
	w.committed(group)
	return nil
}

// commit tries until the group is stored or refused.
func (w *writer) commit(ctx context.Context, group kurs.Group) error {
	for {
		err := w.store.Write(ctx, group)
		if err == nil {
			w.over(ctx)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, kurs.ErrRejected) || hopeless(err) {
			return err
		}
		if err := w.wait(ctx, err, group.Rows()); err != nil {
			return err
		}
		// What is in doubt after a failure is read from the disk again.
		if err := w.reopen(ctx); err != nil {
			return err
		}
	}
}

// reopen closes the store and opens it anew where it can no longer be written to.
func (w *writer) reopen(ctx context.Context) error {
	if _, err := w.store.Position(ctx); err == nil {
		return nil
	}
	if err := w.store.Close(); err != nil {
		w.log.DebugContext(ctx, "close the store", "error", err)
	}
	for {
		var err error
		if w.store, err = w.Open(ctx); err == nil {
			return nil
		}
		w.store = closed{}
		if hopeless(err) || ctx.Err() != nil {
			return err
		}
		if err := w.wait(ctx, err, 0); err != nil {
			return err
		}
	}
}

// closed stands for a store while there is none.
type closed struct{}

var errClosed = errors.New("the store is not open")

func (closed) Write(context.Context, kurs.Group) error          { return errClosed }
func (closed) Position(context.Context) (kurs.StreamPos, error) { return kurs.StreamPos{}, errClosed }
func (closed) Close() error                                     { return nil }

// apart stores what can be stored of a group that was refused: batch by batch,
// and of a batch half by half. What is refused alone becomes a dead letter.
func (w *writer) apart(ctx context.Context, batches []queue.Batch) error {
	for _, b := range batches {
		if b.Wrong != nil {
			continue // is a dead letter already
		}
		refused, err := w.salvage(ctx, b.Batch)
		if err != nil {
			return err
		}
		if len(refused) > 0 {
			if err := w.dead(ctx, b, strings.Join(refused, "; ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// salvage stores a batch but for the rows that are refused, whose reasons it
// returns.
func (w *writer) salvage(ctx context.Context, b kurs.Batch) (refused []string, err error) {
	err = w.commit(ctx, kurs.Group{Batches: []kurs.Batch{b}})
	switch {
	case err == nil:
		return nil, nil
	case !errors.Is(err, kurs.ErrRejected):
		return nil, err
	case b.Rows() <= 1:
		return []string{err.Error()}, nil
	}
	for _, half := range halves(b) {
		reasons, err := w.salvage(ctx, half)
		if err != nil {
			return nil, err
		}
		refused = append(refused, reasons...)
	}
	return refused, nil
}

// halves splits the rows of a batch in two. Both account for the same receipts.
func halves(b kurs.Batch) [2]kurs.Batch {
	first := kurs.Batch{Raws: b.Raws, BaseCurrency: b.BaseCurrency}
	second := first
	n := b.Rows() / 2
	cut(&n, b.Prices, &first.Prices, &second.Prices)
	cut(&n, b.Bars, &first.Bars, &second.Bars)
	cut(&n, b.Rates, &first.Rates, &second.Rates)
	cut(&n, b.Events, &first.Events, &second.Events)
	cut(&n, b.Instruments, &first.Instruments, &second.Instruments)
	cut(&n, b.Fills, &first.Fills, &second.Fills)
	cut(&n, b.Gaps, &first.Gaps, &second.Gaps)
	cut(&n, b.SetAside, &first.SetAside, &second.SetAside)
	cut(&n, b.Decisions, &first.Decisions, &second.Decisions)
	cut(&n, b.Corrections, &first.Corrections, &second.Corrections)
	cut(&n, b.Aliases, &first.Aliases, &second.Aliases)
	return [2]kurs.Batch{first, second}
}

// cut gives the first *n rows to one part and the others to the other.
func cut[T any](n *int, rows []T, first, second *[]T) {
	at := min(*n, len(rows))
	*first, *second = rows[:at:at], rows[at:]
	*n -= at
}

func (w *writer) dead(ctx context.Context, b queue.Batch, reason string) error {
	w.meter.Add(queue.CountDead, 1)
	return w.q.PutDeadBatch(ctx, b, w.Name, reason)
}

// committed counts what was stored.
func (w *writer) committed(group kurs.Group) {
	w.at = group.Position
	w.rows += uint64(group.Rows()) //nolint:gosec // a count
	for _, b := range group.Batches {
		for i := range b.Prices {
			if at := b.Prices[i].Received; at.After(w.received) {
				w.received = at
			}
		}
	}
	w.old.committed(group)
	if n := len(group.Batches); n > 0 {
		w.begun.Do(func() { w.log.Info("first prices stored", "rows", group.Rows()) })
	}
	if w.first {
		w.meter.Add(queue.CountRows, group.Rows())
	}
	w.report()
}

// report brings the store's line in the stage's report up to date.
func (w *writer) report() {
	line := queue.StoreReport{Name: w.Name, Rows: w.rows, Position: w.at, Received: w.received, Trouble: w.outage.trouble()}
	w.meter.Set(func(r *queue.StageReport) {
		for i := range r.Stores {
			if r.Stores[i].Name == w.Name {
				r.Stores[i] = line
				return
			}
		}
		r.Stores = append(r.Stores, line)
	})
}

// outage is a time in which the store, or the queue, does not work.
type outage struct {
	since time.Time
	told  time.Time
	code  string
	what  string
	pause time.Duration
}

const (
	firstPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
	tellAgain  = 15 * time.Minute
)

// begins tells whether this is worth a line in the log: the first failure, and
// one every quarter of an hour.
func (o *outage) begins() bool {
	now := time.Now()
	if o.since.IsZero() {
		o.since = now
	}
	if !o.told.IsZero() && now.Sub(o.told) < tellAgain {
		return false
	}
	o.told = now
	return true
}

// next is how long to wait before the next try: longer each time.
func (o *outage) next() time.Duration {
	o.pause = min(max(2*o.pause, firstPause), mostPause)
	return o.pause
}

func (o *outage) trouble() *queue.Trouble {
	if o.since.IsZero() {
		return nil
	}
	return &queue.Trouble{Code: o.code, Message: o.what, Since: o.since.UTC()}
}

// wait waits before a failed write is tried again, and says so once.
func (w *writer) wait(ctx context.Context, cause error, rows int) error {
	if w.Trouble != nil {
		w.outage.code = w.Trouble(cause)
	}
	w.outage.what = cause.Error()
	w.meter.Add(queue.CountRetries, 1)
	w.meter.Failed(fmt.Errorf("%s: %w", w.Name, cause))
	if w.outage.begins() {
		w.tell(ctx, cause, rows)
	}
	w.report()
	return pause(ctx, w.outage.next())
}

// over ends an outage.
func (w *writer) over(ctx context.Context) {
	if w.outage.since.IsZero() {
		return
	}
	w.log.InfoContext(ctx, "store works again", "away", time.Since(w.outage.since).Round(time.Millisecond))
	w.outage = outage{}
	w.report()
}

// tell says what the store waits for. A full disk needs a person.
func (w *writer) tell(ctx context.Context, cause error, rows int) {
	attrs := w.attrs(cause, rows)
	switch w.outage.code {
	case "KURS-LOCK":
		w.log.LogAttrs(ctx, slog.LevelWarn, "store waits: database is locked by another program; prices are safe in the queue", attrs...)
	case "KURS-DISK":
		w.log.LogAttrs(ctx, slog.LevelError, "store waits: disk full; prices are safe in the queue", attrs...)
	case "KURS-OBJECTS":
		w.log.LogAttrs(ctx, slog.LevelWarn, "store waits: object storage refuses or cannot be reached; prices are safe in the queue", attrs...)
	default:
		w.log.LogAttrs(ctx, slog.LevelWarn, "store waits: it cannot be written to; prices are safe in the queue", attrs...)
	}
}

func (w *writer) attrs(cause error, rows int) []slog.Attr {
	attrs := []slog.Attr{slog.Any("error", cause)}
	if rows > 0 {
		attrs = append(attrs, slog.Int("waiting_rows", rows))
	}
	if w.outage.code != "" {
		attrs = append(attrs, slog.String("code", w.outage.code))
	}
	return attrs
}
