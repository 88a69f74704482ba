package sim

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		" 429=0.01 , consent=on,limit=60,":  "429=0.01,consent=on,limit=60",
		"hundredfold=0.0005,stream-drop=1":  "hundredfold=0.0005,stream-drop=1",
		"consent=off,retry-after=7,cut=0.5": "cut=0.5,retry-after=7",
		"late=GBP,late-for=60,unit-flip=1":  "late-for=60,late=GBP,unit-flip=1",
	} {
		f, err := ParseFaults(text)
		if err != nil || f.String() != want {
			t.Errorf("%q: %q, %v", text, f, err)
		}
	}
	for _, name := range FaultNames() {
		if name != "consent" && name != "late" {
			if f, err := ParseFaults(name + "=1"); err != nil || f.String() != name+"=1" {
				t.Errorf("%s: %q, %v", name, f, err)
			}
		}
	}
	for text, want := range map[string]string{
		"429":           `"429": NAME=VALUE expected`,
		"429=1.5":       "a share from 0 to 1",
		"429=NaN":       "a share from 0 to 1",
		"limit=-1":      "a number from 0 to",
		"limit=many":    "a number from 0 to",
		"consent=maybe": "on or off",
		"late=pounds":   "a currency expected (USD EUR",
		"fire=1":        `there is no fault "fire": there are 401 429`,
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

const now = "2026-11-24T15:00:00Z"

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		faults, target string
		status         int
		body           string
	}{
		{"429=1,retry-after=7", "/v8/finance/chart/AAPL", 429, "Edge: Too Many Requests"},
		{"500=1", "/v8/finance/chart/AAPL", 502, "Will be right back"},
		{"html=1", "/v8/finance/chart/AAPL", 200, "Will be right back"},
		{"401=1", "/v7/finance/quote?symbols=AAPL", 401, `"code":"Unauthorized"`},
		{"401=1", "/v8/finance/chart/AAPL", 200, `"regularMarketPrice"`},
		{"delisted=1", "/v8/finance/chart/AAPL", 200, `"currency":null`},
		{"delisted=1", "/v8/finance/chart/DKK=X", 200, `"regularMarketPrice"`},
		{"nulls=1", "/v8/finance/chart/AAPL", 200, `"close":[null,null`},
		{"missing=1", "/v7/finance/spark?symbols=AAPL,DKK=X", 200, `{"spark":{"result":[],"error":null}}`},
	} {
		x := market(t, Config{Symbols: []string{"AAPL"}})
		client := newClient(t, x, now)
		f, err := ParseFaults(c.faults)
		if err != nil {
			t.Fatal(err)
		}
		x.SetFaults(f)
		w := client.get(c.target, nil)
		if w.Code != c.status && c.status != 502 || c.status == 502 && w.Code < 500 || !strings.Contains(w.Body.String(), c.body) {
			t.Errorf("%s of %s: %d %.200s", c.faults, c.target, w.Code, w.Body)
		}
		if c.status == 429 && w.Header().Get("Retry-After") != "7" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
	}
}

func TestTheCrumbIsRefusedInTwoWays(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}})
	client := newClient(t, x, now)
	x.SetFaults(Faults{Status429: 1})
	seen := map[int]bool{}
	for range 4 {
		w := client.get("/v1/test/getcrumb", nil)
		if w.Body.String() != "Too Many Requests" {
			t.Errorf("%q", w.Body)
		}
		seen[w.Code] = true
	}
	if !seen[200] || !seen[429] {
		t.Errorf("statuses %v", seen)
	}
}

func TestAllWordingsOf401(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, Faults: Faults{Status401: 1}})
	seen := map[string]bool{}
	for range 60 {
		c := &client{x: x, now: unixOf(t, now)}
		var e struct {
			Finance struct{ Error struct{ Description string } }
		}
		if err := json.Unmarshal(c.get("/v7/finance/quote?symbols=AAPL", nil).Body.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		seen[e.Finance.Error.Description] = true
	}
	if len(seen) != 3 {
		t.Errorf("wordings: %v", seen)
	}
}

