package yahoo

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/sim"
)

// wait lets the bubble's time pass.
func wait(d time.Duration) {
	t := time.NewTimer(d)
	<-t.C
	synctest.Wait()
}

func symbols() map[string]string {
	return map[string]string{"AAPL": "USD", "VOD.L": "GBp", "NOVO-B.CO": "DKK", "7203.T": "JPY"}
}

// TestARunAsksForWhatPricesNeed: prices at the interval, pairs by the units that
// are seen, in requests of their own, and the past of a pair when it is new.
func TestARunAsksForWhatPricesNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		r := record(t, f, Config{Symbols: []string{"AAPL", "VOD.L", "NOVO-B.CO", "EURUSD=X"}, Interval: 10 * time.Second})
		wait(time.Second)
		if n := r.prices("VOD.L"); n != 1 {
			t.Errorf("%d prices at once", n)
		}
		wait(61 * time.Second)
		r.stop()
		if n := r.prices("VOD.L"); n != 7 {
			t.Errorf("%d prices in a minute, want 7", n)
		}
		if f.sessions != 1 {
			t.Errorf("%d sessions", f.sessions)
		}
		past := map[string]bool{}
		for _, a := range f.of("chart") {
			past[a.symbols[0]] = true
		}
		if !past["DKK=X"] || !past["GBPDKK=X"] || past["EURUSD=X"] || past["AAPL"] {
			t.Errorf("the past was asked of %v", past)
		}
		for i, raw := range r.raws {
			pairs := slices.IndexFunc(raw.Asked, func(s string) bool { return strings.HasSuffix(s, "=X") }) >= 0
			if pairs != (r.kinds[i] == kurs.CarriesRates) {
				t.Errorf("%q is of kind %d", raw.Asked, r.kinds[i])
			}
			if slices.Contains(raw.Asked, "EURUSD=X") != slices.Contains(raw.Listed, "EURUSD=X") {
				t.Errorf("%q lists %q", raw.Asked, raw.Listed)
			}
		}
		if s := r.source.Status(); s.Session != SessionReady || s.LastError != "" || len(s.Pairs) != 2 && len(s.Pairs) != 3 {
			t.Errorf("status %+v", s)
		}
		if text := r.log.String(); text != "" {
			t.Errorf("something was said:\n%s", text)
		}
	})
}

// TestTroubleIsWaitedOutAndToldOnce: whatever the provider does, Run goes on, asks
// less and less, says so once, and once more when it is over.
func TestTroubleIsWaitedOutAndToldOnce(t *testing.T) {
	fail := func(status int, body string) func() (*http.Response, error) {
		return func() (*http.Response, error) { return answerOf(status, body), nil }
	}
	for _, c := range []struct {
		name  string
		again string // what the log says at first
		most  int    // requests in five minutes
		odd   func() (*http.Response, error)
	}{
		{"refused", "provider not reachable", 60, func() (*http.Response, error) { return nil, errRefused }},
		{"500", "provider not reachable", 60, fail(500, "")},
		{"HTML with status 200", "provider not reachable", 60, fail(200, "<html>Will be right back</html>")},
		{"JSON that is cut off", "provider not reachable", 60, func() (*http.Response, error) {
			r := reply200(`{"quoteResponse":{"result":[`)
			r.ContentLength = 5000
			return r, nil
		}},
		{"an empty answer", "provider not reachable", 60, fail(200, "")},
		{"429", "provider wants fewer requests", 8, fail(429, "Too Many Requests\r\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{units: symbols()}
				r := record(t, f, Config{Symbols: []string{"AAPL", "NOVO-B.CO"}, Interval: 10 * time.Second, RetryBase: time.Second})
				wait(30 * time.Second)
				before, sessions := f.count(), f.sessions
				f.mu.Lock()
				f.odd = func(*http.Request) (*http.Response, error) { return c.odd() }
				f.mu.Unlock()
				wait(5 * time.Minute)
				if n := f.count() - before; n > c.most || n < 2 {
					t.Errorf("%d requests in five minutes of trouble", n)
				}
				f.mu.Lock()
				f.odd = nil
				f.mu.Unlock()
				had := r.prices("AAPL")
				wait(10 * time.Minute)
				r.stop()
				if r.prices("AAPL") <= had {
					t.Error("no prices after it")
				}
				if f.sessions != sessions {
					t.Errorf("%d sessions, %d before", f.sessions, sessions)
				}
				if began, ended := r.log.count(c.again), r.log.count("provider reachable again"); began != 1 || ended != 1 {
					t.Errorf("told of %d times, of the end %d times:\n%s", began, ended, r.log.String())
				}
			})
		})
	}
}

