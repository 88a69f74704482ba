package rowtext_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
	"kurs/internal/testkit"
	"kurs/rowtext"
)

var decimals = gocmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

// read is what a program makes of CSV by the rule of docs/formats.md. What it makes
// of it it gives as JSON, which has the same names.
func read[T any](t *testing.T, d rowtext.Dialect, text string) []T {
	t.Helper()
	comma, newline := byte(','), "\n"
	if d == rowtext.ExcelDA {
		comma, newline = ';', "\r\n"
		var marked bool
		if text, marked = strings.CutPrefix(text, "\ufeff"); !marked {
			t.Fatal("no byte order mark")
		}
	}
	var out []T
	for _, record := range testkit.CSV(t, text, comma, newline) {
		object := map[string]any{}
		for name, field := range record {
			object[name] = field
			switch name {
			case "time", "fx_time", "received_iso":
				if d == rowtext.ExcelDA {
					object[name] = strings.NewReplacer(" ", "T", ",", ".").Replace(field) + "Z"
				}
			case "volume", "prices", "unconverted":
				object[name] = json.Number(field)
			case "approximate", "unfinished", "rewritten":
				object[name] = field == "1"
			default:
				if d == rowtext.ExcelDA && numeric(name) {
					object[name] = strings.ReplaceAll(field, ",", ".")
				}
			}
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		var row T
		if err := json.Unmarshal(text, &row); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		out = append(out, row)
	}
	return out
}

func numeric(name string) bool {
	switch name {
	case "factor", "fx_rate", "price_native", "price_base", "bid", "ask", "split_factor":
		return true
	}
	return strings.HasSuffix(name, "_native") && name != "currency_native" || strings.HasSuffix(name, "_base") && name != "currency_base"
}

func written(d rowtext.Dialect, rows ...kurs.Row) string {
	b := d.RowHead(nil)
	for i := range rows {
		b = d.Row(b, &rows[i])
	}
	return string(b)
}

func vodafone() kurs.Row {
	at := time.Date(2026, 11, 24, 9, 15, 4, 0, time.UTC)
	volume := int64(5_000_000_000)
	return kurs.Row{
		Symbol: "VOD.L", Time: at, PriceNative: kurs.MustDecimal("88.42"), Unit: "GBp", CurrencyNative: "GBP", Factor: kurs.MustDecimal("0.01"),
		FXRate: kurs.MustDecimal("8.6123"), FXTime: at.Add(-time.Minute), FXSource: "yahoo via EUR", PriceBase: kurs.MustDecimal("7.61499566"),
		CurrencyBase: "DKK", Bid: kurs.MustDecimal("-1.5"), Ask: kurs.MustDecimal("1e20"), Volume: &volume, Session: kurs.SessionRegular, Source: "yahoo",
		ReceivedISO: at.Add(1500 * time.Millisecond), Approximate: true, Origin: kurs.OriginPoll, CorrectedBy: "anna", Instrument: "VODA",
		SplitFactor: kurs.MustDecimal("0.25"),
	}
}

func TestDialects(t *testing.T) {
	row, fill := vodafone(), rowtext.Fill{
		Symbol: "VOD.L", Time: vodafone().Time, Session: kurs.SessionRegular, Source: "yahoo", ReceivedISO: vodafone().ReceivedISO,
		FXRate: kurs.MustDecimal("8.5"), FXTime: vodafone().Time, FXSource: "yahoo", PriceBase: kurs.MustDecimal("7.5157"), CurrencyBase: "DKK",
	}
	const head = "symbol,time,price_native,unit,currency_native,factor,fx_rate,fx_time,fx_source,price_base,currency_base,bid,ask,volume,session,source," +
		"received_iso,approximate,origin,corrected_by,instrument,split_factor\n"
	for d, want := range map[rowtext.Dialect]string{
		rowtext.RFC4180: head + "VOD.L,2026-11-24T09:15:04Z,88.42,GBp,GBP,0.01,8.6123,2026-11-24T09:14:04Z,yahoo via EUR,7.61499566,DKK,-1.5," +
			"100000000000000000000,5000000000,regular,yahoo,2026-11-24T09:15:05.5Z,1,poll,anna,VODA,0.25\n" +
			"VOD.L,2026-11-24T09:15:04Z,,,,,8.5,2026-11-24T09:15:04Z,yahoo,7.5157,DKK,,,,regular,yahoo,2026-11-24T09:15:05.5Z,,,,,\n",
		rowtext.ExcelDA: "\ufeff" + strings.NewReplacer(",", ";", "\n", "\r\n").Replace(head) +
			"VOD.L;2026-11-24 09:15:04;88,42;GBp;GBP;0,01;8,6123;2026-11-24 09:14:04;yahoo via EUR;7,61499566;DKK;-1,5;" +
			"100000000000000000000;5000000000;regular;yahoo;2026-11-24 09:15:05,5;1;poll;anna;VODA;0,25\r\n" +
			"VOD.L;2026-11-24 09:15:04;;;;;8,5;2026-11-24 09:15:04;yahoo;7,5157;DKK;;;;regular;yahoo;2026-11-24 09:15:05,5;;;;;\r\n",
	} {
		got := string(d.Fill([]byte(written(d, row)), &fill))
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", d, diff)
		}
	}
	if got := string(rowtext.Dialect("").RowHead(nil)); got != head {
		t.Errorf("the zero dialect: %q", got)
	}
}

