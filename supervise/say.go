package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"kurs"
	"kurs/queue"
)

// This file takes what people say while a run is on. It goes to the queue as an
// answer of a source does; what it says is not read here.

// Say puts a document of what a person says on the queue and returns by which
// message. An error that wraps [kurs.ErrRejected]: it is none.
type Say func(ctx context.Context, q *queue.Queue, document []byte) (kurs.RawID, error)

// SayMost is how many bytes a document may have.
const SayMost = 4 << 20

// ErrStopping says that a run has come to its end and takes nothing more.
var ErrStopping = errors.New("kurs is stopping")

// accepted is the answer to what was said.
type accepted struct {
	Raw kurs.RawID `json:"raw"`
}

func (s *supervisor) hear(w http.ResponseWriter, r *http.Request) {
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, SayMost))
	if err != nil {
		http.Error(w, "not more than 4 MiB", http.StatusRequestEntityTooLarge)
		return
	}
	s.mu.Lock()
	stopping := !s.ending.IsZero()
	s.mu.Unlock()
	if stopping || s.Say == nil {
		http.Error(w, ErrStopping.Error(), http.StatusServiceUnavailable)
		return
	}
	id, err := s.Say(r.Context(), s.queue, document)
	switch {
	case errors.Is(err, kurs.ErrRejected):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case err != nil:
		s.Log.WarnContext(r.Context(), "what a person said was not taken over", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		s.Log.InfoContext(r.Context(), "a person said something", "message", id)
		s.answer(w, r, accepted{id})
	}
}

// sayTimeout bounds how long the queue may take to have it on disk.
const sayTimeout = 15 * time.Second

// Tell tells the kurs that records into a data directory what a person says. When
// it returns without an error, that is on disk. Errors: [ErrNotRunning] and
// [ErrStopping], where nothing was said; one that wraps [kurs.ErrRejected].
func Tell(ctx context.Context, data string, document []byte) (kurs.RawID, error) {
	ctx, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	code, body, err := call(ctx, data, http.MethodPost, "/say", document)
	if err != nil {
		return kurs.RawID{}, err
	}
	text := strings.TrimSpace(string(body))
	switch code {
	case http.StatusOK:
		var a accepted
		if err := json.Unmarshal(body, &a); err != nil {
			return kurs.RawID{}, fmt.Errorf("tell kurs: %w", err)
		}
		return a.Raw, nil
	case http.StatusServiceUnavailable:
		return kurs.RawID{}, ErrStopping
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		return kurs.RawID{}, fmt.Errorf("%w: %s", kurs.ErrRejected, text)
	case http.StatusInternalServerError:
		return kurs.RawID{}, fmt.Errorf("kurs could not take it over: %s", text)
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return kurs.RawID{}, errors.New("the kurs that records there is an older one, which cannot be told anything")
	}
	return kurs.RawID{}, ErrNotRunning // the port is another program's by now
}
