package sim

import (
	"math"
	"strconv"
)

// A price moves as value noise: each octave has a random value at every
// multiple of its period and goes straight from one to the next. Straight lines
// make extremes cheap: over any stretch they lie at its ends or at a multiple of
// an octave's period, so a day's high is known without looking at every second.
type octave struct {
	period    uint32  // s
	amplitude float64 // of the price's logarithm
}

// octaves goes from the second's jitter to the swing of years. From slowOctave
// on all periods are multiples of halfHour, from dailyOctave on of a day.
var octaves = [...]octave{
	{1, 0.00006},
	{10, 0.00010},
	{60, 0.00020},
	{300, 0.00040},
	{halfHour, 0.0008},
	{7200, 0.0012},
	{21600, 0.0020},
	{day, 0.0070},
	{5 * day, 0.015},
	{30 * day, 0.04},
	{180 * day, 0.08},
	{730 * day, 0.12},
}

const (
	slowOctave  = 4
	dailyOctave = 7
	halfHour    = 1800
	day         = 86400
)

// maxDigits is how many significant digits a price has: as many as a float32
// gives back unharmed (above 0.001; see [newPath]).
const maxDigits = 7

// part is one source of movement. An instrument has one of its own; a currency
// pair has those of both of its currencies, one of them negative.
type part struct {
	key   uint64
	scale float64
}

// path is the way of one price through time.
type path struct {
	level    float64 // logarithm of the middle
	parts    []part
	decimals int
	pow      float64 // 10^decimals
}

// newPath makes a path around a level. Its prices have the wanted number of
// decimals, or fewer where the highest possible price would otherwise have more
// than 7 digits. Below 0.001 neighbouring float32 are too far apart for 7.
func newPath(level float64, parts []part, decimals int) path {
	p := path{level: math.Log(level), parts: parts}
	top := math.Exp(p.level + p.swing(len(octaves)))
	digits := maxDigits
	if level < 0.0015 {
		digits = maxDigits - 1
	}
	for p.decimals = decimals; p.decimals > 0 && top*math.Pow10(p.decimals) >= math.Pow10(digits); {
		p.decimals--
	}
	p.pow = math.Pow10(p.decimals)
	return p
}

// swing is the furthest that the octaves below one can take the logarithm.
func (p *path) swing(below int) float64 {
	scale := 0.0
	for _, pt := range p.parts {
		scale += math.Abs(pt.scale)
	}
	sum := 0.0
	for _, o := range octaves[:below] {
		sum += o.amplitude
	}
	return scale * sum
}

// log is the logarithm of the price at second t (Unix), of the octaves from on.
func (p *path) log(t int64, from int) float64 {
	sum := p.level
	for _, pt := range p.parts {
		for o := from; o < len(octaves); o++ {
			c := newCell(pt, o, t)
			sum += c.at(t)
		}
	}
	return sum
}

// at is the price at second t: the truth of this package.
func (p *path) at(t int64) price { return p.round(p.log(t, 0)) }

// round is the tick next to a logarithm. It is monotone: a higher logarithm
// never gives a lower price.
func (p *path) round(log float64) price {
	return price{coef: max(1, int64(math.Round(math.Exp(log)*p.pow))), decimals: p.decimals}
}

// cell is one straight line of an octave: over [start, start+period).
type cell struct {
	start, end int64
	value      float64 // at start
	slope      float64 // a second
}

func newCell(pt part, o int, t int64) cell {
	period := octaves[o].period
	i := uint32(t) / period //nolint:gosec // Unix seconds fit until 2106, and 32-bit division is twice as fast
	amplitude := octaves[o].amplitude * pt.scale
	a := lattice(pt.key, o, i) * amplitude
	b := lattice(pt.key, o, i+1) * amplitude
	start := int64(i) * int64(period)
	return cell{start: start, end: start + int64(period), value: a, slope: (b - a) / float64(period)}
}

func (c *cell) at(t int64) float64 { return c.value + float64(c.slope*float64(t-c.start)) }

// lattice is a number in [-1, 1).
func lattice(key uint64, o int, i uint32) float64 {
	h := mix(key ^ uint64(o+1)<<56 ^ uint64(i)) //nolint:gosec // a handful of octaves
	return float64(int64(h)) / (1 << 63)        //nolint:gosec // the bits are wanted, not the value
}

// mix is the finalizer of SplitMix64: every bit of x changes half of the result.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hash names a number of the market: the same for the same seed and words.
func hash(seed uint64, words ...string) uint64 {
	h := mix(seed)
	for _, w := range words {
		for i := range len(w) {
			h = mix(h ^ uint64(w[i]))
		}
		h = mix(h ^ 0x100)
	}
	return h
}

// unit is a number in [0, 1) drawn from a hash.
func unit(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// cursor walks along a path in time order. It keeps the lines it is on, so a
// step costs a tenth of a [path.log].
type cursor struct {
	path  *path
	from  int
	cells []cell
}

func (p *path) cursor(from int) cursor {
	return cursor{path: p, from: from, cells: make([]cell, len(p.parts)*(len(octaves)-from))}
}

// log is [path.log] of the cursor's octaves.
func (c *cursor) log(t int64) float64 {
	sum, i := c.path.level, 0
	for _, pt := range c.path.parts {
		for o := c.from; o < len(octaves); o++ {
			cl := &c.cells[i]
			if t < cl.start || t >= cl.end {
				*cl = newCell(pt, o, t)
			}
			sum += cl.at(t)
			i++
		}
	}
	return sum
}

// extremes are the lowest and the highest logarithm of the cursor's octaves over
// [a, b], exactly: all their periods are multiples of step.
func (c *cursor) extremes(a, b, step int64) (low, high float64) {
	low = c.log(a)
	high = low
	for t := a - a%step + step; ; t += step {
		v := c.log(min(t, b))
		low, high = min(low, v), max(high, v)
		if t >= b {
			return low, high
		}
	}
}

// price is an exact decimal, coef / 10^decimals, of at most 7 digits.
type price struct {
	coef     int64
	decimals int
}

func (p price) float64() float64 { return float64(p.coef) / math.Pow10(p.decimals) }

// float32 is the nearest float32; its shortest decimal is p again. Going through
// binary64 rounds twice, which at 7 digits never shows.
func (p price) float32() float32 { return float32(p.float64()) }

// appendExact writes p as decimals are compared: no zeros behind, no exponent.
func (p price) appendExact(b []byte) []byte {
	coef, decimals := p.coef, p.decimals
	for decimals > 0 && coef%10 == 0 {
		coef /= 10
		decimals--
	}
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], coef, 10)
	if decimals == 0 {
		return append(b, digits...)
	}
	if len(digits) <= decimals {
		b = append(b, '0', '.')
		for range decimals - len(digits) {
			b = append(b, '0')
		}
		return append(b, digits...)
	}
	b = append(b, digits[:len(digits)-decimals]...)
	b = append(b, '.')
	return append(b, digits[len(digits)-decimals:]...)
}
