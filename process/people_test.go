package process

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/process/fx"
	"kurs/queue/queuetest"
)

// decodeSaid reads a body of lines "ACTION KIND SYMBOL VALUE UNIT MINUTES FACTOR
// NEAR": a decision of what was set aside, at so many minutes after noon.
func decodeSaid(raw kurs.Raw) (seen kurs.Observed, err error) {
	for line := range strings.Lines(string(raw.Body)) {
		var action, kind, symbol, value, unit, factor, near string
		var minutes int
		if _, err := fmt.Sscan(line, &action, &kind, &symbol, &value, &unit, &minutes, &factor, &near); err != nil {
			return seen, fmt.Errorf("%w: %w", kurs.ErrRejected, err)
		}
		d := kurs.Decision{Action: kurs.Action(action), Factor: kurs.MustDecimal(factor), Author: "anna", Of: kurs.SetAside{
			Kind: kurs.AsideKind(kind), Price: kurs.Price{Quote: quote(symbol, value, unit, noon.Add(time.Duration(minutes)*time.Minute))},
		}}
		if near != "-" {
			d.Near = kurs.Neighbour{Unit: unit, Value: kurs.MustDecimal(near), Time: noon}
		}
		seen.Decisions = append(seen.Decisions, d)
	}
	return seen, nil
}

// said is what a person says, as a raw message.
func (r *run) said(body string) kurs.Raw {
	raw := r.raw(body)
	raw.ID.Source, raw.Source = kurs.SourceUser, kurs.SourceUser
	return raw
}

// say puts what a person says on raw, and first among the rates.
func (r *run) say(body string) {
	r.Helper()
	raw := r.said(body)
	seq, err := r.q.PutRates(r.Context(), raw)
	if err != nil {
		r.Fatal(err)
	}
	r.rates.Last = seq
	if _, err := r.q.PutRaw(r.Context(), raw); err != nil {
		r.Fatal(err)
	}
}

// TestARateThatAPersonKeepsCountsFromThenOn: what came before is converted without
// it; another factor takes its place.
func TestARateThatAPersonKeepsCountsFromThenOn(t *testing.T) {
	r := newRun(t, queuetest.Start(t, 64<<20), "r1")
	r.learn("DKK=X 6 DKK 0")
	r.learn("DKK=X 600 DKK 2") // not believed
	r.prices("AAPL 1 USD 3")
	r.say("kept rate DKK=X 600 DKK 2 1 -")
	r.prices("MSFT 1 USD 3")
	r.say("kept rate DKK=X 600 DKK 2 0.01 -")
	r.prices("GOOG 1 USD 3")
	r.want("AAPL 6", "GOOG 6", "MSFT 600")
}

