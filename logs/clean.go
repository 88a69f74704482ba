package logs

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is how much of one value is logged, in bytes.
const longest = 1 << 10

// clean passes lines on with nothing in them that a terminal might obey.
type clean struct{ slog.Handler }

func (h clean) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, visible(r.Message), r.PC)
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
	case slog.KindGroup:
		group := a.Value.Group()
		out := make([]slog.Attr, len(group))
		for i := range group {
			out[i] = cleaned(group[i])
		}
		a.Value = slog.GroupValue(out...)
	case slog.KindAny:
		a.Value = cleanedAny(a.Value)
	default: // numbers, times, durations, booleans
	}
	return a
}

func cleanedAny(v slog.Value) slog.Value {
	switch value := v.Any().(type) {
	case error: // several that were joined stand on lines of their own
		return slog.StringValue(visible(strings.ReplaceAll(value.Error(), "\n", "; ")))
	case number: // relayed, and checked to be one
		return v
	case fmt.Stringer:
		return slog.StringValue(visible(value.String()))
	case []string:
		return slog.StringValue(visible(strings.Join(value, " ")))
	default:
		return slog.StringValue(visible(fmt.Sprint(value)))
	}
}

// visible writes what is no letter, mark, digit, sign or space as an escape, and
// cuts what is too long.
func visible(text string) string {
	plain := len(text) <= longest
	for i := 0; plain && i < len(text); i++ {
		plain = text[i] >= ' ' && text[i] < 0x7f
	}
	if plain {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		if b.Len() >= longest {
			b.WriteString("…")
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}
