package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
	"kurs/fault"
)

// DeadLetter is a message that could not be worked off, kept whole.
type DeadLetter struct {
	Stage   string    `json:"stage"`   // that gave it up
	Reason  string    `json:"reason"`  // for people
	Queue   string    `json:"queue"`   // that it came from
	ID      string    `json:"id"`      // of the raw message, where it has one
	Time    time.Time `json:"time"`    // when it was given up, UTC
	Message []byte    `json:"message"` // as it was on its queue
}

// reasonLimit keeps a hostile error text from filling the stream.
const reasonLimit = 2000

// PutDeadRaw keeps a raw message, or the part of it that reason tells of, as a
// dead letter. It returns when that is on disk.
func (q *Queue) PutDeadRaw(ctx context.Context, stage string, raw kurs.Raw, reason string) error {
	data, err := encodeRaw(raw)
	if err != nil {
		return fmt.Errorf("encode %s: %w", raw.ID, err)
	}
	return q.putDead(ctx, DeadLetter{Stage: stage, Reason: reason, Queue: streamRaw, ID: raw.ID.String(), Message: data})
}

func (q *Queue) deadMessage(ctx context.Context, stage string, msg jetstream.Msg, cause error) error {
	return q.putDead(ctx, DeadLetter{
		Stage: stage, Reason: cause.Error(), Queue: msg.Subject(),
		ID: msg.Headers().Get(jetstream.MsgIDHeader), Message: msg.Data(),
	})
}

func (q *Queue) putDead(ctx context.Context, letter DeadLetter) error {
	fault.Point("process.before_dead")
	letter.Time = time.Now().UTC()
	letter.Reason = letter.Reason[:min(len(letter.Reason), reasonLimit)]
	data, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	// The id makes one letter of a message that is given up again after a crash.
	id := ""
	if letter.ID != "" {
		id = "dead " + letter.ID + " " + letter.Reason
	}
	if _, err := q.put(ctx, streamDead+"."+kurs.Token(letter.Stage), id, data); err != nil {
		return err
	}
	q.log.ErrorContext(ctx, "dead letter", "from", letter.Stage, "id", letter.ID, "reason", letter.Reason)
	fault.Point("process.after_dead")
	return nil
}

// LastDead returns the newest dead letter, or false when there is none.
func (q *Queue) LastDead(ctx context.Context) (DeadLetter, bool, error) {
	state, err := q.state(ctx, streamDead)
	if err != nil || state.Messages == 0 {
		return DeadLetter{}, false, err
	}
	stream, err := q.js.Stream(ctx, streamDead)
	if err != nil {
		return DeadLetter{}, false, fmt.Errorf("read dead letters: %w", err)
	}
	msg, err := stream.GetMsg(ctx, state.Last)
	if err != nil {
		return DeadLetter{}, false, fmt.Errorf("read dead letters: %w", err)
	}
	var letter DeadLetter
	if err := json.Unmarshal(msg.Data, &letter); err != nil {
		return DeadLetter{}, false, fmt.Errorf("read dead letters: %w", err)
	}
	return letter, true, nil
}
