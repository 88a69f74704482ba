// Package versions is the rule by which the receipts of one price become its
// versions, whatever the order in which they arrive. Every store that keeps
// versions follows it, so that all of them hold the same.
//
// It must not know a database, or what a column means but for what [Rules] says:
// columns are values that can be compared with ==, nil is one that is not known.
package versions

import (
	"cmp"
	"database/sql/driver"
	"slices"

	"kurs"
)

// Receipt orders what was received: by time, then by the raw message's id. Runs
// are named so that later ones sort after earlier ones.
type Receipt struct {
	Received int64 // milliseconds since 1970, UTC
	Run      int64 // id of the run in the store
	Counter  int64
	Origin   int64  // id of a text in the store; it orders nothing
	Source   string // of the raw message, with the run's name: what Run stands for
	Name     string
}

// ByPerson tells whether a person said so.
func (r Receipt) ByPerson() bool { return r.Source == kurs.SourceUser }

// Compare is -1, 0 or 1.
func (r Receipt) Compare(o Receipt) int {
	if r.Received != o.Received {
		return cmp.Compare(r.Received, o.Received)
	}
	if r.Run != o.Run {
		if c := cmp.Or(cmp.Compare(r.Source, o.Source), cmp.Compare(r.Name, o.Name)); c != 0 {
			return c
		}
	}
	return cmp.Compare(r.Counter, o.Counter)
}

// Seen is one receipt of an observation with what it said besides the value:
// bid, ask, volume, and the conversion that belongs to this receipt.
type Seen struct {
	Receipt
	Attrs []driver.Value
}

// Span is a version: a value, with the first and the last receipt that said so
// and between which none is known that said otherwise. First and last are the
// same where it was received once. A version is known by its first receipt.
type Span struct {
	Value
	First, Last Seen
}

// Value is an observation: its columns and, where it has a unit, what that is
// called. How a unit is resolved into a currency is no observation, so its id
// is not compared.
type Value struct {
	Columns []driver.Value
	Unit    string
	UnitAt  int  // index in Columns of the unit's id; -1 where there is none
	Kept    bool // by a person, of what was set aside: a version of its own, which can be withdrawn
}

func (v Value) same(o Value) bool {
	if v.Kept || o.Kept {
		return false
	}
	for i := range v.Columns {
		if i != v.UnitAt && v.Columns[i] != o.Columns[i] {
			return false
		}
	}
	return v.Unit == o.Unit
}

// Merge adds a receipt to the versions of one key, which are in the order of
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
func (r Rules) Merge(spans []Span, s Seen, said Value) []Span {
	out := slices.Clone(spans)
	for i := range out {
		if out[i].Holds(s.Receipt) {
			out[i] = r.Fill(out[i], s)
			return out
		}
	}
	// at is the first version that begins after s.
	at, _ := slices.BinarySearchFunc(out, s.Receipt, func(v Span, at Receipt) int { return v.First.Compare(at) })
	var before, after *Span
	if at > 0 {
		before = &out[at-1]
	}
	if at < len(out) {
		after = &out[at]
	}
	single := Span{Value: said, First: s, Last: s}
	switch {
	case before != nil && s.Compare(before.Last.Receipt) < 0: // inside of a version
		if before.same(said) && !r.finer(single, *before) || r.stands(*before, single) {
			return out
		}
		left, right := *before, *before
		left.Last, right.First = left.First, right.Last
		out = slices.Replace(out, at-1, at, left, single, right)
		return r.settle(out, at)
	case before != nil && before.same(said) && !r.finer(single, *before):
		before.Last = s
		return r.settle(out, at-1)
	case before != nil && r.stands(*before, single):
		before.Last = r.as(s, *before)
		return r.settle(out, at-1)
	case after != nil && after.same(said) && !r.finer(*after, single):
		after.First = s
		return out
	}
	return r.settle(slices.Insert(out, at, single), at)
}

