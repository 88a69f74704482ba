package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile is how long a config file may be, in bytes: 50 000 symbols fit.
const maxFile = 1 << 20

var errTooLong = errors.New("longer than 1 MiB: not a config file")

// readFile reads at most maxFile bytes, so that a device or an endless pipe is
// an error and not the end of the memory. A byte order mark is dropped.
func readFile(path string) (text []byte, err error) {
	f, err := os.Open(path) //nolint:gosec // the user names the file
	if err != nil {
		return nil, err //nolint:wrapcheck // says what, where and why already
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err = io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err //nolint:wrapcheck // says what, where and why already
	}
	if len(text) > maxFile {
		return nil, errTooLong
	}
	return []byte(strings.TrimPrefix(string(text), "\uFEFF")), nil
}

// span is a stretch of the file, in bytes.
type span struct{ start, end int }

// entry is one key of the file whose type is right.
type entry struct {
	key    Key
	texts  []string
	at     span   // of the value; of the key where the value is a list
	parts  []span // of each part of a list
	broken bool   // other parts of the list are not text: these are checked, and not taken
}

// document reads one file: syntax by the library, in two passes, since only its
// decoder knows what may stand twice, and only its parser tells positions.
type document struct {
	text       []byte
	lines      []int // where each line begins
	parser     unstable.Parser
	entries    []entry
	problems   []Problem
	firstTable int // line of the first table; 0: none yet
	table      []string
	skip       bool // the table itself is a mistake; its keys are not looked at
	fixed      fixedTables
}

func parse(text []byte) *document {
	d := &document{text: text, lines: []int{0}}
	for i, c := range text {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if d.syntax() {
		d.walk()
	}
	return d
}

// syntax reports the first mistake of syntax; what follows one cannot be trusted.
func (d *document) syntax() bool {
	var into map[string]any
	err := toml.Unmarshal(d.text, &into)
	if err == nil {
		return true
	}
	p := Problem{Line: 1, Column: 1, marked: 1, Message: strings.TrimPrefix(err.Error(), "toml: ")}
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := at.Position()
		start := d.lines[min(line, len(d.lines))-1] + column - 1
		p = d.problem(span{start, d.wordEnd(start)}, p.Message)
		if strings.Contains(p.Message, "at start of value") || strings.Contains(p.Message, "leading zeroes") ||
			strings.Contains(p.Message, "must be quoted") {
			p.Message += "\n" + `text, durations and symbols stand in quotes: "DKK", "15s", "0700.HK"`
		}
	}
	d.problems = append(d.problems, p)
	return false
}

// wordEnd is where the word that begins at start ends.
func (d *document) wordEnd(start int) int {
	end := start
	for end < len(d.text) && !strings.ContainsRune(" \t\r\n,]}=#", rune(d.text[end])) {
		end++
	}
	return max(end, start+1)
}

func (d *document) walk() {
	d.parser.Reset(d.text)
	for d.parser.NextExpression() {
		node := d.parser.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			d.header(node)
		case unstable.KeyValue:
			if !d.skip {
				d.keyValue(node, d.table)
			}
		default: // comments
		}
	}
	d.putFixed()
	if err := d.parser.Error(); err != nil {
		d.problems = append(d.problems, Problem{Line: 1, Column: 1, Message: err.Error()})
	}
}

// header begins a table. One that is not known is one mistake, however many
// keys it has.
func (d *document) header(node *unstable.Node) {
	path, at := keyOf(node)
	if d.firstTable == 0 {
		d.firstTable, _ = d.position(at.start)
	}
	d.endFixed()
	d.table, d.skip = path, false
	name := join(path)
	_, isKey := Lookup(name)
	switch {
	case name == fixedTable && node.Kind == unstable.ArrayTable:
		d.beginFixed(at)
		return
	case name == fixedTable:
		d.bad(at, "there may be several such tables: write [["+name+"]]")
	case isKey:
		d.bad(at, fmt.Sprintf("is a key, not a table: write %s = ... %s", path[len(path)-1], below(path[:len(path)-1])))
	case !slices.Contains(tables(), name):
		message := "unknown table"
		if near := Nearest(name, tables()); near != "" {
			message += ". Did you mean [" + near + "]?"
		}
		d.bad(at, message)
	case node.Kind == unstable.ArrayTable:
		d.bad(at, "there is one such table: write ["+name+"]")
	default:
		return
	}
	d.skip = true
}

func (d *document) keyValue(node *unstable.Node, table []string) {
	name, at := keyOf(node)
	path := slices.Concat(table, name)
	value := node.Value()
	if join(table) == fixedTable {
		d.fixedField(join(name), node, value, at)
		return
	}
	key, isKey := Lookup(join(path))
	switch {
	case isKey:
		d.value(key, node, value, at)
	case !slices.Contains(tables(), join(path)):
		d.unknown(path, at)
	case value.Kind != unstable.InlineTable:
		d.bad(at, "is a table: write ["+join(path)+"] and its keys below it")
	default:
		for it := value.Children(); it.Next(); {
			d.keyValue(it.Node(), path)
		}
	}
}

// unknown says what was probably meant: a key of the top that slipped below a
// table (in TOML everything after a table's name is part of it), one of another
// table, or one that is spelt a little differently.
func (d *document) unknown(path []string, at span) {
	table, name := path[:len(path)-1], path[len(path)-1]
	if _, ok := Lookup(name); ok && len(table) > 0 {
		d.bad(at, fmt.Sprintf("belongs at the top of the file. In TOML every key after [%s] is part of it;\nmove this line above line %d",
			join(table), max(1, d.firstTable)))
		return
	}
	var here, homes []string
	for _, k := range keys {
		if k.Table() == join(table) {
			here = append(here, k.Name())
		}
		if k.Name() == name {
			homes = append(homes, "["+k.Table()+"]")
		}
	}
	message := "unknown key"
	if len(table) > 0 {
		message += " in [" + join(table) + "]"
	}
	if near := Nearest(name, here); near != "" {
		message += ". Did you mean " + near + "?"
	} else if len(homes) > 0 {
		message += "; it belongs in " + strings.Join(homes, " or ")
	}
	d.bad(at, message)
}

