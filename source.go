package kurs

import "context"

// A Source asks one provider and hands on each answer as received. Run returns
// nil when there is no more to ask (a bounded run), or when ctx is done; any
// other return is a failure, after which it may be run again. It has waited for
// its goroutines when it returns.
type Source interface {
	Run(ctx context.Context, emit Emit) error
}

// Emit takes over a raw message whose ID, Source and FX position the receiver
// fills in. It returns nil once the message is safe on disk, and blocks while
// the queue is full: that is all the back-pressure a source needs to know of.
// It fails only when ctx is done. The body may not be changed afterwards.
//
// An answer that carries rates (currency pairs only) is emitted with
// CarriesRates, and then kept so that every worker's rate book learns it.
type Emit func(ctx context.Context, raw Raw, kind RawKind) error

// RawKind tells answers that carry rates from those that do not.
type RawKind int

// The kinds of raw messages.
const (
	CarriesPrices RawKind = iota
	CarriesRates
)

// Decode turns a raw message into what it says. It is pure: any process decodes
// what any other acquired, today or from an archive. An answer that is not the
// source's is an error; an error that the source answered is in
// Observed.Failure.
type Decode func(Raw) (Observed, error)
