package ledger

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kurs"
)

// Price is what one unit of a commodity was worth.
type Price struct {
	Symbol   string
	Time     time.Time // in the exchange's own zone: its date is the day that counts
	Value    kurs.Decimal
	Currency string // ISO 4217
}

// Writer writes prices line by line.
type Writer struct {
	w     *bufio.Writer
	line  func(b []byte, commodity string, p Price) []byte
	name  func(symbol string) string
	named string // the symbol that was named last, and its commodity
	as    string
	buf   []byte
}

// NewHledger begins a journal of P directives. With times each line tells the
// time of day too: for more than one price a day, of which the last counts.
func NewHledger(w io.Writer, times bool) (*Writer, error) {
	layout := time.DateOnly
	if times {
		layout = time.DateTime
	}
	return begin(w, "; prices of kurs\ndecimal-mark .\n", HledgerName, func(b []byte, commodity string, p Price) []byte {
		b = append(b, "P "...)
		b = p.Time.AppendFormat(b, layout)
		b = append(b, ' ')
		b = append(b, commodity...)
		return amount(b, p)
	})
}

// NewBeancount begins a file of price directives.
func NewBeancount(w io.Writer) (*Writer, error) {
	return begin(w, "; prices of kurs\n", BeancountName, func(b []byte, commodity string, p Price) []byte {
		b = p.Time.AppendFormat(b, time.DateOnly)
		b = append(b, " price "...)
		b = append(b, commodity...)
		return amount(b, p)
	})
}

func amount(b []byte, p Price) []byte {
	b = append(b, ' ')
	b = p.Value.Append(b)
	b = append(b, ' ')
	b = append(b, p.Currency...)
	return append(b, '\n')
}

func begin(w io.Writer, head string, name func(string) string, line func([]byte, string, Price) []byte) (*Writer, error) {
	out := &Writer{w: bufio.NewWriterSize(w, 64<<10), line: line, name: name}
	_, err := out.w.WriteString(head)
	return out, err //nolint:wrapcheck // the writer is the caller's
}

// Write adds a price, whose value is known. Where the commodity is called
// otherwise than the symbol, a comment says so before its first line.
func (w *Writer) Write(p Price) error {
	if !p.Value.Known() || !kurs.LooksLikeCurrency(p.Currency) {
		return fmt.Errorf("a price of %q in %q is no line: %w", p.Symbol, p.Currency, kurs.ErrDecimalUnknown)
	}
	w.buf = w.buf[:0]
	if p.Symbol != w.named || w.as == "" {
		w.named, w.as = p.Symbol, w.name(p.Symbol)
		if strings.Trim(w.as, `"`) != p.Symbol {
			w.buf = fmt.Appendf(w.buf, "; %s is %s\n", w.as, plain(p.Symbol))
		}
	}
	w.buf = w.line(w.buf, w.as, p)
	_, err := w.w.Write(w.buf)
	return err //nolint:wrapcheck // the writer is the caller's
}

// Close writes what is left; the writer below stays open.
func (w *Writer) Close() error {
	return w.w.Flush() //nolint:wrapcheck // the writer is the caller's
}

// plain is a symbol in a comment: on one line, in ASCII.
func plain(symbol string) string {
	quoted := strconv.QuoteToASCII(symbol)
	if inside := quoted[1 : len(quoted)-1]; inside == symbol {
		return symbol
	}
	return quoted
}

// IsPrice tells whether a line, of either form, is a price.
func IsPrice(line []byte) bool {
	s := string(line)
	if strings.HasPrefix(s, "P ") {
		return true
	}
	return !strings.HasPrefix(s, ";") && strings.Contains(s, " price ")
}
