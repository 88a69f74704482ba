package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"kurs"
	"kurs/config"
	"kurs/process/fx"
	"kurs/reading"
	"kurs/store/sqlite"
)

// nearest looks, where no rate fits a time, for those next to it, and why they are
// not used.
type nearest struct {
	convert *reading.Converter
	pair    kurs.Pair
	at      time.Time
}

// farthest is how far from the time rates are looked for.
const farthest = 90 * 24 * time.Hour

// find looks at the pair itself, then at the legs of the ways to compute it; of
// each pair and source it gives the last one before the time, and the first after.
func (n *nearest) find(ctx context.Context, db *sqlite.Reader) ([]nearRate, error) {
	type key struct {
		pair   kurs.Pair
		source string
		later  bool
	}
	found := map[key]kurs.Rate{}
	pairs := reading.PairsOf(n.pair, n.convert.Policy.Vias())
	err := db.Rates(ctx, pairs, n.at.Add(-farthest), n.at.Add(farthest), n.convert.AsOf, func(r kurs.Rate) error {
		k := key{r.Pair, r.Source, r.Time.After(n.at)}
		have, ok := found[k]
		if !ok || !k.later && r.Time.After(have.Time) || k.later && r.Time.Before(have.Time) {
			found[k] = r
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := make([]kurs.Rate, 0, len(found))
	for _, r := range found {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b kurs.Rate) int {
		return cmp.Or(cmp.Compare(slices.Index(pairs, a.Pair), slices.Index(pairs, b.Pair)), cmp.Compare(a.Source, b.Source), a.Time.Compare(b.Time))
	})
	out := []nearRate{}
	for i := range all {
		r := &all[i]
		out = append(out, nearRate{leg{
			Pair: r.String(), Rate: r.Value, Time: r.Time, Source: r.Source, Interval: r.Interval, Inverse: r.Pair == n.pair.Inverse(), Received: r.Received,
		}, n.why(r)})
	}
	return out, nil
}

// why tells why a rate is not used.
func (n *nearest) why(r *kurs.Rate) string {
	policy := &n.convert.Policy
	known := n.convert.AsOf
	if known.IsZero() {
		known = time.Now()
	}
	standsIn := n.at.Add(policy.MaxAge)
	switch {
	case r.Time.After(n.at):
		return fmt.Sprintf("later: %s after; the past is never valued with it", ageText(r.Time.Sub(n.at)))
	case len(policy.Sources) > 0 && !slices.Contains(policy.Sources, r.Source):
		return "fx.source does not name its source"
	case !policy.Fits(*r, n.at):
		return fmt.Sprintf("too old: %s before (%s)", ageText(n.at.Sub(r.Time)), bound(r, policy))
	case r.Pair != n.pair && r.Pair != n.pair.Inverse():
		return "young enough, but there is nothing to go with it"
	case len(policy.Sources) > 1 && r.Source != policy.Sources[0] && known.Before(standsIn):
		return fmt.Sprintf("young enough, but %s may still tell one until %s", policy.Sources[0], standsIn.Format(time.RFC3339))
	}
	return "it was not known then"
}

// bound is what bounds the age of a rate.
func bound(r *kurs.Rate, policy *fx.Policy) string {
	length, known := kurs.IntervalLength(r.Interval)
	switch {
	case r.ValidFor > 0:
		return "its source says that it holds for " + config.FormatDuration(r.ValidFor)
	case r.Interval != "" && (!known || length >= 24*time.Hour):
		return "fx.max_age_daily is " + config.FormatDuration(policy.MaxAgeDaily)
	}
	return "fx.max_age is " + config.FormatDuration(policy.MaxAge)
}
