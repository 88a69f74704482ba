package yahoo

import (
	"maps"
	"sync"
	"time"

	"kurs"
)

// Status is how a source does. Zero times are "never", or "not at all".
type Status struct {
	Requests uint64         // of all kinds, since the start
	ByStatus map[int]uint64 // of those, by HTTP status; 0: no whole answer came
	Answers  uint64         // that were handed on
	Skipped  uint64         // batches that were still in hand when they were due again

	LastAnswer  time.Time
	LastError   string
	LastErrorAt time.Time

	TroubleCode  string    // KURS-NET or KURS-RATE while the provider cannot be asked; else empty
	TroubleSince time.Time //
	BackoffUntil time.Time // nothing is asked before; while there is trouble

	Session      SessionState
	SessionAgain time.Time // when a refused session is asked for again
	Batch        int       // symbols in one request, as learned
	InFlight     int       // requests that may be under way at present

	Stream StreamStatus

	Unknown []UnknownSymbol
	Pairs   []PairStatus
}

// UnknownSymbol is a symbol that the provider has no price for.
type UnknownSymbol struct {
	Symbol string
	Words  string // the provider's: Yahoo says "No data found, symbol may be delisted"
	Since  time.Time
	Again  time.Time // when it is asked for again
}

// PairStatus is a pair that prices need.
type PairStatus struct {
	kurs.Pair
	Answered time.Time // last
	Unknown  bool      // the provider does not know it; its legs are asked for instead
}

// Status is how the source does now. It may be called at any time.
func (s *Source) Status() Status {
	status := s.client.status()
	status.Unknown = s.unknown.status()
	status.Pairs = s.pairs.status()
	status.Stream = s.stream.status()
	return status
}

func (c *Client) status() Status {
	status := c.stats.status()
	if g := c.gate.state(); g.Fails > 0 {
		status.TroubleCode, status.TroubleSince, status.BackoffUntil = g.Code, g.Since, g.Until
	}
	status.Session, status.SessionAgain = c.session.state()
	status.Batch = c.sizes.limit(time.Now())
	status.InFlight = c.budget.inFlight.now()
	return status
}

// stats counts requests.
type stats struct {
	mu sync.Mutex
	Status
}

func newStats() *stats { return &stats{Status: Status{ByStatus: map[int]uint64{}}} }

// request counts one, with what went wrong.
func (s *stats) request(status int, t *trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Requests++
	s.ByStatus[status]++
	if t != nil {
		s.LastError, s.LastErrorAt = t.Error(), time.Now()
	}
}

func (s *stats) emitted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Answers++
	s.LastAnswer = time.Now()
}

func (s *stats) skip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Skipped++
}

func (s *stats) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.Status
	status.ByStatus = maps.Clone(s.ByStatus)
	return status
}
