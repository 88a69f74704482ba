package arrow_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
	kursarrow "kurs/export/arrow"
	"kurs/export/columns"
)

// written is the file and the stream of rows.
func written[R any](tb testing.TB, all []columns.Column[R], rows ...R) (file, stream []byte) {
	tb.Helper()
	var f, s bytes.Buffer
	toFile, err := kursarrow.NewFile(&f, all)
	if err != nil {
		tb.Fatal(err)
	}
	toStream := kursarrow.NewStream(&s, all)
	for _, w := range []*kursarrow.Writer[R]{toFile, toStream} {
		for _, r := range rows {
			if err := w.Write(r); err != nil {
				tb.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return f.Bytes(), s.Bytes()
}

func readFile(tb testing.TB, data []byte) []map[string]string {
	tb.Helper()
	r, err := ipc.NewFileReader(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	out := []map[string]string{}
	for i := range r.NumRecords() {
		batch, err := r.RecordBatchAt(i)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, printed(tb, batch)...)
	}
	return out
}

func readStream(tb testing.TB, data []byte) []map[string]string {
	tb.Helper()
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Release()
	out := []map[string]string{}
	for r.Next() {
		out = append(out, printed(tb, r.RecordBatch())...)
	}
	if err := r.Err(); err != nil {
		tb.Fatal(err)
	}
	return out
}

// printed are the rows as texts by column; unknown values are left out.
func printed(tb testing.TB, batch arrow.RecordBatch) []map[string]string {
	tb.Helper()
	var out []map[string]string
	for i := range int(batch.NumRows()) {
		row := map[string]string{}
		for j, c := range batch.Columns() {
			if c.IsNull(i) {
				continue
			}
			var text string
			switch c := c.(type) {
			case *array.Decimal128:
				d, err := columns.Unscaled(c.Value(i).HighBits(), c.Value(i).LowBits())
				if err != nil {
					tb.Fatal(err)
				}
				text = d.String()
			case *array.Timestamp:
				text = time.UnixMilli(int64(c.Value(i))).UTC().Format(time.RFC3339Nano)
			case *array.String:
				text = c.Value(i)
			default:
				text = c.ValueStr(i)
			}
			row[batch.ColumnName(j)] = text
		}
		out = append(out, row)
	}
	return out
}

func TestPrices(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 15, 4, 123e6, time.UTC)
	n := int64(3_000_000_000)
	whole := kurs.Row{
		Symbol: "VOD.L", Time: at, PriceNative: kurs.MustDecimal("88.42"), Unit: "GBp", CurrencyNative: "GBP", Factor: kurs.MustDecimal("0.01"),
		FXRate: kurs.MustDecimal("8.6123"), FXTime: at.Add(-time.Minute), FXSource: "yahoo via EUR", PriceBase: kurs.MustDecimal("7.61499566"),
		CurrencyBase: "DKK", Bid: kurs.MustDecimal("-88.4"), Ask: kurs.Int(0), Volume: &n, Session: kurs.SessionRegular, Source: "yahoo",
		ReceivedISO: at.Add(time.Second), Approximate: true, Origin: kurs.OriginPoll, CorrectedBy: "anna", Instrument: "VOD", SplitFactor: kurs.MustDecimal("0.25"),
	}
	waiting := kurs.Row{Symbol: "=\"EVIL\";\x00\n", Time: at, PriceNative: kurs.MustDecimal("1e30"), CurrencyBase: "DKK"}
	file, stream := written(t, columns.Prices(), whole, waiting)
	want := []map[string]string{
		{
			"symbol": "VOD.L", "time": "2026-11-24T09:15:04.123Z", "price_native": "88.42", "unit": "GBp", "currency_native": "GBP", "factor": "0.01",
			"fx_rate": "8.6123", "fx_time": "2026-11-24T09:14:04.123Z", "fx_source": "yahoo via EUR", "price_base": "7.61499566", "currency_base": "DKK",
			"bid": "-88.4", "ask": "0", "volume": "3000000000", "session": "regular", "source": "yahoo", "received_iso": "2026-11-24T09:15:05.123Z",
			"approximate": "true", "origin": "poll", "corrected_by": "anna", "instrument": "VOD", "split_factor": "0.25",
		},
		{
			"symbol": waiting.Symbol, "time": "2026-11-24T09:15:04.123Z", "currency_base": "DKK", "approximate": "false",
			"outside": `{"price_native":"1000000000000000000000000000000"}`,
		},
	}
	if diff := cmp.Diff(want, readFile(t, file)); diff != "" {
		t.Errorf("file: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want, readStream(t, stream)); diff != "" {
		t.Errorf("stream: -want +got:\n%s", diff)
	}
}

func TestBars(t *testing.T) {
	bar := kurs.BarRow{
		Symbol: "A", Time: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Interval: "1d", CloseNative: kurs.Int(2), MadeOf: kurs.MadeOfPrices, Prices: 7,
	}
	file, _ := written(t, columns.Bars(), bar)
	want := []map[string]string{{
		"symbol": "A", "time": "2026-11-24T00:00:00Z", "interval": "1d", "close_native": "2", "made_of": "prices", "prices": "7", "unconverted": "0",
		"approximate": "false", "unfinished": "false", "rewritten": "false",
	}}
	if diff := cmp.Diff(want, readFile(t, file)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRows counts over several batches, and none.
func TestRows(t *testing.T) {
	for _, n := range []int{0, 1, 16_384, 16_385, 40_000} {
		rows := make([]kurs.Row, n)
		for i := range rows {
			rows[i] = kurs.Row{Symbol: fmt.Sprint("S", i/5000), Time: time.UnixMilli(int64(i)), PriceNative: kurs.Int(int64(i))}
		}
		file, stream := written(t, columns.Prices(), rows...)
		if got, err := kursarrow.Rows(bytes.NewReader(file), int64(len(file))); err != nil || got != int64(n) {
			t.Errorf("%d rows: %d, %v", n, got, err)
		}
		if got := len(readStream(t, stream)); got != n {
			t.Errorf("%d rows in the stream, want %d", got, n)
		}
	}
}

func TestRowsOfWhatIsNotWhole(t *testing.T) {
	rows := make([]kurs.Row, 5000)
	for i := range rows {
		rows[i] = kurs.Row{Symbol: fmt.Sprint("S", i*7919), Time: time.UnixMilli(int64(i)), PriceNative: kurs.Int(int64(i))}
	}
	file, _ := written(t, columns.Prices(), rows...)
	for name, data := range map[string][]byte{"cut off": file[:len(file)-1], "the end alone": file[len(file)/2:], "empty": nil} {
		if n, err := kursarrow.Rows(bytes.NewReader(data), int64(len(data))); err == nil {
			t.Errorf("%s: %d rows", name, n)
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
		file, _ := written(t, columns.Prices(), rows...)
		for i, got := range readFile(t, file) {
			if got["price_native"] != rows[i].PriceNative.String() || got["symbol"] != rows[i].Symbol {
				r.Fatalf("%v, want %s of %q", got, rows[i].PriceNative, rows[i].Symbol)
			}
		}
	})
}
