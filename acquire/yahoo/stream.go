package yahoo

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kurs"
)

// The stream of Yahoo as it was measured: a connection takes 100 names, first
// come, first served, and drops the rest without a word; it may go silent without
// closing; the first frame of a symbol may be days old; it is a sample, of about
// one price a second of a symbol that is traded much.
const (
	mostStreamed = 100
	silence      = time.Minute      // without any frame, while some market is open
	repeatLeast  = 15 * time.Second // the subscription is repeated after this
	repeatMore   = 15 * time.Second // and up to this besides
	healthy      = time.Minute      // a connection that has lasted this long was good
	mostFrame    = 1 << 20          // bytes; real ones have 300
	// slower is how many times less often a symbol is polled that is streamed.
	slower     = 20
	slowest    = 5 * time.Minute
	contradict = time.Minute // a polled price that is so much newer says that the stream misses some
)

// stream keeps as many connections as its symbols need, and knows which of them
// it delivers. A symbol is subscribed to when its unit is known: frames of most
// tell none.
type stream struct {
	src      *Source
	addr     string
	versions []string // addresses in the order to be tried
	gate     *gate
	prices   *frames
	rates    *frames
	stats    *streamStats

	mu    sync.Mutex
	of    map[string]*subscribed // by symbol
	conns []*connection
	news  chan struct{} // a symbol is to be subscribed to
}

// subscribed is a symbol of the stream.
type subscribed struct {
	symbol    string
	unit      string
	conn      *connection // nil: none yet
	delivered bool        // on the connection that is up now, and not contradicted since
	last      time.Time   // event time of its newest frame
}

func newStream(s *Source) *stream {
	c := s.client
	st := &stream{
		src: s, of: map[string]*subscribed{}, news: make(chan struct{}, 1), stats: &streamStats{},
		versions: streamVersions(c.cfg.StreamURL),
	}
	st.prices = newFrames(kurs.CarriesPrices)
	st.rates = newFrames(kurs.CarriesRates)
	host := c.cfg.StreamURL
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	st.addr = host
	st.gate = newGate(host, c.gate.backoff, s.log)
	st.gate.stream = true
	st.gate.keep = func(was shut) { c.memory.update(func(r *remembered) { r.Stream = was }) }
	st.gate.restore(c.memory.load().Stream)
	return st
}

// streamVersions are the addresses of both versions of the stream: the one that
// is configured first.
func streamVersions(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	query := u.Query()
	if query.Has("version") {
		query.Del("version")
	} else {
		query.Set("version", "2")
	}
	u.RawQuery = query.Encode()
	return []string{address, u.String()}
}

// learn takes units from an answer, and what it says about how well the stream
// delivers.
func (st *stream) learn(raw kurs.Raw, seen kurs.Observed) {
	if raw.Endpoint == kurs.EndpointStream {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for i := range seen.Quotes {
		q := &seen.Quotes[i]
		if _, asked := st.src.order[q.Symbol]; !asked || q.Unit == "" {
			continue
		}
		s := st.of[q.Symbol]
		if s == nil {
			s = &subscribed{symbol: q.Symbol}
			st.of[q.Symbol] = s
			signal(st.news)
		}
		s.unit = q.Unit
		regular := q.Session == kurs.SessionRegular || st.src.cfg.Extended
		if s.delivered && regular && q.Time.Sub(s.last) > contradict+q.Delay {
			s.delivered = false
		}
	}
}

// delivers tells whether a symbol comes by the stream now.
func (st *stream) delivers(symbol string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.of[symbol]
	return s != nil && s.delivered
}

// knows tells whether a symbol's unit is known, so that it is subscribed to.
func (st *stream) knows(symbol string) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.of[symbol] != nil
}

