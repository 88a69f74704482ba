package columns

import (
	"time"

	"kurs"
)

// Kind is what a column holds.
type Kind int

// The kinds of columns.
const (
	Text    Kind = iota // unknown where empty
	Decimal             // unknown where not known
	Time                // UTC; unknown where zero
	Whole               // unknown where the function says so
	Flag                // never unknown
)

// Column is one column of rows of type R: its name, its kind, and the function of
// that kind; the others are nil.
type Column[R any] struct {
	Name     string
	Kind     Kind
	Required bool // never unknown

	Text    func(*R) string
	Decimal func(*R) kurs.Decimal
	Time    func(*R) time.Time
	Whole   func(*R) (n int64, known bool)
	Flag    func(*R) bool
}

func text[R any](name string, of func(*R) string) Column[R] {
	return Column[R]{Name: name, Kind: Text, Text: of}
}

func decimal[R any](name string, of func(*R) kurs.Decimal) Column[R] {
	return Column[R]{Name: name, Kind: Decimal, Decimal: of}
}

func moment[R any](name string, of func(*R) time.Time) Column[R] {
	return Column[R]{Name: name, Kind: Time, Time: of}
}

func whole[R any](name string, of func(*R) (int64, bool)) Column[R] {
	return Column[R]{Name: name, Kind: Whole, Whole: of}
}

func flag[R any](name string, of func(*R) bool) Column[R] {
	return Column[R]{Name: name, Kind: Flag, Required: true, Flag: of}
}

func required[R any](c Column[R]) Column[R] {
	c.Required = true
	return c
}

func volume(n *int64) (int64, bool) {
	if n == nil {
		return 0, false
	}
	return *n, true
}
