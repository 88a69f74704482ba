package parquet

import (
	"cmp"

	"kurs"
)

// A role is what a row is to its day: in which of the three datasets of its kind
// it is.
type role int

const (
	shown      role = iota // the newest version of its key: "quotes"
	superseded             // a version that a newer one took the place of: "quotes_versions"
	seen                   // what completes versions and is none: "quotes_seen"
)

var suffixes = [...]string{shown: "", superseded: "_versions", seen: "_seen"}

// An entry is a row on its way, with its place among those of the same receipt:
// they are in the order in which they were stored.
type entry[T any] struct {
	row   T
	role  role
	order int64
}

// A kind says what the rows of a dataset mean.
type kind[T any] struct {
	name   string
	sorted []string                  // the columns that the files are sorted by
	time   func(*T) int64            // which day a row belongs to
	key    func(a, b *T) int         // orders the keys
	origin func(*T) *origin          // nil where a row has none
	series func(*T) [3]string        // what the newest row is remembered by; nil: it is not
	again  func(before, now *T) bool // a row says what the newest one of its key said

	// resolve tells what becomes of the entries of one key, which are in the order
	// of compare. It may change them.
	resolve func(group []*entry[T], put put[T]) error
}

// put takes a row over, which is the receiver's until it returns.
type put[T any] func(role, *T) error

// compare orders entries as the files are sorted: by key, then by receipt, then
// as they were stored.
func (k *kind[T]) compare(a, b *entry[T]) int {
	if c := k.key(&a.row, &b.row); c != 0 {
		return c
	}
	if k.origin != nil {
		if c := k.origin(&a.row).compare(k.origin(&b.row)); c != 0 {
			return c
		}
	}
	return cmp.Compare(a.order, b.order)
}

func quoteKind() *kind[quoteRow] {
	v := versions[quoteRow]{
		observed: func(r *quoteRow) bool {
			return r.Native != nil || r.Outside != "" && value(nil, r.Outside, "price_native").Known()
		},
		filled: func(r *quoteRow) bool {
			return r.Base != nil || r.Outside != "" && value(nil, r.Outside, "price_base").Known()
		},
		fill: func(to, from *quoteRow) {
			to.Rate, to.RateTime, to.RateFrom, to.Base = from.Rate, from.RateTime, from.RateFrom, from.Base
			to.Outside = to.Outside.Take(from.Outside, "fx_rate", "price_base")
		},
		same: func(a, b *quoteRow) bool {
			return a.Unit == b.Unit && equal(a.Native, a.Outside, b.Native, b.Outside, "price_native")
		},
		kept:        func(r *quoteRow) bool { return r.RawSource == kurs.SourceUser && r.CorrectedBy == "" },
		decision:    func(r *quoteRow) string { return r.Decision },
		approximate: func(r *quoteRow) bool { return r.Approximate },
		sameFloat: func(a, b *quoteRow) bool {
			return a.Unit == b.Unit && sameFloat32(value(a.Native, a.Outside, "price_native"), value(b.Native, b.Outside, "price_native"))
		},
	}
	k := &kind[quoteRow]{
		name: "quotes", sorted: []string{"symbol", "time"},
		time: func(r *quoteRow) int64 { return r.Time },
		key: func(a, b *quoteRow) int {
			if c := cmp.Compare(a.Symbol, b.Symbol); c != 0 {
				return c
			}
			if c := cmp.Compare(a.Time, b.Time); c != 0 {
				return c
			}
			return cmp.Or(cmp.Compare(a.Session, b.Session), cmp.Compare(a.Source, b.Source))
		},
		origin: func(r *quoteRow) *origin { return &r.origin },
		series: func(r *quoteRow) [3]string { return [3]string{r.Symbol, r.Session, r.Source} },
		again: func(before, now *quoteRow) bool {
			return before.Approximate == now.Approximate && before.CorrectedBy == "" && now.CorrectedBy == "" && v.repeats(before, now)
		},
	}
	k.resolve = func(group []*entry[quoteRow], put put[quoteRow]) error { return resolveQuotes(k, &v, group, put) }
	return k
}

