package yahoo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"kurs"
)

// Client makes single calls, as the commands for a person do. A [Source] makes
// its requests through one as well. It is safe for concurrent use.
//
// Errors of its calls are a *kurs.Error (KURS-NET, KURS-RATE, KURS-SYMBOL), or
// that ctx is done.
type Client struct {
	cfg      Config
	host     string // that is asked for data
	decode   kurs.Decode
	log      *slog.Logger
	http     *http.Client
	graceful bool // requests under way outlive ctx, and waits are kept
	memory   *memory
	gate     *gate
	budget   *budget
	session  *session
	sizes    *sizes
	sparks   sparks
	stats    *stats
	garbled  *seldom // answers that were none are handed on
	strange  *seldom // lines in the log
}

// NewClient makes a client; only the settings of requests count, not those of
// polling. decode reads what Yahoo answered.
func NewClient(cfg Config, decode kurs.Decode, log *slog.Logger) (*Client, error) {
	return newClient(cfg, decode, log, false)
}

func newClient(cfg Config, decode kurs.Decode, log *slog.Logger, graceful bool) (*Client, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, fmt.Errorf("yahoo: %w", err)
	}
	u, err := address(cfg.QueryURL)
	if err != nil {
		return nil, fmt.Errorf("yahoo: query URL: %w", err)
	}
	c := &Client{
		cfg: cfg, host: u.Host, decode: decode, log: log, graceful: graceful,
		memory:  &memory{dir: cfg.StateDir, host: u.Host, log: log},
		budget:  newBudget(cfg.MaxPerMinute, cfg.MaxInFlight),
		sizes:   &sizes{most: cfg.Batch, now: cfg.Batch},
		stats:   newStats(),
		garbled: newSeldom(time.Minute),
		strange: newSeldom(time.Hour),
	}
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport(cfg)
	}
	c.http = &http.Client{
		Transport: transport,
		// Yahoo redirects to pages (consent, login), never to data.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.budget.log = openRequestLog(cfg.StateDir, cfg.MaxPerMinute)
	c.budget.unkept = c.memory.warn
	c.gate = newGate(u.Host, backoff{net: cfg.RetryBase, rate: cfg.RateRetryBase, most: cfg.MaxBackoff}, log)
	c.session = &session{client: c, log: log, first: 10 * cfg.RetryBase, most: cfg.MaxBackoff}
	c.gate.keep = func(s shut) { c.memory.update(func(r *remembered) { r.Gate = s }) }
	c.gate.mended = c.session.reachable
	c.sizes.keep = func(n int) { c.memory.update(func(r *remembered) { r.Batch = n }) }
	was := c.memory.load()
	c.sizes.restore(was.Batch, time.Now())
	c.gate.restore(was.Gate)
	c.session.restore(was.Session)
	return c, nil
}

// newTransport is made for few connections to one host that live long.
func newTransport(cfg Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: cfg.Timeout, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          2 * cfg.MaxInFlight,
		MaxIdleConnsPerHost:   cfg.MaxInFlight,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   cfg.Timeout,
		ResponseHeaderTimeout: cfg.Timeout,
		DisableCompression:    true, // readBody unpacks, within bounds
	}
}

// Close ends idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// turn waits until a request to the data host may be made. The pass is to be
// given back to the gate, and release called.
func (c *Client) turn(ctx context.Context) (pass, func(), error) {
	for {
		p, err := c.gate.enter(ctx, c.graceful)
		if err != nil {
			return p, nil, err
		}
		release, err := c.budget.turn(ctx)
		if err != nil {
			c.gate.back(p)
			return p, nil, err
		}
		if !c.graceful || c.gate.renew(&p) {
			return p, release, nil
		}
		release() // shut while we waited
	}
}

// ask puts one question, once, when gate and budget allow it. Its errors are
// that ctx is done, or what a gate says that lets nobody through.
func (c *Client) ask(ctx context.Context, q question) (reply, error) {
	p, release, err := c.turn(ctx)
	if err != nil {
		return reply{}, err
	}
	defer release()
	q.accept = "application/json"
	r := c.judge(q, c.fetch(ctx, q.request))
	if ctx.Err() != nil && !c.graceful && r.status == 0 {
		c.gate.back(p)
		return reply{}, context.Cause(ctx)
	}
	c.stats.request(r.status, r.trouble)
	c.gate.leave(p, r.trouble)
	c.budget.went(r.trouble)
	return r, nil
}

