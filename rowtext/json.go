package rowtext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"kurs"
)

// JSON writes a price as one line of JSON, with its end. Nothing in it can be
// taken for a command by a terminal.
func JSON(out *bytes.Buffer, row *kurs.Row) error { return encode(out, row) }

// JSONFill writes a fill likewise.
func JSONFill(out *bytes.Buffer, fill *Fill) error { return encode(out, fill) }

func encode(out *bytes.Buffer, v any) error {
	begin := out.Len()
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		out.Truncate(begin)
		return err
	}
	if line := out.Bytes()[begin:]; !plain(line) {
		line = bytes.Clone(line)
		out.Truncate(begin)
		appendVisible(out, line)
	}
	return nil
}

// plain tells whether a line has nothing but ASCII in it. Control characters of
// that, encoding/json escapes, but for the last of all.
func plain(line []byte) bool {
	for _, c := range line {
		if c > '~' {
			return false
		}
	}
	return true
}

// appendVisible writes a line of JSON with every character that a terminal might
// obey, or that changes the direction of writing, as an escape. encoding/json
// does so for those below a space only.
func appendVisible(out *bytes.Buffer, line []byte) {
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case r == '\n' || unicode.IsGraphic(r):
			out.Write(line[:size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(out, `\u%04x`, r)
		}
		line = line[size:]
	}
}