// hostile are texts that a spreadsheet might obey, or that might break a line.
var hostile = []string{
	"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1", "－1", "＋1", "＠1", "'", "''", "'=1", "=cmd|' /C calc'!A0",
	"a;=cmd|' /C calc'!A0", "a,=1", "a\n=1", "a\r\n=1", "a\t=1", "a\";\"=1", "\"=1", `"`, `""`, `"quoted"`, ",", ";", ";;", " ", " a", "a ", "  ",
	"a\nb", "a\r\nb", "\r\n", "a\x00b", "NULL", `\.`, "💹", "\ufeff", "\ufeff=1", "é", "e\u0301", "\u202egpj.exe", "O'Brien", "a,'b", "a;''-1", "EURUSD=X",
	"^GSPC", "BRK-B", "NOVO-B.CO", "$HOME", "`id`", strings.Repeat("=", 300), strings.Repeat("\"", 300), strings.Repeat("';=", 100),
}

func TestHostileTextsComeBackAndAreNoFormulas(t *testing.T) {
	for _, d := range []rowtext.Dialect{rowtext.RFC4180, rowtext.ExcelDA} {
		var want []kurs.Row
		for _, text := range hostile {
			row := vodafone()
			row.Symbol, row.Unit, row.CurrencyNative, row.FXSource, row.CurrencyBase, row.Source = text, text, text, text, text, text
			row.Session, row.Origin, row.CorrectedBy, row.Instrument = kurs.Session(text), kurs.Origin(text), text, text
			want = append(want, row)
		}
		text := written(d, want...)
		if diff := gocmp.Diff(want, read[kurs.Row](t, d, text), decimals); diff != "" {
			t.Errorf("%s: -want +got:\n%s", d, diff)
		}
		noFormula(t, text)
	}
}

// noFormula looks at the text as spreadsheets with any separator may: each cell
// that begins with what begins a formula has to be a number.
func noFormula(t *testing.T, text string) {
	t.Helper()
	for _, separators := range []string{",", ";", "\t", ",;\t\""} {
		for _, cell := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators+"\r\n", r) }) {
			cell = strings.TrimLeft(cell, `"`)
			if cell == "" || !strings.ContainsRune("=+-@\x00＝＋－＠", []rune(cell)[0]) {
				continue
			}
			if number, _, _ := strings.Cut(cell, ";"); strings.Trim(strings.Split(number, ",")[0], "-.0123456789") != "" {
				t.Errorf("a cell between %q begins with %q", separators, cell)
			}
		}
	}
}

