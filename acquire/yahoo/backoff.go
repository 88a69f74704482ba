package yahoo

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds of waiting.
const (
	mostNetWait    = 2 * time.Minute // after failures of the network or of the server
	mostRetryAfter = 6 * time.Hour   // that a host may ask for
)

// backoff says how long to wait after failures in a row.
type backoff struct {
	net  time.Duration // first wait after a failure of the network or of the server
	rate time.Duration // first wait after 429
	most time.Duration
}

// wait is the time until the next request after the nth failure of a code in a
// row. What the host asked for (after) counts for the first; when that proved
// too short it is not believed alone.
//
// After a network failure any moment up to the bound is as good as another, so
// that many clients do not come back at once ("full jitter"). After 429 the
// bound is what was asked of us: at least that, and up to a quarter more.
func (b backoff) wait(code string, n int, after time.Duration) time.Duration {
	after = min(after, mostRetryAfter)
	var wait time.Duration
	if code == codeRate {
		most := min(b.most, mostRetryAfter)
		bound := doubled(b.rate, n, most-most/5)
		wait = bound + jitter(bound/4)
	} else {
		wait = jitter(doubled(b.net, n, min(b.most, mostNetWait)))
	}
	switch {
	case after <= 0:
		return wait
	case n <= 1:
		return after + jitter(min(after/10, time.Minute))
	}
	return max(wait, after)
}

// doubled is base, 2 base, 4 base ... for the first, second, third time.
func doubled(base time.Duration, n int, most time.Duration) time.Duration {
	for ; n > 1 && base < most; n-- {
		base *= 2
	}
	return min(base, most)
}

// jitter is a random time below d.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return rand.N(d) //nolint:gosec // spreads requests, keeps no secret
}

// retryAfter is how long a host asks us to wait, in seconds or until a date
// (RFC 9110, 10.2.3), and 0 where it does not say or says nonsense. Yahoo has not
// been seen to say it; servers in between do.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(mostRetryAfter/time.Second) {
			return mostRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), mostRetryAfter)
}
