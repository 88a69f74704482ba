package yahoo

import (
	"slices"
	"strings"
	"sync"
	"time"

	"kurs"
)

// A pairBook knows which pairs the prices need, when each is to be asked, and how
// much of its past. Nobody lists pairs: they follow from the units that prices
// come in. A pair that Yahoo does not know is replaced by its legs through USD
// and EUR, of which a rate can be made.
type pairBook struct {
	base   string
	every  time.Duration // the pairs
	closed time.Duration // the same while their market is closed
	listed []string      // symbols that are pairs, which the user wants as prices
	often  time.Duration // the listed
	maxAge time.Duration

	mu         sync.Mutex
	pairs      map[kurs.Pair]*pairNeed
	nextPairs  time.Time
	nextListed time.Time
	listedAt   map[string]time.Time // before that a listed symbol is not asked

	again func(symbol string, asked time.Time) (due time.Time) // of a listed symbol
	open  func(symbol string, now time.Time) bool              // its market is

	news    chan struct{} // a pair is to be asked at once
	pastNew chan struct{} // some history may be to be asked
}

// pairNeed is what is known of one pair.
type pairNeed struct {
	pair     kurs.Pair
	wanted   bool // by a price of this run, or as a leg of a pair that is
	leg      bool // only as a leg
	fresh    bool // to be asked at once
	askedAt  time.Time
	answered time.Time
	unknown  time.Time // the provider does not know it; asked again then
	told     bool      // the log has that
	oldest   time.Time // price that needs it

	missing   time.Time // oldest price whose time is not covered; zero: none
	missingAt time.Time // when that was noticed
	minutes   time.Time // covered since then
	days      time.Time // covered since then
	hole      time.Time // no answers came since then for a while; zero: none
}

const (
	unknownFor = time.Hour       // until an unknown symbol or pair is asked for again
	gather     = 2 * time.Second // so long further prices may show how much of the past is needed
)

func newPairBook(cfg Config, listed []string) *pairBook {
	return &pairBook{
		base: cfg.Base, every: cfg.FXInterval, closed: cfg.Closed, listed: listed, often: cfg.Interval, maxAge: cfg.FXMaxAge,
		pairs: map[kurs.Pair]*pairNeed{}, listedAt: map[string]time.Time{},
		again: func(_ string, asked time.Time) time.Time { return asked },
		open:  func(string, time.Time) bool { return true },
		news:  make(chan struct{}, 1), pastNew: make(chan struct{}, 1),
	}
}

// legsOf are the pairs that a pair can be computed from: through USD, through EUR.
func legsOf(p kurs.Pair) []kurs.Pair {
	var legs []kurs.Pair
	for _, via := range []string{"USD", "EUR"} {
		if via != p.From && via != p.To {
			legs = append(legs, kurs.Pair{From: via, To: p.From}, kurs.Pair{From: via, To: p.To})
		}
	}
	return legs
}

func symbolsOf(pairs []kurs.Pair) []string {
	symbols := make([]string, len(pairs))
	for i, p := range pairs {
		symbols[i] = p.Symbol()
	}
	return symbols
}

// restore takes up the pairs of an earlier run: each is asked once at start, and
// goes on being asked if a price of this run needs it.
func (b *pairBook) restore(names []string) {
	for _, name := range names {
		if pair, ok := kurs.ParsePair(name + "=X"); ok {
			b.entry(pair).fresh = true
		}
	}
}

func (b *pairBook) entry(pair kurs.Pair) *pairNeed {
	n := b.pairs[pair]
	if n == nil {
		n = &pairNeed{pair: pair}
		b.pairs[pair] = n
	}
	return n
}

// start sets the first times to ask.
func (b *pairBook) start(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nextPairs, b.nextListed = now, now
}

// need says that there are prices in units, and the time of the oldest of each.
func (b *pairBook) need(oldest map[string]time.Time, now time.Time) {
	if b.base == "" || len(oldest) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for unit, at := range oldest {
		currency, _, ok := kurs.CurrencyOf(unit)
		if !ok || currency == b.base {
			continue
		}
		n := b.entry(kurs.Pair{From: currency, To: b.base})
		n.leg = false
		b.want(n, at, now)
	}
}

