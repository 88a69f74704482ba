package parquet_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	library "github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"kurs"
	"kurs/export/columns"
	"kurs/export/parquet"
)

// file is what a writer makes of rows.
func file[R any](tb testing.TB, all []columns.Column[R], rows ...R) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := parquet.NewWriter(&b, all)
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// read gives the rows of a file as texts by column; unknown values are left out.
func read(tb testing.TB, data []byte) []map[string]string {
	tb.Helper()
	f, err := library.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		tb.Fatal(err)
	}
	fields := f.Schema().Fields()
	rows := []map[string]string{}
	for _, group := range f.RowGroups() {
		reader := group.Rows()
		buffer := make([]library.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				got := map[string]string{}
				for i, v := range row {
					if !v.IsNull() {
						got[fields[i].Name()] = printed(tb, fields[i], v)
					}
				}
				rows = append(rows, got)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				tb.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return rows
}

func printed(tb testing.TB, f library.Field, v library.Value) string {
	tb.Helper()
	switch logical := f.Type().LogicalType(); {
	case v.Kind() == library.FixedLenByteArray:
		b := v.ByteArray()
		d, err := columns.Unscaled(int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint64(b[8:]))
		if err != nil {
			tb.Fatal(err)
		}
		return d.String()
	case v.Kind() == library.Int64 && logical != nil && logical.String() == library.Timestamp(library.Millisecond).Type().LogicalType().String():
		return time.UnixMilli(v.Int64()).UTC().Format(time.RFC3339Nano)
	default:
		return v.String()
	}
}

func full() kurs.Row {
	at := time.Date(2026, 11, 24, 9, 15, 4, 123e6, time.UTC)
	n := int64(3_000_000_000)
	return kurs.Row{
		Symbol: "VOD.L", Time: at, PriceNative: kurs.MustDecimal("88.42"), Unit: "GBp", CurrencyNative: "GBP", Factor: kurs.MustDecimal("0.01"),
		FXRate: kurs.MustDecimal("8.6123"), FXTime: at.Add(-time.Minute), FXSource: "yahoo via EUR", PriceBase: kurs.MustDecimal("7.61499566"),
		CurrencyBase: "DKK", Bid: kurs.MustDecimal("-88.4"), Ask: kurs.Int(0), Volume: &n, Session: kurs.SessionRegular, Source: "yahoo",
		ReceivedISO: at.Add(time.Second), Approximate: true, Origin: kurs.OriginPoll, CorrectedBy: "anna", Instrument: "VOD", SplitFactor: kurs.MustDecimal("0.25"),
	}
}

func TestPrices(t *testing.T) {
	waiting := kurs.Row{
		Symbol: "=\"EVIL\";\x00\n\xff", Time: time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC), PriceNative: kurs.MustDecimal("1e30"), CurrencyBase: "DKK",
	}
	got := read(t, file(t, columns.Prices(), full(), waiting, kurs.Row{}))
	want := []map[string]string{
		{
			"symbol": "VOD.L", "time": "2026-11-24T09:15:04.123Z", "price_native": "88.42", "unit": "GBp", "currency_native": "GBP", "factor": "0.01",
			"fx_rate": "8.6123", "fx_time": "2026-11-24T09:14:04.123Z", "fx_source": "yahoo via EUR", "price_base": "7.61499566", "currency_base": "DKK",
			"bid": "-88.4", "ask": "0", "volume": "3000000000", "session": "regular", "source": "yahoo", "received_iso": "2026-11-24T09:15:05.123Z",
			"approximate": "true", "origin": "poll", "corrected_by": "anna", "instrument": "VOD", "split_factor": "0.25",
		},
		{
			"symbol": waiting.Symbol, "time": "1901-01-01T00:00:00Z", "currency_base": "DKK", "approximate": "false",
			"outside": `{"price_native":"1000000000000000000000000000000"}`,
		},
		{"symbol": "", "time": "0001-01-01T00:00:00Z", "approximate": "false"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBars(t *testing.T) {
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	made := kurs.BarRow{
		Symbol: "A", Time: at, Interval: "1d", OpenNative: kurs.Int(1), HighNative: kurs.Int(3), LowNative: kurs.MustDecimal("0.5"), CloseNative: kurs.Int(2),
		MadeOf: kurs.MadeOfPrices, Prices: 7,
	}
	provider := kurs.BarRow{Symbol: "A", Time: at, Interval: "1d", CloseNative: kurs.Int(2), MadeOf: kurs.MadeByProvider, Rewritten: true}
	got := read(t, file(t, columns.Bars(), made, provider))
	want := []map[string]string{
		{
			"symbol": "A", "time": "2026-11-24T00:00:00Z", "interval": "1d", "open_native": "1", "high_native": "3", "low_native": "0.5", "close_native": "2",
			"made_of": "prices", "prices": "7", "unconverted": "0", "approximate": "false", "unfinished": "false", "rewritten": "false",
		},
		{
			"symbol": "A", "time": "2026-11-24T00:00:00Z", "interval": "1d", "close_native": "2", "made_of": "provider",
			"approximate": "false", "unfinished": "false", "rewritten": "true",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRows counts over several batches and groups, and none.
func TestRows(t *testing.T) {
	for _, n := range []int{0, 1, 1023, 1024, 1025, 250_000} {
		rows := make([]kurs.Row, n)
		for i := range rows {
			rows[i] = kurs.Row{Symbol: fmt.Sprint("S", i/5000), Time: time.UnixMilli(int64(i)), PriceNative: kurs.Int(int64(i))}
		}
		data := file(t, columns.Prices(), rows...)
		if got, err := parquet.Rows(bytes.NewReader(data), int64(len(data))); err != nil || got != int64(n) {
			t.Errorf("%d rows: %d, %v", n, got, err)
		}
		if f, err := library.OpenFile(bytes.NewReader(data), int64(len(data))); err != nil || len(f.RowGroups()) != (n+99_999)/100_000 {
			t.Errorf("%d rows: %d groups, %v", n, len(f.RowGroups()), err)
		}
	}
}

func TestRowsOfWhatIsNotWhole(t *testing.T) {
	rows := make([]kurs.Row, 5000)
	for i := range rows {
		rows[i] = full()
	}
	data := file(t, columns.Prices(), rows...)
	broken := bytes.Clone(data)
	for i := range 40 {
		broken[20+i] ^= 0x55
	}
	for name, data := range map[string][]byte{"cut off": data[:len(data)-1], "the end alone": data[len(data)/2:], "empty": nil, "changed": broken} {
		if n, err := parquet.Rows(bytes.NewReader(data), int64(len(data))); err == nil {
			t.Errorf("%s: %d rows", name, n)
		}
	}
}

// TestDecimalsHaveNoBounds: those of the library are in the order of bytes, in
// which -1 is more than 1.
func TestDecimalsHaveNoBounds(t *testing.T) {
	above, below := full(), full()
	below.PriceNative = kurs.MustDecimal("-37.63")
	data := file(t, columns.Prices(), above, below)
	f, err := library.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range f.Metadata().RowGroups[0].Columns {
		s := c.MetaData.Statistics
		decimal := f.Schema().Fields()[i].Type().Kind() == library.FixedLenByteArray
		if bounds := len(s.MinValue)+len(s.MaxValue)+len(s.Min)+len(s.Max) > 0; bounds && decimal {
			t.Errorf("%s: from %x to %x", f.Schema().Fields()[i].Name(), s.MinValue, s.MaxValue)
		}
	}
	for _, index := range f.ColumnIndexes() {
		for i := range index.MinValues {
			if len(index.MinValues[i]) == 16 {
				t.Errorf("a page from %x to %x", index.MinValues[i], index.MaxValues[i])
			}
		}
	}
}

func TestEveryDecimal(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var rows []kurs.Row
		for range rapid.IntRange(1, 20).Draw(r, "rows") {
			d, err := kurs.NewDecimal(rapid.Int64Range(-999_999_999_999_999, 999_999_999_999_999).Draw(r, "coefficient"), rapid.IntRange(-23, -1).Draw(r, "exponent"))
			if err != nil {
				r.Fatal(err)
			}
			rows = append(rows, kurs.Row{Symbol: rapid.String().Draw(r, "symbol"), PriceNative: d})
		}
		for i, got := range read(t, file(t, columns.Prices(), rows...)) {
			if got["price_native"] != rows[i].PriceNative.String() || got["symbol"] != rows[i].Symbol {
				r.Fatalf("%v, want %s of %q", got, rows[i].PriceNative, rows[i].Symbol)
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	const n = 200_000
	rows := make([]kurs.Row, n)
	for i := range rows {
		rows[i] = full()
		rows[i].Symbol = fmt.Sprint("S", i/2000)
		rows[i].Time = rows[i].Time.Add(time.Duration(i%2000) * time.Second)
		rows[i].ReceivedISO = rows[i].Time.Add(time.Duration(i*7919%900) * time.Millisecond)
		rows[i].PriceNative = kurs.MustDecimal(fmt.Sprintf("1%d.%02d", i*31%17, i*7919%100))
		rows[i].PriceBase, _ = rows[i].PriceNative.Mul(rows[i].FXRate)
	}
	var size int
	for b.Loop() {
		size = len(file(b, columns.Prices(), rows...))
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(size)/n, "bytes/row")
}