// TestAnyRowComesBack: whatever the row, both dialects give it back exactly, and a
// reader that others wrote sees the same fields.
func TestAnyRowComesBack(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile), rapid.StringOf(rapid.RuneFrom([]rune("a=+-@'\",; \t\r\n\x00＝"))))
	number := rapid.Custom(func(r *rapid.T) kurs.Decimal {
		if rapid.Bool().Draw(r, "unknown") {
			return kurs.Decimal{}
		}
		const limit = 999_999_999_999_999
		d, err := kurs.NewDecimal(rapid.Int64Range(-limit, limit).Draw(r, "coefficient"), rapid.IntRange(-40, 40).Draw(r, "exponent"))
		if err != nil {
			r.Fatal(err)
		}
		return d
	})
	moment := rapid.Custom(func(r *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 4e9).Draw(r, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(r, "nanoseconds")).UTC()
	})
	row := rapid.Custom(func(r *rapid.T) kurs.Row {
		volume := rapid.Int64().Draw(r, "volume")
		row := kurs.Row{
			Symbol: text.Draw(r, "symbol"), Time: moment.Draw(r, "time"), PriceNative: number.Draw(r, "native"), Unit: text.Draw(r, "unit"),
			CurrencyNative: text.Draw(r, "currency"), Factor: number.Draw(r, "factor"), FXRate: number.Draw(r, "rate"), FXSource: text.Draw(r, "fx"),
			PriceBase: number.Draw(r, "base"), CurrencyBase: text.Draw(r, "base currency"), Bid: number.Draw(r, "bid"), Ask: number.Draw(r, "ask"),
			Session: kurs.Session(text.Draw(r, "session")), Source: text.Draw(r, "source"), ReceivedISO: moment.Draw(r, "received"),
			Approximate: rapid.Bool().Draw(r, "approximate"), Origin: kurs.Origin(text.Draw(r, "origin")), CorrectedBy: text.Draw(r, "author"),
			Instrument: text.Draw(r, "instrument"), SplitFactor: number.Draw(r, "split"),
		}
		if rapid.Bool().Draw(r, "known") {
			row.Volume, row.FXTime = &volume, moment.Draw(r, "fx time")
		}
		return row
	})
	rapid.Check(t, func(r *rapid.T) {
		want := rapid.SliceOfN(row, 1, 3).Draw(r, "rows")
		for _, d := range []rowtext.Dialect{rowtext.RFC4180, rowtext.ExcelDA} {
			text := written(d, want...)
			if diff := gocmp.Diff(want, read[kurs.Row](t, d, text), decimals); diff != "" {
				r.Fatalf("%s: -want +got:\n%s", d, diff)
			}
		}
		// encoding/csv makes one end of a line of \r\n in a field: so it is asked for the number of fields alone.
		others := csv.NewReader(strings.NewReader(written(rowtext.RFC4180, want...)))
		if records, err := others.ReadAll(); err != nil || len(records) != 1+len(want) || len(records[0]) != len(records[1]) {
			r.Fatalf("%d records, %v", len(records), err)
		}
	})
}

