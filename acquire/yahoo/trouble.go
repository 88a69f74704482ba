package yahoo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"time"

	"kurs"
)

// The codes of what can go wrong with Yahoo; "kurs help CODE" explains each.
const (
	codeNet    = "KURS-NET"
	codeRate   = "KURS-RATE"
	codeSymbol = "KURS-SYMBOL"
)

// trouble is why a request brought no answer that one could go by.
type trouble struct {
	code   string        // codeNet or codeRate
	host   string        // who was asked
	status int           // 0: no whole answer came
	late   bool          // no answer came in time
	after  time.Duration // how long the host asked us to wait; 0: it did not say
	err    error
}

func (t *trouble) Error() string { return t.err.Error() }

func (t *trouble) Unwrap() error { return t.err }

// answered is trouble that a status tells.
func answered(host string, status int, after time.Duration) *trouble {
	t := &trouble{code: codeNet, host: host, status: status, after: after}
	if status == http.StatusTooManyRequests {
		t.code = codeRate
	}
	t.err = fmt.Errorf("answered %d %s", status, http.StatusText(status))
	return t
}

// unreachable is trouble with the network, in words without the address: that
// may hold the session's crumb.
func unreachable(host string, err error, timeout time.Duration) *trouble {
	late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
	return &trouble{code: codeNet, host: host, late: late, err: plainWords(err, timeout)}
}

func plainWords(err error, timeout time.Duration) error {
	var dns *net.DNSError
	var of *url.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("no such host")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no whole answer within %s", timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET):
		return errors.New("connection reset")
	case errors.As(err, &of):
		return of.Err
	}
	return err
}

// forPerson is a failed single call as a person meets it; until is when kurs may
// ask again, where it knows.
func (t *trouble) forPerson(until time.Time, perMinute int) *kurs.Error {
	const safe = "nothing was changed"
	if t.code == codeRate {
		try := "wait a while"
		if !until.IsZero() {
			try = "wait until about " + until.Local().Format("15:04")
		}
		if perMinute > 0 {
			try += fmt.Sprintf(", or lower source.yahoo.max_per_minute (now %d)", perMinute)
		}
		return &kurs.Error{
			Code: codeRate, Message: "Yahoo answered 429 Too Many Requests; it wants fewer requests",
			Safe: safe, Try: try, Exit: kurs.ExitRateLimit, Retryable: true,
		}
	}
	message := "cannot reach " + t.host
	try := "check the connection; behind a proxy set HTTPS_PROXY"
	if ownHost(t.host) {
		try += "; an ad blocker may block fc.yahoo.com"
	}
	if t.status != 0 {
		message = "no usable answer from " + t.host
		try = "try again later"
	}
	return &kurs.Error{
		Code: codeNet, Message: message,
		Safe: safe, Try: try, Exit: kurs.ExitNetwork, Retryable: true, Err: t.err,
	}
}
