package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs/config"
	"kurs/rowtext"
	"kurs/store/lines"
)

// TestLinesTarget opens the store as the config has it, and says which outage is which.
func TestLinesTarget(t *testing.T) {
	dir := t.TempDir()
	c, _, err := config.Load(config.Input{DataDir: dir, NoFile: true, Environ: []string{"KURS_STORE_USE=sqlite,lines", "KURS_STORE_LINES_FORMAT=csv", "KURS_SYMBOLS=A"}})
	if err != nil {
		t.Fatal(err)
	}
	targets, err := openStores(c, nil, false, slog.New(slog.DiscardHandler))
	if err != nil || len(targets) != 2 || targets[1].Name != "lines" || targets[1].Refill == nil || targets[0].Refill != nil {
		t.Fatalf("%+v, %v", targets, err)
	}
	s, err := targets[1].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "lines", "lines.position")); err != nil || len(found) != 1 {
		t.Errorf("%q, %v", found, err)
	}
	other, err := targets[1].Open(t.Context())
	if err == nil || other != nil {
		t.Errorf("opened twice: %v", err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{err, "KURS-LOCK"},
		{fmt.Errorf("lines: %w", syscall.ENOSPC), "KURS-DISK"},
		{errors.New("not a directory"), ""},
	} {
		if got := targets[1].Trouble(c.err); got != c.want {
			t.Errorf("%v is %q, want %q", c.err, got, c.want)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestChoicesOfLines: package config names them, and knows nothing of who means them.
func TestChoicesOfLines(t *testing.T) {
	for path, want := range map[string][]string{
		"store.lines.csv_dialect": rowtext.Dialects(),
		"store.lines.format":      {string(lines.JSONLines), string(lines.CSV)},
		"store.lines.compress":    {string(lines.None), string(lines.Gzip), string(lines.Zstd)},
	} {
		key, ok := config.Lookup(path)
		if diff := cmp.Diff(want, key.Choices); !ok || diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
}
