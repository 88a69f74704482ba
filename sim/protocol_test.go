package sim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs/internal/testkit"
)

const browser = "Mozilla/5.0 (compatible; test/1)"

// client asks an exchange at a fixed time, with a session.
type client struct {
	x      *Exchange
	now    int64
	cookie string
	crumb  string
}

func newClient(tb testing.TB, x *Exchange, at string) *client {
	tb.Helper()
	c := &client{x: x, now: unixOf(tb, at)}
	set := c.get("/", nil).Result().Cookies()
	for _, k := range set {
		if k.Name == "A3" {
			c.cookie = k.Value
		}
	}
	c.crumb = c.get("/v1/test/getcrumb", nil).Body.String()
	if len(set) != 3 || len(c.crumb) != 11 {
		tb.Fatalf("cookies %v, crumb %q", set, c.crumb)
	}
	return c
}

func (c *client) get(target string, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("User-Agent", browser)
	if c.cookie != "" {
		r.Header.Set("Cookie", "A1=x; A3="+c.cookie)
	}
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	c.x.answerAt(w, r, c.now)
	return w
}

// quotes asks for symbols and gives what was told, by symbol.
func (c *client) quotes(tb testing.TB, symbols, more string) map[string]map[string]any {
	tb.Helper()
	w := c.get("/v7/finance/quote?crumb="+url.QueryEscape(c.crumb)+"&symbols="+url.QueryEscape(symbols)+more, nil)
	var v struct {
		QuoteResponse struct {
			Result []map[string]any `json:"result"`
			Error  any              `json:"error"`
		} `json:"quoteResponse"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 || v.QuoteResponse.Error != nil {
		tb.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	out := make(map[string]map[string]any)
	for _, q := range v.QuoteResponse.Result {
		out[q["symbol"].(string)] = q
	}
	return out
}

func TestStatusAndWords(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL", "BRK-B"}, Hours: true})
	c := newClient(t, x, "2025-10-22T15:00:00Z")
	good := "crumb=" + url.QueryEscape(c.crumb)
	other := newClient(t, x, "2025-10-22T15:00:00Z")
	chart := "/v8/finance/chart/AAPL?"
	for _, tt := range []struct {
		name, target string
		headers      map[string]string
		status       int
		code, words  string
	}{
		{"no crumb", "/v7/finance/quote?symbols=AAPL", nil, 401, "Unauthorized", "User is unable to access this feature - https://bit.ly/yahoo-finance-api-feedback"},
		{"a wrong crumb", "/v7/finance/quote?symbols=AAPL&crumb=abc", nil, 401, "Unauthorized", "Invalid Crumb"},
		{"the crumb of another cookie", "/v7/finance/quote?symbols=AAPL&crumb=" + url.QueryEscape(other.crumb), nil, 401, "Unauthorized", "Invalid Crumb"},
		{"a crumb without a cookie", "/v7/finance/quote?symbols=AAPL&" + good, map[string]string{"Cookie": "A1=x"}, 401, "Unauthorized", "Invalid Cookie"},
		{"no symbols", "/v7/finance/quote?" + good, nil, 400, "Bad Request", "Missing required query parameter=symbols"},
		{"too many symbols", "/v7/finance/quote?" + good + "&symbols=" + strings.Repeat("AAPL,", 1000), nil, 400, "Bad Request", "Too many symbols: at most 1000"},
		{"a crumb for nobody", "/v1/test/getcrumb", map[string]string{"Cookie": ""}, 401, "Unauthorized", "Invalid Cookie"},
		{"a crumb for a forged cookie", "/v1/test/getcrumb", map[string]string{"Cookie": "A3=d=abc&S=def"}, 401, "Unauthorized", "Invalid Cookie"},
		{"an unknown symbol's chart", "/v8/finance/chart/NONEXIST", nil, 404, "Not Found", "No data found, symbol may be delisted"},
		{"the krone in kroner", "/v8/finance/chart/DKKDKK%3DX", nil, 404, "Not Found", "No data found, symbol may be delisted"},
		{"9 days of minutes", chart + "interval=1m&period1=1760367600&period2=1761145200", nil, 422, "Unprocessable Entity", "1m data not available for startTime=1760367600 and endTime=1761145200. Only 8 days worth of 1m granularity data are allowed to be fetched per request."},
		{"minutes of last year", chart + "interval=1m&period1=1729000000&period2=1729086400", nil, 422, "Unprocessable Entity", "1m data not available for startTime=1729000000 and endTime=1729086400. The requested range must be within the last 30 days."},
		{"quarter hours of last year", chart + "interval=15m&period1=1729000000&period2=1761145200", nil, 422, "Unprocessable Entity", "15m data not available for startTime=1729000000 and endTime=1761145200. The requested range must be within the last 60 days."},
		{"old hours", chart + "interval=60m&period1=1600000000&period2=1761145200", nil, 422, "Unprocessable Entity", "1h data not available for startTime=1600000000 and endTime=1761145200. The requested range must be within the last 730 days."},
		{"an interval of its own", chart + "interval=7m", nil, 400, "Bad Request", "Invalid input - interval=7m is not supported. Valid intervals: [1m, 2m, 5m, 15m, 30m, 60m, 90m, 1h, 4h, 1d, 5d, 1wk, 1mo, 3mo]"},
		{"before the first trade", chart + "interval=1d&period1=0&period2=86400", nil, 400, "Bad Request", "Data doesn't exist for startDate = 0, endDate = 86400"},
		{"the future", chart + "interval=1d&period1=1961145200&period2=1961245200", nil, 400, "Bad Request", "Data doesn't exist for startDate = 1961145200, endDate = 1961245200"},
		{"the end first", chart + "interval=1d&period1=1761145200&period2=1761045200", nil, 400, "Bad Request", "Invalid input - start date cannot be after end date. startDate = 1761145200, endDate = 1761045200"},
		{"a search for nothing", "/v1/finance/search?", nil, 400, "Bad Request", "Missing required query parameter=q"},
		{"21 sparks", "/v8/finance/spark?symbols=" + strings.Repeat("AAPL,", 20) + "AAPL", nil, 400, "Bad Request", "Too many symbols: at most 20"},
		{"an unknown path", "/v10/finance/nothing", nil, 404, "Not Found", "HTTP 404 Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := x.prices.Load()
			w := c.get(tt.target, tt.headers)
			var envelope map[string]struct {
				Result any
				Error  struct{ Code, Description string }
			}
			if err := json.Unmarshal(w.Body.Bytes(), &envelope); err != nil || len(envelope) != 1 {
				t.Fatalf("%v: %s", err, w.Body)
			}
			for _, e := range envelope {
				if w.Code != tt.status || e.Error.Code != tt.code || e.Error.Description != tt.words {
					t.Errorf("%d %q %q", w.Code, e.Error.Code, e.Error.Description)
				}
			}
			if x.prices.Load() != before {
				t.Error("a refusal hands out no prices")
			}
		})
	}
}

func TestSessions(t *testing.T) {
	x := market(t, Config{Count: 3, Seed: 5})
	c := newClient(t, x, "2025-10-22T15:00:00Z")
	if w := c.get("/", nil); w.Code != http.StatusNotFound {
		t.Errorf("the root answers %d", w.Code)
	}
	if w := c.get("/quote/AAPL", nil); w.Code != 200 || len(w.Result().Cookies()) != 0 {
		t.Error("a page without an HTML Accept header sets no cookie")
	}
	set := c.get("/quote/AAPL", map[string]string{"Accept": "text/html,application/xml"}).Result().Cookies()
	if len(set) != 3 || set[1].Name != "A3" || set[1].MaxAge != 31536000 || set[1].Secure || set[1].Domain != "" {
		t.Errorf("cookies %v", set)
	}
	if w := c.get("/v1/test/getcrumb", map[string]string{"User-Agent": "Go-http-client/1.1"}); w.Code != 429 || w.Body.String() != "Too Many Requests" {
		t.Errorf("a robot's crumb: %d %s", w.Code, w.Body)
	}
	again := &client{x: market(t, Config{Count: 3, Seed: 5}), now: c.now, cookie: c.cookie, crumb: c.crumb}
	if len(again.quotes(t, "AAPL", "")) != 1 {
		t.Error("a session does not survive a restart")
	}
}

func TestQuotesLeaveOutWhatIsUnknown(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL", "M&M.NS", "^GSPC"}}), "2025-10-22T15:00:00Z")
	got := c.quotes(t, "aapl,NONEXIST,USDDKK=X,DKK=X,M&M.NS,^GSPC,DKKDKK=X,", "")
	var symbols []string
	for _, s := range []string{"AAPL", "DKK=X", "M&M.NS", "^GSPC"} {
		if _, ok := got[s]; ok {
			symbols = append(symbols, s)
		}
	}
	if len(symbols) != 4 || len(got) != 4 {
		t.Errorf("got %v", got)
	}
	if none := c.quotes(t, "NONEXIST", ""); len(none) != 0 {
		t.Errorf("got %v", none)
	}
}

func TestFieldsAreAFilter(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}}), "2025-10-22T15:00:00Z")
	before := c.x.prices.Load()
	q := c.quotes(t, "AAPL", "&fields=regularMarketPrice")["AAPL"]
	want := len(strings.Fields(unasked)) + 1
	if _, has := q["currency"]; has || len(q) != want || q["regularMarketPrice"] == nil {
		t.Errorf("%d fields: %v", len(q), q)
	}
	if c.x.prices.Load() != before {
		t.Error("a price without its time is not in the ledger")
	}
}

func TestFormatted(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}}), "2025-10-22T15:00:00Z")
	plain, formatted := c.quotes(t, "AAPL", "")["AAPL"], c.quotes(t, "AAPL", "&formatted=true")["AAPL"]
	for name, v := range plain {
		if f, ok := formatted[name].(map[string]any); ok {
			if f["raw"] != v || f["fmt"] == "" {
				t.Errorf("%s: %v, plain %v", name, f, v)
			}
		} else if diff := cmp.Diff(v, formatted[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if f := formatted["regularMarketTime"]; cmp.Diff(f, map[string]any{"raw": 1761145200.0, "fmt": "11:00AM EDT"}) != "" {
		t.Errorf("time: %v", f)
	}
}

// TestGoldenQuote shows one full answer.
func TestGoldenQuote(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}, Hours: true, Seed: 1}), "2025-10-22T21:00:00Z")
	w := c.get("/v7/finance/quote?symbols=AAPL&crumb="+url.QueryEscape(c.crumb), nil)
	var b bytes.Buffer
	if err := json.Indent(&b, w.Body.Bytes(), "", " "); err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/quote.golden.json", append(b.Bytes(), '\n'))
}

// TestFieldsOfRecordedQuotes compares with what the real service has answered:
// the same kinds of JSON values under the same names.
func TestFieldsOfRecordedQuotes(t *testing.T) {
	dir := testkit.Recorded(t)
	b, err := os.ReadFile(filepath.Join(dir, "yahoo/quote/yfrs-quote_v7_AAPL-MSFT.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		QuoteResponse struct {
			Result []map[string]any `json:"result"`
		} `json:"quoteResponse"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	q := newClient(t, market(t, Config{Symbols: []string{"AAPL"}, Hours: true}), "2025-10-22T21:00:00Z").quotes(t, "AAPL", "")["AAPL"]
	for name, want := range v.QuoteResponse.Result[0] {
		switch name {
		case "dividendRate", "dividendYield", "earningsCallTimestampStart", "earningsCallTimestampEnd":
			continue // not simulated
		}
		if got, ok := q[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if a, b := jsonKind(got), jsonKind(want); a != b {
			t.Errorf("%s is a %s, recorded a %s", name, a, b)
		}
	}
}

func jsonKind(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "list"
	}
	return "object"
}

func TestHeadersAndCompression(t *testing.T) {
	c := newClient(t, market(t, Config{Symbols: []string{"AAPL"}}), "2025-10-22T15:00:00Z")
	target := "/v7/finance/quote?symbols=AAPL&crumb=" + url.QueryEscape(c.crumb)
	w := c.get(target, map[string]string{"Accept-Encoding": "deflate, gzip;q=1.0"})
	h := w.Header()
	if h.Get("Content-Encoding") != "gzip" || h.Get("Content-Type") != jsonType || h.Get("Server") != "ATS" ||
		h.Get("Cache-Control") != "public, max-age=1, stale-while-revalidate=9" || len(h.Get("Y-Rid")) != 13 {
		t.Errorf("headers %v", h)
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil || !json.Valid(body) {
		t.Errorf("body %s: %v", body, err)
	}
	for _, refused := range []string{"", "br", "gzip;q=0"} {
		if w := c.get(target, map[string]string{"Accept-Encoding": refused}); w.Header().Get("Content-Encoding") != "" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("Accept-Encoding %q: %v", refused, w.Header())
		}
	}
}

func TestSearch(t *testing.T) {
	c := newClient(t, market(t, Config{Count: 300}), "2025-10-22T15:00:00Z")
	find := func(query string) []string {
		var v struct {
			Quotes []struct{ Symbol, Exchange, QuoteType string }
		}
		if err := json.Unmarshal(c.get("/v1/finance/search?"+query, nil).Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, q := range v.Quotes {
			out = append(out, q.Symbol)
		}
		return out
	}
	for query, want := range map[string][]string{
		"q=novo+nord&quotesCount=6": {"NOVO-B.CO"},
		"q=usddkk":                  {"DKK=X"},
		"q=m%26m.ns":                {"M&M.NS"},
		"q=zzzzzzzz":                {},
		"q=eur&quotesCount=2":       {"EURUSD=X", "EURGBP=X"},
	} {
		if diff := cmp.Diff(want, find(query)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	if got := find("q=a&quotesCount=50"); len(got) != maxHits {
		t.Errorf("%d hits", len(got))
	}
}
