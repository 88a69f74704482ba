package yahoo

import (
	"context"
	"maps"
	"sync"
	"time"

	"kurs"
)

// neighbours remember of each symbol the last price that is held to be right. It
// goes along with the next answer, so that a price a hundred times as large, or
// one in another unit, is noticed by whoever reads the answer, wherever and
// whenever that is. What is doubted becomes no neighbour; when a person says that
// it is right, it does.
type neighbours struct {
	mu    sync.Mutex
	known map[string]kurs.Neighbour
}

// attach puts what is known of its symbols on an answer, and learns from it what
// is known to the next.
func (n *neighbours) attach(raw *kurs.Raw, seen kurs.Observed) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]kurs.Neighbour{}
	}
	raw.Neighbours = nil
	for i, symbol := range raw.Asked {
		near, ok := n.known[symbol]
		if !ok {
			continue
		}
		if raw.Neighbours == nil {
			raw.Neighbours = make([]kurs.Neighbour, len(raw.Asked))
		}
		raw.Neighbours[i] = near
	}
	for i := range seen.Quotes {
		q := &seen.Quotes[i]
		near := n.known[q.Symbol]
		if near.DoubtQuote(q, raw.Received) == "" {
			n.known[q.Symbol] = near.Next(q)
		}
	}
}

// settle takes what a person said is right, unless something later is known.
func (n *neighbours) settle(symbol string, near kurs.Neighbour) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = map[string]kurs.Neighbour{}
	}
	if !near.Time.Before(n.known[symbol].Time) {
		n.known[symbol] = near
	}
}

// neighboursFile is in the state directory; see [memory].
const neighboursFile = "yahoo-neighbours.json"

// keptNeighbours hold for one host.
type keptNeighbours struct {
	Host  string                    `json:"host"`
	Known map[string]kurs.Neighbour `json:"known"`
}

// restore takes up what was known before a restart.
func (n *neighbours) restore(m *memory) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kept keptNeighbours
	if m.readFile(neighboursFile, &kept); kept.Host == m.host {
		n.known = kept.Known
	}
}

// saveEvery is how often what is known is written down while prices come. What is
// lost when the process is killed is the newest of it, which matters little.
const saveEvery = 5 * time.Minute

// keep writes down what is known now and then.
func (n *neighbours) keep(ctx context.Context, m *memory) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.save(m)
		case <-ctx.Done():
			return
		}
	}
}

func (n *neighbours) save(m *memory) {
	n.mu.Lock()
	kept := keptNeighbours{Host: m.host, Known: maps.Clone(n.known)}
	n.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir != "" && len(kept.Known) > 0 {
		m.writeFile(neighboursFile, kept)
	}
}
