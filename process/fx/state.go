package fx

import (
	"math"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Horizon is how far behind the newest message a rate is remembered once it has
// been superseded, in time of reception.
const Horizon = 10 * 24 * time.Hour

// maxMessages bounds what is remembered where messages are many, or where a
// machine's wrong clock put one of them far into the future.
const maxMessages = 2 << 20

// state is a book without its lock.
type state struct {
	pos      uint64
	log      log
	policies []inForce // by position; never empty
	loosest  rules     // what any of the policies allows
	pairs    map[code][]*series
	sources  []*source // by name
	labels   table[label]
	doubts   doubts
}

// inForce is a policy from a position on.
type inForce struct {
	pos    uint64
	policy Policy
	rules  rules
}

// source is a provider, with the texts of rates that are computed from its own.
type source struct {
	name    string
	inverse string
	via     map[string]string
}

// label is what a rate was called.
type label struct{ symbol, interval string }

// view is what a question sees of the book.
type view struct {
	last  uint32 // the last message
	cut   uint32 // what was superseded before this message is forgotten
	clock int64  // of the stream at the last message, Unix nanoseconds
	rules *rules
}

func newState() *state {
	s := &state{pairs: map[code][]*series{}, log: newLog()}
	s.setPolicy(0, DefaultPolicy())
	return s
}

func (s *state) setPolicy(pos uint64, p Policy) {
	r := p.rules()
	s.policies = append(s.policies, inForce{pos: pos, policy: p, rules: r})
	s.loosen()
	for _, from := range s.sources {
		from.nameCrosses(r.vias)
	}
}

func (s *state) loosen() {
	s.loosest = s.policies[0].rules
	for _, p := range s.policies {
		s.loosest.loosen(p.rules)
	}
}

// nameCrosses prepares the text of a cross, so that lookups need no memory.
func (from *source) nameCrosses(vias []string) {
	for _, via := range vias {
		if _, ok := from.via[via]; !ok {
			from.via[via] = from.name + " via " + via
		}
	}
}

func newSource(name string) *source {
	return &source{name: name, inverse: name + " inverse", via: map[string]string{}}
}

func (s *state) sourceOf(name string) *source {
	i, found := slices.BinarySearchFunc(s.sources, name, func(from *source, name string) int { return strings.Compare(from.name, name) })
	if found {
		return s.sources[i]
	}
	from := newSource(name)
	for _, p := range s.policies {
		from.nameCrosses(p.rules.vias)
	}
	s.sources = slices.Insert(s.sources, i, from)
	return from
}

// view is what could be seen at a position; ok is false for one that the book
// has not reached or has forgotten.
func (s *state) view(upTo uint64) (v view, ok bool) {
	if upTo > s.pos {
		return view{}, false
	}
	v.last, v.cut, ok = s.log.seen(upTo)
	v.clock = s.log.clock(v.last)
	i := len(s.policies) - 1
	for i > 0 && s.policies[i].pos > upTo {
		i--
	}
	v.rules = &s.policies[i].rules
	return v, ok
}

// clockAt is the clock of the stream at a position; the least time there is, where
// nothing is known of that any more.
func (s *state) clockAt(pos uint64) int64 {
	v, ok := s.view(pos)
	if !ok {
		return noTime
	}
	return max(v.clock, noTime)
}

// noTime is before all times and allTime after them, with room to add to.
const (
	noTime  = math.MinInt64 / 2
	allTime = math.MaxInt64 / 2
)

// learn takes the rates of a message, in stretches of one receipt; nearly always
// there is only one.
func (s *state) learn(pos uint64, rates []kurs.Rate) {
	for len(rates) > 0 {
		n := 1
		for n < len(rates) && rates[n].Raw == rates[0].Raw && rates[n].Received.Equal(rates[0].Received) {
			n++
		}
		s.learnReceipt(pos, rates[:n])
		rates = rates[n:]
	}
	if keep, due := s.log.sweep(); due {
		s.forget(keep)
	}
}

func (s *state) learnReceipt(pos uint64, rates []kurs.Rate) {
	received, ok := nanos(rates[0].Received)
	if !ok {
		return
	}
	var touched []*series
	rules := &s.policies[len(s.policies)-1].rules
	for _, r := range rates {
		key, isPair := codeOf(r.Pair)
		at, sane := nanos(r.Time)
		if !isPair || !sane || r.From == r.To || r.Value.Sign() <= 0 {
			continue
		}
		if !r.Kept {
			if doubted, ok := s.doubt(key, r, at, rules); ok {
				s.doubts.add(pos, r.Raw, doubted)
				continue
			}
		}
		in := s.seriesOf(key, r.Source, classOf(r))
		if len(in.fresh) == 0 {
			touched = append(touched, in)
		}
		coef, exp := r.Value.Round(kurs.Precision).Parts()
		in.fresh = append(in.fresh, stored{
			at: at, coef: coef, exp: int16(exp), //nolint:gosec // a decimal's exponent is within 400
			label: s.labels.index(label{symbol: r.Symbol, interval: r.Interval}),
		})
	}
	if len(touched) == 0 {
		return
	}
	m, cut := s.log.append(pos, received, rates[0].Raw)
	changed := false
	for _, in := range touched {
		changed = in.take(m, cut) || changed
	}
	if !changed && !s.log.ticked() {
		s.log.undo()
	}
}

// tick notes that the stream went on without rates.
func (s *state) tick(pos uint64, received time.Time) {
	at, ok := nanos(received)
	if !ok {
		return
	}
	s.log.append(pos, at, kurs.RawID{})
	if !s.log.ticked() {
		s.log.undo()
	}
}

func classOf(r kurs.Rate) class {
	if r.ValidFor > 0 {
		return class{own: int64(r.ValidFor)}
	}
	length, ok := kurs.IntervalLength(r.Interval)
	return class{daily: r.Interval != "" && (!ok || length >= 24*time.Hour)}
}

func (s *state) seriesOf(key code, from string, c class) *series {
	for _, in := range s.pairs[key] {
		if in.class == c && in.source.name == from {
			return in
		}
	}
	in := &series{source: s.sourceOf(from), class: c}
	s.pairs[key] = append(s.pairs[key], in)
	return in
}

// forget drops what no question can see any more.
func (s *state) forget(keep uint32) {
	inUse := map[uint32]bool{} // messages before keep that rates still refer to
	for _, all := range s.pairs {
		for _, in := range all {
			in.forget(keep)
			for _, r := range in.rates {
				if r.known < keep {
					inUse[r.known] = true
				}
			}
		}
	}
	floor := s.floor()
	for len(s.policies) > 1 && s.policies[1].pos <= floor {
		s.policies = s.policies[1:]
	}
	s.loosen()
	s.doubts.forget(floor)
	s.log.forget(keep, inUse)
}

// floor is the oldest position that can be asked about.
func (s *state) floor() uint64 { return s.log.floor() }
