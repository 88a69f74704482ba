package sim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Faults say how often an exchange misbehaves in the ways that the real one does:
// each a share of 1. The zero value never does.
type Faults struct {
	Status429, Status500, Status401 float64 // of requests: refused
	Cut, Slow, Garbage, HTML        float64 // of requests: broken off, dribbled, no JSON, a page of apology
	Consent                         bool    // cookies only for who went through the pages of consent
	Limit                           int     // requests in any minute, refused with 429 beyond; 0: none
	RetryAfter                      int     // seconds that a 429 asks to wait; 0: it does not say

	StreamDrop    float64 // of connections, each second: closed
	StreamStall   float64 // of connections, each second: never sends again
	StreamGarbage float64 // of frames: followed by one that is none

	Stale       float64 // of prices told: an older one, with its time
	Duplicate   float64 // of prices told: told twice
	Shuffle     float64 // of answers and of seconds of a stream: in another order
	Missing     float64 // of symbols in an answer, and of frames: left out
	Hundredfold float64 // of (symbol, second): a hundred times the price, wherever it is told
	Correct     float64 // of (symbol, second): told first one tick off, a few seconds later right
	Nulls       float64 // of bars: null
	Delisted    float64 // of symbols: known, and without a price
	UnitFlip    float64 // of (symbol in hundredths, hour): told in pounds instead of pence, and so named
	ValueFlip   float64 // of (symbol in hundredths, hour): the value in pounds, and called pence

	Late    string // a currency that no pair is known of at first; empty: none
	LateFor int    // seconds from the first request on; 0: half an hour
}

// shares are the faults that are shares, by their names in a specification.
func (f *Faults) shares() map[string]*float64 {
	return map[string]*float64{
		"429": &f.Status429, "500": &f.Status500, "401": &f.Status401,
		"cut": &f.Cut, "slow": &f.Slow, "garbage": &f.Garbage, "html": &f.HTML,
		"stream-drop": &f.StreamDrop, "stream-stall": &f.StreamStall, "stream-garbage": &f.StreamGarbage,
		"stale": &f.Stale, "duplicate": &f.Duplicate, "shuffle": &f.Shuffle, "missing": &f.Missing,
		"hundredfold": &f.Hundredfold, "correct": &f.Correct, "nulls": &f.Nulls, "delisted": &f.Delisted,
		"unit-flip": &f.UnitFlip, "value-flip": &f.ValueFlip,
	}
}

func (f *Faults) counts() map[string]*int {
	return map[string]*int{"limit": &f.Limit, "retry-after": &f.RetryAfter, "late-for": &f.LateFor}
}

// maxFaultCount bounds the faults that are numbers.
const maxFaultCount = 1_000_000

// ParseFaults reads a list as "429=0.01,consent=on,limit=60". An empty one is no
// fault at all.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	shares, counts := f.shares(), f.counts()
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok:
			return Faults{}, fmt.Errorf("%q: NAME=VALUE expected, as 429=0.01", item)
		case name == "consent":
			if value != "on" && value != "off" {
				return Faults{}, fmt.Errorf("consent=%s: on or off expected", value)
			}
			f.Consent = value == "on"
		case name == "late":
			if usdValue(value) == 0 {
				return Faults{}, fmt.Errorf("late=%s: a currency expected (%s)", value, strings.Join(currencyCodes(), " "))
			}
			f.Late = value
		case shares[name] != nil:
			share, err := strconv.ParseFloat(value, 64)
			if err != nil || !(share >= 0 && share <= 1) { // NaN is neither
				return Faults{}, fmt.Errorf("%s=%s: a share from 0 to 1 expected", name, value)
			}
			*shares[name] = share
		case counts[name] != nil:
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > maxFaultCount {
				return Faults{}, fmt.Errorf("%s=%s: a number from 0 to %d expected", name, value, maxFaultCount)
			}
			*counts[name] = n
		default:
			return Faults{}, fmt.Errorf("there is no fault %q: there are %s", name, strings.Join(FaultNames(), " "))
		}
	}
	return f, nil
}