func (b *pairBook) want(n *pairNeed, at, now time.Time) {
	if n.oldest.IsZero() || at.Before(n.oldest) {
		n.oldest = at
	}
	if !n.wanted {
		n.wanted = true
		if n.answered.IsZero() {
			n.fresh = true
			signal(b.news)
		}
	}
	if now.Before(n.unknown) {
		b.wantLegs(n, at, now)
		return
	}
	if b.covers(n, at, now) {
		return
	}
	if n.missing.IsZero() {
		n.missing, n.missingAt = at, now
		signal(b.pastNew)
	} else if at.Before(n.missing) {
		n.missing = at
	}
}

func (b *pairBook) wantLegs(n *pairNeed, at, now time.Time) {
	if n.leg {
		return
	}
	for _, pair := range legsOf(n.pair) {
		l := b.pairs[pair]
		if l == nil {
			l = b.entry(pair)
			l.leg = true
		}
		b.want(l, at, now)
	}
}

// covers tells whether rates of a price's time have been asked for.
func (b *pairBook) covers(n *pairNeed, at, now time.Time) bool {
	h := newHistory(n.pair, at, b.maxAge, now)
	if n.minutes.IsZero() || h.minutes.Before(n.minutes) {
		return false
	}
	return h.days.IsZero() || !n.days.IsZero() && !h.days.Before(n.days)
}

// due are the symbols to ask for now, each once; when they were due is past then.
func (b *pairBook) due(now time.Time) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	tick := !now.Before(b.nextPairs)
	var symbols []string
	for _, n := range b.pairs {
		if n.fresh || tick && n.wanted && !now.Before(n.unknown) && b.wantedNow(n, now) {
			n.fresh, n.askedAt = false, now
			symbols = append(symbols, n.pair.Symbol())
		}
	}
	if tick {
		b.nextPairs = following(b.nextPairs, b.every, now)
	}
	if !now.Before(b.nextListed) {
		b.nextListed = following(b.nextListed, b.often, now)
		for _, symbol := range b.listed {
			if !now.Before(b.listedAt[symbol]) {
				symbols = append(symbols, symbol)
				b.listedAt[symbol] = b.again(symbol, now).Add(-b.often / 2) // so that the tick next to it does
			}
		}
	}
	slices.Sort(symbols)
	return slices.Compact(symbols)
}

// wantedNow tells whether a pair is to be asked at this tick: at each one while
// its market is open, else as seldom as prices are.
func (b *pairBook) wantedNow(n *pairNeed, now time.Time) bool {
	return b.closed <= b.every || now.Sub(n.askedAt) >= b.closed-b.every/2 || b.open(n.pair.Symbol(), now)
}

// next is when the next symbols are due, if no new pair comes before.
func (b *pairBook) next() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.listed) > 0 && b.nextListed.Before(b.nextPairs) {
		return b.nextListed
	}
	return b.nextPairs
}

// following is the first time after now in steps from the last one.
func following(last time.Time, step time.Duration, now time.Time) time.Time {
	next := last.Add(step)
	if next.After(now) {
		return next
	}
	return next.Add(now.Sub(next).Truncate(step) + step)
}

// heard says which symbols rates were received of. It tells whether a pair was
// heard of for the first time.
func (b *pairBook) heard(symbols []string, now time.Time) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, symbol := range symbols {
		pair, ok := kurs.ParsePair(symbol)
		n := b.pairs[pair]
		if !ok || n == nil {
			continue
		}
		if n.answered.IsZero() {
			first = true
			if n.wanted { // prices may have waited since long before
				n.missing, n.missingAt = n.oldest, now
			}
			signal(b.pastNew)
		} else if now.Sub(n.answered) > b.maxAge && n.hole.IsZero() {
			n.hole = n.answered
			signal(b.pastNew)
		}
		n.answered = now
		n.unknown = time.Time{}
		n.told = false
	}
	return first
}

