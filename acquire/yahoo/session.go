package yahoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// credentials are a session with Yahoo: the cookie, and the crumb that belongs
// to it. Both go with every request for quotes; charts and searches need none.
type credentials struct {
	Host   string `json:"host"` // they are for
	Cookie string `json:"cookie"`
	Crumb  string `json:"crumb"`

	generation int
}

// SessionState is how kurs stands with Yahoo.
type SessionState string

// The states of a session.
const (
	SessionNone    SessionState = "none"    // not asked for yet, or to be asked for again
	SessionReady   SessionState = "ready"   // quotes are asked with it
	SessionRefused SessionState = "refused" // charts are asked without one until it is tried again
)

// errNoSession says that there is no session now, and that it is too early to
// ask for one.
var errNoSession = errors.New("no session")

// A session is shared by all workers. Whoever needs it first fetches it, the
// others wait. It is fetched anew once after a 401; when the new one is refused
// too, or none can be had, it is left alone for a while that grows.
type session struct {
	client *Client
	log    *slog.Logger
	first  time.Duration // first wait after a refusal
	most   time.Duration

	mu       sync.Mutex
	now      *credentials  // nil: none
	count    int           // generations so far
	bad      string        // the crumb that was denied last
	renewed  bool          // the present one replaced one that was refused, and has not been accepted yet
	fails    int           // in a row
	code     string        // of the last failure, where it was trouble with the network or a limit
	retryAt  time.Time     // not before
	failing  bool          // the log has it
	inFlight chan struct{} // closed when the fetch under way is over
}

// use is the session, fetched if there is none. errNoSession is its only error
// besides ctx's end.
func (s *session) use(ctx context.Context) (credentials, error) {
	for {
		s.mu.Lock()
		switch {
		case s.now != nil:
			c := *s.now
			s.mu.Unlock()
			return c, nil
		case time.Now().Before(s.retryAt):
			s.mu.Unlock()
			return credentials{}, errNoSession
		case s.inFlight == nil:
			s.inFlight = make(chan struct{})
			s.mu.Unlock()
			s.fetch(ctx)
		default:
			other := s.inFlight
			s.mu.Unlock()
			select {
			case <-other:
			case <-ctx.Done():
			}
		}
		if err := context.Cause(ctx); err != nil {
			return credentials{}, err
		}
	}
}

// held is the session if there is one; nothing is asked for.
func (s *session) held() (credentials, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		return credentials{}, false
	}
	return *s.now, true
}

// fetch gets a session and wakes those who wait for it. Where several processes
// share a state directory, one of them fetches, and the others take what it got.
func (s *session) fetch(ctx context.Context) {
	s.mu.Lock()
	bad := s.bad
	s.mu.Unlock()
	var c credentials
	unlock, err := s.client.memory.lockSession(ctx)
	if err == nil {
		var kept bool
		if c, kept = s.client.memory.loadSession(); !kept || c.Crumb == bad {
			if c, err = s.client.openSession(ctx); err == nil {
				s.client.memory.keepSession(c)
			}
		}
		unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.inFlight)
	s.inFlight = nil
	switch {
	case err == nil:
		s.install(c)
		s.renewed = s.renewed || s.fails > 0
	case ctx.Err() == nil:
		s.refuse(err)
	}
}

// install makes c the session.
func (s *session) install(c credentials) {
	s.count++
	c.generation = s.count
	s.now = &c
}

// refuse leaves the session alone for a while.
func (s *session) refuse(err error) {
	s.fails++
	s.now = nil
	s.renewed = false
	s.code = ""
	first := s.first
	var after time.Duration
	if t, ok := errors.AsType[*trouble](err); ok {
		s.code, after = t.code, t.after
		if t.code == codeRate {
			first = max(first, s.client.gate.backoff.rate)
		}
	}
	bound := doubled(first, s.fails, s.most-s.most/5)
	wait := max(bound+jitter(bound/4), after)
	s.retryAt = time.Now().Add(wait)
	if wait >= keptWait {
		s.client.memory.update(func(r *remembered) { r.Session = waiting{Fails: s.fails, Until: s.retryAt} })
	}
	if !s.failing {
		s.failing = true
		s.log.Warn("no session with the provider, asking without one", "error", err, "again_in", wait.Round(time.Second))
	}
}

// accepted says that the provider took the session.
func (s *session) accepted(generation int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || s.now.generation != generation {
		return
	}
	s.renewed = false
	if s.failing {
		s.failing = false
		s.log.Info("session with the provider again")
	}
	if s.fails > 0 {
		s.fails = 0
		s.client.memory.update(func(r *remembered) { r.Session = waiting{} })
	}
}

