package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
	"kurs/sim"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// cluster is a broker that stages share, under an address as a user has it.
func cluster(t *testing.T) (address string) {
	t.Helper()
	s, err := queue.StartServer(queue.ServerConfig{Dir: t.TempDir(), MaxBytes: 1 << 30, Open: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s.Address().URL
}

// exchange serves a simulated one of some symbols, and returns where.
func exchange(t *testing.T, symbols ...string) string {
	t.Helper()
	_, base := simulatedExchange(t, sim.Config{Symbols: symbols, Seed: 1})
	return base
}

// simulatedExchange serves one until the test's end.
func simulatedExchange(tb testing.TB, c sim.Config) (x *sim.Exchange, base string) {
	tb.Helper()
	x, err := sim.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	served := make(chan error, 1)
	go func() { served <- x.Serve(ctx, listener) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			tb.Error(err)
		}
	})
	return x, "http://" + listener.Addr().String()
}

// TestStagesAloneShareAQueue: each stage as a command of its own, two of process,
// on a broker that none of them holds.
func TestStagesAloneShareAQueue(t *testing.T) {
	base, dir := exchange(t, "AAPL", "VOD.L", "NOVO-B.CO"), t.TempDir()
	for name, value := range map[string]string{
		"KURS_QUEUE_URL": cluster(t), "KURS_DATA": dir, "KURS_SYMBOLS": "AAPL,VOD.L,NOVO-B.CO", "KURS_STORE_FLUSH": "10ms",
		"KURS_SOURCE_YAHOO_QUERY_URL": base, "KURS_SOURCE_YAHOO_SESSION_URL": base, "KURS_SOURCE_YAHOO_INTERVAL": "200ms", "KURS_CONFIG": "",
		"HOME": dir, "XDG_CONFIG_HOME": dir,
	} {
		t.Setenv(name, value)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stages sync.WaitGroup
	for _, stage := range []string{supervise.Acquire, supervise.Process, supervise.Process, supervise.Store} {
		stages.Go(func() {
			var out, talk lockedBuffer
			if code := execute(ctx, []string{stage}, streams{in: strings.NewReader(""), out: &out, err: &talk}); code != kurs.ExitOK {
				t.Errorf("%s: exit code %d\n%s", stage, code, talk.String())
			}
		})
	}
	// All symbols are stored, and every price has its value.
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !complete(t, filepath.Join(dir, "kurs.db"), 3) {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("not everything was stored")
		}
	}
	says(t, "VODA.L", "symbols", "alias", "VODA.L", "VOD.L") // put on the cluster, and done by whoever is there
	cancel()
	stages.Wait()
}

// complete tells whether there are prices of so many symbols, all with a value.
func complete(t *testing.T, path string, symbols int) bool {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		return false // it is not there yet
	}
	defer func() { _ = r.Close() }() // it was only read
	rows, err := r.Latest(t.Context(), nil, time.Time{})
	if err != nil {
		return false
	}
	for i := range rows {
		if !rows[i].PriceBase.Known() {
			return false
		}
	}
	return len(rows) == symbols
}

// lockedBuffer is written by several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
