package main

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"

	"kurs"
	"kurs/internal/testkit"
)

// TestEveryErrorCodeHasHelp: whatever code a message shows can be asked about.
func TestEveryErrorCodeHasHelp(t *testing.T) {
	codes := regexp.MustCompile(`"(KURS-[A-Z]+)"`)
	used := map[string]bool{}
	tree := os.DirFS(testkit.Root(t))
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "cmd/kurs/help.go" {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		for _, m := range codes.FindAllSubmatch(text, -1) {
			used[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	used["KURS-FX"] = true // part of a longer text
	for code := range used {
		if errorHelp[code] == "" {
			t.Errorf("%s has no help", code)
		}
	}
	for code := range errorHelp {
		if !used[code] {
			t.Errorf("%s is not used", code)
		}
	}
}

func TestHelpTopics(t *testing.T) {
	for _, c := range []struct {
		args []string
		code kurs.ExitCode
		want string
	}{
		{[]string{"help"}, kurs.ExitOK, "Available Commands"},
		{[]string{"help", "run"}, kurs.ExitOK, "--duration"},
		{[]string{"help", "config", "check"}, kurs.ExitOK, "kurs config check"},
		{[]string{"help", "exit-codes"}, kurs.ExitOK, "10  kurs is not running"},
		{[]string{"help", "errors"}, kurs.ExitOK, "KURS-NET      The provider cannot be reached"},
		{[]string{"help", "kurs-lock"}, kurs.ExitOK, "Another kurs records into this directory"},
		{[]string{"help", "KURS-LOK"}, kurs.ExitUsage, "kurs help KURS-LOCK"},
		{[]string{"help", "exit-code"}, kurs.ExitUsage, "kurs help exit-codes"},
		{[]string{"help", "statsu"}, kurs.ExitUsage, "kurs help status"},
	} {
		var out bytes.Buffer
		code := execute(t.Context(), c.args, streams{in: strings.NewReader(""), out: &out, err: &out})
		if code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%v: exit code %d\n%s", c.args, code, out.String())
		}
	}
}
