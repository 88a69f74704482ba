package wire

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// maxDepth is how deeply an answer may be nested. Yahoo's deepest, a chart with
// trading periods, has 9 levels; recursion stays bounded whatever is sent.
const maxDepth = 64

// reader reads one JSON document from front to back and builds no tree: what
// nobody asks for is stepped over, what is asked for is a slice of the body.
//
// It is written for Yahoo's answers rather than taken from a library because
// they are not always JSON (unquoted Infinity and NaN occur in arrays), because
// an error must tell the position, and because a tree of a large hostile answer
// would take many times its size in memory.
//
// It accepts every document of RFC 8259 up to maxDepth and, besides, Infinity,
// -Infinity and NaN as numbers that are not known, and control characters in
// strings. The first mistake sticks: from then on every loop ends and every
// value is unknown, so that callers check once, at the end.
type reader struct {
	b     []byte
	i     int // the next byte
	depth int
	msg   string // what is wrong; empty while nothing is
	at    int    // where
}

func (r *reader) reset(body []byte) { *r = reader{b: body} }

func (r *reader) failed() bool { return r.msg != "" }

func (r *reader) fail(at int, msg string) {
	if r.msg == "" {
		r.msg, r.at = msg, at
	}
	r.i = len(r.b)
}

// space steps over white space.
func (r *reader) space() {
	for r.i < len(r.b) {
		switch r.b[r.i] {
		case ' ', '\n', '\r', '\t':
			r.i++
		default:
			return
		}
	}
}

// next steps over white space and returns the byte behind it, which it does not
// consume; 0 at the end.
func (r *reader) next() byte {
	if r.i < len(r.b) && r.b[r.i] > ' ' {
		return r.b[r.i]
	}
	r.space()
	if r.i == len(r.b) {
		return 0
	}
	return r.b[r.i]
}

// end makes anything behind the document a mistake.
func (r *reader) end() {
	if r.next() != 0 || r.i < len(r.b) {
		r.fail(r.i, "something follows the end of the answer")
	}
}

// members iterates over the object that comes next and yields each raw key. The
// loop's body reads the value or leaves it, then it is stepped over. Anything
// but an object is stepped over and has no members. After a loop that was left
// early the reader is of no more use.
func (r *reader) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if r.next() != '{' {
			r.skip()
			return
		}
		if !r.enter() {
			return
		}
		if r.next() == '}' {
			r.leave()
			return
		}
		for {
			key := r.key()
			if r.failed() {
				return
			}
			value := r.i
			if !yield(key) {
				return
			}
			if r.i == value {
				r.skip()
			}
			if !r.another('}', `"," or "}" expected`) {
				return
			}
		}
	}
}

// elements iterates over the array that comes next, under the same rules as
// members, and yields each element's index.
func (r *reader) elements() iter.Seq[int] {
	return func(yield func(int) bool) {
		if r.next() != '[' {
			r.skip()
			return
		}
		if !r.enter() {
			return
		}
		if r.next() == ']' {
			r.leave()
			return
		}
		for n := 0; ; n++ {
			r.next()
			value := r.i
			if !yield(n) {
				return
			}
			if r.i == value {
				r.skip()
			}
			if !r.another(']', `"," or "]" expected`) {
				return
			}
		}
	}
}

func (r *reader) enter() bool {
	if r.depth == maxDepth {
		r.fail(r.i, "nested deeper than 64 levels")
		return false
	}
	r.depth++
	r.i++
	return true
}

func (r *reader) leave() {
	r.depth--
	r.i++
}

// another steps over the comma behind an element; false at the closing bracket,
// which it consumes, and after a mistake.
func (r *reader) another(closing byte, msg string) bool {
	if r.failed() {
		return false
	}
	switch r.next() {
	case ',':
		r.i++
		return true
	case closing:
		r.leave()
		return false
	}
	r.unexpected(msg)
	return false
}

// key reads a member's name and the colon, up to the first byte of its value.
func (r *reader) key() []byte {
	if r.next() != '"' {
		r.unexpected("a member's name in quotes expected")
		return nil
	}
	key := r.str()
	if r.failed() {
		return nil
	}
	if r.next() != ':' {
		r.unexpected(`":" expected`)
		return nil
	}
	r.i++
	r.next()
	return key
}

