package ecb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"kurs"
	"kurs/acquire/ecb/wire"
)

// Name is the name of the source.
const Name = wire.Source

// OwnURL is where the bank itself publishes.
const OwnURL = "https://www.ecb.europa.eu/stats/eurofxref"

// Config says where the rates are.
type Config struct {
	// URL is a folder of a server with the bank's files in it, or one file, which
	// ends in .xml, .csv or .zip; or file:///PATH, or the path of a file. Default:
	// [OwnURL].
	URL string
	// Into names where the answers go to, as a data directory. History of earlier
	// years is handed on once into each.
	Into string
	// StateDir keeps what was fetched over a restart. Empty: nothing is kept.
	StateDir string
	Timeout  time.Duration // of one request, to its last byte; 30 s
	// Transport makes the requests. Nil: one of our own, by the proxy that the
	// environment names.
	Transport http.RoundTripper
}

// Source is a [kurs.Source] of euro reference rates.
type Source struct {
	log    *slog.Logger
	place  place
	memory *memory

	was    remembered
	handed map[string]string // by year: what was handed on in this run
	newest time.Time         // of the rates that were handed on; zero: none were asked for yet
	kept   bool              // what an earlier run fetched was handed on
	again  bool              // the larger file was fetched again for days that were missing

	fails int
	bad   bool      // what was fetched last is none of the bank's files
	since time.Time // of the trouble
}

// New makes a source. It asks nobody before it is run.
func New(c Config, log *slog.Logger) (*Source, error) {
	if c.URL == "" {
		c.URL = OwnURL
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	at, err := placeOf(c)
	if err != nil {
		return nil, fmt.Errorf("ecb: %w", err)
	}
	return &Source{log: log, place: at, memory: &memory{dir: c.StateDir, url: c.URL, into: c.Into, log: log}, handed: map[string]string{}}, nil
}

// Run asks until ctx is done, and then returns nil. It fails only where an answer
// cannot be handed on.
func (s *Source) Run(ctx context.Context, emit kurs.Emit) error {
	s.was = s.memory.load()
	late, release := outlive(ctx, handGrace)
	defer release()
	hand := func(raw kurs.Raw) error {
		err := emit(late, raw, kurs.CarriesRates)
		if err != nil && ctx.Err() != nil {
			return nil //nolint:nilerr // the run has ended
		}
		return err
	}
	for ctx.Err() == nil {
		if err := s.ask(ctx, hand); err != nil {
			return err
		}
		sleep(ctx, s.next(time.Now()))
	}
	return nil
}

// put hands a message on.
type put func(kurs.Raw) error

// handGrace is how long handing on may take once the run has ended: what has come
// in is not thrown away.
const handGrace = 10 * time.Second

// outlive is a context that is done some time after ctx is.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-late.Done():
		}
	})
	return late, func() {
		stop()
		cancel()
	}
}

// next is when to ask again.
func (s *Source) next(now time.Time) time.Time {
	switch {
	case s.fails > 0:
		return now.Add(s.place.wait(s.fails))
	case s.newest.IsZero():
		return now
	}
	return s.place.next(now, s.newest)
}

// ask asks once. Its error is that an answer could not be handed on.
func (s *Source) ask(ctx context.Context, put put) error {
	first := s.newest.IsZero()
	known := tag{}
	if first {
		known = s.was.Tag
	}
	got, err := s.place.fetch(ctx, first, known)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil //nolint:nilerr // a soft stop is no failure
	case err != nil:
		return s.failed(ctx, put, err)
	case got.unchanged && s.bad:
		s.fails++
		return nil
	case got.unchanged && !first:
		s.mended(ctx)
		return nil
	case got.unchanged:
		got.body = s.was.body
	}
	parts, err := wire.Split(got.body)
	if s.bad = err != nil; s.bad {
		return s.failed(ctx, put, err)
	}
	s.mended(ctx)
	newest := parts[len(parts)-1].Newest
	if !first && !s.again && s.place.hasMore() && workingDays(s.newest, newest) > 1 {
		s.again, s.newest = true, time.Time{} // the days in between are in the larger file
		s.was = s.memory.load()
		return nil
	}
	if err := s.hand(ctx, put, parts); err != nil {
		return err
	}
	s.newest, s.again = newest, s.again && first
	if !got.unchanged && (first || !s.place.hasMore()) {
		s.memory.keep(remembered{Tag: got.tag, Handed: s.handed, body: got.body}, got.keep)
	}
	s.was.body = nil
	return nil
}

// offerKept hands on what an earlier run fetched, once: the rates of the last days
// are known although nobody answers.
func (s *Source) offerKept(ctx context.Context, put put) error {
	if s.kept || !s.newest.IsZero() || s.was.body == nil {
		return nil
	}
	s.kept = true
	parts, err := wire.Split(s.was.body)
	if err != nil {
		return nil //nolint:nilerr // it is fetched anew as soon as that can be
	}
	return s.hand(ctx, put, parts)
}

// hand hands on the parts that are news, the oldest first. What an earlier run
// handed on is not handed on again, but for the newest year.
func (s *Source) hand(ctx context.Context, put put, parts []wire.Part) error {
	last := len(parts) - 1
	// Published a little before its time, as the bank does: it is of use then.
	if early := time.Until(parts[last].Newest); early > 0 && early < time.Hour {
		sleep(ctx, parts[last].Newest)
	}
	for i, p := range parts {
		year, sum := strconv.Itoa(p.Year), sha256.Sum256(p.Body)
		text := hex.EncodeToString(sum[:])
		if s.handed[year] == text || i < last && s.was.Handed[year] == text {
			s.handed[year] = text
			continue
		}
		raw := kurs.Raw{Endpoint: kurs.EndpointReference, Received: time.Now().UTC(), Body: p.Body}
		if err := put(raw); err != nil {
			return err
		}
		s.handed[year] = text
	}
	return nil
}

// failed says that something is wrong, once until it is right again, and makes do
// with what there is.
func (s *Source) failed(ctx context.Context, put put, err error) error {
	if s.fails++; s.fails > 1 {
		s.log.DebugContext(ctx, "rates of the European Central Bank still cannot be had", "tries", s.fails, "error", err)
		return nil
	}
	s.since = time.Now()
	s.log.WarnContext(ctx, "rates of the European Central Bank cannot be had; prices come as before, and it is asked again",
		"from", s.place.name(), "error", err, "code", "KURS-NET")
	return s.offerKept(ctx, put)
}

func (s *Source) mended(ctx context.Context) {
	if s.fails > 0 {
		s.log.InfoContext(ctx, "rates of the European Central Bank can be had again", "from", s.place.name(),
			"tries", s.fails, "after", time.Since(s.since).Round(time.Second))
	}
	s.fails = 0
}

// mostSleep is how long a timer may run before the clock is looked at again: it
// stands still while a computer sleeps.
const mostSleep = 5 * time.Minute

// sleep returns at a time of the wall clock, or when ctx is done.
func sleep(ctx context.Context, until time.Time) {
	until = until.Round(0)
	for left := until.Sub(time.Now().Round(0)); left > 0 && ctx.Err() == nil; left = until.Sub(time.Now().Round(0)) {
		timer := time.NewTimer(min(left, mostSleep))
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// jitter is a random time below d.
func jitter(d time.Duration) time.Duration {
	return rand.N(d) //nolint:gosec // spreads requests, keeps no secret
}
