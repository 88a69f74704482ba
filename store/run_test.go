package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
	"kurs/queue/queuetest"
)

// memory is a store that fails as it is told to.
type memory struct {
	mu    sync.Mutex
	rows  []string // symbols, in the order in which they were committed
	pos   kurs.StreamPos
	fails []error // of the next writes
	bad   string  // a symbol that is refused
	opens int
}

func (m *memory) Write(_ context.Context, g kurs.Group) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.fails) > 0 {
		err := m.fails[0]
		m.fails = m.fails[1:]
		return err
	}
	var symbols []string
	for _, b := range g.Batches {
		for i := range b.Prices {
			if b.Prices[i].Symbol == m.bad {
				return fmt.Errorf("%w: %s is bad", kurs.ErrRejected, m.bad)
			}
			symbols = append(symbols, b.Prices[i].Symbol)
		}
	}
	m.rows = append(m.rows, symbols...)
	if g.Position != (kurs.StreamPos{}) {
		m.pos = g.Position
	}
	return nil
}

func (m *memory) Position(context.Context) (kurs.StreamPos, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pos, nil
}

func (*memory) Close() error { return nil }

func (m *memory) stored() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rows)
}

func (m *memory) target(name string) Target {
	return Target{Name: name, Open: func(context.Context) (kurs.Store, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.opens++
		return m, nil
	}}
}

// put puts a batch of prices on priced, and returns how far it goes then.
func put(t *testing.T, q *queue.Queue, symbols ...string) uint64 {
	t.Helper()
	b := kurs.Batch{BaseCurrency: "DKK"}
	for _, symbol := range symbols {
		b.Prices = append(b.Prices, kurs.Price{
			Quote:   kurs.Quote{Symbol: symbol, Source: "yahoo", Time: time.Unix(1, 0), Value: kurs.Int(1)},
			Receipt: kurs.Receipt{Received: time.Now().UTC(), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: 1}},
		})
	}
	seq, err := q.PutPriced(t.Context(), "", b)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// runToEnd runs the stage until everything up to end is stored.
func runToEnd(t *testing.T, q *queue.Queue, run string, end uint64, targets ...Target) (*queue.Meter, error) {
	t.Helper()
	if err := q.PutMark(t.Context(), run, queue.MarkProcessed, end, 0); err != nil {
		t.Fatal(err)
	}
	meter := queue.NewMeter("store")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := Run(ctx, Config{Run: run, Holder: run, Targets: targets, Batch: 3, Flush: 10 * time.Millisecond}, q, meter, slog.New(slog.DiscardHandler))
	if ctx.Err() != nil {
		t.Fatal("the run did not end")
	}
	return meter, err
}

func TestEveryStoreGetsEverythingInOrder(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	var end uint64
	var want []string
	for i := range 10 {
		symbols := []string{fmt.Sprintf("A%d", i), fmt.Sprintf("B%d", i)}
		end, want = put(t, q, symbols...), append(want, symbols...)
	}
	first, second := &memory{}, &memory{fails: []error{errors.New("down"), errors.New("still down")}}
	if _, err := runToEnd(t, q, "r1", end, first.target("first"), second.target("second")); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*memory{"first": first, "second": second} {
		if got := m.stored(); !slices.Equal(got, want) {
			t.Errorf("%s holds %q", name, got)
		}
		if _, _, ok, err := q.Mark(t.Context(), "r1", queue.MarkStored(name)); !ok || err != nil {
			t.Errorf("%s did not say that it is done: %v", name, err)
		}
	}
	state, err := q.PricedState(t.Context())
	if err != nil || state.Messages != 0 {
		t.Errorf("priced still holds %d messages, %v", state.Messages, err)
	}

	// The next run goes on where this one ended, and does not take its marks.
	end = put(t, q, "C")
	if _, err := runToEnd(t, q, "r2", end, first.target("first"), second.target("second")); err != nil {
		t.Fatal(err)
	}
	if got := first.stored(); !slices.Equal(got, append(want, "C")) {
		t.Errorf("after the second run: %q", got)
	}
}

