package kurs

import "strings"

// Token encodes a name (a symbol, a source, a store) so that it may become one
// part of a broker subject, a file name or a metric label. Letters A-Z, digits
// and '-' stand for themselves; every other byte, lower case included, is "_"
// and two hex digits: "NOVO-B.CO" becomes "NOVO-B_2ECO". The encoding is
// injective, never empty, never a wildcard, safe on file systems that ignore
// case, and a name that Windows reserves (CON, NUL) is encoded throughout.
//
// A token is only a route or a label: the name inside the message is the truth.
func Token(name string) string {
	if name == "" {
		return "_"
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	all := reservedName(name)
	for i := range len(name) {
		c := name[i]
		if !all && (c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('_')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// reservedName tells whether Windows would open a device instead of a file.
func reservedName(name string) bool {
	switch name {
	case "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(name) == 4 && (name[:3] == "COM" || name[:3] == "LPT") && name[3] >= '0' && name[3] <= '9'
}
