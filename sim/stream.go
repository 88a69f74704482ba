package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// The stream as it was measured: after a subscription the last price comes at
// once, however old; then a symbol has about one frame a second while its market
// is open. A connection holds 100 names, unknown ones too; the rest is dropped
// without a word. Whatever is not understood closes it without a code.
const (
	mostSubscribed = 100
	mostRequest    = 64 << 10 // bytes of what a client sends
	streamQuantum  = 20 * time.Millisecond
	confirmEvery   = 100 * time.Millisecond
	lastConfirm    = 2 * time.Second // so long the end of a stream may take to be read
	streamWrite    = 30 * time.Second
)

func isUpgrade(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }

// stream is one connection.
type stream struct {
	x        *Exchange
	conn     *websocket.Conn
	number   uint64 // of the request that opened it
	version2 bool

	mu     sync.Mutex
	names  []string // subscribed, in their order
	fresh  []string // of those, not yet told the last price
	closed bool     // the client sent what cannot be understood

	lines ledgerLines

	// Of the writer alone.
	sent    uint64 // frames
	second  int64
	moments map[*venue]*moment
	turn    int
	credit  float64
	held    []heldFrame
	stalled bool
	message []byte
	frame   []byte
}

// heldFrame is sent out of its order.
type heldFrame struct {
	p     pricing
	until int64
}

// stream takes a connection over until one side ends it.
func (a *answer) stream() {
	conn, err := websocket.Accept(a.w, a.r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // any page may test against it
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		a.x.log.Debug("no stream", "request", a.number, "error", err)
		return
	}
	conn.SetReadLimit(mostRequest)
	s := &stream{
		x: a.x, conn: conn, number: a.number, version2: a.r.URL.Query().Get("version") == "2",
		moments: map[*venue]*moment{},
	}
	if !a.x.streams.enter() {
		_ = conn.Close(websocket.StatusGoingAway, "") // too late
		return
	}
	defer a.x.streams.leave()
	s.run(a.r.Context())
}

// run serves the connection; it has waited for its goroutines when it returns.
func (s *stream) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	group.Go(func() {
		defer cancel()
		s.read(ctx)
	})
	group.Go(func() { s.confirm(ctx) })
	end := s.write(ctx)
	if end == endOrderly {
		s.lines.confirm(ctx, s, lastConfirm)
	}
	switch end {
	case endWithoutCode:
		_ = s.conn.Close(websocket.StatusNoStatusRcvd, "") // the client may be gone
	case endOrderly, endGoingAway:
		_ = s.conn.Close(websocket.StatusGoingAway, "")
	case endAbrupt:
	}
	cancel()
	_ = s.conn.CloseNow() // whatever is left of it
	group.Wait()
	s.lines.giveUp(s.x)
}

// streamEnd is how a connection ends.
type streamEnd int

const (
	endAbrupt      streamEnd = iota // without a word
	endWithoutCode                  // a close frame without a status
	endGoingAway                    // a close frame with 1001
	endOrderly                      // the same, once the client has read everything
)

// read takes the client's requests.
func (s *stream) read(ctx context.Context) {
	for {
		kind, text, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText || !s.request(text) {
			s.mu.Lock()
			s.closed = true
			s.mu.Unlock()
		}
	}
}

// request does what a text asks for; false where it is not understood.
func (s *stream) request(text []byte) bool {
	var asked map[string][]*string
	if json.Unmarshal(text, &asked) != nil || asked == nil {
		return false
	}
	for key, names := range asked {
		if key != "subscribe" && key != "unsubscribe" || names == nil || slices.Contains(names, nil) {
			return false
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range asked["unsubscribe"] {
		s.names = slices.DeleteFunc(s.names, func(n string) bool { return n == *name })
	}
	for _, name := range asked["subscribe"] {
		if len(s.names) >= mostSubscribed {
			break // without a word
		}
		if !slices.Contains(s.names, *name) {
			s.names = append(s.names, *name)
			s.fresh = append(s.fresh, *name)
		}
	}
	return true
}

// instrumentOf is what a subscribed name streams. A pair's long name is taken
// and never sends a frame (text index id 69695214284 of the protocol's notes).
func (s *stream) instrumentOf(name string) (*instrument, bool) {
	in, ok := s.x.lookup(name)
	if !ok || in.symbol != strings.ToUpper(name) || s.x.isDelisted(in) || s.x.late(in, s.second) {
		return nil, false
	}
	return in, true
}

// write sends frames until the connection is to end.
func (s *stream) write(ctx context.Context) streamEnd {
	ticker := time.NewTicker(streamQuantum)
	defer ticker.Stop()
	last := time.Now()
	for {
		if s.x.tickRate > 0 || s.idle() {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return endAbrupt
			case <-s.x.streams.quit:
				return endOrderly
			}
		}
		now := time.Now()
		if end, over := s.step(ctx, now, now.Sub(last)); over {
			return end
		}
		last = now
		select {
		case <-s.x.streams.quit:
			return endOrderly
		default:
		}
	}
}

// idle tells that there is nothing to send as fast as it is read.
func (s *stream) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stalled || len(s.names) == 0
}

