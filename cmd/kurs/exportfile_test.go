package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/config"
)

// exporting is an export of a small database, as the command makes it.
func exporting(t *testing.T, format, out string) *export {
	t.Helper()
	f, err := formatOf(format)
	if err != nil {
		t.Fatal(err)
	}
	r := &exportRun{format: format, out: out, summary: "text"}
	c := config.Config{Currency: "DKK", Paths: config.Paths{Database: filepath.Join(recorded(t), "kurs.db")}}
	v, err := r.open(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.close)
	return &export{run: r, format: f, from: &exportSource{view: v}, found: map[string]bool{}}
}

// tree is every file and folder below a folder.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	names := []string{}
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, name) // it is below
		if rel != "." {
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestNothingHalfWrittenIsLeft lets every format end in the middle of its rows,
// for every reason, on its way to a file and to a folder that is there or not.
func TestNothingHalfWrittenIsLeft(t *testing.T) {
	for _, c := range []struct {
		name string
		code string
		exit kurs.ExitCode
		ends func(f *exportFormat, stop func(), dir string)
	}{
		{"a signal", "KURS-STOPPED", kurs.ExitInterrupted, func(f *exportFormat, stop func(), _ string) {
			after(f, func() error {
				stop()
				return context.Canceled
			})
		}},
		{"a full disk", "KURS-DISK", kurs.ExitDisk, func(f *exportFormat, _ func(), _ string) {
			after(f, func() error { return &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC} })
		}},
		{"a reader that is gone", "KURS-EXPORT", kurs.ExitFailed, func(f *exportFormat, _ func(), _ string) {
			after(f, func() error { return syscall.EPIPE })
		}},
		{"a row that got lost", "KURS-CHECKSUM", kurs.ExitFailed, func(f *exportFormat, _ func(), _ string) {
			as := *f
			f.rows = func(r io.ReaderAt, size int64) (int64, error) {
				n, err := as.count(r, size)
				return n - 1, err
			}
		}},
		{"a disk that changes what it keeps", "KURS-CHECKSUM", kurs.ExitFailed, func(f *exportFormat, _ func(), dir string) {
			open := f.open
			f.open = func(w io.Writer, o exportForm) (*rowWriter, error) {
				out, err := open(w, o)
				if err != nil {
					return nil, err
				}
				end := out.close
				out.close = func() error { return errors.Join(end(), spoil(dir)) }
				return out, nil
			}
		}},
	} {
		for _, format := range exportFormats() {
			for _, to := range []string{"out.x", "folder/", "there/"} {
				if format.lines && strings.HasSuffix(to, "/") {
					continue
				}
				t.Run(c.name+"/"+format.name+"/"+to, func(t *testing.T) {
					dir := t.TempDir()
					if err := os.Mkdir(filepath.Join(dir, "there"), 0o700); err != nil {
						t.Fatal(err)
					}
					e := exporting(t, format.name, filepath.Join(dir, filepath.FromSlash(to)))
					if strings.HasSuffix(to, "/") {
						e.run.out += string(filepath.Separator)
					}
					ctx, stop := context.WithCancel(t.Context())
					defer stop()
					c.ends(&e.format, stop, dir)
					err := e.write(ctx, streams{out: io.Discard, err: io.Discard})
					known, ok := errors.AsType[*kurs.Error](err)
					if !ok || known.Code != c.code || known.Exit != c.exit {
						t.Errorf("got %v", err)
					}
					if diff := cmp.Diff([]string{"there"}, tree(t, dir)); diff != "" {
						t.Errorf("left behind: %s", diff)
					}
				})
			}
		}
	}
}

// after lets the format write a row and then fail.
func after(f *exportFormat, fail func() error) {
	open := f.open
	f.open = func(w io.Writer, o exportForm) (*rowWriter, error) {
		out, err := open(w, o)
		if err != nil {
			return nil, err
		}
		price := out.price
		out.price = func(r kurs.Row) error { return errors.Join(price(r), fail()) }
		return out, nil
	}
}

// spoil changes a byte of every file below a folder.
func spoil(dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Clean(name))
		if err != nil {
			return err
		}
		text[len(text)/2] ^= 1
		return os.WriteFile(name, text, 0o600)
	})
}

// TestExportedFileIsReplacedWhole: what was there stays until the new one is whole.
func TestExportedFileIsReplacedWhole(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out.csv")
	if err := os.WriteFile(name, []byte("as it was"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := exporting(t, "csv", name)
	if err := e.write(t.Context(), streams{out: io.Discard, err: io.Discard}); err == nil {
		t.Error("replaced without --force")
	}
	e.run.force = true
	failing := e.format
	after(&e.format, func() error { return syscall.ENOSPC })
	if err := e.write(t.Context(), streams{out: io.Discard, err: io.Discard}); err == nil {
		t.Error("a full disk is no error")
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "as it was" {
		t.Errorf("%q, %v", text, err)
	}
	e.format = failing
	if err := e.write(t.Context(), streams{out: io.Discard, err: io.Discard}); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != exportedCSV {
		t.Errorf("%q, %v", text, err)
	}
	if names := tree(t, dir); !slices.Equal(names, []string{"out.csv"}) {
		t.Errorf("left behind: %q", names)
	}
}

// TestExportOfNothing: every format has a valid file without rows.
func TestExportOfNothing(t *testing.T) {
	dir := recorded(t)
	for _, f := range exportFormats() {
		for _, kind := range [][]string{nil, {"--bars", "1h"}} {
			name := filepath.Join(t.TempDir(), "out")
			args := append([]string{"export", "--data", dir, "-o", f.name, "--since", "2030-01-01", "--out", name}, kind...)
			if _, talk, code := ran(t, args...); code != kurs.ExitOK || !strings.Contains(talk, ": 0 rows, ") {
				t.Errorf("%q: exit code %d, %s", args, code, talk)
			}
			if n, err := rowsOf(f, name); err != nil || n != 0 {
				t.Errorf("%q: %d rows, %v", args, n, err)
			}
		}
	}
}
