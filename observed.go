package kurs

import "fmt"

// Observed is all that one raw message says, decoded and normalised, in the
// order in which the answer said it.
type Observed struct {
	Quotes      []Quote
	Bars        []Bar
	Events      []Event
	Instruments []Instrument
	Found       []SearchHit    // what a search answered
	Failure     *ProviderError // the answer was an error, in the provider's own words
}

// SearchHit is one instrument that a search found. The provider does not say
// its currency.
type SearchHit struct {
	Symbol   string
	Name     string
	Exchange string
	Kind     InstrumentKind
}

// ErrorKind sorts a provider's errors by what to do about them.
type ErrorKind string

// The kinds of provider errors.
const (
	ErrorNotFound     ErrorKind = "not_found"    // the provider does not know the symbol, or has no data for the time
	ErrorRateLimit    ErrorKind = "rate_limit"   // ask less
	ErrorUnauthorized ErrorKind = "unauthorized" // the session is not accepted
	ErrorOther        ErrorKind = "other"
)

// ProviderError is an error that the provider answered with. Its words are
// quoted, never guessed at.
type ProviderError struct {
	Kind        ErrorKind
	Code        string // "Not Found"
	Description string // "No data found, symbol may be delisted"
	Symbols     []string
}

// Error quotes the provider.
func (e *ProviderError) Error() string {
	switch {
	case e.Code == "":
		return fmt.Sprintf("%q", e.Description)
	case e.Description == "":
		return fmt.Sprintf("%q", e.Code)
	}
	return fmt.Sprintf("%q (%s)", e.Description, e.Code)
}
