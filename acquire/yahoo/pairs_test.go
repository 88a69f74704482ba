package yahoo

import (
	"slices"
	"testing"
	"time"
)

// TestAPairThatComesLateIsAskedBackToTheOldestPrice that waits for it, and not to
// the one that came last.
func TestAPairThatComesLateIsAskedBackToTheOldestPrice(t *testing.T) {
	b := newPairBook(Config{Base: "DKK", FXInterval: time.Minute, FXMaxAge: 10 * time.Minute}, nil)
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	b.start(start)
	now := start
	for ; now.Before(start.Add(unknownFor)); now = now.Add(time.Minute) {
		b.need(map[string]time.Time{"GBp": now}, now)
		b.absent(b.due(now), now)
		if past, _ := b.histories(now); len(past) > 0 {
			t.Fatalf("%s after the start %+v was asked for, of a pair that is not known", now.Sub(start), past)
		}
	}
	asked := b.due(now)
	if !slices.Contains(asked, "GBPDKK=X") {
		t.Fatalf("asked for %q", asked)
	}
	b.heard(asked, now)
	b.need(map[string]time.Time{"GBp": now}, now)
	past, _ := b.histories(now.Add(gather))
	if len(past) == 0 {
		t.Fatal("its past is not asked for")
	}
	for _, h := range past {
		if want := start.Add(-10 * time.Minute); !h.minutes.Equal(want) {
			t.Errorf("%s since %s, want %s", h.pair, h.minutes, want)
		}
	}
}
