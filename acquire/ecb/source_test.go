package ecb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
	"kurs/acquire/ecb/wire"
)

// bank is the bank's server in memory, by the bubble's clock. It tells whether a
// file has changed, and misbehaves as it is told to.
type bank struct {
	odd func(r *http.Request) (*http.Response, error) // nil, nil goes on to the right answer

	mu    sync.Mutex
	asked []question
}

// question is a request that came in.
type question struct {
	at     time.Time
	file   string
	status int
}

func (b *bank) RoundTrip(r *http.Request) (*http.Response, error) {
	q := question{at: time.Now(), file: path.Base(r.URL.Path)}
	resp, err := b.answer(r, q.file)
	if resp != nil {
		q.status = resp.StatusCode
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, q)
	return resp, err
}

func (b *bank) answer(r *http.Request, file string) (*http.Response, error) {
	b.mu.Lock()
	odd := b.odd
	b.mu.Unlock()
	if odd != nil {
		if resp, err := odd(r); resp != nil || err != nil {
			return resp, err
		}
	}
	n := 1
	if file == firstFile {
		n = 62
	}
	days := publishedDays(time.Now(), n)
	tag := `"` + file + days[0].Format(time.DateOnly) + `"`
	if r.Header.Get("If-None-Match") == tag {
		return reply(http.StatusNotModified, ""), nil
	}
	resp := reply(http.StatusOK, document(days))
	resp.Header.Set("ETag", tag)
	return resp, nil
}

func reply(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// publishedDays are the last working days whose rates are there, newest first.
func publishedDays(now time.Time, n int) []time.Time {
	var days []time.Time
	for day := now.UTC().Truncate(24 * time.Hour); len(days) < n; day = day.AddDate(0, 0, -1) {
		if !weekend(day) && !day.Add(15*time.Hour).After(now) { // 16:00 in winter, which it is in the bubble
			days = append(days, day)
		}
	}
	return days
}

func document(days []time.Time) string {
	var b strings.Builder
	b.WriteString(`<gesmes:Envelope xmlns:gesmes="x"><Cube>`)
	for _, day := range days {
		fmt.Fprintf(&b, `<Cube time="%s"><Cube currency="USD" rate="1.%04d"/><Cube currency="DKK" rate="7.46"/></Cube>`, day.Format(time.DateOnly), day.YearDay())
	}
	return b.String() + `</Cube></gesmes:Envelope>`
}

func (b *bank) set(odd func(r *http.Request) (*http.Response, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.odd = odd
}

func (b *bank) questions() []question {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]question(nil), b.asked...)
}

// recording is a source at work.
type recording struct {
	*testing.T

	mu     sync.Mutex
	raws   []kurs.Raw
	log    bytes.Buffer
	cancel context.CancelFunc
	ended  chan error
}

func record(t *testing.T, c Config) *recording {
	t.Helper()
	r := &recording{T: t, ended: make(chan error, 1)}
	s, err := New(c, slog.New(slog.NewTextHandler(r, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	go func() { r.ended <- s.Run(ctx, r.emit) }()
	return r
}

func (r *recording) emit(_ context.Context, raw kurs.Raw, kind kurs.RawKind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind != kurs.CarriesRates || raw.Endpoint != kurs.EndpointReference {
		r.Errorf("handed on as %s, kind %d", raw.Endpoint, kind)
	}
	r.raws = append(r.raws, raw)
	return nil
}

// Write takes the log.
func (r *recording) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *recording) stop() {
	r.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.Errorf("Run: %v", err)
	}
}

// answers are how many messages were handed on, and the days of the last.
func (r *recording) answers() (n, days int, newest time.Time) {
	r.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.raws) == 0 {
		return 0, 0, time.Time{}
	}
	seen, err := wire.Decode(r.raws[len(r.raws)-1])
	if err != nil {
		r.Fatal(err)
	}
	last := map[time.Time]bool{}
	for _, rate := range seen.Rates {
		last[rate.Time] = true
		newest = rate.Time
	}
	return len(r.raws), len(last), newest
}

// lines counts the log's lines of the start and the end of trouble.
func (r *recording) lines() (begun, ended int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.log.String()
	return strings.Count(text, "cannot be had;"), strings.Count(text, "can be had again")
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

// untilMonday brings the bubble, which begins on a Saturday, to Monday noon.
func untilMonday() { pass(60 * time.Hour) }

// TestItAsksSeldom: the larger file first, then the day's when it can be there, on
// working days alone.
func TestItAsksSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilMonday()
		b := &bank{}
		r := record(t, Config{Transport: b})
		synctest.Wait()
		if n, days, newest := r.answers(); n != 1 || days != 62 || newest.Format(time.DateTime) != "1999-12-31 15:00:00" {
			t.Fatalf("%d answers, the last with %d days up to %s", n, days, newest)
		}
		pass(7*24*time.Hour + time.Hour)
		n, days, newest := r.answers()
		if n != 6 || days != 1 || newest.Format(time.DateTime) != "2000-01-07 15:00:00" {
			t.Errorf("a week later: %d answers, the last with %d days up to %s", n, days, newest)
		}
		all := b.questions()
		if len(all) != 6 {
			t.Errorf("%d requests in a week: %v", len(all), all)
		}
		for _, q := range all[1:] {
			if q.file != dailyFile || q.at.Hour() != 15 || q.at.Minute() < 5 || q.at.Minute() > 15 || weekend(q.at) {
				t.Errorf("asked for %s at %s", q.file, q.at)
			}
		}
		r.stop()
	})
}

