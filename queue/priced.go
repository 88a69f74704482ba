package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
	"kurs/fault"
)

// PutPriced puts a batch on the queue priced. It returns when it is on disk,
// and waits while the queue is full. id names what the batch came from.
func (q *Queue) PutPriced(ctx context.Context, id string, b kurs.Batch) (uint64, error) {
	data, err := encodeBatch(b)
	if err != nil {
		return 0, fmt.Errorf("encode a batch: %w", err)
	}
	return q.put(ctx, streamPriced+".batch", id, data)
}

// PricedState is what the queue priced holds.
func (q *Queue) PricedState(ctx context.Context) (State, error) { return q.state(ctx, streamPriced) }

// PricedReader reads priced in order for one store. The store's own position
// is the truth; the broker's consumer only shows how far it is.
type PricedReader struct {
	q        *Queue
	store    string
	at       kurs.StreamPos
	consumer jetstream.Consumer
	pending  jetstream.Msg
}

// ReadPriced begins after the position that the store committed last. A
// position of another epoch belongs to a queue that is no more: reading then
// begins at the beginning.
func (q *Queue) ReadPriced(ctx context.Context, store string, committed kurs.StreamPos) (*PricedReader, error) {
	state, err := q.state(ctx, streamPriced)
	if err != nil {
		return nil, err
	}
	r := &PricedReader{q: q, store: store, at: kurs.StreamPos{Epoch: state.Epoch}}
	if committed.Epoch == state.Epoch {
		r.at.Seq = committed.Seq
	}
	if r.at.Seq+1 < state.First && state.Messages > 0 && committed.Seq > 0 {
		q.log.ErrorContext(ctx, "queue lacks messages that this store has not seen", "store", store, "from", r.at.Seq+1, "to", state.First-1)
	}
	return r, r.subscribe(ctx)
}

// Position is how far the reader has handed out.
func (r *PricedReader) Position() kurs.StreamPos { return r.at }

func (r *PricedReader) subscribe(ctx context.Context) error {
	name := "store-" + kurs.Token(r.store)
	if err := r.q.js.DeleteConsumer(ctx, streamPriced, name); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("reset consumer %s: %w", name, err)
	}
	consumer, err := r.q.js.CreateConsumer(ctx, streamPriced, jetstream.ConsumerConfig{
		Durable:       name,
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   r.at.Seq + 1,
		AckPolicy:     jetstream.AckAllPolicy,
		AckWait:       ackWait,
		MaxAckPending: 10_000,
		MaxDeliver:    -1,
	})
	if err != nil {
		return fmt.Errorf("make consumer %s: %w", name, err)
	}
	r.consumer = consumer
	return nil
}

// Batch is one message of priced.
type Batch struct {
	kurs.Batch
	Position kurs.StreamPos
	Wrong    error  // the message is not understood; Message is all there is of it
	Message  []byte // as it was on the queue
}

// Next returns the batches that come next, in order: at least one, unless wait
// passes without any. It waits no longer than that for the first, hardly at all for
// those behind it, and takes no more than about 16 MiB at once.
//
// A fetch of many lasts until all of them are there or its time is over, so a lone
// message would wait for the others: the first is fetched alone.
func (r *PricedReader) Next(ctx context.Context, wait time.Duration) ([]Batch, error) {
	const most, shortest = 256, 10 * time.Millisecond
	out, err := r.fetch(ctx, 1, max(wait, shortest))
	if err != nil || len(out) == 0 {
		return out, err
	}
	more, err := r.fetch(ctx, most-1, shortest)
	return append(out, more...), err
}