func (r *reader) unexpected(msg string) {
	if r.i == len(r.b) {
		msg = "the answer is cut off"
	}
	r.fail(r.i, msg)
}

// skip steps over one value.
func (r *reader) skip() {
	switch c := r.next(); c {
	case '{':
		for range r.members() {
			continue // members steps over what is left
		}
	case '[':
		for range r.elements() {
			continue
		}
	case '"':
		r.str()
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.number()
	}
}

func (r *reader) word(w string) {
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		r.unexpected("a value expected")
		return
	}
	r.i += len(w)
}

// str reads the string that comes next, whose opening quote has been seen, and
// returns what is between the quotes as it was sent.
func (r *reader) str() []byte {
	start := r.i + 1
	for from := start; ; {
		n := bytes.IndexByte(r.b[from:], '"')
		if n < 0 {
			r.fail(len(r.b), "the answer is cut off inside a string")
			return nil
		}
		end := from + n
		escapes := 0
		for i := end; i > start && r.b[i-1] == '\\'; i-- {
			escapes++
		}
		if escapes%2 == 0 {
			r.i = end + 1
			return r.b[start:end]
		}
		from = end + 1
	}
}

// number reads the number that comes next and returns its token; nil for
// Infinity, NaN and after a mistake.
func (r *reader) number() []byte {
	b, i := r.b, r.i
	if i < len(b) && b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	case i < len(b) && b[i] >= '1' && b[i] <= '9':
		i = digits(b, i)
	case i < len(b) && b[i] == 'I':
		from := r.i
		r.i = i
		r.word("Infinity")
		return b[from:min(r.i, len(b))]
	case i < len(b) && b[i] == 'N':
		r.word("NaN")
		return nil
	default:
		r.unexpected("a value expected")
		return nil
	}
	if i < len(b) && b[i] == '.' {
		if i = r.digits(i + 1); i < 0 {
			return nil
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if i = r.digits(i); i < 0 {
			return nil
		}
	}
	token := b[r.i:i]
	r.i = i
	return token
}

// digits steps over at least one digit; -1 after a mistake.
func (r *reader) digits(i int) int {
	end := digits(r.b, i)
	if end == i {
		r.i = i
		r.unexpected("a digit expected")
		return -1
	}
	return end
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	return i
}

// token reads a number in either of Yahoo's forms, 1.5 and {"raw":1.5,
// "fmt":"1.50"}, and returns its token. What is no number (null, {}, a text) is
// stepped over: nil, not known.
func (r *reader) token() []byte {
	switch c := r.next(); {
	case c == '-' || c >= '0' && c <= '9': // -Infinity too
		return r.number()
	case c == '{':
		var raw []byte
		for key := range r.members() {
			if string(key) == "raw" && raw == nil {
				if n := r.next(); n == '-' || n >= '0' && n <= '9' {
					raw = r.number()
				}
			}
		}
		return raw
	case c == 'N' || c == 'I': // NaN, Infinity: no JSON, but sent
		from := r.i
		r.skip()
		return r.b[from:r.i]
	default:
		r.skip()
		return nil
	}
}

// text reads a string; empty for any other value. The bytes are those of the
// body: copy, do not keep.
func (r *reader) text() []byte {
	if r.next() != '"' {
		r.skip()
		return nil
	}
	at := r.i
	return r.unescape(r.str(), at)
}

// unescape turns a string as sent into its text.
func (r *reader) unescape(raw []byte, at int) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return validUTF8(raw)
	}
	quoted := append(append([]byte{'"'}, raw...), '"')
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		r.fail(at, "a text with an escape that is not JSON")
		return nil
	}
	return []byte(s)
}

// validUTF8 replaces what is not UTF-8 by U+FFFD: no message of kurs could carry it.
func validUTF8(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	return bytes.ToValidUTF8(b, []byte("\uFFFD"))
}

// position is where a person finds a byte: line and column count from 1, the
// column in bytes.
func position(body []byte, at int) (line, column int) {
	before := body[:min(at, len(body))]
	return bytes.Count(before, []byte{'\n'}) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
