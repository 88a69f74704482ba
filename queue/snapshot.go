package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// snapshotPart is how much of a snapshot is in one message. A book of a hundred
// pairs has more than the largest message may hold.
const snapshotPart = 4 << 20

// PutSnapshot keeps a snapshot of the rate book, and then drops the messages up
// to sequence at. The snapshot counts once its last message is put: that names
// the others.
func (q *Queue) PutSnapshot(ctx context.Context, at uint64, snapshot []byte) error {
	var parts []uint64
	for len(snapshot) > 0 {
		n := min(len(snapshot), snapshotPart)
		seq, err := q.put(ctx, ratesPart, "", snapshot[:n])
		if err != nil {
			return err
		}
		parts, snapshot = append(parts, seq), snapshot[n:]
	}
	index, err := json.Marshal(parts)
	if err != nil {
		return fmt.Errorf("keep the rate book: %w", err)
	}
	if _, err := q.put(ctx, ratesSnapshot, "", index); err != nil {
		return err
	}
	stream, err := q.js.Stream(ctx, streamRates)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(at+1))
	}
	if err != nil {
		return fmt.Errorf("drop old rates: %w", err)
	}
	return nil
}

// LastSnapshot returns the newest snapshot of the rate book, or nil.
func (q *Queue) LastSnapshot(ctx context.Context) ([]byte, error) {
	stream, err := q.js.Stream(ctx, streamRates)
	if err != nil {
		return nil, fmt.Errorf("read the rate book: %w", err)
	}
	index, err := stream.GetLastMsgForSubject(ctx, ratesSnapshot)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the rate book: %w", err)
	}
	var parts []uint64
	if err := json.Unmarshal(index.Data, &parts); err != nil {
		return nil, fmt.Errorf("read the rate book: %w", err)
	}
	var snapshot []byte
	for _, seq := range parts {
		part, err := stream.GetMsg(ctx, seq)
		if err != nil {
			return nil, fmt.Errorf("read the rate book: part at %d: %w", seq, err)
		}
		snapshot = append(snapshot, part.Data...)
	}
	return snapshot, nil
}