// TestAHolidayIsNotAskedAbout all the time.
func TestAHolidayIsNotAskedAbout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilMonday()
		b := &bank{}
		stands := publishedDays(time.Now(), 1)
		b.set(func(r *http.Request) (*http.Response, error) {
			if path.Base(r.URL.Path) == firstFile {
				return nil, nil //nolint:nilnil // the right answer
			}
			if r.Header.Get("If-None-Match") == `"same"` {
				return reply(http.StatusNotModified, ""), nil
			}
			resp := reply(http.StatusOK, document(stands))
			resp.Header.Set("ETag", `"same"`)
			return resp, nil
		})
		r := record(t, Config{Transport: b})
		pass(27 * time.Hour) // to just before the next day's
		if n := len(b.questions()); n < 10 || n > 24 {
			t.Errorf("%d requests on a holiday", n)
		}
		if n, _, _ := r.answers(); n != 2 { // the larger file, and the first time the day's
			t.Errorf("%d answers", n)
		}
		r.stop()
	})
}

// TestDaysThatWereMissedAreFetched: after a computer was asleep for a week.
func TestDaysThatWereMissedAreFetched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		untilMonday()
		b := &bank{}
		r := record(t, Config{Transport: b})
		synctest.Wait()
		b.set(func(*http.Request) (*http.Response, error) { return nil, errors.New("asleep") })
		pass(7 * 24 * time.Hour)
		b.set(nil)
		pass(time.Hour)
		n, days, _ := r.answers()
		all := b.questions()
		if n != 3 || days != 5 || all[len(all)-1].file != firstFile && all[len(all)-2].file != firstFile {
			t.Errorf("%d answers, the last of %d days, after %v", n, days, all[len(all)-2:])
		}
		r.stop()
	})
}

// TestTroubleIsToldOnceAndWaitsGrow.
func TestTroubleIsToldOnceAndWaitsGrow(t *testing.T) {
	page := func(*http.Request) (*http.Response, error) {
		return reply(http.StatusOK, "<!DOCTYPE html><html>Sorry</html>"), nil
	}
	for name, odd := range map[string]func(*http.Request) (*http.Response, error){
		"unreachable": func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") },
		"refused":     func(*http.Request) (*http.Response, error) { return reply(http.StatusServiceUnavailable, ""), nil },
		"a page":      page,
		"nothing":     func(*http.Request) (*http.Response, error) { return reply(http.StatusOK, ""), nil },
		"cut": func(*http.Request) (*http.Response, error) {
			return reply(http.StatusOK, document(publishedDays(time.Now(), 3))[:150]), nil
		},
		"endless": func(*http.Request) (*http.Response, error) {
			resp := reply(http.StatusOK, "")
			resp.ContentLength, resp.Body = -1, io.NopCloser(zeros{})
			return resp, nil
		},
		"packed": func(*http.Request) (*http.Response, error) {
			resp := reply(http.StatusOK, "x")
			resp.Header.Set("Content-Encoding", "br")
			return resp, nil
		},
		"silent": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bank{}
				b.set(odd)
				r := record(t, Config{Transport: b})
				pass(3 * time.Hour)
				if n := len(b.questions()); n < 7 || n > 20 {
					t.Errorf("%d requests in three hours of trouble", n)
				}
				if begun, ended := r.lines(); begun != 1 || ended != 0 {
					t.Errorf("%d lines of its start, %d of its end", begun, ended)
				}
				b.set(nil)
				pass(31 * time.Minute)
				if begun, ended := r.lines(); begun != 1 || ended != 1 {
					t.Errorf("%d lines of its start, %d of its end:\n%s", begun, ended, r.log.String())
				}
				if n, days, _ := r.answers(); n == 0 || days == 0 {
					t.Error("nothing was handed on when it was over")
				}
				r.stop()
			})
		})
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestAServerMaySayHowLongToWait.
func TestAServerMaySayHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bank{}
		b.set(func(*http.Request) (*http.Response, error) {
			resp := reply(http.StatusTooManyRequests, "")
			resp.Header.Set("Retry-After", "7200")
			return resp, nil
		})
		r := record(t, Config{Transport: b})
		pass(119 * time.Minute)
		if n := len(b.questions()); n != 1 {
			t.Errorf("%d requests", n)
		}
		pass(5 * time.Minute)
		if n := len(b.questions()); n != 2 {
			t.Errorf("%d requests", n)
		}
		r.stop()
	})
}

