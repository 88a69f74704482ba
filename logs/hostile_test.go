package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// nilError is an error whose method does not survive a nil pointer.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// TestHostileValues: each is shown as what it is, by every form, with colours
// and without.
func TestHostileValues(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string // in logfmt
	}{
		{"escape character", "\x1b[35mred", `\u001b[35mred`},
		{"escape spelled out, which tint would turn into one", `\x1b[35m red`, `"\\x1B[35m red"`},
		{"newline that starts a line of its own", "a\nlevel=ERROR", `"a\\nlevel=ERROR"`},
		{"C1 control character", "a\u009b31m", `a\u009b31m`},
		{"right-to-left override", "a\u202eb", `a\u202eb`},
		{"replacement character, at which tint would cut", "a\ufffdrest", `a\ufffdrest`},
		{"broken UTF-8", "a\xffrest", `a\xffrest`},
		{"nil pointer for an error", (*nilError)(nil), "<nil>"},
		{"number that is none", json.Number("1\x1b[35m\n2"), `1\u001b[35m\n2`},
		{"joined errors", errors.Join(errors.New("one"), errors.New("two")), `"one; two"`},
		{"time elsewhere", at.In(time.FixedZone("", 3600)), "2026-11-24T09:15:04.123Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, config := range []Config{{Format: "logfmt"}, {Format: "json"}, {Format: "text"}, {Format: "text", Color: true}} {
				var console bytes.Buffer
				l, err := New(&console, config)
				if err != nil {
					t.Fatal(err)
				}
				log := l.Stage("process")
				if text, ok := c.value.(string); ok { // also where a name or a message stands
					write(t, log.With("with "+text, text), slog.LevelInfo, text, slog.String("key "+text, ""), slog.Group("g "+text, slog.Int("n", 1)))
				}
				write(t, log, slog.LevelInfo, "m", slog.Any("v", c.value))
				checkUnobeyed(t, config, console.String())
				if _, got, _ := strings.Cut(strings.TrimSpace(console.String()), " msg=m stage=process v="); config.Format == "logfmt" && got != c.want {
					t.Errorf("logfmt has %s, want %s", got, c.want)
				}
			}
		})
	}
}

// checkUnobeyed looks for what a terminal obeys, other than tint's own colours.
func checkUnobeyed(t *testing.T, config Config, lines string) {
	t.Helper()
	if config.Color {
		lines = regexp.MustCompile(`\x1b\[(0|2|22|92)m`).ReplaceAllString(lines, "")
	}
	for line := range strings.Lines(lines) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsAny(line, "\x1b\r\u009b\u202e\x7f") {
			t.Errorf("%+v: %q", config, line)
		}
		if !regexp.MustCompile(`^(time=2026|\{"time":"2026|\d\d:\d\d:\d\d INFO )`).MatchString(line) {
			t.Errorf("%+v: a line of its own: %q", config, line)
		}
	}
}

