package parquet

import (
	"bytes"
	"encoding/binary"

	"kurs"
	"kurs/export/columns"
)

// A fixed is a column of type DECIMAL(38, 24), as kurs export has it: a two's
// complement number of 128 bits, big-endian, in units of 10^-24 ([columns.Scaled]).
// What it cannot hold is NULL, and stands as text in the column outside.
type fixed [16]byte

// fix is a decimal as a column; ok is false where it is unknown or does not fit.
func fix(d kurs.Decimal) (f fixed, ok bool) {
	hi, lo, ok := columns.Scaled(d)
	binary.BigEndian.PutUint64(f[:8], uint64(hi)) //nolint:gosec // two's complement
	binary.BigEndian.PutUint64(f[8:], lo)
	return f, ok
}

// decimal is the value of a column; unknown where it is NULL, or holds more
// digits than kurs writes.
func (f *fixed) decimal() kurs.Decimal {
	if f == nil {
		return kurs.Decimal{}
	}
	d, err := columns.Unscaled(int64(binary.BigEndian.Uint64(f[:8])), binary.BigEndian.Uint64(f[8:])) //nolint:gosec // two's complement
	if err != nil {
		return kurs.Decimal{}
	}
	return d
}

// decimals makes the columns of one row. Their memory is shared out of larger
// pieces: an allocation a price would cost more than the rest.
type decimals struct {
	room []fixed
	rest columns.Outside
}

// column is a decimal as a column: NULL where it is not known. What the column
// cannot hold is noted under the column's name.
func (c *decimals) column(name string, d kurs.Decimal) *fixed {
	if !d.Known() {
		return nil
	}
	f, ok := fix(d)
	if !ok {
		c.rest = c.rest.With(name, d)
		return nil
	}
	if len(c.room) == 0 {
		c.room = make([]fixed, 1024)
	}
	out := &c.room[0]
	c.room = c.room[1:]
	*out = f
	return out
}

// outside is the column outside of the row whose decimals were made, and begins
// the next row.
func (c *decimals) outside() columns.Outside {
	rest := c.rest
	c.rest = ""
	return rest
}

// value is the decimal of a column: what it holds, else what stands outside.
func value(f *fixed, outside columns.Outside, name string) kurs.Decimal {
	if f == nil && outside != "" {
		return outside.Of(name)
	}
	return f.decimal()
}

// equal tells whether two columns of the same name hold the same value.
func equal(a *fixed, outsideA columns.Outside, b *fixed, outsideB columns.Outside, name string) bool {
	if a == nil && b == nil {
		return outsideA == outsideB || value(a, outsideA, name) == value(b, outsideB, name)
	}
	if a == nil || b == nil {
		return false // one value is never at both places
	}
	return *a == *b
}

// compareFixed orders columns; NULL comes first. The order is not that of the
// numbers.
func compareFixed(a, b *fixed) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return bytes.Compare(a[:], b[:])
}

// compareDecimals orders decimals; unknown comes first.
func compareDecimals(a, b kurs.Decimal) int {
	if a.Known() != b.Known() {
		if b.Known() {
			return -1
		}
		return 1
	}
	return a.Cmp(b)
}

func equalVolume(a, b *int64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
