package yahoo

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// asking is what a plan had asked, and when.
type asking struct {
	at      time.Time
	symbols int
}

// planned runs a plan for a time, with requests that take a while, and returns
// what it asked.
func planned(t *testing.T, p *plan, takes, until time.Duration) (all []asking, by map[string][]time.Time) {
	t.Helper()
	work, done := make(chan taken), make(chan taken, 64)
	ctx := t.Context()
	go p.run(ctx, work, done)
	end := time.Now().Add(until)
	by = map[string][]time.Time{}
	timer := time.NewTimer(until)
	for {
		select {
		case <-timer.C:
			return all, by
		case batch := <-work:
			now := time.Now()
			all = append(all, asking{now, len(batch.symbols)})
			for _, s := range batch.symbols {
				by[s] = append(by[s], now)
			}
			go func() {
				if pause(ctx, takes) == nil {
					done <- batch
				}
			}()
			if now.After(end) {
				return all, by
			}
		}
	}
}

func many(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("S%03d", i)
	}
	return out
}

// TestAPlanIsATrickle: all at once at the start, then evenly, in full batches.
func TestAPlanIsATrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(many(200), 50, 10*time.Second, time.Now())
		all, by := planned(t, p, 100*time.Millisecond, 61*time.Second)
		if len(all) < 24 || len(all) > 29 {
			t.Errorf("%d requests, 4 for each of 6 or 7 rounds expected", len(all))
		}
		for i, a := range all {
			if a.symbols != 50 {
				t.Errorf("request %d has %d symbols", i, a.symbols)
			}
			if i > 5 && a.at.Sub(all[i-1].at) < 2*time.Second {
				t.Errorf("request %d comes %s after the last", i, a.at.Sub(all[i-1].at))
			}
		}
		for s, times := range by {
			for i := 2; i < len(times); i++ {
				if d := times[i].Sub(times[i-1]); d < 9*time.Second || d > 11*time.Second {
					t.Fatalf("%s asked after %s", s, d)
				}
			}
		}
	})
}

// TestWhatIsSeldomDueFillsOtherRequests: three quarters of the symbols are asked
// seldom, and the rest takes few requests.
func TestWhatIsSeldomDueFillsOtherRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(many(800), 50, 10*time.Second, time.Now())
		p.again = func(symbol string, asked time.Time) (time.Time, bool) {
			if symbol[3]%4 != 0 {
				return asked.Add(5 * time.Minute), false
			}
			return asked.Add(10 * time.Second), false
		}
		all, by := planned(t, p, 50*time.Millisecond, 100*time.Second)
		if n := len(all); n > 16+10*10 {
			t.Errorf("%d requests for 240 symbols each 10 s", n)
		}
		if n := len(by["S000"]); n < 10 || n > 11 {
			t.Errorf("one was asked %d times", n)
		}
		if n := len(by["S001"]); n != 1 {
			t.Errorf("one that is seldom due was asked %d times", n)
		}
	})
}

func TestAPlanSkipsWhatIsStillInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(many(10), 50, 10*time.Second, time.Now())
		skipped := 0
		p.skipped = func() { skipped++ }
		all, _ := planned(t, p, 25*time.Second, 125*time.Second)
		if len(all) < 4 || len(all) > 5 || skipped < 3 {
			t.Errorf("%d requests, %d skipped", len(all), skipped)
		}
	})
}

func TestAPlanHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(many(60), 50, time.Minute, time.Now())
		p.again = func(symbol string, asked time.Time) (time.Time, bool) {
			if symbol == "S007" {
				return time.Time{}, false // never
			}
			return asked.Add(time.Hour), false
		}
		go func() {
			if pause(t.Context(), 90*time.Second) == nil {
				p.hurry <- []string{"S007", "S059", "NONE"}
			}
		}()
		_, by := planned(t, p, time.Millisecond, 2*time.Minute)
		if len(by["S007"]) != 2 || len(by["S059"]) != 2 || len(by["S001"]) != 1 {
			t.Errorf("asked %d, %d and %d times", len(by["S007"]), len(by["S059"]), len(by["S001"]))
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	now := time.Now()
	p := newPlan(many(10_000), 50, 10*time.Second, now)
	for b.Loop() {
		batch, next := p.take(now)
		if batch == nil {
			now = next
			continue
		}
		p.done(batch, now, now)
	}
}
