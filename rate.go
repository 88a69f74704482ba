package kurs

import (
	"strings"
	"time"
)

// A Rate says what one unit of From was worth in To, at Time.
type Rate struct {
	Pair
	Value    Decimal   // rounded to 15 significant digits
	Time     time.Time // UTC, event time; a bar is a rate as of its end, a cross as of its older leg
	Source   string    // "yahoo"; with its legs where it was not quoted: "yahoo inverse", "yahoo via EUR"
	Symbol   string    // the provider's name of the pair; empty for a rate that was computed
	Interval string    // of the bar that it was read from; empty for a quoted rate
	ValidFor time.Duration
	Received time.Time
	Raw      RawID
	Kept     bool   // a person decided so: it is not checked against its neighbours
	Legs     [2]Leg // what it was computed from: one where a pair was read the other way round, two of a cross
}

// A Leg is a rate, as it was quoted, that another was computed from.
type Leg struct {
	Pair
	Value   Decimal // of the pair as it was quoted
	Time    time.Time
	Inverse bool // it was read the other way round
}

// Known tells whether there is a leg.
func (l Leg) Known() bool { return l.Value.Known() }

// Known tells whether there is a rate at all.
func (r Rate) Known() bool { return r.Value.Known() }

// Provider is the source that quoted the rate, or its legs.
func (r Rate) Provider() string {
	name, _, _ := strings.Cut(r.Source, " ")
	return name
}

// Identity is the rate of a currency to itself: nothing to look up.
func Identity(currency string) Rate {
	return Rate{Pair: Pair{From: currency, To: currency}, Value: Int(1)}
}

// IsIdentity tells whether nothing was converted.
func (r Rate) IsIdentity() bool { return r.From == r.To && r.Known() }
