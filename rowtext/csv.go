package rowtext

import (
	"strconv"

	"kurs"
)

// Dialect is a way of writing CSV. The zero value is RFC4180.
type Dialect string

// The dialects. In all of them texts are guarded: see the package's CSV text
// rule at [Dialect.Row].
const (
	// RFC4180: a comma between fields, a point in numbers, times of RFC 3339,
	// lines that end with a line feed.
	RFC4180 Dialect = "rfc4180"

	// ExcelDA is what a Danish Excel opens by a double click: a byte order mark, a
	// semicolon between fields, a comma in numbers, times as 2026-11-24 09:15:04,5
	// (UTC), lines that end with a carriage return and a line feed.
	ExcelDA Dialect = "excel-da"
)

// Dialects are the names of all dialects, the default first.
func Dialects() []string { return []string{string(RFC4180), string(ExcelDA)} }

// form is what dialects differ in.
type form struct {
	mark    string // at the beginning of a file
	comma   byte   // between fields
	point   byte   // in numbers
	time    string // layout
	newline string
}

func (d Dialect) form() form {
	if d == ExcelDA {
		return form{mark: "\ufeff", comma: ';', point: ',', time: "2006-01-02 15:04:05,999999999", newline: "\r\n"}
	}
	return form{comma: ',', point: '.', time: "2006-01-02T15:04:05.999999999Z07:00", newline: "\n"}
}

// rowColumns are the columns of v_quotes, under their JSON names.
var rowColumns = []string{
	"symbol", "time", "price_native", "unit", "currency_native", "factor", "fx_rate", "fx_time", "fx_source", "price_base", "currency_base",
	"bid", "ask", "volume", "session", "source", "received_iso", "approximate", "origin", "corrected_by", "instrument", "split_factor",
}

// barColumns are the columns of v_bars, under their JSON names, and what only
// bars that were made have.
var barColumns = []string{
	"symbol", "time", "interval", "open_native", "high_native", "low_native", "close_native", "unit", "currency_native", "factor",
	"fx_rate", "fx_time", "fx_source", "open_base", "high_base", "low_base", "close_base", "currency_base", "volume", "source", "received_iso",
	"approximate", "origin", "instrument", "made_of", "prices", "unconverted", "unfinished", "rewritten", "split_factor",
}

// RowHead appends what a file of prices begins with: the names of the columns.
func (d Dialect) RowHead(b []byte) []byte { return d.head(b, rowColumns) }

// BarHead appends what a file of bars begins with.
func (d Dialect) BarHead(b []byte) []byte { return d.head(b, barColumns) }

func (d Dialect) head(b []byte, columns []string) []byte {
	r := d.begin(append(b, d.form().mark...))
	for _, name := range columns {
		r.text(name)
	}
	return r.end()
}

// Row appends a price. Unknown values are empty.
//
// No text can become a formula in a spreadsheet (OWASP ASVS 5, 1.2.10), whichever
// separator that expects: where a text begins, and behind , ; " a tab or the end
// of a line in it, an apostrophe is put before = + - @, their full-width forms, a
// tab, an end of a line, NUL, and before an apostrophe. Who takes the apostrophe
// at those places away again has the text as it was. Numbers are no texts.
func (d Dialect) Row(b []byte, row *kurs.Row) []byte {
	r := d.begin(b)
	r.text(row.Symbol)
	r.time(row.Time)
	r.number(row.PriceNative)
	r.text(row.Unit)
	r.text(row.CurrencyNative)
	r.number(row.Factor)
	r.number(row.FXRate)
	r.time(row.FXTime)
	r.text(row.FXSource)
	r.number(row.PriceBase)
	r.text(row.CurrencyBase)
	r.number(row.Bid)
	r.number(row.Ask)
	r.volume(row.Volume)
	r.text(string(row.Session))
	r.text(row.Source)
	r.time(row.ReceivedISO)
	r.flag(row.Approximate)
	r.text(string(row.Origin))
	r.text(row.CorrectedBy)
	r.text(row.Instrument)
	r.number(row.SplitFactor)
	return r.end()
}

// Fill appends a fill, in the columns of a price whose price_native is empty.
func (d Dialect) Fill(b []byte, fill *Fill) []byte {
	return d.Row(b, &kurs.Row{
		Symbol: fill.Symbol, Time: fill.Time, Session: fill.Session, Source: fill.Source, ReceivedISO: fill.ReceivedISO,
		FXRate: fill.FXRate, FXTime: fill.FXTime, FXSource: fill.FXSource, PriceBase: fill.PriceBase, CurrencyBase: fill.CurrencyBase,
	})
}

// Bar appends a bar, as [Dialect.Row] does a price.
func (d Dialect) Bar(b []byte, bar *kurs.BarRow) []byte {
	r := d.begin(b)
	r.text(bar.Symbol)
	r.time(bar.Time)
	r.text(bar.Interval)
	r.number(bar.OpenNative)
	r.number(bar.HighNative)
	r.number(bar.LowNative)
	r.number(bar.CloseNative)
	r.text(bar.Unit)
	r.text(bar.CurrencyNative)
	r.number(bar.Factor)
	r.number(bar.FXRate)
	r.time(bar.FXTime)
	r.text(bar.FXSource)
	r.number(bar.OpenBase)
	r.number(bar.HighBase)
	r.number(bar.LowBase)
	r.number(bar.CloseBase)
	r.text(bar.CurrencyBase)
	r.volume(bar.Volume)
	r.text(bar.Source)
	r.time(bar.ReceivedISO)
	r.flag(bar.Approximate)
	r.text(string(bar.Origin))
	r.text(bar.Instrument)
	r.text(string(bar.MadeOf))
	r.count(bar.Prices)
	r.count(bar.Unconverted)
	r.flag(bar.Unfinished)
	r.flag(bar.Rewritten)
	r.number(bar.SplitFactor)
	return r.end()
}

func (r *record) volume(n *int64) {
	if n == nil {
		r.next()
		return
	}
	r.count(*n)
}

func (r *record) count(n int64) {
	r.next()
	r.b = strconv.AppendInt(r.b, n, 10)
}

// flag is how CSV has what is rarely so.
func (r *record) flag(set bool) {
	r.next()
	if set {
		r.b = append(r.b, '1')
	}
}