func TestLimit(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, Faults: Faults{Limit: 5}})
	c := &client{x: x, now: unixOf(t, now)}
	for i := range 8 {
		want := map[bool]int{true: 200, false: 429}[i < 5]
		if w := c.get("/v8/finance/chart/AAPL", nil); w.Code != want {
			t.Errorf("request %d: %d", i+1, w.Code)
		}
	}
	if s := x.Stats(); s.PerMinute != 8 || s.Refused != 3 {
		t.Errorf("%+v", s)
	}
}

// TestOnePriceWhateverIsWrong: under the faults that change prices a second still
// has one, in quote, chart, spark and stream.
func TestOnePriceWhateverIsWrong(t *testing.T) {
	var ledger bytes.Buffer
	x := market(t, Config{Count: 60, Ledger: &ledger, Faults: Faults{Hundredfold: 0.5, Stale: 0.3, Duplicate: 0.3, Shuffle: 0.5, Missing: 0.2, Nulls: 0.1}})
	c := newClient(t, x, now)
	symbols := strings.Join(x.Symbols(), ",")
	for range 3 {
		c.get("/v7/finance/quote?symbols="+url.QueryEscape(symbols)+"&crumb="+url.QueryEscape(c.crumb), nil)
		for _, symbol := range x.Symbols()[:5] {
			c.get("/v8/finance/chart/"+symbol+"?interval=1m", nil)
		}
		c.get("/v7/finance/spark?interval=1m&symbols="+url.QueryEscape(strings.Join(x.Symbols()[:10], ",")), nil)
		c.now += 60
	}
	prices := map[string]string{}
	hundredfold := 0
	for line := range strings.Lines(ledger.String()) {
		parts := strings.Split(line, ",")
		key := parts[0] + "," + parts[1]
		if was, ok := prices[key]; ok && was != parts[2] {
			t.Fatalf("%s: %s and %s", key, was, parts[2])
		}
		prices[key] = parts[2]
		if in, _ := x.lookup(parts[0]); in.path.level > 0 && len(parts[2]) > 0 {
			hundredfold++
		}
	}
	if len(prices) < 500 || hundredfold == 0 {
		t.Errorf("%d prices", len(prices))
	}
}

// TestAFlippedUnit is one of an hour, in quote, chart and spark alike: pounds for
// pence, said or not. What is quoted in a currency stays.
func TestAFlippedUnit(t *testing.T) {
	x := market(t, Config{Symbols: []string{"VOD.L", "CSPX.L", "AAPL", "NBK.KW"}})
	c := newClient(t, x, now)
	for _, f := range []struct {
		faults  Faults
		unit    string
		divided float64
	}{{Faults{}, "GBp", 1}, {Faults{UnitFlip: 1}, "GBP", 100}, {Faults{ValueFlip: 1}, "GBp", 100}, {Faults{UnitFlip: 1, ValueFlip: 1}, "GBP", 100}} {
		x.SetFaults(f.faults)
		for symbol, want := range map[string]struct {
			unit    string
			divided float64
		}{"VOD.L": {f.unit, f.divided}, "CSPX.L": {"USD", 1}, "AAPL": {"USD", 1}, "NBK.KW": {"KWF", 1}} {
			in, _ := x.lookup(symbol)
			var quote struct {
				QuoteResponse struct {
					Result []struct {
						Currency           string
						RegularMarketPrice float64
					}
				}
			}
			decode(t, c.get("/v7/finance/quote?symbols="+symbol+"&crumb="+url.QueryEscape(c.crumb), nil).Body.Bytes(), &quote)
			q := quote.QuoteResponse.Result[0]
			exact := in.path.at(c.now).float64()
			if q.Currency != want.unit || math.Abs(q.RegularMarketPrice*want.divided-exact) > exact/1e6 {
				t.Errorf("%s: a quote of %v %s: %v %s", f.faults, exact, in.unit, q.RegularMarketPrice, q.Currency)
			}
			for _, target := range []string{"/v8/finance/chart/" + symbol + "?interval=1m", "/v7/finance/spark?interval=1m&symbols=" + symbol} {
				var series struct {
					Chart, Spark struct{ Result []json.RawMessage }
				}
				decode(t, c.get(target, nil).Body.Bytes(), &series)
				var s struct {
					Meta       struct{ Currency string }
					Timestamp  []int64
					Indicators struct {
						Quote []struct{ Open, Low, Close []float64 }
					}
					Response []json.RawMessage
				}
				result := append(series.Chart.Result, series.Spark.Result...)[0]
				decode(t, result, &s)
				if s.Response != nil {
					decode(t, s.Response[0], &s)
				}
				bars := s.Indicators.Quote[0]
				exact := in.path.at(s.Timestamp[9] + 60).float64()
				if s.Meta.Currency != want.unit || math.Abs(bars.Close[9]*want.divided-exact) > exact/1e6 || len(bars.Open) > 0 && bars.Open[9] > 2*bars.Low[9] {
					t.Errorf("%s: %s: a bar of %v is %+v in %s", f.faults, target, exact, bars.Close[9], s.Meta.Currency)
				}
			}
		}
	}
}

