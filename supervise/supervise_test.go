package supervise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kurs"
	"kurs/config"
	"kurs/queue"
)

func paths(t *testing.T) config.Paths {
	t.Helper()
	dir := t.TempDir()
	return config.Paths{Data: dir, Database: filepath.Join(dir, "kurs.db"), Queue: filepath.Join(dir, "queue")}
}

// settings are a run's, with one store.
func settings(t *testing.T) config.Config {
	t.Helper()
	c := config.Config{Symbols: []string{"AAPL"}, Currency: "DKK", Paths: paths(t)}
	c.Queue.MaxBytes = 64 << 20
	c.Store.Use = []string{"sqlite"}
	return c
}

// marks is the work of three stages that do nothing but end a run in order.
func marks(ctx context.Context, o Order, stop <-chan struct{}) error {
	q, err := queue.Connect(ctx, o.Queue, o.Stage, o.Config.Queue.MaxBytes, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer q.Close()
	switch o.Stage {
	case Acquire:
		select {
		case <-stop:
		case <-ctx.Done():
			return ctx.Err()
		}
		return q.PutMark(ctx, o.Run, queue.MarkAcquired, 0, 7)
	case Process:
		if _, _, err := q.AwaitMark(ctx, o.Run, queue.MarkAcquired); err != nil {
			return err
		}
		return q.PutMark(ctx, o.Run, queue.MarkProcessed, 0, 0)
	default:
		_, _, err := q.AwaitMark(ctx, o.Run, queue.MarkProcessed)
		return err
	}
}

// supervised runs the supervisor with a work of three stages.
func supervised(t *testing.T, c Config, stops <-chan struct{}, work Work) (Result, error) {
	t.Helper()
	claim, err := TakeClaim(c.Settings.Paths, c.Settings.Currency)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := claim.Release(); err != nil {
			t.Error(err)
		}
	}()
	c.Claim, c.Launch = claim, Inside(work)
	c.Free = func(string) (uint64, error) { return 1 << 40, nil }
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return Run(ctx, c, stops)
}

func TestARunEndsInOrderWhenItsDurationIsOver(t *testing.T) {
	r, err := supervised(t, Config{Settings: settings(t), Duration: 50 * time.Millisecond, Drain: 20 * time.Second}, nil, marks)
	if err != nil || r.Accepted != 7 || r.Waiting != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestTheFirstStopEndsInOrder(t *testing.T) {
	stops := make(chan struct{}, 1)
	stops <- struct{}{}
	if r, err := supervised(t, Config{Settings: settings(t), Drain: 20 * time.Second}, stops, marks); err != nil || r.Accepted != 7 {
		t.Errorf("%+v, %v", r, err)
	}
}

// stuck is work that never comes to its end.
func stuck(ctx context.Context, _ Order, _ <-chan struct{}) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestTheSecondStopEndsAtOnce(t *testing.T) {
	stops := make(chan struct{}, 2)
	stops <- struct{}{}
	stops <- struct{}{}
	_, err := supervised(t, Config{Settings: settings(t), Drain: time.Hour}, stops, stuck)
	if kurs.ExitCodeOf(err) != kurs.ExitInterrupted {
		t.Error(err)
	}
}

func TestAnEndThatTakesTooLong(t *testing.T) {
	_, err := supervised(t, Config{Settings: settings(t), Duration: time.Millisecond, Drain: 50 * time.Millisecond}, nil, stuck)
	if e, ok := errors.AsType[*kurs.Error](err); !ok || e.Code != "KURS-DRAIN" || e.Exit != kurs.ExitPartly {
		t.Error(err)
	}
}

// TestAStageThatDiesIsStartedAgain: by an error, or by a panic; the others go on.
func TestAStageThatDiesIsStartedAgain(t *testing.T) {
	var starts atomic.Int32
	stops := make(chan struct{}, 1)
	var log bytes.Buffer
	work := func(ctx context.Context, o Order, stop <-chan struct{}) error {
		if o.Stage != Process {
			return marks(ctx, o, stop)
		}
		switch starts.Add(1) {
		case 1:
			return errors.New("died")
		case 2:
			panic("died too")
		}
		stops <- struct{}{}
		return marks(ctx, o, stop)
	}
	c := Config{Settings: settings(t), Drain: 20 * time.Second, Log: slog.New(slog.NewTextHandler(&log, nil))}
	if _, err := supervised(t, c, stops, work); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "stage died, starting it again"); n != 2 {
		t.Errorf("told of %d deaths:\n%s", n, log.String())
	}
}

// TestAStageThatCannotWorkEndsTheRun: kurs's own errors come to the person.
func TestAStageThatCannotWorkEndsTheRun(t *testing.T) {
	wrong := &kurs.Error{Code: "KURS-BASE", Message: "another currency", Exit: kurs.ExitUsage}
	work := func(ctx context.Context, o Order, stop <-chan struct{}) error {
		if o.Stage == Store {
			return fmt.Errorf("open: %w", wrong)
		}
		return stuck(ctx, o, stop)
	}
	if _, err := supervised(t, Config{Settings: settings(t), Drain: time.Hour}, nil, work); !errors.Is(err, wrong) {
		t.Error(err)
	}
}