// TestWhoAcquiresLearnsWhatIsRight from decisions: what was kept as it is, and,
// where that is dropped later, what was right before.
func TestWhoAcquiresLearnsWhatIsRight(t *testing.T) {
	q := queuetest.Start(t, 64<<20)
	r := newRun(t, q, "r1")
	for _, body := range []string{
		"kept quote A 8842 GBp 5 1 -",     // right as it is
		"kept quote B 8842 GBp 5 0.01 -",  // right but for a factor: nothing new is known
		"dropped quote C 8842 GBp 5 1 -",  // wrong, and never was a neighbour
		"dropped quote D 8842 GBp 5 1 88", // wrong, and was kept before
		"kept bar E 8842 GBp 5 1 -",
		"kept quote F 1 GBp 5 1 -\nkept quote F 2 GBp 7 1 -\nkept quote F 3 GBp 6 1 -", // the newest
	} {
		if _, err := q.PutRaw(t.Context(), r.said(body)); err != nil {
			t.Fatal(err)
		}
	}
	r.process()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	got := map[string]kurs.Neighbour{}
	q.FollowSettled(ctx, func(symbol string, near kurs.Neighbour) {
		if got[symbol] = near; len(got) == 3 {
			stop()
		}
	})
	after := func(value string, minutes int) kurs.Neighbour {
		return kurs.Neighbour{Unit: "GBp", Value: kurs.MustDecimal(value), Time: noon.Add(time.Duration(minutes) * time.Minute)}
	}
	want := map[string]kurs.Neighbour{"A": after("8842", 5), "D": after("88", 5), "F": after("2", 7)}
	if diff := cmp.Diff(want, got, decimals); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestWhatIsSaidIsConvertedByItself: a currency, a factor or a rate that does not
// belong to the unit, or to this base currency, is not taken over.
func TestWhatIsSaidIsConvertedByItself(t *testing.T) {
	rate := func(from, to, value string) kurs.Conversion {
		return kurs.Conversion{
			Currency: from, Factor: kurs.Int(1), BaseCurrency: to,
			Rate: kurs.Rate{Pair: kurs.Pair{From: from, To: to}, Value: kurs.MustDecimal(value), Time: noon, Source: "yahoo"},
		}
	}
	for _, c := range []struct {
		name  string
		unit  string
		given kurs.Conversion
		want  string // base; "" is that it waits
	}{
		{"its own rate", "GBp", rate("GBP", "DKK", "8.5"), "7.5157"},
		{"none", "GBp", kurs.Conversion{}, "7.61499566"},
		{"of another currency", "GBp", rate("USD", "DKK", "6.5"), "7.61499566"},
		{"to another currency", "GBp", rate("GBP", "EUR", "1.1"), "7.61499566"},
		{"a rate below 0", "GBp", rate("GBP", "DKK", "-1"), "7.61499566"},
		{"a rate of the base currency to itself", "DKK", rate("DKK", "DKK", "5"), "88.42"},
		{"a unit without a rate", "JPY", kurs.Conversion{}, ""},
		{"a unit that is none", "points", rate("GBP", "DKK", "8.5"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := kurs.Price{Quote: quote("VOD.L", "88.42", c.unit, noon), Conversion: c.given}
			seen := kurs.Observed{
				Decisions:   []kurs.Decision{{Of: kurs.SetAside{Kind: kurs.AsideQuote, Price: p}, Action: kurs.ActionKeep, Factor: kurs.Int(1)}},
				Corrections: []kurs.Correction{{Price: p, Author: "anna"}},
			}
			out, err := processor(t, seen).Process(rawAt(noon.Add(time.Minute)), 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, got := range []kurs.Price{out.Batch.Prices[0], out.Batch.Corrections[0].Price} {
				if got.Base.String() != c.want || got.BaseCurrency != "DKK" {
					t.Errorf("%+v is %s", got.Conversion, got.Base)
				}
			}
			if waits := c.want == "" && c.unit == "JPY"; (len(out.Pending) == 2) != waits {
				t.Errorf("%d wait", len(out.Pending))
			}
		})
	}
}

// TestDecisionsThatCannotBeDone are refused, and the others are done.
func TestDecisionsThatCannotBeDone(t *testing.T) {
	of := func(value string) kurs.SetAside {
		return kurs.SetAside{Kind: kurs.AsideQuote, Price: kurs.Price{Quote: quote("VOD.L", value, "GBp", noon)}}
	}
	seen := kurs.Observed{Decisions: []kurs.Decision{
		{Of: of("1e300"), Action: kurs.ActionKeep, Factor: kurs.MustDecimal("1e300")},
		{Of: of("2"), Action: kurs.ActionDrop, Factor: kurs.Int(1)},
		{Of: of("3"), Action: kurs.ActionKeep, Factor: kurs.Int(1)},
	}}
	seen.Decisions[0].Of.Symbol = "BP.L"
	seen.Decisions = append(seen.Decisions, kurs.Decision{Of: of("4"), Action: kurs.ActionKeep, Factor: kurs.Int(1)})
	out, err := processor(t, seen).Process(rawAt(noon.Add(time.Minute)), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Batch.Prices) != 1 || out.Batch.Prices[0].Value != kurs.Int(3) || len(out.Batch.Decisions) != 2 || len(out.Refused) != 2 {
		t.Errorf("%d prices, %d decisions, refused %q", len(out.Batch.Prices), len(out.Batch.Decisions), out.Refused)
	}
	if _, err := (&Processor{Decode: map[string]kurs.Decode{}, Rates: fx.New()}).Process(rawAt(noon), 0); !errors.Is(err, kurs.ErrRejected) {
		t.Error(err)
	}
}
