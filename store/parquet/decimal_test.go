package parquet

import (
	"encoding/binary"
	"maps"
	"math/big"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"kurs"
	"kurs/export/columns"
)

// number is what a reader of the file takes the bytes for.
func (f *fixed) number() *big.Rat {
	n := new(big.Int).SetBytes(f[:])
	if f[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(columns.Scale), nil))
}

// TestFixed compares columns with exact arithmetic: what is in a column is exact,
// and what is in none is outside.
func TestFixed(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		coef := rapid.Int64Range(-999_999_999_999_999_999, 999_999_999_999_999_999).Draw(r, "coefficient")
		exp := rapid.IntRange(-60, 60).Draw(r, "exponent")
		d, err := kurs.NewDecimal(coef, exp)
		if err != nil {
			r.Fatal(err)
		}
		c := &decimals{}
		f := c.column("bid", d)
		noted := c.outside()
		if got := value(f, noted, "bid"); got != d {
			r.Fatalf("%s came back as %s (%q)", d, got, noted)
		}
		if (f == nil) != (noted == columns.Outside(`{"bid":"`+d.String()+`"}`)) || f != nil && noted != "" {
			r.Fatalf("%s: column %v, outside %q", d, f, noted)
		}
		if f == nil {
			return
		}
		if want, ok := new(big.Rat).SetString(d.String()); !ok || f.number().Cmp(want) != 0 {
			r.Fatalf("%s is %s in its column", d, f.number())
		}
	})
}

func TestForeignColumn(t *testing.T) {
	var f fixed // 38 digits: kurs has never written it
	binary.BigEndian.PutUint64(f[:8], 1<<62)
	binary.BigEndian.PutUint64(f[8:], 12345)
	if got := f.decimal(); got.Known() {
		t.Errorf("got %s", got)
	}
	if got := value(nil, `{"bid":"x"}`, "bid"); got.Known() {
		t.Errorf("got %s", got)
	}
}

// TestDecimalsHaveNoBounds: those of the library are in the order of bytes, in
// which -1 is more than 1. The values come back from the file.
func TestDecimalsHaveNoBounds(t *testing.T) {
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 0), local{dir: dir}, quiet(), alive))(t)
	g := history()[0]
	want := map[string]kurs.Decimal{"A": kurs.MustDecimal("-37.63"), "B": kurs.MustDecimal("40.1"), "C": kurs.MustDecimal("-1e-30"), "D": kurs.MustDecimal("-1e20")}
	prices := g.Batches[0].Prices[:0:0]
	for symbol, value := range want {
		p := g.Batches[0].Prices[0]
		p.Symbol, p.Value = symbol, value
		prices = append(prices, p)
	}
	g.Batches[0].Prices = prices
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]kurs.Decimal{}
	for _, row := range dump(t, local{dir: dir}, dir).Quotes {
		got[row.Symbol] = row.PriceNative
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	names := files(t, dir, "quotes")
	if len(names) != 1 {
		t.Fatal(names)
	}
	source, err := openSource(names[0], false)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	f, err := pq.OpenFile(source, source.size)
	if err != nil {
		t.Fatal(err)
	}
	decimals := 0
	for i, c := range f.Metadata().RowGroups[0].Columns {
		field := f.Schema().Fields()[i]
		if field.Type().Kind() != pq.FixedLenByteArray {
			continue
		}
		decimals++
		if of := field.Type().LogicalType().String(); of != "DECIMAL(38,24)" {
			t.Errorf("%s is %s", field.Name(), of)
		}
		s := c.MetaData.Statistics
		if len(s.MinValue)+len(s.MaxValue)+len(s.Min)+len(s.Max) > 0 {
			t.Errorf("%s: from %x to %x", field.Name(), s.MinValue, s.MaxValue)
		}
	}
	if decimals == 0 {
		t.Error("no column of decimals")
	}
	for at, index := range f.ColumnIndexes() {
		if f.Schema().Fields()[at].Type().Kind() != pq.FixedLenByteArray {
			continue
		}
		for i := range index.MinValues {
			if len(index.MinValues[i])+len(index.MaxValues[i]) > 0 {
				t.Errorf("a page of %s from %x to %x", f.Schema().Fields()[at].Name(), index.MinValues[i], index.MaxValues[i])
			}
		}
	}
}