// FaultNames are the names that a specification may have.
func FaultNames() []string {
	var f Faults
	names := append(slices.Collect(maps.Keys(f.shares())), slices.Collect(maps.Keys(f.counts()))...)
	names = append(names, "consent", "late")
	slices.Sort(names)
	return names
}

// String is the specification of f: what [ParseFaults] reads.
func (f Faults) String() string {
	var items []string
	for name, share := range f.shares() {
		if *share > 0 {
			items = append(items, name+"="+strconv.FormatFloat(*share, 'g', -1, 64))
		}
	}
	for name, n := range f.counts() {
		if *n > 0 {
			items = append(items, name+"="+strconv.Itoa(*n))
		}
	}
	if f.Consent {
		items = append(items, "consent=on")
	}
	if f.Late != "" {
		items = append(items, "late="+f.Late)
	}
	slices.Sort(items)
	return strings.Join(items, ",")
}

// SetFaults changes how the exchange misbehaves, from the next request and the
// next second of a stream on.
func (x *Exchange) SetFaults(f Faults) { x.faults.Store(&f) }

// chance draws lots: true in so many of the cases that the words and the number
// name, always the same ones.
func (x *Exchange) chance(share float64, what string, n uint64) bool {
	return share > 0 && unit(mix(hash(x.seed, "fault", what)^n*0x9e3779b97f4a7c15)) < share
}

// drawn is a number below n, likewise.
func (x *Exchange) drawn(n int, what string, of uint64) int {
	return int(unit(mix(hash(x.seed, "draw", what)^of*0x9e3779b97f4a7c15)) * float64(n))
}

// told is what the exchange says, at the second now, that a price was at t.
func (x *Exchange) told(in *instrument, p price, t, now int64) price {
	f := x.faults.Load()
	if f.Hundredfold == 0 && f.Correct == 0 && f.UnitFlip == 0 && f.ValueFlip == 0 {
		return p
	}
	of := in.key ^ uint64(t) //nolint:gosec // only bits
	if x.chance(f.Correct, "correct", of) && now-t < correctedAfter {
		p.coef++
	}
	if x.chance(f.Hundredfold, "hundredfold", of) {
		p = p.hundredfold()
	}
	if x.flipped(f.UnitFlip, "unit", in, now) || x.flipped(f.ValueFlip, "value", in, now) {
		p.decimals += 2
	}
	return p
}

// unitTold is the unit that an instrument is said to be quoted in at a second.
func (x *Exchange) unitTold(in *instrument, now int64) string {
	if x.flipped(x.faults.Load().UnitFlip, "unit", in, now) {
		return in.venue.currency
	}
	return in.unit
}

// flipped tells whether what is quoted in hundredths of a currency is told in the
// currency itself, for the hour that the second now is in: by a share of unit and
// value, or of the value alone. An hour has one of the two at most.
func (x *Exchange) flipped(share float64, what string, in *instrument, now int64) bool {
	if share == 0 || in.unit != in.venue.unit || in.factor() != 0.01 {
		return false
	}
	of := in.key ^ uint64(now/3600) //nolint:gosec // only bits
	if what == "value" && x.chance(x.faults.Load().UnitFlip, "flip of the unit", of) {
		return false
	}
	return x.chance(share, "flip of the "+what, of)
}

// correctedAfter is when a price that was told wrong is told right, in seconds.
const correctedAfter = 5

// lateFor is for how long a late currency is unknown where nothing else was said,
// in seconds.
const lateFor = 1800

// late tells whether an instrument does not exist yet at a second: a pair of the
// currency that comes late.
func (x *Exchange) late(in *instrument, now int64) bool {
	f := x.faults.Load()
	if f.Late == "" || in.kind != currency || !strings.Contains(in.long, f.Late) {
		return false
	}
	span := int64(f.LateFor)
	if span == 0 {
		span = lateFor
	}
	return now < x.first.Load()+span
}

// hundredfold is a hundred times the price, with the same digits.
func (p price) hundredfold() price {
	for range 2 {
		if p.decimals > 0 {
			p.decimals--
		} else {
			p.coef *= 10
		}
	}
	return p
}