// Quotes asks once for the last prices of symbols and returns the answers as
// received. Symbols that Yahoo does not know are an error (KURS-SYMBOL) with its
// own words; the answers about the others are returned with it.
func (c *Client) Quotes(ctx context.Context, symbols []string) ([]kurs.Raw, error) {
	var raws []kurs.Raw
	hear := collect(&raws)
	unknown, err := c.lookUp(ctx, newRound(canonical(symbols), nil, kurs.CarriesPrices), hear)
	if err != nil {
		return raws, c.forPerson(err)
	}
	if len(unknown) > 0 {
		return raws, unknownError(unknown)
	}
	return raws, nil
}

// Pairs asks once for rates. Where since is not zero, rates from FXMaxAge before
// it until now are asked for as well: minutes of the last seven days, days of the
// time before. For a pair that Yahoo does not know, rates through USD and EUR are
// asked for instead; what cannot be had at all is no error.
func (c *Client) Pairs(ctx context.Context, pairs []kurs.Pair, since time.Time) ([]kurs.Raw, error) {
	var raws []kurs.Raw
	hear := collect(&raws)
	seen := map[kurs.Pair]bool{}
	for asked := 0; len(pairs) > 0 && asked < 2; asked++ { // the pairs, then the legs of the missing
		r := newRound(symbolsOf(pairs), nil, kurs.CarriesRates)
		if err := c.insist(ctx, r, hear); err != nil {
			return raws, c.forPerson(err)
		}
		var legs []kurs.Pair
		for _, pair := range pairs {
			seen[pair] = true
			if r.isMissing(pair.Symbol()) {
				legs = append(legs, legsOf(pair)...)
				continue
			}
			if since.IsZero() {
				continue
			}
			h := newHistory(pair, since, c.cfg.FXMaxAge, time.Now())
			if err := c.insistPast(ctx, &h, hear); err != nil {
				return raws, c.forPerson(err)
			}
		}
		pairs = pairs[:0:0]
		for _, leg := range legs {
			if !seen[leg] {
				seen[leg] = true
				pairs = append(pairs, leg)
			}
		}
	}
	return raws, nil
}

// Search asks for instruments by a name or a part of one.
func (c *Client) Search(ctx context.Context, text string) (kurs.Raw, error) {
	q := question{request: request{url: searchURL(c.cfg.QueryURL, text)}, endpoint: kurs.EndpointSearch}
	for try := 1; ; try++ {
		r, err := c.ask(ctx, q)
		switch {
		case err != nil:
			return kurs.Raw{}, c.forPerson(err)
		case r.trouble == nil && r.status == http.StatusOK:
			return r.raw(q, nil), nil
		case r.trouble == nil:
			r.trouble = answered(r.host, r.status, r.after)
		}
		if err := c.again(ctx, try, r.trouble); err != nil {
			return kurs.Raw{}, c.forPerson(err)
		}
	}
}

func collect(raws *[]kurs.Raw) hear {
	return func(raw kurs.Raw, _ kurs.RawKind, _ kurs.Observed) error {
		*raws = append(*raws, raw)
		return nil
	}
}

// mostTries of a single call: one more than none, for a connection that was lost.
const mostTries = 2

// again tells whether a single call is tried again after trouble: it waits, or
// returns the trouble.
func (c *Client) again(ctx context.Context, tries int, t *trouble) error {
	if t.code == codeRate || tries >= mostTries {
		return t
	}
	return pause(ctx, c.gate.backoff.net)
}

// insist goes through a round, with a second try where there was trouble.
func (c *Client) insist(ctx context.Context, r *round, hear hear) error {
	tries := 0
	for !r.done() {
		err := c.step(ctx, r, hear)
		var t *trouble
		switch {
		case err == nil:
			continue
		case !errors.As(err, &t):
			return err
		}
		tries++
		if err := c.again(ctx, tries, t); err != nil {
			return err
		}
	}
	return nil
}

// lookUp goes through a round, asks again for what was left out of the answers,
// and returns what Yahoo does not know.
func (c *Client) lookUp(ctx context.Context, r *round, hear hear) ([]unknownSymbol, error) {
	if err := c.insist(ctx, r, hear); err != nil {
		return nil, err
	}
	return c.doubt(ctx, r, c.insist, hear)
}

// forPerson words an error for the person at the command line.
func (c *Client) forPerson(err error) error {
	var t *trouble
	if !errors.As(err, &t) {
		return err
	}
	var until time.Time
	if s := c.gate.state(); s.Code == codeRate {
		until = s.Until
	}
	return t.forPerson(until, c.cfg.MaxPerMinute)
}

func unknownError(unknown []unknownSymbol) error {
	words := make([]string, len(unknown))
	for i, u := range unknown {
		words[i] = u.symbol + ": " + u.words
	}
	return &kurs.Error{
		Code: codeSymbol, Message: strings.Join(words, "; "),
		Try: "kurs symbols search NAME finds symbols; so does finance.yahoo.com", Exit: kurs.ExitNotFound,
	}
}
