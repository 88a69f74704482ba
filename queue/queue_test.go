package queue

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"kurs"
	"kurs/internal/testkit"
	"kurs/queue/pb"

	"google.golang.org/protobuf/proto"
)

var received = time.Date(2026, 11, 24, 9, 15, 4, 0, time.UTC)

func rawMessage(counter uint64) kurs.Raw {
	return kurs.Raw{
		ID: kurs.RawID{Source: "yahoo", Run: "r1", Counter: counter}, Source: "yahoo", Endpoint: kurs.EndpointQuote,
		Asked: []string{"VOD.L", "^GSPC"}, Units: []string{"GBp", ""},
		Neighbours: []kurs.Neighbour{{Unit: "GBp", Value: kurs.MustDecimal("88.4"), Time: received}, {}},
		Received:   received, FX: kurs.StreamPos{Epoch: "e", Seq: 7}, Body: []byte(`{"a":1}`),
	}
}

func fullBatch() kurs.Batch {
	raw := rawMessage(3)
	receipt := kurs.Receipt{Received: received, Raw: raw.ID}
	rate := kurs.Rate{
		Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.471"), Time: received.Add(-time.Minute),
		Source: "yahoo", Symbol: "GBPDKK=X", Received: received, Raw: raw.ID, ValidFor: 10 * time.Minute,
	}
	conversion := kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), Rate: rate, BaseCurrency: "DKK"}
	quote := kurs.Quote{
		Symbol: "VOD.L", Source: "yahoo", Time: received, Session: kurs.SessionRegular, Value: kurs.MustDecimal("88.42"),
		Unit: "GBp", Bid: kurs.MustDecimal("88.4"), Volume: kurs.Volume{N: 28_000_000_000, Known: true}, Delay: 15 * time.Minute,
	}
	bar := kurs.Bar{
		Symbol: "VOD.L", Source: "yahoo", Start: received, Interval: "1m", High: kurs.MustDecimal("89"),
		Close: kurs.MustDecimal("88.5"), Approximate: true, Unit: "GBp",
	}
	waiting := quote
	waiting.Symbol = "7203.T"
	cross := rate
	cross.Source, cross.Symbol, cross.Kept = "yahoo via USD", "", true
	cross.Legs = [2]kurs.Leg{
		{Pair: kurs.Pair{From: "USD", To: "GBP"}, Value: kurs.MustDecimal("0.76"), Time: received, Inverse: true},
		{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.MustDecimal("6.43"), Time: received.Add(-time.Minute)},
	}
	crossed := conversion
	crossed.Rate = cross
	said := kurs.Receipt{Received: received, Raw: kurs.RawID{Source: kurs.SourceUser, Run: "r1", Counter: 1}, Origin: kurs.OriginCorrection}
	aside := kurs.SetAside{
		Kind: kurs.AsideBar, Price: kurs.Price{Quote: quote, Receipt: receipt, Conversion: crossed, Base: kurs.Int(7)}, Interval: "1m",
		Open: kurs.Int(1), Low: kurs.Int(-1), Reason: kurs.ReasonJump, Detail: "next to 0.88 GBp",
	}
	return kurs.Batch{
		Raws: []kurs.RawID{raw.ID}, BaseCurrency: "DKK",
		Prices: []kurs.Price{
			{Quote: quote, Receipt: receipt, Conversion: conversion, Base: kurs.MustDecimal("7.4900582")},
			{Quote: waiting, Receipt: receipt, Conversion: kurs.Conversion{Currency: "JPY", Factor: kurs.Int(1), BaseCurrency: "DKK"}},
		},
		Bars:        []kurs.PricedBar{{Bar: bar, Receipt: receipt, Conversion: conversion, BaseClose: kurs.MustDecimal("7.5")}},
		Rates:       []kurs.Rate{rate},
		Events:      []kurs.Event{{Kind: kurs.EventSplit, Symbol: "AAPL", Source: "yahoo", Time: received, Numerator: kurs.Int(4), Denominator: kurs.Int(1)}},
		Instruments: []kurs.Instrument{{Symbol: "VOD.L", Source: "yahoo", Name: "Vodafone", Kind: kurs.KindEquity, Unit: "GBp"}},
		Fills:       []kurs.Fill{{Symbol: "7203.T", Source: "yahoo", Time: received, Session: kurs.SessionRegular, Receipt: receipt, Rate: rate, Base: kurs.Int(0)}},
		Gaps:        []kurs.Gap{{Symbol: "AAPL", Source: "yahoo", From: received, To: received.Add(time.Hour), Reason: "rate limit", Receipt: receipt}},
		SetAside:    []kurs.SetAside{aside},
		Decisions: []kurs.Decision{{
			Of: aside, Action: kurs.ActionKeep, Factor: kurs.MustDecimal("0.01"), Author: "anna", Comment: "pounds", Receipt: said,
		}},
		Corrections: []kurs.Correction{
			{Price: kurs.Price{Quote: quote, Receipt: said, Conversion: conversion, Base: kurs.Int(7)}, Author: "anna", Reason: "typo"},
			{Price: kurs.Price{Quote: waiting, Receipt: said, Conversion: kurs.Conversion{BaseCurrency: "DKK"}}, Author: "anna", Undo: true},
		},
		Aliases: []kurs.Alias{
			{Symbol: "META", Was: "FB", Until: received, Author: "anna", Receipt: said},
			{Symbol: "META", Was: "FB", From: received, Removed: true, Receipt: said},
		},
	}
}

