// Package queuetest gives tests a real broker, and stages' tests one way to get
// it. Only tests import it.
//
// It must not know what the queues are used for.
package queuetest

import (
	"log/slog"
	"testing"

	"kurs/queue"
)

// Start starts a broker in a folder of its own, whose two queues hold so many
// bytes each, and connects to it. Both end with the test.
func Start(tb testing.TB, maxBytes int64) *queue.Queue {
	tb.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s, err := queue.StartServer(queue.ServerConfig{Dir: tb.TempDir(), MaxBytes: maxBytes}, quiet)
	if err != nil {
		tb.Fatal(err)
	}
	q, err := queue.Connect(tb.Context(), s.Address(), "test", maxBytes, quiet)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		q.Close()
		s.Stop()
	})
	return q
}
