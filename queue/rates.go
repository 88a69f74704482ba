package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"kurs"
)

// The subjects of the stream rates.
const (
	ratesRaw      = streamRates + ".raw"
	ratesPolicy   = streamRates + ".policy"
	ratesPart     = streamRates + ".part"     // of a snapshot
	ratesSnapshot = streamRates + ".snapshot" // which parts it has
)

// PutRates puts an answer that carries rates on the stream that every worker's
// rate book follows, and returns its place there.
func (q *Queue) PutRates(ctx context.Context, raw kurs.Raw) (uint64, error) {
	data, err := encodeRaw(raw)
	if err != nil {
		return 0, fmt.Errorf("encode %s: %w", raw.ID, err)
	}
	return q.put(ctx, ratesRaw, "rates "+raw.ID.String(), data)
}

// PutPolicy puts a change of the rate policy in its place among the rates,
// unless it is in force already.
func (q *Queue) PutPolicy(ctx context.Context, policy []byte) error {
	stream, err := q.js.Stream(ctx, streamRates)
	if err != nil {
		return fmt.Errorf("read the rate policy: %w", err)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, ratesPolicy)
	switch {
	case err == nil && string(msg.Data) == string(policy):
		return nil
	case err != nil && !errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("read the rate policy: %w", err)
	}
	_, err = q.put(ctx, ratesPolicy, "", policy)
	return err
}

// RatesState is what the stream rates holds.
func (q *Queue) RatesState(ctx context.Context) (State, error) { return q.state(ctx, streamRates) }

// RateMessage is one message of the stream rates: an answer, a policy, or
// neither (a snapshot, which only moves the place).
type RateMessage struct {
	Seq    uint64
	Raw    *kurs.Raw
	Policy []byte
}

// FollowRates hands every message of the stream rates from sequence from on to
// do, in order, until ctx is done. It reads again after an interruption.
func (q *Queue) FollowRates(ctx context.Context, from uint64, do func(RateMessage)) error {
	pause := shortPause
	for ctx.Err() == nil {
		if err := q.followRates(ctx, &from, do); ctx.Err() == nil {
			q.log.WarnContext(ctx, "rates not readable, trying again", "error", err)
		}
		_ = sleep(ctx, pause) // the loop's condition sees the end of ctx
		pause = min(2*pause, longPause)
	}
	return nil
}

func (q *Queue) followRates(ctx context.Context, from *uint64, do func(RateMessage)) error {
	consumer, err := q.js.OrderedConsumer(ctx, streamRates, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   max(*from, 1),
	})
	if err != nil {
		return fmt.Errorf("follow rates: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(64, pullBytes))
	if err != nil {
		return fmt.Errorf("follow rates: %w", err)
	}
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("follow rates: %w", err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("follow rates: %w", err)
		}
		if meta.Sequence.Stream < *from {
			continue
		}
		out := RateMessage{Seq: meta.Sequence.Stream}
		switch {
		case msg.Subject() == ratesRaw:
			raw, err := decodeRaw(msg.Data())
			if err != nil {
				// The same answer is on raw as well and becomes a dead letter there.
				q.log.WarnContext(ctx, "rates message not readable", "seq", out.Seq, "error", err)
				break
			}
			out.Raw = &raw
		case strings.HasPrefix(msg.Subject(), ratesPolicy):
			out.Policy = msg.Data()
		}
		do(out)
		*from = out.Seq + 1
	}
}

// RatesAfter returns the answers on the stream rates after a sequence, by their
// sequences; of many only the last.
func (q *Queue) RatesAfter(ctx context.Context, after uint64, most int) (map[uint64]kurs.Raw, error) {
	stream, err := q.js.Stream(ctx, streamRates)
	if err != nil {
		return nil, fmt.Errorf("read rates: %w", err)
	}
	state := stream.CachedInfo().State
	out := map[uint64]kurs.Raw{}
	for seq := state.LastSeq; seq > after && seq >= state.FirstSeq && seq > 0 && len(out) < most; seq-- {
		msg, err := stream.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read rates: %w", err)
		}
		if msg.Subject != ratesRaw {
			continue
		}
		raw, err := decodeRaw(msg.Data)
		if err != nil {
			continue // the rate book passes it over as well
		}
		out[seq] = raw
	}
	return out, nil
}

// The word of control on how far the answers of the stream rates are on raw too.
const ratesOnRaw = "rates-on-raw"

// NoteRatesOnRaw says that all answers on the stream rates up to a sequence are
// on raw as well.
func (q *Queue) NoteRatesOnRaw(ctx context.Context, at kurs.StreamPos) error {
	data, err := json.Marshal(at)
	if err != nil {
		return fmt.Errorf("note rates: %w", err)
	}
	return q.say(ctx, ratesOnRaw, data)
}

// RatesOnRaw is how far that was last noted; the zero position if never.
func (q *Queue) RatesOnRaw(ctx context.Context) (at kurs.StreamPos, err error) {
	data, _, err := q.last(ctx, ratesOnRaw)
	if err != nil || data == nil {
		return at, err
	}
	if err := json.Unmarshal(data, &at); err != nil {
		return at, fmt.Errorf("read how far rates are on raw: %w", err)
	}
	return at, nil
}
