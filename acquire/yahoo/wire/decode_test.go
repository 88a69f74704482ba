package wire_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/internal/testkit"
)

// TestGolden decodes every fixture, whose name begins with its endpoint.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*-*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".golden") {
			continue
		}
		n++
		t.Run(filepath.Base(file), func(t *testing.T) {
			endpoint, _, _ := strings.Cut(filepath.Base(file), "-")
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before := string(body)
			o, err := wire.Decode(kurs.Raw{Endpoint: kurs.Endpoint(endpoint), Body: body})
			if err != nil {
				t.Fatal(err)
			}
			if string(body) != before {
				t.Error("the body was changed")
			}
			clear(body) // what is observed must not refer to it
			testkit.Golden(t, file+".golden", []byte(render(o)))
		})
	}
	if n < 30 {
		t.Errorf("only %d fixtures found", n)
	}
}

// render writes what is observed one thing a line, unknown values as "-".
func render(o kurs.Observed) string {
	var b strings.Builder
	for _, x := range o.Instruments {
		fmt.Fprintf(&b, "instrument %s name=%q kind=%s exchange=%s unit=%s zone=%s\n",
			x.Symbol, x.Name, dash(string(x.Kind)), dash(x.Exchange), dash(x.Unit), dash(x.TimeZone))
	}
	for _, x := range o.Bars {
		fmt.Fprintf(&b, "bar %s %s %s open=%s high=%s low=%s close=%s unit=%s volume=%s%s\n", x.Symbol, stamp(x.Start), dash(x.Interval),
			dash(x.Open.String()), dash(x.High.String()), dash(x.Low.String()), x.Close, dash(x.Unit), shares(x.Volume), about(x.Approximate))
	}
	for _, x := range o.Events {
		fmt.Fprintf(&b, "%s %s %s amount=%s unit=%s ratio=%s:%s\n", x.Kind, x.Symbol, stamp(x.Time),
			dash(x.Amount.String()), dash(x.Unit), dash(x.Numerator.String()), dash(x.Denominator.String()))
	}
	for _, x := range o.Quotes {
		fmt.Fprintf(&b, "quote %s %s %s %s unit=%s bid=%s ask=%s volume=%s delay=%s%s\n", x.Symbol, stamp(x.Time), x.Session, x.Value,
			dash(x.Unit), dash(x.Bid.String()), dash(x.Ask.String()), shares(x.Volume), x.Delay, about(x.Approximate))
	}
	for _, x := range o.Found {
		fmt.Fprintf(&b, "found %s name=%q kind=%s exchange=%s\n", x.Symbol, x.Name, dash(string(x.Kind)), dash(x.Exchange))
	}
	if x := o.Failure; x != nil {
		fmt.Fprintf(&b, "error %s %v symbols=%v\n", x.Kind, x, x.Symbols)
	}
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func stamp(t time.Time) string { return t.Format(time.RFC3339Nano) }

func shares(v kurs.Volume) string {
	if !v.Known {
		return "-"
	}
	return strconv.FormatInt(v.N, 10)
}

func about(approximate bool) string {
	if approximate {
		return " approximate"
	}
	return ""
}

// TestDecodeRefuses is about what is not Yahoo's: the position is told.
func TestDecodeRefuses(t *testing.T) {
	deep := `{"quoteResponse":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}"
	tests := []struct {
		name, endpoint, body, want string
	}{
		{"nothing", "quote", "", "line 1, column 1: the answer is empty"},
		{"white space", "quote", " \n ", "the answer is empty"},
		{"text", "quote", "hello", `line 1, column 1: no JSON object`},
		{"list", "quote", "[1]", `line 1, column 1: no JSON object`},
		{"cut off", "quote", "{\"quoteResponse\":{\"result\":[\n{\"symbol\":\"AA", "line 2, column 14: the answer is cut off inside a string"},
		{"cut off between members", "quote", `{"quoteResponse":{"result":[]`, "line 1, column 30: the answer is cut off"},
		{"garbage behind", "quote", `{"quoteResponse":{"result":[]}} x`, "line 1, column 33: something follows"},
		{"two documents", "chart", "{\"chart\":{\"result\":[]}}\n{}", "line 2, column 1: something follows"},
		{"a comma missing", "quote", `{"quoteResponse":{"result":[1 2]}}`, `line 1, column 31: "," or "]" expected`},
		{"a leading zero", "quote", `{"quoteResponse":{"result":[{"bid":01}]}}`, `column 37: "," or "}" expected`},
		{"two points", "quote", `{"quoteResponse":{"result":[{"bid":1.2.3}]}}`, `column 39: "," or "}" expected`},
		{"a word", "quote", `{"quoteResponse":nan}`, "column 18: a value expected"},
		{"a bad escape", "quote", `{"quoteResponse":{"result":[{"symbol":"\x"}]}}`, "column 39: a text with an escape"},
		{"too deep", "quote", deep, "column 81: nested deeper than 64 levels"},
		{"not Yahoo's", "quote", `{"hello":"world"}`, "line 1, column 1: no quote answer: neither a result nor an error"},
		{"another endpoint", "quote", `{"chart":{"result":[],"error":null}}`, "no quote answer"},
		{"neither result nor error", "chart", `{"chart":{"result":null,"error":null}}`, "no chart answer"},
		{"finance without error", "search", `{"finance":{"result":[{"quotes":[]}],"error":null}}`, "no search answer"},
		{"a chart of nobody", "chart", `{"chart":{"result":[{"meta":{}}]}}`, "column 21: a chart without a symbol"},
		{"no spark", "spark", `{"a":1}`, "no spark answer"},
		{"down", "chart", "<html>\n<title>x</title>Will be right back", `Yahoo is down ("Will be right back")`},
		{"consent", "quote", `<form><input type="hidden" name="csrfToken">`, "Yahoo asks for consent"},
		{"a page", "quote", "<!DOCTYPE html><title>\n Some  page </title>", `a web page instead of an answer: "Some page"`},
		{"a page without a title", "quote", "  <html>", "line 1, column 3: a web page instead of an answer"},
		{"no endpoint", "", "{}", "no endpoint of Yahoo"},
		{"no frame", "stream", " ", "the frame is empty"},
		{"no base64", "stream", "CgRBQVBM\n!!!!", "line 2, column 1: a stream frame that is no base64"},
		{"no protobuf", "stream", "////", "a stream frame that is no protobuf message"},
		{"frame of something else", "stream", `{"a":1}`, `not a stream frame`},
		{"frame without message", "stream", `{"type":"pricing"}`, "a stream frame without a message"},
		{"frame cut off", "stream", `{"type":"pricing","mess`, "cut off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := wire.Decode(kurs.Raw{Endpoint: kurs.Endpoint(tt.endpoint), Body: []byte(tt.body)})
			if err == nil {
				t.Fatalf("decoded to %+v", o)
			}
			if !errors.Is(err, kurs.ErrRejected) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q", err, tt.want)
			}
			if !cmp.Equal(o, kurs.Observed{}) {
				t.Errorf("observed %+v as well", o)
			}
		})
	}
}

