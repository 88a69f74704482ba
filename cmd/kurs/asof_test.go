package main

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// This file is the rate book once more, as the tests of whole days check it: all
// that became known, looked through for each price, in exact arithmetic.

// knownRates are what became known of a pair, in the order of the stream.
type knownRates struct {
	of     map[string][]knownRate
	begin  map[string]uint64 // position of the first
	last   uint64
	london *time.Location
}

type knownRate struct {
	pos   uint64
	at    time.Time
	daily bool
	value *big.Rat
}

// known are the rates that the exchange told of and that are not odd.
func (d *trading) known(t *testing.T) *knownRates {
	t.Helper()
	out := &knownRates{of: map[string][]knownRate{}, begin: map[string]uint64{}, last: d.last()}
	var err error
	if out.london, err = time.LoadLocation("Europe/London"); err != nil {
		t.Fatal(err)
	}
	for i, raw := range d.rates {
		seen, err := wire.Decode(raw)
		if err != nil {
			continue
		}
		add := func(symbol string, at time.Time, value kurs.Decimal, daily bool) {
			if odd(t, told{symbol: symbol, price: value.String()}) {
				return
			}
			pair := strings.TrimSuffix(symbol, "=X")
			if len(pair) == 3 {
				pair = "USD" + pair
			}
			out.of[pair] = append(out.of[pair], knownRate{uint64(i) + policyAt + 1, at, daily, ratOf(t, value.String())})
		}
		for _, q := range seen.Quotes {
			add(q.Symbol, q.Time, q.Value, false)
		}
		for _, bar := range seen.Bars {
			length := map[string]time.Duration{"1m": time.Minute, "1d": 24 * time.Hour}[bar.Interval]
			if end := bar.Start.Add(length); length > 0 && !end.After(raw.Received) {
				add(bar.Symbol, end, bar.Close, bar.Interval == "1d")
			}
		}
	}
	for pair, all := range out.of { // the newest first, of one time the one that was learned later
		out.begin[pair] = all[0].pos
		slices.SortStableFunc(all, func(a, b knownRate) int {
			if c := b.at.Compare(a.at); c != 0 {
				return c
			}
			return int(b.pos) - int(a.pos)
		})
	}
	return out
}

// first is the rate of a price: as of its time, by what was known up to a
// position; else the first that became known after it.
func (k *knownRates) first(from, to string, at time.Time, upTo uint64) (*big.Rat, bool) {
	if from == to {
		return big.NewRat(1, 1), true
	}
	for ; upTo <= k.last; upTo++ {
		if r, ok := k.asOf(from, to, at, upTo); ok {
			return r, true
		}
	}
	return nil, false
}

// asOf is the pair's rate, else its inverse, else the product of two through the
// euro or the dollar.
func (k *knownRates) asOf(from, to string, at time.Time, upTo uint64) (*big.Rat, bool) {
	if r, inverse, ok := k.quoted(from, to, at, upTo); ok {
		if inverse {
			r = rounded(new(big.Rat).Inv(r))
		}
		return r, true
	}
	for _, via := range []string{"EUR", "USD"} {
		a, aInverse, aOK := k.quoted(from, via, at, upTo)
		b, bInverse, bOK := k.quoted(via, to, at, upTo)
		if via == from || via == to || !aOK || !bOK {
			continue
		}
		switch {
		case aInverse && bInverse:
			return rounded(new(big.Rat).Inv(rounded(new(big.Rat).Mul(a, b)))), true
		case aInverse:
			return rounded(new(big.Rat).Quo(b, a)), true
		case bInverse:
			return rounded(new(big.Rat).Quo(a, b)), true
		}
		return rounded(new(big.Rat).Mul(a, b)), true
	}
	return nil, false
}

func (k *knownRates) quoted(from, to string, at time.Time, upTo uint64) (r *big.Rat, inverse, ok bool) {
	for _, pair := range []string{from + to, to + from} {
		if first, ok := k.begin[pair]; !ok || first > upTo {
			continue
		}
		all := k.of[pair]
		i, _ := slices.BinarySearchFunc(all, at, func(r knownRate, at time.Time) int { return at.Compare(r.at) })
		for _, r := range all[i:] {
			if r.pos <= upTo && k.young(r, at) {
				return r.value, pair != from+to, true
			}
		}
	}
	return nil, false, false
}

// young: ten minutes in which the currency market was open, four days at most; a
// rate of a day for a week.
func (k *knownRates) young(r knownRate, at time.Time) bool {
	age := at.Sub(r.at)
	switch {
	case r.daily:
		return age <= 7*24*time.Hour
	case age <= 10*time.Minute:
		return true
	case age > 96*time.Hour:
		return false
	}
	// The weekend that the time is in or behind of, from Friday to Sunday 22:00 in London.
	local := at.In(k.london)
	friday := time.Date(local.Year(), local.Month(), local.Day()-(int(local.Weekday())+2)%7, 22, 0, 0, 0, k.london)
	if friday.After(at) {
		friday = time.Date(friday.Year(), friday.Month(), friday.Day()-7, 22, 0, 0, 0, k.london)
	}
	sunday := time.Date(friday.Year(), friday.Month(), friday.Day()+2, 22, 0, 0, 0, k.london)
	if r.at.After(friday) {
		friday = r.at
	}
	if at.Before(sunday) {
		sunday = at
	}
	if closed := sunday.Sub(friday); closed > 0 {
		age -= closed
	}
	return age <= 10*time.Minute
}

func ratOf(t *testing.T, text string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return r
}

// rounded is a value to 15 digits, half to even.
func rounded(r *big.Rat) *big.Rat {
	if r.Sign() <= 0 {
		return r
	}
	scaled, scale := new(big.Rat).Set(r), big.NewRat(1, 1)
	ten, least, most := big.NewRat(10, 1), big.NewRat(100_000_000_000_000, 1), big.NewRat(1_000_000_000_000_000, 1)
	for scaled.Cmp(least) < 0 {
		scaled.Mul(scaled, ten)
		scale.Mul(scale, ten)
	}
	for scaled.Cmp(most) >= 0 {
		scaled.Quo(scaled, ten)
		scale.Quo(scale, ten)
	}
	whole, rest := new(big.Int).QuoRem(scaled.Num(), scaled.Denom(), new(big.Int))
	if c := rest.Lsh(rest, 1).Cmp(scaled.Denom()); c > 0 || c == 0 && whole.Bit(0) == 1 {
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), scale)
}
