package yahoo

import (
	"sync"
	"time"
)

// StreamStatus is how the stream does.
type StreamStatus struct {
	On          bool // it is wanted
	Connections int  // that are up
	Opened      uint64
	Symbols     int // that are delivered
	Frames      uint64
	Garbled     uint64 // that could not be read
	Last        time.Time
	LastError   string // why a connection ended last
}

type streamStats struct {
	mu sync.Mutex
	StreamStatus
}

func (s *streamStats) frame(at time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Frames++
	s.Last = at
	if err != nil {
		s.Garbled++
	}
}

func (s *streamStats) opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Connections++
	s.Opened++
}

func (s *streamStats) closed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Connections--
}

func (s *streamStats) ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.LastError = err.Error()
	}
}

// status describes the stream; a nil one is off.
func (st *stream) status() StreamStatus {
	if st == nil {
		return StreamStatus{}
	}
	st.stats.mu.Lock()
	out := st.stats.StreamStatus
	st.stats.mu.Unlock()
	out.On = true
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, s := range st.of {
		if s.delivered {
			out.Symbols++
		}
	}
	return out
}
