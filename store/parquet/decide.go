package parquet

import (
	"cmp"
	"slices"
)

// This file is what people decide of observations that were set aside. All that
// was ever decided is kept. Of each observation the newest decision holds, in
// whatever order they come: a price that an older one made is none any more.

// decided puts the decisions of a key, and the rows that older ones made, by their
// receipts: those are not of the others any more.
func (v *versions[T]) decided(k *kind[T], group []*entry[T], put put[T]) ([]*entry[T], error) {
	if v.decision == nil {
		return group, nil
	}
	var said []*T // in the order of their receipts
	for _, e := range group {
		d := &e.row
		if v.decision(d) != "" && !slices.ContainsFunc(said, func(s *T) bool { return v.same(s, d) && k.origin(s).compare(k.origin(d)) == 0 }) {
			said = append(said, d)
		}
	}
	if said == nil {
		return group, nil
	}
	void := func(row *T) bool {
		for i, d := range said {
			newer := func(s *T) bool { return v.same(s, d) }
			if k.origin(d).compare(k.origin(row)) == 0 && slices.ContainsFunc(said[i+1:], newer) {
				return true
			}
		}
		return false
	}
	var rest []*entry[T]
	var back []*T // rows that were taken away, each once
	for _, e := range group {
		switch row := &e.row; {
		case v.decision(row) != "":
		case !v.kept(row) || !v.observed(row) || !void(row):
			rest = append(rest, e)
		case back == nil || k.origin(back[len(back)-1]).compare(k.origin(row)) != 0:
			back = append(back, row)
		}
	}
	for _, row := range slices.Concat(said, back) {
		if err := put(seen, row); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// resolveAsides puts an observation as it was received first, with the newest
// decision of it, and all decisions.
func resolveAsides(group []*entry[asideRow], put put[asideRow]) error {
	first := &group[0].row
	var newest *asideRow
	var all []*asideRow
	for _, e := range group {
		r := &e.row
		if first.compare(&r.origin) == 0 && !first.priced() && r.priced() {
			first = r
		}
		if r.State == waiting {
			continue
		}
		if newest == nil || r.compareDecision(newest) > 0 {
			newest = r
		}
		if e.role == seen && !slices.ContainsFunc(all, func(other *asideRow) bool { return r.compareDecision(other) == 0 }) {
			all = append(all, r)
		}
	}
	out := *first
	out.decide(newest)
	if err := put(shown, &out); err != nil {
		return err
	}
	for _, r := range all {
		if err := put(seen, r); err != nil {
			return err
		}
	}
	return nil
}

func (r *asideRow) priced() bool { return value(r.Rate, r.Outside, "fx_rate").Known() }

func (r *asideRow) compareDecision(o *asideRow) int {
	return cmp.Or(cmp.Compare(r.Decided, o.Decided), cmp.Compare(r.DecidedRun, o.DecidedRun), cmp.Compare(r.DecidedAt, o.DecidedAt))
}

// decide gives the row the decision of another; nil is none.
func (r *asideRow) decide(by *asideRow) {
	if by == nil {
		by = &asideRow{State: waiting}
	}
	r.State, r.By, r.Author, r.Comment = by.State, by.By, by.Author, by.Comment
	r.Decided, r.DecidedRun, r.DecidedAt = by.Decided, by.DecidedRun, by.DecidedAt
	r.Outside = r.Outside.Take(by.Outside, "decided_factor")
}
