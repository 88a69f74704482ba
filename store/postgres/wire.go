package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"kurs"
)

// This file is where values become columns and columns values, in PostgreSQL's
// binary format. Decimals are exact in both directions.

// kind is the type of a column.
type kind uint8

const (
	kindID      kind = iota // of another table
	kindWhole               // a number
	kindTime                // milliseconds since 1970, UTC
	kindDecimal             // with all its digits
	kindFlag                // 0 or 1
)

// sql is what PostgreSQL calls the type.
func (k kind) sql() string {
	switch k {
	case kindID:
		return "integer"
	case kindWhole:
		return "bigint"
	case kindTime:
		return "timestamptz"
	case kindDecimal:
		return "numeric"
	case kindFlag:
		return "boolean"
	}
	return ""
}

// cell is the value of a column; the zero cell is NULL.
type cell struct {
	n     int64        // of all kinds but decimals
	d     kurs.Decimal // of decimals
	known bool
}

func whole(n int64) cell { return cell{n: n, known: true} }

func number(d kurs.Decimal) cell { return cell{d: d, known: d.Known()} }

func flag(b bool) cell {
	if b {
		return whole(1)
	}
	return whole(0)
}

func volume(v kurs.Volume) cell { return cell{n: v.N, known: v.Known} }

// epoch is where PostgreSQL counts from, 2000-01-01, in milliseconds since 1970.
const epoch = 946_684_800_000

// appendCell appends a column of a row as COPY and parameters have it: its length,
// then its bytes.
func appendCell(b []byte, k kind, c cell) []byte {
	if !c.known {
		return binary.BigEndian.AppendUint32(b, math.MaxUint32) // -1: NULL
	}
	switch k {
	case kindID:
		b = binary.BigEndian.AppendUint32(b, 4)
		return binary.BigEndian.AppendUint32(b, uint32(c.n)) //nolint:gosec // an id of the database
	case kindWhole:
		b = binary.BigEndian.AppendUint32(b, 8)
		return binary.BigEndian.AppendUint64(b, uint64(c.n)) //nolint:gosec // two's complement
	case kindTime:
		b = binary.BigEndian.AppendUint32(b, 8)
		return binary.BigEndian.AppendUint64(b, uint64((c.n-epoch)*1000)) //nolint:gosec // two's complement; years 0 to 9999
	case kindFlag:
		b = binary.BigEndian.AppendUint32(b, 1)
		return append(b, byte(c.n&1))
	case kindDecimal:
		return appendNumeric(b, c.d)
	}
	return b
}

// appendNumeric appends a known decimal as a numeric: digits of base 10,000, the
// highest first.
func appendNumeric(b []byte, d kurs.Decimal) []byte {
	const negative = 0x4000
	coef, exp := d.Parts()
	sign := uint16(0)
	if coef < 0 {
		coef, sign = -coef, negative
	}
	// Behind the digits as many zeros as bring the exponent to a multiple of four.
	low := floorDiv4(exp)
	var digits [24]byte
	text := strconv.AppendInt(digits[:0], coef, 10)
	for range exp - 4*low {
		text = append(text, '0')
	}
	groups := (len(text) + 3) / 4
	if coef == 0 {
		groups, low = 0, 0
	}
	b = binary.BigEndian.AppendUint32(b, uint32(8+2*groups))
	b = binary.BigEndian.AppendUint16(b, uint16(groups))
	b = binary.BigEndian.AppendUint16(b, uint16(int16(low+max(groups, 1)-1)))
	b = binary.BigEndian.AppendUint16(b, sign)
	b = binary.BigEndian.AppendUint16(b, uint16(max(-exp, 0))) //nolint:gosec // at most 400
	if groups == 0 {
		return b
	}
	for at := len(text) - 4*groups; at < len(text); at += 4 {
		group := uint16(0)
		for _, c := range text[max(at, 0) : at+4] {
			group = group*10 + uint16(c-'0')
		}
		b = binary.BigEndian.AppendUint16(b, group)
	}
	return b
}

func floorDiv4(n int) int {
	if n < 0 {
		return -((-n + 3) / 4)
	}
	return n / 4
}

var errColumn = errors.New("a column is not of the form that this store writes")

// readCell reads a column's bytes; nil is NULL.
func readCell(k kind, raw []byte) (cell, error) {
	if raw == nil {
		return cell{}, nil
	}
	switch {
	case k == kindDecimal:
		d, err := readNumeric(raw)
		return number(d), err
	case k == kindID && len(raw) == 4:
		return whole(int64(int32(binary.BigEndian.Uint32(raw)))), nil //nolint:gosec // two's complement
	case k == kindWhole && len(raw) == 8:
		return whole(int64(binary.BigEndian.Uint64(raw))), nil //nolint:gosec // two's complement
	case k == kindTime && len(raw) == 8:
		return whole(int64(binary.BigEndian.Uint64(raw))/1000 + epoch), nil //nolint:gosec // two's complement
	case k == kindFlag && len(raw) == 1:
		return whole(int64(raw[0])), nil
	}
	return cell{}, fmt.Errorf("%w: %d bytes as %s", errColumn, len(raw), k.sql())
}

func readNumeric(raw []byte) (kurs.Decimal, error) {
	const head = 8
	if len(raw) < head || len(raw) != head+2*int(binary.BigEndian.Uint16(raw)) {
		return kurs.Decimal{}, fmt.Errorf("%w: %d bytes as numeric", errColumn, len(raw))
	}
	groups := int(binary.BigEndian.Uint16(raw))
	weight := int(int16(binary.BigEndian.Uint16(raw[2:]))) //nolint:gosec // two's complement
	text := make([]byte, 0, 4*groups+8)
	switch binary.BigEndian.Uint16(raw[4:]) {
	case 0:
	case 0x4000:
		text = append(text, '-')
	default:
		return kurs.Decimal{}, fmt.Errorf("%w: a numeric that is no number", errColumn)
	}
	text = append(text, '0')
	for i := range groups {
		group := binary.BigEndian.Uint16(raw[head+2*i:])
		text = append(text, byte('0'+group/1000%10), byte('0'+group/100%10), byte('0'+group/10%10), byte('0'+group%10))
	}
	text = strconv.AppendInt(append(text, 'e'), int64(4*(weight-groups+1)), 10)
	d, err := kurs.ParseDecimal(text)
	if err != nil {
		return d, fmt.Errorf("%w: %w", errColumn, err)
	}
	return d, nil
}

// arg is a column's value as a parameter of a statement.
func (c cell) arg(k kind) any {
	switch {
	case !c.known:
		return nil
	case k == kindDecimal:
		return c.d.String()
	case k == kindTime:
		return time.UnixMilli(c.n).UTC()
	case k == kindFlag:
		return c.n != 0
	}
	return c.n
}

// millis is a time that must be there: milliseconds since 1970, UTC. Years beyond
// four digits have no text form in RFC 3339.
func millis(t time.Time) (int64, error) {
	if y := t.UTC().Year(); t.IsZero() || y < 0 || y > 9999 {
		return 0, rejected("a time that is not one: %d", t.Unix())
	}
	return t.UnixMilli(), nil
}

// moment is a time that is there, with milliseconds, as a parameter.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// decimal is a decimal as a parameter.
func decimal(d kurs.Decimal) any { return number(d).arg(kindDecimal) }