// denied says that the provider answered 401 to the session. The first time a
// new one may be fetched at once; a new one that is denied as well is not
// replaced before a while has passed.
func (s *session) denied(generation int, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || s.now.generation != generation {
		return // another worker said so, or it has been replaced
	}
	s.bad = s.now.Crumb
	s.client.memory.dropSession(*s.now)
	if s.renewed {
		s.refuse(why)
		return
	}
	s.now = nil
	s.renewed = true
}

// reachable says that trouble with the host is over: what failed for that reason
// may be tried again at once.
func (s *session) reachable(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil && s.code == code {
		s.retryAt = time.Time{}
	}
}

// restore takes up what was kept over a restart.
func (s *session) restore(w waiting) {
	if c, ok := s.client.memory.loadSession(); ok {
		s.install(c)
		return
	}
	if left := time.Until(w.Until); left > 0 && left <= mostRetryAfter {
		s.fails, s.retryAt = w.Fails, w.Until
	}
}

func (s *session) state() (state SessionState, retryAt time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.now != nil:
		return SessionReady, time.Time{}
	case time.Now().Before(s.retryAt):
		return SessionRefused, s.retryAt
	}
	return SessionNone, time.Time{}
}

// openSession gets a cookie, then the crumb that belongs to it.
func (c *Client) openSession(ctx context.Context) (credentials, error) {
	cookie, err := c.cookie(ctx)
	if err != nil {
		return credentials{}, err
	}
	crumb, err := c.crumb(ctx, cookie)
	if err != nil {
		return credentials{}, err
	}
	return credentials{Host: c.host, Cookie: cookie, Crumb: crumb}, nil
}

// cookie asks the session host, whose status does not matter (Yahoo's own says
// 404). Yahoo's is on lists of ad blockers, so its front page is asked where it
// cannot be reached or gives none.
func (c *Client) cookie(ctx context.Context) (string, error) {
	places := []string{c.cfg.SessionURL + "/"}
	if u, err := address(c.cfg.SessionURL); err == nil && ownHost(u.Hostname()) {
		places = append(places, ownPageURL)
	}
	var why error
	for _, place := range places {
		cookie, err := c.cookieFrom(ctx, place)
		if err == nil {
			return cookie, nil
		}
		if ctx.Err() != nil {
			return "", err
		}
		if why == nil || why.Error() != err.Error() {
			why = errors.Join(why, err)
		}
	}
	return "", fmt.Errorf("get a cookie: %w", why)
}

// crumb asks for the crumb of a cookie. A refusal is no trouble with the host:
// charts may well be answered.
func (c *Client) crumb(ctx context.Context, cookie string) (string, error) {
	p, release, err := c.turn(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	a := c.fetch(ctx, request{url: c.cfg.QueryURL + "/v1/test/getcrumb", accept: "*/*", cookie: cookie})
	c.stats.request(a.status, a.trouble)
	if ctx.Err() != nil && a.status == 0 {
		c.gate.back(p)
		return "", context.Cause(ctx)
	}
	switch {
	case a.trouble != nil && a.trouble.code == codeNet && (a.status == 0 || a.status >= 500):
		c.gate.leave(p, a.trouble)
		return "", fmt.Errorf("get a crumb: %w", a.trouble)
	case a.trouble != nil:
		c.gate.leave(p, nil)
		return "", fmt.Errorf("get a crumb: %w", a.trouble)
	}
	c.gate.leave(p, nil)
	crumb := bytes.TrimSpace(a.body)
	if err := checkCrumb(crumb); err != nil {
		return "", err
	}
	return string(crumb), nil
}

const mostCrumb = 64 // bytes; Yahoo's have 11

// checkCrumb refuses what is no crumb: clients that did not look have sent
// "crumb=Edge%3A+Too+Many+Requests" (yfinance issue 2284).
func checkCrumb(crumb []byte) error {
	switch {
	case len(crumb) == 0:
		return errors.New("the crumb is empty")
	case bytes.Contains(crumb, []byte("Too Many Requests")):
		return &trouble{code: codeRate, err: errors.New("the crumb is refused: Too Many Requests")}
	case len(crumb) > mostCrumb:
		return fmt.Errorf("the crumb has %d bytes", len(crumb))
	case bytes.ContainsAny(crumb, "<>{}\" \t\r\n"):
		return errors.New("the crumb is a page or an error")
	}
	for _, b := range crumb {
		if b < 0x21 || b > 0x7e {
			return errors.New("the crumb is no text")
		}
	}
	return nil
}
