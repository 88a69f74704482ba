package columns

import (
	"slices"
	"strings"

	"kurs"
)

// OutsideName is the last column of every binary file: what did not fit in a
// decimal column, see [Scaled].
const OutsideName = "outside"

// Outside is the text of that column: an object of JSON, from the names of columns
// to numbers as texts. It is empty where all of a row's decimals fit.
type Outside string

// With has one more number.
func (o Outside) With(column string, d kurs.Decimal) Outside {
	return o.join(`"` + column + `":"` + d.String() + `"`)
}

// Of is the number of a column; unknown where there is none, or where the text was
// not made by With.
func (o Outside) Of(column string) kurs.Decimal {
	for _, part := range o.parts() {
		if text, ok := strings.CutPrefix(part, `"`+column+`":"`); ok {
			d, err := kurs.ParseDecimal(strings.TrimSuffix(text, `"`))
			if err != nil {
				return kurs.Decimal{}
			}
			return d
		}
	}
	return kurs.Decimal{}
}

// Take has the numbers of some columns from another, and only those.
func (o Outside) Take(from Outside, columns ...string) Outside {
	named := func(part string) bool {
		return slices.ContainsFunc(columns, func(column string) bool { return strings.HasPrefix(part, `"`+column+`":`) })
	}
	var out Outside
	for _, part := range o.parts() {
		if !named(part) {
			out = out.join(part)
		}
	}
	for _, part := range from.parts() {
		if named(part) {
			out = out.join(part)
		}
	}
	return out
}

func (o Outside) join(part string) Outside {
	if o == "" {
		return Outside("{" + part + "}")
	}
	return o[:len(o)-1] + Outside(","+part+"}")
}

// parts are the pairs of the object: neither names nor numbers have commas.
func (o Outside) parts() []string {
	if len(o) <= len("{}") {
		return nil
	}
	return strings.Split(string(o[1:len(o)-1]), ",")
}

// outside is the column of what the decimal columns cannot hold.
func outside[R any](columns []Column[R]) Column[R] {
	return text(OutsideName, func(r *R) string {
		var o Outside
		for _, c := range columns {
			if c.Kind != Decimal {
				continue
			}
			d := c.Decimal(r)
			if _, _, ok := Scaled(d); !ok && d.Known() {
				o = o.With(c.Name, d)
			}
		}
		return string(o)
	})
}
