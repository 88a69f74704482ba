package fx_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
	"kurs/process/fx"
)

// TestARateIsNeverOfLater than what it is asked for, nor its legs, nor is it older
// than the policy allows; and a rate that is not there is none, never 1. Of random
// books with several sources, policies, intervals, rates out of order, over open
// and closed hours; before a snapshot and after.
func TestARateIsNeverOfLater(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := fx.New()
		policy := fx.Policy{
			MaxAge: time.Duration(rapid.IntRange(1, 60).Draw(rt, "max_age")) * time.Minute, MaxAgeClosed: time.Duration(rapid.IntRange(1, 96).Draw(rt, "closed")) * time.Hour,
			MaxAgeDaily: time.Duration(rapid.IntRange(1, 10).Draw(rt, "daily")) * 24 * time.Hour,
			Via:         rapid.SampledFrom([]string{fx.ViaAuto, fx.ViaNone, "USD", "GBP"}).Draw(rt, "via"),
			Sources:     rapid.SampledFrom([][]string{nil, {"yahoo", "ecb"}, {"ecb"}}).Draw(rt, "sources"),
		}
		b.SetPolicy(1, policy)
		friday := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		anyTime := func() time.Time {
			return friday.Add(time.Duration(rapid.IntRange(0, 5*24*60).Draw(rt, "minutes")) * time.Minute)
		}
		pair := func() kurs.Pair {
			i, j := rapid.IntRange(0, 4).Draw(rt, "from"), rapid.IntRange(1, 4).Draw(rt, "to")
			return kurs.Pair{From: currencies[i], To: currencies[(i+j)%5]}
		}
		n := uint64(rapid.IntRange(2, 30).Draw(rt, "messages"))
		for pos := uint64(2); pos <= n; pos++ {
			r := rate(pos, "USD", "DKK", "6.4", anyTime())
			r.Pair, r.Kept = pair(), true
			r.Source = rapid.SampledFrom([]string{"yahoo", "ecb"}).Draw(rt, "source")
			r.Interval = rapid.SampledFrom([]string{"", "1m", "1d"}).Draw(rt, "interval")
			b.Learn(pos, []kurs.Rate{r})
		}
		other := restored(rt, b)
		for range 20 {
			p, at, upTo := pair(), anyTime(), uint64(rapid.IntRange(0, int(n)).Draw(rt, "up_to"))
			r, ok := b.AsOf(p, at, upTo)
			if again, same := other.AsOf(p, at, upTo); same != ok || again != r {
				rt.Fatalf("after a snapshot %+v, before %+v", again, r)
			}
			if !ok {
				if r.Known() || r != (kurs.Rate{}) {
					rt.Fatalf("no rate, and yet %+v", r)
				}
				continue
			}
			if r.IsIdentity() || r.Pair != p || r.Value.Sign() <= 0 {
				rt.Fatalf("asked for %s: %+v", p, r)
			}
			times := []time.Time{r.Time}
			for _, l := range r.Legs {
				if l.Known() {
					times = append(times, l.Time)
				}
			}
			for _, of := range times {
				if age := at.Sub(of); age < 0 || age > max(policy.MaxAge, policy.MaxAgeClosed, policy.MaxAgeDaily) {
					rt.Fatalf("%s as of %s is of %s: %+v", p, at, of, r)
				}
			}
			if r.Received.After(friday.Add(5 * 24 * time.Hour)) {
				rt.Fatalf("received %s", r.Received)
			}
		}
	})
}

