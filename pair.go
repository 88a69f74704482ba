package kurs

import "strings"

// A Pair is two currencies: a rate of the pair says what one From is in To.
type Pair struct{ From, To string }

// String is the pair as people write it: "USDDKK".
func (p Pair) String() string { return p.From + p.To }

// Inverse is the same pair the other way round.
func (p Pair) Inverse() Pair { return Pair{From: p.To, To: p.From} }

// Symbol is Yahoo's name of the pair. Yahoo knows pairs from USD under a short
// name only, "DKK=X": asked for "USDDKK=X" it answers with the short one, and
// its stream never sends a frame for the long one.
func (p Pair) Symbol() string {
	if p.From == "USD" {
		return p.To + "=X"
	}
	return p.From + p.To + "=X"
}

// ParsePair reads Yahoo's name of a currency pair, short or long: "DKK=X" and
// "USDDKK=X" are the same pair.
func ParsePair(symbol string) (Pair, bool) {
	name, ok := strings.CutSuffix(symbol, "=X")
	if !ok {
		return Pair{}, false
	}
	var p Pair
	switch len(name) {
	case 3:
		p = Pair{From: "USD", To: name}
	case 6:
		p = Pair{From: name[:3], To: name[3:]}
	default:
		return Pair{}, false
	}
	return p, LooksLikeCurrency(p.From) && LooksLikeCurrency(p.To) && p.From != p.To
}

// CanonicalSymbol is the one name of an instrument: upper case, and for
// currency pairs the short form where Yahoo has one.
func CanonicalSymbol(symbol string) string {
	symbol = strings.ToUpper(strings.TrimSpace(symbol))
	if p, ok := ParsePair(symbol); ok {
		return p.Symbol()
	}
	return symbol
}
