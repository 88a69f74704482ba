package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
	"kurs/fault"
)

// Limits of what a worker has in hand. A pull is bounded by bytes: one bounded
// by messages alone may exceed what the broker lets a client fall behind.
const (
	ackWait      = 5 * time.Second // ruling: short, with a sign of life every third of it
	pullMessages = 32
	pullBytes    = 16 << 20
	groupBytes   = 4 << 20
	pullWait     = 250 * time.Millisecond // also how long the end of a run may wait for it
	maxTries     = 3                      // deaths of the process with this message alone in hand
)

// PutRaw puts an answer on the queue raw. It returns when it is on disk, and
// waits while the queue is full.
func (q *Queue) PutRaw(ctx context.Context, raw kurs.Raw) (uint64, error) {
	data, err := encodeRaw(raw)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", raw.ID, err)
	}
	subject := streamRaw + "." + kurs.Token(raw.Source) + "." + kurs.Token(string(raw.Endpoint))
	return q.put(ctx, subject, raw.ID.String(), data)
}

// RawState is what the queue raw holds.
func (q *Queue) RawState(ctx context.Context) (State, error) { return q.state(ctx, streamRaw) }

// WorkRaw hands groups of raw messages to do, with a pool of workers, until ctx
// is done. A nil return acknowledges the whole group: whatever do could not
// work off it has put to the dead letters itself. An error leaves the group
// to be delivered again: outages never make a dead letter.
//
// A message whose worker died is delivered again alone. One with which the
// process died three times, alone, becomes a dead letter.
func (q *Queue) WorkRaw(ctx context.Context, workers int, do func(context.Context, []kurs.Raw) error) error {
	w := &rawWork{q: q, do: do}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() { w.run(ctx) })
	}
	wg.Wait()
	return nil
}

type rawWork struct {
	q  *Queue
	do func(context.Context, []kurs.Raw) error

	// alone is held for writing by a worker that handles a message which may
	// have killed the process before: nobody else may be in flight then.
	alone sync.RWMutex

	forgotten forgotten
}

// rawConsumer is the name under which all workers share the queue raw.
const rawConsumer = "process"

func (w *rawWork) consumer(ctx context.Context) (jetstream.Consumer, error) {
	return w.q.js.CreateOrUpdateConsumer(ctx, streamRaw, jetstream.ConsumerConfig{
		Durable:       rawConsumer,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxAckPending: 1000,
		MaxDeliver:    -1,
	})
}

// run pulls and works until ctx is done. A consumer that is gone is made anew.
func (w *rawWork) run(ctx context.Context) {
	pause := shortPause
	for ctx.Err() == nil {
		err := w.pull(ctx)
		if err == nil {
			pause = shortPause
			continue
		}
		if ctx.Err() == nil {
			w.q.log.WarnContext(ctx, "raw queue not readable, trying again", "error", err)
			_ = sleep(ctx, pause) // the loop's condition sees the end of ctx
			pause = min(2*pause, longPause)
		}
	}
}

func (w *rawWork) pull(ctx context.Context) error {
	consumer, err := w.consumer(ctx)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		// What was delivered is worked off even if ctx ends meanwhile, so the
		// pull does not end with it; it lasts no longer than pullWait.
		batch, err := consumer.Fetch(pullMessages, jetstream.FetchMaxWait(pullWait), jetstream.FetchMaxBytes(pullBytes))
		if err != nil {
			return err
		}
		idle := true
		for msg := range batch.Messages() {
			idle = false
			group := gather(msg, batch.Messages())
			if err := w.handle(context.WithoutCancel(ctx), group); err != nil {
				w.q.log.WarnContext(ctx, "group of raw messages failed, trying again", "messages", len(group), "error", err)
				for _, m := range group {
					_ = m.NakWithDelay(time.Second) // without it the message comes again after ackWait
				}
			}
		}
		if err := batch.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) {
			return err
		}
		if idle {
			if err := w.forgotten.look(ctx, w.q, consumer); err != nil {
				return err
			}
		}
	}
	return nil
}

// gather takes what has arrived already, without waiting for more.
func gather(first jetstream.Msg, rest <-chan jetstream.Msg) []jetstream.Msg {
	group, size := []jetstream.Msg{first}, len(first.Data())
	for size < groupBytes {
		select {
		case msg, ok := <-rest:
			if !ok {
				return group
			}
			group = append(group, msg)
			size += len(msg.Data())
		default:
			return group
		}
	}
	return group
}

func (w *rawWork) handle(ctx context.Context, group []jetstream.Msg) error {
	stop := signsOfLife(group)
	defer stop()
	var fresh []jetstream.Msg
	for _, msg := range group {
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("read a delivery: %w", err)
		}
		if meta.NumDelivered == 1 {
			fresh = append(fresh, msg)
			continue
		}
		if err := w.handleAlone(ctx, msg, meta.Sequence.Stream); err != nil {
			return err
		}
	}
	w.alone.RLock()
	defer w.alone.RUnlock()
	return w.work(ctx, fresh)
}

// work decodes the envelopes and hands the messages on.
func (w *rawWork) work(ctx context.Context, group []jetstream.Msg) error {
	if len(group) == 0 {
		return nil
	}
	raws := make([]kurs.Raw, 0, len(group))
	for _, msg := range group {
		raw, err := decodeRaw(msg.Data())
		if err != nil {
			if err := w.q.deadMessage(ctx, "process", msg, err); err != nil {
				return err
			}
			continue
		}
		raws = append(raws, raw)
	}
	if len(raws) > 0 {
		if err := w.do(ctx, raws); err != nil {
			return err
		}
	}
	fault.Point("process.before_ack")
	for i, msg := range group {
		// The broker's word is not waited for but for the last: a message that
		// comes again changes nothing.
		var err error
		if i == len(group)-1 {
			err = msg.DoubleAck(ctx)
		} else {
			err = msg.Ack()
		}
		if err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	fault.Point("process.after_ack")
	return nil
}

// handleAlone works on a message that was delivered before. Before it does, it
// notes so on disk; if the process dies of it, the note is what is left.
func (w *rawWork) handleAlone(ctx context.Context, msg jetstream.Msg, seq uint64) error {
	w.alone.Lock()
	defer w.alone.Unlock()
	note := fmt.Sprintf("try.raw.%d", seq)
	var tries int
	if data, _, err := w.q.last(ctx, note); err != nil {
		return err
	} else if data != nil {
		if err := json.Unmarshal(data, &tries); err != nil {
			tries = 0 // the note is ours alone; one that is damaged starts the count again
		}
	}
	if tries >= maxTries {
		cause := fmt.Errorf("the process died %d times with this message alone in hand", tries)
		if err := w.q.deadMessage(ctx, "process", msg, cause); err != nil {
			return err
		}
		if err := msg.DoubleAck(ctx); err != nil {
			return fmt.Errorf("acknowledge: %w", err)
		}
		return w.q.forget(ctx, note)
	}
	if err := w.q.say(ctx, note, fmt.Appendf(nil, "%d", tries+1)); err != nil {
		return err
	}
	err := w.work(ctx, []jetstream.Msg{msg})
	return errors.Join(err, w.q.forget(ctx, note))
}

// signsOfLife tells the broker every third of the wait that the group is being
// worked on. The returned function ends that and waits for it.
func signsOfLife(group []jetstream.Msg) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(ackWait / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				for _, msg := range group {
					_ = msg.InProgress() // one that was acknowledged meanwhile says so; nothing is to be done
				}
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
