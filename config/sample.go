package config

import (
	"fmt"
	"strings"
)

// tableTitles head the tables in the sample file and in the documentation.
var tableTitles = map[string]string{
	"":                "What to record",
	"source.yahoo":    "Where prices come from",
	"acquire":         "Stage 1: fetching",
	"process":         "Stage 2: decoding and converting",
	"fx":              "Currency conversion",
	"archive":         "Messages as they were received",
	"queue":           "Queues between the stages",
	"store":           "Stage 3: storing",
	"store.sqlite":    "The database file",
	"store.postgres":  "The database server",
	"store.retention": "How long prices are kept in the database",
	"store.lines":     "Files of lines, where store.use has \"lines\"",
	"store.parquet":   "Parquet files, where store.use has \"parquet\"",
	"log":             "Logs",
}

// sampleWidth is where the sample file breaks its comments.
const sampleWidth = 96

// Sample is a config file with every key explained. The chosen ones (by key
// path, in the form of [Key.Default]) are set; the others show their default
// behind a "#", so that a later kurs with a better default is not held back.
func Sample(chosen map[string]string) string {
	var b strings.Builder
	b.WriteString(`# kurs.toml: every key of kurs. A line that begins with "#" and a key shows the default:
# take the "#" away to change it. Check the file with: kurs config check
#
# Durations: "500ms" "15s" "10m" "24h" "7d".  Sizes: "512MB" "64MiB" "2GiB".  Text stands in quotes.
# Environment: KURS_ and the key's path in capitals, with "_" for each dot:
# store.sqlite.path is KURS_STORE_SQLITE_PATH. A flag beats it, and it beats this file.
`)
	table := "-"
	for _, k := range keys {
		if k.Table() != table {
			table = k.Table()
			fmt.Fprintf(&b, "\n# ── %s %s\n", tableTitles[table], strings.Repeat("─", sampleWidth-6-len(tableTitles[table])))
			if table != "" {
				fmt.Fprintf(&b, "\n[%s]\n", table)
			}
		}
		b.WriteByte('\n')
		for _, line := range wrap(k.comment(), sampleWidth-2) {
			b.WriteString("# " + line + "\n")
		}
		if text, ok := chosen[k.Path]; ok {
			fmt.Fprintf(&b, "%s = %s\n", k.Name(), k.Literal(text))
		} else {
			fmt.Fprintf(&b, "#%s = %s\n", k.Name(), k.Literal(k.Default))
		}
	}
	return b.String()
}

// comment is all that the sample file says about a key.
func (k Key) comment() string {
	switch {
	case k.Range() == "", k.Type() == typeList: // the meaning of a list names its choices
		return k.Meaning + "."
	case len(k.Choices) > 0:
		return k.Meaning + ". One of: " + k.Range() + "."
	default:
		return k.Meaning + " (" + k.Range() + ")."
	}
}

// wrap breaks text at spaces; a longer word stays whole. Widths are bytes, which
// the table's ASCII makes characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// Docs is docs/config.md: every key, in Markdown.
func Docs() string {
	var b strings.Builder
	b.WriteString(`# The config file

<!-- Made from the table in config/keys.go: go test ./config -update -->

kurs reads one [TOML](https://toml.io) file. ` + "`kurs init`" + ` writes one with every key explained
([examples/kurs.toml](../examples/kurs.toml)), ` + "`kurs config path`" + ` tells where it is, ` + "`kurs config check`" + ` names all
mistakes at once, and ` + "`kurs config show --origin`" + ` tells of every value where it came from. No key is required.

* **Order.** A flag beats the environment, the environment beats the file, the file beats the default.
* **Which file.** ` + "`--config FILE`" + `, else ` + "`KURS_CONFIG`" + `, else ` + "`$XDG_CONFIG_HOME/kurs/kurs.toml`" + ` (` + "`~/.config/kurs/kurs.toml`" + `;
  macOS: ` + "`~/Library/Application Support/kurs`" + `; Windows: ` + "`%AppData%\\kurs`" + `). Only a file that was named must exist.
* **Where data goes.** With ` + "`--data DIR`" + ` or ` + "`KURS_DATA`" + `: ` + "`DIR/kurs.db`, `DIR/queue`, `DIR/cache` and `DIR/kurs.log`" + `. Else the database
  is in ` + "`$XDG_DATA_HOME/kurs`" + `, the queues in ` + "`$XDG_STATE_HOME/kurs`" + `, what can be fetched again in ` + "`$XDG_CACHE_HOME/kurs`" + `, and
  there is no log file. A relative path in the file begins in the file's directory, elsewhere in the working directory;
  ` + "`~/`" + ` is the home directory.
* **Environment.** An empty variable counts as not set. Lists have commas: ` + "`KURS_SYMBOLS=AAPL,VOD.L`" + `. There is no ` + "`$VARIABLE`" + ` inside
  the file. An unknown ` + "`KURS_...`" + ` is a warning.
* **Durations** are whole numbers with ` + "`ms s m h d`" + `, as in ` + "`\"90s\"` or `\"1h30m\"`" + `; a day is 24 hours. **Sizes** have ` + "`KiB MiB GiB TiB`" + `
  (powers of 1024) or ` + "`kB MB GB TB`" + ` (of 1000). Both stand in quotes, as all text does.
* **Yahoo's own hosts** (` + "`source.yahoo.query_url`" + ` at yahoo.com) have limits of their own: intervals of 5 s or more, batches of at
  most 50 symbols, and a budget of requests. Other servers that speak the protocol have none of these.
* **Reload: yes** marks keys that may change while kurs runs; the others need a restart.
`)
	table := "-"
	for _, k := range keys {
		if k.Table() != table {
			table = k.Table()
			title := tableTitles[table]
			if table != "" {
				title += ": `[" + table + "]`"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| key | type | default | values | meaning | environment | flag | reload |\n|---|---|---|---|---|---|---|---|\n", title)
		}
		flag := ""
		if k.Flag != "" {
			flag = "`--" + k.Flag + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | %s | `%s` | %s | %s |\n",
			k.Name(), k.Type(), k.Literal(k.Default), strings.TrimSpace(k.Range()+" "+k.Unit), cell(k.Meaning), k.Env(), flag, yes(k.Reload))
	}
	return b.String()
}

// cell keeps "<state directory>" from being read as HTML, and bars as columns.
func cell(text string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "|", "\\|").Replace(text)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
