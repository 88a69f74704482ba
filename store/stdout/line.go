package stdout

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kurs"
	"kurs/rowtext"
)

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

func (s *Store) humanLine(out *bytes.Buffer, row *kurs.Row) error {
	native := fmt.Sprintf("%14s %-5s", row.PriceNative, visible(row.Unit))
	s.head(out, row.Time, row.Symbol, native)
	s.tail(out, row.FXRate, row.CurrencyNative, row.PriceBase, row.CurrencyBase)
	if row.Session != "" && row.Session != kurs.SessionRegular {
		fmt.Fprintf(out, "  %s", visible(string(row.Session)))
	}
	return out.WriteByte('\n')
}

func (s *Store) humanFill(out *bytes.Buffer, fill *rowtext.Fill) error {
	s.head(out, fill.Time, fill.Symbol, fmt.Sprintf("%20s", "(rate came later)"))
	s.tail(out, fill.FXRate, fill.From, fill.PriceBase, fill.CurrencyBase)
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
