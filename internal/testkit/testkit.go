// Package testkit is what the tests of several packages share: golden files,
// the recorded answers of a provider, and the one way to say that a test cannot
// run here. Only tests import it.
//
// It must not know any package of kurs, so that each of them can use it.
package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files from what the program says now")

// Golden compares got with the golden file, a path relative to the package's
// folder. With the flag -update it writes the file instead:
//
//	go test ./acquire/yahoo -update
func Golden(tb testing.TB, file string, got []byte) {
	tb.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o600); err != nil {
			tb.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		tb.Fatalf("%v (-update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		tb.Errorf("%s differs (-want +got; -update rewrites it):\n%s", file, diff)
	}
}

// Root returns the folder of the program's go.mod. Tests run in the folder of
// their package, somewhere below it.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("no go.mod here or in any folder above")
		}
		dir = parent
	}
}

// Recorded returns the folder of the recorded answers of real providers: the
// environment variable KURS_RECORDED, else ../shared/recorded; a relative path
// starts at [Root]. The answers are not part of the project, so a test that
// reads them is skipped where they are not, in CI too.
func Recorded(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("KURS_RECORDED")
	if dir == "" {
		dir = filepath.Join("..", "shared", "recorded")
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(Root(tb), dir)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		tb.Skip("the recorded answers are not here (KURS_RECORDED names their folder)")
	}
	return dir
}

// Require ends a test that needs what this machine does not have: skipped, with
// the reason, where a person runs the tests; failed where KURS_CI=1 promises
// that everything is there.
//
//	_, err := exec.LookPath("sqlite3")
//	testkit.Require(t, "the sqlite3 shell", err == nil, "not on the path")
func Require(tb testing.TB, what string, ok bool, reason string) {
	tb.Helper()
	if ok {
		return
	}
	if os.Getenv("KURS_CI") == "1" {
		tb.Fatalf("needs %s, which CI must have: %s", what, reason)
	}
	tb.Skipf("needs %s: %s", what, reason)
}
