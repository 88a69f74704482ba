package kurs

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// Decimal is an exact decimal number: coefficient x 10^exponent, with up to 18
// significant digits. The zero value is not zero but *unknown*: nothing can be
// multiplied by a number that is not there. Values are immutable and canonical
// (no trailing zeros), so == compares numbers.
type Decimal struct {
	coef  int64
	exp   int16
	known bool
}

// Precision is how many significant digits a base value and a rate are rounded
// to: 15 digits survive a binary64 column exactly.
const Precision = 15

const (
	maxCoef   = 999_999_999_999_999_999 // 18 digits: every coefficient up to this fits an int64
	maxDigits = 18
	maxExp    = 400 // beyond binary64's range; keeps a hostile exponent from making a long string
)

// Errors of decimal arithmetic and parsing. All are about the value, never
// about the surroundings, so trying again cannot mend them.
var (
	ErrDecimalSyntax  = errors.New("not a decimal number")
	ErrDecimalDigits  = errors.New("more than 18 significant digits")
	ErrDecimalRange   = errors.New("exponent out of range")
	ErrDecimalUnknown = errors.New("value not known")
)

// NewDecimal returns coef x 10^exp. It fails when the value needs more than 18
// digits or its exponent is out of range.
func NewDecimal(coef int64, exp int) (Decimal, error) {
	if coef == math.MinInt64 || coef > maxCoef || coef < -maxCoef {
		return Decimal{}, ErrDecimalDigits
	}
	return canonical(coef, exp)
}

// Int returns the whole number n, which must have at most 18 digits.
func Int(n int64) Decimal {
	d, err := NewDecimal(n, 0)
	if err != nil {
		return Decimal{}
	}
	return d
}

// MustDecimal parses a constant of the program; it panics on one that is wrong.
func MustDecimal(s string) Decimal {
	d, err := ParseDecimal(s)
	if err != nil {
		panic("kurs: constant " + strconv.Quote(s) + ": " + err.Error())
	}
	return d
}

func canonical(coef int64, exp int) (Decimal, error) {
	if coef == 0 {
		return Decimal{known: true}, nil
	}
	for coef%10 == 0 {
		coef /= 10
		exp++
	}
	if exp > maxExp || exp < -maxExp {
		return Decimal{}, ErrDecimalRange
	}
	return Decimal{coef: coef, exp: int16(exp), known: true}, nil
}

// ParseDecimal reads a JSON number (RFC 8259, exponents included) without
// rounding it. A number with more than 18 significant digits is
// ErrDecimalDigits; the caller decides whether to take the nearest binary64.
func ParseDecimal[T string | []byte](s T) (Decimal, error) {
	i, negative := 0, false
	if i < len(s) && s[i] == '-' {
		negative = true
		i++
	}
	var (
		number  significand
		exp     int
		sawInt  bool
		sawFrac bool
	)
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if !number.add(s[i]) {
			return Decimal{}, ErrDecimalDigits
		}
		sawInt = true
	}
	if !sawInt {
		return Decimal{}, ErrDecimalSyntax
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
			if !number.add(s[i]) {
				return Decimal{}, ErrDecimalDigits
			}
			sawFrac = true
			exp--
		}
		if !sawFrac {
			return Decimal{}, ErrDecimalSyntax
		}
	}
	exp += number.zeros
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		e, ok := parseExponent(s[i+1:])
		if !ok {
			return Decimal{}, ErrDecimalSyntax
		}
		exp += e
		i = len(s)
	}
	if i != len(s) {
		return Decimal{}, ErrDecimalSyntax
	}
	if number.coef == 0 {
		return Decimal{known: true}, nil
	}
	if exp > maxExp || exp < -maxExp {
		return Decimal{}, ErrDecimalRange
	}
	signed := int64(number.coef) //nolint:gosec // at most 18 digits, checked above
	if negative {
		signed = -signed
	}
	return Decimal{coef: signed, exp: int16(exp), known: true}, nil
}

