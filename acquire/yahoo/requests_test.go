package yahoo

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheBudgetIsOneForAllProcesses, and outlives them: two logs on one file are
// two processes.
func TestTheBudgetIsOneForAllProcesses(t *testing.T) {
	dir := t.TempDir()
	const perMinute = 20
	var group sync.WaitGroup
	allowed := make(chan struct{}, 1000)
	for range 4 {
		l := openRequestLog(dir, perMinute)
		group.Go(func() {
			for range 20 {
				left, err := l.take(t.Context())
				if err != nil {
					t.Error(err)
				}
				if left <= 0 {
					allowed <- struct{}{}
				} else if left > minute {
					t.Errorf("wait %s", left)
				}
			}
		})
	}
	group.Wait()
	if len(allowed) != perMinute {
		t.Errorf("%d requests of %d", len(allowed), perMinute)
	}
	if left, err := openRequestLog(dir, perMinute).take(t.Context()); err != nil || left <= 0 {
		t.Errorf("after a restart: %s, %v", left, err)
	}
	// A smaller budget holds at once, a larger one gives what it has more.
	if left, err := openRequestLog(dir, 5).take(t.Context()); err != nil || left <= 0 {
		t.Errorf("a smaller budget: %s, %v", left, err)
	}
	if left, err := openRequestLog(dir, 6).take(t.Context()); err != nil || left > 0 {
		t.Errorf("a larger budget: %s, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, requestsFile), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if left, err := openRequestLog(dir, perMinute).take(t.Context()); err != nil || left > 0 {
		t.Errorf("a file that is none: %s, %v", left, err)
	}
}

func TestTheLogOfRequestsAsTimePasses(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openRequestLog(dir, 3)
		made := 0
		for range 200 {
			if left, err := l.take(t.Context()); err != nil {
				t.Fatal(err)
			} else if left <= 0 {
				made++
			}
			wait(time.Second)
		}
		if made < 9 || made > 12 {
			t.Errorf("%d requests in 200 s at 3 a minute", made)
		}
	})
}

// TestACrashLoopIsNoStorm: a client that is started anew before each request
// makes no more of them than one that runs.
func TestACrashLoopIsNoStorm(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		began := time.Now()
		for time.Since(began) < 3*time.Minute {
			r := record(t, f, Config{Symbols: []string{"AAPL", "VOD.L"}, Interval: 5 * time.Second, MaxPerMinute: 20, StateDir: dir})
			wait(3 * time.Second)
			r.stop()
		}
		for i, a := range f.requests {
			if i >= 20 && a.at.Sub(f.requests[i-20].at) < time.Minute {
				t.Fatalf("more than 20 requests in the minute before %s", a.at)
			}
		}
		if len(f.requests) < 40 {
			t.Errorf("%d requests", len(f.requests))
		}
		if f.sessions != 1 {
			t.Errorf("%d sessions", f.sessions)
		}
	})
}

func TestSlots(t *testing.T) {
	s := newSlots(8)
	for range 3 {
		s.went(false)
	}
	if s.now() != 1 {
		t.Errorf("%d after three refusals", s.now())
	}
	s.went(false)
	for range 2 * goodForMore {
		s.went(true)
	}
	if s.now() != 3 {
		t.Errorf("%d after twenty good ones", s.now())
	}
	for range 200 {
		s.went(true)
	}
	if s.now() != 8 {
		t.Errorf("%d of 8", s.now())
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(2)
		under, most := 0, 0
		var mu sync.Mutex
		for range 20 {
			go func() {
				if err := s.take(t.Context()); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				under++
				most = max(most, under)
				mu.Unlock()
				if err := pause(t.Context(), time.Second); err != nil {
					t.Error(err)
				}
				mu.Lock()
				under--
				mu.Unlock()
				s.give()
			}()
		}
		wait(11 * time.Second)
		if most != 2 || under != 0 {
			t.Errorf("%d at a time, %d left", most, under)
		}
	})
}

// TestTheBudgetHoldsWhenItsFileIsLost: what was sent is known here as well.
func TestTheBudgetHoldsWhenItsFileIsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(10, 4)
		b.log = openRequestLog(dir, 10)
		lost := 0
		b.unkept = func(error) { lost++ }
		made := 0
		for i := range 20 {
			if i == 7 {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(dir, nil, 0o600); err != nil { // no folder any more
					t.Fatal(err)
				}
			}
			if b.take(t.Context(), time.Now()) <= 0 {
				made++
			}
		}
		if made != 10 || lost == 0 {
			t.Errorf("%d requests in a minute of 10, the loss was told %d times", made, lost)
		}
	})
}
