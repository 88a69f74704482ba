package parquet

import "slices"

// This file is the rule of versions. The key of a row says what was observed
// when, its value what it was. Of all receipts of a key, in the order of their
// receipts, those that say the same as the one before make one version, which is
// known by the first of them. Of each version the first and the last receipt are
// kept. store/sqlite/span.go is the same rule for receipts that come one by one.

// versions says what the columns of a kind that has versions mean.
type versions[T any] struct {
	observed func(*T) bool     // it has a value: else it is a fill
	filled   func(*T) bool     // it has a conversion
	fill     func(to, from *T) // gives the one the conversion of the other
	same     func(a, b *T) bool

	// What a person kept, of what was set aside, is a version of its own, whatever
	// the provider says beside it: it can be taken back. Decisions are kept beside
	// the rows, see decided. Nil where people keep nothing.
	kept     func(*T) bool
	decision func(*T) string // empty: it is none

	// Where a float32 cannot hold the digits of a price, it comes approximate by
	// one way and exact by another: the exact one wins. Nil where nothing is
	// approximate.
	approximate func(*T) bool
	sameFloat   func(a, b *T) bool
}

// version is one version of a key.
type version[T any] struct{ first, last *T }

// resolve puts the versions of a key, and what was decided of it.
func (v *versions[T]) resolve(k *kind[T], group []*entry[T], put put[T]) error {
	group, err := v.decided(k, group, put)
	if err != nil {
		return err
	}
	all, left := v.of(k, group)
	for _, row := range left {
		if err := put(seen, row); err != nil {
			return err
		}
	}
	return putVersions(all, put)
}

func putVersions[T any](all []version[T], put put[T]) error {
	for i, one := range all {
		as := superseded
		if i == len(all)-1 {
			as = shown
		}
		if err := put(as, one.first); err != nil {
			return err
		}
		if one.last != one.first {
			if err := put(seen, one.last); err != nil {
				return err
			}
		}
	}
	return nil
}

// of is the versions of a key, and the fills whose receipt is not among them.
func (v *versions[T]) of(k *kind[T], group []*entry[T]) (all []version[T], left []*T) {
	for len(group) > 0 {
		n := 1
		for n < len(group) && k.origin(&group[0].row).compare(k.origin(&group[n].row)) == 0 {
			n++
		}
		row := v.once(group[:n])
		group = group[n:]
		if !v.observed(row) {
			left = append(left, row)
			continue
		}
		if len(all) > 0 && v.repeats(all[len(all)-1].first, row) {
			all[len(all)-1].last = row
			continue
		}
		all = append(all, version[T]{first: row, last: row})
	}
	return all, left
}

// once makes one row of all that was stored under one receipt: what was observed
// first, with the conversion that was known first.
func (v *versions[T]) once(group []*entry[T]) *T {
	at := max(0, slices.IndexFunc(group, func(e *entry[T]) bool { return v.observed(&e.row) }))
	row := &group[at].row
	if i := slices.IndexFunc(group, func(e *entry[T]) bool { return v.filled(&e.row) }); i >= 0 && i != at {
		v.fill(row, &group[i].row)
	}
	return row
}

// repeats tells whether a receipt says nothing new after a version.
func (v *versions[T]) repeats(version, row *T) bool {
	if v.kept != nil && (v.kept(version) || v.kept(row)) {
		return false
	}
	if v.approximate == nil {
		return v.same(version, row)
	}
	switch before, now := v.approximate(version), v.approximate(row); {
	case v.same(version, row):
		return !before || now // an exact one behind an approximate one is news
	case !before && now:
		return v.sameFloat(version, row)
	}
	return false
}

// resolveQuotes puts the versions of a price, and on top what a person says of
// it: the newest correction holds until it is made void, whatever a provider
// says. What the provider said is then the newest of the versions beside it.
func resolveQuotes(k *kind[quoteRow], v *versions[quoteRow], group []*entry[quoteRow], put put[quoteRow]) error {
	if slices.ContainsFunc(group, func(e *entry[quoteRow]) bool { return e.row.CorrectedBy != "" }) {
		return corrected(k, v, group, put)
	}
	return v.resolve(k, group, put)
}

func corrected(k *kind[quoteRow], v *versions[quoteRow], group []*entry[quoteRow], put put[quoteRow]) error {
	group, err := v.decided(k, group, put)
	if err != nil {
		return err
	}
	said, plain := corrections(v, group)
	for _, c := range said {
		if err := put(seen, c); err != nil {
			return err
		}
	}
	all, left := v.of(k, plain)
	for _, row := range left {
		if err := put(seen, row); err != nil {
			return err
		}
	}
	if len(said) == 0 || !v.observed(said[len(said)-1]) || len(all) == 0 {
		return putVersions(all, put)
	}
	holds, newest := said[len(said)-1], all[len(all)-1].first
	over := *newest
	over.Native, over.Unit, over.Currency, over.Factor, over.Base = holds.Native, holds.Unit, holds.Currency, holds.Factor, holds.Base
	over.Rate, over.RateTime, over.RateFrom = holds.Rate, holds.RateTime, holds.RateFrom
	over.Outside = newest.Outside.Take(holds.Outside, "price_native", "factor", "fx_rate", "price_base")
	over.Approximate, over.Origin = false, holds.Origin
	over.CorrectedBy, over.Correction = holds.CorrectedBy, holds.Correction
	if err := put(shown, &over); err != nil {
		return err
	}
	return putVersions(all, func(as role, row *quoteRow) error {
		if as == shown {
			as = superseded
		}
		return put(as, row)
	})
}

// corrections are those of a price, in the order in which they were said, each once
// and with the rate that came later, and the rest of the entries.
func corrections(v *versions[quoteRow], group []*entry[quoteRow]) (said []*quoteRow, plain []*entry[quoteRow]) {
	for _, e := range group {
		switch {
		case e.row.CorrectedBy == "":
			plain = append(plain, e)
		case e.role != seen: // what a correction made of a row
		case len(said) > 0 && said[len(said)-1].compare(&e.row.origin) == 0:
			completed(v, said[len(said)-1], &e.row)
		default:
			said = append(said, &e.row)
		}
	}
	for _, e := range plain {
		for _, c := range said {
			if c.compare(&e.row.origin) == 0 {
				completed(v, c, &e.row)
			}
		}
	}
	return said, plain
}

// completed gives a correction that has none the conversion of a row of its receipt.
func completed(v *versions[quoteRow], c, from *quoteRow) {
	if v.observed(c) && !v.filled(c) && v.filled(from) {
		v.fill(c, from)
	}
}
