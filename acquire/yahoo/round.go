package yahoo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"kurs"
)

// hear takes an answer over: it hands it on and learns from what was seen in it.
// An error of its own ends everything.
type hear func(raw kurs.Raw, kind kurs.RawKind, seen kurs.Observed) error

// A round asks for the last prices of some symbols, each once: many in a request
// where there is a session, else one by one. It keeps what is still to be asked,
// so that it can go on after trouble.
type round struct {
	kind   kurs.RawKind
	listed []string   // as in kurs.Raw
	parts  [][]string // still to be asked, the first last

	byChart bool // one by one, session or not
	byDay   bool // so, and charts without minutes: what is told besides of an instrument is wanted

	missing []string        // were left out of an answer
	refused []unknownSymbol // have no price, and why
	blamed  int             // single symbols that were answered 400
	split   bool            // a part was refused and halved
	worked  int             // size of the largest part that was answered
}

func newRound(symbols, listed []string, kind kurs.RawKind) *round {
	r := &round{kind: kind, listed: listed}
	if len(symbols) > 0 {
		r.parts = [][]string{symbols}
	}
	return r
}

func (r *round) done() bool { return len(r.parts) == 0 }

// more tells whether more than n symbols are still to be asked.
func (r *round) more(n int) bool {
	for _, part := range r.parts {
		n -= len(part)
	}
	return n < 0
}

func (r *round) isMissing(symbol string) bool {
	return slices.Contains(r.missing, symbol) ||
		slices.ContainsFunc(r.refused, func(u unknownSymbol) bool { return u.symbol == symbol })
}

// next is what to ask now, not more than n symbols.
func (r *round) next(n int) []string {
	last := len(r.parts) - 1
	part := r.parts[last]
	if len(part) <= n {
		r.parts = r.parts[:last]
		return part
	}
	r.parts[last] = part[n:]
	return part[:n:n]
}

// putBack has a part asked again, before the rest.
func (r *round) putBack(part []string) { r.parts = append(r.parts, part) }

// halve has both halves of a part asked instead of it.
func (r *round) halve(part []string) {
	half := (len(part) + 1) / 2
	r.split = true
	r.putBack(part[half:])
	r.putBack(part[:half:half])
}

// listedOf are those of some symbols that the user lists.
func (r *round) listedOf(symbols []string) []string {
	if len(r.listed) == 0 {
		return nil
	}
	var out []string
	for _, symbol := range symbols {
		if slices.Contains(r.listed, symbol) {
			out = append(out, symbol)
		}
	}
	return out
}

// An unknownSymbol has no price to be had, and the reason in Yahoo's words.
type unknownSymbol struct {
	symbol, words string
	near          []string // symbols that may have been meant
}

// step makes one request of a round that is not done (and those for a session,
// if one is needed first). It returns trouble as a *trouble, after which it may
// be called again; other errors are final.
func (c *Client) step(ctx context.Context, r *round, hear hear) error {
	if r.byChart {
		return c.stepChart(ctx, r, hear)
	}
	who, ok, err := c.credentials(ctx)
	if err != nil {
		return err
	}
	if !ok {
		if most := c.sparks.limit(time.Now()); most > 0 && r.more(1) {
			return c.stepSpark(ctx, r, most, hear)
		}
		return c.stepChart(ctx, r, hear)
	}
	part := r.next(c.sizes.limit(time.Now()))
	q := question{
		request:  request{url: quoteURL(c.cfg.QueryURL, part, c.cfg.Extended, who.Crumb), cookie: who.Cookie},
		endpoint: kurs.EndpointQuote, symbols: part,
	}
	a, err := c.askPart(ctx, q, r, hear)
	if err != nil {
		return err
	}
	switch a.verdict {
	case said:
		c.session.accepted(who.generation)
		c.answered(r, part, a.seen)
		return hear(a.raw(q, r.listedOf(part)), r.kind, a.seen)
	case denied:
		r.putBack(part)
		c.session.denied(who.generation, deniedWords(a))
		return nil
	case tooLong:
		r.halve(part)
		if a.status != http.StatusBadRequest {
			c.sizes.shrink(len(part)/2, time.Now())
		}
		return nil
	case refused:
		c.blame(r, part, a)
		return nil
	case failed, garbled:
		if a.status == http.StatusTooManyRequests && len(part) > safeBatch {
			c.sizes.shrink(max(len(part)/2, safeBatch), time.Now())
		}
	}
	r.putBack(part)
	return a.trouble
}

