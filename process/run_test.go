package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
	"kurs/queue"
	"kurs/queue/queuetest"
)

// decodeLines reads a body of lines "SYMBOL VALUE UNIT MINUTES", the time being
// so many minutes after noon.
func decodeLines(raw kurs.Raw) (seen kurs.Observed, err error) {
	for line := range strings.Lines(string(raw.Body)) {
		var symbol, value, unit string
		var minutes int
		if _, err := fmt.Sscan(line, &symbol, &value, &unit, &minutes); err != nil {
			return seen, fmt.Errorf("%w: %w", kurs.ErrRejected, err)
		}
		seen.Quotes = append(seen.Quotes, quote(symbol, value, unit, noon.Add(time.Duration(minutes)*time.Minute)))
	}
	return seen, nil
}

// run is a run on a queue, put together by hand.
type run struct {
	*testing.T
	q       *queue.Queue
	name    string
	counter uint64
	rates   queue.State
}

func newRun(t *testing.T, q *queue.Queue, name string) *run {
	t.Helper()
	rates, err := q.RatesState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &run{T: t, q: q, name: name, rates: rates}
}

func (r *run) raw(body string) kurs.Raw {
	r.counter++
	return kurs.Raw{
		ID: kurs.RawID{Source: "yahoo", Run: r.name, Counter: r.counter}, Source: "yahoo", Endpoint: kurs.EndpointQuote,
		Received: noon.Add(time.Hour), FX: kurs.StreamPos{Epoch: r.rates.Epoch, Seq: r.rates.Last}, Body: []byte(body),
	}
}

// prices puts an answer with prices on raw.
func (r *run) prices(body string) {
	r.Helper()
	if _, err := r.q.PutRaw(r.Context(), r.raw(body)); err != nil {
		r.Fatal(err)
	}
}

// learn puts an answer with rates on the stream rates, which later prices know.
func (r *run) learn(body string) {
	r.Helper()
	seq, err := r.q.PutRates(r.Context(), r.raw(body))
	if err != nil {
		r.Fatal(err)
	}
	r.rates.Last = seq
}

