package sim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// told is a chart as a decoder that shares nothing with the simulator reads it.
type told struct {
	Meta struct {
		Currency, Symbol, DataGranularity, Range string
		RegularMarketTime                        int64
		RegularMarketPrice, ChartPreviousClose   float64
		TradingPeriods                           any
		CurrentTradingPeriod                     map[string]struct{ Start, End int64 }
	}
	Timestamp  []int64
	Events     map[string]map[string]map[string]any
	Indicators struct {
		Quote []struct {
			Open, High, Low, Close []float64
			Volume                 []int64
		}
		Adjclose []struct{ Adjclose []float64 }
	}
}

func (c *client) chart(tb testing.TB, symbol, query string) told {
	tb.Helper()
	w := c.get("/v8/finance/chart/"+url.PathEscape(symbol)+"?"+query, nil)
	var v struct{ Chart struct{ Result []told } }
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
		tb.Fatalf("%d %v: %.300s", w.Code, err, w.Body)
	}
	return v.Chart.Result[0]
}

// restored is a price of an array as text: widened float32 made short again.
func restored(f float64) string { return strconv.FormatFloat(float64(float32(f)), 'f', -1, 32) }

func TestChartOfADay(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}, Hours: true}), "2025-10-22T15:00:30Z")
	r := c.chart(t, "AAPL", "interval=1m&range=1d&includePrePost=false")
	open := unixOf(t, "2025-10-22T13:30:00Z")
	if n := len(r.Timestamp); n != 91 || r.Timestamp[0] != open || r.Timestamp[90] != c.now || r.Meta.RegularMarketTime != c.now {
		t.Fatalf("%d bars from %d to %d", n, r.Timestamp[0], r.Timestamp[n-1])
	}
	q := r.Indicators.Quote[0]
	if last := 90; q.Volume[last] != 0 || q.Open[last] != q.Close[last] {
		t.Error("the last element is not the newest price")
	}
	quote := c.quotes(t, "AAPL", "")["AAPL"]
	if got, want := restored(q.Close[90]), restored(quote["regularMarketPrice"].(float64)); got != want {
		t.Errorf("chart %s, quote %s", got, want)
	}
	if r.Meta.ChartPreviousClose != quote["regularMarketPreviousClose"] || r.Meta.Range != "1d" {
		t.Errorf("meta %+v", r.Meta)
	}
	if len(r.Meta.TradingPeriods.([]any)) != 1 {
		t.Errorf("trading periods %v", r.Meta.TradingPeriods)
	}
}