func TestColours(t *testing.T) {
	var console bytes.Buffer
	l, err := New(&console, Config{Format: "text", Color: true, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	write(t, l.Stage("store"), slog.LevelWarn, "store waits", slog.Duration("retry", 5*time.Second))
	want := "\x1b[2m09:15:04\x1b[0m \x1b[93mWARN \x1b[0m store waits \x1b[2mstage=\x1b[0mstore \x1b[2mretry=\x1b[0m5s\n"
	if diff := cmp.Diff(want, console.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAttributeNamedLikeThePartsOfALine(t *testing.T) {
	for _, format := range []string{"text", "logfmt", "json"} {
		var console bytes.Buffer
		l, err := New(&console, Config{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		write(t, l.Stage("store"), slog.LevelInfo, "m", slog.String("time", "noon"), slog.String("level", "high"), slog.String("msg", "other"))
		if got := console.String(); !strings.Contains(got, "noon") || !strings.Contains(got, "high") || !strings.Contains(got, "other") {
			t.Errorf("%s: %s", format, got)
		}
	}
}

func TestVisible(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"as long as may be", strings.Repeat("x", longest), strings.Repeat("x", longest)},
		{"one too long", strings.Repeat("x", longest+1), strings.Repeat("x", longest-len(cutMark)) + cutMark},
		{"cut between letters", strings.Repeat("æ", longest), strings.Repeat("æ", (longest-len(cutMark))/2) + cutMark},
		{"cut between escapes", strings.Repeat("\x00", longest), strings.Repeat(`\u0000`, (longest-len(cutMark))/6) + cutMark},
		{"letters of the world", "Ørsted 株 ▼ −0,5 %", "Ørsted 株 ▼ −0,5 %"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := visible(c.in)
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if again := visible(got); again != got {
				t.Errorf("shown again it is %q", again)
			}
		})
	}
}

func TestRelayLine(t *testing.T) {
	const head = `{"time":"2026-11-24T10:15:04.5+01:00","level":"INFO","msg":"real"`
	const record = "time=2026-11-24T09:15:04.500Z level=INFO msg=real stage=store"
	for _, c := range []struct{ name, line, want string }{
		{"stage not named", head + `}`, record},
		{"stage named", head + `,"stage":"process"}`, "time=2026-11-24T09:15:04.500Z level=INFO msg=real stage=process"},
		{"no newline, carriage return", head + "}\r", record},
		{"level again, no level", head + `,"level":"high"}`, record + " level=high"},
		{"time and message again", head + `,"msg":"other","time":"noon"}`, record + " msg=other time=noon"},
		{"exact numbers", head + `,"n":9007199254740993,"d":0.10,"e":1e400}`, record + " n=9007199254740993 d=0.10 e=1e400"},
		{"number too long", head + `,"n":` + strings.Repeat("9", 3000) + `}`, record + " n=" + strings.Repeat("9", longest-len(cutMark)) + cutMark},
		{"nothing in it", " \t", ""},
		{"words after it", head + `} x`, ""},
		{"another after it", head + `}` + head + `}`, ""},
		{"no message", `{"time":"2026-11-24T09:15:04Z","level":"INFO"}`, ""},
		{"cut", head + `,"n":`, ""},
		{"list", `["time"]`, ""},
		{"thousands of groups", head + strings.Repeat(`,"aaaa":{"b":1`, 3000) + strings.Repeat("}", 3001), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var console bytes.Buffer
			l, err := New(&console, Config{Format: "logfmt"})
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Relay(t.Context(), "store", strings.NewReader(c.line)); err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSuffix(console.String(), "\n")
			switch {
			case c.want != "" || strings.TrimSpace(c.line) == "":
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			case !strings.Contains(got, ` level=ERROR msg="stage wrote" stage=store text=`):
				t.Errorf("taken for a record: %s", got)
			}
		})
	}
}

// TestRelayIsBounded: neither a line without an end nor one of many groups costs
// more than a few buffers.
func TestRelayIsBounded(t *testing.T) {
	l, err := New(io.Discard, Config{Format: "logfmt"})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"endless": io.LimitReader(repeat("x"), 64<<20),
		"groups":  strings.NewReader(`{"time":"2026-11-24T09:15:04Z","level":"INFO","msg":"m","a":` + strings.Repeat(`{"aaaa":`, 7900)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := l.Relay(t.Context(), "store", r); err != nil {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
			t.Errorf("%s: %d bytes", name, n)
		}
	}
}

// repeat is a reader of one text without an end.
type repeat string

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r[i%len(r)]
	}
	return len(p), nil
}

func TestRelayEnds(t *testing.T) {
	l, err := New(io.Discard, Config{})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	for _, c := range []struct {
		name      string
		err, want error
	}{
		{"at the end", io.EOF, nil},
		{"when the pipe is closed", io.ErrClosedPipe, nil},
		{"when the file is closed", &fs.PathError{Op: "read", Path: "|0", Err: fs.ErrClosed}, nil},
		{"when reading fails", broken, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, first := range []string{"", "x", strings.Repeat("x", mostLine+100)} {
				// The error is told once: what follows it must not hide it.
				r := io.MultiReader(strings.NewReader(first), &failsOnce{c.err})
				if err := l.Relay(t.Context(), "store", r); !errors.Is(err, c.want) {
					t.Errorf("after %d bytes: %v, want %v", len(first), err, c.want)
				}
			}
		})
	}
}