// step sends what is due.
func (s *stream) step(ctx context.Context, now time.Time, since time.Duration) (end streamEnd, over bool) {
	f := s.x.faults.Load()
	if second := now.Unix(); second != s.second {
		s.second = second
		clear(s.moments)
		of := s.number<<32 ^ uint64(second) //nolint:gosec // only bits
		s.stalled = s.stalled || s.x.chance(f.StreamStall, "stall", of)
		if s.x.chance(f.StreamDrop, "drop", of) {
			return streamEnd(s.x.drawn(3, "ending", of)), true
		}
	}
	s.mu.Lock()
	names, fresh, closed := s.names, s.fresh, s.closed
	s.fresh = nil
	s.mu.Unlock()
	if closed {
		return endWithoutCode, true
	}
	if s.stalled {
		return 0, false
	}
	for _, name := range fresh {
		if err := s.tell(ctx, name, true, f); err != nil {
			return endAbrupt, true
		}
	}
	return endAbrupt, s.tick(ctx, names, since, f) != nil
}

// tick sends each symbol's frames as often as it is their turn.
func (s *stream) tick(ctx context.Context, names []string, since time.Duration, f *Faults) error {
	n := len(names)
	if s.x.tickRate > 0 {
		s.credit = min(s.credit+s.x.tickRate*float64(n)*since.Seconds(), 2*s.x.tickRate*float64(n)+1)
		n = int(s.credit)
		s.credit -= float64(n)
	}
	if len(names) == 0 {
		return nil
	}
	for range n {
		s.turn++
		if err := s.tell(ctx, names[s.turn%len(names)], false, f); err != nil {
			return err
		}
	}
	for len(s.held) > 0 && s.held[0].until <= s.second {
		p := s.held[0].p
		s.held = s.held[1:]
		if err := s.send(ctx, &p); err != nil {
			return err
		}
	}
	return nil
}

// tell sends a symbol's newest price, if there is a new one, or at first the
// last one that there was.
func (s *stream) tell(ctx context.Context, name string, first bool, f *Faults) error {
	in, ok := s.instrumentOf(name)
	if !ok || in.kind == fund && !first {
		return nil
	}
	s.sent++
	of := s.number<<40 ^ s.sent
	now := s.second
	if s.x.chance(f.Stale, "stale frame", of) {
		now -= int64(1 + s.x.drawn(600, "age", of))
	}
	p, live := s.pricing(in, now)
	switch {
	case !live && !first, s.x.chance(f.Missing, "missing frame", of):
		return nil
	case s.x.chance(f.Shuffle, "shuffled frame", of) && len(s.held) < mostSubscribed:
		s.held = append(s.held, heldFrame{p, s.second + 2})
		return nil
	}
	if err := s.send(ctx, &p); err != nil {
		return err
	}
	if s.x.chance(f.Duplicate, "duplicate frame", of) {
		p.volume++
		if err := s.send(ctx, &p); err != nil {
			return err
		}
	}
	if s.x.chance(f.StreamGarbage, "garbage frame", of) {
		return s.conn.Write(ctx, websocket.MessageText, []byte(garbageFrames[s.x.drawn(len(garbageFrames), "garbage", of)]))
	}
	return nil
}

// garbageFrames are texts that no frame is, and one of a type that nobody knows.
var garbageFrames = [...]string{`{"type":"notice","message":"maintenance"}`, `{"type":"pricing","message":"no base64!"}`, `%%%`, `{"type":`, `CgRBQVBMFQ==`}

// pricing is what a frame says of an instrument at a second; live is false where
// no price is made then.
func (s *stream) pricing(in *instrument, now int64) (p pricing, live bool) {
	var m *moment
	if now == s.second {
		m = s.moments[in.venue]
	}
	if m == nil {
		read := in.venue.momentAt(now)
		m = &read
		if now == s.second {
			s.moments[in.venue] = m
		}
	}
	p = pricing{in: in, at: m.regular, hours: regularHours, full: s.sent%4 == 0}
	live = m.open()
	extended := in.kind != index && in.kind != fund
	switch {
	case m.pre != 0 && extended:
		p.at, p.hours, live = m.pre, preHours, true
	case m.post != 0 && extended:
		p.at, p.hours, live = m.post, postHours, m.state == statePost
	}
	p.price = s.x.told(in, in.path.at(p.at), p.at, s.second)
	p.before = in.path.at(m.before.close)
	if p.full || in.kind == crypto {
		p.volume = in.volumeAt(m.last, p.at)
	}
	return p, live
}

// send writes one frame; its line goes into the ledger when the client says that
// it has read it.
func (s *stream) send(ctx context.Context, p *pricing) error {
	s.message = p.appendTo(s.message[:0])
	s.frame = appendFrame(s.frame[:0], s.message, s.version2)
	ctx, cancel := context.WithTimeout(ctx, streamWrite)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, s.frame); err != nil {
		s.lines.doubted(s.x, p, s.number)
		return err
	}
	s.lines.add(s.x, p, s.number)
	s.x.streams.frames.Add(1)
	s.x.prices.Add(1)
	return nil
}

// confirm asks the client from time to time how far it has read.
func (s *stream) confirm(ctx context.Context) {
	ticker := time.NewTicker(confirmEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.lines.confirm(ctx, s, streamWrite)
		case <-ctx.Done():
			return
		}
	}
}
