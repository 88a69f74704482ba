// Command corpus keeps what fuzzing found: the inputs that reached new code, from
// Go's cache of the machine that fuzzed, as one file a target in the folder
// testdata/corpus of its package. Tests begin with them (testkit.Corpus), so what
// one machine found every other one tries. "make corpora" runs it.
//
// It knows Go's fuzzing cache and nothing of kurs.
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := keep(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// Bounds of what is kept of a target.
const (
	mostInput  = 4 << 10 // bytes
	mostInputs = 400     // the shortest
)

func keep(ctx context.Context) error {
	cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
	if err != nil {
		return fmt.Errorf("where is Go's cache: %w", err)
	}
	packages, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.ImportPath}}\t{{.Dir}}", "./...").Output()
	if err != nil {
		return fmt.Errorf("which packages are there: %w", err)
	}
	for line := range strings.Lines(string(packages)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		targets, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(cache)), "fuzz", filepath.FromSlash(path), "Fuzz*"))
		if err != nil {
			return fmt.Errorf("look for inputs of %s: %w", path, err)
		}
		for _, target := range targets {
			if err := keepTarget(target, filepath.Join(dir, "testdata", "corpus", filepath.Base(target)+".zip")); err != nil {
				return fmt.Errorf("keep inputs of %s: %w", target, err)
			}
		}
	}
	return nil
}

// keepTarget writes the inputs of a target, besides those that are kept already.
// Targets of several arguments, or of others than bytes, are left out.
func keepTarget(from, to string) error {
	inputs := map[string]bool{}
	if err := kept(to, inputs); err != nil {
		return err
	}
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(from, file.Name())) //nolint:gosec // of a folder that was just read
		if err != nil {
			return err
		}
		if input, ok := parse(text); ok && len(input) <= mostInput {
			inputs[input] = true
		}
	}
	all := make([]string, 0, len(inputs))
	for input := range inputs {
		all = append(all, input)
	}
	slices.SortFunc(all, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	if all = all[:min(len(all), mostInputs)]; len(all) == 0 {
		return nil
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i, input := range all {
		entry, err := w.Create(fmt.Sprintf("%04d", i))
		if err != nil {
			return err
		}
		if _, err := entry.Write([]byte(input)); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	fmt.Println(to, len(all)) //nolint:forbidigo // what a developer's tool has to say
	return os.WriteFile(to, out.Bytes(), 0o600)
}

// kept reads what was kept before.
func kept(name string, into map[string]bool) error {
	r, err := zip.OpenReader(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	for _, file := range r.File {
		text, err := fs.ReadFile(r, file.Name)
		if err != nil {
			return err
		}
		into[string(text)] = true
	}
	return nil
}

// parse reads a file of Go's cache: a line with the version, and one argument a
// line as Go writes it.
func parse(text []byte) (input string, ok bool) {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 || lines[0] != "go test fuzz v1" {
		return "", false
	}
	quoted, ok := strings.CutPrefix(lines[1], "[]byte(")
	if !ok {
		return "", false
	}
	input, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
	return input, err == nil
}
