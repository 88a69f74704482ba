package fx

import (
	"math"

	"kurs"
)

// firstAfter tries the positions that can have made a difference, in order: the
// one right after, those that brought a rate that matters, changes of policy.
// What was received at the position known has its rate from there on.
func (s *state) firstAfter(pair kurs.Pair, at int64, known, after uint64) (kurs.Rate, uint64, bool) {
	key, isPair := codeOf(pair)
	if !isPair {
		return kurs.Rate{}, 0, false
	}
	since := s.clockAt(known)
	for pos := max(after+1, s.floor()); pos > after && pos <= s.pos; {
		var r kurs.Rate
		if s.asOf(&r, pair, at, asked{since: since, receipt: true}, pos) {
			return r, pos, true
		}
		next := nextAfter(pos)
		s.routes(pair, key, at, &next)
		for _, p := range s.policies {
			next.offer(p.pos)
			if fallback, ok := s.log.reaches(max(at, since) + p.rules.open); ok && len(p.rules.sources) > 1 {
				next.offer(fallback)
			}
		}
		if !next.found() {
			break
		}
		pos = next.pos
	}
	return kurs.Rate{}, 0, false
}

// candidate is the least position after a given one that was offered.
type candidate struct{ after, pos uint64 }

func nextAfter(pos uint64) candidate { return candidate{after: pos, pos: math.MaxUint64} }

func (c *candidate) offer(pos uint64) {
	if pos > c.after && pos < c.pos {
		c.pos = pos
	}
}

func (c *candidate) found() bool { return c.pos != math.MaxUint64 }

// routes offers the positions at which a route to the rate may have opened.
func (s *state) routes(pair kurs.Pair, key code, at int64, next *candidate) {
	for _, from := range s.sources {
		direct := s.arrivals(from, key, at, next.after)
		next.offer(direct.next.pos)
		for _, via := range s.loosest.vias {
			if via == pair.From || via == pair.To {
				continue
			}
			first, second := crossCodes(pair, via)
			a := s.arrivals(from, first, at, next.after)
			if !a.any() {
				continue
			}
			b := s.arrivals(from, second, at, next.after)
			if !b.any() {
				continue
			}
			// A cross is not there before both legs are. Without this, each
			// rate of one leg would be tried while the other is missing.
			if both := max(a.first, b.first); both > next.after {
				next.offer(both)
				continue
			}
			next.offer(a.next.pos)
			next.offer(b.next.pos)
		}
	}
}

// came says when the rates came that may be used for a leg: the first of all,
// and the first after the candidate's position.
type came struct {
	first uint64
	next  candidate
}

func (c *came) any() bool { return c.first != math.MaxUint64 }

// arrivals looks at every rate of a pair and its inverse that is young enough
// under any policy, forgotten or not: asOf decides, this only may not miss one.
func (s *state) arrivals(from *source, key code, at int64, after uint64) came {
	c := came{first: math.MaxUint64, next: nextAfter(after)}
	for _, k := range [2]code{key, key.inverse()} {
		for _, in := range s.pairs[k] {
			if in.source != from {
				continue
			}
			for i := in.upTo(at) - 1; i >= 0 && at-in.rates[i].at <= s.loosest.most(in.class); i-- {
				if !s.loosest.young(in.class, in.rates[i].at, at) {
					break
				}
				pos := s.log.find(in.rates[i].known).pos
				c.first = min(c.first, pos)
				c.next.offer(pos)
			}
		}
	}
	return c
}
