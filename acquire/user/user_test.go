package user_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/acquire/user"
	"kurs/internal/testkit"
)

var (
	noon     = time.Date(2026, 11, 24, 12, 0, 0, 250_000_000, time.UTC)
	decimals = cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })
)

func dec(s string) kurs.Decimal { return kurs.MustDecimal(s) }

// words are of every kind, with everything that they may say.
func words() user.Words {
	rate := kurs.Rate{Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: dec("8.6123"), Time: noon.Add(-time.Minute), Source: "yahoo via EUR"}
	full := kurs.Price{
		Quote: kurs.Quote{
			Symbol: "VOD.L", Source: "yahoo", Time: noon, Session: kurs.SessionPost, Value: dec("8842.00000000000001"), Approximate: true,
			Unit: "GBp", Bid: dec("8841"), Ask: dec("8843"), Volume: kurs.Volume{Known: true},
		},
		Conversion: kurs.Conversion{Currency: "GBP", Factor: dec("0.01"), Rate: rate, BaseCurrency: "DKK"},
	}
	aside := kurs.SetAside{
		Kind: kurs.AsideBar, Price: full, Interval: "1d", Open: dec("1"), High: dec("2"), Low: dec("0.5"),
		Reason: kurs.ReasonJump, Detail: "next to 88.42 GBp",
	}
	aside.Receipt = kurs.Receipt{Received: noon.Add(time.Second), Raw: kurs.RawID{Source: "yahoo", Run: "r1", Counter: 1 << 63}, Origin: kurs.OriginStream}
	spoiled := aside
	spoiled.Kind, spoiled.Value, spoiled.Time, spoiled.Conversion, spoiled.Volume = kurs.AsideQuote, kurs.Decimal{}, time.Time{}, kurs.Conversion{}, kurs.Volume{}
	bare := kurs.Price{Quote: kurs.Quote{Symbol: "VOD.L", Source: "yahoo", Time: noon}}
	return user.Words{
		Decisions: []kurs.Decision{
			{Of: aside, Action: kurs.ActionKeep, Factor: dec("0.01"), Author: "anna", Comment: "it was <pence>"},
			{Of: spoiled, Action: kurs.ActionDrop, Factor: kurs.Int(1), Author: "anna", Near: kurs.Neighbour{Unit: "GBp", Value: dec("88"), Time: noon}},
		},
		Corrections: []kurs.Correction{
			{Price: full, Author: "anna", Reason: "typo\n\x00 of mine"}, {Price: bare, Author: "bo", Reason: "it was right", Undo: true},
		},
		Aliases: []kurs.Alias{
			{Symbol: "META", Was: "FB", From: noon, Until: noon.AddDate(1, 0, 0), Author: "anna"}, {Symbol: "META", Was: "FB", Removed: true},
		},
	}
}

