package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"kurs"
)

// This file is where decimals become columns and columns decimals: the only one
// of the package that may name a binary float.

// smallest is the least magnitude that a binary64 holds with all its digits.
const smallest = 2.2250738585072014e-308

// binary64 binds a decimal: unknown is NULL. A value that a binary64 cannot hold,
// by its size, is rejected; one with more than 15 digits becomes the nearest.
func binary64(d kurs.Decimal) (driver.Value, error) {
	if !d.Known() {
		return nil, nil //nolint:nilnil // NULL is a value
	}
	f := d.Float64()
	if size := math.Abs(f); d.Sign() != 0 && (size < smallest || math.IsInf(f, 0)) {
		return nil, rejected("%s is outside of a binary64's range", d.Round(kurs.Precision))
	}
	return f, nil
}

// sameFloat32 tells whether two numbers are the same in float32.
func sameFloat32(a, b driver.Value) bool {
	x, isX := a.(float64)
	y, isY := b.(float64)
	return isX && isY && float32(x) == float32(y)
}

// convertAgain is the base value of a native one at a rate; NULL where there is
// no rate, or no value.
func convertAgain(native driver.Value, factor kurs.Decimal, rate driver.Value) driver.Value {
	value, err := decimal(native)
	if err != nil {
		return nil
	}
	by, err := decimal(rate)
	if err != nil {
		return nil
	}
	base, err := kurs.Convert(value, factor, by)
	if err != nil {
		return nil
	}
	out, err := binary64(base)
	if err != nil {
		return nil
	}
	return out
}

// known binds a decimal that must be there.
func known(d kurs.Decimal) (driver.Value, error) {
	if !d.Known() {
		return nil, rejected("a value that is not known")
	}
	return binary64(d)
}

// reals binds several decimals to the columns.
func reals(columns []driver.Value, decimals ...kurs.Decimal) error {
	for i, d := range decimals {
		v, err := binary64(d)
		if err != nil {
			return err
		}
		columns[i] = v
	}
	return nil
}

// decimal reads a column: NULL is unknown.
func decimal(v driver.Value) (kurs.Decimal, error) {
	switch x := v.(type) {
	case nil:
		return kurs.Decimal{}, nil
	case float64:
		return kurs.DecimalFromFloat64(x)
	case int64:
		return kurs.NewDecimal(x, 0)
	}
	return kurs.Decimal{}, fmt.Errorf("a decimal column holds %T", v)
}

func volume(v kurs.Volume) driver.Value {
	if !v.Known {
		return nil
	}
	return v.N
}

func flag(b bool) driver.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}

// millis binds a time that must be there: milliseconds since 1970, UTC. Years
// beyond four digits have no text form in SQLite or RFC 3339.
func millis(t time.Time) (int64, error) {
	if y := t.UTC().Year(); t.IsZero() || y < 0 || y > 9999 {
		return 0, rejected("a time that is not one: %d", t.Unix())
	}
	return t.UnixMilli(), nil
}

// moment reads a column of milliseconds: NULL is the zero time.
func moment(v driver.Value) time.Time {
	ms, ok := v.(int64)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// The attributes of a last receipt are one column: each a tag and its value.
const (
	tagNull  = 0
	tagWhole = 1
	tagReal  = 2
)

var errAttrs = errors.New("column last_attrs is damaged")

// packAttrs is the column last_attrs.
func packAttrs(attrs []driver.Value) []byte {
	packed := make([]byte, 0, 9*len(attrs))
	for _, v := range attrs {
		switch x := v.(type) {
		case int64:
			packed = binary.AppendVarint(append(packed, tagWhole), x)
		case float64:
			packed = binary.BigEndian.AppendUint64(append(packed, tagReal), math.Float64bits(x))
		default:
			packed = append(packed, tagNull)
		}
	}
	return packed
}

// unpackAttrs reads what packAttrs wrote.
func unpackAttrs(packed []byte, n int) ([]driver.Value, error) {
	attrs := make([]driver.Value, n)
	for i := range attrs {
		if len(packed) == 0 {
			return nil, errAttrs
		}
		tag := packed[0]
		packed = packed[1:]
		switch tag {
		case tagNull:
		case tagWhole:
			x, size := binary.Varint(packed)
			if size <= 0 {
				return nil, errAttrs
			}
			attrs[i], packed = x, packed[size:]
		case tagReal:
			if len(packed) < 8 {
				return nil, errAttrs
			}
			attrs[i], packed = math.Float64frombits(binary.BigEndian.Uint64(packed)), packed[8:]
		default:
			return nil, errAttrs
		}
	}
	return attrs, nil
}

// ShortestDecimal is a REAL as the shortest decimal that it stands for, of 15
// digits at most: what comes out is what went in. Beyond the range of a decimal it
// has an exponent; what is no number is "Infinity" or "-Infinity".
func ShortestDecimal(f float64) string {
	if math.IsInf(f, 0) {
		if f < 0 {
			return "-Infinity"
		}
		return "Infinity"
	}
	if size := math.Abs(f); size != 0 && (size < 1e-30 || size >= 1e30) {
		return strconv.FormatFloat(f, 'g', kurs.Precision, 64)
	}
	d, err := kurs.DecimalFromFloat64(f)
	if err != nil {
		return strconv.FormatFloat(f, 'g', kurs.Precision, 64)
	}
	return d.Round(kurs.Precision).String()
}