// TestAHundredfoldBar is so as a whole.
func TestAHundredfoldBar(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, Faults: Faults{Hundredfold: 0.2}})
	var chart struct {
		Chart struct {
			Result []struct {
				Timestamp  []int64
				Indicators struct {
					Quote []struct{ Open, High, Low, Close []float64 }
				}
			}
		}
	}
	decode(t, newClient(t, x, now).get("/v8/finance/chart/AAPL?interval=1m", nil).Body.Bytes(), &chart)
	in, _ := x.lookup("AAPL")
	hundredfold := 0
	r := chart.Chart.Result[0]
	bars := r.Indicators.Quote[0]
	for i := range r.Timestamp[:len(r.Timestamp)-1] {
		exact := in.path.at(r.Timestamp[i] + 60).float64()
		times := math.Round(bars.Close[i] / exact)
		if times == 100 {
			hundredfold++
		}
		for _, v := range []float64{bars.Open[i], bars.High[i], bars.Low[i]} {
			if v < exact*times*0.9 || v > exact*times*1.1 {
				t.Errorf("bar %d of %v: %v beside %v", i, exact, v, bars.Close[i])
			}
		}
	}
	if n := len(r.Timestamp); hundredfold < n/10 || hundredfold > n/3 {
		t.Errorf("%d of %d bars", hundredfold, n)
	}
}

// TestALatePair does not exist at first, under whatever name, and then does.
func TestALatePair(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL", "GBPDKK=X"}, Faults: Faults{Late: "GBP", LateFor: 60}})
	c := newClient(t, x, now)
	for range 2 {
		late := c.now < unixOf(t, now)+60
		for _, symbol := range []string{"GBPDKK=X", "USDGBP=X", "GBP=X", "EURGBP=X", "DKK=X", "AAPL"} {
			there := !late || !strings.Contains(symbol, "GBP")
			name := canonical(symbol)
			for _, target := range []string{"/v7/finance/quote?crumb=" + url.QueryEscape(c.crumb) + "&symbols=", "/v8/finance/chart/", "/v7/finance/spark?symbols="} {
				if w := c.get(target+symbol, nil); strings.Contains(w.Body.String(), `"symbol":"`+name+`"`) != there {
					t.Errorf("%s%s at %d: %.200s", target, symbol, c.now, w.Body)
				}
			}
			s := stream{x: x, second: c.now}
			if _, ok := s.instrumentOf(name); ok != there {
				t.Errorf("the stream has %s: %t", name, ok)
			}
		}
		c.now += 60
	}
}

func decode(t *testing.T, body []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%v: %.200s", err, body)
	}
}

