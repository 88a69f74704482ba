package reading_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
	"kurs/process/fx"
	"kurs/reading"
)

// stored are rates as a store has them.
type stored []kurs.Rate

func (s stored) Rates(_ context.Context, pairs []kurs.Pair, after, until, asOf time.Time, yield func(kurs.Rate) error) error {
	for _, pair := range pairs {
		for _, r := range s {
			if r.Pair != pair || !r.Time.After(after) || r.Time.After(until) || !asOf.IsZero() && r.Received.After(asOf) {
				continue
			}
			if err := yield(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func rate(from, to, value string, at time.Time) kurs.Rate {
	return kurs.Rate{
		Pair: kurs.Pair{From: from, To: to}, Value: kurs.MustDecimal(value), Time: at, Source: "yahoo", Received: at.Add(time.Second),
		Raw: kurs.RawID{Source: "yahoo", Run: from + to, Counter: uint64(at.Unix())}, Kept: true,
	}
}

var noon = tuesday.Add(12 * time.Hour)

func row(currency, value string, at time.Time) kurs.Row {
	return kurs.Row{
		Symbol: "A", Time: at, PriceNative: kurs.MustDecimal(value), Unit: currency, CurrencyNative: currency, Factor: kurs.Int(1),
		FXRate: kurs.MustDecimal("6.4"), FXTime: at, FXSource: "yahoo", PriceBase: kurs.MustDecimal("64"), CurrencyBase: "DKK",
	}
}

func TestConverter(t *testing.T) {
	rates := stored{
		rate("USD", "DKK", "6.4", noon), rate("EUR", "DKK", "7.5", noon), rate("USD", "DKK", "6.5", noon.Add(time.Minute)),
		rate("USD", "DKK", "6.6", noon.Add(40*24*time.Hour)), rate("EUR", "DKK", "7.5", noon.Add(40*24*time.Hour)),
	}
	policy := fx.DefaultPolicy()
	policy.Home = "DKK"
	for _, c := range []struct {
		name     string
		to       string
		currency string
		at, asOf time.Time
		base     string // empty: none
		source   string
	}{
		{name: "the currency that it is stored in: nothing is changed", to: "DKK", currency: "USD", at: noon, base: "64", source: "yahoo"},
		{name: "its own currency", to: "USD", currency: "USD", at: noon, base: "10"},
		{name: "through the currency of the rates", to: "EUR", currency: "USD", at: noon, base: "8.53333333333333", source: "yahoo via DKK"},
		{name: "from that currency", to: "EUR", currency: "DKK", at: noon, base: "1.33333333333333", source: "yahoo inverse"},
		{name: "a minute later", to: "EUR", currency: "USD", at: noon.Add(time.Minute), base: "8.66666666666667", source: "yahoo via DKK"},
		{name: "forty days later", to: "EUR", currency: "USD", at: noon.Add(40 * 24 * time.Hour), base: "8.8", source: "yahoo via DKK"},
		{name: "an hour before: never with a later rate", to: "EUR", currency: "USD", at: noon.Add(-time.Hour)},
		{name: "an hour after: never with one that is too old", to: "EUR", currency: "USD", at: noon.Add(time.Hour)},
		{name: "before the rate was known", to: "EUR", currency: "USD", at: noon.Add(time.Minute), asOf: noon.Add(59 * time.Second), base: "8.53333333333333", source: "yahoo via DKK"},
		{name: "a currency of which no rate is stored", to: "SEK", currency: "USD", at: noon},
		{name: "a unit that is not known", to: "EUR", currency: "", at: noon},
	} {
		t.Run(c.name, func(t *testing.T) {
			converter := reading.Converter{To: c.to, AsOf: c.asOf, Policy: policy, Stored: rates}
			r := row(c.currency, "10", c.at)
			if err := converter.Row(t.Context(), &r); err != nil {
				t.Fatal(err)
			}
			if r.PriceBase.String() != c.base || r.FXSource != c.source || r.CurrencyBase != c.to {
				t.Errorf("got %s %s by %q, want %s by %q", r.PriceBase, r.CurrencyBase, r.FXSource, c.base, c.source)
			}
		})
	}
}

// TestConverterIsTheSameInAnyOrder asks for more stretches of time than are
// remembered.
func TestConverterIsTheSameInAnyOrder(t *testing.T) {
	var rates stored
	codes := []string{"USD", "EUR", "GBP", "SEK", "NOK", "CHF"}
	for i := range 120 {
		for j, code := range codes {
			at := tuesday.Add(time.Duration(i) * 6 * 24 * time.Hour)
			rates = append(rates, rate(code, "DKK", kurs.Int(int64(100+i+j)).String(), at))
		}
	}
	policy := fx.DefaultPolicy()
	policy.Home = "DKK"
	one := reading.Converter{To: "EUR", Policy: policy, Stored: rates}
	rapid.Check(t, func(r *rapid.T) {
		at := tuesday.Add(time.Duration(rapid.IntRange(0, 119).Draw(r, "day"))*6*24*time.Hour + time.Minute)
		code := rapid.SampledFrom(codes).Draw(r, "currency")
		got, want := row(code, "10", at), row(code, "10", at)
		fresh := reading.Converter{To: "EUR", Policy: policy, Stored: rates}
		if err := one.Row(t.Context(), &got); err != nil {
			r.Fatal(err)
		}
		if err := fresh.Row(t.Context(), &want); err != nil {
			r.Fatal(err)
		}
		if got.PriceBase != want.PriceBase || !got.PriceBase.Known() {
			r.Fatalf("%s at %s: %s, and alone %s", code, at, got.PriceBase, want.PriceBase)
		}
	})
}

func TestConverterOfBars(t *testing.T) {
	rates := stored{rate("USD", "EUR", "0.9", noon), rate("USD", "EUR", "0.8", noon.Add(59*time.Second)), rate("USD", "EUR", "0.7", noon.Add(61*time.Second))}
	c := reading.Converter{To: "EUR", Policy: fx.DefaultPolicy(), Stored: rates}
	b := kurs.BarRow{
		Symbol: "A", Time: noon, Interval: "1m", OpenNative: kurs.Int(10), CloseNative: kurs.Int(20), Unit: "USD", CurrencyNative: "USD",
		Factor: kurs.Int(1), CurrencyBase: "DKK", HighBase: kurs.Int(99),
	}
	if err := c.Bar(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if b.OpenBase.String() != "8" || b.CloseBase.String() != "16" || b.HighBase.Known() || b.FXRate.String() != "0.8" {
		t.Errorf("a bar is converted whole, as of its end: %+v", b)
	}
}
