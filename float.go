package kurs

import (
	"errors"
	"math"
	"strconv"
)

// This file is the only place of the vocabulary where decimals and binary
// floats meet: on the way in, because Yahoo computes in float32, and on the way
// out, because a database column is a binary64.

// exactPow10 are the powers of ten that a binary64 holds exactly.
var exactPow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// Float64 returns the binary64 nearest to d: what a REAL column holds. A value
// of at most 15 significant digits comes back exactly through
// [DecimalFromFloat64]. Unknown is NaN; the caller stores NULL.
func (d Decimal) Float64() float64 {
	if !d.known {
		return math.NaN()
	}
	// Clinger's fast path: both operands exact, so the one operation rounds once.
	if m := d.magnitude(); m < 1<<53 {
		switch {
		case d.exp == 0:
			return float64(d.coef)
		case d.exp < 0 && int(-d.exp) < len(exactPow10):
			return float64(d.coef) / exactPow10[-d.exp]
		case d.exp > 0 && int(d.exp) < len(exactPow10):
			return float64(d.coef) * exactPow10[d.exp]
		}
	}
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return math.NaN() // cannot be: String prints a number
	}
	return f
}

// DecimalFromFloat64 returns the shortest decimal that round-trips f: the value
// that was stored, where that had at most 15 digits. It fails for NaN and
// Infinity.
func DecimalFromFloat64(f float64) (Decimal, error) { return fromFloat(f, 64) }

// DecimalFromFloat32 returns the shortest decimal that round-trips f as a
// float32. Up to 7 significant digits it is the very decimal that the float32
// was made from; from the 8th on the information is gone (docs/formats.md).
func DecimalFromFloat32(f float32) (Decimal, error) { return fromFloat(float64(f), 32) }

func fromFloat(f float64, size int) (Decimal, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Decimal{}, ErrDecimalSyntax
	}
	var buf [32]byte
	return ParseDecimal(strconv.AppendFloat(buf[:0], f, 'e', -1, size))
}

// SameFloat32 tells whether two known decimals are the same number in float32.
func (d Decimal) SameFloat32(o Decimal) bool {
	return d.known && o.known && float32(d.Float64()) == float32(o.Float64())
}
