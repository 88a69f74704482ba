package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/process"
	"kurs/process/fx"
	"kurs/queue"
	"kurs/sim"
	"kurs/store"
	"kurs/store/sqlite"
)

// BenchmarkRawToRow is the main job without the network: answers of 200 symbols
// that are on the queue raw are decoded, converted, put on the queue priced, and
// committed to SQLite, every step on disk before the next. It reports quotes a
// second.
func BenchmarkRawToRow(b *testing.B) {
	const symbols, answers = 200, 1000
	quotes, rates := simulated(b, symbols)
	var total int
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		p := newPipeline(b, quotes, rates, answers)
		b.StartTimer()
		began := time.Now()
		total += p.run(b)
		spent += time.Since(began)
		b.StopTimer()
		p.close()
		b.StartTimer()
	}
	b.ReportMetric(float64(total)/spent.Seconds(), "quotes/s")
}

// simulated are an answer with prices, and those with the rates that it needs.
func simulated(b *testing.B, symbols int) (quotes kurs.Raw, rates []kurs.Raw) {
	b.Helper()
	exchange, base := simulatedExchange(b, sim.Config{Count: symbols, Seed: 1})
	client, err := yahoo.NewClient(yahoo.Config{QueryURL: base, SessionURL: base, Batch: symbols}, wire.Decode, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	raws, err := client.Quotes(b.Context(), exchange.Symbols())
	if err != nil || len(raws) != 1 {
		b.Fatalf("%d answers, %v", len(raws), err)
	}
	pairs, oldest, err := pairsOf(raws, "DKK")
	if err != nil {
		b.Fatal(err)
	}
	if rates, err = client.Pairs(b.Context(), pairs, oldest.Add(-time.Hour)); err != nil {
		b.Fatal(err)
	}
	return raws[0], rates
}

// pipeline is a queue with answers in it, and what takes them to a database.
type pipeline struct {
	server *queue.Server
	q      *queue.Queue
	dir    string
	quotes int
}

func newPipeline(b *testing.B, quotes kurs.Raw, rates []kurs.Raw, answers int) *pipeline {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	p := &pipeline{dir: b.TempDir()}
	var err error
	p.server, err = queue.StartServer(queue.ServerConfig{Dir: filepath.Join(p.dir, "queue"), MaxBytes: 1 << 30}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	if p.q, err = queue.Connect(b.Context(), p.server.Address(), "test", 1<<30, quiet); err != nil {
		b.Fatal(err)
	}
	var known uint64
	for i, raw := range rates {
		raw.Source, raw.ID = wire.Source, kurs.RawID{Source: wire.Source, Run: "rates", Counter: uint64(i) + 1}
		if known, err = p.q.PutRates(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
	state, err := p.q.RatesState(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	seen, err := wire.Decode(quotes)
	if err != nil {
		b.Fatal(err)
	}
	p.quotes = answers * len(seen.Quotes)
	// Every answer is of another second, as those of a real day are.
	times := map[int64]bool{}
	for i := range seen.Quotes {
		times[seen.Quotes[i].Time.Unix()] = true
	}
	var last uint64
	for i := range answers {
		raw := quotes
		raw.Source, raw.ID = wire.Source, kurs.RawID{Source: wire.Source, Run: "bench", Counter: uint64(i) + 1}
		raw.FX = kurs.StreamPos{Epoch: state.Epoch, Seq: known}
		for at := range times {
			raw.Body = bytes.ReplaceAll(raw.Body, strconv.AppendInt(nil, at, 10), strconv.AppendInt(nil, at-int64(i), 10))
		}
		if last, err = p.q.PutRaw(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.q.PutMark(b.Context(), "bench", queue.MarkAcquired, last, uint64(answers)); err != nil {
		b.Fatal(err)
	}
	return p
}

// run takes everything to the database, and returns how many prices are in it.
func (p *pipeline) run(b *testing.B) int {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	path := filepath.Join(p.dir, "kurs.db")
	processed := make(chan error, 1)
	go func() {
		processed <- process.Run(b.Context(), process.Config{
			Run: "bench", Holder: "bench", Workers: 2, Base: "DKK", Decode: decoders(), Policy: fx.DefaultPolicy(),
		}, p.q, queue.NewMeter("process"), quiet)
	}()
	err := store.Run(b.Context(), store.Config{
		Run: "bench", Holder: "bench", Batch: 50_000, Flush: time.Second,
		Targets: []store.Target{{Name: "sqlite", Open: func(ctx context.Context) (kurs.Store, error) {
			return sqlite.Open(ctx, sqlite.Config{Path: path, BusyTimeout: time.Second, BaseCurrency: "DKK"}, quiet)
		}}},
	}, p.q, queue.NewMeter("store"), quiet)
	if err != nil {
		b.Fatal(err)
	}
	if err := <-processed; err != nil {
		b.Fatal(err)
	}
	r, err := sqlite.OpenReader(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	stats, err := r.Stats(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	waiting, err := r.Waiting(b.Context())
	if err != nil || len(waiting) != 0 {
		b.Fatalf("prices without a base value: %v, %v", waiting, err)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	if stats.Quotes != int64(p.quotes) {
		b.Fatalf("%d prices of %d are stored", stats.Quotes, p.quotes)
	}
	return int(stats.Quotes)
}

func (p *pipeline) close() {
	p.q.Close()
	p.server.Stop()
	_ = os.RemoveAll(p.dir) // a temporary folder
}
