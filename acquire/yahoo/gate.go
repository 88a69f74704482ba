package yahoo

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A gate stands before a host, for all workers. While all is well it is open.
// After a failure it is shut for a while, then lets one request through to see;
// when that one succeeds it is open again, else it is shut for longer.
//
// It also is the one who tells of trouble: one line when it starts, one when it
// ends, and while the network is away one each quarter of an hour. A failure that
// is mended by the next request is no line's worth.
type gate struct {
	host    string
	stream  bool // what is behind it can be done without
	backoff backoff
	log     *slog.Logger
	keep    func(shut)        // a wait worth remembering over a restart, or the zero shut when it is over
	mended  func(code string) // the host answers again

	mu       sync.Mutex
	shut                   // while fails > 0
	last     *trouble      // what shut it; nil after a restart
	failedAt time.Time     // when the failure that counted last was noticed
	probing  bool          // one request is under way to see
	kept     bool          // keep was called
	told     string        // the code that the log has
	toldAt   time.Time     // when
	change   chan struct{} // closed when anything changes
}

// shut is how and until when a gate is shut; it survives a restart.
type shut struct {
	Code  string    `json:"code,omitempty"`
	Fails int       `json:"fails,omitempty"` // in a row, of that code
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

const (
	tellEvery  = 15 * time.Minute
	keptWait   = 5 * time.Second // a shorter one is over before a restart is
	netTellsAt = 2               // failures in a row before the log has it
)

// A pass is the leave to make one request. Who has one gives it back by leave.
type pass struct {
	at    time.Time // not before the request was sent by much
	probe bool
}

func newGate(host string, b backoff, log *slog.Logger) *gate {
	return &gate{
		host: host, backoff: b, log: log, change: make(chan struct{}),
		keep: func(shut) {}, mended: func(string) {},
	}
}

// restore shuts the gate as it was before a restart, if that is not over.
func (g *gate) restore(was shut) {
	left := time.Until(was.Until)
	if left <= 0 || left > mostRetryAfter || was.Fails <= 0 || was.Code != codeRate && was.Code != codeNet {
		return
	}
	g.shut = was
	g.failedAt = time.Now()
	g.kept = true
	g.tell(left)
}

// enter waits until a request may be made. It fails only when ctx is done. Who
// is not patient is let through unless the host itself asked for fewer requests,
// and then gets that as the error.
func (g *gate) enter(ctx context.Context, patient bool) (pass, error) {
	for {
		p, wait, change, err := g.try(patient)
		if wait == 0 || err != nil {
			return p, err
		}
		if err := g.await(ctx, wait, change); err != nil {
			return pass{}, err
		}
	}
}

// try gives a pass, or says how long to wait: less than 0 means until a change.
func (g *gate) try(patient bool) (p pass, wait time.Duration, change chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	left := g.Until.Sub(now)
	switch {
	case g.Fails == 0:
		return pass{at: now}, 0, nil, nil
	case !patient && (g.Code != codeRate || left <= 0):
		return pass{at: now, probe: true}, 0, nil, nil
	case !patient:
		return pass{}, 0, nil, answered(g.host, 429, left)
	case left > 0:
		return pass{}, left, g.change, nil
	case g.probing:
		return pass{}, -1, g.change, nil
	}
	g.probing = true
	return pass{at: now, probe: true}, 0, nil, nil
}

func (*gate) await(ctx context.Context, wait time.Duration, change <-chan struct{}) error {
	var over <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
	case <-change:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// renew tells whether a pass is still good after its holder had to wait for
// something else.
func (g *gate) renew(p *pass) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !p.probe && g.Fails > 0 {
		return false
	}
	p.at = time.Now()
	return true
}

// back gives a pass back unused.
func (g *gate) back(p pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.probe {
		g.probing = false
	}
	g.changed()
}

// leave gives a pass back and says how the request went: nil is well.
func (g *gate) leave(p pass, t *trouble) {
	over := ""
	g.mu.Lock()
	if p.probe {
		g.probing = false
	}
	// What was sent before the last failure says nothing about the time after it.
	late := !p.probe && !p.at.After(g.failedAt)
	switch {
	case t == nil && g.Fails > 0 && !late:
		over = g.Code
		g.open()
	case t == nil:
	case g.Fails == 0 || !late || t.code == codeRate && g.Code != codeRate:
		g.fail(t)
	}
	g.changed()
	g.mu.Unlock()
	if over != "" {
		g.mended(over)
	}
}

func (g *gate) changed() {
	close(g.change)
	g.change = make(chan struct{})
}

func (g *gate) fail(t *trouble) {
	now := time.Now()
	if g.Fails == 0 {
		g.Since = now
	}
	if g.Code != t.code {
		g.Fails = 0
	}
	g.Code, g.last, g.failedAt = t.code, t, now
	g.Fails++
	wait := g.backoff.wait(t.code, g.Fails, t.after)
	g.Until = now.Add(wait)
	if wait >= keptWait {
		g.kept = true
		g.keep(g.shut)
	}
	g.tell(wait)
}

// tell writes the line that trouble has started, or goes on.
func (g *gate) tell(wait time.Duration) {
	switch {
	case g.Code == codeRate && g.told == codeRate:
		return // the wait is long and known: the line that it started says all
	case g.Code == codeNet && g.Fails < netTellsAt && g.last != nil:
		return
	case g.Code == codeNet && g.told == codeNet && time.Since(g.toldAt) < tellEvery:
		return
	}
	why := "it was so before the restart"
	if g.last != nil {
		why = g.last.Error()
	}
	trouble := g.log.With("in", wait.Round(time.Millisecond), "error", why, "since", g.Since.UTC().Truncate(time.Second), "host", g.host, "code", g.Code)
	switch {
	case g.stream:
		trouble.Warn("no stream to be had: prices are polled, trying again")
	case g.Code == codeRate:
		trouble.Warn("provider wants fewer requests, trying again")
	default:
		trouble.Warn("provider not reachable, trying again")
	}
	g.told, g.toldAt = g.Code, time.Now()
}

func (g *gate) open() {
	switch {
	case g.told == "":
	case g.stream:
		g.log.Info("stream to be had again", "away", time.Since(g.Since).Round(time.Millisecond), "host", g.host)
	default:
		g.log.Info("provider reachable again", "away", time.Since(g.Since).Round(time.Millisecond), "host", g.host)
	}
	if g.kept {
		g.keep(shut{})
	}
	g.shut, g.last, g.told, g.kept = shut{}, nil, "", false
}

// calm waits until the host does not ask for fewer requests, or ctx is done.
func (g *gate) calm(ctx context.Context) error {
	for {
		g.mu.Lock()
		shut, change := g.Fails > 0 && g.Code == codeRate, g.change
		g.mu.Unlock()
		if !shut {
			return nil
		}
		if err := g.await(ctx, -1, change); err != nil {
			return err
		}
	}
}

// state is how the gate is shut; the zero shut when it is open.
func (g *gate) state() shut {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut
}
