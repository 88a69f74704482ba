package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs/internal/testkit"
)

// at is the time of every line of a test's own making.
var at = time.Date(2026, 11, 24, 9, 15, 4, 123456789, time.UTC)

// write logs one line at a fixed time.
func write(t *testing.T, log *slog.Logger, level slog.Level, message string, attrs ...slog.Attr) {
	t.Helper()
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	if log.Enabled(t.Context(), level) {
		if err := log.Handler().Handle(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
}

func TestFormats(t *testing.T) {
	copenhagen, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"text", Config{Format: "text", Location: copenhagen}, "10:15:04 INFO  last minute stage=store prices=12 took=412ms error=\"disk full\"\n"},
		{"auto on a terminal", Config{Format: "auto", Terminal: true, Location: time.UTC}, "09:15:04 INFO  last minute stage=store prices=12 took=412ms error=\"disk full\"\n"},
		{"auto elsewhere", Config{Format: "auto"}, "time=2026-11-24T09:15:04.123Z level=INFO msg=\"last minute\" stage=store prices=12 took=412ms error=\"disk full\"\n"},
		{"json", Config{Format: "json"}, `{"time":"2026-11-24T09:15:04.123456789Z","level":"INFO","msg":"last minute","stage":"store","prices":12,"took":"412ms","error":"disk full"}` + "\n"},
		{"below the level", Config{Format: "json", Level: "warn"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var console bytes.Buffer
			l, err := New(&console, c.config)
			if err != nil {
				t.Fatal(err)
			}
			write(t, l.Stage("store"), slog.LevelInfo, "last minute",
				slog.Int("prices", 12), slog.Duration("took", 412*time.Millisecond), slog.Any("error", errors.New("disk full")))
			if diff := cmp.Diff(c.want, console.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWrongSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{Level: "loud"}, {Format: "xml"}, {File: filepath.Join(file, "kurs.log")}} {
		if _, err := New(io.Discard, c); err == nil {
			t.Errorf("%+v is no error", c)
		}
	}
	if _, err := Child(io.Discard, "loud", "store"); err == nil {
		t.Error("a child may have any level")
	}
}

// TestNothingIsObeyed: what a terminal or a reader of lines might take for more
// than text is an escape in every form.
func TestNothingIsObeyed(t *testing.T) {
	hostile := "a\x1b[31mred\r\n2026 level=ERROR\u202e\x7f\xff\U000e0001"
	for _, format := range []string{"text", "logfmt", "json"} {
		var console bytes.Buffer
		l, err := New(&console, Config{Format: format, Color: true})
		if err != nil {
			t.Fatal(err)
		}
		write(t, l.Stage("process"), slog.LevelInfo, hostile, slog.String("symbol", hostile), slog.Any("error", errors.New(hostile)),
			slog.Group("g", slog.String("in", hostile)), slog.Any("list", []string{hostile}))
		line := strings.TrimSuffix(console.String(), "\n")
		own := regexp.MustCompile(`\x1b\[[0-9;]*m`)
		if format == "text" {
			line = own.ReplaceAllString(strings.ReplaceAll(line, "\x1b[31mred", "OBEYED"), "")
		}
		if strings.ContainsAny(line, "\x1b\r\n\u202e\x7f\U000e0001") || strings.Contains(line, "OBEYED") || strings.Contains(line, "\xff") {
			t.Errorf("%s: %q", format, line)
		}
	}
}

func TestLongValuesAreCut(t *testing.T) {
	var console bytes.Buffer
	l, err := New(&console, Config{Format: "logfmt"})
	if err != nil {
		t.Fatal(err)
	}
	write(t, l.Stage("process"), slog.LevelInfo, "x", slog.String("text", strings.Repeat("æ", 100_000)))
	if n := console.Len(); n > 2*longest {
		t.Errorf("a line of %d bytes", n)
	}
}

// TestRelay: a line of a child comes out as if it had been logged here; what is
// no line of it is quoted.
func TestRelay(t *testing.T) {
	var child bytes.Buffer
	log, err := Child(&child, "debug", "store")
	if err != nil {
		t.Fatal(err)
	}
	write(t, log, slog.LevelWarn, "store waits", slog.Duration("retry", 5*time.Second), slog.Int64("waiting", 9007199254740993),
		slog.Group("at", slog.String("epoch", "e"), slog.Int("seq", 7)), slog.Bool("full", true), slog.Any("stores", []string{"a", "b"}))
	write(t, log, slog.LevelDebug, "not worth a line")
	child.WriteString("panic: runtime error\n\ngoroutine 1 [running]:\n{\"level\":\"INFO\"}\n")
	child.WriteString(strings.Repeat("x", 3*mostLine) + "\n")
	write(t, log, slog.LevelInfo, "after it")

	var console bytes.Buffer
	l, err := New(&console, Config{Format: "logfmt"})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Relay(t.Context(), "store", &child); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`time=\S+ `).ReplaceAllString(console.String(), "")
	got = regexp.MustCompile(`x{100,}`).ReplaceAllString(got, "xx")
	want := `level=WARN msg="store waits" stage=store retry=5s waiting=9007199254740993 at.epoch=e at.seq=7 full=true stores="a b"
level=ERROR msg="stage wrote" stage=store text="panic: runtime error"
level=ERROR msg="stage wrote" stage=store text="goroutine 1 [running]:"
level=ERROR msg="stage wrote" stage=store text="{\"level\":\"INFO\"}"
level=ERROR msg="stage wrote" stage=store text=xx…
level=INFO msg="after it" stage=store
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !strings.Contains(console.String(), "time=2026-11-24T09:15:04.123Z level=WARN") {
		t.Errorf("the line's own time is gone:\n%s", console.String())
	}
}

func TestRelayTellsWhyItEnds(t *testing.T) {
	l, err := New(io.Discard, Config{})
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := l.Relay(t.Context(), "store", io.MultiReader(strings.NewReader("x\n"), failingReader{broken})); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// TestFile: the file gets the same lines, without colour, for its owner alone,
// and is rotated.
func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	name := filepath.Join(dir, "kurs.log")
	l, err := New(io.Discard, Config{Format: "text", Color: true, File: name, MaxSize: 1 << 20, MaxFiles: 2})
	if err != nil {
		t.Fatal(err)
	}
	log := l.Stage("store")
	for range 3500 {
		write(t, log, slog.LevelInfo, "a line", slog.String("text", strings.Repeat("y", 900)))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("level=INFO msg=\"a line\" stage=store")) || bytes.Contains(text, []byte{0x1b}) {
		t.Errorf("file holds %.200q", text)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 && os.PathSeparator == '/' {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "kurs*"))
	if err != nil || len(files) < 2 {
		t.Errorf("not rotated: %v, %v", files, err)
	}
}

// TestConsoleGoesOnWithoutTheFile: a file that fails is told of once.
func TestConsoleGoesOnWithoutTheFile(t *testing.T) {
	var console bytes.Buffer
	out, err := Config{Format: "logfmt"}.console(&console, slog.LevelInfo)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(&both{console: out, file: brokenHandler{}, failing: new(failing)})
	for range 3 {
		log.InfoContext(t.Context(), "line")
	}
	if n := strings.Count(console.String(), "log file cannot be written"); n != 1 || strings.Count(console.String(), "msg=line") != 3 {
		t.Errorf("console:\n%s", console.String())
	}
}

type brokenHandler struct{}

func (brokenHandler) Enabled(context.Context, slog.Level) bool { return true }
func (brokenHandler) Handle(context.Context, slog.Record) error {
	return errors.New("no space left on device")
}
func (h brokenHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h brokenHandler) WithGroup(string) slog.Handler      { return h }

// FuzzRelay: whatever a stage writes comes out as whole lines, fit for a terminal.
func FuzzRelay(f *testing.F) {
	testkit.Corpus(f)
	f.Add([]byte(`{"time":"2026-11-24T09:15:04Z","level":"INFO","msg":"x","g":{"a":[1,"b",null]},"n":1e999}` + "\n"))
	f.Add([]byte("panic: \x1b[31m\n{\"level\":"))
	f.Fuzz(func(t *testing.T, written []byte) {
		var console bytes.Buffer
		l, err := New(&console, Config{Format: "json", Level: "debug"})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Relay(t.Context(), "store", bytes.NewReader(written)); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(console.Bytes()) {
			if !json.Valid(line) || bytes.ContainsAny(line[:len(line)-1], "\x1b\r\n\x7f") {
				t.Errorf("%q", line)
			}
		}
	})
}