func TestDecodeRefusesTooLarge(t *testing.T) {
	_, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointQuote, Body: make([]byte, wire.MaxBody+1)})
	if !errors.Is(err, kurs.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

func TestFailureNamesTheSymbolsAsked(t *testing.T) {
	const (
		gone  = `{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}`
		crumb = `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Cookie"}}}`
		words = `{"quoteResponse":{"result":null,"error":"internal error"}}`
		text  = "Too Many Requests\r\n"
	)
	tests := []struct {
		name     string
		endpoint kurs.Endpoint
		body     string
		want     kurs.ProviderError
	}{
		{"chart", kurs.EndpointChart, gone, kurs.ProviderError{
			Kind: kurs.ErrorNotFound, Code: "Not Found", Description: "No data found, symbol may be delisted", Symbols: []string{"DKK=X"},
		}},
		{"finance for any endpoint", kurs.EndpointSpark, crumb, kurs.ProviderError{
			Kind: kurs.ErrorUnauthorized, Code: "Unauthorized", Description: "Invalid Cookie", Symbols: []string{"DKK=X"},
		}},
		{"an error in another envelope", kurs.EndpointQuote, gone, kurs.ProviderError{
			Kind: kurs.ErrorNotFound, Code: "Not Found", Description: "No data found, symbol may be delisted", Symbols: []string{"DKK=X"},
		}},
		{"a text for an error", kurs.EndpointQuote, words, kurs.ProviderError{
			Kind: kurs.ErrorOther, Description: "internal error", Symbols: []string{"DKK=X"},
		}},
		{"plain text", kurs.EndpointChart, text, kurs.ProviderError{
			Kind: kurs.ErrorRateLimit, Code: "Too Many Requests", Description: "Too Many Requests", Symbols: []string{"DKK=X"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := wire.Decode(kurs.Raw{Endpoint: tt.endpoint, Asked: []string{"usddkk=x"}, Body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, o.Failure); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChartTakesTheSymbolAskedWhereItHasNone(t *testing.T) {
	o, err := wire.Decode(kurs.Raw{
		Endpoint: kurs.EndpointChart, Asked: []string{"usdjpy=x"},
		Body: []byte(`{"chart":{"result":[{"meta":{"dataGranularity":"1d"},"timestamp":[1763712000],"indicators":{"quote":[{"close":[157.25]}]}}]}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []kurs.Bar{{
		Symbol: "JPY=X", Source: "yahoo", Start: time.Unix(1763712000, 0).UTC(), Interval: "1d", Close: kurs.MustDecimal("157.25"),
	}}
	if diff := cmp.Diff(want, o.Bars, cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// A chart longer than any of Yahoo's is refused rather than held in memory.
func TestChartThatIsTooLong(t *testing.T) {
	ones := strings.Repeat("1,", 250_000) + "1"
	body := `{"chart":{"result":[{"meta":{"symbol":"A"},"timestamp":[` + ones + `]}]}}`
	_, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointChart, Body: []byte(body)})
	if !errors.Is(err, kurs.ErrRejected) || !strings.Contains(err.Error(), "more than 250000") {
		t.Errorf("got %v", err)
	}
}
