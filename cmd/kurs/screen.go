package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bojanz/currency"

	"kurs"
	"kurs/config"
)

// table prints rows under a head, in columns as wide as they need to be.
type table struct {
	head  []string
	right []bool // columns of numbers
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// print writes the table. Cells are made fit for a terminal.
func (t *table) print(w io.Writer) error {
	width := make([]int, len(t.head))
	all := append([][]string{t.head}, t.rows...)
	for _, row := range all {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i > 0 {
				line.WriteString("  ")
			}
			if t.right[i] {
				line.WriteString(space + cell)
			} else {
				line.WriteString(cell + space)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// numbers writes decimals as the config's locale has them.
type numbers struct{ formatter *currency.Formatter }

func newNumbers(locale string) numbers {
	f := currency.NewFormatter(currency.NewLocale(locale))
	f.CurrencyDisplay = currency.DisplayNone
	f.RoundingMode = currency.RoundHalfEven
	return numbers{f}
}

// price is a price for people: as many digits as tell something.
func (n numbers) price(d kurs.Decimal) string {
	digits := 6
	switch size := magnitude(d); {
	case size >= 100:
		digits = 2
	case size >= 1:
		digits = 4
	}
	return n.text(d, min(2, digits), digits)
}

// native is a price as it was quoted; one whose last digits are not sure is marked.
func (n numbers) native(d kurs.Decimal, approximate bool) string {
	if approximate {
		return "~" + n.price(d)
	}
	return n.price(d)
}

// rate is an exchange rate for people.
func (n numbers) rate(d kurs.Decimal) string { return n.text(d.Round(6), 0, 9) }

func (n numbers) text(d kurs.Decimal, least, most int) string {
	if !d.Known() {
		return "-"
	}
	// The currency is not shown; it only has to be one that the library knows.
	amount, err := currency.NewAmount(d.String(), "EUR")
	if err != nil {
		return d.String()
	}
	f := *n.formatter
	f.MinDigits, f.MaxDigits = uint8(least), uint8(most) //nolint:gosec // single digits
	return strings.TrimSpace(f.Format(amount))
}

// magnitude is the whole part of a decimal, without its sign, roughly.
func magnitude(d kurs.Decimal) int64 {
	coef, exp := d.Parts()
	coef = max(coef, -coef)
	for ; exp < 0 && coef > 0; exp++ {
		coef /= 10
	}
	if exp > 0 && coef > 0 {
		return 1000
	}
	return coef
}

// ageText is a span as people say it: "4 s", "12 min", "3 h", "5 d".
func ageText(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}

// priceTable prints stored prices. Their age is always shown.
func priceTable(w io.Writer, c config.Config, rows []kurs.Row, now time.Time) error {
	n := newNumbers(c.Locale)
	approximate := false
	t := table{
		head:  []string{"SYMBOL", "PRICE " + c.Currency, "NATIVE", "", "FX", "AGE", "SESSION"},
		right: []bool{false, true, true, false, true, true, false},
	}
	for i := range rows {
		r := &rows[i]
		approximate = approximate || r.Approximate
		fx := "-"
		if r.FXRate.Known() && r.CurrencyNative != r.CurrencyBase {
			fx = n.rate(r.FXRate)
		} else if !r.PriceBase.Known() {
			fx = "no rate yet"
		}
		t.add(printable(r.Symbol), n.price(r.PriceBase), n.native(r.PriceNative, r.Approximate), printable(r.Unit), fx,
			ageText(now.Sub(r.Time)), string(r.Session))
	}
	err := t.print(w)
	if err == nil && approximate {
		_, err = fmt.Fprintln(w, approximately)
	}
	return err
}

// approximately explains the mark of approximate prices.
const approximately = "~ approximate: the provider sends more digits than the format that it sends them in holds"
