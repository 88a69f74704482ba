package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"kurs/rowtext"
	"kurs/store/sqlite"
)

// errEnough ends a query of which enough rows are there.
var errEnough = errors.New("enough rows")

// queryAnswer prints the rows of a query in one of four forms. Only a table is
// held in memory, and no more of it than is printed.
type queryAnswer struct {
	format string
	most   int  // rows of a table
	more   bool // there are more than were printed

	out   *bufio.Writer
	table *table
	names []string
	keys  [][]byte // names as JSON
	rows  int
	cells []rowtext.Field
	line  []byte
}

func newAnswer(format string, out io.Writer, most int) *queryAnswer {
	return &queryAnswer{format: format, most: most, out: bufio.NewWriterSize(out, 64<<10)}
}

// head takes the names of the columns.
func (a *queryAnswer) head(names []string) error {
	a.names, a.cells = names, make([]rowtext.Field, len(names))
	switch a.format {
	case "table":
		a.table = &table{right: make([]bool, len(names))}
		for _, name := range names {
			a.table.head = append(a.table.head, cutText(printable(strings.ToUpper(name)), widestCell))
		}
	case "csv":
		for i, name := range names {
			a.cells[i] = rowtext.Field{Text: name}
		}
		return a.csvLine()
	default:
		taken := map[string]bool{}
		for _, name := range names {
			key, err := jsonString(distinct(taken, name))
			if err != nil {
				return err
			}
			a.keys = append(a.keys, key)
		}
		if a.format == "json" {
			_, err := a.out.WriteString("[")
			return err
		}
	}
	return nil
}

// distinct is a name that no column before has: two of the same name would be one
// in JSON.
func distinct(taken map[string]bool, name string) string {
	out := name
	for n := 2; taken[out]; n++ {
		out = name + "_" + strconv.Itoa(n)
	}
	taken[out] = true
	return out
}

// widestCell is how much of a value a table shows.
const widestCell = 200

// row takes a row.
func (a *queryAnswer) row(values []any) error {
	switch a.format {
	case "table":
		if a.rows == a.most {
			a.more = true
			return errEnough
		}
		cells := make([]string, len(values))
		for i, v := range values {
			cells[i] = cutText(printable(sqlText(v)), widestCell)
			a.table.right[i] = a.table.right[i] || isNumber(v)
		}
		a.table.add(cells...)
	case "csv":
		for i, v := range values {
			a.cells[i] = rowtext.Field{Text: sqlText(v), Number: isNumber(v)}
		}
		if err := a.csvLine(); err != nil {
			return err
		}
	default:
		if err := a.object(values); err != nil {
			return err
		}
	}
	a.rows++
	return nil
}

func (a *queryAnswer) csvLine() error {
	_, err := a.out.Write(rowtext.RFC4180.Fields(a.out.AvailableBuffer(), a.cells))
	return err
}

// object writes a row as JSON, its keys in the order of the columns.
func (a *queryAnswer) object(values []any) error {
	line := a.line[:0]
	switch {
	case a.format == "json" && a.rows > 0:
		line = append(line, ",\n  "...)
	case a.format == "json":
		line = append(line, "\n  "...)
	}
	line = append(line, '{')
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(append(line, a.keys[i]...), ':')
		switch x := v.(type) {
		case nil:
			line = append(line, "null"...)
		case int64:
			line = strconv.AppendInt(line, x, 10)
		default:
			text, err := jsonString(sqlText(x))
			if err != nil {
				return err
			}
			line = append(line, text...)
		}
	}
	line = append(line, '}')
	if a.format == "jsonl" {
		line = append(line, '\n')
	}
	a.line = line
	_, err := a.out.Write(line)
	return err
}

// jsonString is a text as JSON, as readable as it was.
func jsonString(text string) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return nil, fmt.Errorf("print JSON: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// end prints what is left; whole says that no row is missing.
func (a *queryAnswer) end(whole bool) error {
	switch {
	case a.names == nil:
		return nil
	case a.format == "table" && whole:
		t := a.table
		if err := t.print(a.out); err != nil {
			return err
		}
	case a.format == "json" && whole:
		closing := "\n]\n"
		if a.rows == 0 {
			closing = "]\n"
		}
		if _, err := a.out.WriteString(closing); err != nil {
			return err
		}
	}
	return a.out.Flush()
}

// sqlText is a value of SQLite as text: empty for NULL.
func sqlText(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return sqlite.ShortestDecimal(x)
	case []byte:
		return hex.EncodeToString(x)
	case string:
		return strings.ToValidUTF8(x, "\uFFFD")
	}
	return fmt.Sprint(v)
}

func isNumber(v any) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}
