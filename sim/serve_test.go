package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// run serves an exchange on loopback until the test's end or stop, which waits.
func run(t *testing.T, x *Exchange) (base string, stop func() error) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Serve(ctx, l) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return "http://" + l.Addr().String(), stop
}

// TestLedgerIsWhatAClientRead runs the whole way with Go's own client and cookie
// jar and a decoder of the test's own.
func TestLedgerIsWhatAClientRead(t *testing.T) {
	var ledger bytes.Buffer
	x := market(t, Config{Count: 120, Seed: 11, Hours: true, Ledger: &ledger})
	base, stop := run(t, x)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c := &http.Client{Jar: jar, Transport: transport}
	get := func(target string) []byte {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+target, nil)
		if err != nil {
			t.Error(err)
			return nil
		}
		r.Header.Set("User-Agent", browser)
		w, err := c.Do(r)
		if err != nil {
			t.Error(err)
			return nil
		}
		defer w.Body.Close()
		b, err := io.ReadAll(w.Body)
		if err != nil {
			t.Error(err)
		}
		return b
	}
	get("/")
	crumb := url.QueryEscape(string(get("/v1/test/getcrumb")))
	var mu sync.Mutex
	read := make(map[string]bool)
	note := func(symbol string, at int64, p float64) {
		mu.Lock()
		defer mu.Unlock()
		read[fmt.Sprintf("%s,%d,%s", symbol, at*1000, restored(p))] = true
	}
	var clients sync.WaitGroup
	for batch := range slices.Chunk(append(x.Symbols(), "DKK=X", "EURDKK=X", "JPYDKK=X"), 25) {
		clients.Go(func() {
			body := get("/v7/finance/quote?crumb=" + crumb + "&symbols=" + url.QueryEscape(strings.Join(batch, ",")))
			readQuotes(t, body, note)
			for _, symbol := range batch[:3] {
				readChart(t, get("/v8/finance/chart/"+url.PathEscape(symbol)+"?interval=1m&range=1d"), note)
			}
		})
	}
	clients.Wait()
	transport.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	written := make(map[string]bool)
	times := make(map[string]bool)
	lines := strings.Split(strings.TrimSuffix(ledger.String(), "\n"), "\n")
	for _, line := range lines {
		key := line[:strings.LastIndexByte(line, ',')]
		written[key] = true
		times[key[:strings.LastIndexByte(key, ',')]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(written)), slices.Sorted(maps.Keys(read))); diff != "" {
		t.Errorf("-ledger +read: %s", diff)
	}
	if len(times) != len(written) {
		t.Errorf("%d prices for %d (symbol, time)", len(written), len(times))
	}
	if s := x.Stats(); s.Prices != uint64(len(lines)) || s.Requests["quote"] != 5 || s.Requests["chart"] != 15 || len(written) < 123 {
		t.Errorf("%+v, %d lines", s, len(lines))
	}
}

func readQuotes(t *testing.T, body []byte, note func(string, int64, float64)) {
	t.Helper()
	var v struct {
		QuoteResponse struct{ Result []map[string]any }
	}
	if err := json.Unmarshal(body, &v); err != nil {
		t.Errorf("%v: %.200s", err, body)
	}
	for _, q := range v.QuoteResponse.Result {
		for _, session := range []string{"regular", "pre", "post"} {
			if p, ok := q[session+"MarketPrice"].(float64); ok {
				at, _ := q[session+"MarketTime"].(float64)
				symbol, _ := q["symbol"].(string)
				note(symbol, int64(at), p)
			}
		}
	}
}

func readChart(t *testing.T, body []byte, note func(string, int64, float64)) {
	t.Helper()
	var v struct{ Chart struct{ Result []told } }
	if err := json.Unmarshal(body, &v); err != nil || len(v.Chart.Result) != 1 {
		t.Errorf("%v: %.200s", err, body)
		return
	}
	r := v.Chart.Result[0]
	for i, start := range r.Timestamp {
		at := start + 60
		if start == r.Meta.RegularMarketTime {
			at = start
		}
		note(r.Meta.Symbol, at, r.Indicators.Quote[0].Close[i])
	}
}

// memory is a listener without a network.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error { m.once.Do(func() { close(m.closed) }); return nil }
func (*memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// TestServeEndsWithItsContext runs in a bubble, which does not end before every
// goroutine of the server has, and where a clock can be trusted.
func TestServeEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- market(t, Config{Count: 3}).Serve(ctx, l) }()
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			a, b := net.Pipe()
			l.conns <- b
			return a, nil
		}}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sim/v8/finance/chart/AAPL?interval=1d&range=1d", nil)
		if err != nil {
			t.Fatal(err)
		}
		w, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		if !strings.Contains(string(body), `"regularMarketTime":946684800,`) { // a bubble begins in 2000
			t.Errorf("body %s", body)
		}
		transport.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// brokenPipe is a client that has gone away.
type brokenPipe struct{ discard }

func (*brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestNothingIsHandedOutToNobody(t *testing.T) {
	var ledger bytes.Buffer
	x := market(t, Config{Count: 3, Ledger: &ledger})
	c := newClient(t, x, "2025-10-22T15:00:00Z")
	r := httptest.NewRequest(http.MethodGet, "/v8/finance/chart/AAPL", nil)
	x.answerAt(&brokenPipe{discard{make(http.Header)}}, r, c.now)
	head := httptest.NewRequest(http.MethodHead, "/v8/finance/chart/AAPL", nil)
	w := httptest.NewRecorder()
	x.answerAt(w, head, c.now)
	if ledger.Len() != 0 || x.Stats().Prices != 0 || w.Body.Len() != 0 || w.Code != 200 {
		t.Errorf("%d prices: %s", x.Stats().Prices, ledger.String())
	}
	c.chart(t, "AAPL", "interval=1d&range=1d")
	if got, want := ledger.String(), "AAPL,"+strconv.FormatInt(c.now*1000, 10)+","; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ",5\n") {
		t.Errorf("ledger %q", got) // the fifth request
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestALedgerThatFailsEndsTheExchange(t *testing.T) {
	x := market(t, Config{Count: 3, Ledger: fullDisk{}})
	base, stop := run(t, x)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v8/finance/chart/AAPL", nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	w, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	<-x.ledger.failed
	if err := stop(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("ended with %v", err)
	}
}

func TestOnlyGet(t *testing.T) {
	x := market(t, Config{Count: 3})
	w := httptest.NewRecorder()
	x.answerAt(w, httptest.NewRequest(http.MethodPost, "/v7/finance/quote", nil), 1)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

// FuzzAnswer asks anything: no request may end in a panic or in something that
// is no JSON where JSON is promised.
func FuzzAnswer(f *testing.F) {
	f.Add("/v8/finance/chart/AAPL", "interval=1d&range=1y")
	f.Add("/v8/finance/chart/%00", "period1=-9223372036854775808&period2=9223372036854775807")
	f.Add("/v7/finance/spark", "symbols=AAPL&range=0d")
	f.Add("/v1/finance/search", "q=%22")
	f.Add("/v8/finance/chart/BTC-USD", "interval=3mo&range=max&events=div,split")
	x := market(f, Config{Count: 5})
	f.Fuzz(func(t *testing.T, path, query string) {
		if !strings.HasPrefix(path, "/v") {
			return
		}
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path, RawQuery: query}, Header: make(http.Header), Host: "localhost"}
		w := httptest.NewRecorder()
		x.answerAt(w, r, 1_761_145_200)
		if w.Header().Get("Content-Type") == jsonType && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s?%s: %s", path, query, w.Body)
		}
	})
}