// askPart asks for the symbols of a question, a part of a round that has been
// taken out of it: without an answer it is put back.
func (c *Client) askPart(ctx context.Context, q question, r *round, hear hear) (reply, error) {
	a, err := c.ask(ctx, q)
	if err != nil {
		r.putBack(q.symbols)
		return a, err
	}
	return a, c.hearOdd(q, a, r, hear)
}

func deniedWords(a reply) error {
	if a.seen.Failure != nil {
		return a.seen.Failure
	}
	return fmt.Errorf("answered %d", a.status)
}

// credentials is the session, if one is to be had now. While the host is in
// trouble none is asked for: first it must answer anything at all.
func (c *Client) credentials(ctx context.Context) (credentials, bool, error) {
	if c.gate.state().Fails > 0 {
		who, ok := c.session.held()
		return who, ok, nil
	}
	who, err := c.session.use(ctx)
	switch {
	case err == nil:
		return who, true, nil
	case ctx.Err() != nil:
		return who, false, err
	}
	return who, false, nil // errNoSession
}

// answered notes what an answer left out, and which size was answered.
func (c *Client) answered(r *round, part []string, seen kurs.Observed) {
	r.missing = append(r.missing, leftOut(part, seen)...)
	r.worked = max(r.worked, len(part))
	if r.done() && r.split && r.blamed == 0 {
		// Halves were answered that were refused as a whole: it was too long.
		c.sizes.shrink(r.worked, time.Now())
	}
}

// mostBlamed bounds how many symbols of a round may be to blame for a 400: a host
// that answers it to everything does not mean the symbols.
const mostBlamed = 3

// blame notes a single symbol that is refused in a request of its own. Where too
// many are, the round is given up: halving on would only add requests.
func (c *Client) blame(r *round, part []string, a reply) {
	r.blamed++
	if r.blamed > mostBlamed {
		r.parts = nil
		if c.strange.now("refusals") {
			c.log.Warn("provider refuses too many symbols: the rest waits for the next round",
				"host", c.host, "status", a.status, "error", yahooSays(a.seen.Failure))
		}
		return
	}
	for _, symbol := range part {
		r.refused = append(r.refused, unknownSymbol{symbol: symbol, words: yahooSays(a.seen.Failure)})
	}
}

// stepChart asks for the next symbol of a round without a session.
func (c *Client) stepChart(ctx context.Context, r *round, hear hear) error {
	part := r.next(1)
	words, err := c.chart(ctx, part[0], r, hear)
	switch {
	case err != nil:
		r.putBack(part)
		return err
	case words != "":
		r.refused = append(r.refused, unknownSymbol{symbol: part[0], words: words})
	}
	return nil
}

// noPrice is said of a symbol that is answered, but without any price: a share
// that is no longer listed.
const noPrice = "Yahoo knows it, but has no price"

