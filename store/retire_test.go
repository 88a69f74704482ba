package store

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
	"kurs/queue/queuetest"
)

// TestNothingGoesThatAnotherStoreLacks: old rows are deleted only when every store
// is as far as this one was, and anew when something old was stored meanwhile.
func TestNothingGoesThatAnotherStoreLacks(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	state, err := q.PricedState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		put(t, q, "A")
	}
	at := func(seq uint64) kurs.StreamPos { return kurs.StreamPos{Epoch: state.Epoch, Seq: seq} }
	calls := 0
	result := error(nil)
	more := true
	first := Target{Name: "first", Retire: func(context.Context, kurs.Store, time.Time) (bool, error) {
		calls++
		return more, result
	}}
	w := &writer{
		Config: Config{Targets: []Target{first, {Name: "second"}}}, Target: first, q: q, meter: queue.NewMeter("store"), log: slog.New(slog.DiscardHandler), at: at(7),
	}
	other := func(pos kurs.StreamPos) {
		t.Helper()
		if err := q.PutPosition(t.Context(), "second", pos); err != nil {
			t.Fatal(err)
		}
	}
	step := func(name string, want int) {
		t.Helper()
		w.old.asked = time.Time{} // as if some seconds had passed
		w.retire(t.Context())
		if calls != want {
			t.Errorf("%s: %d calls, want %d", name, calls, want)
		}
	}
	price := func(age time.Duration) kurs.Group {
		return kurs.Group{Batches: []kurs.Batch{{Prices: []kurs.Price{{Receipt: kurs.Receipt{Received: time.Now().Add(-age)}}}}}}
	}

	step("the other has nothing", 0)
	other(kurs.StreamPos{Epoch: "another", Seq: 100})
	step("the other is at another queue", 0)
	other(at(6))
	step("the other is behind", 0)
	w.at = at(9) // this one goes on
	other(at(7))
	step("the other is where this one was", 1)
	step("more", 2)
	w.old.committed(price(time.Hour))
	step("something young was stored", 3)
	w.old.committed(price(48 * time.Hour))
	step("something old was stored", 3)
	other(at(9))
	step("the other has that too", 4)
	more = false
	step("the end", 5)
	step("before the hour is over", 5)

	w.old, result = retiring{}, errors.New("the disk")
	step("a failure", 6)
	step("is tried again in an hour", 6)

	w.old, result = retiring{}, nil
	if _, done, err := q.Detach(t.Context(), "second", at(10)); err != nil || !done {
		t.Fatalf("%v, %v", done, err)
	}
	step("the other is detached", 6)
}
