package queue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
)

// What a person said is right goes back to who acquires, by the stream control:
// the last word on each symbol.
const settledSubject = "settled."

type settled struct {
	Symbol string         `json:"symbol"`
	Near   kurs.Neighbour `json:"near"`
}

// PutSettled says that a price is right, though it was doubted: what comes next is
// held against it.
func (q *Queue) PutSettled(ctx context.Context, symbol string, near kurs.Neighbour) error {
	data, err := json.Marshal(settled{symbol, near})
	if err != nil {
		return fmt.Errorf("settle %s: %w", symbol, err)
	}
	return q.say(ctx, settledSubject+kurs.Token(symbol), data)
}

// FollowSettled hands on what was settled, and what is from now on, until ctx is
// done. It reads again after an interruption.
func (q *Queue) FollowSettled(ctx context.Context, do func(symbol string, near kurs.Neighbour)) {
	pause := shortPause
	for ctx.Err() == nil {
		if err := q.followSettled(ctx, do); ctx.Err() == nil {
			q.log.WarnContext(ctx, "decisions not readable, trying again", "error", err)
		}
		_ = sleep(ctx, pause) // the loop's condition sees the end of ctx
		pause = min(2*pause, longPause)
	}
}

func (q *Queue) followSettled(ctx context.Context, do func(symbol string, near kurs.Neighbour)) error {
	consumer, err := q.js.OrderedConsumer(ctx, streamControl, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, FilterSubjects: []string{streamControl + "." + settledSubject + ">"},
	})
	if err != nil {
		return fmt.Errorf("follow decisions: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(64, pullBytes))
	if err != nil {
		return fmt.Errorf("follow decisions: %w", err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("follow decisions: %w", err)
		}
		var s settled
		if err := json.Unmarshal(msg.Data(), &s); err != nil || !s.Near.Known() {
			q.log.WarnContext(ctx, "a decision is not readable", "subject", msg.Subject(), "error", err)
			continue
		}
		do(s.Symbol, s.Near)
	}
}