func TestBrokenAnswers(t *testing.T) {
	var ledger bytes.Buffer
	x := market(t, Config{Symbols: []string{"AAPL"}, Ledger: &ledger})
	base, stop := run(t, x)
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	get := func() ([]byte, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v8/finance/chart/AAPL?interval=1d&range=5d", nil)
		if err != nil {
			t.Fatal(err)
		}
		w, err := transport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer w.Body.Close()
		return io.ReadAll(w.Body)
	}
	for range 6 {
		x.SetFaults(Faults{Cut: 1})
		if b, err := get(); err == nil {
			t.Errorf("whole: %.80s", b)
		}
		x.SetFaults(Faults{Garbage: 1})
		if b, err := get(); err != nil || json.Valid(b) {
			t.Errorf("good JSON, or %v: %.80s", err, b)
		}
	}
	x.SetFaults(Faults{Slow: 1})
	began := time.Now()
	if b, err := get(); err != nil || !json.Valid(b) || time.Since(began) < dribbleLeast/2 {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(ledger.String()) {
		if !strings.HasSuffix(strings.TrimSpace(line), ",13") {
			t.Errorf("of an answer that nobody could read: %s", line)
		}
	}
	if ledger.Len() == 0 {
		t.Error("the answer that came slowly is not in the ledger")
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// TestConsent goes the whole way as the recorded browser did.
func TestConsent(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, Faults: Faults{Consent: true}})
	base, _ := run(t, x)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	var hops []string
	c := &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		hops = append(hops, r.URL.Path)
		return nil
	}}
	do := func(method, target string, body io.Reader) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, target, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("User-Agent", browser)
		r.Header.Set("Accept", "text/html")
		if body != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		w, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w, string(text)
	}
	w, page := do(http.MethodGet, base+"/quote/AAPL", nil)
	if want := []string{consentPath, collectPath}; w.StatusCode != http.StatusOK || !slices.Equal(hops, want) {
		t.Fatalf("%d by %v", w.StatusCode, hops)
	}
	if !strings.Contains(page, "&#x2F;quote&#x2F;AAPL") {
		t.Errorf("values are not escaped as recorded: %s", page)
	}
	answer := url.Values{"agree": {"agree", "agree"}}
	_, form, _ := strings.Cut(page, "consent-form")
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		answer.Set(field[1], strings.ReplaceAll(field[2], "&#x2F;", "/"))
	}
	wrong := url.Values{"agree": {"agree"}, "csrfToken": {"not this form"}}
	if w, _ := do(http.MethodPost, w.Request.URL.String(), strings.NewReader(wrong.Encode())); w.StatusCode != http.StatusBadRequest {
		t.Errorf("a wrong form: %d", w.StatusCode)
	}
	hops = nil
	w, _ = do(http.MethodPost, w.Request.URL.String(), strings.NewReader(answer.Encode()))
	if want := []string{copyPath, "/quote/AAPL"}; w.StatusCode != http.StatusOK || !slices.Equal(hops, want) {
		t.Fatalf("%d by %v", w.StatusCode, hops)
	}
	if _, crumb := do(http.MethodGet, base+"/v1/test/getcrumb", nil); len(crumb) != 11 {
		t.Errorf("crumb %q", crumb)
	}
}

func TestControl(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, Faults: Faults{Status429: 1}})
	base, _ := run(t, x)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	do := func(method, path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		w, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		text, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.StatusCode, strings.TrimSpace(string(text))
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/_sim/faults", "", 200, "429=1"},
		{"GET", "/v8/finance/chart/AAPL", "", 429, "Edge: Too Many Requests"},
		{"PUT", "/_sim/faults", "fire=1", 400, "there is no fault"},
		{"PUT", "/_sim/faults", "slow=0", 200, ""},
		{"GET", "/v8/finance/chart/AAPL", "", 200, `"AAPL"`},
		{"GET", "/_sim/stats", "", 200, `"chart": 2`},
		{"POST", "/_sim/stats", "", 404, "GET or PUT"},
		{"OPTIONS", "/_sim/faults", "", 404, "GET or PUT"},
	} {
		if status, text := do(c.method, c.path, c.body); status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %d %.200s", c.method, c.path, status, text)
		}
	}
}