// run keeps the connections until ctx is done. Then it hands on what came.
func (st *stream) run(ctx context.Context, hear hear) error {
	// What was read is handed on in any case: it goes on a while longer.
	gathering, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	handing, handingCtx := errgroup.WithContext(gathering)
	for _, f := range []*frames{st.prices, st.rates} {
		handing.Go(func() error { return f.run(handingCtx, hear) })
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	broken := context.AfterFunc(handingCtx, cancel) // nobody takes frames any more
	defer broken()
	var open sync.WaitGroup
	for {
		for _, c := range st.assign() {
			open.Go(func() { c.keep(ctx, hear) })
		}
		select {
		case <-ctx.Done():
			open.Wait()
			stop()
			return handing.Wait()
		case <-st.news:
		}
		// More are likely to follow: a connection is for many.
		if err := pause(ctx, gatherSymbols); err != nil {
			continue
		}
	}
}

// gatherSymbols is how long symbols gather before a connection is opened for them.
const gatherSymbols = 500 * time.Millisecond

// assign gives each symbol a place on a connection, and returns the new ones.
func (st *stream) assign() (fresh []*connection) {
	st.mu.Lock()
	defer st.mu.Unlock()
	var free []*subscribed
	for _, s := range st.of {
		if s.conn == nil {
			free = append(free, s)
		}
	}
	slices.SortFunc(free, func(a, b *subscribed) int { return st.src.order[a.symbol] - st.src.order[b.symbol] })
	for _, s := range free {
		if n := len(st.conns); n == 0 || len(st.conns[n-1].symbols) >= mostStreamed {
			c := &connection{stream: st, more: make(chan struct{}, 1), backoff: st.src.client.gate.backoff}
			st.conns = append(st.conns, c)
			fresh = append(fresh, c)
		}
		c := st.conns[len(st.conns)-1]
		c.symbols = append(c.symbols, s.symbol)
		s.conn = c
		signal(c.more)
	}
	return fresh
}

// names are the symbols of a connection.
func (st *stream) names(c *connection) []string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(c.symbols)
}

// lost says that a connection is down: its symbols are polled as if there were no
// stream, from now on.
func (st *stream) lost(c *connection) {
	st.mu.Lock()
	var symbols []string
	for _, symbol := range c.symbols {
		if s := st.of[symbol]; s.delivered {
			s.delivered = false
			symbols = append(symbols, symbol)
		}
	}
	st.mu.Unlock()
	if len(symbols) > 0 {
		st.src.hurry(symbols)
	}
}

// heard takes a frame of a connection. It tells whether the frame was news: the
// last price is sent again whenever a connection is opened.
func (st *stream) heard(ctx context.Context, c *connection, text []byte, hear hear) (news bool, err error) {
	at := time.Now().UTC()
	seen, err := st.src.client.decode(kurs.Raw{Source: Name, Endpoint: kurs.EndpointStream, Received: at, Body: text})
	st.stats.frame(at, err)
	if err != nil {
		// One a minute is kept, to look at.
		if st.src.client.garbled.now(string(kurs.EndpointStream)) {
			return false, hear(kurs.Raw{Source: Name, Endpoint: kurs.EndpointStream, Received: at, Body: text}, kurs.CarriesPrices, kurs.Observed{})
		}
		return false, nil
	}
	for i := range seen.Quotes { // one, or none
		q := seen.Quotes[i]
		if q.Session != kurs.SessionRegular && !st.src.cfg.Extended {
			continue
		}
		unit, newer, ok := st.note(c, q)
		if !ok {
			continue // nobody asked for it
		}
		news = news || newer
		to := st.prices
		if _, pair := kurs.ParsePair(q.Symbol); pair {
			to = st.rates
		}
		if err := to.put(ctx, frame{text: text, at: at, q: q, unit: unit}); err != nil {
			return news, err
		}
	}
	return news, nil
}

// note says that a symbol is delivered; ok is false for one that is none of ours.
func (st *stream) note(c *connection, q kurs.Quote) (unit string, newer, ok bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.of[q.Symbol]
	if s == nil {
		return "", false, false
	}
	if s.conn == c {
		s.delivered = true
	}
	if q.Time.After(s.last) {
		s.last, newer = q.Time, true
	}
	return s.unit, newer, true
}
