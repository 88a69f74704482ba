package sim

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// appendString writes a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == '<' || c == '>' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // cannot be: every string can be marshalled
			}
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// appendFloat32 writes the shortest decimal that is f again, with a point:
// recorded bodies have 269.0, not 269. JSON knows no infinities.
func appendFloat32(b []byte, f float32) []byte { return appendFloat(b, float64(f), 32) }

// appendWide writes a float32 as a chart's arrays have it, widened to binary64:
// 189.95 is 189.9499969482422.
func appendWide(b []byte, f float32) []byte { return appendFloat(b, float64(f), 64) }

func appendFloat(b []byte, f float64, size int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, size)
	if slices.Contains(b[start:], '.') {
		return b
	}
	return append(b, '.', '0')
}

// appendRounded writes a chart's meta price.
func appendRounded(b []byte, f float64, decimals int) []byte {
	scale := math.Pow10(decimals)
	return appendFloat(b, math.Round(f*scale)/scale, 64)
}

// object writes the fields of one JSON object.
type object struct {
	b         []byte
	only      map[string]bool // the fields that were asked for; nil: all
	formatted bool            // numbers as {"raw":1.5,"fmt":"1.50"}
	hint      int
}

func (o *object) begin() { o.b = append(o.b, '{') }
func (o *object) end()   { o.b = append(o.b, '}') }

// key begins a field, unless it was not asked for.
func (o *object) key(name string) bool {
	if o.only != nil && !o.only[name] {
		return false
	}
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
	return true
}

func (o *object) text(name, v string) {
	if o.key(name) {
		o.b = appendString(o.b, v)
	}
}

func (o *object) raw(name, v string) {
	if o.key(name) {
		o.b = append(o.b, v...)
	}
}

func (o *object) boolean(name string, v bool) {
	if o.key(name) {
		o.b = strconv.AppendBool(o.b, v)
	}
}

// plain is a whole number that is never formatted.
func (o *object) plain(name string, v int64) {
	if o.key(name) {
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

// amount is a price or something of its size.
func (o *object) amount(name string, f float32) {
	if !o.key(name) {
		return
	}
	if !o.formatted {
		o.b = appendFloat32(o.b, f)
		return
	}
	o.b = appendFloat32(append(o.b, `{"raw":`...), f)
	o.b = append(append(o.b, `,"fmt":"`...), grouped(strconv.FormatFloat(float64(f), 'f', o.hint, 64))...)
	o.b = append(o.b, '"', '}')
}

// percent is a number that is already in percent.
func (o *object) percent(name string, f float32) { o.share(name, f, f) }

// fraction is a share of one, which pages show in percent.
func (o *object) fraction(name string, f float32) { o.share(name, f, f*100) }

func (o *object) share(name string, f, shown float32) {
	if !o.key(name) {
		return
	}
	if !o.formatted {
		o.b = appendFloat32(o.b, f)
		return
	}
	o.b = appendFloat32(append(o.b, `{"raw":`...), f)
	o.b = strconv.AppendFloat(append(o.b, `,"fmt":"`...), float64(shown), 'f', 2, 32)
	o.b = append(o.b, `%"}`...)
}

// count is a whole number that pages shorten: 43332154 is 43.332M.
func (o *object) count(name string, v int64) {
	if !o.key(name) {
		return
	}
	if !o.formatted {
		o.b = strconv.AppendInt(o.b, v, 10)
		return
	}
	o.b = strconv.AppendInt(append(o.b, `{"raw":`...), v, 10)
	o.b = append(append(o.b, `,"fmt":"`...), shortened(v)...)
	o.b = append(append(o.b, `","longFmt":"`...), grouped(strconv.FormatInt(v, 10))...)
	o.b = append(o.b, '"', '}')
}

// stamp is a time in Unix seconds, shown as the given text.
func (o *object) stamp(name string, t int64, shown func(int64) string) {
	if !o.key(name) {
		return
	}
	if !o.formatted {
		o.b = strconv.AppendInt(o.b, t, 10)
		return
	}
	o.b = strconv.AppendInt(append(o.b, `{"raw":`...), t, 10)
	o.b = append(append(o.b, `,"fmt":"`...), shown(t)...)
	o.b = append(o.b, '"', '}')
}

func shortened(v int64) string {
	for _, s := range []struct {
		size   int64
		letter string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e4, "k"}} {
		if v >= s.size {
			size := float64(s.size)
			if s.size == 1e4 {
				size = 1e3
			}
			return strconv.FormatFloat(float64(v)/size, 'f', 3, 64) + s.letter
		}
	}
	return grouped(strconv.FormatInt(v, 10))
}

// grouped puts commas between thousands.
func grouped(s string) string {
	end := len(s)
	for i := range len(s) {
		if s[i] == '.' {
			end = i
			break
		}
	}
	first := 0
	if s != "" && s[0] == '-' {
		first = 1
	}
	out := make([]byte, 0, len(s)+4)
	for i := range len(s) {
		if i > first && i < end && (end-i)%3 == 0 {
			out = append(out, ',')
		}
		out = append(out, s[i])
	}
	return string(out)
}
