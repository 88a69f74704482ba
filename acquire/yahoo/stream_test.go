package yahoo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/sim"
)

// pipes is a network inside of a bubble.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errRefused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// exchange is a simulated exchange in a bubble, and a source at work on it.
type streaming struct {
	*recording
	x      *sim.Exchange
	ledger bytes.Buffer
	served chan error
	end    context.CancelFunc
	pipes  *pipes
}

func streamed(t *testing.T, sc sim.Config, c Config) *streaming {
	t.Helper()
	s := &streaming{served: make(chan error, 1), pipes: newPipes()}
	sc.Ledger = &s.ledger
	if sc.TickRate == 0 {
		sc.TickRate = 1
	}
	var err error
	if s.x, err = sim.New(sc); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s.end = cancel
	go func() { s.served <- s.x.Serve(ctx, s.pipes) }()
	if c.Symbols == nil {
		c.Symbols = s.x.Symbols()
	}
	c.QueryURL, c.SessionURL = "http://sim", "http://sim"
	if c.Interval == 0 {
		c.Interval = 10 * time.Second
	}
	if c.Closed == 0 {
		c.Closed = 5 * time.Minute
	}
	c.Closed = max(c.Closed, 0)
	c.Base, c.Transport = "DKK", &http.Transport{DialContext: s.pipes.dial, DisableCompression: true}
	r := &recording{T: t, ended: make(chan error, 1)}
	s.recording = r
	if r.source, err = New(c, wire.Decode, slog.New(slog.NewTextHandler(&r.log, nil))); err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(t.Context())
	r.cancel = stop
	go func() { r.ended <- r.source.Run(run, r.emit) }()
	return s
}

// close ends the source, then the exchange, and compares: what the exchange knows
// to have been read was handed on, and nothing else.
func (s *streaming) close() {
	s.Helper()
	s.stop()
	s.end()
	if err := <-s.served; err != nil {
		s.Errorf("the exchange: %v", err)
	}
	sure, told := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(s.ledger.String()) {
		parts := strings.Split(strings.TrimSpace(line), ",")
		key := strings.Join(parts[:3], ",")
		told[key] = true
		if !strings.HasSuffix(parts[3], "?") {
			sure[key] = true
		}
	}
	handed := map[string]bool{}
	for _, raw := range s.raws {
		seen, err := wire.Decode(raw)
		if err != nil {
			continue
		}
		for _, q := range seen.Quotes {
			if q.Unit == "" {
				s.Errorf("%s of %s has no unit", q.Symbol, raw.Endpoint)
			}
			handed[fmt.Sprintf("%s,%d,%s", q.Symbol, q.Time.UnixMilli(), q.Value)] = true
		}
		for _, b := range seen.Bars {
			handed[fmt.Sprintf("%s,%d,%s", b.Symbol, b.End().UnixMilli(), b.Close)] = true
		}
	}
	for key := range sure {
		if !handed[key] {
			s.Errorf("%s was read and not handed on", key)
		}
	}
	for key := range handed {
		if !told[key] {
			s.Errorf("%s was handed on and never told", key)
		}
	}
}

// by counts what was handed on, by endpoint.
func (s *streaming) by(e kurs.Endpoint) (raws, prices int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, raw := range s.raws {
		if raw.Endpoint == e {
			raws++
			if seen, err := wire.Decode(raw); err == nil {
				prices += len(seen.Quotes)
			}
		}
	}
	return raws, prices
}

// TestTheStreamDelivers on as many connections as it takes, and polling slows
// down meanwhile.
func TestTheStreamDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Count: 230}, Config{})
		wait(2 * time.Minute)
		st := s.source.Status().Stream
		if st.Connections != 3 || st.Symbols < 220 || st.Garbled != 0 { // a fund is not streamed
			t.Errorf("%+v", st)
		}
		if _, prices := s.by(kurs.EndpointStream); prices < 220*110 {
			t.Errorf("%d prices streamed", prices)
		}
		if raws, _ := s.by(kurs.EndpointQuote); raws > 60 {
			t.Errorf("%d answers polled: it does not slow down", raws)
		}
		if text := s.log.String(); text != "" {
			t.Errorf("something was said:\n%s", text)
		}
		s.close()
	})
}

