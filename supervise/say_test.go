package supervise

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
)

// TestWhatPeopleSayIsTakenWhileTheRunIsOn, and not before it, after it, or at its
// end.
func TestWhatPeopleSayIsTakenWhileTheRunIsOn(t *testing.T) {
	c := settings(t)
	if _, err := Tell(t.Context(), c.Paths.Data, []byte("early")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before: %v", err)
	}
	var heard []string
	say := func(_ context.Context, q *queue.Queue, document []byte) (kurs.RawID, error) {
		heard = append(heard, string(document))
		if q == nil || string(document) == "noise" {
			return kurs.RawID{}, kurs.ErrRejected
		}
		if string(document) == "unlucky" {
			return kurs.RawID{}, errors.New("the disk is full")
		}
		return kurs.RawID{Source: kurs.SourceUser, Run: "r", Counter: uint64(len(heard))}, nil
	}
	stops := make(chan struct{}, 1)
	work := func(ctx context.Context, o Order, stop <-chan struct{}) error {
		if o.Stage != Acquire {
			return marks(ctx, o, stop)
		}
		for _, s := range []struct {
			document string
			is       error
			words    string
		}{
			{"a word", nil, ""},
			{"noise", kurs.ErrRejected, "rejected"},
			{"unlucky", nil, "the disk is full"},
			{strings.Repeat("x", SayMost+1), kurs.ErrRejected, "4 MiB"},
			{strings.Repeat("x", SayMost), nil, ""},
		} {
			id, err := Tell(ctx, c.Paths.Data, []byte(s.document))
			switch {
			case s.words == "" && (err != nil || id.Run != "r"):
				t.Errorf("%.20q: %s, %v", s.document, id, err)
			case s.words != "" && (err == nil || !strings.Contains(err.Error(), s.words) || s.is != nil && !errors.Is(err, s.is)):
				t.Errorf("%.20q: %v", s.document, err)
			}
		}
		stops <- struct{}{}
		<-stop
		if _, err := Tell(ctx, c.Paths.Data, []byte("late")); !errors.Is(err, ErrStopping) {
			t.Errorf("at the end: %v", err)
		}
		return marks(ctx, o, stop)
	}
	if _, err := supervised(t, Config{Settings: c, Say: say, Drain: 20 * time.Second}, stops, work); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 4 || heard[0] != "a word" {
		t.Errorf("heard %d, %.20q", len(heard), heard)
	}
	if _, err := Tell(t.Context(), c.Paths.Data, []byte("after")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after: %v", err)
	}
}

// TestOnlyTheOwnerMaySay: where the socket is a port, the token is needed.
func TestOnlyTheOwnerMaySay(t *testing.T) {
	s := &supervisor{Config: Config{Log: slog.New(slog.DiscardHandler), Say: func(context.Context, *queue.Queue, []byte) (kurs.RawID, error) {
		return kurs.RawID{Run: "r"}, nil
	}}}
	for _, c := range []struct {
		method, token string
		want          int
	}{
		{http.MethodPost, "secret", http.StatusOK},
		{http.MethodPost, "", http.StatusForbidden},
		{http.MethodPost, "secre", http.StatusForbidden},
		{http.MethodGet, "secret", http.StatusMethodNotAllowed},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/say", bytes.NewReader([]byte("{}")))
		r.Header.Set(tokenHeader, c.token)
		w := httptest.NewRecorder()
		s.handler("secret").ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s with %q: %d, want %d", c.method, c.token, w.Code, c.want)
		}
	}
}
