package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/internal/testkit"
	"kurs/process/fx"
)

// noon is a time at which the currency market is open.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var decimals = cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

// says is a decoder that gives every message the same meaning.
func says(seen kurs.Observed, err error) map[string]kurs.Decode {
	return map[string]kurs.Decode{"yahoo": func(kurs.Raw) (kurs.Observed, error) { return seen, err }}
}

func rawAt(received time.Time, asked ...string) kurs.Raw {
	return kurs.Raw{
		ID: kurs.RawID{Source: "yahoo", Run: "r", Counter: 1}, Source: "yahoo", Endpoint: kurs.EndpointQuote, Asked: asked, Received: received,
	}
}

func quote(symbol, value, unit string, at time.Time) kurs.Quote {
	return kurs.Quote{
		Symbol: symbol, Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: kurs.MustDecimal(value), Unit: unit,
	}
}

// book knows USD, GBP and KWD at noon.
func book(t *testing.T) *fx.Book {
	t.Helper()
	b := fx.New()
	for i, text := range []string{"USD 6.4301", "GBP 8.6123", "KWD 20.9"} {
		from, value, _ := strings.Cut(text, " ")
		b.Learn(uint64(i)+1, []kurs.Rate{{
			Pair: kurs.Pair{From: from, To: "DKK"}, Value: kurs.MustDecimal(value), Time: noon, Source: "yahoo",
			Received: noon, Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: 1},
		}})
	}
	return b
}

func processor(t *testing.T, seen kurs.Observed) *Processor {
	t.Helper()
	return &Processor{Base: "DKK", Decode: says(seen, nil), Policy: fx.DefaultPolicy(), Rates: book(t)}
}

func TestQuotesAreConverted(t *testing.T) {
	later := noon.Add(time.Minute)
	for _, c := range []struct {
		name  string
		quote kurs.Quote
		upTo  uint64
		want  string // currency factor rate base
		waits bool
	}{
		{"dollars", quote("AAPL", "266.3", "USD", later), 3, "USD 1 6.4301 1712.33563", false},
		{"pence are hundredths of pounds", quote("VOD.L", "88.42", "GBp", later), 3, "GBP 0.01 8.6123 7.61499566", false},
		{"Kuwaiti fils are thousandths", quote("NBK.KW", "1015", "KWF", later), 3, "KWD 0.001 20.9 21.2135", false},
		{"the base currency itself", quote("NOVO-B.CO", "318.4", "DKK", later), 0, "DKK 1 1 318.4", false},
		{"a negative price (oil, April 2020)", quote("CL=F", "-37.63", "USD", later), 3, "USD 1 6.4301 -241.964663", false},
		{"no rate at all", quote("7203.T", "2910", "JPY", later), 3, "JPY 1 - -", true},
		{"a rate that was not known yet", quote("VOD.L", "88.42", "GBp", later), 1, "GBP 0.01 - -", true},
		{"a price before every rate", quote("AAPL", "266.3", "USD", noon.Add(-time.Hour)), 3, "USD 1 - -", true},
		{"a rate that is too old", quote("AAPL", "266.3", "USD", noon.Add(time.Hour)), 3, "USD 1 - -", true},
		{"a unit that is none", quote("X", "1", "", later), 3, " - - -", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := rawAt(noon.Add(2*time.Hour), c.quote.Symbol)
			out, err := processor(t, kurs.Observed{Quotes: []kurs.Quote{c.quote}}).Process(raw, c.upTo)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Batch.Prices) != 1 || len(out.Refused) != 0 {
				t.Fatalf("%d prices, refused %q", len(out.Batch.Prices), out.Refused)
			}
			p := out.Batch.Prices[0]
			text := func(d kurs.Decimal) string {
				if !d.Known() {
					return "-"
				}
				return d.String()
			}
			if got := fmt.Sprintf("%s %s %s %s", p.Currency, text(p.Factor), text(p.Rate.Value), text(p.Base)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if waits := len(out.Pending) == 1; waits != c.waits {
				t.Errorf("waits for a rate: %t", waits)
			}
			if p.Raw != raw.ID || !p.Received.Equal(raw.Received) {
				t.Errorf("receipt %v at %s", p.Raw, p.Received)
			}
		})
	}
}

func TestPairsAreRatesAndPricesOnlyWhereListed(t *testing.T) {
	seen := kurs.Observed{Quotes: []kurs.Quote{quote("GBPDKK=X", "8.62", "DKK", noon)}}
	raw := rawAt(noon, "GBPDKK=X")
	for _, listed := range []bool{false, true} {
		raw.Listed = nil
		if listed {
			raw.Listed = []string{"GBPDKK=X"}
		}
		out, err := processor(t, seen).Process(raw, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Batch.Rates) != 1 || (len(out.Batch.Prices) == 1) != listed {
			t.Errorf("listed %t: %d rates, %d prices", listed, len(out.Batch.Rates), len(out.Batch.Prices))
		}
		if got := out.Batch.Rates[0].ValidFor; got != fx.DefaultPolicy().MaxAge {
			t.Errorf("the rate is valid for %s", got)
		}
	}
}

