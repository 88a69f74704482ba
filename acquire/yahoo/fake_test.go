package yahoo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// fake is a Yahoo in memory: it speaks the protocol, by the bubble's clock, and
// misbehaves as it is told to.
type fake struct {
	units map[string]string // of the symbols that exist; pairs exist as well
	// odd answers a request instead; nil, nil goes on to the right answer.
	odd func(r *http.Request) (*http.Response, error)

	mu       sync.Mutex
	requests []asked
	sessions int // crumbs given
}

// asked is a request that came in.
type asked struct {
	at      time.Time
	kind    string // cookie, crumb, quote, chart, search
	symbols []string
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	a := asked{at: time.Now(), kind: kindOf(r.URL.Path)}
	if r.Header.Get("Upgrade") != "" {
		a.kind = "stream"
	}
	switch a.kind {
	case "quote":
		a.symbols = strings.Split(r.URL.Query().Get("symbols"), ",")
	case "spark":
		a.symbols = strings.Split(r.URL.Query().Get("symbols"), ",")
	case "chart":
		a.symbols = []string{strings.TrimPrefix(r.URL.Path, "/v8/finance/chart/")}
	}
	f.requests = append(f.requests, a)
	f.mu.Unlock()
	if f.odd != nil {
		if resp, err := f.odd(r); resp != nil || err != nil {
			return resp, err
		}
	}
	switch a.kind {
	case "cookie":
		resp := reply200("")
		resp.StatusCode = http.StatusNotFound
		resp.Header.Set("Set-Cookie", "A3=d; Path=/")
		return resp, nil
	case "crumb":
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sessions++
		return reply200(fmt.Sprintf("crumb%d", f.sessions)), nil
	case "quote":
		return reply200(f.quotes(a.symbols)), nil
	case "chart":
		return f.chart(r, a.symbols[0]), nil
	case "spark":
		return f.spark(a.symbols), nil
	case "stream":
		return answerOf(http.StatusNotFound, ""), nil
	default:
		return reply200(`{"count":1,"quotes":[{"symbol":"NOPEX","shortname":"Nopex","exchange":"NMS","quoteType":"EQUITY","isYahooFinance":true}]}`), nil
	}
}

func kindOf(path string) string {
	for prefix, kind := range map[string]string{
		"/v1/test/getcrumb": "crumb", "/v7/finance/quote": "quote", "/v8/finance/chart/": "chart", "/v7/finance/spark": "spark", "/v1/finance/search": "search",
	} {
		if strings.HasPrefix(path, prefix) {
			return kind
		}
	}
	return "cookie"
}

func reply200(body string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func answerOf(status int, body string) *http.Response {
	r := reply200(body)
	r.StatusCode = status
	return r
}

// unit is what a symbol is quoted in; ok is false for one that does not exist.
func (f *fake) unit(symbol string) (string, bool) {
	if pair, ok := kurs.ParsePair(symbol); ok {
		return pair.To, true
	}
	unit, ok := f.units[symbol]
	return unit, ok
}

func (f *fake) quotes(symbols []string) string {
	type quote struct {
		Symbol   string  `json:"symbol"`
		Type     string  `json:"quoteType"`
		Currency string  `json:"currency"`
		State    string  `json:"marketState"`
		Price    float64 `json:"regularMarketPrice"`
		Time     int64   `json:"regularMarketTime"`
	}
	result := []quote{}
	for _, symbol := range symbols {
		if unit, ok := f.unit(symbol); ok {
			result = append(result, quote{symbol, "EQUITY", unit, "REGULAR", 2.5, time.Now().Unix()})
		}
	}
	text, err := json.Marshal(map[string]any{"quoteResponse": map[string]any{"result": result, "error": nil}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// spark answers as Yahoo does: not for more than 20.
func (f *fake) spark(symbols []string) *http.Response {
	if len(symbols) > 20 {
		return answerOf(http.StatusBadRequest, `{"spark":{"result":null,"error":{"code":"Bad Request","description":"too many"}}}`)
	}
	var results []string
	for _, symbol := range symbols {
		if unit, ok := f.unit(symbol); ok {
			live := time.Now().Unix()
			results = append(results, fmt.Sprintf(`{"symbol":%q,"response":[{"meta":{"currency":%q,"symbol":%[1]q,"instrumentType":"EQUITY",
				"regularMarketTime":%[3]d,"dataGranularity":"5m"},"timestamp":[%[3]d],"indicators":{"quote":[{"close":[2.5]}]}}]}`, symbol, unit, live))
		}
	}
	return reply200(`{"spark":{"result":[` + strings.Join(results, ",") + `],"error":null}}`)
}

const notFound = `{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}`

func (f *fake) chart(r *http.Request, symbol string) *http.Response {
	unit, ok := f.unit(symbol)
	if !ok {
		return answerOf(http.StatusNotFound, notFound)
	}
	minute := time.Now().Truncate(time.Minute).Add(-2 * time.Minute).Unix()
	live := time.Now().Unix() // the trailing element, which is not over; a second early where it would look like one that is
	if live%60 == 0 {
		live--
	}
	return reply200(fmt.Sprintf(`{"chart":{"result":[{"meta":{"currency":%q,"symbol":%q,"instrumentType":"EQUITY","regularMarketTime":%d,
		"regularMarketPrice":2.5,"dataGranularity":%q,"range":"1d"},"timestamp":[%d,%d],
		"indicators":{"quote":[{"open":[2.5,2.5],"high":[2.5,2.5],"low":[2.5,2.5],"close":[2.5,2.5],"volume":[1,0]}]}}],"error":null}}`,
		unit, symbol, live, r.URL.Query().Get("interval"), minute, live))
}

// of are the requests of a kind so far.
func (f *fake) of(kind string) []asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.requests), func(a asked) bool { return a.kind != kind })
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.requests)
}

// recording is a source at work on a fake.
type recording struct {
	*testing.T
	fake   *fake
	source *Source
	log    lines

	mu     sync.Mutex
	raws   []kurs.Raw
	kinds  []kurs.RawKind
	cancel context.CancelFunc
	ended  chan error
}

// lines are a log's lines.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// record begins to record; it is to be ended by stop.
func record(t *testing.T, f *fake, c Config) *recording {
	t.Helper()
	c.Transport, c.Base = f, "DKK"
	if c.Mode == "" {
		c.Mode = ModePoll
	}
	r := &recording{T: t, fake: f, ended: make(chan error, 1)}
	var err error
	if r.source, err = New(c, wire.Decode, slog.New(slog.NewTextHandler(&r.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.ended <- r.source.Run(ctx, r.emit) }()
	return r
}

func (r *recording) emit(_ context.Context, raw kurs.Raw, kind kurs.RawKind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raws = append(r.raws, raw)
	r.kinds = append(r.kinds, kind)
	return nil
}

func (r *recording) stop() {
	r.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.Errorf("Run: %v", err)
	}
}

// prices is how many quotes of a symbol were handed on, but for rates.
func (r *recording) prices(symbol string) int {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for i, raw := range r.raws {
		seen, err := wire.Decode(raw)
		if err != nil || r.kinds[i] == kurs.CarriesRates {
			continue
		}
		for _, q := range seen.Quotes {
			if q.Symbol == symbol {
				n++
			}
		}
	}
	return n
}

var errRefused = errors.New("dial tcp: connection refused")
