package postgres

import "strings"

// PostgreSQL keeps every text but one: a byte 0 cannot be in it. Names come from
// providers and files, so one may have it. It is then written as the picture of that
// byte and a digit, "␀0", and the picture itself twice: what is read back is what
// was sent, and no two texts become one.

const picture = "␀"

var (
	escaper   = strings.NewReplacer("\x00", picture+"0", picture, picture+picture)
	unescaper = strings.NewReplacer(picture+"0", "\x00", picture+picture, picture)
)

func escape(s string) string {
	if !strings.ContainsAny(s, "\x00"+picture) {
		return s
	}
	return escaper.Replace(s)
}

func unescape(s string) string { return unescaper.Replace(s) }
