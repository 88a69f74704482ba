package wire

import (
	"math"
	"strconv"
	"time"

	"kurs"
)

// Numbers. Yahoo computes prices in float32. The stream sends the four bytes;
// the quote endpoint prints the shortest decimal that is that float32
// (1.0489877); chart and spark widen it to binary64 and print that
// (189.9499969482422 for 189.95). The lines drawn here:
//
//   - A number of chart or spark that is exactly a float32 was one, and becomes
//     the shortest decimal that round-trips as float32. Any other is a decimal
//     that somebody rounded (the recorded v7 spark is) and stays as it is.
//   - A number of a quote answer stays as it is, unless it has 15 digits or more
//     and is exactly a float32: then it was widened as in a chart.
//   - Up to 7 significant digits a restored number is the very decimal that the
//     float32 was made from. From the 8th on there may have been digits that
//     float32 could not hold: approximate, wherever the number came from.
//   - What has more than 15 digits after that is no decimal of the market. It
//     becomes the nearest binary64's shortest decimal, and is approximate.
const (
	float32Digits = 7  // that any float32 keeps
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
	if known && d.Digits() <= float32Digits {
		return value{Decimal: d}
	}
	if !known || d.Digits() >= float64Digits {
		return widened(token)
	}
	f, ok := binary64(token)
	if !ok {
		return value{}
	}
	short, err := kurs.DecimalFromFloat32(float32(f))
	return value{Decimal: d, approximate: err == nil && short == d}
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
	return value{Decimal: d, approximate: d.Digits() > float32Digits}
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
