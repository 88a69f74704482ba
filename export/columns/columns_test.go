package columns_test

import (
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
	"kurs/export/columns"
)

// TestColumnsAreThoseOfTheRows compares with the names that JSON has: a field that
// is new in a row is new in every file.
func TestColumnsAreThoseOfTheRows(t *testing.T) {
	var prices, bars []string
	for _, c := range columns.Prices() {
		prices = append(prices, c.Name)
	}
	for _, c := range columns.Bars() {
		bars = append(bars, c.Name)
	}
	for _, c := range []struct {
		row any
		got []string
	}{{kurs.Row{}, prices}, {kurs.BarRow{}, bars}} {
		var want []string
		for f := range reflect.TypeOf(c.row).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, name)
		}
		if diff := cmp.Diff(append(want, columns.OutsideName), c.got); diff != "" {
			t.Errorf("%T: -want +got:\n%s", c.row, diff)
		}
	}
}

func TestScaled(t *testing.T) {
	for _, c := range []struct {
		name, in string
		fits     bool
	}{
		{"zero", "0", true},
		{"a price", "189.95", true},
		{"below zero", "-37.63", true},
		{"the smallest with 15 digits", "0.00000000100000000000001", true},
		{"the largest", "99999999999999", true},
		{"one more", "100000000000000", false},
		{"the smallest at all", "1e-24", true},
		{"smaller", "1e-25", false},
		{"15 digits, too small", "1.23456789012345e-11", false},
		{"hostile", "1e400", false},
	} {
		d := kurs.MustDecimal(c.in)
		hi, lo, ok := columns.Scaled(d)
		if ok != c.fits {
			t.Errorf("%s: fits is %v", c.name, ok)
			continue
		}
		if back, err := columns.Unscaled(hi, lo); ok && (err != nil || back != d) {
			t.Errorf("%s: back as %s, %v", c.name, back, err)
		}
	}
	if _, _, ok := columns.Scaled(kurs.Decimal{}); ok {
		t.Error("unknown is a number")
	}
	if d, err := columns.Unscaled(1<<62, 1); err == nil {
		t.Errorf("39 digits are %s", d)
	}
}

// TestEveryDecimalOf15DigitsIsExact in the range that docs/formats.md names, and
// the number of 128 bits is d x 10^24.
func TestEveryDecimalOf15DigitsIsExact(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		coef := rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(r, "coefficient")
		exp := rapid.IntRange(-23, 14).Draw(r, "exponent")
		d, err := kurs.NewDecimal(coef, exp)
		if err != nil {
			r.Fatal(err)
		}
		hi, lo, ok := columns.Scaled(d)
		value := new(big.Int).Mul(big.NewInt(coef), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exp+24)), nil))
		fits := new(big.Int).Abs(value).Cmp(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)) < 0
		if ok != fits {
			r.Fatalf("%s: fits is %v", d, ok)
		}
		if !ok {
			return
		}
		got := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(hi), 64), new(big.Int).SetUint64(lo))
		if got.Cmp(value) != 0 {
			r.Fatalf("%s is %s, want %s", d, got, value)
		}
		if back, err := columns.Unscaled(hi, lo); err != nil || back != d {
			r.Fatalf("%s comes back as %s, %v", d, back, err)
		}
	})
}

func TestOutside(t *testing.T) {
	all := columns.Prices()
	last := all[slices.IndexFunc(all, func(c columns.Column[kurs.Row]) bool { return c.Name == columns.OutsideName })]
	r := kurs.Row{PriceNative: kurs.MustDecimal("1e30"), PriceBase: kurs.MustDecimal("1.5e-30"), Bid: kurs.MustDecimal("7")}
	const want = `{"price_native":"1000000000000000000000000000000","price_base":"0.0000000000000000000000000000015"}`
	if got := last.Text(&r); got != want {
		t.Errorf("got %s", got)
	}
	if got := last.Text(&kurs.Row{}); got != "" {
		t.Errorf("of nothing: %s", got)
	}
}

func TestOutsideIsReadBack(t *testing.T) {
	tiny, huge := kurs.MustDecimal("1e-30"), kurs.MustDecimal("-1e20")
	o := columns.Outside("").With("bid", tiny).With("bid_size", huge)
	if want := columns.Outside(`{"bid":"` + tiny.String() + `","bid_size":"` + huge.String() + `"}`); o != want {
		t.Errorf("got %s, want %s", o, want)
	}
	for name, want := range map[string]kurs.Decimal{"bid": tiny, "bid_size": huge, "ask": {}, "": {}} {
		if got := o.Of(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
	for _, foreign := range []columns.Outside{"", "{", "{}", `{"bid":"x"}`, `{"bid":}`, "null"} {
		if got := foreign.Of("bid"); got.Known() {
			t.Errorf("%s: %s", foreign, got)
		}
	}
	for _, c := range []struct{ to, from, want columns.Outside }{
		{"", "", ""},
		{`{"bid":"1e-30","fx_rate":"1e-40"}`, `{"fx_rate":"1e-50","ask":"1e-60"}`, `{"bid":"1e-30","fx_rate":"1e-50"}`},
		{`{"fx_rate":"1e-40"}`, "", ""},
		{"{}", `{"fx_rate":"1e-50"}`, `{"fx_rate":"1e-50"}`},
	} {
		if got := c.to.Take(c.from, "fx_rate"); got != c.want {
			t.Errorf("%s with that of %s: %s, want %s", c.to, c.from, got, c.want)
		}
	}
}
