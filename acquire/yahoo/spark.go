package yahoo

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"time"

	"kurs"
)

// Without a session a spark tells the last prices of some symbols at once. Of its
// two versions the seventh tells the unit; it takes exactly 20 symbols (measured
// by bisection, and told by clients since 2022). Where it is refused, kurs goes
// on symbol by symbol.

const (
	mostSpark  = 20
	sparkAgain = time.Hour
)

// sparks is whether, and how many symbols at once, sparks are asked.
type sparks struct {
	mu      sync.Mutex
	most    int       // 0 means mostSpark
	until   time.Time // not asked before
	garbled int       // answers in a row that were none
}

// mostGarbled is how many answers in a row may be none before sparks are not asked
// for a while: a page of apology is soon over, and a server without sparks is not.
const mostGarbled = 3

// read says whether an answer could be read.
func (s *sparks) read(ok bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.garbled++; ok {
		s.garbled = 0
	}
	if s.garbled >= mostGarbled {
		s.garbled, s.until = 0, now.Add(sparkAgain)
	}
}

// limit is how many symbols a spark may have; 0: it is not to be asked.
func (s *sparks) limit(now time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case now.Before(s.until):
		return 0
	case s.most == 0:
		return mostSpark
	}
	return s.most
}

// refuse says that n symbols were refused: fewer are asked, or none for a while.
func (s *sparks) refuse(n int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most = n / 2; s.most == 0 {
		s.until = now.Add(sparkAgain)
	}
}

// sparkURL asks for the last prices of symbols: the closes of today.
func sparkURL(base string, symbols []string) string {
	escaped := make([]string, len(symbols))
	for i, symbol := range symbols {
		escaped[i] = url.QueryEscape(symbol)
	}
	return base + "/v7/finance/spark?symbols=" + strings.Join(escaped, ",") + "&range=1d&interval=5m"
}

// stepSpark asks for the next symbols of a round without a session.
func (c *Client) stepSpark(ctx context.Context, r *round, most int, hear hear) error {
	part := r.next(most)
	q := question{request: request{url: sparkURL(c.cfg.QueryURL, part)}, endpoint: kurs.EndpointSpark, symbols: part}
	a, err := c.askPart(ctx, q, r, hear)
	if err != nil {
		return err
	}
	switch a.verdict {
	case said:
		c.sparks.read(true, time.Now())
		r.missing = append(r.missing, leftOut(part, a.seen)...)
		return hear(a.raw(q, r.listedOf(part)), r.kind, a.seen)
	case refused, tooLong, denied:
		n := len(part)
		if a.verdict == denied {
			n = 1 // there is none for us here, however few
		}
		c.sparks.refuse(n, time.Now())
		r.putBack(part)
		return nil
	case garbled:
		c.sparks.read(false, time.Now())
	case failed:
	}
	r.putBack(part)
	return a.trouble
}

// leftOut are those of some symbols that an answer tells no price of.
func leftOut(symbols []string, seen kurs.Observed) []string {
	have := make(map[string]struct{}, len(symbols))
	for i := range seen.Quotes {
		have[seen.Quotes[i].Symbol] = struct{}{}
	}
	for i := range seen.Bars {
		have[seen.Bars[i].Symbol] = struct{}{}
	}
	var missing []string
	for _, symbol := range symbols {
		if _, ok := have[symbol]; !ok {
			missing = append(missing, symbol)
		}
	}
	return missing
}
