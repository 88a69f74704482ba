package reading

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kurs"
	"kurs/process/fx"
)

// Rates reads stored rates: those of some pairs whose times are after a time and
// not after another, in the order in which they were received; where asOf is not
// zero, as they were known then.
type Rates interface {
	Rates(ctx context.Context, pairs []kurs.Pair, after, until, asOf time.Time, yield func(kurs.Rate) error) error
}

// Converter gives stored prices a value in another currency than they are stored
// in, with the stored rate as of each price's own time: as the recorder would
// have done it, had it known then what is known now. What is stored stays as it
// is. It is for one goroutine.
type Converter struct {
	To     string // ISO 4217
	AsOf   time.Time
	Policy fx.Policy
	Stored Rates

	books []window // the one that was asked last at the end
}

// window is the rates of one currency for prices of a stretch of time.
type window struct {
	from  string
	start time.Time
	book  *fx.Book
}

// Rates are read for stretches of windowLength, and so many of these are
// remembered: rows come by symbol and time, symbols of one currency one after
// another.
const (
	windowLength = 14 * 24 * time.Hour
	mostWindows  = 128
)

// Rate is the rate of a currency as of a time; ok is false where there is none
// that is young enough.
func (c *Converter) Rate(ctx context.Context, from string, at time.Time) (rate kurs.Rate, ok bool, err error) {
	pair := kurs.Pair{From: from, To: c.To}
	if from == c.To {
		return kurs.Identity(from), true, nil
	}
	book, err := c.book(ctx, from, at)
	if err != nil {
		return kurs.Rate{}, false, err
	}
	rate, ok = book.AsOf(pair, at, book.Pos())
	return rate, ok, nil
}

// book is the one of the window that a time is in.
func (c *Converter) book(ctx context.Context, from string, at time.Time) (*fx.Book, error) {
	start := at.UTC().Truncate(windowLength)
	for i, w := range c.books {
		if w.from == from && w.start.Equal(start) {
			c.books = append(slices.Delete(c.books, i, i+1), w)
			return w.book, nil
		}
	}
	book, err := c.read(ctx, from, start)
	if err != nil {
		return nil, err
	}
	if len(c.books) == mostWindows {
		c.books = slices.Delete(c.books, 0, 1)
	}
	c.books = append(c.books, window{from, start, book})
	return book, nil
}

// read makes the book of a window from what is stored.
func (c *Converter) read(ctx context.Context, from string, start time.Time) (*fx.Book, error) {
	book := fx.NewWhole()
	pos := uint64(1)
	book.SetPolicy(pos, c.Policy)
	var rates []kurs.Rate
	after, until := start.Add(-c.Policy.Oldest()), start.Add(windowLength)
	err := c.Stored.Rates(ctx, PairsOf(kurs.Pair{From: from, To: c.To}, c.Policy.Vias()), after, until, c.AsOf, func(r kurs.Rate) error {
		rates = append(rates, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the rates of %s: %w", from, err)
	}
	slices.SortStableFunc(rates, func(a, b kurs.Rate) int { return a.Received.Compare(b.Received) })
	for len(rates) > 0 {
		n := 1
		for n < len(rates) && rates[n].Raw == rates[0].Raw {
			n++
		}
		pos++
		book.Learn(pos, rates[:n])
		rates = rates[n:]
	}
	// The preferred source had its time to tell: what is missing is missing.
	asOf := c.AsOf
	if asOf.IsZero() {
		asOf = time.Now()
	}
	book.Tick(pos+1, asOf)
	return book, nil
}

// PairsOf are the pairs that a rate may be computed from, both ways.
func PairsOf(pair kurs.Pair, vias []string) []kurs.Pair {
	out := []kurs.Pair{pair, pair.Inverse()}
	for _, via := range vias {
		if via == pair.From || via == pair.To {
			continue
		}
		for _, leg := range []kurs.Pair{{From: pair.From, To: via}, {From: via, To: pair.To}} {
			out = append(out, leg, leg.Inverse())
		}
	}
	return out
}

// Row gives a row its value in the currency. It has none where its unit is not
// known, or where there is no rate of its time.
func (c *Converter) Row(ctx context.Context, r *kurs.Row) error {
	if c.To == "" || c.To == r.CurrencyBase {
		return nil
	}
	r.CurrencyBase, r.PriceBase, r.FXRate, r.FXTime, r.FXSource = c.To, kurs.Decimal{}, kurs.Decimal{}, time.Time{}, ""
	rate, ok, err := c.of(ctx, r.CurrencyNative, r.Time)
	if err != nil || !ok {
		return err
	}
	if r.PriceBase, err = kurs.Convert(r.PriceNative, r.Factor, rate.Value); err != nil {
		return fmt.Errorf("%s at %s: %w", r.Symbol, r.Time.Format(time.RFC3339), err)
	}
	r.FXRate, r.FXTime, r.FXSource = rate.Value, rate.Time, rate.Source
	return nil
}

// Bar gives a provider's bar its values in the currency, whole, with the rate as
// of its end.
func (c *Converter) Bar(ctx context.Context, b *kurs.BarRow) error {
	if c.To == "" || c.To == b.CurrencyBase {
		return nil
	}
	b.CurrencyBase, b.FXRate, b.FXTime, b.FXSource = c.To, kurs.Decimal{}, time.Time{}, ""
	base := []*kurs.Decimal{&b.OpenBase, &b.HighBase, &b.LowBase, &b.CloseBase}
	for _, v := range base {
		*v = kurs.Decimal{}
	}
	end := kurs.Bar{Start: b.Time, Interval: b.Interval}.End()
	rate, ok, err := c.of(ctx, b.CurrencyNative, end)
	if err != nil || !ok {
		return err
	}
	for i, native := range []kurs.Decimal{b.OpenNative, b.HighNative, b.LowNative, b.CloseNative} {
		if !native.Known() {
			continue
		}
		if *base[i], err = kurs.Convert(native, b.Factor, rate.Value); err != nil {
			return fmt.Errorf("%s at %s: %w", b.Symbol, b.Time.Format(time.RFC3339), err)
		}
	}
	b.FXRate, b.FXTime, b.FXSource = rate.Value, rate.Time, rate.Source
	return nil
}

func (c *Converter) of(ctx context.Context, currency string, at time.Time) (kurs.Rate, bool, error) {
	if currency == "" {
		return kurs.Rate{}, false, nil
	}
	return c.Rate(ctx, currency, at)
}
