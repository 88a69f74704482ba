package fx

import (
	"time"

	"kurs"
)

// leg is a quoted rate that was found, perhaps to be read the other way round.
type leg struct {
	in      *series
	i       int
	inverse bool
}

// asOf writes the rate to r, which is zero, and tells whether there is one. A rate
// is large: to hand it up from call to call would take as long as to find it.
//
// A source that is not the preferred one stands in from the time on at which the
// preferred one had its time to tell: [Policy.MaxAge] after the time asked for, and
// after since.
func (s *state) asOf(r *kurs.Rate, pair kurs.Pair, at int64, how asked, upTo uint64) bool {
	key, isPair := codeOf(pair)
	v, ok := s.view(upTo)
	if !isPair || !ok {
		return false
	}
	q := question{pair: pair, key: key, at: at, view: v, receipt: how.receipt}
	if len(v.rules.sources) == 0 {
		for _, from := range s.sources {
			if s.ofSource(r, from, s.pairs, &q) {
				return true
			}
		}
		return s.ofSource(r, v.rules.fixedSource, v.rules.fixed, &q)
	}
	preferred := false
	for _, name := range v.rules.sources {
		if preferred && v.clock < max(at, how.since)+v.rules.open {
			break // it may still tell
		}
		preferred = preferred || name != SourceFixed // what is written down does not come later
		if name == SourceFixed && s.ofSource(r, v.rules.fixedSource, v.rules.fixed, &q) {
			return true
		}
		for _, from := range s.sources {
			if from.name == name && s.ofSource(r, from, s.pairs, &q) {
				return true
			}
		}
	}
	return false
}

// asked says how something is asked.
type asked struct {
	since   int64 // when the question came up, by the clock of the stream
	receipt bool  // by which message the rate was learned is wanted too
}

// question is what is asked, and what of the book may be used for the answer.
type question struct {
	pair kurs.Pair
	key  code
	at   int64
	view
	receipt bool
}

// ofSource tries the pair itself, its inverse, and crosses of one source.
func (s *state) ofSource(r *kurs.Rate, from *source, pairs map[code][]*series, q *question) bool {
	if from == nil {
		return false
	}
	if l, ok := legOf(from, pairs, q.key, q); ok {
		return s.quoted(r, q, l)
	}
	for _, via := range q.rules.vias {
		if via == q.pair.From || via == q.pair.To {
			continue
		}
		first, second := crossCodes(q.pair, via)
		a, ok := legOf(from, pairs, first, q)
		if !ok {
			continue
		}
		b, ok := legOf(from, pairs, second, q)
		if !ok {
			continue
		}
		if s.crossed(r, q, via, a, b) {
			return true
		}
	}
	return false
}

// crossCodes are the pairs that a cross goes through; via is a currency.
func crossCodes(pair kurs.Pair, via string) (first, second code) {
	first, _ = codeOf(kurs.Pair{From: pair.From, To: via})
	second, _ = codeOf(kurs.Pair{From: via, To: pair.To})
	return first, second
}

// legOf finds the newest rate of a pair, else of its inverse.
func legOf(from *source, pairs map[code][]*series, key code, q *question) (leg, bool) {
	if l, ok := newestOf(pairs[key], from, q); ok {
		return l, true
	}
	l, ok := newestOf(pairs[key.inverse()], from, q)
	l.inverse = true
	return l, ok
}

func (c code) inverse() code { return c>>24 | c&0xFFFFFF<<24 }

// newestOf looks through the series of one pair: a live rate and a daily one may
// both be young enough.
func newestOf(all []*series, from *source, q *question) (best leg, ok bool) {
	for _, in := range all {
		if in.source != from {
			continue
		}
		i := in.newest(q.at, &q.view)
		if i < 0 {
			continue
		}
		if !ok || in.rates[i].at > best.time() || in.rates[i].at == best.time() && in.rates[i].known > best.rate().known {
			best, ok = leg{in: in, i: i}, true
		}
	}
	return best, ok
}

func (l leg) time() int64   { return l.in.rates[l.i].at }
func (l leg) rate() *stored { return &l.in.rates[l.i] }

// quoted is the rate of a pair from a leg that is the pair or its inverse.
func (s *state) quoted(r *kurs.Rate, q *question, l leg) bool {
	found := l.rate()
	r.Pair, r.Value, r.Time = q.pair, found.value(), time.Unix(0, l.time()).UTC()
	r.ValidFor = q.rules.span(l.in.class)
	if q.receipt {
		s.log.receipt(found.known, r)
	}
	named := s.labelOf(found)
	r.Interval = named.interval
	if !l.inverse {
		r.Source, r.Symbol = l.in.source.name, named.symbol
		return r.Value.Known()
	}
	r.Source = l.in.source.inverse
	l.quoted(&r.Legs[0], q.pair)
	var err error
	if r.Value, err = kurs.Int(1).Quo(r.Value); err != nil {
		*r = kurs.Rate{}
	}
	return err == nil
}

// crossed is the rate of a pair through a third currency: From -> via -> To.
func (s *state) crossed(r *kurs.Rate, q *question, via string, a, b leg) bool {
	value, err := crossValue(a, b)
	if err != nil {
		return false
	}
	r.Pair, r.Value, r.Time = q.pair, value, time.Unix(0, min(a.time(), b.time())).UTC()
	r.Source, r.ValidFor = a.in.source.via[via], min(q.rules.span(a.in.class), q.rules.span(b.in.class))
	if x, y := s.labelOf(a.rate()).interval, s.labelOf(b.rate()).interval; x == y {
		r.Interval = x
	}
	if q.receipt {
		s.log.receipt(max(a.rate().known, b.rate().known), r)
	}
	a.quoted(&r.Legs[0], kurs.Pair{From: q.pair.From, To: via})
	b.quoted(&r.Legs[1], kurs.Pair{From: via, To: q.pair.To})
	return true
}

// quoted is a leg as it was quoted, of the pair that it is read as.
func (l leg) quoted(as *kurs.Leg, pair kurs.Pair) {
	if l.inverse {
		pair = pair.Inverse()
	}
	as.Pair, as.Value, as.Time, as.Inverse = pair, l.rate().value(), time.Unix(0, l.time()).UTC(), l.inverse
}

// crossValue multiplies two legs, rounding once; twice only where both are read
// the other way round.
func crossValue(a, b leg) (kurs.Decimal, error) {
	x, y := a.rate().value(), b.rate().value()
	switch {
	case a.inverse && b.inverse:
		product, err := x.Mul(y)
		if err != nil {
			return kurs.Decimal{}, err
		}
		return kurs.Int(1).Quo(product)
	case a.inverse:
		return y.Quo(x)
	case b.inverse:
		return x.Quo(y)
	}
	return x.Mul(y)
}

// labelOf is what a rate was called; a fixed one is called nothing.
func (s *state) labelOf(r *stored) label {
	if r.known == 0 {
		return label{}
	}
	return s.labels.values[r.label]
}

// span is for how long rates of a class are valid in open hours.
func (r *rules) span(c class) time.Duration {
	switch {
	case c.own != 0:
		return time.Duration(c.own)
	case c.daily:
		return time.Duration(r.daily)
	}
	return time.Duration(r.open)
}
