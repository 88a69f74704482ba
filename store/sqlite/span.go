package sqlite

import (
	"cmp"
	"database/sql/driver"
	"slices"

	"kurs"
)

// receipt orders what was received: by time, then by the raw message's id. Runs
// are named so that later ones sort after earlier ones.
type receipt struct {
	received int64 // milliseconds
	run      int64 // id in the table runs
	counter  int64
	origin   int64  // id of a text; it orders nothing
	source   string // of the raw message, with the run's name: what run stands for
	name     string
}

// byPerson tells whether a person said so.
func (r receipt) byPerson() bool { return r.source == kurs.SourceUser }

func (r receipt) compare(o receipt) int {
	if r.received != o.received {
		return cmp.Compare(r.received, o.received)
	}
	if r.run != o.run {
		if c := cmp.Or(cmp.Compare(r.source, o.source), cmp.Compare(r.name, o.name)); c != 0 {
			return c
		}
	}
	return cmp.Compare(r.counter, o.counter)
}

// seen is one receipt of an observation with what it said besides the value:
// bid, ask, volume, and the conversion that belongs to this receipt.
type seen struct {
	receipt
	attrs []driver.Value
}

// span is a version: a value, with the first and the last receipt that said so
// and between which none is known that said otherwise. first and last are the
// same where it was received once. A version is known by its first receipt.
type span struct {
	value
	first, last seen
}

// value is an observation: its columns and, where it has a unit, what that is
// called. How a unit is resolved into a currency is no observation, so its id
// is not compared.
type value struct {
	columns []driver.Value
	unit    string
	unitAt  int  // index in columns of the unit's id; -1 where there is none
	kept    bool // by a person, of what was set aside: a version of its own, which can be withdrawn
}

func (v value) same(o value) bool {
	if v.kept || o.kept {
		return false
	}
	for i := range v.columns {
		if i != v.unitAt && v.columns[i] != o.columns[i] {
			return false
		}
	}
	return v.unit == o.unit
}

// merge adds a receipt to the versions of one key, which are in the order of
// their receipts, do not overlap and each differ from the one before. It
// returns them in the same form; the ones given are not changed.
//
// The order of arrival does not matter: receipts A@1, A@3 and B@2 give A@1, B@2,
// A@3 whichever comes last. Only the first and the last receipt of a version are
// kept, though, so where a third kind of news arrives late, inside of three or
// more receipts of one value, the version behind it is dated by the last of
// them until one of those between is received again.
//
// A receipt that is there already changes nothing, but that a conversion which
// it lacked is filled in.
func merge(spans []span, s seen, said value, rules rules) []span {
	out := slices.Clone(spans)
	for i := range out {
		if out[i].holds(s.receipt) {
			out[i] = out[i].fill(s, rules)
			return out
		}
	}
	// at is the first version that begins after s.
	at, _ := slices.BinarySearchFunc(out, s.receipt, func(v span, r receipt) int { return v.first.compare(r) })
	var before, after *span
	if at > 0 {
		before = &out[at-1]
	}
	if at < len(out) {
		after = &out[at]
	}
	single := span{value: said, first: s, last: s}
	switch {
	case before != nil && s.compare(before.last.receipt) < 0: // inside of a version
		if before.same(said) || rules.stands(*before, single) {
			return out
		}
		left, right := *before, *before
		left.last, right.first = left.first, right.last
		out = slices.Replace(out, at-1, at, left, single, right)
		return rules.settle(out, at)
	case before != nil && before.same(said) && !rules.finer(single, *before):
		before.last = s
		return rules.settle(out, at-1)
	case before != nil && rules.stands(*before, single):
		before.last = rules.as(s, *before)
		return rules.settle(out, at-1)
	case after != nil && after.same(said) && !rules.finer(*after, single):
		after.first = s
		return out
	}
	return rules.settle(slices.Insert(out, at, single), at)
}

// rules say what the attributes of a table mean.
type rules struct {
	conv        []int // indices of those that a conversion consists of
	base        int   // index of the one that is NULL while there is none
	approximate int   // index of the one that says that the value is approximate; -1: none does
	factor      func(unit driver.Value) kurs.Decimal
}

// Where a float32 cannot hold the digits of a price, it comes approximate by one
// way (the stream) and exact by another (quotes). The exact one wins: an
// approximate value that is the same float32 as the exact one before it says
// nothing else, and is no version. An exact one behind an approximate one is.

// isApproximate tells whether a version's value is.
func (r rules) isApproximate(v span) bool {
	return r.approximate >= 0 && v.first.attrs[r.approximate] == driver.Value(int64(1))
}

// finer tells whether a is exact and b, of the same value, is not.
func (r rules) finer(a, b span) bool {
	return r.approximate >= 0 && !r.isApproximate(a) && r.isApproximate(b)
}

// stands tells whether a version stands for one behind it that is approximate.
func (r rules) stands(exact, behind span) bool {
	return r.finer(exact, behind) && !exact.kept && !behind.kept && exact.unit == behind.unit && sameFloat32(exact.columns[0], behind.columns[0])
}

// as is a receipt of an approximate value as one of the exact version that stands
// for it.
func (r rules) as(s seen, exact span) seen {
	s.attrs = slices.Clone(s.attrs)
	s.attrs[r.approximate] = int64(0)
	s.attrs[r.base] = convertAgain(exact.columns[0], r.factor(exact.columns[exact.unitAt]), s.attrs[r.conv[0]])
	return s
}

// settle joins the versions behind one that it stands for or that say the same.
func (r rules) settle(all []span, at int) []span {
	for r.approximate >= 0 && at+1 < len(all) {
		v, next := &all[at], all[at+1]
		switch {
		case r.stands(*v, next):
			v.last = r.as(next.last, *v)
		case v.same(next.value) && !r.finer(next, *v):
			v.last = next.last
		default:
			return all
		}
		all = slices.Delete(all, at+1, at+2)
	}
	return all
}

// holds tells whether the receipt is one of the two that are kept.
func (v span) holds(r receipt) bool {
	return v.first.compare(r) == 0 || v.last.compare(r) == 0
}

// fill gives the version the conversion of s, where s is one of its receipts
// and had none.
func (v span) fill(s seen, rules rules) span {
	v.first = v.first.fill(s, rules)
	v.last = v.last.fill(s, rules)
	return v
}

func (v seen) fill(s seen, rules rules) seen {
	if len(rules.conv) == 0 || v.compare(s.receipt) != 0 || v.attrs[rules.base] != nil || s.attrs[rules.base] == nil {
		return v
	}
	v.attrs = slices.Clone(v.attrs)
	for _, i := range rules.conv {
		v.attrs[i] = s.attrs[i]
	}
	return v
}

// equal tells whether two versions are the same in every column.
func (v span) equal(o span) bool {
	return slices.Equal(v.columns, o.columns) && v.first.equal(o.first) && v.last.equal(o.last)
}

func (v seen) equal(o seen) bool {
	return v.compare(o.receipt) == 0 && slices.Equal(v.attrs, o.attrs)
}
