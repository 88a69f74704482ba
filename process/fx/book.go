package fx

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kurs"
)

// Book is the rates that are known. One goroutine tells it of the messages of
// the stream "rates", in order; any number ask at the same time.
//
// Positions are sequences of that stream and begin with 1. A position that the
// book has passed is ignored, so a message that is delivered again changes
// nothing.
type Book struct {
	mu    sync.RWMutex
	state *state
	moved chan struct{} // closed when the position changes
}

// New returns a book that knows nothing, at position 0.
func New() *Book {
	return &Book{state: newState(), moved: make(chan struct{})}
}

// NewWhole returns a book that forgets nothing, for questions about rates that
// are stored: the whole of them is bounded by who tells it of them.
func NewWhole() *Book {
	b := New()
	b.state.log.whole = true
	return b
}

// Learn adds the rates of the message at pos. Rates that cannot be (without a
// value above 0, a time, or two different currencies) are left out. A rate whose
// ValidFor is set is valid for that long, whatever the policy says.
func (b *Book) Learn(pos uint64, rates []kurs.Rate) {
	b.move(pos, func(s *state) { s.learn(pos, rates) })
}

// SetPolicy puts a policy in force from the message at pos on.
func (b *Book) SetPolicy(pos uint64, p Policy) {
	b.move(pos, func(s *state) { s.setPolicy(pos, p) })
}

// Advance passes a message that says nothing about rates.
func (b *Book) Advance(pos uint64) { b.move(pos, func(*state) {}) }

// Tick passes an answer without rates: nothing but the time went on.
func (b *Book) Tick(pos uint64, received time.Time) {
	b.move(pos, func(s *state) { s.tick(pos, received) })
}

// Doubts are the rates of a message that the book did not believe when it was
// told of them, and why. They are not used.
func (b *Book) Doubts(raw kurs.RawID) []Refused {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.doubts.of[raw]
}

func (b *Book) move(pos uint64, change func(*state)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if pos <= b.state.pos {
		return
	}
	change(b.state)
	b.state.pos = pos
	b.wake()
}

// wake tells those who wait to look again. The lock is held.
func (b *Book) wake() {
	close(b.moved)
	b.moved = make(chan struct{})
}

// Pos is the position that the book has reached.
func (b *Book) Pos() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.pos
}

// Clock is the time that the stream had come to at a position: the latest reception
// of a message up to it. It is the zero time where that is not known.
func (b *Book) Clock(pos uint64) time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	at := b.state.clockAt(pos)
	if at == noTime {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}

// Floor is the oldest position that can still be asked about; 0 until something
// was forgotten.
func (b *Book) Floor() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.floor()
}

// WaitFor blocks until the book has reached pos, or ctx is done, whose error it
// returns.
func (b *Book) WaitFor(ctx context.Context, pos uint64) error {
	for {
		b.mu.RLock()
		at, moved := b.state.pos, b.moved
		b.mu.RUnlock()
		if at >= pos {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("rate book: wait for position %d, at %d: %w", pos, at, ctx.Err())
		}
	}
}

// AsOf is the rate of a pair as of a time, as known at the position upTo: see
// the package's comment. A currency to itself is always [kurs.Identity]. There
// is no answer for a position that the book has not reached, or below [Book.Floor].
//
// ValidFor of the answer is the span for which it was held valid; of a cross the
// shorter leg's. Received and Raw of a cross are of the leg learned last.
func (b *Book) AsOf(pair kurs.Pair, at time.Time, upTo uint64) (r kurs.Rate, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	ok = b.asOf(&r, pair, at, asked{since: noTime, receipt: true}, upTo)
	return r, ok
}

// AsReceived is [Book.AsOf] for a price that was received at the position: however
// old the price is, the preferred source has not had its time to tell, and none
// stands in for it yet. [Book.FirstAfter] goes on from there. Received and Raw of
// the answer are left out, which saves a look at a distant place.
func (b *Book) AsReceived(pair kurs.Pair, at time.Time, upTo uint64) (r kurs.Rate, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	ok = b.asOf(&r, pair, at, asked{since: allTime}, upTo)
	return r, ok
}

// asOf answers; the lock is held.
func (b *Book) asOf(r *kurs.Rate, pair kurs.Pair, at time.Time, how asked, upTo uint64) bool {
	if pair.From == pair.To {
		*r = kurs.Identity(pair.To)
		return pair.To != ""
	}
	t, ok := nanos(at)
	return ok && b.state.asOf(r, pair, t, how, upTo)
}

// FirstAfter is how a price that was received at the position known and found no
// rate gets one: the first position after another, which is known or a later one
// up to which it was looked for, at which there is an answer, and that answer.
// Another source stands in for the preferred one once that had [Policy.MaxAge] to
// tell, from the price's own time and from its reception on. The answer is the same
// however far the book is ahead, unless the position has sunk below [Book.Floor]:
// then the search begins there.
func (b *Book) FirstAfter(pair kurs.Pair, at time.Time, known, after uint64) (rate kurs.Rate, pos uint64, ok bool) {
	t, ok := nanos(at)
	if !ok && pair.From != pair.To {
		return kurs.Rate{}, 0, false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if pair.From == pair.To {
		return kurs.Identity(pair.To), after + 1, pair.To != "" && after < b.state.pos
	}
	return b.state.firstAfter(pair, t, known, after)
}

// Snapshot encodes the whole book at its position. It depends on what the book
// was told and on nothing else.
func (b *Book) Snapshot() ([]byte, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.state.encode()
}

// Restore makes the book what it was when the snapshot was taken: it gives the
// same answers for every position from the snapshot's floor on. An error wraps
// [kurs.ErrNewerFormat] or [kurs.ErrRejected], and leaves the book as it was.
func (b *Book) Restore(snapshot []byte) error {
	s, err := decodeState(snapshot)
	if err != nil {
		return fmt.Errorf("rate book: restore a snapshot: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state = s
	b.wake()
	return nil
}
