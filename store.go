package kurs

import (
	"context"
	"errors"
)

// A Store keeps prices. Stores are written to by one writer at a time, in the
// order of the queue.
type Store interface {
	// Write keeps all batches of the group and its position in one transaction,
	// or nothing of it. Writing what is there already changes nothing, so it may
	// always be called again. It returns nil only when all is on disk.
	//
	// An error that wraps ErrRejected says that the content was refused and that
	// trying again cannot mend it; any other is an outage (locked, full, down),
	// during which the group is kept and tried again.
	Write(ctx context.Context, group Group) error

	// Position is how far the store has come in the queue: the position that the
	// last committed group carried, or the zero value when it is new.
	Position(ctx context.Context) (StreamPos, error)

	// Close releases the store. Nothing committed depends on it.
	Close() error
}

// Group is what a store writes in one transaction.
type Group struct {
	Batches  []Batch
	Position StreamPos // of the last batch, in the queue
}

// Rows is how many rows the group becomes at most.
func (g Group) Rows() int {
	n := 0
	for _, b := range g.Batches {
		n += b.Rows()
	}
	return n
}

// Errors that stores and decoders answer with. They are protocol: what is to be
// done next depends on them.
var (
	// ErrRejected: the content cannot be kept or understood, now or later. The
	// message becomes a dead letter.
	ErrRejected = errors.New("rejected")

	// ErrBaseCurrency: the data directory belongs to another base currency.
	ErrBaseCurrency = errors.New("another base currency")

	// ErrNewerFormat: the data was written by a newer kurs.
	ErrNewerFormat = errors.New("written by a newer kurs")
)