// significand is the coefficient of a number while its digits come in.
type significand struct {
	coef   uint64
	digits int
	zeros  int // since the last digit that is not one
}

// add appends a digit, holding zeros back until a digit follows, so that
// 1000000000000000000000 has one significant digit. It is false for a digit too
// many.
func (n *significand) add(c byte) bool {
	if c == '0' {
		if n.coef != 0 {
			n.zeros++
		}
		return true
	}
	if n.digits+n.zeros+1 > maxDigits {
		return false
	}
	if n.coef != 0 {
		n.digits += n.zeros
		for ; n.zeros > 0; n.zeros-- {
			n.coef *= 10
		}
	}
	n.coef = n.coef*10 + uint64(c-'0')
	n.digits++
	return true
}

// parseExponent reads the digits after an e. A hostile one (1e999999999) is
// clamped far outside of maxExp instead of overflowing.
func parseExponent[T string | []byte](s T) (int, bool) {
	sign, i := 1, 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		if s[i] == '-' {
			sign = -1
		}
		i++
	}
	if i == len(s) {
		return 0, false
	}
	e := 0
	for ; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		if e < 1_000_000 {
			e = e*10 + int(s[i]-'0')
		}
	}
	return sign * e, true
}

// Known tells whether there is a number at all.
func (d Decimal) Known() bool { return d.known }

// Sign is -1, 0 or 1; 0 also for an unknown value.
func (d Decimal) Sign() int {
	switch {
	case d.coef < 0:
		return -1
	case d.coef > 0:
		return 1
	}
	return 0
}

// Parts returns the coefficient and the exponent: value = coef x 10^exp. It is
// how a decimal is put into a message. Both are 0 for an unknown value, so ask
// Known first.
func (d Decimal) Parts() (coef int64, exp int) { return d.coef, int(d.exp) }

// Digits is the number of significant digits; 0 for zero and for unknown.
func (d Decimal) Digits() int {
	n := 0
	for c := d.magnitude(); c > 0; c /= 10 {
		n++
	}
	return n
}

func (d Decimal) magnitude() uint64 {
	if d.coef < 0 {
		return uint64(-d.coef)
	}
	return uint64(d.coef)
}

// String prints the number in full, without an exponent: "0.00000001". An
// unknown value prints as nothing.
func (d Decimal) String() string { return string(d.Append(nil)) }

// Append appends what String prints.
func (d Decimal) Append(b []byte) []byte {
	if !d.known {
		return b
	}
	if d.coef < 0 {
		b = append(b, '-')
	}
	var buf [20]byte
	digits := strconv.AppendUint(buf[:0], d.magnitude(), 10)
	point := len(digits) + int(d.exp) // digits before the decimal point
	switch {
	case d.exp >= 0:
		b = append(b, digits...)
		return appendZeros(b, int(d.exp))
	case point > 0:
		b = append(b, digits[:point]...)
		b = append(b, '.')
		return append(b, digits[point:]...)
	default:
		b = append(b, '0', '.')
		b = appendZeros(b, -point)
		return append(b, digits...)
	}
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}

// MarshalText makes decimals strings in JSON and CSV, never binary floats.
func (d Decimal) MarshalText() ([]byte, error) { return d.Append(nil), nil }

// UnmarshalText reads what MarshalText wrote: nothing is an unknown value.
func (d *Decimal) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Decimal{}
		return nil
	}
	v, err := ParseDecimal(text)
	if err != nil {
		return fmt.Errorf("decimal %q: %w", text, err)
	}
	*d = v
	return nil
}

// Plausible tells whether the magnitude is one that a price may have: from 10^-18
// to 10^18, both not included.
func (d Decimal) Plausible() bool {
	size := d.Digits() + int(d.exp)
	return d.known && size > -18 && size <= 18
}

// IsZero lets encoding/json leave out unknown values (omitzero).
func (d Decimal) IsZero() bool { return !d.known }

