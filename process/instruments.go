package process

import (
	"sync"
	"time"

	"kurs"
)

// instruments remembers what was told of each instrument, so that only news go
// on. It is an economy: an answer describes its instruments every time. What was
// told is told again after a while, and by every new process.
type instruments struct {
	mu   sync.Mutex
	told map[string]toldInstrument
}

type toldInstrument struct {
	kurs.Instrument
	at time.Time
}

const (
	tellAgain       = time.Hour
	mostInstruments = 100_000 // remembered; beyond that all is forgotten
)

// news leaves out what was told already. What is news counts as told once keep
// was called with it.
func (m *instruments) news(all []kurs.Instrument) []kurs.Instrument {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	var out []kurs.Instrument
	for i := range all {
		if was, ok := m.told[all[i].Symbol]; !ok || was.Instrument != all[i] || now.Sub(was.at) > tellAgain {
			out = append(out, all[i])
		}
	}
	return out
}

// keep notes what is on the queue.
func (m *instruments) keep(told []kurs.Instrument) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil || len(m.told)+len(told) > mostInstruments {
		m.told = make(map[string]toldInstrument, len(told))
	}
	now := time.Now()
	for i := range told {
		m.told[told[i].Symbol] = toldInstrument{told[i], now}
	}
}