func TestChartShapes(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL", "BTC-USD"}, Hours: true})
	for _, tt := range []struct {
		name, symbol, at, query string
		bars                    int
		first, last             string
	}{
		{"after the close the last element is the close", "AAPL", "2025-10-22T23:00:00Z", "interval=1d&range=5d", 5, "2025-10-16T13:30:00Z", "2025-10-22T20:00:00Z"},
		{"the next day it is a bar", "AAPL", "2025-10-23T14:00:00Z", "interval=1d&range=5d", 5, "2025-10-17T13:30:00Z", "2025-10-23T14:00:00Z"},
		{"no parameters are a day of minutes", "AAPL", "2025-10-22T23:00:00Z", "", 391, "2025-10-22T13:30:00Z", "2025-10-22T20:00:00Z"},
		{"a weekend of minutes", "AAPL", "2025-10-26T15:00:00Z", "interval=1m&period1=1761350400&period2=1761436800", 0, "", ""},
		{"the newest price lies past the end", "AAPL", "2025-10-22T15:00:00Z", "interval=1m&period1=1761139800&period2=1761140100", 6, "2025-10-22T13:30:00Z", "2025-10-22T15:00:00Z"},
		{"before and after the session", "AAPL", "2025-10-23T03:00:00Z", "interval=30m&range=1d&includePrePost=True", 32, "2025-10-22T08:00:00Z", "2025-10-22T23:30:00Z"},
		{"before the opening there is nothing today", "AAPL", "2025-10-22T11:00:00Z", "interval=5m&range=1d", 0, "", ""},
		{"hours", "AAPL", "2025-10-22T23:00:00Z", "interval=60m&range=1d", 8, "2025-10-22T13:30:00Z", "2025-10-22T20:00:00Z"},
		{"weeks", "AAPL", "2025-10-22T15:00:00Z", "interval=1wk&range=1mo", 5, "2025-09-22T04:00:00Z", "2025-10-22T15:00:00Z"},
		{"months across a change of clocks", "AAPL", "2025-12-10T15:00:00Z", "interval=1mo&range=6mo", 6, "2025-07-01T04:00:00Z", "2025-12-10T15:00:00Z"},
		{"days of a coin", "BTC-USD", "2025-10-22T15:00:00Z", "interval=1d&period1=1760918400&period2=1761091200", 2, "2025-10-20T00:00:00Z", "2025-10-21T00:00:00Z"},
		{"eight days of minutes", "BTC-USD", "2025-10-22T15:00:00Z", "interval=1m&period1=1760400000&period2=1761091200", 11520, "2025-10-14T00:00:00Z", "2025-10-21T23:59:00Z"},
		{"60 sessions of 5 minutes", "AAPL", "2025-10-22T15:00:00Z", "interval=5m&range=60d", 59*78 + 18 + 1, "2025-07-31T13:30:00Z", "2025-10-22T15:00:00Z"},
		{"two years of hours", "BTC-USD", "2025-10-22T15:00:00Z", "interval=1h&range=2y", 731*24 + 15 + 1, "2023-10-22T00:00:00Z", "2025-10-22T15:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newClient(t, x, tt.at)
			r := c.chart(t, tt.symbol, tt.query)
			if len(r.Timestamp) != tt.bars || len(r.Indicators.Quote) != 1 || len(r.Indicators.Quote[0].Close) != tt.bars {
				t.Fatalf("%d bars, want %d", len(r.Timestamp), tt.bars)
			}
			if tt.bars == 0 {
				body := c.get("/v8/finance/chart/"+tt.symbol+"?"+tt.query, nil).Body.String()
				if strings.Contains(body, `"timestamp"`) || !strings.Contains(body, `"indicators":{"quote":[{}]`) {
					t.Errorf("no bars look like %s", body)
				}
				return
			}
			iso := func(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
			if first, last := iso(r.Timestamp[0]), iso(r.Timestamp[tt.bars-1]); first != tt.first || last != tt.last {
				t.Errorf("from %s to %s, want %s to %s", first, last, tt.first, tt.last)
			}
		})
	}
}

func TestEventsAndAdjustedCloses(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}, Hours: true}), "2025-10-22T15:00:00Z")
	r := c.chart(t, "AAPL", "interval=1d&period1=1598832000&period2=1606000000&events=div%7Csplit%7Cearn")
	split := map[string]any{"date": 1598880600.0, "numerator": 4.0, "denominator": 1.0, "splitRatio": "4:1"}
	if diff := cmp.Diff(map[string]map[string]any{"1598880600": split}, r.Events["splits"]); diff != "" {
		t.Error(diff)
	}
	if len(r.Events["dividends"]) != 1 || len(r.Indicators.Adjclose) != 1 {
		t.Fatalf("events %v", r.Events)
	}
	closes, adjusted := r.Indicators.Quote[0].Close, r.Indicators.Adjclose[0].Adjclose
	for i := range closes {
		if adjusted[i] >= closes[i] || adjusted[i] < 0.9*closes[i] {
			t.Fatalf("bar %d: close %v, adjusted %v", i, closes[i], adjusted[i])
		}
	}
}