// fetch takes some messages: as many as come while wait passes, n at most.
func (r *PricedReader) fetch(ctx context.Context, n int, wait time.Duration) ([]Batch, error) {
	fetched, err := r.consumer.Fetch(n, jetstream.FetchMaxWait(wait), jetstream.FetchMaxBytes(pullBytes))
	if err != nil {
		return nil, r.again(ctx, err)
	}
	var out []Batch
	for msg := range fetched.Messages() {
		meta, err := msg.Metadata()
		if err != nil { // nothing that was handed out may be dropped: it is read anew
			return out, r.subscribe(ctx)
		}
		if meta.Sequence.Stream <= r.at.Seq {
			continue // delivered again; it is in a group already or committed
		}
		if meta.Sequence.Stream > r.at.Seq+1 && !r.isGone(ctx, r.at.Seq+1) {
			r.q.log.WarnContext(ctx, "broker passed a message over: reading anew", "store", r.store, "message", r.at.Seq+1)
			return out, r.subscribe(ctx)
		}
		r.pending = msg
		r.at.Seq = meta.Sequence.Stream
		b := Batch{Position: r.at, Message: msg.Data()}
		b.Batch, b.Wrong = decodeBatch(msg.Data())
		out = append(out, b)
	}
	if err := fetched.Error(); err != nil && !errors.Is(err, jetstream.ErrNoMessages) && len(out) == 0 {
		return nil, r.again(ctx, err)
	}
	return out, nil
}

// isGone tells whether a message is not in the stream: it was purged, or never
// came to the disk. Where that cannot be told, it is there.
func (r *PricedReader) isGone(ctx context.Context, seq uint64) bool {
	stream, err := r.q.js.Stream(ctx, streamPriced)
	if err != nil {
		return false
	}
	_, err = stream.GetMsg(ctx, seq)
	return errors.Is(err, jetstream.ErrMsgNotFound)
}

// again makes the consumer anew where the broker lost it.
func (r *PricedReader) again(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := r.subscribe(ctx); err != nil {
		return errors.Join(cause, err)
	}
	return nil
}

// Ack tells the broker how far the store is, for show. That it fails changes
// nothing.
func (r *PricedReader) Ack() {
	fault.Point("store.before_ack")
	if r.pending != nil {
		_ = r.pending.Ack()
	}
	fault.Point("store.after_ack")
}

// PutPosition says how far a store has committed; it is what priced is purged by.
func (q *Queue) PutPosition(ctx context.Context, store string, at kurs.StreamPos) error {
	data, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("position of %s: %w", store, err)
	}
	return q.say(ctx, "position."+kurs.Token(store), data)
}

// Position is how far a store last said that it is; the zero position if never.
func (q *Queue) Position(ctx context.Context, store string) (kurs.StreamPos, error) {
	var at kurs.StreamPos
	data, _, err := q.last(ctx, "position."+kurs.Token(store))
	if err != nil || data == nil {
		return at, err
	}
	if err := json.Unmarshal(data, &at); err != nil {
		return at, fmt.Errorf("position of %s: %w", store, err)
	}
	return at, nil
}

// PurgePriced drops what every one of the stores has committed. Nothing is kept
// for one that is detached.
func (q *Queue) PurgePriced(ctx context.Context, stores []string) error {
	state, err := q.state(ctx, streamPriced)
	if err != nil {
		return err
	}
	floor := state.Last
	for _, store := range stores {
		if d, detached, err := q.Detached(ctx, store); err != nil {
			return err
		} else if detached && !d.Filling {
			continue
		}
		at, err := q.Position(ctx, store)
		if err != nil {
			return err
		}
		if at.Epoch != state.Epoch {
			return nil // a store that has not begun yet needs everything
		}
		floor = min(floor, at.Seq)
	}
	if floor < state.First || state.Messages == 0 {
		return nil
	}
	fault.Point("queue.before_purge")
	stream, err := q.js.Stream(ctx, streamPriced)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(floor+1))
	}
	if err != nil {
		return fmt.Errorf("purge priced: %w", err)
	}
	fault.Point("queue.after_purge")
	return nil
}

// PutDeadBatch keeps a batch that a store refused for good.
func (q *Queue) PutDeadBatch(ctx context.Context, b Batch, store, reason string) error {
	return q.putDead(ctx, DeadLetter{
		Stage: "store", Reason: store + ": " + reason, Queue: streamPriced,
		ID: fmt.Sprintf("%s/%s/%d", streamPriced, b.Position.Epoch, b.Position.Seq), Message: b.Message,
	})
}
