package stdout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"kurs"
)

// fillRow is what a fill says: the key of a price that was printed without a
// base value, and what it lacked. The names are those of [kurs.Row].
type fillRow struct {
	Symbol       string       `json:"symbol"`
	Time         time.Time    `json:"time"`
	Session      kurs.Session `json:"session"`
	Source       string       `json:"source"`
	FXRate       kurs.Decimal `json:"fx_rate,omitzero"`
	FXTime       time.Time    `json:"fx_time,omitzero"`
	FXSource     string       `json:"fx_source,omitempty"`
	PriceBase    kurs.Decimal `json:"price_base"`
	CurrencyBase string       `json:"currency_base"`
	from         string       // the currency that the rate is from
}

func filled(f *kurs.Fill, base string) fillRow {
	if base == "" {
		base = f.Rate.To
	}
	return fillRow{
		Symbol: f.Symbol, Time: f.Time.UTC(), Session: f.Session, Source: f.Source,
		FXRate: f.Rate.Value, FXTime: f.Rate.Time, FXSource: f.Rate.Source, PriceBase: f.Base, CurrencyBase: base, from: f.Rate.From,
	}
}

func jsonLine(out *bytes.Buffer, row kurs.Row) error { return encode(out, row) }
func jsonFill(out *bytes.Buffer, fill fillRow) error { return encode(out, fill) }

func encode(out *bytes.Buffer, v any) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	appendVisible(out, line.Bytes())
	return nil
}

// appendVisible writes a line of JSON with every character that a terminal might
// obey, or that changes the direction of writing, as an escape. encoding/json
// does so for those below a space only.
func appendVisible(out *bytes.Buffer, line []byte) {
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			out.Write(line[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
		line = line[size:]
	}
}

// A readable line:
//
//	2026-11-24 10:15:01  VOD.L               88.42 GBp     x 8.6123 GBPDKK =          7.61499566 DKK
const (
	timeLayout  = "2006-01-02 15:04:05"
	mostRunes   = 24 // of a name that a provider chose
	baseDigits  = 9  // of a base value, for people; JSON and databases have 15
	dim, bold   = "\x1b[2m", "\x1b[1m"
	yellow, off = "\x1b[33m", "\x1b[0m"
)

func (s *Store) humanLine(out *bytes.Buffer, row kurs.Row) error {
	native := fmt.Sprintf("%14s %-5s", row.PriceNative, visible(row.Unit))
	s.head(out, row.Time, row.Symbol, native)
	s.tail(out, row.FXRate, row.CurrencyNative, row.PriceBase, row.CurrencyBase)
	if row.Session != "" && row.Session != kurs.SessionRegular {
		fmt.Fprintf(out, "  %s", visible(string(row.Session)))
	}
	return out.WriteByte('\n')
}

func (s *Store) humanFill(out *bytes.Buffer, fill fillRow) error {
	s.head(out, fill.Time, fill.Symbol, fmt.Sprintf("%20s", "(rate came later)"))
	s.tail(out, fill.FXRate, fill.from, fill.PriceBase, fill.CurrencyBase)
	return out.WriteByte('\n')
}

func (s *Store) head(out *bytes.Buffer, at time.Time, symbol, native string) {
	fmt.Fprintf(out, "%s  %s %s",
		s.paint(dim, at.In(s.config.Location).Format(timeLayout)), s.paint(bold, fmt.Sprintf("%-12s", visible(symbol))), native)
}

// tail is the conversion. A price in the base currency has none to show.
func (s *Store) tail(out *bytes.Buffer, rate kurs.Decimal, from string, base kurs.Decimal, currency string) {
	if !base.Known() {
		fmt.Fprintf(out, "  %s", s.paint(yellow, fmt.Sprintf("%20s   %20s", "", "no rate yet")))
		return
	}
	conversion := ""
	if from != currency && rate.Known() {
		conversion = fmt.Sprintf("x %s %s", rate.Round(baseDigits), visible(from+currency))
	}
	fmt.Fprintf(out, "  %20s = %s", conversion, s.paint(bold, fmt.Sprintf("%16s %s", base.Round(baseDigits), visible(currency))))
}

func (s *Store) paint(color, text string) string {
	if !s.config.Color {
		return text
	}
	return color + text + off
}

// visible is a name as it may be shown on a terminal: what is no letter, mark,
// digit, sign or space is an escape, and a long one is cut.
func visible(name string) string {
	var b strings.Builder
	n := 0
	for _, r := range name {
		if n == mostRunes {
			return b.String() + "…"
		}
		n++
		if unicode.IsGraphic(r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
	}
	return b.String()
}