// TestWhatIsRefusedIsADeadLetterAndTheRestIsStored: one bad row takes no other
// along.
func TestWhatIsRefusedIsADeadLetterAndTheRestIsStored(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	put(t, q, "A", "B", "BAD", "C", "D")
	end := put(t, q, "E")
	m := &memory{bad: "BAD"}
	meter, err := runToEnd(t, q, "r1", end, m.target("sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.stored(); !slices.Equal(got, []string{"A", "B", "C", "D", "E"}) {
		t.Errorf("stored %q", got)
	}
	letter, ok, err := q.LastDead(t.Context())
	if err != nil || !ok || !strings.Contains(letter.Reason, "sqlite: rejected: BAD is bad") || len(letter.Message) == 0 {
		t.Errorf("dead letter %+v, %t, %v", letter, ok, err)
	}
	if n := meter.Report().Counts[queue.CountDead]; n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// TestWhatNoWaitingCanMendEndsTheStage: a database in another currency.
func TestWhatNoWaitingCanMendEndsTheStage(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	end := put(t, q, "A")
	wrong := &kurs.Error{Code: "KURS-BASE", Message: "another currency", Err: kurs.ErrBaseCurrency}
	target := Target{Name: "sqlite", Open: func(context.Context) (kurs.Store, error) { return nil, wrong }}
	if _, err := runToEnd(t, q, "r1", end, target); !errors.Is(err, kurs.ErrBaseCurrency) {
		t.Error(err)
	}
}

// TestAnOutageIsReportedAndEnds: what a store waits for is in its report.
func TestAnOutageIsReportedAndEnds(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	locked := errors.New("database is locked")
	m := &memory{fails: []error{locked, locked, locked}}
	target := m.target("sqlite")
	var codes []string
	target.Trouble = func(err error) string {
		codes = append(codes, err.Error())
		return "KURS-LOCK"
	}
	meter, err := runToEnd(t, q, "r1", put(t, q, "A"), target)
	if err != nil {
		t.Fatal(err)
	}
	r := meter.Report()
	if len(codes) != 3 || r.Counts[queue.CountRetries] != 3 || !strings.Contains(r.LastError, "locked") {
		t.Errorf("%d outages, report %+v", len(codes), r)
	}
	if len(r.Stores) != 1 || r.Stores[0].Trouble != nil || r.Stores[0].Rows != 1 {
		t.Errorf("the outage is not over: %+v", r.Stores)
	}
}

func TestHalves(t *testing.T) {
	b := kurs.Batch{
		Raws: []kurs.RawID{{Source: "yahoo", Run: "r", Counter: 1}}, BaseCurrency: "DKK",
		Prices: make([]kurs.Price, 3), Rates: make([]kurs.Rate, 2), Fills: make([]kurs.Fill, 1),
	}
	for b.Rows() > 1 {
		h := halves(b)
		if h[0].Rows()+h[1].Rows() != b.Rows() || h[0].Rows() == 0 || h[1].Rows() == 0 {
			t.Fatalf("%d rows became %d and %d", b.Rows(), h[0].Rows(), h[1].Rows())
		}
		if len(h[0].Raws) != 1 || len(h[1].Raws) != 1 || h[1].BaseCurrency != "DKK" {
			t.Fatal("the halves do not say what they account for")
		}
		b = h[1]
	}
}

// TestAPlaceInAnotherQueueSaysNothing: where the queue is new, a store that was
// far in the one before is at its beginning.
func TestAPlaceInAnotherQueueSaysNothing(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	put(t, q, "A")
	state, err := q.PricedState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ committed, want kurs.StreamPos }{
		{kurs.StreamPos{Epoch: "of another queue", Seq: 500}, kurs.StreamPos{Epoch: state.Epoch}},
		{kurs.StreamPos{Epoch: state.Epoch, Seq: 1}, kurs.StreamPos{Epoch: state.Epoch, Seq: 1}},
	} {
		w := &writer{Target: (&memory{pos: c.committed}).target("sqlite"), q: q, meter: queue.NewMeter("store"), log: slog.New(slog.DiscardHandler)}
		if err := w.open(t.Context()); err != nil || w.at != c.want {
			t.Errorf("committed %+v: at %+v, %v", c.committed, w.at, err)
		}
	}
}

// slow is a store whose writes wait until it is released.
type slow struct {
	*memory
	released <-chan struct{}
}

func (s slow) Write(ctx context.Context, g kurs.Group) error {
	select {
	case <-s.released:
		return s.memory.Write(ctx, g)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestALaggardIsDetachedAndFilled: a second store that is down, or does not come
// to an end with a write, holds up nobody, and has everything once it is back.
func TestALaggardIsDetachedAndFilled(t *testing.T) {
	t.Run("down", func(t *testing.T) {
		testLaggard(t, func(m *memory, back <-chan struct{}) (kurs.Store, error) {
			select {
			case <-back:
				return m, nil
			default:
				return nil, errors.New("down")
			}
		})
	})
	t.Run("stuck", func(t *testing.T) {
		testLaggard(t, func(m *memory, back <-chan struct{}) (kurs.Store, error) { return slow{m, back}, nil })
	})
}

func testLaggard(t *testing.T, open func(*memory, <-chan struct{}) (kurs.Store, error)) {
	t.Helper()
	q := queuetest.Start(t, 64<<10) // holds little
	first, second := &memory{}, &memory{}
	down := make(chan struct{})
	back := Target{Name: "second", Open: func(context.Context) (kurs.Store, error) { return open(second, down) }}
	back.Refill = func(_ context.Context, since time.Time, write func(kurs.Batch) error) error {
		if time.Since(since) > time.Hour {
			t.Errorf("filled since %s", since)
		}
		var b kurs.Batch
		for _, symbol := range first.stored() {
			b.Prices = append(b.Prices, kurs.Price{Quote: kurs.Quote{Symbol: symbol}})
		}
		return write(b)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{
			Run: "r1", Holder: "r1", Targets: []Target{first.target("first"), back}, Batch: 1000, Flush: time.Millisecond,
		}, q, queue.NewMeter("store"), slog.New(slog.DiscardHandler))
	}()
	// More than the queue holds goes through: putting waits while it is full.
	want := map[string]bool{}
	var end uint64
	for i := range 1500 {
		symbol := fmt.Sprintf("SYMBOL-%d", i)
		want[symbol] = true
		end = put(t, q, symbol)
	}
	if _, detached, err := q.Detached(ctx, "second"); !detached || err != nil {
		t.Errorf("it was not detached: %v", err)
	}
	close(down)
	if err := q.PutMark(ctx, "r1", queue.MarkProcessed, end, 0); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for _, symbol := range second.stored() {
		delete(want, symbol)
	}
	if len(want) != 0 {
		t.Errorf("%d prices are lost to the second store", len(want))
	}
	if _, detached, err := q.Detached(t.Context(), "second"); detached || err != nil {
		t.Errorf("it has not rejoined: %v", err)
	}
}
