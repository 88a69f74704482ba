package logs

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how much of one value is logged, in bytes; cutMark, within it, ends
// what was longer.
const (
	longest = 1 << 10
	cutMark = "…"
)

// clean passes lines on with their times in UTC, and with nothing in them that a
// terminal might obey.
type clean struct{ slog.Handler }

func (h clean) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time.UTC(), r.Level, visible(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(cleaned(a))
		return true
	})
	return h.Handler.Handle(ctx, out)
}

func (h clean) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		out[i] = cleaned(a)
	}
	return clean{h.Handler.WithAttrs(out)}
}

func (h clean) WithGroup(name string) slog.Handler { return clean{h.Handler.WithGroup(visible(name))} }

// cleaned is an attribute whose texts are fit for a terminal.
func cleaned(a slog.Attr) slog.Attr {
	a.Key = visible(a.Key)
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(visible(a.Value.String()))
	case slog.KindTime:
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	case slog.KindGroup:
		group := a.Value.Group()
		out := make([]slog.Attr, len(group))
		for i := range group {
			out[i] = cleaned(group[i])
		}
		a.Value = slog.GroupValue(out...)
	case slog.KindAny:
		a.Value = cleanedAny(a.Value)
	default: // numbers, durations, booleans
	}
	return a
}

// cleanedAny leaves the formatting to package fmt, which survives a nil pointer
// and a panic in a value's own method.
func cleanedAny(v slog.Value) slog.Value {
	switch value := v.Any().(type) {
	case number: // relayed, and checked to be one
		return v
	case error: // several that were joined stand on lines of their own
		return slog.StringValue(visible(strings.ReplaceAll(fmt.Sprint(value), "\n", "; ")))
	case []string:
		return slog.StringValue(visible(strings.Join(value, " ")))
	default:
		return slog.StringValue(visible(fmt.Sprint(value)))
	}
}

// visible writes what is no letter, mark, digit, sign or space as an escape, and
// cuts what is longer than longest. What is visible already stays as it is, so a
// relayed line is not changed twice.
func visible(text string) string {
	if len(text) <= longest && plain(text) {
		return text
	}
	var b []byte
	fit := 0 // so much of b leaves room for the mark
	for i, r := range text {
		b = appendVisible(b, r, text[i:])
		if len(b) > longest {
			return string(b[:fit]) + cutMark
		}
		if len(b) <= longest-len(cutMark) {
			fit = len(b)
		}
	}
	return string(b)
}

// plain tells whether nothing of the text needs an escape.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return !strings.Contains(text, spelledEscape+"b")
}

// spelledEscape and a "b" are how a text spells the escape character. With
// colours on, tint turns those four letters back into the character, whoever
// wrote them; with a capital letter it does not.
const spelledEscape = `\x1`

// appendVisible appends one character; rest begins with it.
func appendVisible(b []byte, r rune, rest string) []byte {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(rest, string(utf8.RuneError)):
		return fmt.Appendf(b, `\x%02x`, rest[0])
	case r == utf8.RuneError: // where tint would end the text
		return append(b, `\ufffd`...)
	case r == 'b' && bytes.HasSuffix(b, []byte(spelledEscape)):
		return append(b, 'B')
	case unicode.IsGraphic(r):
		return utf8.AppendRune(b, r)
	case r == '\n':
		return append(b, `\n`...)
	case r == '\t':
		return append(b, `\t`...)
	case r <= 0xffff:
		return fmt.Appendf(b, `\u%04x`, r)
	default:
		return fmt.Appendf(b, `\U%08x`, r)
	}
}
