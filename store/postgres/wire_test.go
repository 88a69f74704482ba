package postgres

import (
	"database/sql/driver"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
)

func anyDecimal(r *rapid.T) kurs.Decimal {
	const limit = 1_000_000_000_000_000_000
	d, err := kurs.NewDecimal(rapid.Int64Range(1-limit, limit-1).Draw(r, "coefficient"), rapid.IntRange(-380, 380).Draw(r, "exponent"))
	if err != nil {
		r.Fatal(err)
	}
	return d
}

func TestNumericsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		d := anyDecimal(r)
		got, err := readNumeric(appendNumeric(nil, d)[4:])
		if err != nil || got != d {
			r.Fatalf("%s became %s, %v", d, got, err)
		}
	})
}

// TestDamagedColumns: what is not of the form is an error, never a panic.
func TestDamagedColumns(t *testing.T) {
	whole := appendNumeric(nil, kurs.MustDecimal("12345.678"))[4:]
	for n := range whole {
		if _, err := readNumeric(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes were read without an error", n, len(whole))
		}
	}
	if _, err := readNumeric([]byte{0, 0, 0, 0, 0xc0, 0, 0, 0}); err == nil {
		t.Error("NaN was read without an error")
	}
	for _, k := range []kind{kindID, kindWhole, kindTime, kindFlag} {
		if _, err := readCell(k, []byte{1, 2, 3}); err == nil {
			t.Errorf("three bytes were read as %s", k.sql())
		}
	}
}

func TestTextsComeBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune{0, '␀', '0', 'a', '\\', 'ø'})).Draw(r, "text")
		if got := unescape(escape(s)); got != s {
			r.Fatalf("%q became %q", s, got)
		}
	})
}

func TestPackedAttributes(t *testing.T) {
	columns := quoteSeries().attrs
	in := []driver.Value{int64(1), kurs.MustDecimal("6.4321"), int64(-5), nil, nil, kurs.Int(0), kurs.MustDecimal("-1e-300"), int64(1 << 62)}
	packed := packAttrs(columns, in)
	got, err := unpackAttrs(columns, packed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, got, cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for _, damaged := range []string{"", "1,2", packed + ",", "x" + packed, "1,x,,,,,,"} {
		if _, err := unpackAttrs(columns, damaged); err == nil {
			t.Errorf("%q was read without an error", damaged)
		}
	}
}
