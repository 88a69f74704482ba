package sim

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// MaxCount is the largest market that [Config.Count] may ask for.
const MaxCount = 100_000

// Config says which market to simulate.
type Config struct {
	// Symbols are the instruments that exist; what they are is read from their
	// form, as Yahoo's users read it. Empty: Count of the simulator's own choice.
	Symbols []string
	// Count is how many instruments exist where Symbols is empty.
	Count int
	// Seed is the market: the same seed gives the same prices at the same time.
	Seed uint64
	// Hours lets venues open and close; else everything trades all day, every day.
	Hours bool
	// Ledger gets a line "symbol,time_ms,price,request" for every price handed
	// out, once the whole answer that it was in has been sent. May be nil. It is
	// written to by one goroutine at a time, one call an answer.
	Ledger io.Writer
	// Faults are how it misbehaves.
	Faults Faults
	// TickRate is how many frames a second the stream has of each symbol that a
	// connection subscribed to; 0: as many as the client reads.
	TickRate float64
	// Log gets what the server has to say. May be nil.
	Log *slog.Logger
}

// Exchange is a simulated exchange. It is safe for concurrent use.
type Exchange struct {
	seed   uint64
	secret []byte // what cookies and crumbs are signed with; the same after a restart
	log    *slog.Logger
	famous []profile
	venues map[string]*venue

	instruments []*instrument
	bySymbol    map[string]*instrument
	names       []string // of the instruments, upper case, for the search

	pairsMu sync.Mutex
	pairs   map[string]*instrument // those that were asked for; at most all of them

	faults   atomic.Pointer[Faults]
	tickRate float64
	minutes  minutes
	streams  streams

	ledger   ledger
	first    atomic.Int64 // second of the first request
	requests atomic.Uint64
	refused  atomic.Uint64
	prices   atomic.Uint64
	asked    [endpoints]atomic.Uint64
}

// New opens an exchange. It fails for a symbol that cannot exist and for a
// market that is too large.
func New(c Config) (*Exchange, error) {
	open, err := openVenues(c.Hours)
	if err != nil {
		return nil, err
	}
	x := &Exchange{
		seed: c.Seed, log: c.Log, famous: famous(), venues: open,
		bySymbol: make(map[string]*instrument), pairs: make(map[string]*instrument),
		ledger: ledger{w: c.Ledger, failed: make(chan struct{})}, tickRate: c.TickRate,
	}
	x.streams.quit = make(chan struct{})
	x.SetFaults(c.Faults)
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("kurs sim session "), c.Seed))
	x.secret = sum[:]
	if len(c.Symbols) > MaxCount || c.Count > MaxCount {
		return nil, fmt.Errorf("at most %d symbols", MaxCount)
	}
	if len(c.Symbols) == 0 {
		if c.Count <= 0 {
			return nil, errors.New("no symbols: a list or a positive number of them is needed")
		}
		return x, x.list(c.Count)
	}
	for _, s := range c.Symbols {
		in, err := x.listed(canonical(s))
		if err != nil {
			return nil, err
		}
		if err := x.add(in); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// add lists an instrument; one that is listed already stays.
func (x *Exchange) add(in *instrument) error {
	if !validSymbol(in.symbol) {
		return fmt.Errorf("%q is not a symbol", in.symbol)
	}
	if _, known := x.bySymbol[in.symbol]; known {
		return nil
	}
	x.bySymbol[in.symbol] = in
	x.instruments = append(x.instruments, in)
	x.names = append(x.names, upper(in.long+"\n"+in.short))
	return nil
}

// lookup finds what a symbol stands for: a listed instrument or any pair of
// currencies, under any of its names.
func (x *Exchange) lookup(symbol string) (*instrument, bool) {
	symbol = canonical(symbol)
	if in, ok := x.bySymbol[symbol]; ok {
		return in, true
	}
	return x.pair(symbol)
}

// Symbols are the listed instruments, in order. Currency pairs, which all
// exist, are among them only where [Config.Symbols] named them.
func (x *Exchange) Symbols() []string {
	out := make([]string, len(x.instruments))
	for i, in := range x.instruments {
		out[i] = in.symbol
	}
	return out
}

// Stats is what an exchange has done.
type Stats struct {
	Requests  map[string]uint64 `json:"requests"`        // by endpoint: session crumb quote chart spark search stream reference other
	Refused   uint64            `json:"refused"`         // of those, answered 429
	PerMinute int               `json:"most_per_minute"` // requests, in the minute that had most of them
	Prices    uint64            `json:"prices"`          // handed out: as many as the ledger has lines
	Streams   StreamStats       `json:"streams"`
}

// Stats returns the counts so far.
func (x *Exchange) Stats() Stats {
	s := Stats{
		Requests: make(map[string]uint64, endpoints), Refused: x.refused.Load(), PerMinute: x.minutes.mostSoFar(),
		Prices: x.prices.Load(), Streams: x.streams.stats(),
	}
	for e := range endpoints {
		s.Requests[e.String()] = x.asked[e].Load()
	}
	return s
}

// Limits of the server.
const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 30 * time.Second
	writeTimeout    = 60 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 5 * time.Second
)

// Serve answers on a listener until ctx is done, which is no error, and closes
// it. Answers under way are finished, for a few seconds. It fails when the
// listener does, or when the ledger cannot be written: a test that trusts it
// must not go on. When it returns, its goroutines have ended.
func (x *Exchange) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           x.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(x.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	var failure error
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-x.ledger.failed:
		failure = x.ledger.error()
	case <-ctx.Done():
	}
	x.streams.end()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		x.log.DebugContext(ctx, "answers cut short", "error", err)
		failure = errors.Join(failure, ignoreClosed(server.Close()))
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		failure = errors.Join(failure, fmt.Errorf("serve: %w", err))
	}
	return failure
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
