package rowtext

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"kurs"
)

// record is a line of CSV that is being written.
type record struct {
	form
	b     []byte
	begun bool
}

func (d Dialect) begin(b []byte) record { return record{form: d.form(), b: b} }

func (r *record) end() []byte { return append(r.b, r.newline...) }

// next begins a field.
func (r *record) next() {
	if r.begun {
		r.b = append(r.b, r.comma)
	}
	r.begun = true
}

func (r *record) time(t time.Time) {
	r.next()
	if !t.IsZero() {
		r.b = t.UTC().AppendFormat(r.b, r.form.time)
	}
}

func (r *record) number(d kurs.Decimal) {
	r.next()
	begin := len(r.b)
	r.b = d.Append(r.b)
	if r.point == '.' {
		return
	}
	if i := bytes.IndexByte(r.b[begin:], '.'); i >= 0 {
		r.b[begin+i] = r.point
	}
}

// text writes a field in quotes where it needs them in any dialect, and guarded.
func (r *record) text(s string) {
	r.next()
	if simple(s) {
		r.b = append(r.b, s...)
		return
	}
	begin := len(r.b)
	first := true // of a cell, as some spreadsheet may see it
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if first && dangerous(c) {
			r.b = append(r.b, '\'')
		}
		if c == '"' {
			r.b = append(r.b, '"')
		}
		r.b = append(r.b, s[i:i+size]...)
		first = separates(c)
		i += size
	}
	if quoted(s) {
		r.b = append(slices.Insert(r.b, begin, '"'), '"')
	}
}

// simple tells whether a text is nothing but letters, digits and what symbols
// have in them.
func simple(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '_':
		case i > 0 && (c == '-' || c == '=' || c == ' ' && i < len(s)-1):
		default:
			return false
		}
	}
	return true
}

// dangerous tells whether a spreadsheet may take a cell that begins so for a
// formula, or not show that it begins so.
func dangerous(c rune) bool {
	switch c {
	case '=', '+', '-', '@', '\t', '\r', '\n', 0, '\'', '＝', '＋', '－', '＠':
		return true
	}
	return false
}

// separates tells whether a spreadsheet may begin a cell behind c.
func separates(c rune) bool {
	switch c {
	case ',', ';', '"', '\t', '\r', '\n':
		return true
	}
	return false
}

// quoted tells whether a field is to stand in quotes.
func quoted(s string) bool {
	if s[0] == ' ' || s[len(s)-1] == ' ' {
		return true
	}
	for i := range len(s) {
		if separates(rune(s[i])) {
			return true
		}
	}
	return false
}