// TestPairsAreStreamedAsRates, under the names that send frames.
func TestPairsAreStreamedAsRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Symbols: []string{"AAPL"}}, Config{Symbols: []string{"AAPL", "USDSEK=X", "EURUSD=X"}})
		wait(time.Minute)
		rates := map[string]int{}
		for i, raw := range s.raws {
			if raw.Endpoint != kurs.EndpointStream {
				continue
			}
			pairs := slices.ContainsFunc(raw.Asked, func(symbol string) bool { return strings.HasSuffix(symbol, "=X") })
			if pairs != (s.kinds[i] == kurs.CarriesRates) || pairs && !slices.Equal(raw.Asked, raw.Listed) {
				t.Errorf("kind %d of %q, listed %q", s.kinds[i], raw.Asked, raw.Listed)
			}
			for _, symbol := range raw.Asked {
				rates[symbol]++
			}
		}
		if rates["SEK=X"] < 20 || rates["EURUSD=X"] < 20 || rates["AAPL"] < 20 || rates["DKK=X"] != 0 {
			t.Errorf("messages of %v", rates)
		}
		s.close()
	})
}

// TestAStreamThatStopsIsPolled at once, as often as without one, and comes back.
func TestAStreamThatStopsIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Count: 30}, Config{})
		wait(time.Minute)
		s.x.SetFaults(sim.Faults{StreamDrop: 1})
		wait(5 * time.Second)
		before, _ := s.by(kurs.EndpointQuote)
		wait(time.Minute)
		if after, _ := s.by(kurs.EndpointQuote); after-before < 5 {
			t.Errorf("polled %d times in a minute without a stream", after-before)
		}
		s.x.SetFaults(sim.Faults{})
		wait(3 * time.Minute) // not longer than the longest wait
		if st := s.source.Status().Stream; st.Connections != 1 || st.Symbols < 29 {
			t.Errorf("%+v", st)
		}
		s.close()
	})
}

// TestASilentStreamIsOpenedAnew after a minute, while a market is open.
func TestASilentStreamIsOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Count: 30}, Config{})
		wait(time.Minute)
		s.x.SetFaults(sim.Faults{StreamStall: 1})
		wait(time.Second)
		s.x.SetFaults(sim.Faults{})
		wait(55 * time.Second)
		if st := s.source.Status().Stream; st.Opened != 1 || st.Connections != 1 {
			t.Errorf("too early: %+v", st)
		}
		wait(30 * time.Second)
		if st := s.source.Status().Stream; st.Opened != 2 || st.Connections != 1 || st.LastError != errSilent.Error() {
			t.Errorf("%+v", st)
		}
		s.close()
	})
}

// TestSilenceOfAClosedMarketIsNoTrouble: on a Saturday nothing comes, and a
// connection is left as it is. Bubbles begin on Saturday, 1 January 2000.
func TestSilenceOfAClosedMarketIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Symbols: []string{"AAPL", "DSV.CO", "EURUSD=X"}, Hours: true}, Config{Extended: true})
		wait(6 * time.Hour)
		if st := s.source.Status().Stream; st.Opened != 1 || st.Connections != 1 {
			t.Errorf("%+v", st)
		}
		if raws, _ := s.by(kurs.EndpointQuote); raws > 6*60 {
			t.Errorf("%d answers polled of closed markets", raws)
		}
		s.close()
	})
}

