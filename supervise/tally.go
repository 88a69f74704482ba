package supervise

import (
	"maps"
	"sync"
	"time"

	"kurs/queue"
)

// tally adds the stages' reports up. Counts of a stage that was started again go
// on where they were.
type tally struct {
	mu     sync.Mutex
	latest map[string]queue.StageReport // by stage
	totals map[string]map[string]uint64 // by stage and count, since the run began
	past   []snapshot                   // one a second, a minute long
}

// snapshot is the totals at a time.
type snapshot struct {
	at     time.Time
	totals map[string]map[string]uint64
}

func newTally() *tally {
	return &tally{latest: map[string]queue.StageReport{}, totals: map[string]map[string]uint64{}}
}

// hear takes a report.
func (t *tally) hear(r queue.StageReport) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.latest[r.Stage]
	total := t.totals[r.Stage]
	if total == nil {
		total = map[string]uint64{}
		t.totals[r.Stage] = total
	}
	again := before.PID != r.PID || !before.Since.Equal(r.Since)
	for name, n := range r.Counts {
		if !again {
			n -= min(n, before.Counts[name])
		}
		total[name] += n
	}
	t.latest[r.Stage] = r
}

// minute is the span of rates.
const minute = time.Minute

// mark notes the totals, for rates.
func (t *tally) mark(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := snapshot{at: now, totals: map[string]map[string]uint64{}}
	for stage, total := range t.totals {
		s.totals[stage] = maps.Clone(total)
	}
	for len(t.past) > 0 && now.Sub(t.past[0].at) > minute {
		t.past = t.past[1:]
	}
	t.past = append(t.past, s)
}

// report is the last report of a stage; ok is false if there was none.
func (t *tally) report(stage string) (r queue.StageReport, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r, ok = t.latest[stage]
	return r, ok
}

// total is a count of a stage since the run began.
func (t *tally) total(stage, count string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totals[stage][count]
}

// lastMinute is how much of a count came in the last minute, or since the run
// began if that is less.
func (t *tally) lastMinute(stage, count string) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.past) == 0 {
		return 0
	}
	return t.totals[stage][count] - min(t.past[0].totals[stage][count], t.totals[stage][count])
}
