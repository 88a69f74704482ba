package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/queue"
	"kurs/sim"
)

// BenchmarkFrameToRaw is the stream of 5,000 symbols at a frame a second each,
// from a simulated exchange in the same process, over loopback to the queue: how
// long it takes from a frame's arrival until the message that it is in is
// accepted, with its fsync. An iteration is five seconds of it.
func BenchmarkFrameToRaw(b *testing.B) {
	const symbols, lasts = 5000, 5 * time.Second
	m := &latencies{came: map[string]time.Time{}}
	for b.Loop() {
		m.measure(b, symbols, lasts)
	}
	slices.Sort(m.all)
	at := func(share float64) float64 {
		return float64(m.all[int(share*float64(len(m.all)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(float64(len(m.all))/float64(b.N)/lasts.Seconds(), "frames/s")
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(1), "most-ms")
}

// latencies are how long frames took.
type latencies struct {
	mu       sync.Mutex
	came     map[string]time.Time // frames that are not accepted yet, by symbol and time
	counting bool
	all      []time.Duration
}

func frameKey(q *kurs.Quote) string { return q.Symbol + q.Time.String() }

// decode notes when a frame came: it is decoded at once.
func (m *latencies) decode(raw kurs.Raw) (kurs.Observed, error) {
	at := time.Now()
	seen, err := wire.Decode(raw)
	if raw.Endpoint == kurs.EndpointStream && err == nil && len(seen.Quotes) == 1 {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.came[frameKey(&seen.Quotes[0])] = at
	}
	return seen, err
}

// accepted notes how long the frames of a message took.
func (m *latencies) accepted(raw kurs.Raw) {
	at := time.Now()
	if raw.Endpoint != kurs.EndpointStream {
		return
	}
	seen, err := wire.Decode(raw)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range seen.Quotes {
		key := frameKey(&seen.Quotes[i])
		if came, ok := m.came[key]; ok && m.counting {
			m.all = append(m.all, at.Sub(came))
		}
		delete(m.came, key)
	}
}

func (m *latencies) count(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counting = on
}

func (m *latencies) measure(b *testing.B, symbols int, lasts time.Duration) {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	exchange, base := simulatedExchange(b, sim.Config{Count: symbols, Seed: 1, TickRate: 1})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	server, err := queue.StartServer(queue.ServerConfig{Dir: filepath.Join(b.TempDir(), "queue"), MaxBytes: 1 << 30}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Stop()
	q, err := queue.Connect(ctx, server.Address(), "test", 1<<30, quiet)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	source, err := yahoo.New(yahoo.Config{
		QueryURL: base, SessionURL: base, Symbols: exchange.Symbols(), Interval: time.Minute, Batch: 200, Closed: 5 * time.Minute,
	}, m.decode, quiet)
	if err != nil {
		b.Fatal(err)
	}
	var counter uint64
	var mu sync.Mutex
	emit := func(ctx context.Context, raw kurs.Raw, _ kurs.RawKind) error {
		mu.Lock()
		counter++
		raw.ID = kurs.RawID{Source: wire.Source, Run: b.Name(), Counter: counter}
		mu.Unlock()
		raw.Source = wire.Source
		_, err := q.PutRaw(ctx, raw)
		if err == nil {
			m.accepted(raw)
		}
		return err
	}
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- source.Run(run, emit) }()
	for source.Status().Stream.Symbols < symbols*95/100 { // funds are not streamed
		pauseFor(b, 50*time.Millisecond)
	}
	pauseFor(b, time.Second) // the first prices, which come all at once, are through
	m.count(true)
	pauseFor(b, lasts)
	m.count(false)
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	if text, err := json.Marshal(source.Status().Stream); err == nil && source.Status().Stream.Garbled > 0 {
		b.Errorf("%s", text)
	}
}

func pauseFor(b *testing.B, d time.Duration) {
	b.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.Context().Done():
		b.Fatal("no time left")
	}
}
