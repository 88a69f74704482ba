package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/process"
	"kurs/process/fx"
	"kurs/store/sqlite"
)

// pipe is the queues without a broker: what a source said, in the order of the
// streams raw and rates. It hands on as the stage acquire does.
type pipe struct {
	base   string
	policy fx.Policy

	said map[string]kurs.Observed // what messages of the source madeUp, and of people, say: by their bodies

	mu    sync.Mutex
	raws  []kurs.Raw
	rates []kurs.Raw // the message i of the stream rates is at the position i + 2; at 1 is the policy
}

func newPipe() *pipe {
	return &pipe{base: "DKK", policy: fx.DefaultPolicy(), said: map[string]kurs.Observed{}}
}

// madeUp is a source of which the test itself says what its messages mean.
const madeUp = "made up"

func (p *pipe) saidBy(raw kurs.Raw) (kurs.Observed, error) { return p.said[string(raw.Body)], nil }

// say puts a message on the queue that was received at a time.
func (p *pipe) say(source string, received time.Time, seen kurs.Observed, near ...kurs.Neighbour) {
	raw := kurs.Raw{Source: source, Endpoint: kurs.EndpointQuote, Received: received, Body: fmt.Append(nil, len(p.raws))}
	kind := kurs.CarriesPrices
	for i := range seen.Quotes {
		raw.Asked = append(raw.Asked, seen.Quotes[i].Symbol)
		if _, pair := kurs.ParsePair(seen.Quotes[i].Symbol); pair {
			kind = kurs.CarriesRates
		}
	}
	for _, d := range seen.Decisions {
		if d.Of.Kind == kurs.AsideRate {
			kind = kurs.CarriesRates
		}
	}
	if len(seen.Bars) > 0 {
		raw.Endpoint = kurs.EndpointChart
		raw.Asked = append(raw.Asked, seen.Bars[0].Symbol)
	}
	raw.Neighbours = near
	p.said[string(raw.Body)] = seen
	_ = p.emit(context.Background(), raw, kind) // never fails
}

// policyAt is the position of the policy.
const policyAt = 1

func (p *pipe) emit(_ context.Context, raw kurs.Raw, kind kurs.RawKind) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if raw.Source == "" {
		raw.Source = wire.Source
	}
	raw.ID = kurs.RawID{Source: raw.Source, Run: "r", Counter: uint64(len(p.raws)) + 1}
	raw.Received = raw.Received.UTC().Truncate(time.Millisecond)
	if kind == kurs.CarriesRates {
		p.rates = append(p.rates, raw)
	}
	raw.FX.Seq = p.last()
	p.raws = append(p.raws, raw)
	return nil
}

// last is the last position of the stream rates.
func (p *pipe) last() uint64 { return uint64(len(p.rates)) + policyAt }

// worker is a process stage at work on a pipe.
type worker struct {
	*pipe
	testing.TB
	book    *fx.Book
	proc    *process.Processor
	waiting []waiting
}

// waiting is a price without a rate, and the position up to which none fits.
type waiting struct {
	process.Pending
	after uint64
}

func (p *pipe) worker(tb testing.TB) *worker {
	tb.Helper()
	w := &worker{pipe: p, TB: tb}
	w.follow(fx.New())
	return w
}

func (w *worker) follow(book *fx.Book) {
	w.book = book
	decode := map[string]kurs.Decode{wire.Source: wire.Decode, madeUp: w.saidBy, kurs.SourceUser: w.saidBy}
	w.proc = &process.Processor{Base: w.base, Decode: decode, Policy: w.policy, Rates: book}
}

// learn reads on in the stream rates, up to a position.
func (w *worker) learn(upTo uint64) {
	for pos := w.book.Pos() + 1; pos <= upTo; pos++ {
		if pos == policyAt {
			w.book.SetPolicy(pos, w.policy)
			continue
		}
		w.proc.Learn(w.book, pos, w.rates[pos-policyAt-1])
	}
}

