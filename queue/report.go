package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"kurs"
)

// StageReport is how a stage process does. It is told once a second and kept
// nowhere; counts begin anew with the process.
type StageReport struct {
	Stage  string            `json:"stage"` // acquire, process, store
	PID    int               `json:"pid"`
	Since  time.Time         `json:"since"` // start of the stage, UTC
	At     time.Time         `json:"at"`    // of this report
	Counts map[string]uint64 `json:"counts"`

	Trouble     *Trouble  `json:"trouble,omitempty"` // what it waits for
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`

	Source *SourceReport `json:"source,omitempty"` // of acquire
	Stores []StoreReport `json:"stores,omitempty"` // of store
}

// The names of counts.
const (
	CountRequests = "requests" // made of the source
	CountErrors   = "errors"   // requests without a whole answer
	CountAnswers  = "answers"  // put on raw
	CountMessages = "messages" // raw messages worked off
	CountPrices   = "prices"   // quotes and bars converted
	CountRates    = "rates"
	CountUnpriced = "unpriced" // of the prices, those that found no rate
	CountFilled   = "filled"   // of those, filled in since
	CountDead     = "dead"     // dead letters
	CountRows     = "rows"     // committed by the first store
	CountRetries  = "retries"  // writes tried again
)

// Trouble is what a stage waits for.
type Trouble struct {
	Code    string    `json:"code"` // KURS-NET, KURS-LOCK, ...
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // nothing is tried before
}

// SourceReport is how the source does.
type SourceReport struct {
	Name      string          `json:"name"`
	Requests  uint64          `json:"requests"`
	PerMinute int             `json:"max_per_minute"` // 0: unlimited
	Session   string          `json:"session"`
	Symbols   int             `json:"symbols"`
	Unknown   []UnknownSymbol `json:"unknown,omitempty"`
	Pairs     []string        `json:"pairs,omitempty"`
	Stream    *StreamReport   `json:"stream,omitempty"` // where one is wanted
}

// StreamReport is how prices come by a stream.
type StreamReport struct {
	Connections int    `json:"connections"` // that are up
	Symbols     int    `json:"symbols"`     // that they deliver
	Frames      uint64 `json:"frames"`
	Garbled     uint64 `json:"garbled"` // frames that could not be read
}

// UnknownSymbol is one that the source has no price for, in its own words.
type UnknownSymbol struct {
	Symbol string `json:"symbol"`
	Words  string `json:"words"`
}

// StoreReport is how one store does.
type StoreReport struct {
	Name     string         `json:"name"`
	Rows     uint64         `json:"rows"`
	Position kurs.StreamPos `json:"position"`
	Received time.Time      `json:"received,omitzero"` // of the newest price that is stored
	Trouble  *Trouble       `json:"trouble,omitempty"`
}

// Meter is what a stage counts. It is safe for concurrent use.
type Meter struct {
	mu     sync.Mutex
	report StageReport
}

// NewMeter begins to count for a stage.
func NewMeter(stage string) *Meter {
	return &Meter{report: StageReport{Stage: stage, PID: os.Getpid(), Since: time.Now().UTC(), Counts: map[string]uint64{}}}
}

// Add counts n more.
func (m *Meter) Add(name string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.Counts[name] += uint64(max(n, 0))
}

// Failed notes an error.
func (m *Meter) Failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report.LastError, m.report.LastErrorAt = err.Error(), time.Now().UTC()
}

// Set changes the report.
func (m *Meter) Set(change func(*StageReport)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.report)
}

// Report is the state now.
func (m *Meter) Report() StageReport {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.report
	r.At = time.Now().UTC()
	r.Counts = maps.Clone(r.Counts)
	r.Stores = slices.Clone(r.Stores)
	return r
}

// reportEvery is how often a stage tells.
const reportEvery = time.Second

// Tell tells whoever listens how the stage does, every second and once more at
// the end, until ctx is done. Before each report update, which may be nil,
// brings it up to date.
func (q *Queue) Tell(ctx context.Context, m *Meter, update func(*StageReport)) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for done := false; ; {
		if update != nil {
			m.Set(update)
		}
		if err := q.tell(m.Report()); err != nil {
			q.log.DebugContext(ctx, "report not told", "error", err)
		}
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			done = true
		}
	}
}

func (q *Queue) tell(r StageReport) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := q.nc.Publish("report."+kurs.Token(r.Stage), data); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// Listen calls do for each report of a stage, one at a time, until ctx is done.
func (q *Queue) Listen(ctx context.Context, do func(StageReport)) error {
	sub, err := q.nc.SubscribeSync("report.>")
	if err != nil {
		return fmt.Errorf("listen for reports: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection is ending as well
	for {
		msg, err := sub.NextMsgWithContext(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			if err := sleep(ctx, 100*time.Millisecond); err != nil {
				return nil
			}
			continue
		}
		var r StageReport
		if err := json.Unmarshal(msg.Data, &r); err != nil {
			q.log.DebugContext(ctx, "report not understood", "error", err)
			continue
		}
		do(r)
	}
}