// process runs the stage to the end of the run, and returns what came of it: of
// each price and fill "SYMBOL base", sorted.
func (r *run) process() []string {
	r.Helper()
	state, err := r.q.RawState(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	if err := r.q.PutMark(r.Context(), r.name, queue.MarkAcquired, state.Last, r.counter); err != nil {
		r.Fatal(err)
	}
	before, err := r.q.PricedState(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	err = Run(ctx, Config{
		Run: r.name, Holder: r.name, Workers: 2, Base: "DKK", Decode: map[string]kurs.Decode{"yahoo": decodeLines, "user": decodeSaid}, Policy: fx.DefaultPolicy(),
	}, r.q, queue.NewMeter("process"), slog.New(slog.DiscardHandler))
	if err != nil || ctx.Err() != nil {
		r.Fatalf("%v, %v", err, ctx.Err())
	}
	end, _, ok, err := r.q.Mark(r.Context(), r.name, queue.MarkProcessed)
	if err != nil || !ok {
		r.Fatalf("no end mark: %v", err)
	}
	var out []string
	reader, err := r.q.ReadPriced(r.Context(), "test", kurs.StreamPos{Epoch: before.Epoch, Seq: before.Last})
	if err != nil {
		r.Fatal(err)
	}
	for reader.Position().Seq < end {
		batches, err := reader.Next(r.Context(), 50*time.Millisecond)
		if err != nil {
			r.Fatal(err)
		}
		for _, b := range batches {
			for _, p := range b.Prices {
				out = append(out, p.Symbol+" "+p.Base.String())
			}
			for _, a := range b.SetAside {
				out = append(out, "aside "+a.Symbol+" "+string(a.Reason))
			}
			for _, f := range b.Fills {
				out = append(out, "fill "+f.Symbol+" "+f.Base.String())
			}
		}
	}
	slices.Sort(out)
	return out
}

func (r *run) want(want ...string) {
	r.Helper()
	if got := r.process(); !slices.Equal(got, want) {
		r.Errorf("got  %q\nwant %q", got, want)
	}
	if state, err := r.q.RawState(r.Context()); err != nil || state.Messages != 0 {
		r.Errorf("raw still holds %d messages, %v", state.Messages, err)
	}
}

// TestPricesUseTheRatesThatWereKnownWhenTheyWereReceived, however many are known
// by the time that they are processed.
func TestPricesUseTheRatesThatWereKnownWhenTheyWereReceived(t *testing.T) {
	r := newRun(t, queuetest.Start(t, 64<<20), "r1")
	r.learn("DKK=X 6 DKK 0")
	r.prices("AAPL 100 USD 1")
	r.learn("DKK=X 6.5 DKK 0") // a correction of the same time
	r.prices("MSFT 100 USD 1\nNOVO 5 DKK 1")
	r.want("AAPL 600", "MSFT 650", "NOVO 5")
}

// TestAPriceWithoutARateIsFilledInOnce by the first rate in the stream that fits.
func TestAPriceWithoutARateIsFilledInOnce(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	r := newRun(t, q, "r1")
	r.prices("VOD.L 100 GBp 5\nAAPL 100 USD 5")
	r.learn("GBPDKK=X 8 DKK 6") // later than the price: not as of it
	r.learn("GBPDKK=X 8.5 DKK 4")
	r.learn("GBPDKK=X 9 DKK 5")
	r.want("AAPL ", "VOD.L ", "fill VOD.L 8.5")

	// What found none waits for the next run.
	next := newRun(t, q, "r2")
	next.learn("DKK=X 6.5 DKK 3")
	next.want("fill AAPL 650")
	state, err := q.UnpricedState(t.Context())
	if err != nil || state.Messages != 0 {
		t.Errorf("%d messages still wait, %v", state.Messages, err)
	}
	third := newRun(t, q, "r3")
	third.learn("DKK=X 6.6 DKK 4")
	third.want()
}

// TestAMessageOfAnotherEpochIsNotConvertedWithRatesOfThisOne: its place says
// nothing here. It is filled in instead.
func TestAMessageOfAnotherEpochIsNotConvertedWithRatesOfThisOne(t *testing.T) {
	r := newRun(t, queuetest.Start(t, 64<<20), "r1")
	r.learn("DKK=X 6 DKK 0")
	r.rates.Epoch = "of another stream"
	r.prices("AAPL 100 USD 1")
	r.want("AAPL ", "fill AAPL 600")
}

// TestWhatIsNotUnderstoodIsADeadLetter and accounted for; what is understood and
// cannot be is set aside; the rest goes on.
func TestWhatIsNotUnderstoodIsADeadLetter(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	r := newRun(t, q, "r1")
	r.prices("garbage")
	r.prices("NOVO 5 DKK 1\nLATER 5 DKK 100000")
	r.want("NOVO 5", "aside LATER in the future")
	depths, err := q.Depths(t.Context())
	if err != nil || depths["dead"].Messages != 1 {
		t.Errorf("%d dead letters, %v", depths["dead"].Messages, err)
	}
}

// TestTheBookIsTakenUpFromItsSnapshot: rates from before it are known after a
// restart, though their messages are gone.
func TestTheBookIsTakenUpFromItsSnapshot(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	first := newRun(t, q, "r1")
	first.learn("DKK=X 6 DKK 0")
	first.want()
	b := fx.New()
	policy, err := json.Marshal(fx.DefaultPolicy())
	if err != nil {
		t.Fatal(err)
	}
	b.Learn(1, []kurs.Rate{{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.Int(6), Time: noon, Source: "yahoo", Received: noon}})
	snapshot, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(q.PutSnapshot(t.Context(), 1, snapshot), q.PutPolicy(t.Context(), policy)); err != nil {
		t.Fatal(err)
	}
	state, err := q.RatesState(t.Context())
	if err != nil || state.First != 2 {
		t.Fatalf("the messages are not gone: %+v, %v", state, err)
	}
	second := newRun(t, q, "r2")
	second.prices("AAPL 100 USD 1")
	second.want("AAPL 600")
}

// TestTheBookIsKeptWhenMuchHasComeIn, and what the snapshot before stood for is
// dropped from the stream.
func TestTheBookIsKeptWhenMuchHasComeIn(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	r := newRun(t, q, "r1")
	s := &stage{
		Config: Config{Base: "DKK", Decode: map[string]kurs.Decode{"yahoo": decodeLines}}, q: q, log: slog.New(slog.DiscardHandler),
		meter: queue.NewMeter("process"), book: fx.New(),
	}
	s.proc = &Processor{Base: "DKK", Decode: s.Decode, Rates: s.book}
	f := newFiller(s)
	f.every = 2
	ctx, stop := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- q.FollowRates(ctx, 1, func(m queue.RateMessage) { s.learn(ctx, m) }) }()
	for i, first := range []uint64{1, 3} { // the first snapshot drops nothing
		for range 2 {
			r.learn(fmt.Sprintf("DKK=X %s DKK %d", []string{"6", "6.5"}[i], i))
		}
		if err := s.book.WaitFor(ctx, r.rates.Last); err != nil {
			t.Fatal(err)
		}
		f.again = time.Time{}
		if err := f.snapshot(ctx); err != nil {
			t.Fatal(err)
		}
		state, err := q.RatesState(ctx)
		if err != nil || state.First != first {
			t.Errorf("after snapshot %d the stream begins at %d, want %d, %v", i+1, state.First, first, err)
		}
		r.rates.Last = state.Last
		if err := s.book.WaitFor(ctx, state.Last); err != nil { // the snapshot's own messages move the place
			t.Fatal(err)
		}
	}
	stop()
	if err := <-followed; err != nil {
		t.Fatal(err)
	}
	snapshot, err := q.LastSnapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again := fx.New()
	if err := again.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	rate, ok := again.AsOf(kurs.Pair{From: "USD", To: "DKK"}, noon.Add(time.Minute), again.Pos())
	if !ok || rate.Value != kurs.MustDecimal("6.5") {
		t.Errorf("%s, %t", rate.Value, ok)
	}
}