// absent says which symbols the provider does not know, and returns the pairs of
// which that is news. Their legs are asked instead.
func (b *pairBook) absent(symbols []string, now time.Time) (news []kurs.Pair) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, symbol := range symbols {
		pair, ok := kurs.ParsePair(symbol)
		n := b.pairs[pair]
		if !ok || n == nil {
			continue
		}
		n.unknown = now.Add(unknownFor)
		n.missing = time.Time{}
		if n.wanted {
			b.wantLegs(n, n.oldest, now)
		}
		if !n.told {
			n.told = true
			news = append(news, pair)
		}
	}
	return news
}

// histories are the parts of the past to ask for now, counted as covered from
// here on, and when to look again if nothing happens before (zero: not at all).
func (b *pairBook) histories(now time.Time) (out []history, again time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.pairs {
		if !n.wanted || n.answered.IsZero() || n.missing.IsZero() && n.hole.IsZero() {
			continue
		}
		if n.minutes.IsZero() && n.missing.IsZero() {
			n.hole = time.Time{} // no price needed the rates
			continue
		}
		// The first rates are urgent. That an older price turns up is not, and seldom
		// comes alone.
		if at := n.missingAt.Add(gather); !n.minutes.IsZero() && n.hole.IsZero() && at.After(now) {
			if again.IsZero() || at.Before(again) {
				again = at
			}
			continue
		}
		out = append(out, b.take(n, now))
	}
	slices.SortFunc(out, func(x, y history) int { return x.minutes.Compare(y.minutes) })
	return out, again
}

// take makes the history that a pair lacks.
func (b *pairBook) take(n *pairNeed, now time.Time) history {
	oldest := n.missing
	if oldest.IsZero() || !n.hole.IsZero() && n.hole.Before(oldest) {
		oldest = n.hole
	}
	h := newHistory(n.pair, oldest, b.maxAge, now)
	switch {
	case n.minutes.IsZero(), !n.hole.IsZero():
	case h.minutes.Before(n.minutes):
		// More than is needed, so that not each older price means a request.
		if day := h.minutes.Truncate(24 * time.Hour); day.After(now.Add(-minutesReach)) {
			h.minutes = day
		}
		h.to = n.minutes.Add(time.Minute)
	default:
		h.minutes = time.Time{}
	}
	if !n.days.IsZero() && !h.days.IsZero() {
		h.days = daysFor(oldest.Add(-30*24*time.Hour), now) // likewise
	}
	if n.minutes.IsZero() || !h.minutes.IsZero() && h.minutes.Before(n.minutes) {
		n.minutes = h.minutes
	}
	if n.days.IsZero() || !h.days.IsZero() && h.days.Before(n.days) {
		n.days = h.days
	} else {
		h.days = time.Time{}
	}
	n.missing, n.hole = time.Time{}, time.Time{}
	return h
}

// covered says how a history came out: days may have been asked for as well.
func (b *pairBook) covered(h history) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.pairs[h.pair]; n != nil && !h.days.IsZero() && (n.days.IsZero() || h.days.Before(n.days)) {
		n.days = h.days
	}
}

// uncovered gives a history back that was not asked for after all.
func (b *pairBook) uncovered(h history, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := b.pairs[h.pair]; n != nil {
		n.minutes, n.days = time.Time{}, time.Time{}
		n.missing, n.missingAt = n.oldest, now
	}
}

// names are the pairs to ask first in the next run.
func (b *pairBook) names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for pair, n := range b.pairs {
		if n.wanted && !n.answered.IsZero() {
			names = append(names, pair.String())
		}
	}
	slices.Sort(names)
	return names
}

// status describes the pairs, in the order of their names.
func (b *pairBook) status() []PairStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	var out []PairStatus
	for _, n := range b.pairs {
		if n.wanted {
			out = append(out, PairStatus{Pair: n.pair, Answered: n.answered, Unknown: now.Before(n.unknown)})
		}
	}
	slices.SortFunc(out, func(x, y PairStatus) int {
		if c := strings.Compare(x.From, y.From); c != 0 {
			return c
		}
		return strings.Compare(x.To, y.To)
	})
	return out
}

// signal wakes who waits for ch, now or when he next does.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
