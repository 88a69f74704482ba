package yahoo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kurs"
)

// userAgent names kurs honestly, in the form that browsers and crawlers share:
// without the first word Yahoo answers 429 (karlwancl/YahooFinanceApi issue 73).
const userAgent = "Mozilla/5.0 (compatible; kurs/1.0)"

// quoteFields are what is asked of each symbol: what kurs reads, and no more.
// Some come unasked, but not the currency.
const quoteFields = "symbol,quoteType,exchange,currency,exchangeTimezoneName,shortName,longName,marketState," +
	"regularMarketPrice,regularMarketTime,bid,ask,regularMarketVolume,exchangeDataDelayedBy"

// extendedFields are those besides for prices before and after the session.
const extendedFields = ",preMarketPrice,preMarketTime,postMarketPrice,postMarketTime"

// A request is one GET, or where there is a form one POST.
type request struct {
	url    string
	accept string
	cookie string
	form   string // as a browser sends one
}

// quoteURL asks for the last prices of symbols, with a session's crumb.
func quoteURL(base string, symbols []string, extended bool, crumb string) string {
	escaped := make([]string, len(symbols))
	for i, symbol := range symbols {
		escaped[i] = url.QueryEscape(symbol)
	}
	fields := quoteFields
	if extended {
		fields += extendedFields
	}
	return base + "/v7/finance/quote?symbols=" + strings.Join(escaped, ",") + // a comma may stay
		"&fields=" + fields + "&formatted=false&crumb=" + url.QueryEscape(crumb)
}

// chartURL asks for the bars of one symbol: of today in minutes, where from is
// zero, else from then until to.
func chartURL(base, symbol, interval string, from, to time.Time) string {
	// Every letter that means something in an address is escaped: "M&M.NS", "^GSPC".
	path := strings.ReplaceAll(url.QueryEscape(symbol), "+", "%20")
	u := base + "/v8/finance/chart/" + path + "?interval=" + interval
	if from.IsZero() {
		return u + "&range=1d"
	}
	return u + "&period1=" + strconv.FormatInt(from.Unix(), 10) + "&period2=" + strconv.FormatInt(to.Unix(), 10)
}

// searchURL asks for instruments by a name or a part of one.
func searchURL(base, text string) string {
	return base + "/v1/finance/search?q=" + url.QueryEscape(text) + "&quotesCount=7&newsCount=0&lang=en-US&region=US"
}

// answer is what came back to a request.
type answer struct {
	host    string
	status  int // 0: no whole answer came, trouble says why
	header  http.Header
	body    []byte
	at      time.Time     // when the last byte was in, UTC
	after   time.Duration // Retry-After
	trouble *trouble      // nil: a whole answer of status 200
}

// fetch makes one request, once, and reads the answer whole. What is under way
// when ctx ends is still finished, within the timeout, by a client that is
// graceful.
func (c *Client) fetch(ctx context.Context, r request) answer {
	if c.graceful {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	method := http.MethodGet
	if r.form != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url, strings.NewReader(r.form))
	if err != nil {
		return answer{host: c.host, trouble: unreachable(c.host, err, c.cfg.Timeout)}
	}
	if r.form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Body, req.GetBody = http.NoBody, nil
	}
	a := answer{host: req.URL.Host}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", r.accept)
	req.Header.Set("Accept-Encoding", "gzip")
	if r.cookie != "" {
		req.Header.Set("Cookie", r.cookie)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		a.trouble = unreachable(a.host, err, c.cfg.Timeout)
		return a
	}
	body, err := readBody(resp)
	if closeErr := resp.Body.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	a.at = time.Now().UTC()
	a.header = resp.Header
	if resp.StatusCode != http.StatusOK {
		// The status says enough, whether or not the words with it came whole.
		a.status, a.body = resp.StatusCode, body
		a.after = retryAfter(resp.Header, a.at)
		a.trouble = answered(a.host, a.status, a.after)
		return a
	}
	if err != nil {
		a.trouble = unreachable(a.host, fmt.Errorf("read the answer: %w", err), c.cfg.Timeout)
		return a
	}
	a.status, a.body = resp.StatusCode, body
	return a
}

// A question is a request for data, and what it asks for.
type question struct {
	request
	endpoint kurs.Endpoint
	symbols  []string
}

// A reply is an answer to a question, looked into.
type reply struct {
	answer
	verdict verdict
	seen    kurs.Observed
}

// raw is the reply as it is handed on.
func (r reply) raw(q question, listed []string) kurs.Raw {
	return kurs.Raw{
		Source: Name, Endpoint: q.endpoint, Asked: q.symbols, Listed: listed,
		Received: r.at, Body: r.body,
	}
}

// verdict is what a reply means for what to do next.
type verdict int

const (
	said    verdict = iota // an answer
	refused                // the provider says, in its own words, that it has none for these symbols
	denied                 // the session is not accepted, or it is not to be had without one
	tooLong                // too many symbols, perhaps
	failed                 // trouble: to be tried again
	garbled                // trouble: a whole answer, but not one of Yahoo's
)

// judge says what an answer to a question means. Which statuses mean what is
// public clients' experience; anything that is not listed is trouble.
func (c *Client) judge(q question, a answer) reply {
	r := reply{answer: a, verdict: failed}
	if a.status == 0 {
		return r
	}
	seen, err := c.decode(kurs.Raw{Source: Name, Endpoint: q.endpoint, Asked: q.symbols, Received: a.at, Body: a.body})
	if err == nil {
		r.seen = seen
	}
	words := r.seen.Failure
	single := len(q.symbols) <= 1
	switch a.status {
	case http.StatusOK:
		return judgeWhole(q, r, err)
	case http.StatusUnauthorized, http.StatusForbidden:
		if q.cookie != "" || q.endpoint == kurs.EndpointSpark {
			r.verdict = denied
		}
	case http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusRequestHeaderFieldsTooLarge:
		if !single {
			r.verdict = tooLong
		}
	case http.StatusBadRequest:
		switch {
		case !single:
			r.verdict = tooLong
		case words != nil:
			r.verdict = refused
		}
	case http.StatusNotFound, http.StatusUnprocessableEntity:
		// A quote is never 404: that is another server, or another path. Nor is a
		// spark, which can be done without.
		switch {
		case words != nil && q.endpoint == kurs.EndpointChart:
			r.verdict = refused
		case q.endpoint == kurs.EndpointSpark:
			r.verdict = denied
		}
	}
	if r.verdict != failed {
		r.trouble = nil
	} else if words != nil {
		r.trouble.err = fmt.Errorf("answered %d: %w", a.status, words)
	}
	return r
}

// judgeWhole looks into an answer of status 200.
func judgeWhole(q question, r reply, err error) reply {
	words := r.seen.Failure
	switch {
	case err != nil:
		r.verdict = garbled
		r.trouble = &trouble{code: codeNet, host: r.host, status: r.status, err: err}
	case words == nil:
		r.verdict = said
	case words.Kind == kurs.ErrorUnauthorized && q.cookie != "":
		r.verdict = denied
	case words.Kind == kurs.ErrorNotFound && len(q.symbols) > 1:
		r.verdict = tooLong // one of them is meant: halves tell which
	case words.Kind == kurs.ErrorNotFound:
		r.verdict = refused
	case words.Kind == kurs.ErrorRateLimit:
		r.verdict = garbled
		r.trouble = &trouble{code: codeRate, host: r.host, status: r.status, err: words}
	default:
		r.verdict = garbled
		r.trouble = &trouble{code: codeNet, host: r.host, status: r.status, err: words}
	}
	return r
}