// Without is the versions of one key but for the one that a person kept by that
// receipt: what would be there without it. It is taken; nil where there is none.
// Such a version has one receipt, since it joins no other.
func (r Rules) Without(all []Span, kept Receipt) (left []Span, taken *Span) {
	at := slices.IndexFunc(all, func(v Span) bool { return v.Kept && v.First.Compare(kept) == 0 })
	if at < 0 {
		return all, nil
	}
	taken = &all[at]
	left = slices.Delete(slices.Clone(all), at, at+1)
	if at == 0 || at == len(left) {
		return left, taken
	}
	if left[at-1].same(left[at].Value) && !r.finer(left[at], left[at-1]) {
		left[at-1].Last = left[at].Last
		left = slices.Delete(left, at, at+1)
	}
	return r.settle(left, at-1), taken
}

// Rules say what the attributes of a table mean.
type Rules struct {
	Conv        []int // indices of those that a conversion consists of, the rate first
	Base        int   // index of the one that is nil while there is none
	Approximate int   // index of the one that is int64(1) where the value is approximate; -1: there is none

	// Where Approximate is not -1, of the first column of the value:

	SameFloat32 func(a, b driver.Value) bool                       // whether two are the same in float32
	Convert     func(native, unit, rate driver.Value) driver.Value // the base value, of a unit by its id; nil where it is not known
}

// Where a float32 cannot hold the digits of a price, it comes approximate by one
// way (the stream) and exact by another (quotes). The exact one wins: an
// approximate value that is the same float32 as the exact one before it says
// nothing else, and is no version. An exact one behind an approximate one is.

// isApproximate tells whether a version's value is.
func (r Rules) isApproximate(v Span) bool {
	return r.Approximate >= 0 && v.First.Attrs[r.Approximate] == driver.Value(int64(1))
}

// finer tells whether a is exact and b, of the same value, is not.
func (r Rules) finer(a, b Span) bool {
	return r.Approximate >= 0 && !r.isApproximate(a) && r.isApproximate(b)
}

// stands tells whether a version stands for one behind it that is approximate.
func (r Rules) stands(exact, behind Span) bool {
	return r.finer(exact, behind) && !exact.Kept && !behind.Kept && exact.Unit == behind.Unit && r.SameFloat32(exact.Columns[0], behind.Columns[0])
}

// as is a receipt of an approximate value as one of the exact version that stands
// for it.
func (r Rules) as(s Seen, exact Span) Seen {
	s.Attrs = slices.Clone(s.Attrs)
	s.Attrs[r.Approximate] = int64(0)
	s.Attrs[r.Base] = r.Convert(exact.Columns[0], exact.Columns[exact.UnitAt], s.Attrs[r.Conv[0]])
	return s
}

// settle joins the versions behind one that it stands for or that say the same.
func (r Rules) settle(all []Span, at int) []Span {
	for r.Approximate >= 0 && at+1 < len(all) {
		v, next := &all[at], all[at+1]
		switch {
		case r.stands(*v, next):
			v.Last = r.as(next.Last, *v)
		case v.same(next.Value) && !r.finer(next, *v):
			v.Last = next.Last
		default:
			return all
		}
		all = slices.Delete(all, at+1, at+2)
	}
	return all
}

// Holds tells whether the receipt is one of the two that are kept.
func (v Span) Holds(r Receipt) bool {
	return v.First.Compare(r) == 0 || v.Last.Compare(r) == 0
}

// Fill gives the version the conversion of s, where s is one of its receipts
// and had none.
func (r Rules) Fill(v Span, s Seen) Span {
	v.First = r.fill(v.First, s)
	v.Last = r.fill(v.Last, s)
	return v
}

func (r Rules) fill(v, s Seen) Seen {
	if len(r.Conv) == 0 || v.Compare(s.Receipt) != 0 || v.Attrs[r.Base] != nil || s.Attrs[r.Base] == nil {
		return v
	}
	v.Attrs = slices.Clone(v.Attrs)
	for _, i := range r.Conv {
		v.Attrs[i] = s.Attrs[i]
	}
	return v
}

// Equal tells whether two versions are the same in every column.
func (v Span) Equal(o Span) bool {
	return slices.Equal(v.Columns, o.Columns) && v.First.equal(o.First) && v.Last.equal(o.Last)
}

func (s Seen) equal(o Seen) bool {
	return s.Compare(o.Receipt) == 0 && slices.Equal(s.Attrs, o.Attrs)
}
