package process

import (
	"maps"
	"slices"
	"time"
)

// missing decides when to say that prices wait for a rate: once an hour a
// currency, with a count, however many prices there are. A rate that comes within
// moments, as at every start, is not worth a line.
type missing struct {
	told map[string]time.Time // by currency: when it was said last
}

const (
	missingGrace = 30 * time.Second
	missingEvery = time.Hour
)

// waits is that prices of a currency wait.
type waits struct {
	currency string
	prices   int
	since    time.Time // the reception of the first of them
}

// due are those to tell of now.
func (m *missing) due(entries []entry, now time.Time) []waits {
	all := map[string]waits{}
	for i := range entries {
		e := &entries[i]
		w, ok := all[e.currency]
		if !ok || e.received.Before(w.since) {
			w.since = e.received
		}
		w.currency, w.prices = e.currency, w.prices+e.prices
		all[e.currency] = w
	}
	var out []waits
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		w := all[currency]
		if last, ok := m.told[currency]; now.Sub(w.since) < missingGrace || ok && now.Sub(last) < missingEvery {
			continue
		}
		if m.told == nil {
			m.told = map[string]time.Time{}
		}
		m.told[currency] = now
		out = append(out, w)
	}
	return out
}
