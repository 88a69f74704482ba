package yahoo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Name is the name of the source.
const Name = "yahoo"

// Where Yahoo itself is asked. Its second query host answers like the first; the
// session host is the one that gives a cookie without a page of consent.
const (
	ownQueryURL   = "https://query2.finance.yahoo.com"
	ownSessionURL = "https://fc.yahoo.com"
	ownPageURL    = "https://finance.yahoo.com/quote/AAPL"
	ownStreamURL  = "wss://streamer.finance.yahoo.com/?version=2"
)

// Config is what to ask, whom, and how often. Its zero values mean the defaults
// named here, but for MaxPerMinute, StateDir and Transport.
type Config struct {
	QueryURL   string   // prices; no slash at the end. Default: Yahoo
	SessionURL string   // the cookie. Default: Yahoo
	StreamURL  string   // the stream. Default: Yahoo's where QueryURL is Yahoo's, else the same server
	Symbols    []string // currency pairs ("EURUSD=X") are asked with the rates
	Base       string   // ISO 4217: rates into it are asked for as the units of the prices need

	Mode     Mode // how prices are asked for; ModeAuto
	Extended bool // prices before and after the regular session as well

	Interval   time.Duration // between two prices of a symbol; 15 s
	Closed     time.Duration // the same while its market is closed; 0: it is not asked then
	FXInterval time.Duration // between two rates of a pair; 60 s
	FXMaxAge   time.Duration // as old may a rate be for a price; 10 min

	Batch        int // symbols in one request; 50
	Workers      int // requests are made by so many; 4
	MaxPerMinute int // requests of all kinds in any minute; 0: unlimited
	MaxInFlight  int // requests at the same time; 4

	Timeout       time.Duration // of one request, to its last byte; 10 s
	MaxBackoff    time.Duration // longest wait of our own accord; 30 min
	RetryBase     time.Duration // first wait after a failure; 1 s, for other hosts than Yahoo's 200 ms
	RateRetryBase time.Duration // first wait after 429; 60 s

	// StateDir keeps the session (readable by the user alone), the waits and the
	// pairs over a restart. Empty: nothing is kept.
	StateDir string

	// Transport makes the requests. Nil: one of our own, by the proxy that the
	// environment names.
	Transport http.RoundTripper
}

// Mode is how prices are asked for.
type Mode string

// The modes.
const (
	ModeAuto   Mode = "auto"   // streamed, and polled: seldom what the stream delivers
	ModePoll   Mode = "poll"   // polled alone
	ModeStream Mode = "stream" // streamed alone, but for what must be known to do so
)

// What Yahoo's own hosts are asked at most.
const (
	ownLeastInterval = 5 * time.Second
	ownMostBatch     = 50
)

func (c Config) withDefaults() Config {
	text := func(v *string, otherwise string) {
		if *v == "" {
			*v = otherwise
		}
		*v = strings.TrimRight(*v, "/")
	}
	text(&c.QueryURL, ownQueryURL)
	text(&c.SessionURL, ownSessionURL)
	if c.StreamURL == "" {
		c.StreamURL = streamOf(c.QueryURL)
	}
	if c.Mode == "" {
		c.Mode = ModeAuto
	}
	span := func(v *time.Duration, otherwise time.Duration) {
		if *v <= 0 {
			*v = otherwise
		}
	}
	span(&c.Interval, 15*time.Second)
	span(&c.FXInterval, time.Minute)
	span(&c.FXMaxAge, 10*time.Minute)
	span(&c.Timeout, 10*time.Second)
	span(&c.MaxBackoff, 30*time.Minute)
	span(&c.RateRetryBase, time.Minute)
	span(&c.RetryBase, 200*time.Millisecond)
	number := func(v *int, otherwise int) {
		if *v <= 0 {
			*v = otherwise
		}
	}
	number(&c.Batch, ownMostBatch)
	number(&c.Workers, 4)
	number(&c.MaxInFlight, 4)
	c.Symbols = canonical(c.Symbols)
	return c
}

// canonical names, each once, in their order.
func canonical(symbols []string) []string {
	out := make([]string, 0, len(symbols))
	seen := make(map[string]bool, len(symbols))
	for _, symbol := range symbols {
		symbol = kurs.CanonicalSymbol(symbol)
		if symbol != "" && !seen[symbol] {
			seen[symbol] = true
			out = append(out, symbol)
		}
	}
	return out
}

// checked is the config with its defaults, or what is wrong with it.
func (c Config) checked() (Config, error) {
	given := c.RetryBase
	c = c.withDefaults()
	query, err := address(c.QueryURL)
	if err != nil {
		return c, fmt.Errorf("query URL: %w", err)
	}
	if _, err = address(c.SessionURL); err != nil {
		return c, fmt.Errorf("session URL: %w", err)
	}
	if _, err = socket(c.StreamURL); err != nil {
		return c, fmt.Errorf("stream URL: %w", err)
	}
	if !slices.Contains([]Mode{ModeAuto, ModePoll, ModeStream}, c.Mode) {
		return c, fmt.Errorf("mode %q: %s, %s or %s expected", c.Mode, ModeAuto, ModePoll, ModeStream)
	}
	if c.Base != "" && !kurs.LooksLikeCurrency(c.Base) {
		return c, fmt.Errorf("base currency %q: three capital letters expected", c.Base)
	}
	if !ownHost(query.Hostname()) {
		return c, nil
	}
	if given <= 0 {
		c.RetryBase = time.Second
	}
	if c.Interval < ownLeastInterval || c.FXInterval < ownLeastInterval {
		return c, fmt.Errorf("interval: Yahoo itself is asked every %s at most", ownLeastInterval)
	}
	if c.Batch > ownMostBatch {
		return c, fmt.Errorf("batch: Yahoo itself is asked for %d symbols at most", ownMostBatch)
	}
	return c, nil
}

func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || !slices.Contains([]string{"http", "https"}, u.Scheme) {
		return nil, errors.New("http://HOST or https://HOST expected")
	}
	return u, nil
}

// streamOf is the stream that goes with a server: Yahoo's own with Yahoo's, else
// what the server itself may have.
func streamOf(query string) string {
	u, err := url.Parse(query)
	if err != nil || ownHost(u.Hostname()) {
		return ownStreamURL
	}
	return "ws" + strings.TrimPrefix(u.Scheme, "http") + "://" + u.Host + "/?version=2"
}

func socket(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Host == "" || !slices.Contains([]string{"ws", "wss"}, u.Scheme) {
		return nil, errors.New("ws://HOST or wss://HOST expected")
	}
	return u, nil
}

// ownHost tells whether a host is Yahoo's own.
func ownHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "yahoo.com" || strings.HasSuffix(host, ".yahoo.com")
}