// TestStatusIsToldWhileTheRunIsOn, and clearly not when it is not.
func TestStatusIsToldWhileTheRunIsOn(t *testing.T) {
	c := settings(t)
	stops := make(chan struct{}, 1)
	work := func(ctx context.Context, o Order, stop <-chan struct{}) error {
		if o.Stage == Acquire {
			s, err := Ask(ctx, c.Paths.Data)
			if err != nil || !s.Running || !s.Healthy || s.Currency != "DKK" || s.Run != o.Run || s.PID != os.Getpid() {
				t.Errorf("%+v, %v", s, err)
			}
			stops <- struct{}{}
		}
		return marks(ctx, o, stop)
	}
	if _, err := supervised(t, Config{Settings: c, Drain: 20 * time.Second}, stops, work); err != nil {
		t.Fatal(err)
	}
	s, err := Ask(t.Context(), c.Paths.Data)
	if err != nil || s.Running || s.Healthy {
		t.Errorf("after the end: %+v, %v", s, err)
	}
	// One that was killed leaves its socket's name behind.
	claim := Claim{paths: c.Paths}
	if err := claim.announce(Runner{PID: 1, Network: "unix", Address: filepath.Join(c.Paths.Data, "gone.sock")}); err != nil {
		t.Fatal(err)
	}
	if s, err := Ask(t.Context(), c.Paths.Data); err != nil || s.Running {
		t.Errorf("after a kill: %+v, %v", s, err)
	}
}

func TestAClaimIsRefused(t *testing.T) {
	p := paths(t)
	first, err := TakeClaim(p, "DKK")
	if err != nil {
		t.Fatal(err)
	}
	if err := first.announce(Runner{PID: 4711, Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	_, err = TakeClaim(p, "DKK")
	if e, ok := errors.AsType[*kurs.Error](err); !ok || e.Code != "KURS-LOCK" || e.Exit != kurs.ExitLocked || !strings.Contains(e.Message, "pid 4711") {
		t.Errorf("a second one: %v", err)
	}
	if r, err := ReadRunner(p.Data); err != nil || r.PID != 4711 {
		t.Errorf("the refused one took the note of the first away: %+v, %v", r, err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		currency, format string
		code             string
	}{
		{"EUR", "", "KURS-BASE"},
		{"DKK", `{"format":2,"base_currency":"DKK"}`, "KURS-FORMAT"},
		{"DKK", `{`, "KURS-DATA"},
		{"DKK", `{"format":1,"base_currency":"DKK"}`, ""},
	} {
		if c.format != "" {
			if err := os.WriteFile(filepath.Join(p.Data, formatName), []byte(c.format), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		claim, err := TakeClaim(p, c.currency)
		if e, ok := errors.AsType[*kurs.Error](err); ok != (c.code != "") || ok && e.Code != c.code {
			t.Errorf("%s %s: %v, want %s", c.currency, c.format, err, c.code)
		}
		if err == nil {
			if err := claim.Release(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestOrdersOverThePipe: the order, a stop, and the supervisor's death.
func TestOrdersOverThePipe(t *testing.T) {
	r, w := io.Pipe()
	want := Order{Stage: Store, Run: "r1", Queue: queue.Address{URL: "nats://127.0.0.1:1", Secret: "s3cret"}}
	line, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = w.Write(append(line, '\n'))
		_, _ = w.Write([]byte("something newer\nstop\nstop\n"))
		_ = w.Close()
	}()
	o, err := Receive(r)
	if err != nil || o.Stage != Store || o.Run != "r1" || o.Queue.Secret != "s3cret" {
		t.Fatalf("%+v, %v", o, err)
	}
	<-o.Stop
	<-o.Gone
	for _, text := range []string{"", "no line", "no JSON\n"} {
		if _, err := Receive(strings.NewReader(text)); err == nil {
			t.Errorf("%q is an order", text)
		}
	}
}

// TestTallyGoesOnOverARestart: counts that begin anew are added.
func TestTallyGoesOnOverARestart(t *testing.T) {
	tally := newTally()
	since := time.Now()
	hear := func(pid int, n uint64) {
		tally.hear(queue.StageReport{Stage: Store, PID: pid, Since: since, Counts: map[string]uint64{queue.CountRows: n}})
	}
	tally.mark(since)
	hear(1, 10)
	hear(1, 15)
	hear(2, 4)
	if n := tally.total(Store, queue.CountRows); n != 19 {
		t.Errorf("total %d", n)
	}
	if n := tally.lastMinute(Store, queue.CountRows); n != 19 {
		t.Errorf("last minute %d", n)
	}
	tally.mark(since.Add(2 * time.Minute)) // what is older than a minute is forgotten
	hear(2, 5)
	if n := tally.lastMinute(Store, queue.CountRows); n != 1 {
		t.Errorf("last minute %d", n)
	}
}

// TestTroubleTellsWhenItIsTriedAgain, and makes minutes without anything silent.
func TestTroubleTellsWhenItIsTriedAgain(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	trouble := &queue.Trouble{Code: "KURS-RATE", Message: "answered 429", Since: now.Add(-time.Hour), Until: now.Add(80 * time.Second)}
	s := &supervisor{tally: newTally()}
	status := &Status{Now: now, Since: now, Stages: []StageStatus{{Stage: Acquire, PID: 1, Trouble: trouble}}}
	want := "acquire: answered 429 (KURS-RATE, since 2026-11-24T09:00:00Z; tried again at 2026-11-24T10:01:20Z, in 1m20s)"
	if got := s.problems(status); len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
	trouble.Until = time.Time{}
	if got := s.problems(status); len(got) != 1 || strings.Contains(got[0], "again") {
		t.Errorf("%q", got)
	}
	if s.known() {
		t.Error("nothing is known, and nothing is told")
	}
	s.tally.mark(now)
	s.tally.hear(queue.StageReport{Stage: Acquire, PID: 1, Since: now, Trouble: trouble})
	if !s.known() {
		t.Error("the same trouble is told again")
	}
	s.tally.hear(queue.StageReport{Stage: Store, PID: 2, Since: now, Counts: map[string]uint64{queue.CountRows: 3}})
	if s.known() {
		t.Error("what was stored is not told")
	}
}
