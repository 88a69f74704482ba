package sim

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// endpoint is what a request is counted under.
type endpoint int

const (
	sessionEndpoint endpoint = iota
	crumbEndpoint
	quoteEndpoint
	chartEndpoint
	sparkEndpoint
	searchEndpoint
	streamEndpoint
	referenceEndpoint
	otherEndpoint
	endpoints // how many there are
)

// String is the endpoint's name in [Stats].
func (e endpoint) String() string {
	return [...]string{"session", "crumb", "quote", "chart", "spark", "search", "stream", "reference", "other"}[e]
}

// answer is one request being answered: what will be sent, and what goes into
// the ledger once it has been.
type answer struct {
	x      *Exchange
	w      http.ResponseWriter
	r      *http.Request
	number uint64 // of the request, counting from 1
	now    int64
	body   []byte
	lines  []byte // for the ledger
	prices uint64

	inMinute int // requests in the minute that ends with this one
	mischief
	aborted bool // the connection is to be broken off

	moments map[*venue]*moment
}

var answers = sync.Pool{New: func() any { return &answer{moments: make(map[*venue]*moment)} }}

// Handler answers for the exchange under the paths that Yahoo's hosts use: one
// server is all of them at once.
func (x *Exchange) Handler() http.Handler { return http.HandlerFunc(x.serve) }

func (x *Exchange) serve(w http.ResponseWriter, r *http.Request) { x.answerAt(w, r, time.Now().Unix()) }

// answerAt answers a request as of a time, in Unix seconds.
func (x *Exchange) answerAt(w http.ResponseWriter, r *http.Request, now int64) {
	a, ok := answers.Get().(*answer)
	if !ok {
		a = &answer{moments: make(map[*venue]*moment)}
	}
	a.x, a.w, a.r, a.number, a.now = x, w, r, x.requests.Add(1), now
	x.first.CompareAndSwap(0, now)
	a.route()
	if a.aborted {
		panic(http.ErrAbortHandler) // net/http's own way to break a connection off
	}
	clear(a.moments)
	*a = answer{body: a.body[:0], lines: a.lines[:0], moments: a.moments}
	if cap(a.body)+cap(a.lines) <= keepBuffer {
		answers.Put(a)
	}
}

// keepBuffer is the largest buffer that is kept for the next request: a few
// hundred quotes, not a chart of a month.
const keepBuffer = 1 << 20

func (a *answer) route() {
	path := a.r.URL.Path
	if strings.HasPrefix(path, controlPath) {
		a.control()
		return
	}
	e, act, methods := otherEndpoint, a.unknown, getOnly
	switch {
	case path == "/" && isUpgrade(a.r):
		e, act = streamEndpoint, a.stream
	case path == "/" || path == "/quote" || strings.HasPrefix(path, "/quote/"):
		e, act = sessionEndpoint, a.session
	case path == consentPath:
		e, act = sessionEndpoint, a.consent
	case path == collectPath:
		e, act, methods = sessionEndpoint, a.collect, getOrPost
	case path == copyPath:
		e, act = sessionEndpoint, a.copyConsent
	case path == "/v1/test/getcrumb":
		e, act = crumbEndpoint, a.crumb
	case path == "/v7/finance/quote":
		e, act = quoteEndpoint, a.quotes
	case strings.HasPrefix(path, chartPath) && len(path) > len(chartPath):
		e, act = chartEndpoint, a.chart
	case path == "/v8/finance/spark" || path == "/v7/finance/spark":
		e, act = sparkEndpoint, a.spark
	case path == "/v1/finance/search":
		e, act = searchEndpoint, a.search
	case path == referenceDaily || path == referenceDays:
		e, act = referenceEndpoint, a.reference
	}
	a.x.asked[e].Add(1)
	a.inMinute = a.x.minutes.add(time.Now())
	if !slices.Contains(methods, a.r.Method) {
		a.w.Header().Set("Allow", strings.Join(methods, ", "))
		a.fail("finance", problem{http.StatusMethodNotAllowed, "Method Not Allowed", "HTTP 405 Method Not Allowed"})
		return
	}
	if !a.misbehave(e) {
		act()
	}
}

var (
	getOnly   = []string{http.MethodGet, http.MethodHead}
	getOrPost = []string{http.MethodGet, http.MethodHead, http.MethodPost}
)

func (a *answer) unknown() {
	a.fail("finance", problem{http.StatusNotFound, "Not Found", "HTTP 404 Not Found"})
}

// lookup finds what a symbol stands for now.
func (a *answer) lookup(symbol string) (*instrument, bool) {
	in, ok := a.x.lookup(symbol)
	return in, ok && !a.x.late(in, a.now)
}

// problem is an error as Yahoo tells it.
type problem struct {
	status            int
	code, description string
}

func badRequest(description string) problem {
	return problem{http.StatusBadRequest, "Bad Request", description}
}

