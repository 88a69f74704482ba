package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"kurs"
)

// Queue is a stage's connection to the broker. It reconnects by itself for as
// long as it is open.
type Queue struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	log  *slog.Logger
	full holdups
}

// Connect reaches a broker and makes sure that its streams are there. It waits
// for a broker that is starting, until ctx is done.
func Connect(ctx context.Context, at Address, stage string, maxBytes int64, log *slog.Logger) (*Queue, error) {
	options := []nats.Option{
		nats.Name("kurs " + stage),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.ReconnectBufSize(-1), // a publish without a connection fails and is tried again here
		nats.Timeout(5 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.WarnContext(ctx, "queue not reachable, trying again", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.InfoContext(ctx, "queue reachable again") }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.DebugContext(ctx, "queue", "error", err)
		}),
	}
	if at.Secret != "" {
		options = append(options, nats.Token(string(at.Secret)))
	}
	nc, err := nats.Connect(at.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the queue: %w", err)
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to the queue: %w", err)
	}
	q := &Queue{nc: nc, js: js, log: log, full: holdups{log: log}}
	if err := q.makeStreams(ctx, maxBytes); err != nil {
		nc.Close()
		return nil, err
	}
	return q, nil
}

// requestTimeout bounds one question to the broker.
const requestTimeout = 5 * time.Second

// Close ends the connection; nothing that Put returned for is lost by it.
func (q *Queue) Close() { q.nc.Close() }

// The streams, and what they hold besides the two queues at most.
const (
	streamRaw      = "raw"
	streamRates    = "rates"
	streamPriced   = "priced"
	streamUnpriced = "unpriced"
	streamDead     = "dead"
	streamControl  = "control"

	ratesBytes    = 512 << 20
	unpricedBytes = 1 << 30
	deadBytes     = 256 << 20
	controlBytes  = 64 << 20
	sideBytes     = ratesBytes + unpricedBytes + deadBytes + controlBytes + 64<<20
)

// epochKey is the metadata under which a stream keeps its epoch: a random name
// from its making, which tells it from a later one of the same name whose
// numbers start again.
const epochKey = "kurs_epoch"

func (q *Queue) makeStreams(ctx context.Context, maxBytes int64) error {
	streams := []jetstream.StreamConfig{
		{Name: streamRaw, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxBytes: maxBytes},
		{Name: streamPriced, Discard: jetstream.DiscardNew, MaxBytes: maxBytes},
		{Name: streamRates, Discard: jetstream.DiscardNew, MaxBytes: ratesBytes},
		{Name: streamUnpriced, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, MaxBytes: unpricedBytes},
		{Name: streamDead, MaxBytes: deadBytes},
		{Name: streamControl, MaxBytes: controlBytes, MaxMsgsPerSubject: 1},
	}
	for _, config := range streams {
		config.Subjects = []string{config.Name + ".>"}
		config.Storage = jetstream.FileStorage
		config.AllowDirect = true
		config.Duplicates = 2 * time.Minute
		if err := q.insistStream(ctx, config); err != nil {
			return fmt.Errorf("make stream %s: %w", config.Name, err)
		}
	}
	return nil
}

// streamTries is how often a stream is asked for: where several stages start at
// once on a broker that is new, they are in each other's way for a moment.
const streamTries = 8

func (q *Queue) insistStream(ctx context.Context, config jetstream.StreamConfig) error {
	pause := shortPause
	for try := 1; ; try++ {
		err := q.makeStream(ctx, config)
		if err == nil || try == streamTries || ctx.Err() != nil {
			return err
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
		pause = min(2*pause, longPause)
	}
}

// makeStream creates a stream, or fits an old one's size and what it does when it
// is full; its epoch stays.
func (q *Queue) makeStream(ctx context.Context, config jetstream.StreamConfig) error {
	stream, err := q.js.Stream(ctx, config.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		config.Metadata = map[string]string{epochKey: rand.Text()}
		_, err = q.js.CreateStream(ctx, config)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another stage was faster
			return nil
		}
		return err
	case err != nil:
		return err
	}
	have := stream.CachedInfo().Config
	if have.MaxBytes == config.MaxBytes && have.Discard == config.Discard {
		return nil
	}
	have.MaxBytes, have.Discard = config.MaxBytes, config.Discard
	_, err = q.js.UpdateStream(ctx, have)
	return err
}

// State is what a stream holds.
type State struct {
	Epoch       string
	First, Last uint64 // sequences; Last is 0 while nothing was ever put
	Messages    uint64
	Bytes       uint64
	MaxBytes    int64
	FirstTime   time.Time
}

func (q *Queue) state(ctx context.Context, name string) (State, error) {
	stream, err := q.js.Stream(ctx, name)
	if err != nil {
		return State{}, fmt.Errorf("look at stream %s: %w", name, err)
	}
	info := stream.CachedInfo()
	return State{
		Epoch: info.Config.Metadata[epochKey],
		First: info.State.FirstSeq, Last: info.State.LastSeq,
		Messages: info.State.Msgs, Bytes: info.State.Bytes, MaxBytes: info.Config.MaxBytes,
		FirstTime: info.State.FirstTime,
	}, nil
}

// Depths is what every stream holds, by name.
func (q *Queue) Depths(ctx context.Context) (map[string]State, error) {
	depths := map[string]State{}
	for _, name := range []string{streamRaw, streamPriced, streamRates, streamUnpriced, streamDead} {
		s, err := q.state(ctx, name)
		if err != nil {
			return nil, err
		}
		depths[name] = s
	}
	return depths, nil
}

// Pauses between tries while the broker refuses or does not answer.
const (
	shortPause = 20 * time.Millisecond
	longPause  = time.Second
)

// put publishes until the broker has the message on disk. While the stream is
// full, or the broker away, it waits and tries again; it gives up only with ctx.
// Trying again with the same id adds nothing twice within the broker's window;
// beyond that the receiver must not mind, and does not.
func (q *Queue) put(ctx context.Context, subject, id string, data []byte) (uint64, error) {
	return q.insist(ctx, subject, id, data, false)
}

// insist is put; where unwaited, a full stream is an error and not waited for.
func (q *Queue) insist(ctx context.Context, subject, id string, data []byte, unwaited bool) (uint64, error) {
	if len(data) > maxPayload-1024 {
		return 0, fmt.Errorf("%w: message of %d bytes is larger than the queue takes", kurs.ErrRejected, len(data))
	}
	pause, waiting, done := shortPause, false, false
	defer func() {
		if waiting {
			q.full.end(ctx, subject, done)
		}
	}()
	for {
		var options []jetstream.PublishOpt
		if id != "" {
			options = append(options, jetstream.WithMsgID(id))
		}
		tryCtx, cancel := context.WithTimeout(ctx, requestTimeout)
		ack, err := q.js.Publish(tryCtx, subject, data, options...)
		cancel()
		if err == nil {
			done = true
			return ack.Sequence, nil
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if unwaited && isFull(err) {
			return 0, fmt.Errorf("%w: %w", ErrFull, err)
		}
		if !waiting {
			waiting = true
			q.full.begin(ctx, subject, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return 0, err
		}
		pause = min(2*pause, longPause)
	}
}

// sleep waits, or ends with ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
