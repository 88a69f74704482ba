package config

import (
	"log/slog"
	"regexp"
	"strings"
)

// Secret is a text that may hold a password. It is the text itself in JSON, by which
// the stage processes get it; printed and logged the password is hidden.
type Secret string

// String hides the password.
func (s Secret) String() string { return withoutPassword(string(s)) }

// LogValue hides the password in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// GoString hides the password from %#v.
func (s Secret) GoString() string { return s.String() }

const hidden = "****"

// The places of a password: an address has it behind the user, to the last "@"; words
// and parameters have it behind a name that ends in "password".
var (
	passwordOfUser = regexp.MustCompile(`(://[^:/?#\s]*):.*@`)
	passwordByName = regexp.MustCompile(`(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s&]+)`)
)

func withoutPassword(text string) string {
	text = passwordOfUser.ReplaceAllString(text, "${1}:"+hidden+"@")
	return passwordByName.ReplaceAllString(text, "${1}"+hidden)
}

// valueOfSecret is the value of a key that may hold a password, in a line that need
// not be TOML.
var valueOfSecret = func() *regexp.Regexp {
	var names []string
	for _, k := range keys {
		if k.secret() {
			names = append(names, regexp.QuoteMeta(k.Name()))
		}
	}
	return regexp.MustCompile(`(\b(?:` + strings.Join(names, "|") + `)\b["']?\s*=\s*).+`)
}()

// withoutSecret hides the passwords in a line of the file. Where it sets a key that
// may hold one, all behind that is hidden: a mistake on the line may be why the
// password cannot be told from the rest.
func withoutSecret(line string) string {
	return withoutPassword(valueOfSecret.ReplaceAllString(line, "${1}"+hidden))
}
