package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
	"kurs/store"
	"kurs/store/sqlite"
)

// BenchmarkTrickle stores a price now and then, and tells how long after it was on
// the queue a reader of the database sees it: at most store.flush, here 200 ms, and
// a commit.
func BenchmarkTrickle(b *testing.B) {
	const flush = 200 * time.Millisecond
	quiet := slog.New(slog.DiscardHandler)
	dir := b.TempDir()
	server, err := queue.StartServer(queue.ServerConfig{Dir: filepath.Join(dir, "queue"), MaxBytes: 1 << 30}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Stop()
	q, err := queue.Connect(b.Context(), server.Address(), "test", 1<<30, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	path := filepath.Join(dir, "kurs.db")
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- store.Run(ctx, store.Config{Holder: "bench", Batch: 50_000, Flush: flush, Targets: []store.Target{{
			Name: "sqlite", Open: func(ctx context.Context) (kurs.Store, error) {
				return sqlite.Open(ctx, sqlite.Config{Path: path, BusyTimeout: time.Second, BaseCurrency: "DKK"}, quiet)
			},
		}}}, q, queue.NewMeter("store"), quiet)
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var (
		r    *sqlite.Reader
		took []time.Duration
		m    market
	)
	start := time.Now().UTC().Add(-24 * time.Hour)
	for n := 1; b.Loop(); n++ {
		m.batch = kurs.Batch{BaseCurrency: "DKK"}
		m.quote(m.price("AAPL", "100", "USD", start.Add(time.Duration(n)*time.Second).Format(time.RFC3339), time.Second, kurs.Rate{}))
		if _, err := q.PutPriced(b.Context(), "", m.batch); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		for stored := int64(0); stored < int64(n); <-tick.C {
			if r == nil {
				if r, err = sqlite.OpenReader(b.Context(), path); err != nil {
					r = nil // nothing is there yet
					continue
				}
				defer r.Close()
			}
			stats, err := r.Stats(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			stored = stats.Quotes
		}
		took = append(took, time.Since(began))
	}
	stop()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	took = slices.Delete(took, 0, min(1, len(took)-1)) // the first waits for the database to be made
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "max-ms")
}
