package kurs

import "time"

// A SetAside is an observation that is probably wrong. It is kept whole, with the
// reason, and is not among the prices until a person decides what it is: kurs
// neither repairs it nor throws it away.
type SetAside struct {
	Kind            AsideKind
	Price                   // of a bar: Value is its close and Time its start; of a rate: Symbol names the pair
	Interval        string  // of a bar, or of the bar that a rate was read from
	Open, High, Low Decimal // of a bar
	Reason          Reason
	Detail          string // what it was held against, for people
}

// AsideKind is what was set aside.
type AsideKind string

// The kinds of what is set aside.
const (
	AsideQuote AsideKind = "quote"
	AsideBar   AsideKind = "bar"
	AsideRate  AsideKind = "rate"
)

// Reason says why an observation was set aside.
type Reason string

// The reasons.
const (
	ReasonUnit   Reason = "unit changed"       // another unit than the instrument had
	ReasonJump   Reason = "hundredfold"        // 90 to 110 times its neighbour, or the inverse
	ReasonSign   Reason = "not above zero"     // a price that is 0 or less
	ReasonFuture Reason = "in the future"      // of its own reception
	ReasonValue  Reason = "not a number"       // no value, or one beyond what can be kept
	ReasonTime   Reason = "no time"            // a price of no time
	ReasonRate   Reason = "rate moved too far" // further than fx.max_jump from its neighbour
	ReasonBand   Reason = "outside ERM II"     // EUR/DKK outside its band
)

// A Decision is what a person says of an observation that was set aside.
type Decision struct {
	Of      SetAside
	Action  Action
	Factor  Decimal   // of keep: what its values are to be multiplied with
	Near    Neighbour // of drop, where it was kept before: what is right instead; for process alone
	Author  string
	Comment string
	Receipt
}

// Action is what is done with an observation that was set aside.
type Action string

// The actions. All leave the observation where it is, marked.
const (
	ActionKeep Action = "kept"    // it becomes a price, times the factor
	ActionDrop Action = "dropped" // it is wrong and becomes none
)

// A Correction is the value of a stored price as a person has it. No refresh
// takes its place, and what the provider said stays beside it.
type Correction struct {
	Price  // names the price by its key, and has the value; of an undone one the value is unknown
	Author string
	Reason string
	Undo   bool // what was corrected before is void
}

// An Alias says that an instrument was known under another symbol for a while:
// From is in it, Until is not; zero is without a limit. One that is Removed is void.
type Alias struct {
	Symbol      string // the name that it goes by
	Was         string // the name that its prices were received under
	From, Until time.Time
	Removed     bool
	Author      string
	Receipt
}

// SourceUser is the source of what people say: decisions, corrections, aliases.
const SourceUser = "user"
