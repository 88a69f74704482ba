package columns

import (
	"errors"
	"math/bits"

	"kurs"
)

// Scale and Width are those of every decimal column: DECIMAL(38, 24). A number of
// 15 digits fits exactly from 0.000000001 to 99,999,999,999,999: prices of any
// kind, and rates between any two currencies. What does not fit is unknown in its
// column, never rounded, and stands in the column [OutsideName].
const (
	Scale = 24
	Width = 38
)

// Scaled is d x 10^24 as a whole number of 128 bits, two's complement; ok is false
// where d is unknown or does not fit.
func Scaled(d kurs.Decimal) (hi int64, lo uint64, ok bool) {
	coef, exp := d.Parts()
	if !d.Known() {
		return 0, 0, false
	}
	shift := exp + Scale
	if coef == 0 {
		return 0, 0, true
	}
	if shift < 0 || d.Digits()+shift > Width {
		return 0, 0, false
	}
	magnitude := uint64(max(coef, -coef)) //nolint:gosec // at most 18 digits
	upper, lower := bits.Mul64(magnitude, pow10[min(shift, 19)])
	if shift > 19 { // the whole has at most 38 digits, below 2^127
		over, rest := bits.Mul64(lower, pow10[shift-19])
		upper, lower = upper*pow10[shift-19]+over, rest
	}
	if coef < 0 {
		var borrow uint64
		lower, borrow = bits.Sub64(0, lower, 0)
		upper, _ = bits.Sub64(0, upper, borrow)
	}
	return int64(upper), lower, true //nolint:gosec // two's complement
}

var errDigits = errors.New("more digits than a decimal of kurs has")

// Unscaled is the decimal that [Scaled] made a whole number of.
func Unscaled(hi int64, lo uint64) (kurs.Decimal, error) {
	upper, negative := uint64(hi), hi < 0 //nolint:gosec // two's complement
	if negative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		upper, _ = bits.Sub64(0, upper, borrow)
	}
	exp := -Scale
	for upper != 0 || lo > 999_999_999_999_999_999 {
		high := upper / 10
		low, rest := bits.Div64(upper%10, lo, 10)
		if rest != 0 {
			return kurs.Decimal{}, errDigits
		}
		upper, lo, exp = high, low, exp+1
	}
	coef := int64(lo)
	if negative {
		coef = -coef
	}
	return kurs.NewDecimal(coef, exp) //nolint:wrapcheck // says what is wrong with the number
}

var pow10 = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}