// TestAWaitSurvivesARestart: a host that asked for fewer requests is not asked by
// the next process either.
func TestAWaitSurvivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols(), odd: func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) != "quote" {
				return nil, nil //nolint:nilnil // the right answer
			}
			resp := answerOf(429, "")
			resp.Header.Set("Retry-After", "600")
			return resp, nil
		}}
		c := Config{Symbols: []string{"NOVO-B.CO"}, Interval: 10 * time.Second, StateDir: t.TempDir()}
		r := record(t, f, c)
		wait(30 * time.Second)
		r.stop()
		asked := f.count()
		if n := len(f.of("quote")); n != 1 {
			t.Errorf("%d requests for quotes", n)
		}
		f.odd = nil
		r = record(t, f, c)
		wait(5 * time.Minute)
		if n := f.count(); n != asked {
			t.Errorf("%d requests during the wait", n-asked)
		}
		wait(8 * time.Minute)
		r.stop()
		if r.prices("NOVO-B.CO") == 0 {
			t.Error("no prices after the wait")
		}
		if f.sessions != 1 {
			t.Errorf("%d sessions: it was not kept", f.sessions)
		}
	})
}

// TestASessionIsRenewedOnce for all workers, in each of the wordings.
func TestASessionIsRenewedOnce(t *testing.T) {
	for name, body := range map[string]string{
		"quote":   `{"quoteResponse":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}`,
		"finance": `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Cookie"}}}`,
		"other":   `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"User is unable to access this feature - https://bit.ly/yahoo-finance-api-feedback"}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{units: symbols()}
				f.odd = func(r *http.Request) (*http.Response, error) {
					if kindOf(r.URL.Path) == "quote" && r.URL.Query().Get("crumb") == "crumb1" {
						return answerOf(401, body), nil
					}
					return nil, nil //nolint:nilnil // the right answer
				}
				r := record(t, f, Config{Symbols: []string{"AAPL", "VOD.L", "NOVO-B.CO"}, Batch: 1, Interval: 10 * time.Second})
				wait(30 * time.Second)
				r.stop()
				if f.sessions != 2 || r.prices("AAPL") < 3 {
					t.Errorf("%d sessions, %d prices", f.sessions, r.prices("AAPL"))
				}
			})
		})
	}
}

// TestWithoutASessionKursGoesOnBySpark, and does not ask for one in a loop; where
// there is no spark either, by chart.
func TestWithoutASessionKursGoesOnBySpark(t *testing.T) {
	for name, odd := range map[string]func(*http.Request) (*http.Response, error){
		"401 to everything": func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "quote" {
				return answerOf(401, `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}`), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		},
		"no cookie": func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "cookie" {
				return answerOf(200, "<html></html>"), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		},
		"a crumb that is none": func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "crumb" {
				return answerOf(200, "Too Many Requests"), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		},
		"an empty crumb": func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "crumb" {
				return answerOf(200, ""), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		},
	} {
		for _, without := range []int{0, 400, 404, 401, 200} {
			t.Run(fmt.Sprintf("%s, spark %d", name, without), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { withoutASession(t, odd, without) })
			})
		}
	}
}

func withoutASession(t *testing.T, odd func(*http.Request) (*http.Response, error), without int) {
	t.Helper()
	f := &fake{units: symbols(), odd: func(r *http.Request) (*http.Response, error) {
		if without != 0 && kindOf(r.URL.Path) == "spark" {
			return answerOf(without, `{"finance":{"result":null,"error":{"code":"No","description":"no"}}}`), nil
		}
		return odd(r)
	}}
	r := record(t, f, Config{Symbols: []string{"AAPL", "NOVO-B.CO", "7203.T"}, Interval: 10 * time.Second, RetryBase: time.Second})
	wait(2 * time.Minute)
	r.stop()
	if n := r.prices("AAPL"); n < 10 {
		t.Errorf("%d prices", n)
	}
	sparks, charts := len(f.of("spark")), len(f.of("chart"))
	if without == 0 && (sparks < 12 || charts > 12) || without != 0 && (sparks > 4 || charts < 24) {
		t.Errorf("%d sparks, %d charts", sparks, charts)
	}
	if n := len(f.of("cookie")); n > 8 { // two places, four times
		t.Errorf("a session was asked for %d times in two minutes", n)
	}
	if n := r.log.count("no session with the provider"); n != 1 {
		t.Errorf("told of %d times:\n%s", n, r.log.String())
	}
}

// TestAnUnknownSymbolIsNamedOnce, with the provider's words; the others go on.
func TestAnUnknownSymbolIsNamedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		r := record(t, f, Config{Symbols: []string{"NOVO-B.CO", "NOPE"}, Interval: 10 * time.Second})
		wait(5 * time.Minute)
		r.stop()
		if n := r.log.count("symbol without prices"); n != 1 || r.log.count("No data found, symbol may be delisted") != 1 {
			t.Errorf("told of %d times:\n%s", n, r.log.String())
		}
		if s := r.source.Status(); len(s.Unknown) != 1 || s.Unknown[0].Symbol != "NOPE" {
			t.Errorf("unknown: %+v", s.Unknown)
		}
		if n := r.prices("NOVO-B.CO"); n < 30 {
			t.Errorf("%d prices of the other", n)
		}
		if r.log.count("did_you_mean=NOPEX") != 1 {
			t.Errorf("what may have been meant is not said:\n%s", r.log.String())
		}
		if n := len(f.of("chart")); n != 1 {
			t.Errorf("it was asked for alone %d times", n)
		}
	})
}

// TestTheBudgetHoldsForAllWorkers: in no minute more requests than allowed, of all
// kinds together.
func TestTheBudgetHoldsForAllWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: map[string]string{}}
		var all []string
		for i := range 40 {
			name := "S" + strings.Repeat("X", i+1)
			f.units[name] = "DKK"
			all = append(all, name)
		}
		r := record(t, f, Config{Symbols: all, Batch: 1, Interval: 5 * time.Second, MaxPerMinute: 20, Workers: 8})
		wait(10 * time.Minute)
		r.stop()
		f.mu.Lock()
		defer f.mu.Unlock()
		for i, a := range f.requests {
			if i >= 20 && a.at.Sub(f.requests[i-20].at) < time.Minute {
				t.Fatalf("21 requests within %s", a.at.Sub(f.requests[i-20].at))
			}
		}
		if n := len(f.requests); n < 180 {
			t.Errorf("%d requests in ten minutes: the budget is not used", n)
		}
		if r.source.Status().Skipped == 0 {
			t.Error("what could not be asked for is not counted")
		}
	})
}

// TestTooLongRequestsAreHalved until they are answered, and that is remembered.
func TestTooLongRequestsAreHalved(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: map[string]string{}}
		var all []string
		for i := range 50 {
			name := "S" + strings.Repeat("X", i+1)
			f.units[name] = "DKK"
			all = append(all, name)
		}
		f.odd = func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "quote" && strings.Count(r.URL.Query().Get("symbols"), ",") >= 20 {
				return answerOf(414, "Request-URI Too Large"), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		}
		c := Config{Symbols: all, Interval: 10 * time.Second, StateDir: dir}
		r := record(t, f, c)
		wait(time.Minute)
		r.stop()
		if n := r.prices(all[49]); n < 6 {
			t.Errorf("%d prices of the last", n)
		}
		tooLong := 0
		for _, a := range f.of("quote") {
			if len(a.symbols) > 20 {
				tooLong++
			}
		}
		if tooLong > 3 || r.source.Status().Batch > 20 {
			t.Errorf("%d requests were too long; a batch has %d symbols now", tooLong, r.source.Status().Batch)
		}
		learned := r.source.Status().Batch
		before := len(f.of("quote"))
		r = record(t, f, c) // the next process knows it
		wait(time.Second)
		r.stop()
		for _, a := range f.of("quote")[before:] {
			if len(a.symbols) > learned {
				t.Errorf("%d symbols after a restart, %d were learned", len(a.symbols), learned)
			}
		}
	})
}

// TestAnswersUnderWayAreHandedOnAfterAStop: they were given, so they count.
func TestAnswersUnderWayAreHandedOnAfterAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		f.odd = func(r *http.Request) (*http.Response, error) {
			if kindOf(r.URL.Path) == "quote" {
				timer := time.NewTimer(3 * time.Second) // a slow answer
				defer timer.Stop()
				select {
				case <-timer.C:
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return nil, nil //nolint:nilnil // the right answer
		}
		r := record(t, f, Config{Symbols: []string{"NOVO-B.CO"}, Interval: 10 * time.Second})
		wait(time.Second)
		r.stop()
		if n := r.prices("NOVO-B.CO"); n != 1 {
			t.Errorf("%d prices", n)
		}
	})
}

// TestSingleCallsEndWithACode for the person who asked.
func TestSingleCallsEndWithACode(t *testing.T) {
	for _, c := range []struct {
		name, code string
		exit       kurs.ExitCode
		odd        func(*http.Request) (*http.Response, error)
	}{
		{"no network", "KURS-NET", kurs.ExitNetwork, func(*http.Request) (*http.Response, error) { return nil, errRefused }},
		{"garbage", "KURS-NET", kurs.ExitNetwork, func(*http.Request) (*http.Response, error) { return answerOf(200, "<html>"), nil }},
		{"429", "KURS-RATE", kurs.ExitRateLimit, func(*http.Request) (*http.Response, error) { return answerOf(429, ""), nil }},
		{"unknown", "KURS-SYMBOL", kurs.ExitNotFound, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{units: symbols(), odd: c.odd}
				client, err := NewClient(Config{Transport: f}, wire.Decode, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				raws, err := client.Quotes(t.Context(), []string{"AAPL", "NOPE"})
				e, ok := errors.AsType[*kurs.Error](err)
				if !ok || e.Code != c.code || e.Exit != c.exit {
					t.Errorf("%v", err)
				}
				if c.odd == nil && len(raws) == 0 {
					t.Errorf("%d answers about the other", len(raws))
				}
				if n := f.count(); n > 8 {
					t.Errorf("%d requests", n)
				}
			})
		})
	}
}

// TestAnHourOf429 in everything, after a good start: the requests can be counted
// on two hands, the log has a line at the start and one at the end, and the end is
// noticed within one wait.
func TestAnHourOf429(t *testing.T) {
	for seed := range 3 {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := streamed(t, sim.Config{Count: 30, Seed: uint64(seed)}, Config{})
				wait(2 * time.Minute)
				before := s.x.Stats()
				s.x.SetFaults(sim.Faults{Status429: 1, StreamDrop: 1})
				wait(30 * time.Minute)
				status := s.source.Status()
				if until := time.Until(status.BackoffUntil); status.TroubleCode != "KURS-RATE" || until <= 0 || until > 30*time.Minute {
					t.Errorf("%s until %s", status.TroubleCode, status.BackoffUntil)
				}
				wait(30 * time.Minute)
				s.x.SetFaults(sim.Faults{})
				asked := uint64(0)
				for _, n := range s.x.Stats().Requests {
					asked += n
				}
				for _, n := range before.Requests {
					asked -= n
				}
				if asked > 10 {
					t.Errorf("%d requests in an hour: %v", asked, s.x.Stats().Requests)
				}
				wait(30*time.Minute + time.Minute)
				if status := s.source.Status(); status.TroubleCode != "" || status.Stream.Symbols < 28 {
					t.Errorf("not back within one wait: %+v", status)
				}
				if lines := strings.Count(s.log.String(), "\n"); lines != 2 || s.log.count("provider wants fewer requests") != 1 || s.log.count("provider reachable again") != 1 {
					t.Errorf("%d lines:\n%s", lines, s.log.String())
				}
				s.close()
			})
		})
	}
}
