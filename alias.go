package kurs

import (
	"cmp"
	"slices"
	"time"
)

// Overlaps tells whether two aliases speak of the same time.
func (a Alias) Overlaps(b Alias) bool { return before(a.From, b.Until) && before(b.From, a.Until) }

// before tells whether a beginning is before an end; zero is without a limit.
func before(from, until time.Time) bool {
	return from.IsZero() || until.IsZero() || from.Before(until)
}

// Same tells whether two aliases say it of the same symbols and time: then the
// newest counts.
func (a Alias) Same(b Alias) bool {
	return a.Symbol == b.Symbol && a.Was == b.Was && a.From.Equal(b.From) && a.Until.Equal(b.Until)
}

// Said is, of all aliases that were ever said, those that were not taken back:
// the newest first.
func Said(all []Alias) []Alias {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b Alias) int { return -a.compare(b) })
	var out, gone []Alias
	for _, a := range sorted {
		switch {
		case slices.ContainsFunc(out, a.Same), slices.ContainsFunc(gone, a.Same):
		case a.Removed:
			gone = append(gone, a)
		default:
			out = append(out, a)
		}
	}
	return out
}

// compare orders what was said by its receipts, and what came in one by its texts.
func (a Alias) compare(b Alias) int {
	return cmp.Or(
		a.Received.Compare(b.Received), cmp.Compare(a.Raw.Source, b.Raw.Source), cmp.Compare(a.Raw.Run, b.Raw.Run),
		cmp.Compare(a.Raw.Counter, b.Raw.Counter), cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Was, b.Was),
		a.From.Compare(b.From), a.Until.Compare(b.Until), cmp.Compare(flag(a.Removed), flag(b.Removed)),
	)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Clash finds what an alias cannot hold beside: another that claims the same
// symbol for a part of the same time, or some that it would close a circle with.
// No prices may belong to two instruments, or to none in the end.
func (a Alias) Clash(holding []Alias) (with []Alias) {
	if a.Symbol == a.Was {
		return []Alias{a}
	}
	for _, h := range holding {
		if h.Was == a.Was && h.Overlaps(a) {
			return []Alias{h}
		}
	}
	return circle(holding, a.Was, a)
}

// circle follows where the prices of an alias end up, and finds the way back to a
// symbol within its time.
func circle(holding []Alias, to string, a Alias) []Alias {
	for i, h := range holding {
		if h.Was != a.Symbol || !h.Overlaps(a) {
			continue
		}
		if h.Symbol == to {
			return []Alias{h}
		}
		rest := slices.Concat(holding[:i:i], holding[i+1:])
		if way := circle(rest, to, a.through(h)); way != nil {
			return append([]Alias{h}, way...)
		}
	}
	return nil
}

// through is an alias carried on by another that overlaps it: in the time of both
// the prices are the second's.
func (a Alias) through(h Alias) Alias {
	a.Symbol = h.Symbol
	if a.From.IsZero() || h.From.After(a.From) {
		a.From = h.From
	}
	if a.Until.IsZero() || !h.Until.IsZero() && h.Until.Before(a.Until) {
		a.Until = h.Until
	}
	return a
}

// Renames is what holds of all aliases that were ever said, whatever the order in
// which they are given: of those that clash the one that was said last. What was
// renamed twice is said of the first name and the last, so that each price of a
// symbol belongs to one instrument. It is in the order of the old symbols and of
// the times.
func Renames(all []Alias) []Alias {
	var holding []Alias
	for _, a := range Said(all) {
		if a.Clash(holding) == nil && before(a.From, a.Until) {
			holding = append(holding, a)
		}
	}
	var out []Alias
	for _, a := range holding {
		out = append(out, carriedOn(holding, a)...)
	}
	slices.SortFunc(out, func(a, b Alias) int { return cmp.Or(cmp.Compare(a.Was, b.Was), a.From.Compare(b.From)) })
	return out
}

// carriedOn splits an alias by the later names of its instrument.
func carriedOn(holding []Alias, a Alias) []Alias {
	var out []Alias
	rest := []Alias{a} // what its instrument keeps under its own name
	for _, h := range holding {
		if h.Was != a.Symbol || !h.Overlaps(a) {
			continue
		}
		out = append(out, carriedOn(holding, a.through(h))...)
		var left []Alias
		for _, r := range rest {
			left = append(left, r.without(h)...)
		}
		rest = left
	}
	return append(out, rest...)
}

// without is what is left of an alias outside of the time of another.
func (a Alias) without(h Alias) []Alias {
	if !a.Overlaps(h) {
		return []Alias{a}
	}
	var out []Alias
	if !h.From.IsZero() && before(a.From, h.From) {
		early := a
		early.Until = h.From
		out = append(out, early)
	}
	if !h.Until.IsZero() && before(h.Until, a.Until) {
		late := a
		late.From = h.Until
		out = append(out, late)
	}
	return out
}
