package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// HledgerName is the commodity of a symbol in a journal: in double quotes, unless
// it has letters alone. What cannot stand in quotes (quotes, semicolons, control
// characters, all beyond ASCII) is % and two hex digits, and so is % itself: two
// symbols never share a name.
func HledgerName(symbol string) string {
	var b strings.Builder
	letters := symbol != ""
	for i := range len(symbol) {
		c := symbol[i]
		if c < ' ' || c > '~' || c == '"' || c == ';' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
			letters = false
			continue
		}
		letters = letters && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z')
		b.WriteByte(c)
	}
	if letters {
		return b.String()
	}
	return `"` + b.String() + `"`
}

// Commodities of beancount: capitals, digits and '._- between a capital and a
// capital or digit, 2 to 24 of them; three words mean something else.
var (
	commodity = regexp.MustCompile(`^[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]$`)
	reserved  = map[string]bool{"TRUE": true, "FALSE": true, "NULL": true}
)

// own begins every name that is not the symbol itself.
const (
	own         = "X-"
	longestName = 24
	hashDigits  = 12
)

// BeancountName is the commodity of a symbol: the symbol itself where beancount
// allows it, which is so for NOVO-B.CO and BTC-USD. Else "X-" and the symbol, in
// which everything but A-Z, 0-9, "." and "-" is "_" and two hex digits: 7203.T is
// X-7203.T, ^GSPC is X-_5EGSPC. What is longer than 24 characters is cut, with the
// first digits of its SHA-256 at the end. A name depends on the symbol alone, and
// two symbols never share one: those that begin with X- are treated so too.
func BeancountName(symbol string) string {
	if commodity.MatchString(symbol) && !reserved[symbol] && !strings.HasPrefix(symbol, own) {
		return symbol
	}
	var b strings.Builder
	b.WriteString(own)
	for i := range len(symbol) {
		c := symbol[i]
		last := i == len(symbol)-1
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || !last && (c == '.' || c == '-') {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02X", c)
	}
	name := b.String()
	if len(name) <= longestName && len(name) > len(own) {
		return name
	}
	sum := sha256.Sum256([]byte(symbol))
	hash := strings.ToUpper(hex.EncodeToString(sum[:]))[:hashDigits]
	kept := name[:min(len(name), longestName-hashDigits-2)]
	// "__" is in no other name: an escape is followed by a hex digit.
	return kept + "__" + hash
}