// Cmp compares two known values: -1, 0 or 1. Values may differ by hundreds of
// orders of magnitude, so it compares their lengths before their digits.
func (d Decimal) Cmp(o Decimal) int {
	if s, t := d.Sign(), o.Sign(); s != t {
		if s < t {
			return -1
		}
		return 1
	}
	if d.coef == o.coef && d.exp == o.exp {
		return 0
	}
	sign := d.Sign()
	dm, om := d.Digits()+int(d.exp), o.Digits()+int(o.exp)
	if dm != om {
		if dm < om {
			return -sign
		}
		return sign
	}
	// The same magnitude: bring both to 18 digits and compare.
	a, b := d.magnitude(), o.magnitude()
	for n := d.Digits(); n < maxDigits; n++ {
		a *= 10
	}
	for n := o.Digits(); n < maxDigits; n++ {
		b *= 10
	}
	switch {
	case a < b:
		return -sign
	case a > b:
		return sign
	}
	return 0
}

// Round rounds half-even to at most n significant digits (1 to 18).
func (d Decimal) Round(n int) Decimal {
	drop := d.Digits() - n
	if drop <= 0 {
		return d
	}
	out, err := roundDigits(d.magnitude(), int(d.exp), n, d.coef < 0, false)
	if err != nil {
		return Decimal{} // cannot be: rounding only shortens a value in range
	}
	return out
}

// Mul returns d x o, rounded once, half-even, to 15 significant digits.
func (d Decimal) Mul(o Decimal) (Decimal, error) {
	if !d.known || !o.known {
		return Decimal{}, ErrDecimalUnknown
	}
	hi, lo := bits.Mul64(d.magnitude(), o.magnitude())
	return roundProduct(hi, lo, int(d.exp)+int(o.exp), Precision, (d.coef < 0) != (o.coef < 0), false)
}

// Add returns d + o exactly. A sum of more than 18 significant digits is
// ErrDecimalDigits.
func (d Decimal) Add(o Decimal) (Decimal, error) {
	switch {
	case !d.known || !o.known:
		return Decimal{}, ErrDecimalUnknown
	case d.coef == 0:
		return o, nil
	case o.coef == 0:
		return d, nil
	}
	if d.exp < o.exp {
		d, o = o, d
	}
	// Both are below 10^18, so the sum of their widened coefficients fits an int64.
	a := d.coef
	for exp := d.exp; exp > o.exp; exp-- {
		if a > maxCoef/10 || a < -maxCoef/10 {
			return Decimal{}, ErrDecimalDigits
		}
		a *= 10
	}
	sum := a + o.coef
	for exp := int(o.exp); ; exp++ {
		if sum <= maxCoef && sum >= -maxCoef {
			return canonical(sum, exp)
		}
		if sum%10 != 0 {
			return Decimal{}, ErrDecimalDigits
		}
		sum /= 10
	}
}

// Quo returns d / o, rounded once, half-even, to 15 significant digits.
func (d Decimal) Quo(o Decimal) (Decimal, error) {
	if !d.known || !o.known {
		return Decimal{}, ErrDecimalUnknown
	}
	if o.coef == 0 {
		return Decimal{}, errors.New("division by zero")
	}
	if d.coef == 0 {
		return Decimal{known: true}, nil
	}
	// Widen the dividend to 36 digits: the quotient then has at least 18, three
	// more than are kept, and a remainder only matters as a sticky digit.
	exp := int(d.exp) - int(o.exp)
	num := d.magnitude()
	for n := d.Digits(); n < maxDigits; n++ {
		num *= 10
		exp--
	}
	den := o.magnitude()
	hi, lo := bits.Mul64(num, 1_000_000_000_000_000_000)
	exp -= 18
	qhi, qlo, rem := div128by(hi, lo, den)
	return roundProduct(qhi, qlo, exp, Precision, (d.coef < 0) != (o.coef < 0), rem != 0)
}