func notFound(description string) problem {
	return problem{http.StatusNotFound, "Not Found", description}
}

func unauthorized(description string) problem {
	return problem{http.StatusUnauthorized, "Unauthorized", description}
}

// fail sends an error under the name that an envelope of the endpoint has.
func (a *answer) fail(envelope string, p problem) {
	a.lines, a.prices = a.lines[:0], 0
	b := append(a.body[:0], `{"`...)
	b = append(append(b, envelope...), `":{"result":null,"error":{"code":`...)
	b = append(appendString(b, p.code), `,"description":`...)
	a.body = append(appendString(b, p.description), `}}}`...)
	a.send(p.status, jsonType, "max-age=0, private")
}

// plain sends a text that is no JSON.
func (a *answer) plain(status int, text string) {
	a.body = append(a.body[:0], text...)
	a.send(status, "text/plain;charset=utf-8", "private, max-age=60, stale-while-revalidate=30")
}

const (
	jsonType = "application/json;charset=utf-8"
	htmlType = "text/html;charset=utf-8"
	// gzipFrom is the size from which bodies are compressed: recorded ones of
	// 1,052 bytes were not.
	gzipFrom = 1200
)

// send sends the body and, once the last byte has left, tells the ledger. When
// the client has gone away nothing was handed out.
func (a *answer) send(status int, contentType, cache string) {
	h := a.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Cache-Control"] = []string{cache}
	h["Server"] = []string{"ATS"}
	h["Age"] = []string{"0"}
	h["Y-Rid"] = []string{a.requestID()}
	h["X-Envoy-Upstream-Service-Time"] = []string{"1"}
	h["Vary"] = []string{"Origin,Accept-Encoding"}
	h["Referrer-Policy"] = []string{"no-referrer-when-downgrade"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Frame-Options"] = []string{"SAMEORIGIN"}
	h["X-Xss-Protection"] = []string{"1; mode=block"}
	if a.garbage {
		a.spoil()
	}
	body := a.body
	if len(body) >= gzipFrom && acceptsGzip(a.r.Header.Get("Accept-Encoding")) {
		z, release := compress(body)
		defer release()
		body = z
		h["Content-Encoding"] = []string{"gzip"}
	}
	if a.cut && len(body) > 1 && a.r.Method != http.MethodHead {
		a.breakOff(status, body)
		return
	}
	if a.number%3 != 0 { // else in chunks
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	a.w.WriteHeader(status)
	if a.r.Method == http.MethodHead {
		return
	}
	if err := a.write(body); err != nil {
		a.x.log.Debug("client went away", "request", a.number, "error", err)
		return
	}
	a.x.prices.Add(a.prices)
	a.x.ledger.write(a.lines)
}

// write writes a body, all at once unless it is to be dribbled, and sees it off.
func (a *answer) write(body []byte) error {
	if a.slow && len(body) > dribbles {
		return a.dribble(body)
	}
	if _, err := a.w.Write(body); err != nil {
		return err
	}
	if err := http.NewResponseController(a.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// requestID is 13 characters of base 32, as y-rid has.
func (a *answer) requestID() string {
	const alphabet = "0123456789abcdefghijklmnopqrstuv"
	h := mix(a.x.seed ^ a.number<<20)
	var b [13]byte
	for i := range b {
		b[i] = alphabet[h&31]
		h >>= 5
	}
	return string(b[:])
}

// acceptsGzip reads Accept-Encoding as far as a server with one encoding must.
func acceptsGzip(header string) bool {
	return slices.ContainsFunc(strings.Split(header, ","), func(item string) bool {
		name, q, _ := strings.Cut(item, ";")
		name, q = strings.TrimSpace(name), strings.ReplaceAll(q, " ", "")
		return (strings.EqualFold(name, "gzip") || name == "*") && q != "q=0" && q != "q=0.0"
	})
}

type compressor struct {
	buffer bytes.Buffer
	writer *gzip.Writer
}

var compressors = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		w = gzip.NewWriter(nil) // cannot be: the level exists
	}
	return &compressor{writer: w}
}}

// compress returns the body in gzip and a function to call when it was used.
func compress(body []byte) (z []byte, release func()) {
	c, ok := compressors.Get().(*compressor)
	if !ok {
		c = &compressor{writer: gzip.NewWriter(nil)}
	}
	c.buffer.Reset()
	c.writer.Reset(&c.buffer)
	// A bytes.Buffer takes everything.
	_, _ = c.writer.Write(body)
	_ = c.writer.Close()
	return c.buffer.Bytes(), func() { compressors.Put(c) }
}

// moment reads a venue's clock, once an answer.
func (a *answer) moment(v *venue) *moment {
	m, ok := a.moments[v]
	if !ok {
		read := v.momentAt(a.now)
		m = &read
		a.moments[v] = m
	}
	return m
}
