package fx

import (
	"fmt"
	"slices"
	"time"

	"kurs"
)

// A rate that moves too far from its neighbour in time, or leaves the band that
// it is bound to, is doubted: nothing is converted with it until a person says
// that it is right. The neighbour is of the same pair and source and known at
// that place of the stream, so every book doubts the same.

// The band of the Danish krone in the exchange rate mechanism ERM II: 7.46038
// kroner for a euro, 2.25 % to either side. Source: the euro central rates and
// compulsory intervention rates that the ECB published on 1 January 1999.
var (
	bandLeast = kurs.MustDecimal("7.29252")
	bandMost  = kurs.MustDecimal("7.62824")
)

// jumpLimit is by which factor a rate may differ from its neighbour.
func (p Policy) jumpLimit() kurs.Decimal {
	limit, err := kurs.Int(1).Add(p.MaxJump)
	if err != nil { // more than 18 digits: Check refuses it
		return kurs.Int(2)
	}
	return limit
}

// doubt says why a rate is not believed; ok is false where it is.
func (s *state) doubt(key code, r kurs.Rate, at int64, rules *rules) (Refused, bool) {
	out := Refused{Symbol: r.Symbol, Source: r.Source, Time: r.Time, Interval: r.Interval, Value: r.Value, Unit: r.To}
	if out.Symbol == "" {
		out.Symbol = r.Pair.Symbol()
	}
	if !inBand(r) {
		out.Reason = kurs.ReasonBand
		out.Detail = fmt.Sprintf("a euro is %s to %s kroner", bandLeast, bandMost)
		return out, true
	}
	near, when, ok := s.neighbour(key, r.Source, at, rules.daily)
	if !ok {
		return out, false
	}
	if farther(r.Value, near, rules.jump) || farther(near, r.Value, rules.jump) {
		out.Reason = kurs.ReasonRate
		out.Detail = fmt.Sprintf("next to %s of %s", near, time.Unix(0, when).UTC().Format(time.RFC3339))
		return out, true
	}
	return out, false
}

// farther tells whether a is more than limit times b.
func farther(a, b, limit kurs.Decimal) bool {
	ratio, err := a.Quo(b)
	return err != nil || ratio.Cmp(limit) > 0
}

func inBand(r kurs.Rate) bool {
	value := r.Value
	switch {
	case r.From == "EUR" && r.To == "DKK":
	case r.From == "DKK" && r.To == "EUR":
		var err error
		if value, err = kurs.Int(1).Quo(value); err != nil {
			return false
		}
	default:
		return true
	}
	return value.Cmp(bandLeast) >= 0 && value.Cmp(bandMost) <= 0
}

// neighbour is the newest rate of the pair and source that is not after a time;
// where there is none, the first after it; neither further away than far. What the
// message at hand brought before counts as well. A rate that was forgotten is none,
// whether or not it was swept out already: that differs after a restart.
func (s *state) neighbour(key code, source string, at, far int64) (value kurs.Decimal, when int64, ok bool) {
	take := func(r *stored) {
		better := !ok || r.at <= at && (when > at || r.at >= when) || r.at > at && when > at && r.at < when
		if better {
			value, when, ok = r.value(), r.at, true
		}
	}
	for _, other := range s.pairs[key] {
		if other.source.name != source {
			continue
		}
		i, cut := other.upTo(at), s.log.floorNumber()
		before := i - 1
		for before >= 0 && other.rates[before].gone < cut && at-other.rates[before].at <= far {
			before--
		}
		if before >= 0 && at-other.rates[before].at <= far {
			take(&other.rates[before])
		} else {
			for i < len(other.rates) && other.rates[i].gone < cut && other.rates[i].at-at <= far {
				i++
			}
			if i < len(other.rates) && other.rates[i].at-at <= far {
				take(&other.rates[i])
			}
		}
		if n := len(other.fresh); n > 0 && max(at-other.fresh[n-1].at, other.fresh[n-1].at-at) <= far {
			take(&other.fresh[n-1])
		}
	}
	return value, when, ok
}

// doubts remembers what was not believed, by the message that said it: whoever
// processes that message later sets it aside.
type doubts struct {
	of    map[kurs.RawID][]Refused
	order []doubted // in the order of the stream
}

type doubted struct {
	pos uint64
	raw kurs.RawID
}

// mostDoubts bounds what is remembered; beyond it the oldest is forgotten.
const mostDoubts = 100_000

func (d *doubts) add(pos uint64, raw kurs.RawID, r Refused) {
	if d.of == nil {
		d.of = map[kurs.RawID][]Refused{}
	}
	if len(d.of[raw]) == 0 {
		d.order = append(d.order, doubted{pos, raw})
	}
	d.of[raw] = append(d.of[raw], r)
	if len(d.order) > mostDoubts {
		d.drop(len(d.order) - mostDoubts)
	}
}

// forget drops what was said before a position that can no longer be asked about.
func (d *doubts) forget(floor uint64) {
	n := 0
	for n < len(d.order) && d.order[n].pos < floor {
		n++
	}
	d.drop(n)
}

func (d *doubts) drop(n int) {
	for _, old := range d.order[:n] {
		delete(d.of, old.raw)
	}
	d.order = slices.Delete(d.order, 0, n)
}
