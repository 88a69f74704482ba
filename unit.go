package kurs

import "strings"

// minorUnits are the units that Yahoo quotes in and that are no currencies:
// what one of them is in its ISO 4217 currency. Letter case decides: GBp is
// pence, GBP is pounds, and both occur in London. Source: yfinance
// scrapers/history.py and recorded answers; GBX is the same unit under the name
// that other tools give it.
var minorUnits = map[string]struct {
	currency string
	factor   Decimal
}{
	"GBp": {"GBP", MustDecimal("0.01")},
	"GBX": {"GBP", MustDecimal("0.01")},
	"ZAc": {"ZAR", MustDecimal("0.01")},
	"ILA": {"ILS", MustDecimal("0.01")},
	"KWF": {"KWD", MustDecimal("0.001")},
}

// CurrencyOf resolves a unit as quoted ("GBp") into its ISO 4217 currency
// ("GBP") and the factor that turns one into the other (0.01). A unit that is
// itself a currency has factor 1. ok is false for what cannot be either, such
// as an empty unit; then nothing can be converted.
func CurrencyOf(unit string) (currency string, factor Decimal, ok bool) {
	if m, found := minorUnits[unit]; found {
		return m.currency, m.factor, true
	}
	if !LooksLikeCurrency(unit) {
		return "", Decimal{}, false
	}
	return unit, Int(1), true
}

// LooksLikeCurrency tells whether s has the form of an ISO 4217 code: three
// capital letters.
func LooksLikeCurrency(s string) bool {
	return len(s) == 3 && strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}
