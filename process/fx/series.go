package fx

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"kurs"
)

// A series is the rates of one pair from one source that have the same span of
// validity, in the order of their times, and of their messages where times are
// equal.
type series struct {
	source *source
	class  class
	rates  []stored
	fresh  []stored // what the message at hand brings; empty between messages
}

// class tells how long a rate is valid.
type class struct {
	daily bool  // from a bar of a day or longer
	own   int64 // nanoseconds, where the rate itself says it
}

// stored is a rate. Messages are known by their ordinals. A rate stands beside its
// time since a search nearly always ends where it looks first, and what is far
// apart in memory costs more to look at than all else of a lookup.
type stored struct {
	at    int64 // Unix nanoseconds
	coef  int64 // the value is coef x 10^exp
	known uint32
	gone  uint32 // superseded by this message, or forever
	label uint32 // symbol and interval
	exp   int16
}

const forever = math.MaxUint32

func (r *stored) value() kurs.Decimal {
	d, err := kurs.NewDecimal(r.coef, int(r.exp))
	if err != nil {
		return kurs.Decimal{} // cannot be: it was taken from a decimal
	}
	return d
}

func (r *stored) sameValue(o *stored) bool { return r.coef == o.coef && r.exp == o.exp }

// upTo is the number of rates whose time is not after at. Most questions are
// about the newest ones, so it looks at these first, in growing steps.
func (s *series) upTo(at int64) int {
	low, high := 0, len(s.rates)
	for step := 1; step <= min(len(s.rates), farthest); step *= 4 {
		i := len(s.rates) - step
		if s.rates[i].at <= at {
			low = i + 1
			break
		}
		high = i
	}
	low, high = s.guess(at, low, high)
	for low < high {
		middle := int(uint(low+high) / 2)
		if s.rates[middle].at <= at {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

const (
	farthest = 256 // from the end that a search looks before it guesses
	near     = 8   // from a guess
)

// guess narrows a search: rates come about evenly, so the place of a time follows
// from the first and the last. Where they do not, nothing is lost but the guess.
func (s *series) guess(at int64, low, high int) (int, int) {
	for range 3 {
		if high-low <= 2*near {
			break
		}
		first, last := s.rates[low].at, s.rates[high-1].at
		if at < first || at >= last {
			break
		}
		over, under := bits.Mul64(uint64(at-first), uint64(high-1-low)) //nolint:gosec // at is not before first
		part, _ := bits.Div64(over, under, uint64(last-first))          //nolint:gosec // nor after last
		i := low + int(part)                                            //nolint:gosec // less than high-1-low
		if s.rates[i].at > at {
			high = i
			for step := 1; step <= near && i-step >= low; step *= 2 {
				if s.rates[i-step].at <= at {
					return i - step + 1, high
				}
				high = i - step
			}
			continue
		}
		low = i + 1
		for step := 1; step <= near && i+step < high; step *= 2 {
			if s.rates[i+step].at > at {
				return low, i + step
			}
			low = i + step + 1
		}
	}
	return low, high
}

// newest is the index of the newest rate that the view sees, that is not after
// at and young enough; -1 if there is none.
func (s *series) newest(at int64, v *view) int {
	for i := s.upTo(at) - 1; i >= 0; i-- {
		r := &s.rates[i]
		if r.known > v.last || r.gone < v.cut {
			if at-r.at > v.rules.most(s.class) {
				return -1
			}
			continue
		}
		if v.rules.young(s.class, r.at, at) {
			return i
		}
		return -1
	}
	return -1
}

// take adds what the message brought, and tells whether that changed anything.
//
// A rate that is the same as the one that was learned before it for its time is
// no news: on a weekend the provider repeats one rate thousands of times. It is
// only remembered for longer.
func (s *series) take(message, cut uint32) bool {
	slices.SortStableFunc(s.fresh, func(a, b stored) int { return cmp.Compare(a.at, b.at) })
	changed, kept := false, s.fresh[:0]
	for _, f := range s.fresh {
		if n := len(kept); n > 0 && kept[n-1].at == f.at {
			if !kept[n-1].sameValue(&f) {
				kept = append(kept, f)
			}
			continue
		}
		i := s.upTo(f.at) - 1
		if i < 0 || s.rates[i].at != f.at || !s.rates[i].sameValue(&f) || s.rates[i].gone < cut {
			kept = append(kept, f)
			continue
		}
		if r := &s.rates[i]; r.gone < message {
			// It was seen until now, so to say that it was superseded now and
			// not before changes no answer about the past.
			r.gone, changed = message, true
		}
	}
	s.fresh = kept
	changed = changed || len(kept) > 0
	s.merge(message)
	s.fresh = s.fresh[:0]
	if cap(s.fresh) > 1024 {
		s.fresh = nil
	}
	return changed
}

// merge puts the arrivals, which are in order, in their places.
func (s *series) merge(message uint32) {
	add := len(s.fresh)
	if add == 0 {
		return
	}
	last := len(s.rates) - 1
	if last >= 0 && s.rates[last].at <= s.fresh[add-1].at {
		s.rates[last].gone = message
	}
	s.rates = append(s.rates, make([]stored, add)...)
	for to := len(s.rates) - 1; add > 0; to-- {
		if last >= 0 && s.rates[last].at > s.fresh[add-1].at {
			s.rates[to] = s.rates[last]
			last--
			continue
		}
		add--
		s.rates[to] = s.fresh[add]
		s.rates[to].known, s.rates[to].gone = message, message
	}
	end := &s.rates[len(s.rates)-1]
	end.gone = forever
}

// forget drops the rates that were superseded before the message keep.
func (s *series) forget(keep uint32) {
	n := 0
	for _, r := range s.rates {
		if r.gone >= keep {
			s.rates[n] = r
			n++
		}
	}
	if n == len(s.rates) {
		return
	}
	s.rates = s.rates[:n]
	if n < cap(s.rates)/2 {
		s.rates = slices.Clip(slices.Clone(s.rates))
	}
}

// code is a pair of two ISO codes as a number, which makes the quickest key.
type code uint64

func codeOf(p kurs.Pair) (code, bool) {
	if len(p.From) != 3 || len(p.To) != 3 {
		return 0, false
	}
	return code(p.From[0])<<40 | code(p.From[1])<<32 | code(p.From[2])<<24 |
		code(p.To[0])<<16 | code(p.To[1])<<8 | code(p.To[2]), true
}

// The times that a book can hold: what fits Unix nanoseconds with room to
// subtract.
var (
	earliest = time.Date(1800, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func nanos(t time.Time) (int64, bool) {
	return t.UnixNano(), t.After(earliest) && t.Before(latest)
}
