package fx

import (
	"math"
	"slices"
	"sort"
	"time"

	"kurs"
)

// log is the messages that brought rates, numbered from 1 in their order. The
// numbers stand for messages everywhere in the book.
type log struct {
	first    uint32 // number of messages[0]
	messages []message
	old      map[uint32]message // earlier ones that a rate still refers to
	runs     table[run]
	swept    int64  // clock of the last sweep
	sweptTo  uint32 // and its last message
	whole    bool   // nothing is ever forgotten
}

// message is one of the stream's, or a part of it with its own receipt.
type message struct {
	pos      uint64
	received int64 // Unix nanoseconds
	clock    int64 // the latest reception so far
	counter  uint64
	run      uint32
	cut      uint32 // what was superseded before this message was forgotten when this one came
}

// run is a RawID without its counter.
type run struct{ source, run string }

func newLog() log { return log{first: 1, old: map[uint32]message{}} }

func (l *log) last() uint32 { return l.first + uint32(len(l.messages)) - 1 } //nolint:gosec // 2^32 messages are 8,000 years of a minute each

func (l *log) at(number uint32) *message { return &l.messages[number-l.first] }

// receipt says in a rate by which message it was learned.
func (l *log) receipt(number uint32, of *kurs.Rate) {
	if number == 0 { // of a fixed rate
		return
	}
	m := l.find(number)
	r := &l.runs.values[m.run]
	of.Received, of.Raw = time.Unix(0, m.received).UTC(), kurs.RawID{Source: r.source, Run: r.run, Counter: m.counter}
}

func (l *log) find(number uint32) message {
	if number >= l.first {
		return *l.at(number)
	}
	return l.old[number]
}

// has tells whether find knows a message.
func (l *log) has(number int64) bool {
	if number >= int64(l.first) {
		return number <= int64(l.last())
	}
	_, ok := l.old[uint32(number)] //nolint:gosec // below first, and a negative one wraps to what is not in old
	return ok && number > 0
}

// append adds a message and returns its number and its cut.
func (l *log) append(pos uint64, received int64, id kurs.RawID) (number, cut uint32) {
	m := message{
		pos: pos, received: received, clock: received, cut: l.first,
		run: l.runs.index(run{source: id.Source, run: id.Run}), counter: id.Counter,
	}
	if n := len(l.messages); n > 0 {
		before := l.messages[n-1]
		m.clock, m.cut = max(m.clock, before.clock), before.cut
	}
	l.messages = append(l.messages, m)
	number = l.last()
	for !l.whole && m.cut < number && (l.at(m.cut).clock < m.clock-int64(Horizon) || number-m.cut > maxMessages) {
		m.cut++
	}
	l.at(number).cut = m.cut
	return number, m.cut
}

// ticks is how much later than the one before a message is noted for its time
// alone.
const ticks = int64(time.Minute)

// ticked tells whether the last message moved the clock on.
func (l *log) ticked() bool {
	n := len(l.messages)
	return n == 1 || l.messages[n-1].clock-l.messages[n-2].clock >= ticks
}

// clock is the latest reception up to a message.
func (l *log) clock(number uint32) int64 {
	if number < l.first || len(l.messages) == 0 {
		return math.MinInt64
	}
	return l.at(number).clock
}

// reaches is the position of the first message at which the clock is at least at
// a time.
func (l *log) reaches(at int64) (pos uint64, ok bool) {
	i := sort.Search(len(l.messages), func(i int) bool { return l.messages[i].clock >= at })
	if i == len(l.messages) {
		return 0, false
	}
	return l.messages[i].pos, true
}

// undo takes back the last append.
func (l *log) undo() { l.messages = l.messages[:len(l.messages)-1] }

// floorNumber is the first message at which questions can be answered: the cut
// of the last one. What the questions there can see is kept.
func (l *log) floorNumber() uint32 {
	if len(l.messages) == 0 {
		return l.first
	}
	return l.messages[len(l.messages)-1].cut
}

func (l *log) floor() uint64 {
	if number := l.floorNumber(); number > 1 {
		return l.at(number).pos
	}
	return 0
}

// seen is the last message at or before a position and what was forgotten then;
// ok is false when the position is below the floor.
func (l *log) seen(upTo uint64) (last, cut uint32, ok bool) {
	n := len(l.messages)
	if n == 0 {
		return 0, 0, true
	}
	if m := &l.messages[n-1]; m.pos <= upTo {
		return l.last(), m.cut, true
	}
	n = sort.Search(n, func(i int) bool { return l.messages[i].pos > upTo })
	floor := l.floorNumber()
	if number := l.first + uint32(n); number > floor { //nolint:gosec // see last
		m := l.at(number - 1)
		return number - 1, m.cut, true
	}
	return 0, 0, floor == 1 // before the first message of all nothing is known
}

// Sweeping costs a pass over the whole book, so it is done now and then.
const (
	sweepEvery         = 6 * time.Hour
	sweepEveryMessages = 1 << 16
)

// sweep tells whether it is time to drop what was superseded before keep.
func (l *log) sweep() (keep uint32, due bool) {
	n := len(l.messages)
	if n == 0 {
		return 0, false
	}
	clock, last := l.messages[n-1].clock, l.last()
	if clock-l.swept < int64(sweepEvery) && last-l.sweptTo < sweepEveryMessages {
		return 0, false
	}
	l.swept, l.sweptTo = clock, last
	keep = l.at(l.floorNumber()).cut
	return keep, keep > l.first
}

// forget drops the messages before keep, but for those that rates refer to.
func (l *log) forget(keep uint32, inUse map[uint32]bool) {
	old := make(map[uint32]message, len(inUse))
	for number := range inUse {
		old[number] = l.find(number)
	}
	l.old = old
	l.messages = slices.Clone(l.messages[keep-l.first:])
	l.first = keep
}

// table numbers values in the order in which they are met.
type table[T comparable] struct {
	values []T
	number map[T]uint32
}

func (t *table[T]) index(v T) uint32 {
	if n, ok := t.number[v]; ok {
		return n
	}
	if t.number == nil {
		t.number = map[T]uint32{}
	}
	n := uint32(len(t.values)) //nolint:gosec // bounded by what a book holds
	t.values = append(t.values, v)
	t.number[v] = n
	return n
}