// TestARestartAsksWhetherTheFileHasChanged, and hands on what it kept: the place
// that answers go to may be another, and nobody may answer.
func TestARestartAsksWhetherTheFileHasChanged(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		untilMonday()
		b := &bank{}
		for i, want := range []int{http.StatusOK, http.StatusNotModified, 0} {
			if want == 0 {
				b.set(func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") })
			}
			r := record(t, Config{Transport: b, StateDir: dir})
			pass(time.Minute)
			all := b.questions()
			if n, days, _ := r.answers(); n != 1 || days != 62 || all[i].status != want || all[i].file != firstFile {
				t.Errorf("start %d: %d answers, the last of %d days, after %+v", i, n, days, all)
			}
			r.stop()
		}
		if err := os.WriteFile(filepath.Join(dir, bodyFile), []byte("spoiled"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.set(nil)
		r := record(t, Config{Transport: b, StateDir: dir})
		pass(time.Minute)
		if n, days, _ := r.answers(); n != 1 || days != 62 || b.questions()[len(b.questions())-1].status != http.StatusOK {
			t.Errorf("after its file was spoiled: %d answers of %d days", n, days)
		}
		r.stop()
	})
}

// TestHistoryIsHandedOnOnceIntoEachPlace, but for the newest year.
func TestHistoryIsHandedOnOnceIntoEachPlace(t *testing.T) {
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "hist.csv")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const history = "2025-06-02,1.2,\n2024-06-03,1.1,\n2023-06-01,1.0,\n"
	write("Date,USD,\n" + history)
	synctest.Test(t, func(t *testing.T) {
		started := func(into string, want int) *recording {
			t.Helper()
			r := record(t, Config{URL: file, StateDir: dir, Into: into})
			pass(time.Second)
			if n, _, _ := r.answers(); n != want {
				t.Errorf("into %s: %d answers, want %d", into, n, want)
			}
			return r
		}
		started("a", 3).stop()
		started("a", 1).stop()
		started("b", 3).stop()
		r := started("b", 1)
		write("Date,USD,\n2025-06-03,1.21,\n" + history) // a day more
		pass(fileEvery)
		if n, days, newest := r.answers(); n != 2 || days != 2 || newest.Day() != 3 {
			t.Errorf("%d answers, the last of %d days up to %s", n, days, newest)
		}
		r.stop()
	})
}

// TestAFileThatIsNotThereYet is read when it is, and again when it is right.
func TestAFileThatIsNotThereYet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "eurofxref.csv")
	synctest.Test(t, func(t *testing.T) {
		r := record(t, Config{URL: "file://" + filepath.ToSlash(file)})
		pass(time.Minute)
		for _, c := range []struct {
			text                  string
			answers, begun, ended int
		}{
			{"Date,USD,\n2025-06-02,1.2,\n", 1, 1, 1},
			{"Date,USD,\n2025-06-02,", 1, 2, 1},
			{"Date,USD,\n2025-06-02,1.2,\n2025-06-03,1.3,\n", 2, 2, 2},
		} {
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			pass(10 * time.Minute)
			begun, ended := r.lines()
			if n, _, _ := r.answers(); n != c.answers || begun != c.begun || ended != c.ended {
				t.Errorf("%q: %d answers, %d lines of trouble, %d of its end", c.text, n, begun, ended)
			}
		}
		r.stop()
	})
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ url, first, daily string }{
		{"", OwnURL + "/" + firstFile, OwnURL + "/" + dailyFile},
		{"http://127.0.0.1:1/stats/eurofxref/", "http://127.0.0.1:1/stats/eurofxref/" + firstFile, "http://127.0.0.1:1/stats/eurofxref/" + dailyFile},
		{"https://mirror.example/hist.zip", "https://mirror.example/hist.zip", "https://mirror.example/hist.zip"},
	} {
		s, err := New(Config{URL: c.url}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if at, ok := s.place.(*server); !ok || at.first != c.first || at.daily != c.daily {
			t.Errorf("%q: %+v", c.url, s.place)
		}
	}
	for _, url := range []string{"ftp://x/y", "http://", "file://host/x", "https://[::1"} {
		if _, err := New(Config{URL: url}, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q: no error", url)
		}
	}
	if got := filePath("/C:/x/y.csv"); got != filepath.FromSlash("C:/x/y.csv") {
		t.Errorf("path %q", got)
	}
}

// TestAFailureToHandOnEndsTheRun.
func TestAFailureToHandOnEndsTheRun(t *testing.T) {
	full := errors.New("full")
	s, err := New(Config{Transport: &bank{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), func(context.Context, kurs.Raw, kurs.RawKind) error { return full }); !errors.Is(err, full) {
		t.Error(err)
	}
}
