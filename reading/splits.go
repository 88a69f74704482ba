package reading

import (
	"fmt"
	"slices"
	"time"

	"kurs"
)

// Splits applies splits of shares to prices that were made before them, so that
// old and new prices compare. Stored prices stay as they were seen.
type Splits struct {
	of map[string][]kurs.Event // by the symbol that the instrument goes by, by time
}

// Add takes note of an event of an instrument, which its symbol is to name as it
// goes by now; those that are no splits are passed over.
func (s *Splits) Add(e kurs.Event) error {
	if e.Kind != kurs.EventSplit || e.Numerator.Sign() <= 0 || e.Denominator.Sign() <= 0 {
		return nil
	}
	if s.of == nil {
		s.of = map[string][]kurs.Event{}
	}
	all := s.of[e.Symbol]
	i, _ := slices.BinarySearchFunc(all, e.Time, func(a kurs.Event, t time.Time) int { return a.Time.Compare(t) })
	for _, other := range all {
		if other.Time.Equal(e.Time) && other.Numerator == e.Numerator && other.Denominator == e.Denominator {
			return nil // two sources tell of one split
		}
	}
	s.of[e.Symbol] = slices.Insert(all, i, e)
	return nil
}

// ratio is what a price is to be multiplied with.
type ratio struct{ numerator, denominator kurs.Decimal }

// after is the ratio for a price of a time, for the splits that came after; ok is
// false where there was none. A price that was received after a split that it is
// older than may count in the new shares already: then the time is that of its
// reception.
func (s *Splits) after(symbol string, at time.Time) (r ratio, ok bool, err error) {
	r = ratio{kurs.Int(1), kurs.Int(1)}
	for _, e := range s.of[symbol] {
		if !e.Time.After(at) {
			continue
		}
		ok = true
		if r.numerator, err = r.numerator.Mul(e.Denominator); err != nil {
			return r, false, fmt.Errorf("splits of %s: %w", symbol, err)
		}
		if r.denominator, err = r.denominator.Mul(e.Numerator); err != nil {
			return r, false, fmt.Errorf("splits of %s: %w", symbol, err)
		}
	}
	return r, ok, nil
}

// Row applies the splits after a price to it. Volumes are not touched.
func (s *Splits) Row(r *kurs.Row) error {
	by, ok, err := s.after(nameOf(r.Symbol, r.Instrument), r.Time)
	if err != nil || !ok {
		return err
	}
	r.SplitFactor = kurs.Int(1)
	return by.times(&r.SplitFactor, &r.PriceNative, &r.PriceBase, &r.Bid, &r.Ask)
}

// Bar applies the splits after a provider's bar to it. One that the provider has
// rewritten counts in the shares of when it was received.
func (s *Splits) Bar(b *kurs.BarRow) error {
	at := b.Time
	if b.Rewritten {
		at = b.ReceivedISO
	}
	by, ok, err := s.after(nameOf(b.Symbol, b.Instrument), at)
	if err != nil || !ok {
		return err
	}
	b.SplitFactor = kurs.Int(1)
	return by.times(&b.SplitFactor, &b.OpenNative, &b.HighNative, &b.LowNative, &b.CloseNative, &b.OpenBase, &b.HighBase, &b.LowBase, &b.CloseBase)
}

// nameOf is the name that an instrument goes by.
func nameOf(symbol, instrument string) string {
	if instrument == "" {
		return symbol
	}
	return instrument
}

// times multiplies what is known. The quotient is rounded once.
func (r ratio) times(values ...*kurs.Decimal) error {
	for _, v := range values {
		if !v.Known() {
			continue
		}
		product, err := v.Mul(r.numerator)
		if err == nil {
			*v, err = product.Quo(r.denominator)
		}
		if err != nil {
			return fmt.Errorf("apply a split: %w", err)
		}
	}
	return nil
}
