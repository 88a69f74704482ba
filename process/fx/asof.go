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

func (s *state) asOf(pair kurs.Pair, at int64, upTo uint64) (kurs.Rate, bool) {
	key, isPair := codeOf(pair)
	v, ok := s.view(upTo)
	if !isPair || !ok {
		return kurs.Rate{}, false
	}
	if len(v.rules.sources) == 0 {
		for _, from := range s.sources {
			if r, ok := s.ofSource(from, s.pairs, pair, key, at, v); ok {
				return r, true
			}
		}
		return s.ofSource(v.rules.fixedSource, v.rules.fixed, pair, key, at, v)
	}
	for i, name := range v.rules.sources {
		if i > 0 && v.clock < at+v.rules.open {
			break // the preferred source may still tell
		}
		if name == SourceFixed {
			if r, ok := s.ofSource(v.rules.fixedSource, v.rules.fixed, pair, key, at, v); ok {
				return r, true
			}
		}
		for _, from := range s.sources {
			if from.name != name {
				continue
			}
			if r, ok := s.ofSource(from, s.pairs, pair, key, at, v); ok {
				return r, true
			}
		}
	}
	return kurs.Rate{}, false
}

// ofSource tries the pair itself, its inverse, and crosses of one source.
func (s *state) ofSource(from *source, pairs map[code][]*series, pair kurs.Pair, key code, at int64, v view) (kurs.Rate, bool) {
	if from == nil {
		return kurs.Rate{}, false
	}
	if l, ok := legOf(from, pairs, key, at, v); ok {
		return s.quoted(pair, l, v)
	}
	for _, via := range v.rules.vias {
		if via == pair.From || via == pair.To {
			continue
		}
		first, second := crossCodes(pair, via)
		a, ok := legOf(from, pairs, first, at, v)
		if !ok {
			continue
		}
		b, ok := legOf(from, pairs, second, at, v)
		if !ok {
			continue
		}
		if r, ok := s.crossed(pair, via, a, b, v); ok {
			return r, true
		}
	}
	return kurs.Rate{}, false
}

// crossCodes are the pairs that a cross goes through; via is a currency.
func crossCodes(pair kurs.Pair, via string) (first, second code) {
	first, _ = codeOf(kurs.Pair{From: pair.From, To: via})
	second, _ = codeOf(kurs.Pair{From: via, To: pair.To})
	return first, second
}

// legOf finds the newest rate of a pair, else of its inverse.
func legOf(from *source, pairs map[code][]*series, key code, at int64, v view) (leg, bool) {
	if l, ok := newestOf(pairs[key], from, at, v); ok {
		return l, true
	}
	l, ok := newestOf(pairs[key.inverse()], from, at, v)
	l.inverse = true
	return l, ok
}

func (c code) inverse() code { return c>>24 | c&0xFFFFFF<<24 }

// newestOf looks through the series of one pair: a live rate and a daily one may
// both be young enough.
func newestOf(all []*series, from *source, at int64, v view) (best leg, ok bool) {
	for _, in := range all {
		if in.source != from {
			continue
		}
		i := in.newest(at, v)
		if i < 0 {
			continue
		}
		if !ok || in.times[i] > best.time() || in.times[i] == best.time() && in.rates[i].known > best.rate().known {
			best, ok = leg{in: in, i: i}, true
		}
	}
	return best, ok
}

func (l leg) time() int64   { return l.in.times[l.i] }
func (l leg) rate() *stored { return &l.in.rates[l.i] }

// quoted is the rate of a pair from a leg that is the pair or its inverse.
func (s *state) quoted(pair kurs.Pair, l leg, v view) (kurs.Rate, bool) {
	q := l.rate()
	named := s.labelOf(q)
	r := kurs.Rate{
		Pair: pair, Value: q.value(), Time: time.Unix(0, l.time()).UTC(), Source: l.in.source.name,
		Symbol: named.symbol, Interval: named.interval, ValidFor: v.rules.span(l.in.class),
	}
	r.Received, r.Raw = s.log.receipt(q.known)
	if !l.inverse {
		return r, r.Value.Known()
	}
	r.Legs[0] = l.quoted(pair)
	value, err := kurs.Int(1).Quo(r.Value)
	r.Value, r.Source, r.Symbol = value, l.in.source.inverse, ""
	return r, err == nil
}

// crossed is the rate of a pair through a third currency: From -> via -> To.
func (s *state) crossed(pair kurs.Pair, via string, a, b leg, v view) (kurs.Rate, bool) {
	value, err := crossValue(a, b)
	if err != nil {
		return kurs.Rate{}, false
	}
	r := kurs.Rate{
		Pair: pair, Value: value, Time: time.Unix(0, min(a.time(), b.time())).UTC(), Source: a.in.source.via[via],
		ValidFor: min(v.rules.span(a.in.class), v.rules.span(b.in.class)),
	}
	if x, y := s.labelOf(a.rate()).interval, s.labelOf(b.rate()).interval; x == y {
		r.Interval = x
	}
	r.Received, r.Raw = s.log.receipt(max(a.rate().known, b.rate().known))
	r.Legs = [2]kurs.Leg{a.quoted(kurs.Pair{From: pair.From, To: via}), b.quoted(kurs.Pair{From: via, To: pair.To})}
	return r, true
}

// quoted is a leg as it was quoted, of the pair that it is read as.
func (l leg) quoted(pair kurs.Pair) kurs.Leg {
	if l.inverse {
		pair = pair.Inverse()
	}
	return kurs.Leg{Pair: pair, Value: l.rate().value(), Time: time.Unix(0, l.time()).UTC(), Inverse: l.inverse}
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
