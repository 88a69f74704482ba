package acquire

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
	"kurs/queue/queuetest"
)

// source emits what it is told to, and then has no more.
type source func(ctx context.Context, emit kurs.Emit) error

func (s source) Run(ctx context.Context, emit kurs.Emit) error { return s(ctx, emit) }

func answer(body string) kurs.Raw {
	return kurs.Raw{Endpoint: kurs.EndpointQuote, Received: time.Date(2026, 11, 24, 9, 0, 0, 123_456_789, time.Local), Body: []byte(body)}
}

func run(t *testing.T, q *queue.Queue, name string, s source) (*queue.Meter, error) {
	t.Helper()
	meter := queue.NewMeter("acquire")
	err := Run(t.Context(), Config{Run: name, Sources: []Source{{Name: "yahoo", Source: s}}, Policy: []byte(`{}`)}, q, meter, slog.New(slog.DiscardHandler))
	return meter, err
}

// raws reads everything that is on the queue raw.
func raws(t *testing.T, q *queue.Queue, want int) []kurs.Raw {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var got []kurs.Raw
	err := q.WorkRaw(ctx, 1, func(_ context.Context, group []kurs.Raw) error {
		if got = append(got, group...); len(got) >= want {
			stop()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestAnswersAreStampedAndTheEndIsMarked: ids are counted, rates come first on
// their own stream, and prices name the place of the rates known before them.
func TestAnswersAreStampedAndTheEndIsMarked(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	_, err := run(t, q, "r1", func(ctx context.Context, emit kurs.Emit) error {
		return errors.Join(
			emit(ctx, answer("price 1"), kurs.CarriesPrices),
			emit(ctx, answer("rate"), kurs.CarriesRates),
			emit(ctx, answer("price 2"), kurs.CarriesPrices),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	rates, err := q.RatesState(t.Context())
	if err != nil || rates.Last != 2 { // the policy, then the rate
		t.Fatalf("stream rates %+v, %v", rates, err)
	}
	got := raws(t, q, 3)
	for i, want := range []struct {
		body string
		fx   uint64
	}{{"price 1", 1}, {"rate", 2}, {"price 2", 2}} {
		raw := got[i]
		if string(raw.Body) != want.body || raw.FX != (kurs.StreamPos{Epoch: rates.Epoch, Seq: want.fx}) {
			t.Errorf("%d: %q with rates up to %+v", i, raw.Body, raw.FX)
		}
		if raw.ID != (kurs.RawID{Source: "yahoo", Run: "r1", Counter: uint64(i) + 1}) || raw.Source != "yahoo" {
			t.Errorf("%d: id %s", i, raw.ID)
		}
		if raw.Received.Location() != time.UTC || raw.Received.Nanosecond()%int(time.Millisecond) != 0 {
			t.Errorf("%d: received %s", i, raw.Received)
		}
	}
	seq, accepted, ok, err := q.Mark(t.Context(), "r1", queue.MarkAcquired)
	if err != nil || !ok || seq != 3 || accepted != 3 {
		t.Errorf("end mark %d, %d accepted, %t, %v", seq, accepted, ok, err)
	}
}

// TestSeveralSourcesAreAskedSideBySide: their answers have ids of their own, the
// run ends when the last has no more, and one that fails ends the others.
func TestSeveralSourcesAreAskedSideBySide(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	meter := queue.NewMeter("acquire")
	log := slog.New(slog.DiscardHandler)
	handed := make(chan struct{})
	first := source(func(ctx context.Context, emit kurs.Emit) error {
		defer close(handed)
		return errors.Join(emit(ctx, answer("price 1"), kurs.CarriesPrices), emit(ctx, answer("price 2"), kurs.CarriesPrices))
	})
	second := source(func(ctx context.Context, emit kurs.Emit) error {
		<-handed // the other has ended, or is about to
		return emit(ctx, answer("rate"), kurs.CarriesRates)
	})
	settled := make(chan string, 2)
	settle := func(symbol string, _ kurs.Neighbour) { settled <- symbol }
	c := Config{Run: "r1", Sources: []Source{{Name: "yahoo", Source: first, Settle: settle}, {Name: "ecb", Source: second}}}
	if err := Run(t.Context(), c, q, meter, log); err != nil {
		t.Fatal(err)
	}
	ids := map[uint64]bool{}
	for _, raw := range raws(t, q, 3) {
		want := "yahoo"
		if string(raw.Body) == "rate" {
			want = "ecb"
		}
		if raw.Source != want || raw.ID.Source != want || ids[raw.ID.Counter] {
			t.Errorf("%s: %q of %s", raw.ID, raw.Body, raw.Source)
		}
		ids[raw.ID.Counter] = true
	}
	if _, accepted, ok, err := q.Mark(t.Context(), "r1", queue.MarkAcquired); err != nil || !ok || accepted != 3 {
		t.Errorf("%d accepted, %t, %v", accepted, ok, err)
	}
	c.settle("AAPL", kurs.Neighbour{})
	if got := <-settled; got != "AAPL" || !c.settles() || c.names() != "yahoo,ecb" {
		t.Errorf("settled %q", got)
	}

	died := errors.New("died")
	c.Run = "r2"
	c.Sources[0].Source = source(func(context.Context, kurs.Emit) error { return died })
	c.Sources[1].Source = source(func(ctx context.Context, _ kurs.Emit) error { <-ctx.Done(); return nil })
	if err := Run(t.Context(), c, q, meter, log); !errors.Is(err, died) {
		t.Error(err)
	}
}

// TestARestartedProcessTakesTheRunUp: no id is given twice, and what the first
// process put is counted.
func TestARestartedProcessTakesTheRunUp(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	died := errors.New("died")
	emitOne := func(ctx context.Context, emit kurs.Emit) error { return emit(ctx, answer("x"), kurs.CarriesPrices) }
	if _, err := run(t, q, "r0", emitOne); err != nil { // an earlier run
		t.Fatal(err)
	}
	_, err := run(t, q, "r1", func(ctx context.Context, emit kurs.Emit) error {
		return errors.Join(emitOne(ctx, emit), emitOne(ctx, emit), died)
	})
	if !errors.Is(err, died) {
		t.Fatal(err)
	}
	if _, _, ok, err := q.Mark(t.Context(), "r1", queue.MarkAcquired); ok || err != nil {
		t.Fatalf("a run that died is marked as ended: %v", err)
	}
	if _, err := run(t, q, "r1", emitOne); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, raw := range raws(t, q, 4) {
		ids = append(ids, raw.ID.String())
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 4 {
		t.Errorf("ids %q", ids)
	}
	if _, accepted, _, err := q.Mark(t.Context(), "r1", queue.MarkAcquired); err != nil || accepted != 3 {
		t.Errorf("%d accepted, %v", accepted, err)
	}
}

// TestRatesOfAKilledProcessComeToRawAsWell: one that was killed between the two
// streams. After an end in order nothing is put again.
func TestRatesOfAKilledProcessComeToRawAsWell(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	nothing := func(context.Context, kurs.Emit) error { return nil }
	if _, err := run(t, q, "r0", func(ctx context.Context, emit kurs.Emit) error { return emit(ctx, answer("rate 1"), kurs.CarriesRates) }); err != nil {
		t.Fatal(err)
	}
	killed := answer("rate 2")
	killed.ID, killed.Source = kurs.RawID{Source: "yahoo", Run: "r1", Counter: 1}, "yahoo"
	seq, err := q.PutRates(t.Context(), killed)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"r1", "r2"} {
		if _, err := run(t, q, name, nothing); err != nil {
			t.Fatal(err)
		}
	}
	state, err := q.RawState(t.Context())
	if err != nil || state.Last != 2 {
		t.Fatalf("raw ends at %d, %v", state.Last, err)
	}
	got := raws(t, q, 2)[1]
	if got.ID != killed.ID || string(got.Body) != "rate 2" || got.FX.Seq != seq {
		t.Errorf("got %s %q with rates up to %d", got.ID, got.Body, got.FX.Seq)
	}
}

// TestAnAnswerThatIsTooLargeEndsNothing: it becomes a dead letter.
func TestAnAnswerThatIsTooLargeEndsNothing(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	meter, err := run(t, q, "r1", func(ctx context.Context, emit kurs.Emit) error {
		return errors.Join(
			emit(ctx, answer(strings.Repeat("x", 9<<20)), kurs.CarriesPrices),
			emit(ctx, answer("small"), kurs.CarriesPrices),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := raws(t, q, 1); string(got[0].Body) != "small" {
		t.Errorf("raw holds %.20q", got[0].Body)
	}
	letter, ok, err := q.LastDead(t.Context())
	if err != nil || !ok || letter.Stage != "acquire" || meter.Report().Counts[queue.CountDead] != 1 {
		t.Errorf("%+v, %t, %v", letter, ok, err)
	}
}

// TestTheSourceWaitsForSpace: while a disk is nearly full nothing is accepted,
// and the report says why.
func TestTheSourceWaitsForSpace(t *testing.T) {
	meter := queue.NewMeter("acquire")
	ctx, cancel := context.WithCancel(t.Context())
	s := &Space{Dirs: []string{"a"}, Min: 100, Log: slog.New(slog.DiscardHandler), Free: func(string) (uint64, error) {
		cancel() // it has looked
		return 99, nil
	}}
	if err := s.Wait(ctx, meter); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if trouble := meter.Report().Trouble; trouble == nil || trouble.Code != "KURS-DISK" {
		t.Errorf("trouble %+v", trouble)
	}
	s.Free = func(string) (uint64, error) { return 100, nil }
	s.checked = time.Time{}
	if err := s.Wait(t.Context(), meter); err != nil {
		t.Fatal(err)
	}
	if trouble := meter.Report().Trouble; trouble != nil {
		t.Errorf("trouble %+v", trouble)
	}
	if err := (&Space{Min: 0}).Wait(ctx, meter); err != nil {
		t.Errorf("switched off: %v", err)
	}
}

// TestWhatIsPutBesideARunHasItsPlace: what a person says comes between the answers
// of the run, which goes on; one that carries rates is on the stream rates too.
func TestWhatIsPutBesideARunHasItsPlace(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	said := answer("said")
	said.ID = kurs.RawID{Source: kurs.SourceUser, Run: "p1", Counter: 1}
	_, err := run(t, q, "r1", func(ctx context.Context, emit kurs.Emit) error {
		return errors.Join(
			emit(ctx, answer("price 1"), kurs.CarriesPrices),
			Put(ctx, q, said, kurs.CarriesRates),
			emit(ctx, answer("rate"), kurs.CarriesRates),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	got := raws(t, q, 3)
	if got[1].ID != said.ID || got[1].Source != kurs.SourceUser || got[1].FX.Seq != 2 || got[1].Received.Nanosecond() != 123_000_000 {
		t.Errorf("got %+v", got[1])
	}
	if got[2].ID.Counter != 2 || got[2].FX.Seq != 3 {
		t.Errorf("the run goes on with %s, rates up to %d", got[2].ID, got[2].FX.Seq)
	}
	for range 2 { // said again it is the same
		if err := Put(t.Context(), q, said, kurs.CarriesRates); err != nil {
			t.Fatal(err)
		}
	}
	rates, err := q.RatesState(t.Context())
	if err != nil || rates.Last != 3 {
		t.Errorf("stream rates %+v, %v", rates, err)
	}
	said.Body = []byte(strings.Repeat("x", 9<<20))
	said.ID.Counter = 2
	if err := Put(t.Context(), q, said, kurs.CarriesPrices); !errors.Is(err, kurs.ErrRejected) {
		t.Errorf("too large: %v", err)
	}
}