func TestEveryEndpointTellsOnePrice(t *testing.T) {
	x := market(t, Config{Count: 20, Seed: 6})
	c := newClient(t, x, "2025-10-22T15:00:00Z")
	for _, symbol := range append(x.Symbols(), "DKK=X", "SEKDKK=X") {
		quote := restored(c.quotes(t, symbol, "")[symbol]["regularMarketPrice"].(float64))
		for _, query := range []string{"interval=1m&range=1d", "interval=1d&range=1d", "interval=1wk&range=1mo", "interval=2m&period1=1761141600"} {
			closes := c.chart(t, symbol, query).Indicators.Quote[0].Close
			if got := restored(closes[len(closes)-1]); got != quote {
				t.Errorf("%s %s: %s, quote %s", symbol, query, got, quote)
			}
		}
		// The bar that ended a minute ago closed at that second's price.
		bars := c.chart(t, symbol, "interval=1m&range=1d")
		closes := bars.Indicators.Quote[0].Close
		earlier := *c
		earlier.now = bars.Timestamp[len(closes)-3] + 60
		if got, want := restored(closes[len(closes)-3]), restored(earlier.quotes(t, symbol, "")[symbol]["regularMarketPrice"].(float64)); got != want {
			t.Errorf("%s: a bar closed at %s, the quote of that second was %s", symbol, got, want)
		}
	}
}

func TestSparkVersions(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL", "VOD.L"}}), "2025-10-22T15:00:00Z")
	var v7 struct {
		Spark struct {
			Result []struct {
				Symbol   string
				Response []told
			}
		}
	}
	if err := json.Unmarshal(c.get("/v7/finance/spark?symbols=AAPL,NONE,VOD.L", nil).Body.Bytes(), &v7); err != nil {
		t.Fatal(err)
	}
	var v8 map[string]struct {
		Symbol          string
		Timestamp       []int64
		Close           []float64
		DataGranularity int
	}
	if err := json.Unmarshal(c.get("/v8/finance/spark?symbols=AAPL,NONE,VOD.L", nil).Body.Bytes(), &v8); err != nil {
		t.Fatal(err)
	}
	if len(v7.Spark.Result) != 2 || len(v8) != 2 || v8["AAPL"].DataGranularity != 300 {
		t.Fatalf("%d and %d symbols", len(v7.Spark.Result), len(v8))
	}
	a, b := v7.Spark.Result[1].Response[0], v8["VOD.L"]
	if diff := cmp.Diff(a.Timestamp, b.Timestamp); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.Indicators.Quote[0].Close, b.Close); diff != "" || len(b.Close) != 15*12+1 {
		t.Errorf("%d closes: %s", len(b.Close), diff)
	}
}

// discard is a response that goes nowhere.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header       { return d.h }
func (*discard) Write(b []byte) (int, error) { return len(b), nil }
func (*discard) WriteHeader(int)             {}
func (*discard) Flush()                      {}

func benchmark(b *testing.B, x *Exchange, target string) {
	b.Helper()
	c := newClient(b, x, "2025-10-22T15:00:00Z")
	if strings.Contains(target, "/quote") {
		target += "&crumb=" + url.QueryEscape(c.crumb)
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("Cookie", "A3="+c.cookie)
	w := &discard{h: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		c.now++
		x.answerAt(w, r, c.now)
	}
}

func BenchmarkQuotes(b *testing.B) {
	x := market(b, Config{Count: 500})
	benchmark(b, x, "/v7/finance/quote?symbols="+url.QueryEscape(strings.Join(x.Symbols()[100:300], ",")))
	b.ReportMetric(float64(b.N*200)/b.Elapsed().Seconds(), "quotes/s")
}

func BenchmarkChartOfEightDaysOfMinutes(b *testing.B) {
	benchmark(b, market(b, Config{Count: 5}), "/v8/finance/chart/DKK=X?interval=1m&period1=1760400000&period2=1761091200")
}

func BenchmarkChartOfTwoYearsOfHours(b *testing.B) {
	benchmark(b, market(b, Config{Count: 5}), "/v8/finance/chart/AAPL?interval=1h&range=2y")
}

func BenchmarkChartOfEverything(b *testing.B) {
	benchmark(b, market(b, Config{Count: 5}), "/v8/finance/chart/AAPL?interval=1d&range=max")
}