// chart asks for today's chart of one symbol, and returns Yahoo's words if it has
// no price.
func (c *Client) chart(ctx context.Context, symbol string, r *round, hear hear) (words string, err error) {
	interval := "1m"
	if r.byDay {
		interval = "1d"
	}
	q := question{
		request:  request{url: chartURL(c.cfg.QueryURL, symbol, interval, time.Time{}, time.Time{})},
		endpoint: kurs.EndpointChart, symbols: []string{symbol},
	}
	a, err := c.ask(ctx, q)
	if err != nil {
		return "", err
	}
	if err := c.hearOdd(q, a, r, hear); err != nil {
		return "", err
	}
	switch a.verdict {
	case said:
		if err := hear(a.raw(q, r.listedOf(q.symbols)), r.kind, a.seen); err != nil {
			return "", err
		}
		if len(a.seen.Quotes) == 0 && len(a.seen.Bars) == 0 {
			return noPrice, nil
		}
		return "", nil
	case refused:
		return yahooSays(a.seen.Failure), nil
	case denied, tooLong, failed, garbled: // a chart is never denied or too long
	}
	return "", a.trouble
}

func yahooSays(words *kurs.ProviderError) string {
	if words == nil || words.Description == "" && words.Code == "" {
		return "Yahoo refuses it without a reason"
	}
	if words.Description == "" {
		return fmt.Sprintf("Yahoo says %q", words.Code)
	}
	return fmt.Sprintf("Yahoo says %q", words.Description)
}

// hearOdd hands on a whole answer of status 200 that is none: it becomes a dead
// letter, for a person to look at. One a minute is enough for that. It carries no
// rates, whatever was asked for.
func (c *Client) hearOdd(q question, a reply, r *round, hear hear) error {
	if a.status != http.StatusOK || a.verdict == said || !c.garbled.now(string(q.endpoint)) {
		return nil
	}
	return hear(a.raw(q, r.listedOf(q.symbols)), kurs.CarriesPrices, kurs.Observed{})
}

// doubt asks again for the symbols that a round missed, together but without the
// others; whoever is left out once more is asked for alone by chart, for a price
// or for Yahoo's words. One absence proves nothing (karlwancl/YahooFinanceApi
// issue 30). all is what takes a round to its end.
func (*Client) doubt(
	ctx context.Context, r *round, all func(context.Context, *round, hear) error, hear hear,
) ([]unknownSymbol, error) {
	unknown := r.refused
	if len(r.missing) == 0 {
		return unknown, nil
	}
	once := newRound(r.missing, r.listedOf(r.missing), r.kind)
	if err := all(ctx, once, hear); err != nil {
		return unknown, err
	}
	unknown = append(unknown, once.refused...)
	alone := newRound(once.missing, r.listedOf(once.missing), r.kind)
	alone.byChart = true
	if err := all(ctx, alone, hear); err != nil {
		return unknown, err
	}
	return append(unknown, alone.refused...), nil
}

// sizes learns how many symbols a request may have. Where the limit lies is
// documented nowhere, and it has moved (yahoo's answers were 400, 414 and 429).
type sizes struct {
	most int         // as configured
	keep func(n int) // a size that was learned

	mu      sync.Mutex
	now     int
	changed time.Time
}

const (
	safeBatch = 20 // symbols; no limit below it has been heard of
	regrow    = time.Hour
)

// limit is the size to use. What was learned is doubted after an hour.
func (s *sizes) limit(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now < s.most && now.Sub(s.changed) >= regrow {
		s.now = min(2*s.now, s.most)
		s.changed = now
		s.keep(s.now)
	}
	return s.now
}

// restore takes up a size that was learned before a restart.
func (s *sizes) restore(n int, now time.Time) {
	if n > 0 && n < s.most {
		s.now, s.changed = n, now
	}
}

// shrink says that more than n symbols were too many.
func (s *sizes) shrink(n int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n = max(n, 1); n < s.now {
		s.now = n
		s.keep(n)
	}
	s.changed = now
}

// seldom lets a thing happen once in a while for each key.
type seldom struct {
	every time.Duration

	mu   sync.Mutex
	last map[string]time.Time
}

func newSeldom(every time.Duration) *seldom {
	return &seldom{every: every, last: map[string]time.Time{}}
}

func (s *seldom) now(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if last, ok := s.last[key]; ok && now.Sub(last) < s.every {
		return false
	}
	s.last[key] = now
	return true
}
