package lines_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/lines"
)

// folder is all that is in one, by name.
type folder map[string][]byte

func look(t *testing.T, dir string) folder {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := folder{}
	for _, f := range files {
		if f.Name() == "lines.lock" {
			continue
		}
		if out[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func (f folder) put(t *testing.T, dir string) {
	t.Helper()
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// crashed are all states that the disk can be in when kurs ends while it writes
// what makes the folder before the one after: the files are written in order, each
// byte by byte, and the position file last.
func crashed(before, after folder) (states []folder) {
	at := maps.Clone(before)
	add := func() { states = append(states, maps.Clone(at)) }
	add()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if strings.HasPrefix(name, "lines.") {
			continue
		}
		for n := len(before[name]); n <= len(after[name]); n++ {
			at[name] = after[name][:n]
			add()
		}
	}
	at["lines.position.123"] = after["lines.position"][:7]
	add()
	return states
}

// TestCutAtEveryByte: wherever the writing of a group ends, after the next start
// each price is there once.
func TestCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, c := range []lines.Config{
		{Format: lines.JSONLines, MaxSize: 400}, // a group is in two files
		{Format: lines.CSV, MaxSize: 370},
	} {
		t.Run(string(c.Format), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // so that it is the same day all the time
				cutAtEveryByte(t, c, nil, group(1, 0, 1), group(2, 1, 2), 1)
			})
		})
		t.Run(string(c.Format)+", the first of all", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { cutAtEveryByte(t, c, nil, kurs.Group{}, group(1, 0, 1), 0) })
		})
		t.Run(string(c.Format)+", with what a disk may leave behind the end", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { cutAtEveryByte(t, c, make([]byte, 99), group(1, 0, 1), group(2, 1, 1), 1) })
		})
	}
}

