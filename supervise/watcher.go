package supervise

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kurs"
)

// Pauses before a stage that died is started again.
const (
	firstRestart = 100 * time.Millisecond
	mostRestart  = 10 * time.Second
	wellAfter    = 10 * time.Second // so long at work, and the pauses begin anew
)

// watcher keeps one stage at work.
type watcher struct {
	s     *supervisor
	stage string
	gone  bool // ended for good; the supervisor's lock guards it

	mu       sync.Mutex
	running  Running
	ending   bool
	killed   bool
	restarts int
	died     string // why it did last
	diedAt   time.Time
	quit     chan struct{} // closed when it is killed
}

func newWatcher(s *supervisor, stage string) *watcher {
	return &watcher{s: s, stage: stage, quit: make(chan struct{})}
}

// keep starts the stage, and again when it dies, until it has come to its end.
func (w *watcher) keep(ctx context.Context) error {
	pause := firstRestart
	for {
		began := time.Now()
		err := w.once(ctx)
		switch {
		case err == nil:
			return nil
		case w.isKilled():
			return err
		case errors.Is(err, ErrHopeless):
			return w.hopeless(err)
		}
		if time.Since(began) > wellAfter {
			pause = firstRestart
		}
		w.s.Log.WarnContext(ctx, "stage died, starting it again", "of", w.stage, "error", err, "pause", pause)
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-w.quit:
			t.Stop()
			return errNotRunning
		}
		pause = min(2*pause, mostRestart)
	}
}

func (w *watcher) once(ctx context.Context) error {
	o := Order{Stage: w.stage, Run: w.s.run, Queue: w.s.address, Config: w.s.Settings, Color: w.s.Color}
	running, err := w.s.Launch(ctx, o)
	if err != nil {
		return w.dead(err)
	}
	w.mu.Lock()
	w.running = running
	if w.ending {
		running.Stop()
	}
	if w.killed {
		running.Kill()
	}
	w.mu.Unlock()
	return w.dead(running.Wait())
}

// dead notes how a stage ended.
func (w *watcher) dead(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = nil
	if err != nil && !w.killed {
		w.restarts++
		w.died, w.diedAt = err.Error(), time.Now().UTC()
	}
	return err
}

func (w *watcher) hopeless(err error) error {
	e := &kurs.Error{
		Code: "KURS-STAGE", Message: fmt.Sprintf("the stage %s cannot work; its own words are above", w.stage),
		Safe: "everything accepted is on disk", Try: "mend what it says, then kurs run", Exit: kurs.ExitFailed,
	}
	if cause, ok := errors.AsType[*kurs.Error](err); ok { // it ran inside this process: these are its words
		return cause
	}
	return e
}

func (w *watcher) isKilled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killed
}

// end asks the stage to come to its end, now and after every start.
func (w *watcher) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ending = true
	if w.running != nil {
		w.running.Stop()
	}
}

// kill ends the stage at once, for good.
func (w *watcher) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killed {
		return
	}
	w.killed = true
	close(w.quit)
	if w.running != nil {
		w.running.Kill()
	}
}

// about is what the status tells of it.
func (w *watcher) about() (pid, restarts int, died string, diedAt time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running != nil {
		pid = w.running.PID()
	}
	return pid, w.restarts, w.died, w.diedAt
}
