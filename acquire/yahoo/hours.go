package yahoo

import (
	"slices"
	"strings"
	"sync"
	"time"

	"kurs"
)

// hours knows when each exchange is open: from the trading period that a chart of
// one of its instruments tells (currentTradingPeriod), which is that of the
// current session or of the next one. What is not known counts as open. Coins and
// currencies have exchanges of their own, and so hours of their own.
type hours struct {
	extended bool // before and after the regular session as well

	mu        sync.Mutex
	exchanges map[string]*exchange
	of        map[string]string // exchange by symbol
	news      chan struct{}     // an exchange's hours are to be asked for
}

// exchange is what is known of one.
type exchange struct {
	symbol string        // of an instrument whose chart is asked
	delay  time.Duration // of its prices
	pre    kurs.Span
	main   kurs.Span // empty: not known
	post   kurs.Span
	ask    time.Time // when its hours are to be asked for again
}

const (
	// closing is how long after the close prices of the session still come: those
	// of the closing auction.
	closing = 3 * time.Minute
	// hoursAgain is how long after a session its exchange is asked for the next one.
	hoursAgain = 10 * time.Minute
	hoursRetry = time.Hour
	// before is how long before an opening that is likely its hours are asked for:
	// the exchange may have a day off, or other hours.
	before = 90 * time.Second
)

func newHours(extended bool) *hours {
	return &hours{extended: extended, exchanges: map[string]*exchange{}, of: map[string]string{}, news: make(chan struct{}, 1)}
}

// learn takes from an answer which exchange its symbols are of, and hours. The
// delay of an exchange's prices is told by quotes alone.
func (h *hours) learn(from kurs.Endpoint, seen kurs.Observed, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range seen.Instruments {
		in := &seen.Instruments[i]
		if in.Exchange == "" || h.of[in.Symbol] == in.Exchange {
			continue
		}
		h.of[in.Symbol] = strings.Clone(in.Exchange)
		if h.exchanges[in.Exchange] == nil {
			h.exchanges[in.Exchange] = &exchange{symbol: in.Symbol, ask: now}
			signal(h.news)
		}
	}
	for i := range seen.Quotes {
		if e := h.exchanges[h.of[seen.Quotes[i].Symbol]]; e != nil && from == kurs.EndpointQuote {
			e.delay = seen.Quotes[i].Delay
		}
	}
	for _, told := range seen.Hours {
		name := told.Exchange
		if name == "" {
			name = h.of[told.Symbol]
		}
		e := h.exchanges[name]
		if e == nil {
			continue
		}
		e.pre, e.main, e.post = told.Pre, told.Regular, told.Post
		e.ask = e.askAgain(now)
	}
}

// askAgain is when hours that are known are to be asked for again.
func (e *exchange) askAgain(now time.Time) time.Time {
	if over := e.main.To.Add(e.delay + closing + hoursAgain); over.After(now) {
		return over
	}
	again := now.Add(hoursRetry)
	// A session is over, and the next one not told yet. It may begin at the same
	// time on one of the next days: look again shortly before.
	next := e.main.From
	for !next.Add(-before).After(now) {
		next = next.Add(24 * time.Hour)
	}
	if at := next.Add(-before); at.Before(again) {
		return at
	}
	return again
}

// due are the instruments whose charts are to be asked now, for the hours of
// their exchanges, and when the next will be.
func (h *hours) due(now time.Time) (symbols []string, next time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.exchanges {
		if !e.ask.After(now) {
			symbols = append(symbols, e.symbol)
			e.ask = now.Add(hoursRetry) // unless it tells
		}
		if next.IsZero() || e.ask.Before(next) {
			next = e.ask
		}
	}
	slices.Sort(symbols)
	return symbols, next
}

// open tells whether prices of a symbol are being made.
func (h *hours) open(symbol string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.exchanges[h.of[symbol]]
	if e == nil || e.main.Empty() {
		return true
	}
	return h.within(e, now, e.delay+closing)
}

// within tells whether a time is in a session of an exchange, or less than a
// grace after one.
func (h *hours) within(e *exchange, now time.Time, grace time.Duration) bool {
	span := func(s kurs.Span) bool { return !s.Empty() && !now.Before(s.From) && now.Before(s.To.Add(grace)) }
	return span(e.main) || h.extended && (span(e.pre) || span(e.post))
}

// anyTrades tells whether any of some symbols has been traded all through a time
// until now, as far as its exchange's hours tell.
func (h *hours) anyTrades(symbols []string, since time.Duration, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(symbols, func(symbol string) bool {
		e := h.exchanges[h.of[symbol]]
		return e == nil || e.main.Empty() || h.within(e, now, 0) && h.within(e, now.Add(-since), 0)
	})
}

// again is when a symbol that was asked at a time is due again: after an interval
// while its market is open, else after the longer one (0: not at all) or when it
// opens. Where the interval is long, the ends of a session are not left out; such
// a moment is exact.
func (h *hours) again(symbol string, asked time.Time, interval, closed time.Duration) (next time.Time, exact bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.exchanges[h.of[symbol]]
	if e == nil || e.main.Empty() {
		return asked.Add(interval), false
	}
	switch {
	case h.within(e, asked, e.delay+closing):
		next = asked.Add(interval)
	case closed > 0:
		next = asked.Add(max(interval, closed))
	default:
		next = asked.Add(24 * time.Hour)
		if e.ask.After(asked) && e.ask.Before(next) {
			next = e.ask.Add(time.Minute) // then it is known better
		}
	}
	for _, end := range h.ends(e) {
		if end.After(asked.Add(time.Second)) && end.Before(next) {
			next, exact = end, true
		}
	}
	return next, exact
}

const edge = 20 * time.Second // within the first and the last minute of a session

// ends are the moments of a session that are not to be missed.
func (h *hours) ends(e *exchange) []time.Time {
	spans := []kurs.Span{e.main}
	if h.extended {
		spans = append(spans, e.pre, e.post)
	}
	var out []time.Time
	for _, s := range spans {
		if !s.Empty() {
			out = append(out, s.From.Add(e.delay), s.From.Add(e.delay+edge), s.To.Add(e.delay-edge), s.To.Add(e.delay+edge))
		}
	}
	return out
}
