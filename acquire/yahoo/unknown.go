package yahoo

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// unknowns are the symbols that the provider has no price for, and those of which
// that has yet to be found out. Either is told once; an unknown symbol is asked
// for again each hour.
type unknowns struct {
	log *slog.Logger

	mu      sync.Mutex
	by      map[string]*unknownNow
	doubted map[string]time.Time // when they were last
	queue   []string             // to be asked for again
	news    chan struct{}        // the queue is not empty
}

type unknownNow struct {
	words string
	since time.Time
	again time.Time // when it is asked for again
}

// doubtAgain is how long a symbol that was left out, and then answered after all,
// is not doubted anew.
const doubtAgain = 5 * time.Minute

func newUnknowns(log *slog.Logger) *unknowns {
	return &unknowns{
		log: log, by: map[string]*unknownNow{}, doubted: map[string]time.Time{},
		news: make(chan struct{}, 1),
	}
}

// wanted are those of some symbols that are to be asked for now.
func (u *unknowns) wanted(symbols []string, now time.Time) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.by) == 0 {
		return symbols
	}
	out := make([]string, 0, len(symbols))
	for _, symbol := range symbols {
		if n := u.by[symbol]; n == nil || !now.Before(n.again) {
			out = append(out, symbol)
		}
	}
	return out
}

// doubt has symbols that an answer left out asked for again.
func (u *unknowns) doubt(symbols []string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, symbol := range symbols {
		if last, ok := u.doubted[symbol]; ok && now.Sub(last) < doubtAgain {
			continue
		}
		u.doubted[symbol] = now
		u.queue = append(u.queue, symbol)
		signal(u.news)
	}
}

// doubts are the symbols to ask for again now.
func (u *unknowns) doubts() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	queue := u.queue
	u.queue = nil
	return queue
}

// mark says that symbols are unknown, with the provider's words.
func (u *unknowns) mark(symbols []unknownSymbol, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range symbols {
		n := u.by[s.symbol]
		if n == nil {
			n = &unknownNow{since: now}
			u.by[s.symbol] = n
		}
		if n.words != s.words {
			n.words = s.words
			log := u.log.With("symbol", s.symbol, "error", s.words, "code", codeSymbol)
			if len(s.near) > 0 {
				log = log.With("did_you_mean", strings.Join(s.near, " "))
			}
			log.Warn("symbol without prices: the others go on")
		}
		n.again = now.Add(unknownFor)
	}
}

// has tells whether a symbol is known to be unknown.
func (u *unknowns) has(symbol string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.by[symbol] != nil
}

// seen says that symbols were answered.
func (u *unknowns) seen(symbols []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.by) == 0 {
		return
	}
	for _, symbol := range symbols {
		if u.by[symbol] != nil {
			delete(u.by, symbol)
			u.log.Info("symbol has prices again", "symbol", symbol)
		}
	}
}

func (u *unknowns) status() []UnknownSymbol {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]UnknownSymbol, 0, len(u.by))
	for symbol, n := range u.by {
		out = append(out, UnknownSymbol{Symbol: symbol, Words: n.words, Since: n.since, Again: n.again})
	}
	slices.SortFunc(out, func(x, y UnknownSymbol) int { return strings.Compare(x.Symbol, y.Symbol) })
	return out
}