// restart has the worker die: what is left is a snapshot of its book.
func (w *worker) restart() {
	w.Helper()
	snapshot, err := w.book.Snapshot()
	if err != nil {
		w.Fatal(err)
	}
	fresh := fx.New()
	if err := fresh.Restore(snapshot); err != nil {
		w.Fatal(err)
	}
	w.follow(fresh)
}

// work processes a raw message, whose place the book has reached.
func (w *worker) work(raw kurs.Raw) kurs.Batch {
	w.Helper()
	out, err := w.proc.Process(raw, raw.FX.Seq)
	if err != nil { // a dead letter, which is accounted for
		return kurs.Batch{Raws: []kurs.RawID{raw.ID}, BaseCurrency: w.base}
	}
	if len(out.Refused) > 0 {
		w.Errorf("%s: %q", raw.ID, out.Refused)
	}
	for _, p := range out.Pending {
		w.waiting = append(w.waiting, waiting{p, raw.FX.Seq})
	}
	return out.Batch
}

// fill gives what waits the rates that have come.
func (w *worker) fill() kurs.Batch {
	w.Helper()
	batch := kurs.Batch{BaseCurrency: w.base}
	still := w.waiting[:0]
	for i := range w.waiting {
		fill, ok, err := w.waiting[i].Fill(w.book, w.base, w.waiting[i].after)
		switch {
		case err != nil:
			w.Errorf("%s: %v", w.waiting[i].Symbol, err)
		case ok:
			batch.Fills = append(batch.Fills, fill)
		default:
			still = append(still, w.waiting[i])
		}
	}
	w.waiting = still
	return batch
}

// all processes everything in the order in which it was received, as one worker
// that is never behind does, and returns the batches.
func (w *worker) all() []kurs.Batch {
	w.Helper()
	var batches []kurs.Batch
	for _, raw := range w.raws {
		w.learn(raw.FX.Seq)
		batches = append(batches, w.work(raw))
		if fills := w.fill(); len(fills.Fills) > 0 {
			batches = append(batches, fills)
		}
	}
	return batches
}

// database is a store's file, read as a user reads it.
type database struct {
	testing.TB
	path  string
	store *sqlite.Store
	at    uint64
}

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	d := &database{TB: tb, path: filepath.Join(tb.TempDir(), "kurs.db")}
	d.open()
	tb.Cleanup(d.close)
	return d
}

func (d *database) open() {
	d.Helper()
	var err error
	d.store, err = sqlite.Open(d.Context(), sqlite.Config{Path: d.path, BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		d.Fatal(err)
	}
}

func (d *database) close() {
	d.Helper()
	if err := d.store.Close(); err != nil {
		d.Error(err)
	}
}

// write stores batches in one transaction, as the next of the queue priced.
func (d *database) write(batches ...kurs.Batch) {
	d.Helper()
	if len(batches) == 0 {
		return
	}
	d.at += uint64(len(batches))
	if err := d.store.Write(d.Context(), kurs.Group{Batches: batches, Position: kurs.StreamPos{Epoch: "e", Seq: d.at}}); err != nil {
		d.Fatal(err)
	}
}

// rows are those of a query, each as its columns with a bar between.
func (d *database) rows(query string, args ...any) []string {
	d.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(d.path)+"?mode=ro")
	if err != nil {
		d.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			d.Error(err)
		}
	}()
	rows, err := db.QueryContext(d.Context(), query, args...)
	if err != nil {
		d.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }() // it was only read
	columns, err := rows.Columns()
	if err != nil {
		d.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var out []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			d.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			if v != nil {
				texts[i] = fmt.Sprint(v) // of a REAL the shortest that is it: to the last digit
			}
		}
		out = append(out, strings.Join(texts, "|"))
	}
	if err := rows.Err(); err != nil {
		d.Fatal(err)
	}
	return out
}