type failsOnce struct{ err error }

func (r *failsOnce) Read([]byte) (int, error) {
	err := r.err
	r.err = io.EOF
	return 0, err
}

// TestManyAtOnce: lines of stages and relays of several processes stay whole.
func TestManyAtOnce(t *testing.T) {
	var console bytes.Buffer
	name := filepath.Join(t.TempDir(), "kurs.log")
	l, err := New(&console, Config{Format: "json", File: name, MaxSize: 1 << 20, MaxFiles: 1})
	if err != nil {
		t.Fatal(err)
	}
	const each = 50
	var all sync.WaitGroup
	for n := range 4 {
		stage := fmt.Sprint("stage", n)
		r, w := io.Pipe()
		all.Go(func() {
			if err := l.Relay(t.Context(), stage, r); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			defer w.Close()
			child, err := Child(w, "info", stage)
			if err != nil {
				t.Error(err)
				return
			}
			own := l.Stage(stage)
			for i := range each {
				child.InfoContext(t.Context(), "relayed", "i", i)
				own.InfoContext(t.Context(), "own", "i", i)
			}
		})
	}
	all.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(file, []byte("\n")); n != 4*2*each {
		t.Errorf("the file has %d lines, want %d", n, 4*2*each)
	}
	next := map[string]int{}
	for line := range bytes.Lines(console.Bytes()) {
		var r struct {
			Msg, Stage string
			I          int
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if key := r.Msg + r.Stage; r.I != next[key] {
			t.Errorf("%s: line %d where %d is due", key, r.I, next[key])
		} else {
			next[key]++
		}
	}
	if len(next) != 8 {
		t.Errorf("lines of %d writers, want 8", len(next))
	}
}

// TestCloseEndsWhatRotates: no goroutine is left, or the bubble would not end.
func TestCloseEndsWhatRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(io.Discard, Config{File: filepath.Join(t.TempDir(), "kurs.log"), MaxSize: 1 << 20, MaxFiles: 1})
		if err != nil {
			t.Fatal(err)
		}
		l.Stage("store").InfoContext(t.Context(), "line")
		for range 2 {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestOldFiles: as many as asked for are kept, none larger than asked for, each
// for its owner's eyes only.
func TestOldFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l, err := New(io.Discard, Config{File: filepath.Join(dir, "kurs.log"), MaxSize: 1 << 20, MaxFiles: 2})
	if err != nil {
		t.Fatal(err)
	}
	log := l.Stage("store")
	for range 5000 {
		write(t, log, slog.LevelInfo, "a line", slog.String("text", strings.Repeat("y", 1000)))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "kurs*.log"))
	if err != nil || len(files) != 1+2 {
		t.Errorf("%v, %v, want the file and two old ones", files, err)
	}
	for _, name := range append(files, dir) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' || !info.IsDir() && info.Size() > 1<<20 {
			t.Errorf("%s: %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
}

// TestFileFailsAndComesBack: with the real file, whose folder is replaced.
func TestFileFailsAndComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	name := filepath.Join(dir, "kurs.log")
	var console bytes.Buffer
	l, err := New(&console, Config{Format: "logfmt", File: name, MaxSize: 1 << 20, MaxFiles: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := l.Stage("store")
	for range 3 {
		log.InfoContext(t.Context(), "lost to the file")
	}
	if n := strings.Count(console.String(), "log file cannot be written"); n != 1 || strings.Count(console.String(), "lost") != 3 {
		t.Errorf("console:\n%s", console.String())
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	log.InfoContext(t.Context(), "back")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(name); err != nil || !bytes.Contains(text, []byte("msg=back stage=store")) {
		t.Errorf("file: %q, %v", text, err)
	}
}
