package fx

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"

	"kurs"
)

// decoder reads a snapshot. After the first mistake it reads nothing but zeros,
// so only the end needs to ask.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%s, %d bytes before the end: %w", what, len(d.b), kurs.ErrRejected)
	}
	d.b = nil
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail("a number is cut off")
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail("a number is cut off")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// number reads a number below limit.
func (d *decoder) number(limit uint64) uint32 {
	v := d.uint()
	if d.err == nil && (v >= limit || v > math.MaxUint32) {
		d.fail("a number is out of its range")
		return 0
	}
	return uint32(v) //nolint:gosec // checked above
}

// count reads how many things follow, each of at least size bytes. More than the
// rest can hold is a mistake, so a snapshot never asks for much more memory than
// it has bytes.
func (d *decoder) count(size int) int {
	v := d.uint()
	if v > uint64(len(d.b)/size) { //nolint:gosec // a length
		d.fail("a count is more than what follows")
		return 0
	}
	return int(v) //nolint:gosec // checked above
}

func (d *decoder) text() string {
	n := d.count(1)
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func decodeState(snapshot []byte) (*state, error) {
	if !bytes.HasPrefix(snapshot, []byte(snapshotMagic)) || len(snapshot) < len(snapshotMagic)+5 {
		return nil, fmt.Errorf("not a snapshot of a rate book: %w", kurs.ErrRejected)
	}
	body := snapshot[:len(snapshot)-4]
	d := decoder{b: body[len(snapshotMagic):]}
	version := d.uint()
	if d.err == nil && (version == 0 || version > snapshotVersion) {
		return nil, fmt.Errorf("version %d, and %d is the newest that can be read: %w", version, snapshotVersion, kurs.ErrNewerFormat)
	}
	if crc32.Checksum(body, castagnoli()) != binary.BigEndian.Uint32(snapshot[len(body):]) {
		return nil, fmt.Errorf("damaged: the checksum is another: %w", kurs.ErrRejected)
	}
	s := newState()
	d.state(s)
	if version >= 2 {
		d.doubts(&s.doubts)
	}
	if d.err == nil && len(d.b) != 0 {
		d.fail("more than a snapshot")
	}
	if d.err != nil {
		return nil, d.err
	}
	return s, nil
}

func (d *decoder) state(s *state) {
	s.pos = d.uint()
	s.policies = s.policies[:0]
	for range d.count(2) {
		var p Policy
		pos, text := d.uint(), d.text()
		if d.err != nil {
			return
		}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			d.fail(err.Error())
			return
		}
		s.setPolicy(pos, p)
	}
	if len(s.policies) == 0 {
		d.fail("no policy")
		return
	}
	for range d.count(2) {
		s.log.runs.index(run{source: d.text(), run: d.text()})
	}
	for range d.count(2) {
		s.labels.index(label{symbol: d.text(), interval: d.text()})
	}
	d.log(&s.log, s.pos)
	for range d.count(6) {
		d.series(s)
	}
}

func (d *decoder) doubts(into *doubts) {
	var before uint64
	for range d.count(5) {
		pos := d.uint()
		raw := kurs.RawID{Source: d.text(), Run: d.text(), Counter: d.uint()}
		text := d.text()
		if d.err != nil {
			return
		}
		var all []Refused
		if err := json.Unmarshal([]byte(text), &all); err != nil || len(all) == 0 || pos < before || len(into.of[raw]) > 0 {
			d.fail("doubts that cannot be")
			return
		}
		for _, r := range all {
			into.add(pos, raw, r)
		}
		before = pos
	}
}

func (d *decoder) log(l *log, pos uint64) {
	l.first = d.number(math.MaxUint32)
	n := d.count(6)
	if d.err == nil && (l.first == 0 || uint64(l.first)+uint64(n) >= math.MaxUint32) { //nolint:gosec // a length
		d.fail("a message without a number")
	}
	l.messages = make([]message, 0, n)
	before := message{cut: l.first}
	if l.first > 1 {
		before.cut = 1
	}
	for i := range n {
		m := d.message(l, before)
		number := l.first + uint32(i)
		m.cut = number - d.number(uint64(number))
		if d.err == nil && (m.pos < before.pos || m.pos > pos || m.cut < before.cut || m.clock < before.clock && i > 0) {
			d.fail("messages are not in order")
		}
		if d.err != nil {
			return
		}
		l.messages = append(l.messages, m)
		before = m
	}
	if l.floorNumber() < l.first || n == 0 && l.first > 1 {
		d.fail("messages are missing")
	}
	for range d.count(6) {
		number := d.number(uint64(l.first))
		l.old[number] = d.message(l, message{})
	}
	if len(l.messages) > 0 {
		l.swept, l.sweptTo = l.messages[len(l.messages)-1].clock, l.last()
	}
}

func (d *decoder) message(l *log, before message) message {
	var m message
	m.pos = before.pos + d.uint()
	m.clock = before.clock + d.int()
	m.received = m.clock - d.int()
	m.run = d.number(uint64(len(l.runs.values)))
	m.counter = d.uint()
	return m
}

func (d *decoder) series(s *state) {
	key := code(d.uint())
	name := d.text()
	c := class{daily: d.uint() != 0, own: d.int()}
	unit := d.int()
	n := d.count(6)
	if d.err != nil {
		return
	}
	if unit <= 0 || c.own < 0 || key == key.inverse() || key > 1<<48-1 || n == 0 {
		d.fail("a series that cannot be")
		return
	}
	in := s.seriesOf(key, name, c)
	if len(in.rates) > 0 {
		d.fail("a series that is there twice")
		return
	}
	in.rates = make([]stored, 0, n)
	var time, known int64
	var r stored
	for i := range n {
		time += d.int()
		known = d.rate(s, known, &r, i == n-1)
		if d.err == nil && (time > math.MaxInt64/unit || time < math.MinInt64/unit || i > 0 && time*unit < in.rates[i-1].at) {
			d.fail("rates are not in order")
		}
		if d.err != nil {
			return
		}
		r.at = time * unit
		in.rates = append(in.rates, r)
	}
}

// rate reads a rate, given the one before it, and returns its message.
func (d *decoder) rate(s *state, before int64, r *stored, last bool) (known int64) {
	coef, exp := r.coef+d.int(), int64(r.exp)+d.int()
	known = before + d.int()
	gone := d.uint()
	r.label = d.number(uint64(len(s.labels.values)))
	if d.err != nil {
		return 0
	}
	value, err := kurs.NewDecimal(coef, int(exp))
	if c, e := value.Parts(); err != nil || coef <= 0 || c != coef || int64(e) != exp {
		d.fail("a rate that cannot be")
		return 0
	}
	if !s.log.has(known) || (gone == 0) != last || gone > uint64(int64(s.log.last())-known)+1 { //nolint:gosec // not negative: known is in the log
		d.fail("a rate without a message")
		return 0
	}
	r.coef, r.exp, r.known, r.gone = coef, int16(exp), uint32(known), forever //nolint:gosec // checked above
	if gone > 0 {
		r.gone = r.known + uint32(gone-1) //nolint:gosec // checked above
	}
	return known
}