func TestBars(t *testing.T) {
	bar := func(start time.Time) kurs.Bar {
		return kurs.Bar{
			Symbol: "VOD.L", Source: "yahoo", Start: start, Interval: "1m", Unit: "GBp",
			High: kurs.MustDecimal("90"), Close: kurs.MustDecimal("88.42"),
		}
	}
	seen := kurs.Observed{Bars: []kurs.Bar{bar(noon), bar(noon.Add(time.Minute))}}
	out, err := processor(t, seen).Process(rawAt(noon.Add(90*time.Second), "VOD.L"), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Batch.Bars) != 1 {
		t.Fatalf("%d bars: the one that is not over is none yet", len(out.Batch.Bars))
	}
	b := out.Batch.Bars[0]
	if b.BaseClose.String() != "7.61499566" || b.BaseHigh.String() != "7.75107" || b.BaseOpen.Known() {
		t.Errorf("close %s, high %s, open known %t", b.BaseClose, b.BaseHigh, b.BaseOpen.Known())
	}
}

func TestWhatCannotBeKeptIsRefusedAndTheRestStays(t *testing.T) {
	seen := kurs.Observed{Quotes: []kurs.Quote{
		quote("AAPL", "1", "USD", noon.Add(48*time.Hour)),
		quote("MSFT", "1", "USD", time.Time{}),
		{Symbol: "NOPRICE", Source: "yahoo", Time: noon, Unit: "USD"},
		quote("USDDKK=X", "-1", "DKK", noon),
		quote("OK", "1", "USD", noon),
	}}
	out, err := processor(t, seen).Process(rawAt(noon), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Batch.Prices) != 1 || len(out.Refused) != 4 {
		t.Errorf("%d prices, refused %q", len(out.Batch.Prices), out.Refused)
	}
}

func TestMessagesThatAreNotUnderstood(t *testing.T) {
	for name, decode := range map[string]map[string]kurs.Decode{
		"a decoder that fails":        says(kurs.Observed{}, errors.New("no JSON")),
		"an error of the provider":    says(kurs.Observed{Failure: &kurs.ProviderError{Code: "Not Found"}}, nil),
		"a source that nobody knows":  {},
		"a decoder that panics":       {"yahoo": func(kurs.Raw) (kurs.Observed, error) { panic("index out of range") }},
		"a decoder that refuses":      says(kurs.Observed{}, fmt.Errorf("%w: cut off", kurs.ErrRejected)),
		"a decoder that divides by 0": {"yahoo": func(raw kurs.Raw) (kurs.Observed, error) { return kurs.Observed{}, fmt.Errorf("%d", 1/len(raw.Body)) }},
	} {
		p := Processor{Base: "DKK", Decode: decode, Rates: book(t)}
		if _, err := p.Process(rawAt(noon, "AAPL"), 3); !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPendingComesBackWholeAndIsFilled(t *testing.T) {
	seen := kurs.Observed{
		Quotes: []kurs.Quote{quote("7203.T", "2910", "JPY", noon), quote("9984.T", "100.5", "JPY", noon)},
		Bars: []kurs.Bar{{
			Symbol: "7203.T", Source: "yahoo", Start: noon, Interval: "1m", Unit: "JPY", Low: kurs.MustDecimal("2900"), Close: kurs.MustDecimal("2905"),
		}},
	}
	out, err := processor(t, seen).Process(rawAt(noon.Add(time.Minute)), 3)
	if err != nil {
		t.Fatal(err)
	}
	w := byCurrency(out.Pending, 3)["JPY"]
	data, err := w.encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeWaiting(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*w, back, decimals); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	rate := kurs.Rate{Pair: kurs.Pair{From: "JPY", To: "DKK"}, Value: kurs.MustDecimal("0.04125"), Time: noon, Source: "yahoo"}
	for i, want := range []string{"120.0375", "4.145625", "119.83125"} {
		fill, err := back.Prices[i].fill(rate)
		if err != nil {
			t.Fatal(err)
		}
		got := fill.Base
		if fill.Interval != "" {
			got = fill.BaseClose
		}
		if got.String() != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
	for _, damaged := range []string{"", "{", `{"after":1}`, `{"prices":[{"value":"x"}]}`} {
		if _, err := decodeWaiting(json.RawMessage(damaged)); !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

// FuzzDecodeWaiting: what waits is ours alone, but a disk may have damaged it.
func FuzzDecodeWaiting(f *testing.F) {
	testkit.Corpus(f)
	w := waiting{After: 3, Prices: []Pending{{Symbol: "7203.T", Currency: "JPY", Factor: kurs.Int(1), At: noon, Time: noon, Value: kurs.Int(2910)}}}
	data, err := w.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	rate := kurs.Rate{Pair: kurs.Pair{From: "JPY", To: "DKK"}, Value: kurs.MustDecimal("0.04125")}
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := decodeWaiting(data)
		if err != nil {
			if !errors.Is(err, kurs.ErrRejected) {
				t.Fatal(err)
			}
			return
		}
		if len(w.times()) == 0 {
			t.Error("prices without a time")
		}
		for i := range w.Prices {
			_, _ = w.Prices[i].fill(rate) // an overflow is an error, never a panic
		}
	})
}