// TestTheWeekBegins: from Saturday to Monday evening each market is asked when it
// opens, and not before.
func TestTheWeekBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Symbols: []string{"AAPL", "DSV.CO"}, Hours: true}, Config{Mode: ModePoll, Interval: time.Minute, Closed: -1})
		wait(2*24*time.Hour + 18*time.Hour)
		first := map[string]time.Time{}
		minutes := map[string]map[time.Time]bool{"AAPL": {}, "DSV.CO": {}}
		for _, raw := range s.raws {
			if seen, err := wire.Decode(raw); err == nil && raw.Endpoint == kurs.EndpointQuote {
				for _, q := range seen.Quotes {
					if minutes[q.Symbol] != nil && q.Time.Weekday() == time.Monday && raw.Received.Sub(q.Time) < time.Minute {
						if _, ok := first[q.Symbol]; !ok {
							first[q.Symbol] = q.Time
						}
						minutes[q.Symbol][q.Time.Truncate(time.Minute)] = true
					}
				}
			}
		}
		for symbol, opens := range map[string]string{"AAPL": "2000-01-03T14:30:00Z", "DSV.CO": "2000-01-03T08:00:00Z"} {
			at, err := time.Parse(time.RFC3339, opens)
			if err != nil {
				t.Fatal(err)
			}
			if late := first[symbol].Sub(at); late < 0 || late >= time.Minute {
				t.Errorf("%s: first price %s after the opening", symbol, late)
			}
		}
		lastMinute := time.Date(2000, 1, 3, 15, 59, 0, 0, time.UTC)
		if len(minutes["DSV.CO"]) < 470 || !minutes["DSV.CO"][lastMinute] {
			t.Errorf("%d minutes of 480, the last one %v", len(minutes["DSV.CO"]), minutes["DSV.CO"][lastMinute])
		}
		s.close()
	})
}

// TestWhatASpoiledStreamBringsIsWhole: with everything wrong that can be, what
// was read is handed on, and nothing that was not told.
func TestWhatASpoiledStreamBringsIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Count: 150, Faults: sim.Faults{
			StreamDrop: 0.02, StreamStall: 0.002, StreamGarbage: 0.01, Stale: 0.05, Duplicate: 0.05, Shuffle: 0.05, Missing: 0.05,
			Hundredfold: 0.01, Status429: 0, Status500: 0.02, Cut: 0.02, Garbage: 0.02, HTML: 0.01, Slow: 0.02,
		}}, Config{Timeout: 3 * time.Second})
		wait(10 * time.Minute)
		if _, prices := s.by(kurs.EndpointStream); prices < 30_000 {
			t.Errorf("%d prices streamed", prices)
		}
		s.close()
	})
}

func TestAServerWithoutAStreamIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		r := record(t, f, Config{Symbols: []string{"AAPL", "VOD.L"}, Interval: 10 * time.Second, Mode: ModeAuto})
		wait(10 * time.Minute)
		r.stop()
		if n := r.prices("AAPL"); n < 60 {
			t.Errorf("%d prices", n)
		}
		if n := len(f.of("stream")); n < 2 || n > 4 {
			t.Errorf("asked for a stream %d times", n)
		}
		if n := r.log.count("no stream to be had"); n != 1 {
			t.Errorf("told of %d times:\n%s", n, r.log.String())
		}
	})
}

func TestStreamAlonePollsOnlyForUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := streamed(t, sim.Config{Count: 30}, Config{Mode: ModeStream})
		wait(10 * time.Minute)
		if raws, _ := s.by(kurs.EndpointQuote); raws > 15 { // once, and the pairs each minute
			t.Errorf("%d answers polled", raws)
		}
		if _, prices := s.by(kurs.EndpointStream); prices < 28*590 {
			t.Errorf("%d prices streamed", prices)
		}
		s.close()
	})
}