func TestWordsComeBackWhole(t *testing.T) {
	body, err := user.Encode(words())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := user.Decode(kurs.Raw{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	got := user.Words{Decisions: seen.Decisions, Corrections: seen.Corrections, Aliases: seen.Aliases}
	if diff := cmp.Diff(words(), got, decimals); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	testkit.Golden(t, "testdata/words.json", append(body, '\n'))
}

// TestDocumentsThatAreRefused: they become dead letters, and whoever says such a
// thing is told before.
func TestDocumentsThatAreRefused(t *testing.T) {
	const aside = `{"kind":"quote","price":{"symbol":"A","source":"yahoo","time":"2026-11-24T12:00:00Z","value":"1"},"reason":"hundredfold","received":"2026-11-24T12:00:00Z","raw":{"source":"yahoo","run":"r","counter":1}}`
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", "EOF"},
		{"noise", "noise", "invalid character"},
		{"an empty document", "{}", "no version"},
		{"a newer one", `{"version":2}`, "knows up to 1"},
		{"no words", `{"version":1}`, "nothing"},
		{"two documents", `{"version":1,"aliases":[{"symbol":"A","was":"B"}]}{}`, "more than one"},
		{"a decimal that is a number", `{"version":1,"decisions":[{"of":` + strings.Replace(aside, `"1"`, `1`, 1) + `,"action":"kept"}]}`, "value"},
		{"no action", `{"version":1,"decisions":[{"of":` + aside + `}]}`, `decision ""`},
		{"a factor of nothing", `{"version":1,"decisions":[{"of":` + aside + `,"action":"kept","factor":"0"}]}`, "factor 0"},
		{"what has no value is kept", `{"version":1,"decisions":[{"of":` + strings.Replace(aside, `,"value":"1"`, ``, 1) + `,"action":"kept"}]}`, "cannot be kept"},
		{"another kind", `{"version":1,"decisions":[{"of":` + strings.Replace(aside, `"quote"`, `"event"`, 1) + `,"action":"dropped"}]}`, `"event"`},
		{"a correction of no price", `{"version":1,"corrections":[{"price":{"symbol":"A","value":"1"}}]}`, "without a time"},
		{"a correction of no symbol", `{"version":1,"corrections":[{"price":{"value":"1","time":"2026-11-24T12:00:00Z"}}]}`, "no symbol"},
		{"a correction to nothing", `{"version":1,"corrections":[{"price":{"symbol":"A","time":"2026-11-24T12:00:00Z"}}]}`, "without a value"},
		{"an alias onto itself", `{"version":1,"aliases":[{"symbol":"A","was":"A"}]}`, "alias"},
		{"an alias of no time", `{"version":1,"aliases":[{"symbol":"A","was":"B","from":"2026-11-24T12:00:00Z","until":"2026-11-24T12:00:00Z"}]}`, "before it begins"},
		{"a long text", `{"version":1,"aliases":[{"symbol":"A","was":"B","author":"` + strings.Repeat("x", 17<<10) + `"}]}`, "more than 16384 bytes"},
		{"too many", `{"version":1,"aliases":[` + strings.Repeat(`{"symbol":"A","was":"B"},`, 1000) + `{"symbol":"A","was":"B"}]}`, "1001 at once"},
		{"too large", strings.Repeat(" ", user.MaxBytes+1), "at once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := user.Decode(kurs.Raw{Body: []byte(c.body)})
			if !errors.Is(err, kurs.ErrRejected) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want one about %q", err, c.want)
			}
		})
	}
	if _, err := user.Encode(user.Words{}); !errors.Is(err, kurs.ErrRejected) {
		t.Errorf("nothing can be said: %v", err)
	}
	if _, err := user.Encode(user.Words{Aliases: []kurs.Alias{{Symbol: "A\xff", Was: "B"}}}); !errors.Is(err, kurs.ErrRejected) {
		t.Errorf("not UTF-8: %v", err)
	}
}

// TestTheSourceSaysEachOnceAndEnds, and tells what carries rates from what does
// not.
func TestTheSourceSaysEachOnceAndEnds(t *testing.T) {
	rate := words().Decisions[0]
	rate.Of.Kind = kurs.AsideRate
	dropped := rate
	dropped.Action = kurs.ActionDrop
	all := user.Source{words(), {Decisions: []kurs.Decision{dropped, rate}}, {Decisions: []kurs.Decision{dropped}}}
	var kinds []kurs.RawKind
	err := all.Run(t.Context(), func(_ context.Context, raw kurs.Raw, kind kurs.RawKind) error {
		kinds = append(kinds, kind)
		if again, err := user.KindOf(raw.Body); err != nil || again != kind {
			t.Errorf("read again: kind %d, %v", again, err)
		}
		if raw.Endpoint != user.Endpoint || time.Since(raw.Received) > time.Minute {
			t.Errorf("%+v", raw)
		}
		return nil
	})
	if want := []kurs.RawKind{kurs.CarriesPrices, kurs.CarriesRates, kurs.CarriesPrices}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v; %v", kinds, want, err)
	}
	full := errors.New("full")
	if err := all.Run(t.Context(), func(context.Context, kurs.Raw, kurs.RawKind) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
	if _, err := user.KindOf([]byte("noise")); !errors.Is(err, kurs.ErrRejected) {
		t.Error(err)
	}
	if err := (user.Source{{}}).Run(t.Context(), nil); !errors.Is(err, kurs.ErrRejected) {
		t.Error(err)
	}
}

// FuzzDecode: whatever is sent, no panic; what is understood can be written and
// read again, and is the same.
func FuzzDecode(f *testing.F) {
	testkit.Corpus(f)
	body, err := user.Encode(words())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"version":1,"aliases":[{"symbol":"A","was":"B","from":"2026-11-24T12:00:00.123456+01:00"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		seen, err := user.Decode(kurs.Raw{Body: body})
		if err != nil {
			if !errors.Is(err, kurs.ErrRejected) {
				t.Fatal(err)
			}
			return
		}
		said := user.Words{Decisions: seen.Decisions, Corrections: seen.Corrections, Aliases: seen.Aliases}
		again, err := user.Encode(said)
		if err != nil {
			t.Fatalf("cannot be written again: %v\n%+v", err, said)
		}
		seen, err = user.Decode(kurs.Raw{Body: again})
		if err != nil {
			t.Fatalf("cannot be read again: %v\n%s", err, again)
		}
		if diff := cmp.Diff(said, user.Words{Decisions: seen.Decisions, Corrections: seen.Corrections, Aliases: seen.Aliases}, decimals); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
	})
}
