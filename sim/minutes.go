package sim

import (
	"sync"
	"time"
)

// minutes counts requests in the minute that ends with each: the most of it is
// what a client's budget is held against.
type minutes struct {
	mu   sync.Mutex
	at   []time.Time // ring, grown as needed
	from int         // the oldest in the ring
	n    int         // how many are in it
	most int
}

// add counts a request and returns how many there were in the last minute, it
// included.
func (m *minutes) add(now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.n > 0 && now.Sub(m.at[m.from]) >= time.Minute {
		m.from = (m.from + 1) % len(m.at)
		m.n--
	}
	if m.n == len(m.at) {
		grown := make([]time.Time, max(64, 2*len(m.at)))
		for i := range m.n {
			grown[i] = m.at[(m.from+i)%len(m.at)]
		}
		m.at, m.from = grown, 0
	}
	m.at[(m.from+m.n)%len(m.at)] = now
	m.n++
	m.most = max(m.most, m.n)
	return m.n
}

func (m *minutes) mostSoFar() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.most
}
