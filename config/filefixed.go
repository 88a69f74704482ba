package config

import (
	"bytes"

	"github.com/pelletier/go-toml/v2/unstable"
)

// This file reads the tables [[fx.fixed]]: each becomes one text of the key
// fx.fixed, and what is wrong in it is shown where it stands.

// fixedTable is the key that may also be written as tables.
const fixedTable = "fx.fixed"

// fixedTables are those of the file so far.
type fixedTables struct {
	entry  entry
	open   bool              // there is a table that has not ended
	fields map[string]string // of that table
}

// beginFixed begins a table.
func (d *document) beginFixed(at span) {
	d.endFixed()
	f := &d.fixed
	if len(f.entry.parts) == 0 {
		f.entry.at = at
	}
	f.open, f.fields = true, map[string]string{}
	f.entry.parts = append(f.entry.parts, at)
}

// fixedField takes a key of a table.
func (d *document) fixedField(name string, node, value *unstable.Node, at span) {
	f := &d.fixed
	text, where := string(value.Data), d.valueSpan(node, value, at)
	var problem string
	switch {
	case name == "pair" && value.Kind == unstable.String:
		problem = pairProblem(text)
	case name == "rate" && (value.Kind == unstable.String || isNumber(value)):
		_, problem = rateOf(text)
	case name == "from" && (value.Kind == unstable.String || value.Kind == unstable.LocalDate || value.Kind == unstable.DateTime):
		_, problem = fromOf(text)
	case name == "pair":
		problem = `must be text in quotes, as "USDDKK"`
	case name == "rate":
		problem = `must be a number, as "6.43"`
	case name == "from":
		_, problem = fromOf("")
	default:
		where = at
		problem = "unknown key in [[" + fixedTable + "]]: there are pair, rate and from"
		if near := Nearest(name, []string{"pair", "rate", "from"}); near != "" {
			problem = "unknown key in [[" + fixedTable + "]]. Did you mean " + near + "?"
		}
	}
	if problem != "" {
		d.bad(where, problem)
		f.entry.broken = true
	}
	f.fields[name] = text
}

// endFixed ends a table: what must be there is there.
func (d *document) endFixed() {
	f := &d.fixed
	if !f.open {
		return
	}
	f.open = false
	last := len(f.entry.parts) - 1
	for _, name := range []string{"pair", "rate"} {
		if _, ok := f.fields[name]; !ok {
			d.bad(f.entry.parts[last], "has no "+name+`: write pair = "USDDKK", rate = "6.43" and, if it is not from ever, from = "2026-01-01"`)
			f.entry.broken = true
		}
	}
	text := f.fields["pair"] + "=" + f.fields["rate"]
	if from, ok := f.fields["from"]; ok {
		text += "@" + from
	}
	f.entry.texts = append(f.entry.texts, text)
}

// putFixed makes one entry of all tables.
func (d *document) putFixed() {
	d.endFixed()
	if f := &d.fixed; len(f.entry.parts) > 0 && !f.entry.broken {
		f.entry.key, _ = Lookup(fixedTable)
		d.entries = append(d.entries, f.entry)
	}
}

// isNumber tells whether a value is written as a number of TOML that has digits.
func isNumber(value *unstable.Node) bool {
	return value.Kind == unstable.Integer || value.Kind == unstable.Float && bytes.ContainsAny(value.Data, "0123456789")
}