// TestTwoValuesOfOneMomentAreTwoReceipts: a correction must be told apart from
// what it corrects.
func TestTwoValuesOfOneMomentAreTwoReceipts(t *testing.T) {
	f := newFrames(kurs.CarriesPrices)
	at := time.Now()
	for _, value := range []string{"1", "1", "2", "3"} {
		q := kurs.Quote{Symbol: "A", Time: at, Value: kurs.MustDecimal(value)}
		if err := f.put(t.Context(), frame{text: []byte(value), at: at, q: q, unit: "USD"}); err != nil {
			t.Fatal(err)
		}
	}
	var bodies []string
	for {
		out, _ := f.take(at, true)
		if out == nil {
			break
		}
		raw, _ := f.message(out)
		bodies = append(bodies, string(raw.Body))
	}
	if want := []string{"1\n1\n", "2\n", "3\n"}; !slices.Equal(bodies, want) {
		t.Errorf("%q", bodies)
	}
}

// TestGatheringIsBounded: who reads waits while the queue takes nothing.
func TestGatheringIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFrames(kurs.CarriesPrices)
		ctx, cancel := context.WithCancel(t.Context())
		put := 0
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			for ; ; put++ {
				q := kurs.Quote{Symbol: strconv.Itoa(put)}
				if f.put(ctx, frame{text: make([]byte, 300), at: time.Now(), q: q}) != nil {
					return
				}
			}
		}()
		synctest.Wait()
		if most := mostGathered/(300+frameOverhead) + 1; put > most {
			t.Errorf("%d frames gathered", put)
		}
		before := put
		if out, _ := f.take(time.Now(), true); len(out) != mostFrames {
			t.Errorf("%d frames in a message", len(out))
		}
		synctest.Wait()
		if put != before+mostFrames {
			t.Errorf("%d more after %d were taken", put-before, mostFrames)
		}
		cancel()
		<-stopped
	})
}

// TestBothVersionsAreTried: a server may have only the other one.
func TestBothVersionsAreTried(t *testing.T) {
	for address, want := range map[string][]string{
		"wss://h/?version=2": {"wss://h/?version=2", "wss://h/"},
		"ws://h:1/":          {"ws://h:1/", "ws://h:1/?version=2"},
	} {
		if got := streamVersions(address); !slices.Equal(got, want) {
			t.Errorf("%s: %q", address, got)
		}
	}
}

// TestSubscriptionsAreRepeated on a server that notes what it is told.
func TestSubscriptionsAreRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		var mu sync.Mutex
		var told []time.Time
		f := &fake{units: symbols()}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") == "" {
				resp, err := f.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				maps.Copy(w.Header(), resp.Header)
				w.WriteHeader(resp.StatusCode)
				_, _ = io.Copy(w, resp.Body)
				return
			}
			if r.URL.RawQuery != "" { // this one has version 1 alone
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = c.CloseNow() }()
			for {
				_, text, err := c.Read(r.Context())
				if err != nil {
					return
				}
				var asked struct{ Subscribe []string }
				if err := json.Unmarshal(text, &asked); err != nil || len(asked.Subscribe) != 2 {
					t.Errorf("%s: %v", text, err)
				}
				mu.Lock()
				told = append(told, time.Now())
				mu.Unlock()
			}
		})}
		go func() { _ = server.Serve(p) }()
		r := &recording{T: t, ended: make(chan error, 1)}
		var err error
		transport := &http.Transport{DialContext: p.dial}
		r.source, err = New(Config{
			QueryURL: "http://sim", SessionURL: "http://sim", Symbols: []string{"AAPL", "VOD.L"}, Base: "DKK", Interval: 10 * time.Second, Transport: transport,
		}, wire.Decode, slog.New(slog.NewTextHandler(&r.log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r.cancel = cancel
		go func() { r.ended <- r.source.Run(ctx, r.emit) }()
		wait(50 * time.Second) // less than silence
		mu.Lock()
		if len(told) < 2 || len(told) > 4 {
			t.Errorf("subscribed %d times in 50 s", len(told))
		}
		for i := 1; i < len(told); i++ {
			if d := told[i].Sub(told[i-1]); d < 15*time.Second || d > 30*time.Second {
				t.Errorf("repeated after %s", d)
			}
		}
		mu.Unlock()
		r.stop()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
}
