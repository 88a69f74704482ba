package sim

import (
	"net"
	"net/http"
	"strconv"
	"time"
)

// mischief is what goes wrong with the sending of one answer.
type mischief struct {
	cut     bool // broken off
	slow    bool // dribbled
	garbage bool // no JSON
}

// apology is the page that Yahoo shows while it is down.
const apology = "<!DOCTYPE html>\n<html><head><title>Yahoo</title></head><body><h1>Will be right back...</h1>" +
	"<p>Thank you for your patience.</p><p>Our engineers are working quickly to resolve the issue.</p></body></html>\n"

// misbehave draws what goes wrong with this request. It is true where the
// request has been answered by that.
func (a *answer) misbehave(e endpoint) (answered bool) {
	f := a.x.faults.Load()
	happens := func(share float64, what string) bool { return a.x.chance(share, what, a.number) }
	switch {
	case f.Limit > 0 && a.inMinute > f.Limit, happens(f.Status429, "429"):
		a.tooMany(e, f.RetryAfter)
		return true
	case happens(f.Status500, "500"):
		a.body = append(a.body[:0], apology...)
		a.send([...]int{500, 502, 503, 504}[a.x.drawn(4, "5xx", a.number)], htmlType, "no-store")
		return true
	case happens(f.HTML, "html"):
		a.body = append(a.body[:0], apology...)
		a.send(http.StatusOK, htmlType, "no-store")
		return true
	case (e == quoteEndpoint || e == crumbEndpoint) && happens(f.Status401, "401"):
		a.fail("finance", unauthorized(unauthorizedWords[a.x.drawn(len(unauthorizedWords), "words", a.number)]))
		return true
	}
	a.mischief = mischief{cut: happens(f.Cut, "cut"), slow: happens(f.Slow, "slow"), garbage: happens(f.Garbage, "garbage")}
	return false
}

// tooMany answers 429 as the edge does; getcrumb has been seen to say so with a
// status of 200 as well (yfinance issue 2284).
func (a *answer) tooMany(e endpoint, retryAfter int) {
	a.x.refused.Add(1)
	if retryAfter > 0 {
		a.w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	switch {
	case e == crumbEndpoint && a.number%2 == 0:
		a.plain(http.StatusOK, "Too Many Requests")
	case e == crumbEndpoint:
		a.plain(http.StatusTooManyRequests, "Too Many Requests")
	default:
		a.plain(http.StatusTooManyRequests, "Edge: Too Many Requests")
	}
}

// spoil makes a body that no client can read, and tells whether it did: half of
// the JSON, or bytes that are none.
func (a *answer) spoil() {
	a.lines, a.prices = a.lines[:0], 0
	if a.number%2 == 0 && len(a.body) > 2 {
		a.body = a.body[:len(a.body)/2]
		return
	}
	a.body = a.body[:0]
	for i := range 200 {
		a.body = append(a.body, byte(mix(a.number<<8^uint64(i))|0x80)) //nolint:gosec // any byte that is no ASCII
	}
}

// breakOff ends the connection in the middle of an answer: half of the times with
// some of it sent, else with a reset before anything was.
func (a *answer) breakOff(status int, body []byte) {
	a.lines, a.prices = a.lines[:0], 0
	if a.number%2 == 0 && a.reset() {
		return
	}
	a.w.Header()["Content-Length"] = []string{strconv.Itoa(len(body) + 1)}
	a.w.WriteHeader(status)
	if _, err := a.w.Write(body[:len(body)/2]); err == nil {
		_ = http.NewResponseController(a.w).Flush() // the client may be gone, which is the point
	}
	a.aborted = true
}

// reset sends a TCP reset, where the connection can be had.
func (a *answer) reset() bool {
	conn, _, err := http.NewResponseController(a.w).Hijack()
	if err != nil {
		return false
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else an orderly end: just as good
	}
	_ = conn.Close() // nothing was written
	return true
}

// The pieces of an answer that is dribbled, and the time over which.
const (
	dribbles     = 8
	dribbleLeast = 500 * time.Millisecond
	dribbleMore  = 4000 // ms at most, besides
)

// dribble writes a body in pieces, with pauses.
func (a *answer) dribble(body []byte) error {
	pause := (dribbleLeast + time.Duration(a.x.drawn(dribbleMore, "dribble", a.number))*time.Millisecond) / dribbles
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for i := range dribbles {
		if _, err := a.w.Write(body[len(body)*i/dribbles : len(body)*(i+1)/dribbles]); err != nil {
			return err
		}
		if err := http.NewResponseController(a.w).Flush(); err != nil {
			return err
		}
		if i == dribbles-1 {
			break
		}
		timer.Reset(pause)
		select {
		case <-timer.C:
		case <-a.r.Context().Done():
			return a.r.Context().Err()
		}
	}
	return nil
}
