package kurs

import (
	"fmt"
	"time"
)

// Observed is all that one raw message says, decoded and normalised, in the
// order in which the answer said it.
type Observed struct {
	Quotes      []Quote
	Bars        []Bar
	Events      []Event
	Instruments []Instrument
	Hours       []Hours
	Found       []SearchHit // what a search answered
	Rates       []Rate      // of a source that tells nothing else; without receipts
	Spoiled     []SetAside  // prices that are there and no numbers (NaN); without receipts
	Decisions   []Decision  // by people, as are the two below; without receipts of their own
	Corrections []Correction
	Aliases     []Alias
	Failure     *ProviderError // the answer was an error, in the provider's own words
}

// Hours are those of the trading day that an exchange is in, or of the next one
// while it is closed, as told with one of its instruments. A span without time
// in it is a session that the exchange does not have.
type Hours struct {
	Symbol, Exchange   string
	Pre, Regular, Post Span
}

// Span is a stretch of time, in UTC: From is in it, To is not.
type Span struct{ From, To time.Time }

// Empty tells that there is no time in the span.
func (s Span) Empty() bool { return !s.From.Before(s.To) }

// Holds tells whether a time is in the span.
func (s Span) Holds(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

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