// value takes the value of a known key if it has the right type.
func (d *document) value(key Key, node, value *unstable.Node, name span) {
	at := d.valueSpan(node, value, name)
	switch want := key.Type(); {
	case want == typeList && value.Kind == unstable.Array:
		d.list(key, value, name)
		return
	case want == typeDecimal && isNumber(value):
		d.entries = append(d.entries, entry{key: key, texts: []string{string(value.Data)}, at: at})
	case want == typeList:
		d.bad(at, "must be a list: "+listExample(value))
	case want == typeNumber && value.Kind == unstable.Integer,
		want == typeBool && value.Kind == unstable.Bool,
		want != typeNumber && want != typeBool && want != typeList && value.Kind == unstable.String:
		d.entries = append(d.entries, entry{key: key, texts: []string{string(value.Data)}, at: at})
	case want == typeNumber:
		d.bad(at, "must be a whole number without quotes, as "+key.Default)
	case want == typeBool:
		d.bad(at, "must be true or false, without quotes")
	case want == typeDecimal:
		d.bad(at, "must be a number, as "+quote(key.Default))
	case want == typeDuration:
		d.bad(at, `must be a duration in quotes: "500ms", "15s", "10m", "24h" or "7d"`)
	case want == typeSize:
		d.bad(at, `must be a size in quotes: "512MB", "64MiB" or "2GiB"`)
	default:
		d.bad(at, "must be text in quotes")
	}
}

// listExample shows a value as the list that it should have been.
func listExample(value *unstable.Node) string {
	if value.Kind == unstable.String {
		return Key{field: func(c *Config) any { return &c.Symbols }}.Literal(readable(string(value.Data)))
	}
	return `["...", "..."]`
}

func (d *document) list(key Key, value *unstable.Node, name span) {
	e := entry{key: key, texts: []string{}, at: name}
	for it := value.Children(); it.Next(); {
		part := it.Node()
		if part.Kind != unstable.String {
			at := raw(part)
			if at.start == at.end { // a list or a table has no position
				at = name
			}
			d.bad(at, "each part must be text in quotes")
			e.broken = true
			continue
		}
		e.texts = append(e.texts, string(part.Data))
		e.parts = append(e.parts, raw(part))
	}
	d.entries = append(d.entries, e)
}

// valueSpan is where the value stands. Lists and tables have no position of
// their own: they reach from the equals sign to the end of the pair.
func (d *document) valueSpan(node, value *unstable.Node, name span) span {
	if at := raw(value); value.Kind != unstable.Array && value.Kind != unstable.InlineTable && at.end > at.start {
		return at
	}
	start := name.end
	for end := raw(node).end; start < end && strings.ContainsRune(" \t=", rune(d.text[start])); {
		start++
	}
	return span{start, max(start, raw(node).end)}
}

// keyOf is the dotted name of a table or a pair, and where it stands.
func keyOf(node *unstable.Node) (path []string, at span) {
	for it := node.Key(); it.Next(); {
		part := raw(it.Node())
		if len(path) == 0 {
			at.start = part.start
		}
		at.end = part.end
		path = append(path, string(it.Node().Data))
	}
	return path, at
}

func raw(node *unstable.Node) span {
	return span{int(node.Raw.Offset), int(node.Raw.Offset + node.Raw.Length)}
}

// join writes a path; a part that needs quotes gets them, so that it cannot be
// taken for two.
func join(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = p
		if p == "" || strings.ContainsFunc(p, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
		}) {
			parts[i] = quote(readable(p))
		}
	}
	return strings.Join(parts, ".")
}

// below says where in the file the keys of a table stand.
func below(table []string) string {
	if len(table) == 0 {
		return "at the top of the file"
	}
	return "below [" + join(table) + "]"
}

// tables are all tables that have keys or tables in them: "store", "store.sqlite".
func tables() []string {
	var all []string
	for _, k := range keys {
		for table := k.Table(); table != ""; table = (Key{Path: table}).Table() {
			if !slices.Contains(all, table) {
				all = append(all, table)
			}
		}
	}
	return all
}

func (d *document) bad(at span, message string) {
	d.problems = append(d.problems, d.problem(at, message))
}

// problem shows the line on which the span begins.
func (d *document) problem(at span, message string) Problem {
	line, column := d.position(at.start)
	text := d.text[d.lines[line-1]:]
	if line < len(d.lines) {
		text = d.text[d.lines[line-1] : d.lines[line]-1]
	}
	marked := 1
	if end := min(at.end, d.lines[line-1]+len(text)); end > at.start {
		marked = utf8.RuneCount(d.text[at.start:end])
	}
	return Problem{
		Line: line, Column: column, Message: message,
		excerpt: withoutSecret(strings.TrimRight(string(text), "\r")), marked: marked,
	}
}

// position turns bytes into a line and a column, both from 1 and the column in
// characters, as editors count.
func (d *document) position(offset int) (line, column int) {
	line, exact := slices.BinarySearch(d.lines, offset)
	if exact {
		line++
	}
	start := d.lines[line-1]
	return line, 1 + utf8.RuneCount(d.text[start:min(max(offset, start), len(d.text))])
}
