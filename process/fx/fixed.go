package fx

import (
	"math"
	"slices"

	"kurs"
)

// fixRates makes series of the rates that a person wrote down: lookups then go
// the same way as for any other source. They have no receipt, and are not
// forgotten while their policy is in force.
func (r *rules) fixRates(all []Fixed) {
	if len(all) == 0 {
		return
	}
	r.fixedSource = newSource(SourceFixed)
	r.fixedSource.nameCrosses(r.vias)
	r.fixed = map[code][]*series{}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Fixed) int { return a.From.Compare(b.From) })
	for _, f := range sorted {
		key, isPair := codeOf(f.Pair)
		at, sane := nanos(f.From)
		if f.From.IsZero() { // from ever
			at, sane = nanos(earliest.AddDate(0, 0, 1))
		}
		if !isPair || !sane || f.Value.Sign() <= 0 {
			continue
		}
		if len(r.fixed[key]) == 0 {
			r.fixed[key] = []*series{{source: r.fixedSource, class: class{own: math.MaxInt64}}}
		}
		in := r.fixed[key][0]
		coef, exp := f.Value.Round(kurs.Precision).Parts()
		in.rates = slices.Insert(in.rates, in.upTo(at), stored{
			at: at, coef: coef, exp: int16(exp), gone: forever, //nolint:gosec // a decimal's exponent is within 400
		})
	}
}
