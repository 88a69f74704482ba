package ecb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kurs/acquire/ecb/wire"
)

// server is a place that is asked over the network.
type server struct {
	host         string
	first, daily string
	client       *http.Client
	timeout      time.Duration

	last  map[string]tag // of the files that this run got
	after time.Duration  // that the server asked us to wait, the last time
}

// userAgent says who asks.
const userAgent = "kurs"

func (s *server) name() string { return s.host }

func (s *server) hasMore() bool { return s.first != s.daily }

func (*server) next(now, newest time.Time) time.Time { return nextAsk(now, newest) }

func (s *server) wait(fails int) time.Duration { return max(backoff(fails), s.after) }

func (s *server) fetch(ctx context.Context, first bool, known tag) (fetched, error) {
	address := s.daily
	if first {
		address = s.first
	} else {
		known = s.last[address]
	}
	s.after = 0
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fetched{}, fmt.Errorf("ask: %w", err)
	}
	req.Header.Set("User-Agent", userAgent)
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	}
	if known.Modified != "" {
		req.Header.Set("If-Modified-Since", known.Modified)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return fetched{}, inWords(err, s.timeout)
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	switch {
	case resp.StatusCode == http.StatusNotModified && known != tag{}:
		return fetched{tag: known, unchanged: true}, nil
	case resp.StatusCode != http.StatusOK:
		s.after = retryAfter(resp.Header.Get("Retry-After"))
		return fetched{}, fmt.Errorf("answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	if packed := resp.Header.Get("Content-Encoding"); packed != "" && packed != "identity" {
		return fetched{}, fmt.Errorf("the answer is packed as %.20q, which was not asked for", packed)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody+1))
	switch {
	case err != nil:
		return fetched{}, inWords(err, s.timeout)
	case len(body) > wire.MaxBody:
		return fetched{}, fmt.Errorf("the answer has more than %d MiB", wire.MaxBody>>20)
	}
	got := tag{ETag: resp.Header.Get("ETag"), Modified: resp.Header.Get("Last-Modified")}
	if s.last == nil {
		s.last = map[string]tag{}
	}
	s.last[address] = got
	return fetched{body: body, tag: got, keep: true}, nil
}

// inWords leaves the address out, which is long and known.
func inWords(err error, timeout time.Duration) error {
	var of *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no whole answer within %s", timeout)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the answer was cut off")
	case errors.As(err, &of):
		return of.Err
	}
	return err
}

// mostRetryAfter is how long a server may ask us to wait.
const mostRetryAfter = 6 * time.Hour

// retryAfter reads seconds; a date, or nonsense, is 0.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, mostRetryAfter)
}
