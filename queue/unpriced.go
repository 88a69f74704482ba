package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
)

// PutUnpriced keeps prices of one currency that wait for a rate. It returns ErrFull
// where the stream holds as many as it takes: other prices are not to wait for a
// currency that has no rate.
func (q *Queue) PutUnpriced(ctx context.Context, currency, id string, data []byte) error {
	_, err := q.insist(ctx, streamUnpriced+"."+kurs.Token(currency), id, data, true)
	return err
}

// Unpriced is one message of prices that wait.
type Unpriced struct {
	Seq  uint64
	Data []byte
}

// ReadUnpriced hands every waiting message with a sequence of from or later to
// do, in order, and returns the sequence to go on with. It takes nothing away;
// see DropUnpriced.
func (q *Queue) ReadUnpriced(ctx context.Context, from uint64, do func(Unpriced) error) (next uint64, err error) {
	stream, err := q.js.Stream(ctx, streamUnpriced)
	if err != nil {
		return from, fmt.Errorf("read unpriced: %w", err)
	}
	last := stream.CachedInfo().State.LastSeq
	if last < from || stream.CachedInfo().State.Msgs == 0 {
		return max(from, last+1), nil
	}
	for from <= last {
		msg, err := stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(streamUnpriced+".>"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return last + 1, nil
		}
		if err != nil {
			return from, fmt.Errorf("read unpriced: %w", err)
		}
		if err := do(Unpriced{Seq: msg.Sequence, Data: msg.Data}); err != nil {
			return from, err
		}
		from = msg.Sequence + 1
	}
	return from, nil
}

// GetUnpriced reads one waiting message again; ok is false when it is gone.
func (q *Queue) GetUnpriced(ctx context.Context, seq uint64) (u Unpriced, ok bool, err error) {
	stream, err := q.js.Stream(ctx, streamUnpriced)
	if err != nil {
		return Unpriced{}, false, fmt.Errorf("read unpriced: %w", err)
	}
	msg, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Unpriced{}, false, nil
	}
	if err != nil {
		return Unpriced{}, false, fmt.Errorf("read unpriced: %w", err)
	}
	return Unpriced{Seq: seq, Data: msg.Data}, true, nil
}

// DropUnpriced takes a message away whose prices are all filled in.
func (q *Queue) DropUnpriced(ctx context.Context, seq uint64) error {
	stream, err := q.js.Stream(ctx, streamUnpriced)
	if err == nil {
		err = stream.DeleteMsg(ctx, seq)
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		return fmt.Errorf("drop unpriced: %w", err)
	}
	return nil
}

// UnpricedState is what the stream unpriced holds.
func (q *Queue) UnpricedState(ctx context.Context) (State, error) {
	return q.state(ctx, streamUnpriced)
}
