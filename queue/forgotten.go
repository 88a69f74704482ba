package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// forgotten notices messages of raw that the broker does not hand out: after a
// full disk, or a crash at a bad moment, its consumer may be past a message that
// nobody acknowledged, and would never come back to it. A consumer that is made
// anew begins with what is there. What is handed out twice changes nothing.
type forgotten struct {
	mu     sync.Mutex
	looked time.Time
	first  uint64    // message of the stream, when it was looked at last
	since  time.Time // it is the first
}

const (
	lookEvery = time.Second
	// So long a message must lie there while no worker has anything to do: where
	// the broker counts it neither as to come nor as in hand, and where it does.
	forgottenAfter = 2 * time.Second
	stuckAfter     = 4 * ackWait
)

// look is called by a worker who found nothing to do.
func (f *forgotten) look(ctx context.Context, q *Queue, consumer jetstream.Consumer) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Sub(f.looked) < lookEvery {
		return nil
	}
	f.looked = now
	state, err := q.RawState(ctx)
	if err != nil {
		return err
	}
	if state.Messages == 0 || state.First != f.first {
		f.first, f.since = state.First, now
		return nil
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return err
	}
	after := stuckAfter
	if info.NumPending == 0 && info.NumAckPending == 0 {
		after = forgottenAfter
	}
	if now.Sub(f.since) < after {
		return nil
	}
	f.first = 0
	q.log.WarnContext(ctx, "broker does not hand out what it holds: its consumer is made anew", "messages", state.Messages, "first", state.First)
	if err := q.js.DeleteConsumer(ctx, streamRaw, rawConsumer); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return err
	}
	return nil
}
