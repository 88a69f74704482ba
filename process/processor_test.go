package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
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

// TestAUnitThatIsDoubtedIsNotTheInstruments: its prices are set aside, so it is
// not told what the instrument is quoted in.
func TestAUnitThatIsDoubtedIsNotTheInstruments(t *testing.T) {
	vodafone := kurs.Instrument{Symbol: "VOD.L", Source: "yahoo", Name: "Vodafone", Unit: "GBP"}
	raw := rawAt(noon, "VOD.L")
	for _, c := range []struct {
		near kurs.Neighbour
		want string
	}{
		{kurs.Neighbour{}, "GBP"},
		{kurs.Neighbour{Unit: "GBP", Value: kurs.MustDecimal("0.88"), Time: noon}, "GBP"},
		{kurs.Neighbour{Value: kurs.MustDecimal("0.88"), Time: noon}, "GBP"},
		{kurs.Neighbour{Unit: "GBp", Value: kurs.MustDecimal("88.4"), Time: noon}, ""},
	} {
		raw.Neighbours = []kurs.Neighbour{c.near}
		seen := kurs.Observed{Instruments: []kurs.Instrument{vodafone}}
		out, err := processor(t, seen).Process(raw, 3)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Batch.Instruments; len(got) != 1 || got[0].Unit != c.want || got[0].Name != "Vodafone" || seen.Instruments[0].Unit != "GBP" {
			t.Errorf("next to %+v: %+v", c.near, got)
		}
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

// TestWhatIsProbablyWrongIsSetAside whole, with the reason, and the rest stays.
func TestWhatIsProbablyWrongIsSetAside(t *testing.T) {
	seen := kurs.Observed{
		Quotes: []kurs.Quote{
			quote("AHEAD", "1", "USD", noon.Add(kurs.Ahead+time.Second)),
			quote("NOTIME", "1", "USD", time.Time{}),
			{Symbol: "NOPRICE", Source: "yahoo", Time: noon, Unit: "USD"},
			quote("CL=F", "-37.63", "USD", noon), // it was so in April 2020: a person decides
			quote("ZERO", "0", "USD", noon),
			quote("USDDKK=X", "-1", "DKK", noon),
			quote("OK", "1", "USD", noon.Add(kurs.Ahead)),
		},
		Spoiled: []kurs.SetAside{{
			Kind: kurs.AsideQuote, Price: kurs.Price{Quote: kurs.Quote{Symbol: "NAN", Source: "yahoo", Time: noon}}, Reason: kurs.ReasonValue,
		}},
	}
	out, err := processor(t, seen).Process(rawAt(noon), 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range out.Batch.SetAside {
		got = append(got, fmt.Sprintf("%s %s %s: %s", a.Kind, a.Symbol, a.Value, a.Reason))
	}
	want := []string{
		"rate USDDKK=X -1: not above zero", "quote AHEAD 1: in the future", "quote NOTIME 1: no time", "quote NOPRICE : not a number",
		"quote CL=F -37.63: not above zero", "quote ZERO 0: not above zero", "quote NAN : not a number",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(out.Batch.Prices) != 1 || len(out.Refused) != 0 || len(out.Pending) != 0 {
		t.Errorf("%d prices, refused %q, %d wait", len(out.Batch.Prices), out.Refused, len(out.Pending))
	}
}

// TestPenceAreNotPounds (yfinance 280, 2866; wealthfolio 639): a unit that changes
// and a price a hundred times its neighbour are no prices before a person says so.
func TestPenceAreNotPounds(t *testing.T) {
	near := kurs.Neighbour{Unit: "GBp", Value: kurs.MustDecimal("88.4"), Time: noon.Add(-time.Hour)}
	for _, c := range []struct {
		name   string
		quotes []string // value and unit
		want   string
	}{
		{"as before", []string{"88.42 GBp"}, "88.42"},
		{"pounds under the name of pence", []string{"0.8842 GBp"}, "aside hundredfold"},
		{"pence a hundredfold", []string{"8842 GBp"}, "aside hundredfold"},
		{"pounds that say so", []string{"0.8842 GBP"}, "aside unit changed"},
		{"pence under the name of pounds", []string{"88.42 GBP"}, "aside unit changed"},
		{"a halved price", []string{"44.2 GBp"}, "44.2"},
		{"89 times", []string{"7867.6 GBp"}, "7867.6"},
		{"90 times", []string{"7956 GBp"}, "aside hundredfold"},
		{"110 times", []string{"9724 GBp"}, "aside hundredfold"},
		{"111 times", []string{"9812.4 GBp"}, "9812.4"},
		{"there and back in one answer", []string{"88.42 GBp", "0.885 GBp", "88.6 GBp"}, "88.42 aside hundredfold 88.6"},
		{"a frame without a unit", []string{"88.42 "}, "88.42"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen kurs.Observed
			for i, text := range c.quotes {
				value, unit, _ := strings.Cut(text, " ")
				seen.Quotes = append(seen.Quotes, quote("VOD.L", value, unit, noon.Add(time.Duration(i)*time.Second)))
			}
			raw := rawAt(noon.Add(time.Minute), "VOD.L")
			raw.Neighbours = []kurs.Neighbour{near}
			out, err := processor(t, seen).Process(raw, 3)
			if err != nil {
				t.Fatal(err)
			}
			at := map[time.Time]string{}
			for _, p := range out.Batch.Prices {
				at[p.Time] = p.Value.String()
			}
			for _, a := range out.Batch.SetAside {
				at[a.Time] = "aside " + string(a.Reason)
				if a.Rate.Known() != (a.Currency != "") {
					t.Error("it was set aside without the rate of its time")
				}
			}
			var got []string
			for _, moment := range slices.SortedFunc(maps.Keys(at), time.Time.Compare) {
				got = append(got, at[moment])
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestABarIsHeldAgainstItsNeighbours on both sides, away from what is known.
func TestABarIsHeldAgainstItsNeighbours(t *testing.T) {
	known := kurs.Neighbour{Unit: "GBp", Value: kurs.Int(90), Time: noon}
	for _, c := range []struct {
		name   string
		closes string // of the minutes that end at noon
		near   kurs.Neighbour
		events []kurs.Event
		want   string // the places of those that were set aside
	}{
		{"none", "88 89 90 91", known, nil, ""},
		{"one", "88 8900 90 91", known, nil, "1"},
		{"from a place on backwards", "0.87 0.88 89 90", known, nil, "0 1"},
		{"nothing is known", "0.87 88 89 90 0.91", kurs.Neighbour{}, nil, "0 4"},
		{"the first", "8700 88 89", kurs.Neighbour{}, nil, "0"},
		{"all but what is known", "0.87 0.88 0.89", known, nil, "0 1 2"},
		{"a split that the answer tells of", "8800 8900 90 91", known, []kurs.Event{{
			Kind: kurs.EventSplit, Symbol: "VOD.L", Time: noon.Add(-2 * time.Minute), Numerator: kurs.Int(100), Denominator: kurs.Int(1),
		}}, ""},
		{"another's split", "8800 8900 90 91", known, []kurs.Event{{
			Kind: kurs.EventSplit, Symbol: "X", Time: noon.Add(-2 * time.Minute), Numerator: kurs.Int(100), Denominator: kurs.Int(1),
		}}, "0 1"},
		{"another split", "8800 8900 90 91", known, []kurs.Event{{
			Kind: kurs.EventSplit, Symbol: "VOD.L", Time: noon.Add(-2 * time.Minute), Numerator: kurs.Int(4), Denominator: kurs.Int(1),
		}}, "0 1"},
		{"zero", "88 0 90", known, nil, "1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			closes := strings.Fields(c.closes)
			seen := kurs.Observed{Events: c.events}
			first := noon.Add(-time.Duration(len(closes)) * time.Minute)
			for i, text := range closes {
				seen.Bars = append(seen.Bars, kurs.Bar{
					Symbol: "VOD.L", Source: "yahoo", Start: first.Add(time.Duration(i) * time.Minute), Interval: "1m", Unit: "GBp",
					Close: kurs.MustDecimal(text),
				})
			}
			raw := rawAt(noon, "VOD.L")
			raw.Neighbours = []kurs.Neighbour{c.near}
			out, err := processor(t, seen).Process(raw, 3)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range out.Batch.SetAside {
				got = append(got, strconv.Itoa(int(a.Time.Sub(first)/time.Minute)))
			}
			if strings.Join(got, " ") != c.want || len(out.Batch.Bars)+len(got) != len(closes) {
				t.Errorf("set aside %q, want %q; %d bars", got, c.want, len(out.Batch.Bars))
			}
		})
	}
}

// TestWhatAPersonKeepsIsAPrice from the decision on, times the factor; and a
// correction keeps the rate of the price.
func TestWhatAPersonKeepsIsAPrice(t *testing.T) {
	then := kurs.Receipt{Received: noon.Add(-time.Hour), Raw: kurs.RawID{Source: "yahoo", Run: "old", Counter: 7}}
	aside := kurs.SetAside{
		Kind: kurs.AsideQuote, Reason: kurs.ReasonJump,
		Price: kurs.Price{Quote: quote("VOD.L", "0.8842", "GBp", noon), Receipt: then},
	}
	old := kurs.Rate{Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.5"), Time: noon.Add(-time.Hour), Source: "yahoo"}
	corrected := kurs.Price{Quote: quote("VOD.L", "88.5", "GBp", noon), Conversion: kurs.Conversion{
		Currency: "GBP", Factor: kurs.MustDecimal("0.01"), Rate: old, BaseCurrency: "DKK",
	}}
	seen := kurs.Observed{
		Decisions: []kurs.Decision{
			{Of: aside, Action: kurs.ActionKeep, Factor: kurs.Int(100), Author: "anna"},
			{Of: aside, Action: kurs.ActionDrop, Factor: kurs.Int(1), Author: "anna"},
		},
		Corrections: []kurs.Correction{{Price: corrected, Author: "anna", Reason: "typo"}, {Price: kurs.Price{Quote: quote("VOD.L", "1", "GBp", noon)}, Undo: true}},
		Aliases:     []kurs.Alias{{Symbol: "META", Was: "FB"}},
	}
	out, err := processor(t, seen).Process(rawAt(noon.Add(time.Minute)), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Batch.Prices) != 1 {
		t.Fatalf("%d prices", len(out.Batch.Prices))
	}
	p := out.Batch.Prices[0]
	if p.Value.String() != "88.42" || p.Base.String() != "7.61499566" || p.Receipt != out.Batch.Decisions[0].Receipt || !p.Received.Equal(noon.Add(time.Minute)) {
		t.Errorf("%s, %s, %+v", p.Value, p.Base, p.Receipt)
	}
	if d := out.Batch.Decisions; len(d) != 2 || d[0].Of.Value.String() != "0.8842" || d[0].Received.IsZero() {
		t.Errorf("%+v", d)
	}
	if k := out.Batch.Corrections; len(k) != 2 || k[0].Base.String() != "7.5225" || k[1].Base.Known() || k[0].Raw.Counter != 1 {
		t.Errorf("%+v", k)
	}
	if a := out.Batch.Aliases; len(a) != 1 || a[0].Received.IsZero() {
		t.Errorf("%+v", a)
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