func cutAtEveryByte(t *testing.T, config lines.Config, garbage []byte, first, second kurs.Group, at uint64) {
	t.Helper()
	config.Dir = t.TempDir()
	s := open(t, config)
	write(t, s, first)
	closed(t, s)
	before := look(t, config.Dir)
	s = open(t, config)
	write(t, s, second)
	closed(t, s)
	after := look(t, config.Dir)
	states := crashed(before, after)
	if len(states) < 70 {
		t.Fatalf("%d states", len(states))
	}
	for i, state := range states {
		dir := filepath.Join(config.Dir, fmt.Sprintf("state %d", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range state {
			if !strings.HasPrefix(name, "lines.") {
				state[name] = append(bytes.Clone(text), garbage...)
			}
		}
		state.put(t, dir)
		again := config
		again.Dir = dir
		s := open(t, again)
		if pos, err := s.Position(t.Context()); err != nil || pos.Seq != at {
			t.Fatalf("position %v, %v", pos, err)
		}
		write(t, s, second, second)
		closed(t, s)
		if diff := gocmp.Diff(after, look(t, dir)); diff != "" {
			t.Fatalf("state %d: -want +got:\n%s", i, diff)
		}
	}
}

// TestCompressionCutAnywhere: whatever is there of the compressed file, in the end
// there is one, which is whole.
func TestCompressionCutAnywhere(t *testing.T) {
	for _, compress := range []lines.Compression{lines.Gzip, lines.Zstd} {
		suffix := map[lines.Compression]string{lines.Gzip: ".gz", lines.Zstd: ".zst"}[compress]
		synctest.Test(t, func(t *testing.T) {
			config := lines.Config{Dir: t.TempDir(), Format: lines.JSONLines, MaxSize: 10}
			s := open(t, config)
			write(t, s, group(1, 0, 2))
			closed(t, s)
			plain := look(t, config.Dir)
			config.Compress = compress
			s = open(t, config)
			synctest.Wait()
			closed(t, s)
			const name = "2000-01-01-000001.jsonl"
			after := look(t, config.Dir)
			whole := after[name+suffix]
			if len(whole) == 0 || after[name] != nil {
				t.Fatalf("%q", names(t, config.Dir))
			}
			for n := range len(whole) + 1 {
				for _, half := range []string{name + suffix + ".part", name + suffix} {
					dir := t.TempDir()
					plain.put(t, dir)
					folder{half: whole[:n]}.put(t, dir)
					again := config
					again.Dir = dir
					s := open(t, again)
					synctest.Wait()
					closed(t, s)
					exactly(t, dir, 2)
					if got := names(t, dir); len(got) != 2 || got[0] != name+suffix {
						t.Fatalf("%s of %d bytes: %q", half, n, got)
					}
				}
			}
			// Set aside again before it was done: the plain one stays.
			dir := t.TempDir()
			plain.put(t, dir)
			folder{name + suffix: whole}.put(t, dir)
			s = open(t, lines.Config{Dir: dir, Format: lines.JSONLines, Compress: lines.None})
			synctest.Wait()
			closed(t, s)
			if got := names(t, dir); len(got) != 2 || got[0] != name {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestWhatAPersonDidToTheFolder: nothing that is there is overwritten, and it goes on.
func TestWhatAPersonDidToTheFolder(t *testing.T) {
	const name = "2000-01-01-000001.jsonl"
	for _, c := range []struct {
		what    string
		do      func(dir string) error
		running bool
		want    []int64
		files   int
	}{
		{"took the file away", func(dir string) error { return os.Remove(filepath.Join(dir, name)) }, false, []int64{2, 3}, 1},
		{"took the file away meanwhile", func(dir string) error { return os.Remove(filepath.Join(dir, name)) }, true, []int64{2, 3}, 1},
		{"replaced the file meanwhile", func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, name)), os.WriteFile(filepath.Join(dir, name), nil, 0o600))
		}, true, []int64{2, 3}, 2},
		{"shortened the file", func(dir string) error { return os.WriteFile(filepath.Join(dir, name), nil, 0o600) }, false, []int64{2, 3}, 2},
		{"took the position file away", func(dir string) error { return os.Remove(filepath.Join(dir, "lines.position")) }, false, []int64{0, 1, 2, 3}, 2},
		{"put a file of his own there", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "2026-11-24.jsonl"), []byte("x"), 0o600)
		}, false, []int64{0, 1, 2, 3}, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := lines.Config{Dir: t.TempDir(), Format: lines.JSONLines}
				s := open(t, config)
				write(t, s, group(1, 0, 2))
				if !c.running {
					closed(t, s)
				}
				if err := c.do(config.Dir); err != nil {
					t.Fatal(err)
				}
				if !c.running {
					s = open(t, config)
				}
				write(t, s, group(2, 2, 1), group(3, 3, 1))
				closed(t, s)
				_ = os.Remove(filepath.Join(config.Dir, "2026-11-24.jsonl")) // it may be there
				if diff := gocmp.Diff(c.want, values(t, config.Dir)); diff != "" || len(names(t, config.Dir)) != c.files {
					t.Errorf("%q, -want +got:\n%s", names(t, config.Dir), diff)
				}
			})
		})
	}
}

func TestAWrongPositionFile(t *testing.T) {
	for name, text := range map[string]string{
		"half":     `{"epoch":"e"`,
		"a path":   `{"epoch":"e","seq":1,"number":1,"file":"../2000-01-01-000001.jsonl","bytes":1}`,
		"no name":  `{"epoch":"e","seq":1,"number":1,"file":"x","bytes":1}`,
		"the lock": `{"epoch":"e","seq":1,"number":1,"file":"lines.lock","bytes":0}`,
	} {
		dir := t.TempDir()
		folder{"lines.position": []byte(text)}.put(t, dir)
		if _, err := lines.Open(t.Context(), lines.Config{Dir: dir, Format: lines.CSV}, nil); err == nil || !strings.Contains(err.Error(), "lines.position") {
			t.Errorf("%s: %v", name, err)
		}
		if got := string(look(t, dir)["lines.position"]); got != text && name == "half" {
			t.Errorf("%s: it was replaced by %s", name, got)
		}
	}
}