func barKind() *kind[barRow] {
	k := &kind[barRow]{
		name: "bars", sorted: []string{"symbol", "time"},
		time: func(r *barRow) int64 { return r.Time },
		key: func(a, b *barRow) int {
			return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Time, b.Time),
				cmp.Compare(a.Interval, b.Interval), cmp.Compare(a.Source, b.Source))
		},
		origin: func(r *barRow) *origin { return &r.origin },
		series: func(r *barRow) [3]string { return [3]string{r.Symbol, r.Interval, r.Source} },
	}
	v := versions[barRow]{
		observed: func(r *barRow) bool {
			return r.Close != nil || r.Outside != "" && value(nil, r.Outside, "close_native").Known()
		},
		filled: func(r *barRow) bool {
			return r.BaseClose != nil || r.Outside != "" && value(nil, r.Outside, "close_base").Known()
		},
		fill: func(to, from *barRow) {
			to.Rate, to.RateTime, to.RateFrom = from.Rate, from.RateTime, from.RateFrom
			to.BaseOpen, to.BaseHigh, to.BaseLow, to.BaseClose = from.BaseOpen, from.BaseHigh, from.BaseLow, from.BaseClose
			to.Outside = to.Outside.Take(from.Outside, "fx_rate", "open_base", "high_base", "low_base", "close_base")
		},
		same: func(a, b *barRow) bool {
			return a.Unit == b.Unit && equal(a.Open, a.Outside, b.Open, b.Outside, "open_native") &&
				equal(a.High, a.Outside, b.High, b.Outside, "high_native") && equal(a.Low, a.Outside, b.Low, b.Outside, "low_native") &&
				equal(a.Close, a.Outside, b.Close, b.Outside, "close_native") && equalVolume(a.Volume, b.Volume)
		},
		kept:     func(r *barRow) bool { return r.RawSource == kurs.SourceUser },
		decision: func(r *barRow) string { return r.Decision },
	}
	k.again = v.repeats
	k.resolve = func(group []*entry[barRow], put put[barRow]) error { return v.resolve(k, group, put) }
	return k
}

func rateKind() *kind[rateRow] {
	k := &kind[rateRow]{
		name: "rates", sorted: []string{"from_currency", "to_currency", "time"},
		time: func(r *rateRow) int64 { return r.Time },
		key: func(a, b *rateRow) int {
			return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Time, b.Time),
				cmp.Compare(a.Source, b.Source), cmp.Compare(a.Interval, b.Interval))
		},
		origin: func(r *rateRow) *origin { return &r.origin },
		series: func(r *rateRow) [3]string { return [3]string{r.From + "/" + r.To, r.Interval, r.Source} },
	}
	v := versions[rateRow]{
		observed: func(*rateRow) bool { return true },
		filled:   func(*rateRow) bool { return true },
		fill:     func(*rateRow, *rateRow) {},
		same:     func(a, b *rateRow) bool { return equal(a.Value, a.Outside, b.Value, b.Outside, "rate") },
	}
	k.again = v.repeats
	k.resolve = func(group []*entry[rateRow], put put[rateRow]) error { return v.resolve(k, group, put) }
	return k
}

// Events, gaps and aliases are sets: what says something else is another row.

func eventKind() *kind[eventRow] {
	return &kind[eventRow]{
		name: "events", sorted: []string{"symbol", "time"},
		time: func(r *eventRow) int64 { return r.Time },
		key: func(a, b *eventRow) int {
			return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind),
				cmp.Compare(a.Source, b.Source), cmp.Compare(a.Unit, b.Unit), compareFixed(a.Amount, b.Amount),
				compareFixed(a.Numerator, b.Numerator), compareFixed(a.Denominator, b.Denominator), cmp.Compare(a.Outside, b.Outside))
		},
		resolve: first[eventRow],
	}
}

func gapKind() *kind[gapRow] {
	return &kind[gapRow]{
		name: "gaps", sorted: []string{"symbol", "time"},
		time: func(r *gapRow) int64 { return r.Time },
		key: func(a, b *gapRow) int {
			return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Time, b.Time), cmp.Compare(a.To, b.To),
				cmp.Compare(a.Source, b.Source), cmp.Compare(a.Reason, b.Reason))
		},
		origin:  func(r *gapRow) *origin { return &r.origin },
		resolve: first[gapRow],
	}
}

func aliasKind() *kind[aliasRow] {
	return &kind[aliasRow]{
		name: "aliases", sorted: []string{"symbol", "was"},
		time: func(r *aliasRow) int64 { return r.Received },
		key: func(a, b *aliasRow) int {
			return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Was, b.Was), cmp.Compare(a.From, b.From),
				cmp.Compare(a.Until, b.Until), a.compare(&b.origin))
		},
		origin:  func(r *aliasRow) *origin { return &r.origin },
		resolve: first[aliasRow],
	}
}

// asideKind is what was set aside. An observation that comes again is the same.
func asideKind() *kind[asideRow] {
	return &kind[asideRow]{
		name: "quarantine", sorted: []string{"symbol", "time"},
		time: func(r *asideRow) int64 { return r.Time },
		key: func(a, b *asideRow) int {
			return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind),
				cmp.Compare(a.Session, b.Session), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Interval, b.Interval),
				cmp.Compare(a.Unit, b.Unit), compareFixed(a.Native, b.Native),
				compareDecimals(value(a.Native, a.Outside, "price_native"), value(b.Native, b.Outside, "price_native")))
		},
		origin:  func(r *asideRow) *origin { return &r.origin },
		resolve: resolveAsides,
	}
}

// first keeps one row of those that say the same: the first that was received.
func first[T any](group []*entry[T], put put[T]) error { return put(shown, &group[0].row) }
