package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// spy is a test that only notes how it ended.
type spy struct {
	testing.TB

	ended string
}

func (*spy) Helper() {}

func (s *spy) end(way, words string) {
	s.ended = way + ": " + words
	runtime.Goexit()
}

func (s *spy) Errorf(format string, args ...any) { s.ended = "error: " + fmt.Sprintf(format, args...) }
func (s *spy) Fatalf(format string, args ...any) { s.end("fatal", fmt.Sprintf(format, args...)) }
func (s *spy) Fatal(args ...any)                 { s.end("fatal", fmt.Sprint(args...)) }
func (s *spy) Skipf(format string, args ...any)  { s.end("skip", fmt.Sprintf(format, args...)) }
func (s *spy) Skip(args ...any)                  { s.end("skip", fmt.Sprint(args...)) }

// endOf runs f as a test of its own and tells how it ended; "" is a pass.
func endOf(f func(s *spy)) string {
	s := &spy{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(s)
	}()
	<-done
	return s.ended
}

func TestRequire(t *testing.T) {
	for _, c := range []struct {
		name, ci string
		ok       bool
		want     string
	}{
		{"there", "", true, ""},
		{"there, in CI", "1", true, ""},
		{"missing is skipped with the reason", "", false, "skip: needs a moon: it is day"},
		{"missing fails in CI", "1", false, "fatal: needs a moon, which CI must have: it is day"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KURS_CI", c.ci)
			got := endOf(func(s *spy) { Require(s, "a moon", c.ok, "it is day") })
			if got != c.want {
				t.Errorf("ended with %q, want %q", got, c.want)
			}
		})
	}
}

func TestRoot(t *testing.T) {
	if _, err := os.Stat(filepath.Join(Root(t), "internal", "testkit", "testkit.go")); err != nil {
		t.Error(err)
	}
	t.Chdir(t.TempDir())
	if got := endOf(func(s *spy) { Root(s) }); !strings.HasPrefix(got, "fatal: no go.mod") {
		t.Errorf("outside of a module: %q", got)
	}
}

func TestRecorded(t *testing.T) {
	dir := t.TempDir()
	relative, err := filepath.Rel(Root(t), dir)
	if err != nil {
		relative = dir // on another drive
	}
	for _, c := range []struct{ name, env, want string }{
		{"named", dir, dir},
		{"named from the root of the project", relative, dir},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KURS_RECORDED", c.env)
			if got := Recorded(t); got != c.want {
				t.Errorf("folder %q, want %q", got, c.want)
			}
		})
	}
	t.Run("not there", func(t *testing.T) {
		t.Setenv("KURS_RECORDED", filepath.Join(dir, "none"))
		t.Setenv("KURS_CI", "1") // they are not promised in CI either
		got := endOf(func(s *spy) { Recorded(s) })
		if !strings.HasPrefix(got, "skip: ") || strings.Contains(got, "\n") {
			t.Errorf("ended with %q, want a skip of one line", got)
		}
	})
}

func TestGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testdata", "x.golden")
	compare := func(got string) string {
		return endOf(func(s *spy) { Golden(s, file, []byte(got)) })
	}
	asked := *update
	t.Cleanup(func() { *update = asked })
	*update = false
	if end := compare("one\n"); !strings.Contains(end, "-update writes it") {
		t.Errorf("no file: %q", end)
	}
	*update = true
	if end := compare("one\n"); end != "" {
		t.Fatalf("written: %q", end)
	}
	*update = false
	if end := compare("one\n"); end != "" {
		t.Errorf("the same: %q", end)
	}
	if end := compare("two\n"); !strings.HasPrefix(end, "error: ") || !strings.Contains(end, "two") {
		t.Errorf("another: %q", end)
	}
}
