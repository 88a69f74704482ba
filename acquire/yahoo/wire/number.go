package wire

import (
	"math"
	"strconv"
	"time"

	"kurs"
)

// Where the line is drawn between a price and what is left of it: see the
// package's comment, Float32.
const (
	float32Digits = 7  // that a float32 keeps, but where it is coarse
	float64Digits = 15 // that any binary64 keeps
)

// value is a number as it goes into a quote or a bar.
type value struct {
	kurs.Decimal
	approximate bool
}

// positive is the value where it is above zero, else unknown: how Yahoo means a
// bid or an ask.
func (v value) positive() kurs.Decimal {
	if v.Sign() <= 0 {
		return kurs.Decimal{}
	}
	return v.Decimal
}

// quoted reads a number of a quote answer.
func quoted(token []byte) value {
	d, known := parse(token)
	if known && d.Digits() < float32Digits {
		return value{Decimal: d}
	}
	if !known || d.Digits() >= float64Digits {
		return widened(token)
	}
	f, ok := binary64(token)
	if !ok {
		return value{}
	}
	short := fromFloat32(float32(f))
	return value{Decimal: d, approximate: short.Decimal == d && short.approximate}
}

// widened reads a number of a chart or spark answer.
func widened(token []byte) value {
	f, ok := binary64(token)
	if !ok {
		return value{}
	}
	if narrow := float32(f); float64(narrow) == f {
		return fromFloat32(narrow)
	}
	if d, known := parse(token); known && d.Digits() <= float64Digits {
		return value{Decimal: d}
	}
	d, err := kurs.DecimalFromFloat64(f)
	if err != nil {
		return value{}
	}
	return value{Decimal: d, approximate: true}
}

// fromFloat32 is the price behind a float32; unknown for NaN and Infinity.
func fromFloat32(f float32) value {
	d, err := kurs.DecimalFromFloat32(f)
	if err != nil {
		return value{}
	}
	digits := d.Digits()
	return value{Decimal: d, approximate: digits > float32Digits || digits == float32Digits && coarse(f, d)}
}

// coarse tells whether a step in the seventh digit of a price is smaller than the
// step from its float32 to the next: two prices of 7 digits may then be one.
func coarse(f float32, d kurs.Decimal) bool {
	_, exp := d.Parts()
	return float64(math.Nextafter32(f, math.MaxFloat32))-float64(f) > math.Pow10(exp+d.Digits()-float32Digits)
}

// decimal reads a number that never was a price, such as a dividend: the token
// as it is where it has at most 15 digits.
func decimal(token []byte) kurs.Decimal {
	if d, known := parse(token); known && d.Digits() <= float64Digits {
		return d
	}
	return widened(token).Decimal
}

// parse reads a token exactly. It is unknown where there is none, where it has
// more than 18 digits, and where no binary64 could have been printed so: Yahoo
// has no such number, and no column could hold it.
func parse(token []byte) (kurs.Decimal, bool) {
	if token == nil {
		return kurs.Decimal{}, false
	}
	d, err := kurs.ParseDecimal(token)
	if err != nil {
		return kurs.Decimal{}, false
	}
	_, exp := d.Parts()
	if top := exp + d.Digits(); d.Sign() != 0 && (top > 308 || top < -306) {
		return kurs.Decimal{}, false
	}
	return d, true
}

// binary64 is what a program that knows only binary64 reads in the token.
func binary64(token []byte) (float64, bool) {
	if token == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(token), 64)
	if err != nil {
		return 0, false
	}
	if f == 0 { // or so small that binary64 makes it 0
		d, known := parse(token)
		return 0, known && d.Sign() == 0
	}
	return f, math.Abs(f) > 1e-306 && math.Abs(f) < 1e308
}

// whole reads a whole number of at most 18 digits. A fraction is cut off, as
// nobody trades a part of the unit that Yahoo counts in.
func whole(token []byte) (int64, bool) {
	d, known := parse(token)
	if !known {
		return 0, false
	}
	n, exp := d.Parts()
	for ; exp < 0 && n != 0; exp++ {
		n /= 10
	}
	for ; exp > 0; exp-- {
		if n > math.MaxInt64/10 || n < math.MinInt64/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}

// volume reads a number of shares; none below zero.
func volume(token []byte) kurs.Volume {
	n, ok := whole(token)
	if !ok || n < 0 {
		return kurs.Volume{}
	}
	return kurs.Volume{N: n, Known: true}
}

// lastSecond is the end of the year 9999, the last that RFC 3339 can write.
const lastSecond = 253402300799

// seconds reads a Unix time; the zero time where there is none: Yahoo's 0 and
// negative times of prices mean that it does not know.
func seconds(token []byte) time.Time {
	n, ok := whole(token)
	if !ok {
		return time.Time{}
	}
	return unix(n)
}

func unix(n int64) time.Time {
	if n <= 0 || n > lastSecond {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func milliseconds(n int64) time.Time {
	if n <= 0 || n > lastSecond*1000+999 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