// TestInverseAndCrossAgree with the rates that they are made of.
//
// The bound: a number that is rounded half-even to 15 significant digits is off by
// at most half a unit of its last digit, which relative to itself is at most
// u = 5e-15 (of 1.00000000000000; less of any other). An inverse is rounded once:
// r x inverse is within 1 ± u. A cross is rounded once, so it is within 1 ± u of
// the product of its legs; where both are read the other way round their product
// is rounded first and then the quotient, which is 1 ± u of 1/(product (1 ± u)):
// within 1 ± 2u(1 + u), and 3u bounds that. There and back is two crosses: within
// (1 ± 3u)², and 7u bounds that.
func TestInverseAndCrossAgree(t *testing.T) {
	u := big.NewRat(5, 1_000_000_000_000_000)
	within := func(rt *rapid.T, what string, got *big.Rat, times int64) {
		off := new(big.Rat).Sub(got, big.NewRat(1, 1))
		if off.Abs(off).Cmp(new(big.Rat).Mul(u, big.NewRat(times, 1))) > 0 {
			rt.Fatalf("%s is off by %s", what, off.FloatString(20))
		}
	}
	exact := func(rt *rapid.T, d kurs.Decimal) *big.Rat {
		r, ok := new(big.Rat).SetString(d.String())
		if !ok {
			rt.Fatalf("%s", d)
		}
		return r
	}
	rapid.Check(t, func(rt *rapid.T) {
		b := fx.New()
		b.SetPolicy(1, fx.Policy{Via: "EUR"})
		legs := map[string]*big.Rat{} // what one of it is in euros
		for i, c := range []string{"USD", "JPY"} {
			value, err := kurs.NewDecimal(rapid.Int64Range(1, 999_999_999_999_999).Draw(rt, "coef"), rapid.IntRange(-18, -2).Draw(rt, "exp"))
			if err != nil {
				rt.Fatal(err)
			}
			r := rate(uint64(i)+2, c, "EUR", "1", tuesday)
			r.Value, r.Kept = value, true
			legs[c] = exact(rt, value)
			if rapid.Bool().Draw(rt, "the other way round") {
				r.From, r.To = r.To, r.From
				legs[c].Inv(legs[c])
			}
			b.Learn(uint64(i)+2, []kurs.Rate{r})
		}
		ask := func(from, to string) *big.Rat {
			r, ok := b.AsOf(kurs.Pair{From: from, To: to}, tuesday, 3)
			if !ok {
				rt.Fatalf("no %s%s", from, to)
			}
			return exact(rt, r.Value)
		}
		for c, leg := range legs {
			within(rt, c+"EUR", new(big.Rat).Quo(ask(c, "EUR"), leg), 1)
			within(rt, "EUR"+c, new(big.Rat).Mul(ask("EUR", c), leg), 1)
		}
		cross := new(big.Rat).Quo(legs["USD"], legs["JPY"])
		within(rt, "USDJPY", new(big.Rat).Quo(ask("USD", "JPY"), cross), 3)
		within(rt, "JPYUSD", new(big.Rat).Mul(ask("JPY", "USD"), cross), 3)
		within(rt, "there and back", new(big.Rat).Mul(ask("USD", "JPY"), ask("JPY", "USD")), 7)
	})
}

// TestClosedHours: a rate of before the weekend is good for as long after it as it
// would have been before, and in between for no longer than the policy says.
func TestClosedHours(t *testing.T) {
	for _, c := range []struct {
		name, rate, at string
		maxAge, closed time.Duration
		want           bool
	}{
		{"Friday's last on Saturday", "2026-11-20 21:59", "2026-11-21 12:00", 10 * time.Minute, 96 * time.Hour, true},
		{"until Sunday evening", "2026-11-20 21:59", "2026-11-22 22:00", 10 * time.Minute, 96 * time.Hour, true},
		{"and nine minutes of Monday's market", "2026-11-20 21:59", "2026-11-22 22:09", 10 * time.Minute, 96 * time.Hour, true},
		{"but not eleven", "2026-11-20 21:59", "2026-11-22 22:10:01", 10 * time.Minute, 96 * time.Hour, false},
		{"one that was old on Friday", "2026-11-20 21:49", "2026-11-21 12:00", 10 * time.Minute, 96 * time.Hour, false},
		{"no longer than max_age_closed", "2026-11-20 21:59", "2026-11-21 21:59", 10 * time.Minute, 24 * time.Hour, true},
		{"nor a second more", "2026-11-20 21:59", "2026-11-21 21:59:01", 10 * time.Minute, 24 * time.Hour, false},
		{"max_age_closed below max_age counts as that", "2026-11-24 09:00", "2026-11-24 09:50", time.Hour, time.Minute, true},
		{"in summer the market closes at 21:00 UTC", "2026-07-03 20:59", "2026-07-05 21:08", 10 * time.Minute, 96 * time.Hour, true},
		{"and opens then", "2026-07-03 20:59", "2026-07-05 21:09:01", 10 * time.Minute, 96 * time.Hour, false},
		{"the weekend that clocks go forward is an hour shorter", "2027-03-26 21:59", "2027-03-28 21:08", 10 * time.Minute, 96 * time.Hour, true},
		{"by as much", "2027-03-26 21:59", "2027-03-28 21:09:01", 10 * time.Minute, 96 * time.Hour, false},
		{"the one that they go back is an hour longer", "2026-10-23 20:59", "2026-10-25 22:08", 10 * time.Minute, 96 * time.Hour, true},
		{"by as much", "2026-10-23 20:59", "2026-10-25 22:09:01", 10 * time.Minute, 96 * time.Hour, false},
		{"nothing is closed on a Wednesday", "2026-11-25 21:59", "2026-11-25 22:10", 10 * time.Minute, 96 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := func(text string) time.Time {
				for _, form := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
					if at, err := time.Parse(form, text); err == nil {
						return at
					}
				}
				t.Fatal(text)
				return time.Time{}
			}
			b := fx.New()
			b.SetPolicy(1, fx.Policy{MaxAge: c.maxAge, MaxAgeClosed: c.closed})
			b.Learn(2, []kurs.Rate{rate(2, "GBP", "DKK", "8.6", at(c.rate))})
			for name, book := range map[string]*fx.Book{"told": b, "restored": restored(t, b)} {
				if _, ok := book.AsOf(kurs.Pair{From: "GBP", To: "DKK"}, at(c.at), 2); ok != c.want {
					t.Errorf("%s: a rate of %s at %s: %t", name, c.rate, c.at, ok)
				}
			}
		})
	}
}