func TestOneProcessWritesIntoAFolder(t *testing.T) {
	config := lines.Config{Dir: t.TempDir(), Format: lines.CSV}
	s := open(t, config)
	write(t, s, group(1, 0, 1))
	if _, err := lines.Open(t.Context(), config, nil); !errors.Is(err, lines.ErrInUse) || lines.Full(err) {
		t.Errorf("got %v", err)
	}
	write(t, s, group(2, 1, 1))
	closed(t, s)
	if err := s.Write(t.Context(), group(3, 2, 1)); err == nil || errors.Is(err, kurs.ErrRejected) {
		t.Errorf("a closed store: %v", err)
	}
	s = open(t, config)
	closed(t, s)
	exactly(t, config.Dir, 2)
}

// TestAFolderThatCannotBeUsed: an outage, after which it goes on by itself.
func TestAFolderThatCannotBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := lines.Config{Dir: filepath.Join(t.TempDir(), "lines"), Format: lines.JSONLines}
		if err := os.WriteFile(config.Dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := lines.Open(t.Context(), config, nil); err == nil || errors.Is(err, kurs.ErrRejected) || lines.Full(err) {
			t.Fatalf("a file in the way: %v", err)
		}
		if err := os.Remove(config.Dir); err != nil {
			t.Fatal(err)
		}
		s := open(t, config)
		write(t, s, group(1, 0, 2))
		away := config.Dir + ".away"
		if err := os.Rename(config.Dir, away); err != nil {
			t.Skip("an open file cannot be moved here: ", err)
		}
		if err := os.WriteFile(config.Dir, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := s.Write(t.Context(), group(2, 2, 2)); err == nil || errors.Is(err, kurs.ErrRejected) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := s.Position(t.Context()); err == nil {
			t.Error("the position is known, though it was not committed")
		}
		closed(t, s)
		if err := errors.Join(os.Remove(config.Dir), os.Rename(away, config.Dir)); err != nil {
			t.Fatal(err)
		}
		s = open(t, config)
		write(t, s, group(2, 2, 2))
		closed(t, s)
		exactly(t, config.Dir, 4)
	})
}

// TestAFullDisk: on a disk of its own, groups are written until it is full.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	_, err := exec.LookPath("mount")
	testkit.Require(t, "a disk of its own (root on Linux)", runtime.GOOS == "linux" && os.Geteuid() == 0 && err == nil, "no mount")
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		testkit.Require(t, "a disk of its own (root on Linux)", false, string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil { // the test's own context is done
			t.Errorf("%v: %s", err, out)
		}
	})
	for _, c := range []lines.Config{{Format: lines.JSONLines}, {Format: lines.CSV, MaxSize: 2000}} {
		c.Dir = filepath.Join(dir, string(c.Format))
		filler := filepath.Join(dir, "filler")
		if err := os.WriteFile(filler, make([]byte, 24<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		s := open(t, c)
		n := 0
		var full error
		for ; full == nil; n++ {
			if full = s.Write(t.Context(), group(uint64(n+1), 5*n, 5)); full == nil {
				continue
			}
		}
		if !lines.Full(full) || !lines.Full(fmt.Errorf("x: %w", syscall.ENOSPC)) {
			t.Errorf("group %d: %v", n, full)
		}
		closed(t, s)
		if again, err := lines.Open(t.Context(), c, nil); err == nil { // it may just fit
			closed(t, again)
		} else if !lines.Full(err) {
			t.Errorf("opened on a full disk: %v", err)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		s = open(t, c)
		pos, err := s.Position(t.Context())
		if err != nil || pos.Seq != uint64(n-1) {
			t.Errorf("position %v, %v, want %d", pos, err, n-1)
		}
		write(t, s, group(uint64(n), 5*(n-1), 5))
		closed(t, s)
		exactly(t, c.Dir, 5*n)
		if err := os.RemoveAll(c.Dir); err != nil {
			t.Fatal(err)
		}
	}
}
