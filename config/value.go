package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationUnits are the units of a duration, longest name first where one is the
// beginning of another. There is no month and no year: neither has a length.
var durationUnits = []struct {
	name   string
	length time.Duration
}{
	{"ms", time.Millisecond},
	{"s", time.Second},
	{"m", time.Minute},
	{"h", time.Hour},
	{"d", 24 * time.Hour},
}

// sizeUnits are the units of a size: binary ones (MiB) and decimal ones (MB).
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
}

var (
	errDuration      = errors.New(`not a duration: write "500ms", "15s", "10m", "24h" or "7d"`)
	errDurationRange = errors.New("longer than 292 years")
	errSize          = errors.New(`not a size: write "512MB", "64MiB" or "2GiB"`)
	errSizeRange     = errors.New("larger than 8 EiB")
)

// ParseDuration reads whole numbers with units, "15s", "1h30m" or "7d"; "0"
// needs none. Units are ms, s, m, h and d, a day being 24 hours.
func ParseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	rest, sum := text, time.Duration(0)
	for rest != "" {
		n, after, err := leadingNumber(rest)
		if errors.Is(err, strconv.ErrRange) {
			return 0, errDurationRange
		}
		if err != nil {
			return 0, errDuration
		}
		length, after, ok := leadingDurationUnit(after)
		if !ok {
			return 0, errDuration
		}
		if n > int64((math.MaxInt64-sum)/length) {
			return 0, errDurationRange
		}
		sum += time.Duration(n) * length
		rest = after
	}
	if text == "" {
		return 0, errDuration
	}
	return sum, nil
}

func leadingDurationUnit(text string) (length time.Duration, rest string, ok bool) {
	for _, u := range durationUnits {
		if after, found := strings.CutPrefix(text, u.name); found {
			return u.length, after, true
		}
	}
	return 0, text, false
}

// FormatDuration writes d in the largest unit that leaves no rest: "90s", "24h".
// Days begin where hours become hard to read, at a week. Anything below a
// millisecond is dropped.
func FormatDuration(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	for i := len(durationUnits) - 1; i > 0; i-- {
		u := durationUnits[i]
		if d%u.length == 0 && (u.name != "d" || d >= 7*u.length) {
			return strconv.FormatInt(int64(d/u.length), 10) + u.name
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// ParseSize reads a whole number of bytes with a unit: "64MiB" is 64 x 2^20,
// "512MB" is 512 x 10^6; "0" needs none. Letter case is ignored, a space before
// the unit is not.
func ParseSize(text string) (int64, error) {
	if text == "0" {
		return 0, nil
	}
	n, unit, err := leadingNumber(text)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errSizeRange
	}
	if err != nil {
		return 0, errSize
	}
	for _, u := range sizeUnits {
		if !strings.EqualFold(unit, u.name) {
			continue
		}
		if n > math.MaxInt64/u.bytes {
			return 0, errSizeRange
		}
		return n * u.bytes, nil
	}
	return 0, errSize
}

// leadingNumber splits the digits at the beginning of text from the rest.
func leadingNumber(text string) (n int64, rest string, err error) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err = strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0, text, fmt.Errorf("number: %w", err)
	}
	return n, text[end:], nil
}

// parseInt reads a whole number in any form that TOML allows: 1_000, 0xFF, +5.
// A number with a leading zero is refused as TOML does, not read as octal.
func parseInt(text string) (int, error) {
	if len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return 0, errors.New("a number with a leading zero")
	}
	n, err := strconv.ParseInt(text, 0, 32)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("a number too large")
	case err != nil:
		return 0, errors.New("not a whole number")
	}
	return int(n), nil
}

// splitList reads a list as it stands in the environment and in a flag: parts
// between commas, spaces around them ignored. An empty text is an empty list.
func splitList(text string) []string {
	if strings.TrimSpace(text) == "" {
		return []string{}
	}
	parts := strings.Split(text, ",")
	for i, p := range parts {
		parts[i] = strings.TrimSpace(p)
	}
	return parts
}

// quote writes text as a basic string of TOML, which knows fewer escapes than Go.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7F:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