// Convert returns native x factor x rate: the base value of a price. The
// product is computed exactly and rounded once, half-even, to 15 significant
// digits. An unknown operand is ErrDecimalUnknown, never 1.
func Convert(native, factor, rate Decimal) (Decimal, error) {
	if !native.known || !factor.known || !rate.known {
		return Decimal{}, ErrDecimalUnknown
	}
	negative := (native.coef < 0) != (factor.coef < 0) != (rate.coef < 0)
	exp := int(native.exp) + int(factor.exp) + int(rate.exp)
	hi, lo := bits.Mul64(native.magnitude(), rate.magnitude())
	if factor.coef == 1 { // every factor of a minor unit is a power of ten
		return roundProduct(hi, lo, exp, Precision, negative, false)
	}
	return roundTriple(hi, lo, factor.magnitude(), exp, negative)
}

// roundProduct rounds the 128-bit hi:lo x 10^exp, of at most 36 digits,
// half-even to n digits. sticky says that the true value is a little larger.
func roundProduct(hi, lo uint64, exp, n int, negative, sticky bool) (Decimal, error) {
	if hi == 0 && lo < pow10[18] {
		return roundDigits(lo, exp, n, negative, sticky)
	}
	q, r := bits.Div64(hi, lo, pow10[18])
	return roundPair(q, r, exp, n, negative, sticky)
}

func div128by(hi, lo, d uint64) (qhi, qlo, rem uint64) {
	qhi = hi / d
	qlo, rem = bits.Div64(hi%d, lo, d)
	return qhi, qlo, rem
}

// roundPair rounds (upper x 10^18 + lower) x 10^exp half-even to n digits.
// lower is below 10^18, upper at most 10^18.
func roundPair(upper, lower uint64, exp, n int, negative, sticky bool) (Decimal, error) {
	const e17 = 100_000_000_000_000_000
	// Move digits up from lower until upper has 18 of them or more; what is
	// left of lower lies behind the digits that are kept.
	exp += 18
	for unit := uint64(e17); upper < e17 && unit > 0; unit /= 10 {
		upper = upper*10 + lower/unit
		lower %= unit
		exp--
	}
	return roundDigits(upper, exp, n, negative, sticky || lower != 0)
}

// roundDigits rounds coef x 10^exp half-even to n digits. sticky says that the
// true value is a little larger than coef.
func roundDigits(coef uint64, exp, n int, negative, sticky bool) (Decimal, error) {
	limit := pow10[n]
	div := uint64(1)
	for coef/div >= limit {
		div *= 10
		exp++
	}
	q, r := coef/div, coef%div
	half := div / 2
	switch {
	case div == 1: // nothing dropped; a sticky rest is below half a digit only if digits were kept behind
	case r > half, r == half && (sticky || q%2 == 1):
		q++
	}
	signed := int64(q) //nolint:gosec // at most 10^18
	if negative {
		signed = -signed
	}
	return canonical(signed, exp)
}

// roundTriple multiplies a 128-bit product by a factor that is not a power of
// ten (a unit that a user defined) and rounds once.
func roundTriple(hi, lo, factor uint64, exp int, negative bool) (Decimal, error) {
	h1, l1 := bits.Mul64(lo, factor)
	h2, l2 := bits.Mul64(hi, factor)
	mid, carry := bits.Add64(h1, l2, 0)
	top := h2 + carry
	// Divide the 192-bit top:mid:l1 by ten until it fits 18+18 digits.
	sticky := false
	for top != 0 || mid >= pow10[17] {
		var r uint64
		q2 := top / 10
		q1, r1 := bits.Div64(top%10, mid, 10)
		q0, r0 := bits.Div64(r1, l1, 10)
		top, mid, l1, r = q2, q1, q0, r0
		sticky = sticky || r != 0
		exp++
	}
	q, r := uint64(0), l1
	if mid != 0 || l1 >= pow10[18] {
		q, r = bits.Div64(mid, l1, pow10[18])
	}
	return roundPair(q, r, exp, Precision, negative, sticky)
}

var pow10 = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
}
