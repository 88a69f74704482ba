package sim

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// StreamStats are the connections of the stream.
type StreamStats struct {
	Open      int    `json:"open"`
	Opened    uint64 `json:"opened"`    // so far
	Frames    uint64 `json:"frames"`    // sent
	Confirmed uint64 `json:"confirmed"` // of those, read by the client as it says by its pongs
}

// streams are all connections of an exchange.
type streams struct {
	quit chan struct{} // closed when they are to end

	mu     sync.Mutex
	over   bool
	open   int
	opened uint64
	group  sync.WaitGroup

	frames, confirmed atomic.Uint64
}

// enter counts a connection; false where they are to end.
func (s *streams) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.group.Add(1)
	s.open++
	s.opened++
	return true
}

func (s *streams) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.group.Done()
}

// end ends the connections and waits for that.
func (s *streams) end() {
	s.mu.Lock()
	if !s.over {
		s.over = true
		close(s.quit)
	}
	s.mu.Unlock()
	s.group.Wait()
}

func (s *streams) stats() StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return StreamStats{Open: s.open, Opened: s.opened, Frames: s.frames.Load(), Confirmed: s.confirmed.Load()}
}

// ledgerLines are the lines of frames that the client has not yet said to have
// read. That a frame was sent does not tell: it may be lost with the connection.
// A ping goes out behind the frames, and its pong comes once all before it were
// read. Lines of which that is never known are written with a question mark.
type ledgerLines struct {
	pinging sync.Mutex // one at a time, so that lines stay in order

	mu    sync.Mutex
	lines []byte
	doubt []byte // of frames whose sending failed
	n     uint64
}

func (l *ledgerLines) add(x *Exchange, p *pricing, number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = appendLine(l.lines, x, p.in, p.at, p.price, number)
	l.n++
}

// doubted notes a frame whose sending failed: some of it may have been read.
func (l *ledgerLines) doubted(x *Exchange, p *pricing, number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubt = appendLine(l.doubt, x, p.in, p.at, p.price, number)
}

// take takes the lines so far.
func (l *ledgerLines) take() (lines []byte, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines, n = l.lines, l.n
	l.lines, l.n = nil, 0
	return lines, n
}

// confirm asks the client by a ping whether it has read what was sent so far.
func (l *ledgerLines) confirm(ctx context.Context, s *stream, within time.Duration) {
	l.pinging.Lock()
	defer l.pinging.Unlock()
	lines, n := l.take()
	if n == 0 {
		l.putBack(lines, n)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil {
		l.putBack(lines, n)
		return
	}
	s.x.streams.confirmed.Add(n)
	s.x.ledger.write(lines)
}

func (l *ledgerLines) putBack(lines []byte, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(lines, l.lines...)
	l.n += n
}

// giveUp writes what was never confirmed as such.
func (l *ledgerLines) giveUp(x *Exchange) {
	lines, _ := l.take()
	lines = append(lines, l.doubt...)
	x.ledger.write(bytes.ReplaceAll(lines, []byte("\n"), []byte("?\n")))
}