func TestBars(t *testing.T) {
	volume := int64(-7)
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	n := kurs.MustDecimal
	full := kurs.BarRow{
		Symbol: "=VOD", Time: at, Interval: "1h", OpenNative: n("1.5"), HighNative: n("2.5"), LowNative: n("0.5"), CloseNative: n("1.25"), Unit: "GBp",
		CurrencyNative: "GBP", Factor: n("0.01"), FXRate: n("8.5"), FXTime: at, FXSource: "yahoo", OpenBase: n("0.1275"), HighBase: n("0.2125"),
		LowBase: n("0.0425"), CloseBase: n("0.10625"), CurrencyBase: "DKK", Volume: &volume, Source: "yahoo", ReceivedISO: at.Add(time.Second),
		Approximate: true, Origin: kurs.OriginPoll, Instrument: "VODA", MadeOf: kurs.MadeByProvider, Prices: 3, Unconverted: 1, Unfinished: true,
		Rewritten: true, SplitFactor: n("0.25"),
	}
	want := []kurs.BarRow{full, {Symbol: "A", Time: at, Interval: "1d", CurrencyBase: "DKK", MadeOf: kurs.MadeOfPrices}}
	for _, d := range []rowtext.Dialect{rowtext.RFC4180, rowtext.ExcelDA} {
		text := d.BarHead(nil)
		for i := range want {
			text = d.Bar(text, &want[i])
		}
		if diff := gocmp.Diff(want, read[kurs.BarRow](t, d, string(text)), decimals); diff != "" {
			t.Errorf("%s: -want +got:\n%s", d, diff)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, text := range append([]string{"VOD.L", "a\x7fb", "\u009b2J", "\U000e0041", "<&>"}, hostile...) {
		row := vodafone()
		row.Symbol = text
		var out bytes.Buffer
		out.WriteString("before\n")
		if err := rowtext.JSON(&out, &row); err != nil {
			t.Fatal(err)
		}
		line, whole := strings.CutPrefix(out.String(), "before\n")
		if !whole || strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\x7f\u009b\u202e\U000e0041\x00\r\t") {
			t.Errorf("%q", out.String())
		}
		var got kurs.Row
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(row, got, decimals); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
	// A time that JSON cannot have leaves nothing behind.
	row := vodafone()
	row.ReceivedISO = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	if err := rowtext.JSON(&out, &row); err == nil || out.Len() != 0 {
		t.Errorf("%v, %q", err, out.String())
	}
}

func TestEach(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	price := func(symbol string) kurs.Price {
		return kurs.Price{Quote: kurs.Quote{Symbol: symbol, Time: at, Value: kurs.Int(1)}}
	}
	fill := kurs.Fill{Symbol: "F", Time: at, Receipt: kurs.Receipt{Received: at}, Base: kurs.Int(2), Rate: kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}}}
	b := kurs.Batch{Prices: []kurs.Price{price("A"), price("B")}, Fills: []kurs.Fill{fill, {Symbol: "BAR", Interval: "1d"}}}
	var got []string
	failure := errors.New("no")
	each := func(b kurs.Batch, err error) error {
		got = nil
		return rowtext.Each(&b,
			func(r *kurs.Row) error { got = append(got, r.Symbol); return err },
			func(f *rowtext.Fill) error {
				got = append(got, f.Symbol+f.From+f.CurrencyBase+f.ReceivedISO.Format(time.TimeOnly))
				return err
			})
	}
	if err := each(b, nil); err != nil || !gocmp.Equal(got, []string{"A", "B", "FUSDDKK09:00:00"}) {
		t.Errorf("%v, %v", got, err)
	}
	b.BaseCurrency = "EUR"
	for _, wrong := range []kurs.Batch{b, {Fills: b.Fills, BaseCurrency: "EUR"}} {
		if err := each(wrong, failure); !errors.Is(err, failure) || !errors.Is(err, kurs.ErrRejected) || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
	}
	if got[0] != "FUSDEUR09:00:00" {
		t.Errorf("the currency of the batch: %v", got)
	}
	for name, change := range map[string]func(*kurs.Price){
		"no symbol":         func(p *kurs.Price) { p.Symbol = "" },
		"no value":          func(p *kurs.Price) { p.Value = kurs.Decimal{} },
		"no time":           func(p *kurs.Price) { p.Time = time.Time{} },
		"a time of fiction": func(p *kurs.Price) { p.Time = at.AddDate(10000, 0, 0) },
	} {
		p := price("A")
		change(&p)
		if err := each(kurs.Batch{Prices: []kurs.Price{p}}, nil); !errors.Is(err, kurs.ErrRejected) || len(got) != 0 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