var decimals = cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

func TestBatchComesBackWhole(t *testing.T) {
	for name, want := range map[string]kurs.Batch{"full": fullBatch(), "empty": {}} {
		data, err := encodeBatch(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBatch(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, decimals); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMessagesThatAreNotUnderstood(t *testing.T) {
	newer, err := proto.Marshal(&pb.Batch{Version: messageVersion + 1})
	if err != nil {
		t.Fatal(err)
	}
	outside, err := proto.Marshal(&pb.Batch{Version: 1, BaseCurrency: 9})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"nothing": nil, "noise": []byte("noise"), "newer": newer, "index": outside} {
		if _, err := decodeBatch(data); !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeBatch(f *testing.F) {
	testkit.Corpus(f)
	data, err := encodeBatch(fullBatch())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := decodeBatch(data)
		if err != nil && !errors.Is(err, kurs.ErrRejected) {
			t.Fatal(err)
		}
		if err == nil {
			if _, err := encodeBatch(b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzDecodeRaw(f *testing.F) {
	testkit.Corpus(f)
	data, err := encodeRaw(rawMessage(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := decodeRaw(data)
		if err != nil && !errors.Is(err, kurs.ErrRejected) {
			t.Fatal(err)
		}
		if err == nil {
			if _, err := encodeRaw(raw); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// broker starts a real embedded broker in dir and connects to it.
func broker(t *testing.T, dir string) *Queue {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s, err := StartServer(ServerConfig{Dir: dir, MaxBytes: 64 << 20}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Health(); err != nil {
		t.Error(err)
	}
	q, err := Connect(t.Context(), s.Address(), "test", 64<<20, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		q.Close()
		s.Stop()
	})
	return q
}

// TestRawIsWorkedOffOnce: what is acknowledged is gone, what failed comes again.
func TestRawIsWorkedOffOnce(t *testing.T) {
	q := broker(t, t.TempDir())
	want := rawMessage(1)
	if _, err := q.PutRaw(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	failed := false
	err := q.WorkRaw(ctx, 1, func(_ context.Context, raws []kurs.Raw) error {
		if !failed {
			failed = true
			return errors.New("an outage")
		}
		if diff := cmp.Diff([]kurs.Raw{want}, raws, decimals); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		stop()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := q.RawState(t.Context())
	if err != nil || state.Messages != 0 || state.Last != 1 {
		t.Errorf("raw holds %+v, %v", state, err)
	}
}

// TestWaitingPricesAreTurnedAwayRatherThanDropped: where the stream is full, what
// waits already stays, and nobody is held up.
func TestWaitingPricesAreTurnedAwayRatherThanDropped(t *testing.T) {
	q := broker(t, t.TempDir())
	stream, err := q.js.Stream(t.Context(), streamUnpriced)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.MaxBytes = 10_000
	if _, err := q.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4_000)
	for i, want := range []error{nil, nil, ErrFull} {
		if err := q.PutUnpriced(t.Context(), "GBP", "m"+string(rune('0'+i)), data); !errors.Is(err, want) {
			t.Errorf("message %d: %v, want %v", i, err, want)
		}
	}
	first, ok, err := q.GetUnpriced(t.Context(), 1)
	if err != nil || !ok || len(first.Data) != len(data) {
		t.Errorf("the first message has %d bytes, %v, %v", len(first.Data), ok, err)
	}
}

// TestAnOldStreamLearnsToTurnAway: one that an earlier version made dropped the
// oldest message when it was full.
func TestAnOldStreamLearnsToTurnAway(t *testing.T) {
	q := broker(t, t.TempDir())
	stream, err := q.js.Stream(t.Context(), streamUnpriced)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Discard, config.MaxBytes = jetstream.DiscardOld, 256<<20
	if _, err := q.js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := q.makeStreams(t.Context(), 64<<20); err != nil {
		t.Fatal(err)
	}
	stream, err = q.js.Stream(t.Context(), streamUnpriced)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().Config; got.Discard != jetstream.DiscardNew || got.MaxBytes != unpricedBytes {
		t.Errorf("the stream has %v, %d bytes", got.Discard, got.MaxBytes)
	}
}

// TestPricedIsReadFromThePosition: the store's position is the truth, across
// readers, and purging stops at the slowest store.
func TestPricedIsReadFromThePosition(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx := t.Context()
	for _, id := range []string{"a", "b", "c", "a"} { // "a" again is one message
		if _, err := q.PutPriced(ctx, id, fullBatch()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := q.ReadPriced(ctx, "sqlite", kurs.StreamPos{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := r.Next(ctx, 200*time.Millisecond)
	if err != nil || len(all) != 3 {
		t.Fatalf("got %d batches, %v", len(all), err)
	}
	r.Ack()
	if r, err = q.ReadPriced(ctx, "sqlite", all[1].Position); err != nil {
		t.Fatal(err)
	}
	rest, err := r.Next(ctx, 200*time.Millisecond)
	if err != nil || len(rest) != 1 || rest[0].Position.Seq != 3 {
		t.Fatalf("after position 2: %d batches, %v", len(rest), err)
	}
	if err := q.PutPosition(ctx, "sqlite", all[1].Position); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		stores []string
		left   uint64
	}{{[]string{"sqlite", "stdout"}, 3}, {[]string{"sqlite"}, 1}} {
		if err := q.PurgePriced(ctx, c.stores); err != nil {
			t.Fatal(err)
		}
		if state, err := q.PricedState(ctx); err != nil || state.Messages != c.left {
			t.Errorf("stores %v: %d messages left, want %d (%v)", c.stores, state.Messages, c.left, err)
		}
	}
}

// TestALonePricedMessageIsReadAtOnce: it does not wait for others to come.
func TestALonePricedMessageIsReadAtOnce(t *testing.T) {
	const patience = 20 * time.Second
	q := broker(t, t.TempDir())
	r, err := q.ReadPriced(t.Context(), "sqlite", kurs.StreamPos{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.PutPriced(t.Context(), "a", fullBatch()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	got, err := r.Next(t.Context(), patience)
	if took := time.Since(began); err != nil || len(got) != 1 || took > patience/2 {
		t.Errorf("%d batches after %s, %v", len(got), took, err)
	}
}

func TestRatesAreFollowedInOrder(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 2 { // the same policy twice is one message
		if err := q.PutPolicy(ctx, []byte("policy")); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := q.PutRates(ctx, rawMessage(1)); err != nil || seq != 2 {
		t.Fatalf("sequence %d, %v", seq, err)
	}
	var got []string
	err := q.FollowRates(ctx, 1, func(m RateMessage) {
		switch {
		case m.Raw != nil:
			got = append(got, m.Raw.ID.String())
			stop()
		default:
			got = append(got, string(m.Policy))
		}
	})
	if diff := cmp.Diff([]string{"policy", "yahoo/r1/1"}, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestMarksBelongToTheirRun(t *testing.T) {
	q := broker(t, t.TempDir())
	if err := q.PutMark(t.Context(), "r1", MarkAcquired, 41, 40); err != nil {
		t.Fatal(err)
	}
	seq, accepted, err := q.AwaitMark(t.Context(), "r1", MarkAcquired)
	if err != nil || seq != 41 || accepted != 40 {
		t.Errorf("got %d, %d, %v", seq, accepted, err)
	}
	if _, _, ok, err := q.Mark(t.Context(), "r2", MarkAcquired); ok || err != nil {
		t.Errorf("another run has the mark: %v, %v", ok, err)
	}
}

// TestAcceptedSurvivesARestart: what Put returned for is there after the broker
// was started anew, under the same epoch.
func TestAcceptedSurvivesARestart(t *testing.T) {
	dir := t.TempDir()
	var before State
	t.Run("put", func(t *testing.T) {
		q := broker(t, dir)
		if _, err := q.PutRaw(t.Context(), rawMessage(1)); err != nil {
			t.Fatal(err)
		}
		var err error
		if before, err = q.RawState(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	after, err := broker(t, dir).RawState(t.Context())
	if err != nil || after != before || after.Messages != 1 {
		t.Errorf("before %+v, after %+v, %v", before, after, err)
	}
}

func TestLeaseIsHeldByOne(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var turns int
	err := q.HoldLease(ctx, "fill", "me", func(context.Context) error {
		turns++
		if _, err := q.claim(ctx, "lease."+kurs.Token("fill"), "other", 0); err == nil {
			t.Error("another took a lease that is held")
		}
		stop()
		return nil
	})
	if err != nil || turns != 1 {
		t.Errorf("turns %d, %v", turns, err)
	}
}

// TestABrokerIsStartedAgainWhereItWas: after a restart in place connections come
// back, and everything that was put is there.
func TestABrokerIsStartedAgainWhereItWas(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	s, err := StartServer(ServerConfig{Dir: t.TempDir(), MaxBytes: 64 << 20}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	q, err := Connect(t.Context(), s.Address(), "test", 64<<20, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if _, err := q.PutRaw(t.Context(), rawMessage(1)); err != nil {
		t.Fatal(err)
	}
	before := s.Address()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if s.Address() != before {
		t.Errorf("it was at %v, and is at %v", before, s.Address())
	}
	if _, err := q.PutRaw(t.Context(), rawMessage(2)); err != nil { // it waits for the connection
		t.Fatal(err)
	}
	if state, err := q.RawState(t.Context()); err != nil || state.Messages != 2 {
		t.Errorf("%+v, %v", state, err)
	}
	s.Stop()
	if s.Health() == nil {
		t.Error("a broker that was stopped is well")
	}
}

// TestForgottenMessagesAreAskedForAnew: where the broker counts nothing as to come
// or in hand, but holds a message, its consumer is made anew.
func TestForgottenMessagesAreAskedForAnew(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx := t.Context()
	if _, err := q.PutRaw(ctx, rawMessage(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&rawWork{q: q}).consumer(ctx); err != nil {
		t.Fatal(err)
	}
	// The consumer of an empty stream stands for one that is past its messages.
	forgetful, err := q.js.CreateConsumer(ctx, streamDead, jetstream.ConsumerConfig{AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	var f forgotten
	look := func() {
		t.Helper()
		f.looked = time.Time{}
		if err := f.look(ctx, q, forgetful); err != nil {
			t.Fatal(err)
		}
	}
	there := func() bool {
		_, err := q.js.Consumer(ctx, streamRaw, rawConsumer)
		return err == nil
	}
	look()
	look()
	if !there() {
		t.Fatal("it was given up at once")
	}
	f.since = f.since.Add(-forgottenAfter)
	look()
	if there() {
		t.Error("the consumer is still there")
	}
}

// TestASnapshotMayBeLargerThanAMessage, and counts only when it is whole.
func TestASnapshotMayBeLargerThanAMessage(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx := t.Context()
	if got, err := q.LastSnapshot(ctx); got != nil || err != nil {
		t.Errorf("a snapshot of nothing: %d bytes, %v", len(got), err)
	}
	want := make([]byte, 2*snapshotPart+7)
	for i := range want {
		want[i] = byte(i * 7)
	}
	if _, err := q.PutRates(ctx, rawMessage(1)); err != nil {
		t.Fatal(err)
	}
	if err := q.PutSnapshot(ctx, 1, want); err != nil {
		t.Fatal(err)
	}
	if _, err := q.put(ctx, ratesPart, "", []byte("of one that was never finished")); err != nil {
		t.Fatal(err)
	}
	got, err := q.LastSnapshot(ctx)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
	if state, err := q.RatesState(ctx); err != nil || state.First != 2 {
		t.Errorf("the old rates are still there: %+v, %v", state, err)
	}
}

// TestAMessageThatTheBrokerPassesOverIsReadAnew: a reader hands nothing out before
// what comes first.
func TestAMessageThatTheBrokerPassesOverIsReadAnew(t *testing.T) {
	q := broker(t, t.TempDir())
	ctx := t.Context()
	for range 3 {
		if _, err := q.PutPriced(ctx, "", fullBatch()); err != nil {
			t.Fatal(err)
		}
	}
	r, err := q.ReadPriced(ctx, "sqlite", kurs.StreamPos{})
	if err != nil {
		t.Fatal(err)
	}
	at := r.at
	r.at.Seq = 1 // what the broker hands out then begins with the second
	if err := r.subscribe(ctx); err != nil {
		t.Fatal(err)
	}
	r.at = at
	var got []uint64
	for len(got) < 3 {
		batches, err := r.Next(ctx, 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			got = append(got, b.Position.Seq)
		}
	}
	if diff := cmp.Diff([]uint64{1, 2, 3}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
