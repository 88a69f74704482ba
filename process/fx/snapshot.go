package fx

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
)

// A snapshot is, in this order: the magic, the version, and as variable-length
// integers (encoding/binary) and texts with their length in front:
//
//	position
//	policies: count, each position, JSON
//	runs: count, each source, run
//	labels: count, each symbol, interval
//	messages: number of the first, count, each
//	  position and clock (differences to the one before), clock - received,
//	  own number - cut, run, counter
//	messages before these that rates refer to: count, each number, and as above
//	  position, clock, clock - received, run, counter
//	series: count, each pair (a number), source, daily (0 or 1), own validity,
//	  unit of time, count, each rate
//	  time / unit, coefficient, exponent (differences to the one before),
//	  known - known before, gone - known (0: not superseded, else one more), label
//	doubts (since version 2): count, each position, source, run, counter, JSON
//
// and at last the CRC-32C of all before it, in 4 bytes, big end first. Times are
// Unix nanoseconds. Only the runs and labels that are in use are written.
const (
	snapshotMagic   = "kursfx"
	snapshotVersion = 2
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// encoder writes a snapshot.
type encoder struct {
	b      []byte
	runs   table[run]
	labels table[label]
}

func (e *encoder) uint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int64)   { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) count(n int)   { e.uint(uint64(n)) } //nolint:gosec // a length

func (e *encoder) text(s string) {
	e.count(len(s))
	e.b = append(e.b, s...)
}

func (s *state) encode() ([]byte, error) {
	var e encoder
	// The body comes first, because it tells which runs and labels are in use.
	body := encoder{}
	body.log(&s.log)
	body.series(s)

	e.b = append(e.b, snapshotMagic...)
	e.uint(snapshotVersion)
	e.uint(s.pos)
	e.count(len(s.policies))
	for _, p := range s.policies {
		text, err := json.Marshal(p.policy)
		if err != nil {
			return nil, fmt.Errorf("rate book: snapshot: %w", err)
		}
		e.uint(p.pos)
		e.text(string(text))
	}
	e.count(len(body.runs.values))
	for _, r := range body.runs.values {
		e.text(r.source)
		e.text(r.run)
	}
	e.count(len(body.labels.values))
	for _, l := range body.labels.values {
		e.text(l.symbol)
		e.text(l.interval)
	}
	e.b = append(e.b, body.b...)
	if err := e.doubts(&s.doubts); err != nil {
		return nil, err
	}
	return binary.BigEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli())), nil
}

func (e *encoder) doubts(d *doubts) error {
	e.count(len(d.order))
	for _, o := range d.order {
		text, err := json.Marshal(d.of[o.raw])
		if err != nil {
			return fmt.Errorf("rate book: snapshot: %w", err)
		}
		e.uint(o.pos)
		e.text(o.raw.Source)
		e.text(o.raw.Run)
		e.uint(o.raw.Counter)
		e.text(string(text))
	}
	return nil
}

func (e *encoder) log(l *log) {
	e.uint(uint64(l.first))
	e.count(len(l.messages))
	var before message
	for i, m := range l.messages {
		number := l.first + uint32(i)
		e.message(l, m, before)
		e.uint(uint64(number - m.cut))
		before = m
	}
	e.count(len(l.old))
	for _, number := range slices.Sorted(maps.Keys(l.old)) {
		e.uint(uint64(number))
		e.message(l, l.old[number], message{})
	}
}

func (e *encoder) message(l *log, m, before message) {
	e.uint(m.pos - before.pos)
	e.int(m.clock - before.clock)
	e.int(m.clock - m.received)
	e.uint(uint64(e.runs.index(l.runs.values[m.run])))
	e.uint(m.counter)
}

func (e *encoder) series(s *state) {
	n := 0
	for _, all := range s.pairs {
		n += len(all)
	}
	e.count(n)
	for _, key := range slices.Sorted(maps.Keys(s.pairs)) {
		all := slices.Clone(s.pairs[key])
		slices.SortFunc(all, func(a, b *series) int {
			return cmp.Or(cmp.Compare(a.source.name, b.source.name), cmp.Compare(a.class.own, b.class.own), cmp.Compare(daily(a), daily(b)))
		})
		for _, in := range all {
			e.uint(uint64(key))
			e.text(in.source.name)
			e.uint(daily(in))
			e.int(in.class.own)
			e.rates(in, s.labels.values)
		}
	}
}

func daily(in *series) uint64 {
	if in.class.daily {
		return 1
	}
	return 0
}

func (e *encoder) rates(in *series, labels []label) {
	unit := unitOf(in.rates)
	e.int(unit)
	e.count(len(in.rates))
	var time, coef, known, exp int64
	for _, r := range in.rates {
		e.int(r.at/unit - time)
		e.int(r.coef - coef)
		e.int(int64(r.exp) - exp)
		e.int(int64(r.known) - known)
		if r.gone == forever {
			e.uint(0)
		} else {
			e.uint(uint64(r.gone-r.known) + 1)
		}
		e.uint(uint64(e.labels.index(labels[r.label])))
		time, coef, known, exp = r.at/unit, r.coef, int64(r.known), int64(r.exp)
	}
}

// unitOf is the greatest of a second, a millisecond and a nanosecond that all
// times are whole numbers of.
func unitOf(rates []stored) int64 {
	for _, unit := range []int64{1e9, 1e6} {
		if !slices.ContainsFunc(rates, func(r stored) bool { return r.at%unit != 0 }) {
			return unit
		}
	}
	return 1
}
