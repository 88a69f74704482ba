package yahoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// connection is one of the stream's: opened again whenever it ends.
type connection struct {
	*stream
	symbols []string // guarded by the stream's lock
	more    chan struct{}
	backoff backoff
	fails   int // in a row, that brought nothing new
	version int // of the addresses, the one that worked
}

// noStreamAgain is when a server is asked again that serves no version.
const noStreamAgain = 30 * time.Minute

// errSilent says that a connection sent nothing for too long.
var errSilent = errors.New("silent while a market is open")

// keep opens the connection again and again, until ctx is done.
func (c *connection) keep(ctx context.Context, hear hear) {
	for ctx.Err() == nil {
		began := time.Now()
		news, err := c.once(ctx, hear)
		if ctx.Err() != nil {
			return
		}
		c.lost(c)
		if news && time.Since(began) >= healthy {
			c.fails = 0
		}
		c.fails++
		wait := jitter(doubled(c.backoff.net, c.fails, min(c.backoff.most, mostNetWait)))
		if errors.Is(err, errSilent) && !news {
			// It may be that nothing is traded: each time in vain it waits longer.
			wait = max(wait, jitter(doubled(silence/4, c.fails, c.backoff.most)))
		}
		c.stats.ended(err)
		c.src.log.DebugContext(ctx, "stream connection ended", "error", err, "again_in", wait.Round(time.Millisecond), "host", c.addr)
		if pause(ctx, wait) != nil {
			return
		}
	}
}

// once opens the connection and reads it to its end; news tells whether it
// brought anything new.
func (c *connection) once(ctx context.Context, hear hear) (news bool, err error) {
	conn, err := c.open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.CloseNow() }() // closed in order before, where that was possible
	conn.SetReadLimit(mostFrame)
	c.stats.opened()
	defer c.stats.closed()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var last atomic.Int64 // when the last frame came, in Unix nanoseconds
	last.Store(time.Now().UnixNano())
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		cancel(c.watch(ctx, conn, &last))
	}()
	defer func() { <-watched }()
	for {
		kind, text, err := conn.Read(ctx)
		if err != nil {
			cancel(err)
			return news, why(ctx, err)
		}
		last.Store(time.Now().UnixNano())
		if kind != websocket.MessageText {
			continue
		}
		newer, err := c.heard(ctx, c, text, hear)
		news = news || newer
		if err != nil {
			cancel(err)
			return news, err
		}
		last.Store(time.Now().UnixNano()) // time that the queue took is no silence
	}
}

// why is the reason that a connection ended: the watch's where it ended it.
func why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// watch subscribes, repeats that from time to time, and returns when nothing has
// come for too long, or the connection is at its end.
func (c *connection) watch(ctx context.Context, conn *websocket.Conn, last *atomic.Int64) error {
	told := 0
	for {
		names := c.names(c)
		if err := c.subscribe(ctx, conn, names); err != nil {
			return err
		}
		told = len(names)
		repeat := time.NewTimer(repeatLeast + jitter(repeatMore))
		look := time.NewTicker(silence / 12)
		err := func() error {
			defer repeat.Stop()
			defer look.Stop()
			for {
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-repeat.C:
					return nil
				case <-c.more:
					if len(c.names(c)) > told {
						return nil
					}
				case <-look.C:
					if time.Since(time.Unix(0, last.Load())) >= silence && c.src.hours.anyTrades(names, silence, time.Now()) {
						return errSilent
					}
				}
			}
		}()
		if err != nil {
			return err
		}
	}
}

// subscribe says which symbols are wanted. Pairs from the dollar go by their short
// names, which ours are: the long ones are taken, and never send a frame.
func (c *connection) subscribe(ctx context.Context, conn *websocket.Conn, names []string) error {
	text, err := json.Marshal(map[string][]string{"subscribe": names})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.src.cfg.Timeout)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, text)
}

// open connects, as gate and budget allow.
func (c *connection) open(ctx context.Context) (*websocket.Conn, error) {
	client := c.src.client
	// A host that wants fewer requests is not asked for a stream either.
	if err := client.gate.calm(ctx); err != nil {
		return nil, err
	}
	p, err := c.gate.enter(ctx, true)
	if err != nil {
		return nil, err
	}
	release, err := client.budget.turn(ctx)
	if err != nil {
		c.gate.back(p)
		return nil, err
	}
	defer release()
	// The context ends the attempt, not the connection that comes of it.
	dialCtx, cancel := context.WithTimeout(ctx, c.src.cfg.Timeout)
	defer cancel()
	header := http.Header{"User-Agent": {userAgent}}
	if ownHost(hostOf(c.src.cfg.StreamURL)) {
		header.Set("Origin", "https://finance.yahoo.com") // as a browser there (yfinance-rs)
	}
	conn, resp, err := websocket.Dial(dialCtx, c.versions[c.version%len(c.versions)], &websocket.DialOptions{HTTPClient: client.http, HTTPHeader: header})
	if resp != nil && resp.Body != nil && err != nil {
		_ = resp.Body.Close() // the library has read what there was
	}
	if err == nil {
		client.stats.request(resp.StatusCode, nil)
		c.gate.leave(p, nil)
		return conn, nil
	}
	if ctx.Err() != nil {
		c.gate.back(p)
		return nil, context.Cause(ctx)
	}
	t := c.refused(resp, err)
	client.stats.request(t.status, t)
	c.gate.leave(p, t)
	return nil, t
}

// refused is why a connection was not had. An answer that is none of trouble's
// means that the version is not served: the other one is tried next.
func (c *connection) refused(resp *http.Response, err error) *trouble {
	if resp == nil {
		return unreachable(c.addr, err, c.src.cfg.Timeout)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
		c.version++
	}
	t := answered(c.addr, resp.StatusCode, retryAfter(resp.Header, time.Now()))
	if t.code != codeRate && c.version >= len(c.versions) {
		t.after = max(t.after, noStreamAgain) // this server has none
	}
	if resp.StatusCode < 400 {
		t.err = fmt.Errorf("answered %d, and no stream", resp.StatusCode)
	}
	return t
}
