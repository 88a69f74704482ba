package yahoo

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"kurs"
)

// frames gathers what the stream sends into raw messages: a message each is too
// many for the queue, which syncs every one. A message is handed on when it has
// enough frames, or when its first one has waited long enough; behind a message that
// was full that is soon, so that frames wait little while many come. Who puts frames in
// waits while too many are gathered: the queue is full then, and the host will
// notice that nobody reads.
type frames struct {
	kind kurs.RawKind // of pairs, or of all others: those of pairs are symbols that the user lists

	mu      sync.Mutex
	pending []frame
	size    int
	first   time.Time     // when the first of them came
	busy    bool          // the last message was full
	ready   chan struct{} // there is something to hand on, or to wait for
	room    chan struct{} // closed when some were taken
}

// frame is one that told a price.
type frame struct {
	text []byte
	at   time.Time // when it was in, UTC
	q    kurs.Quote
	unit string // of the instrument
}

const (
	enoughFrames  = 50
	enoughWait    = 100 * time.Millisecond
	busyWait      = 8 * time.Millisecond
	mostFrames    = 1000 // in a message
	mostGathered  = 4 << 20
	frameOverhead = 256 // bytes that a gathered frame takes besides its text
)

func newFrames(kind kurs.RawKind) *frames {
	return &frames{kind: kind, ready: make(chan struct{}, 1), room: make(chan struct{})}
}

// put gathers a frame. It fails only when ctx is done.
func (f *frames) put(ctx context.Context, one frame) error {
	for {
		f.mu.Lock()
		if f.size < mostGathered {
			break
		}
		room := f.room
		f.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer f.mu.Unlock()
	if len(f.pending) == 0 {
		f.first = one.at
	}
	f.pending = append(f.pending, one)
	f.size += len(one.text) + frameOverhead
	if n := len(f.pending); n == 1 || n == enoughFrames {
		signal(f.ready)
	}
	return nil
}

// take takes what makes a message; nil where it is too early, and then how long
// it is until it is not (0: until something comes).
func (f *frames) take(now time.Time, last bool) (out []frame, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending) == 0 {
		return nil, 0
	}
	longest := enoughWait
	if f.busy {
		longest = busyWait
	}
	if left := f.first.Add(longest).Sub(now); left > 0 && len(f.pending) < enoughFrames && !last {
		return nil, left
	}
	n := f.together()
	f.busy = n >= enoughFrames
	out = slices.Clone(f.pending[:n])
	f.pending = slices.Delete(f.pending, 0, n)
	for i := range out {
		f.size -= len(out[i].text) + frameOverhead
	}
	if len(f.pending) > 0 {
		f.first = f.pending[0].at
	}
	close(f.room)
	f.room = make(chan struct{})
	return out, 0
}

// together is how many frames may be in one message. A message is one receipt,
// and two values of one moment need two: the later one corrects the other.
func (f *frames) together() int {
	n := min(len(f.pending), mostFrames)
	type moment struct {
		symbol  string
		at      time.Time
		session kurs.Session
	}
	values := make(map[moment]kurs.Decimal, n)
	for i := range n {
		q := &f.pending[i].q
		key := moment{q.Symbol, q.Time, q.Session}
		if was, ok := values[key]; ok && was != q.Value {
			return i
		}
		values[key] = q.Value
	}
	return n
}

// run hands messages on until ctx is done, and then what is left.
func (f *frames) run(ctx context.Context, hear hear) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		over := ctx.Err() != nil
		out, wait := f.take(time.Now(), over)
		if out != nil {
			raw, seen := f.message(out)
			if err := hear(raw, f.kind, seen); err != nil {
				return err
			}
			continue
		}
		if over {
			return nil
		}
		var later <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			later = timer.C
		}
		select {
		case <-f.ready:
		case <-later:
		case <-ctx.Done():
		}
	}
}

// message is frames as one raw message, each on a line of its own, and what they
// tell.
func (f *frames) message(in []frame) (kurs.Raw, kurs.Observed) {
	raw := kurs.Raw{Source: Name, Endpoint: kurs.EndpointStream, Received: in[len(in)-1].at}
	var seen kurs.Observed
	known := make(map[string]bool, len(in))
	var body bytes.Buffer
	for i := range in {
		body.Write(in[i].text)
		body.WriteByte('\n')
		q := in[i].q
		if q.Unit == "" {
			q.Unit = in[i].unit
		}
		seen.Quotes = append(seen.Quotes, q)
		if !known[q.Symbol] {
			known[q.Symbol] = true
			raw.Asked = append(raw.Asked, q.Symbol)
			raw.Units = append(raw.Units, in[i].unit)
		}
	}
	raw.Body = body.Bytes()
	if f.kind == kurs.CarriesRates {
		raw.Listed = raw.Asked
	}
	return raw, seen
}
