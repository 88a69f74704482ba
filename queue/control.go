package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
)

// The stream control keeps the last word on each subject. say, last and forget
// are all that is done with it.

func (q *Queue) say(ctx context.Context, subject string, data []byte) error {
	_, err := q.put(ctx, streamControl+"."+subject, "", data)
	return err
}

// last returns the last word on a subject and its sequence; nil if there is none.
func (q *Queue) last(ctx context.Context, subject string) ([]byte, uint64, error) {
	stream, err := q.js.Stream(ctx, streamControl)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", subject, err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, streamControl+"."+subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", subject, err)
	}
	return msg.Data, msg.Sequence, nil
}

func (q *Queue) forget(ctx context.Context, subject string) error {
	stream, err := q.js.Stream(ctx, streamControl)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(streamControl+"."+subject))
	}
	if err != nil {
		return fmt.Errorf("forget %s: %w", subject, err)
	}
	return nil
}

// Mark is a place in the end of a run: who is done, and how far.
type Mark string

// The marks of a run, in order.
const (
	MarkStarted   Mark = "started"   // acquire began: after this sequence of raw, and how many processes did so
	MarkAcquired  Mark = "acquired"  // acquire is done: the run ends at this sequence of raw
	MarkProcessed Mark = "processed" // all of that is worked off: it ends at this sequence of priced
)

// MarkStored is the mark of one store: it holds all up to this sequence of priced.
func MarkStored(store string) Mark { return Mark("stored." + kurs.Token(store)) }

type ending struct {
	Seq      uint64 `json:"seq"`
	Accepted uint64 `json:"accepted,omitempty"` // answers that the run put on raw
}

// PutMark says how far a run goes. The mark belongs to the run's id, so that a
// later run never takes an old one.
func (q *Queue) PutMark(ctx context.Context, run string, mark Mark, seq, accepted uint64) error {
	data, err := json.Marshal(ending{Seq: seq, Accepted: accepted})
	if err != nil {
		return fmt.Errorf("mark %s: %w", mark, err)
	}
	return q.say(ctx, "run."+kurs.Token(run)+"."+string(mark), data)
}

// Mark returns a mark of a run, if it was put already.
func (q *Queue) Mark(ctx context.Context, run string, mark Mark) (seq, accepted uint64, ok bool, err error) {
	data, _, err := q.last(ctx, "run."+kurs.Token(run)+"."+string(mark))
	if err != nil || data == nil {
		return 0, 0, false, err
	}
	var e ending
	if err := json.Unmarshal(data, &e); err != nil {
		return 0, 0, false, fmt.Errorf("read mark %s: %w", mark, err)
	}
	return e.Seq, e.Accepted, true, nil
}

// markPoll is how often AwaitMark looks.
const markPoll = 100 * time.Millisecond

// AwaitMark waits until a mark of the run is put.
func (q *Queue) AwaitMark(ctx context.Context, run string, mark Mark) (seq, accepted uint64, err error) {
	for {
		seq, accepted, ok, err := q.Mark(ctx, run, mark)
		if err == nil && ok {
			return seq, accepted, nil
		}
		// A broker that does not answer is waited for like a mark that is not put.
		if err := sleep(ctx, markPoll); err != nil {
			return 0, 0, err
		}
	}
}

// ForgetRuns drops the marks and leases of all earlier runs. Only who has the
// broker to himself may call it: nobody can hold a lease then.
func (q *Queue) ForgetRuns(ctx context.Context) error {
	return errors.Join(q.forget(ctx, "run.>"), q.forget(ctx, "lease.>"))
}

// Lease times: a holder that has not renewed for leaseLost, by the watch of who
// wants the lease, has lost it.
const (
	leaseRenew = 2 * time.Second
	leaseLost  = 6 * time.Second
	leaseTry   = time.Second // one question about it: so short that a holder notices a loss before others do
)

// HoldLease runs do while this process is the only one that holds the named
// lease, and waits for its turn before. do's context ends when the lease is
// lost. It returns when ctx is done.
func (q *Queue) HoldLease(ctx context.Context, name, holder string, do func(context.Context) error) error {
	subject := "lease." + kurs.Token(name)
	var seen uint64
	var since time.Time
	for ctx.Err() == nil {
		data, seq, err := q.last(ctx, subject)
		switch {
		case err != nil:
		case data == nil, string(data) == holder, seq == seen && time.Since(since) > leaseLost:
			mine, err := q.claim(ctx, subject, holder, seq)
			if err == nil {
				if err := q.keepLease(ctx, subject, holder, mine, do); err != nil && ctx.Err() == nil {
					q.release(ctx, subject, holder)
					return err
				}
				seen = 0
				continue
			}
		case seq != seen:
			seen, since = seq, time.Now()
		}
		_ = sleep(ctx, leaseRenew/2) // the loop's condition sees the end of ctx
	}
	q.release(ctx, subject, holder)
	return nil
}

// release gives a lease back, so that nobody has to wait for its end. Where the
// broker does not answer, it ends by itself.
func (q *Queue) release(ctx context.Context, subject, holder string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTry)
	defer cancel()
	if data, _, err := q.last(ctx, subject); err != nil || string(data) != holder {
		return
	}
	if err := q.forget(ctx, subject); err != nil {
		q.log.DebugContext(ctx, "lease not given back", "lease", subject, "error", err)
	}
}

// claim writes the holder's name if nobody wrote since seq was read.
func (q *Queue) claim(ctx context.Context, subject, holder string, seq uint64) (uint64, error) {
	tryCtx, cancel := context.WithTimeout(ctx, leaseTry)
	defer cancel()
	ack, err := q.js.Publish(tryCtx, streamControl+"."+subject, []byte(holder), jetstream.WithExpectLastSequencePerSubject(seq))
	if err != nil {
		return 0, fmt.Errorf("claim %s: %w", subject, err)
	}
	return ack.Sequence, nil
}

func (q *Queue) keepLease(ctx context.Context, subject, holder string, seq uint64, do func(context.Context) error) error {
	held, lose := context.WithCancel(ctx)
	defer lose()
	ended := make(chan error, 1)
	go func() { ended <- do(held) }()
	renewed := time.Now()
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return <-ended
		case <-tick.C:
			next, err := q.claim(ctx, subject, holder, seq)
			if err == nil {
				seq, renewed = next, time.Now()
				continue
			}
			if time.Since(renewed) > leaseLost-leaseRenew {
				q.log.WarnContext(ctx, "lease lost", "lease", subject, "error", err)
				lose()
				return <-ended
			}
			// What was written may have been written although no answer came.
			seq = q.held(ctx, subject, holder, seq)
		}
	}
}

// held is the place of the lease's last word if the holder wrote it, else seq.
func (q *Queue) held(ctx context.Context, subject, holder string, seq uint64) uint64 {
	tryCtx, cancel := context.WithTimeout(ctx, leaseTry)
	defer cancel()
	if data, at, err := q.last(tryCtx, subject); err == nil && string(data) == holder {
		return at
	}
	return seq
}
