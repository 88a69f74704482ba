package supervise

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"kurs/queue"
)

// Status is how a run does; JSON fields are only added to. Times are UTC.
type Status struct {
	Running  bool      `json:"running"`
	Healthy  bool      `json:"healthy"`
	Problems []string  `json:"problems"` // why it is not healthy
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Run      string    `json:"run"`
	Since    time.Time `json:"since"`
	Now      time.Time `json:"now"`
	Stopping bool      `json:"stopping"`

	Currency string   `json:"currency"`
	Symbols  int      `json:"symbols"`
	Stores   []string `json:"stores"`
	Database string   `json:"database,omitempty"`

	Stages []StageStatus          `json:"stages"`
	Queues map[string]QueueStatus `json:"queues"`
	Lag    float64                `json:"lag_seconds"`

	Source *queue.SourceReport `json:"source,omitempty"`
	Dead   uint64              `json:"dead_letters"` // in the queue, of all runs
	Latest *queue.DeadLetter   `json:"latest_dead_letter,omitempty"`
}

// StageStatus is how a stage does.
type StageStatus struct {
	Stage       string              `json:"stage"`
	PID         int                 `json:"pid,omitempty"` // 0: not at work
	PerMinute   uint64              `json:"per_minute"`    // answers, prices, rows in the last minute
	Waiting     uint64              `json:"waiting"`       // messages before it
	Restarts    int                 `json:"restarts"`
	Retries     uint64              `json:"retries"`
	Dead        uint64              `json:"dead"`
	Trouble     *queue.Trouble      `json:"trouble,omitempty"`
	LastError   string              `json:"last_error,omitempty"`
	LastErrorAt time.Time           `json:"last_error_at,omitzero"`
	Counts      map[string]uint64   `json:"counts"` // since the run began
	Stores      []queue.StoreReport `json:"stores,omitempty"`
	Reported    time.Time           `json:"reported,omitzero"`
}

// QueueStatus is what a stream of the broker holds.
type QueueStatus struct {
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
	MaxBytes int64  `json:"max_bytes"`
}

// silence is how long a stage may say nothing.
const silence = 10 * time.Second

// mostLag is how far storing may be behind.
const mostLag = time.Minute

// status looks at everything.
func (s *supervisor) status(ctx context.Context) Status {
	now := time.Now().UTC()
	s.mu.Lock()
	stopping, watchers := !s.ending.IsZero(), s.watchers
	s.mu.Unlock()
	out := Status{
		Running: true, Version: s.Version, PID: os.Getpid(), Run: s.run, Since: s.since, Now: now, Stopping: stopping,
		Currency: s.Settings.Currency, Symbols: len(s.Settings.Symbols), Stores: s.Settings.Store.Use,
		Queues: map[string]QueueStatus{}, Lag: s.lag(ctx).Seconds(), Problems: []string{},
	}
	if slices.Contains(out.Stores, "sqlite") {
		out.Database = s.Settings.Paths.Database
	}
	raw, priced := s.depths(ctx)
	waiting := map[string]uint64{Process: raw, Store: priced}
	for _, stage := range Stages() {
		if w := watchers[stage]; w != nil {
			out.Stages = append(out.Stages, s.stageStatus(w, waiting[stage]))
		}
	}
	if report, ok := s.tally.report(Acquire); ok {
		out.Source = report.Source
	}
	if depths, err := s.queue.Depths(ctx); err == nil {
		for name, d := range depths {
			out.Queues[name] = QueueStatus{Messages: d.Messages, Bytes: d.Bytes, MaxBytes: d.MaxBytes}
		}
		out.Dead = depths["dead"].Messages
	} else {
		out.Problems = append(out.Problems, "the queue does not answer: "+err.Error())
	}
	if letter, ok, err := s.queue.LastDead(ctx); err == nil && ok {
		letter.Message = nil // may be large; the reason is what matters here
		out.Latest = &letter
	}
	for _, store := range s.Settings.Store.Use {
		if d, ok, err := s.queue.Detached(ctx, store); err == nil && ok {
			out.Problems = append(out.Problems, fmt.Sprintf("store %s is detached since %s: it is filled from the first when it is back (KURS-LAG)",
				store, d.Since.Format(time.RFC3339)))
		}
	}
	out.Problems = append(out.Problems, s.problems(&out)...)
	out.Healthy = len(out.Problems) == 0
	return out
}

// perMinute is what a stage's rate counts.
func perMinute(stage string) string {
	switch stage {
	case Acquire:
		return queue.CountAnswers
	case Process:
		return queue.CountPrices
	default:
		return queue.CountRows
	}
}

func (s *supervisor) stageStatus(w *watcher, waiting uint64) StageStatus {
	out := StageStatus{Stage: w.stage, Waiting: waiting, PerMinute: s.tally.lastMinute(w.stage, perMinute(w.stage)), Counts: map[string]uint64{}}
	out.PID, out.Restarts, out.LastError, out.LastErrorAt = w.about()
	out.Retries, out.Dead = s.tally.total(w.stage, queue.CountRetries), s.tally.total(w.stage, queue.CountDead)
	report, ok := s.tally.report(w.stage)
	if !ok {
		return out
	}
	for _, name := range slices.Sorted(maps.Keys(report.Counts)) {
		out.Counts[name] = s.tally.total(w.stage, name)
	}
	out.Trouble, out.Stores, out.Reported = report.Trouble, report.Stores, report.At
	if report.LastErrorAt.After(out.LastErrorAt) {
		out.LastError, out.LastErrorAt = report.LastError, report.LastErrorAt
	}
	return out
}

// problems are the reasons why a run is not healthy.
func (s *supervisor) problems(now *Status) []string {
	var out []string
	if s.server != nil {
		if err := s.server.Health(); err != nil {
			out = append(out, err.Error())
		}
	}
	for i := range now.Stages {
		stage := &now.Stages[i]
		young := now.Now.Sub(now.Since) < silence
		switch {
		case now.Stopping || young: // it may have ended, or not spoken yet
		case stage.PID == 0:
			out = append(out, fmt.Sprintf("%s is not at work: %s", stage.Stage, stage.LastError))
		case now.Now.Sub(stage.Reported) > silence:
			out = append(out, fmt.Sprintf("%s has said nothing since %s", stage.Stage, stage.Reported.Format(time.RFC3339)))
		}
		if t := stage.Trouble; t != nil {
			out = append(out, fmt.Sprintf("%s: %s (%s, since %s%s)", stage.Stage, t.Message, t.Code, t.Since.Format(time.RFC3339), again(t, now.Now)))
		}
		for _, store := range stage.Stores {
			if t := store.Trouble; t != nil {
				out = append(out, fmt.Sprintf("store %s waits: %s (since %s)", store.Name, t.Message, t.Since.Format(time.RFC3339)))
			}
		}
	}
	if lag := time.Duration(now.Lag * float64(time.Second)); lag > mostLag {
		out = append(out, fmt.Sprintf("storing is behind by %s", lag.Round(time.Second)))
	}
	return out
}

// again says when what is in trouble is tried again, where that is known.
func again(t *queue.Trouble, now time.Time) string {
	if !t.Until.After(now) {
		return ""
	}
	return fmt.Sprintf("; tried again at %s, in %s", t.Until.Format(time.RFC3339), t.Until.Sub(now).Round(time.Second))
}

// NotRunning is the status where nobody records.
func NotRunning(now time.Time) Status {
	return Status{Now: now.UTC(), Problems: []string{"kurs is not running"}, Stages: []StageStatus{}, Queues: map[string]QueueStatus{}}
}
