package testkit

import (
	"strings"
	"testing"
)

// CSV reads a file of CSV as strictly as RFC 4180 has it, but for its line ends,
// which are those given: every record has as many fields as the head, quotes
// stand around a whole field or nowhere, and a quote in a field is there twice.
// Each record is a map of what is not empty by the names of the head.
//
// Apostrophes that guard a text from spreadsheets are taken away: at the beginning
// of a field, and behind , ; " a tab or the end of a line in it.
func CSV(tb testing.TB, text string, comma byte, newline string) []map[string]string {
	tb.Helper()
	var head []string
	var out []map[string]string
	for text != "" {
		fields, rest, problem := csvRecord(text, comma, newline)
		if problem != "" {
			tb.Fatalf("CSV: %s: %.200q", problem, text)
		}
		text = rest
		if head == nil {
			head = fields
			continue
		}
		if len(fields) != len(head) {
			tb.Fatalf("CSV: %d fields, the head has %d: %q", len(fields), len(head), fields)
		}
		record := map[string]string{}
		for i, field := range fields {
			if field != "" {
				record[head[i]] = unguarded(field)
			}
		}
		out = append(out, record)
	}
	return out
}

func csvRecord(text string, comma byte, newline string) (fields []string, rest, problem string) {
	for {
		var field string
		if strings.HasPrefix(text, `"`) {
			var whole bool
			if field, text, whole = csvQuoted(text[1:]); !whole {
				return nil, "", "a quote without its end"
			}
		} else {
			end := strings.IndexAny(text, string(comma)+newline)
			if end < 0 {
				return nil, "", "a line without its end"
			}
			if field = text[:end]; strings.ContainsAny(field, "\"\r\n") {
				return nil, "", "a field that should stand in quotes"
			}
			text = text[end:]
		}
		fields = append(fields, field)
		if after, ended := strings.CutPrefix(text, newline); ended {
			return fields, after, ""
		}
		if text == "" || text[0] != comma {
			return nil, "", "something behind a field"
		}
		text = text[1:]
	}
}

func csvQuoted(text string) (field, rest string, whole bool) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, `"`)
		if !found {
			return "", "", false
		}
		b.WriteString(before)
		if !strings.HasPrefix(after, `"`) {
			return b.String(), after, true
		}
		b.WriteByte('"')
		text = after[1:]
	}
}

func unguarded(field string) string {
	var b strings.Builder
	first, guarded := true, false
	for _, c := range []byte(field) {
		if first && c == '\'' && !guarded {
			guarded = true
			continue
		}
		b.WriteByte(c)
		first, guarded = strings.IndexByte(",;\"\t\r\n", c) >= 0, false
	}
	return b.String()
}
