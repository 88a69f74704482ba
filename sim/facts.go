package sim

import "math"

// dayFacts are what a quote says of a session besides its newest price.
type dayFacts struct {
	session int64 // its opening: what the facts are of
	until   int64 // how far low and high have been followed, a multiple of halfHour
	low     float64
	high    float64 // logarithms of the slow octaves

	opened, previous      price
	yearLow, yearHigh     price
	yearAgo               price
	fiftyDay, twoHundred  float32 // averages
	volume10Day, volume3M float64
}

// year is Yahoo's: 52 weeks.
const year = 364 * day

// factsAt gives the facts of a moment's last session. They are remembered while
// the session lasts, and the day's extremes for half an hour.
func (in *instrument) factsAt(m *moment) dayFacts {
	known := in.facts.Load()
	if known != nil && known.session == m.last.open && known.until <= m.regular && m.regular < known.until+halfHour {
		return *known
	}
	var f dayFacts
	if known != nil && known.session == m.last.open {
		f = *known
	} else {
		f = in.newFacts(m)
	}
	f.low, f.high, f.until = in.slowExtremes(m.last.open, m.regular)
	in.facts.Store(&f)
	return f
}

// slowExtremes are those of the slow octaves over [open, t] at t's last multiple
// of half an hour and before.
func (in *instrument) slowExtremes(open, t int64) (low, high float64, until int64) {
	c := in.path.cursor(slowOctave)
	until = t - t%halfHour
	if until <= open {
		v := c.log(open)
		return v, v, until
	}
	low, high = c.extremes(open, until, halfHour)
	return low, high, until
}

func (in *instrument) newFacts(m *moment) dayFacts {
	s := m.last
	f := dayFacts{session: s.open, opened: in.path.at(s.open), previous: in.path.at(m.before.close)}
	f.yearAgo = in.path.at(max(m.before.close-year, in.firstTrade))
	f.yearLow, f.yearHigh = in.yearRange(s)
	f.fiftyDay = in.average(m.before.close, 50*7/5)
	f.twoHundred = in.average(m.before.close, 200*7/5)
	f.volume10Day = math.Round(in.volume * (0.9 + 0.2*unit(mix(in.key^uint64(s.date)))))     //nolint:gosec // only bits
	f.volume3M = math.Round(in.volume * (0.95 + 0.1*unit(mix(in.key^uint64(s.date/30)<<8)))) //nolint:gosec // only bits
	return f
}

// yearRange holds every price of the 52 weeks up to the end of a session: the
// ways of the octaves of a day and more, and as far as the others may go beyond.
func (in *instrument) yearRange(s session) (low, high price) {
	margin := in.path.swing(dailyOctave)
	c := in.path.cursor(dailyOctave)
	lo, hi := c.extremes(max(s.open-year, in.firstTrade), s.close, day)
	return in.path.round(lo - margin), in.path.round(hi + margin)
}

// dayRange holds every price of a session up to the second t, and grows with t.
func (in *instrument) dayRange(f *dayFacts, t int64) (low, high price) {
	v := in.path.log(t, slowOctave)
	margin := in.path.swing(slowOctave)
	return in.path.round(min(f.low, v) - margin), in.path.round(max(f.high, v) + margin)
}

// average samples the days before t at eight places.
func (in *instrument) average(t, days int64) float32 {
	sum := 0.0
	for i := range int64(8) {
		sum += in.path.at(max(t-i*days*day/8, in.firstTrade)).float64()
	}
	return float32(sum / 8)
}

// volumeAt is how much has been traded in a session by the second t. It only
// grows, and a bar's volume is the difference at its two ends.
func (in *instrument) volumeAt(s session, t int64) int64 {
	if in.kind == currency || in.kind == index || in.kind == fund || t <= s.open {
		return 0
	}
	const period, swing = 300, 110 // swing < period/2: it never turns back
	noise := func(t int64) float64 {
		i, into := t/period, float64(t%period)/period
		a := unit(mix(in.key ^ 0xa5a5<<32 ^ uint64(i)))   //nolint:gosec // only bits
		b := unit(mix(in.key ^ 0xa5a5<<32 ^ uint64(i+1))) //nolint:gosec // only bits
		return (a + (b-a)*into) * swing
	}
	daily := in.volume * (0.6 + 0.8*unit(mix(in.key^uint64(s.date)<<16))) //nolint:gosec // only bits
	t = min(t, s.close)
	passed := float64(t-s.open) + noise(t) - noise(s.open)
	return int64(daily * max(0, passed) / float64(s.close-s.open))
}

// dayBar is a session's bar. Its extremes hold those of every shorter bar.
func (in *instrument) dayBar(s session) bar {
	c := in.path.cursor(slowOctave)
	low, high := c.extremes(s.open, s.close, halfHour)
	margin := in.path.swing(slowOctave)
	return bar{
		start: s.stamp, end: s.close,
		open: in.path.at(s.open), close: in.path.at(s.close),
		low: in.path.round(low - margin), high: in.path.round(high + margin),
		volume: in.volumeAt(s, s.close),
	}
}

// bar is what happened from a time to another: its close is the price at its end.
type bar struct {
	start, end             int64
	open, high, low, close price
	volume                 int64
	live                   bool // not a bar but the newest price
	null                   bool // told as null
}

// grid is how far apart the prices are that a shorter bar's extremes are taken from.
const grid = 20

// bars appends the complete bars of step seconds within [from, to) that start in
// [p1, p2) and have ended by now. Shorter bars nest in longer ones.
func (in *instrument) bars(out []bar, s session, from, to, step, p1, p2, now int64) []bar {
	c := in.path.cursor(0)
	for start := from; start < to && start < p2; start += step {
		end := min(start+step, to)
		if end > now {
			break
		}
		if start < p1 {
			continue
		}
		first := c.log(start)
		low, high := first, first
		var last float64
		for t := start - start%grid + grid; ; t += grid {
			last = c.log(min(t, end))
			low, high = min(low, last), max(high, last)
			if t >= end {
				break
			}
		}
		p := &in.path
		out = append(out, bar{
			start: start, end: end, open: p.round(first), high: p.round(high), low: p.round(low), close: p.round(last),
			volume: in.volumeAt(s, end) - in.volumeAt(s, start),
		})
	}
	return out
}
