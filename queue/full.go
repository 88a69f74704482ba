package queue

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrFull is that a stream has no room, where nobody is to wait for some.
var ErrFull = errors.New("the queue is full")

// isFull tells whether the broker refused a message for want of room in its stream.
// It has one code for all that its store refuses; the words tell which it is.
func isFull(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) && refused.ErrorCode == storeFailed && strings.Contains(refused.Description, "maximum bytes exceeded")
}

const storeFailed jetstream.ErrorCode = 10077 // JSStreamStoreFailedF of the server

// holdups are the streams that take no message at the moment. However many wait
// for one, the log has a line when that begins and one when it ends.
type holdups struct {
	log *slog.Logger

	mu      sync.Mutex
	waiting map[string]*holdup // by stream
}

type holdup struct {
	since time.Time
	many  int
}

// begin says that somebody waits to put on a subject.
func (h *holdups) begin(ctx context.Context, subject string, cause error) {
	stream, _, _ := strings.Cut(subject, ".")
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiting == nil {
		h.waiting = map[string]*holdup{}
	}
	w := h.waiting[stream]
	if w == nil {
		w = &holdup{since: time.Now()}
		h.waiting[stream] = w
		h.log.WarnContext(ctx, "queue takes no message, waiting: nothing is dropped", "queue", stream, "error", cause)
	}
	w.many++
}

// end says that somebody waits no longer; done tells that the message was put.
func (h *holdups) end(ctx context.Context, subject string, done bool) {
	stream, _, _ := strings.Cut(subject, ".")
	h.mu.Lock()
	defer h.mu.Unlock()
	w := h.waiting[stream]
	if w == nil {
		return
	}
	if w.many--; w.many > 0 {
		return
	}
	delete(h.waiting, stream)
	if done {
		h.log.InfoContext(ctx, "queue takes messages again", "queue", stream, "waited", time.Since(w.since).Round(time.Millisecond))
	}
}
