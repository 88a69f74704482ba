package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func heldConfig(dir string) Config {
	return Config{Dir: dir, BaseCurrency: "DKK", FlushRows: 1 << 20, FlushEvery: time.Hour, Compact: time.Hour}
}

// TestWithoutItsManifestADatasetIsLeftAlone: files that were copied without it are
// not taken for those of a commit that did not come to its end.
func TestWithoutItsManifestADatasetIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := must(Open(t.Context(), heldConfig(dir), quiet()))(t)
	if err := s.Write(t.Context(), history()[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir, "quotes")
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(manifestName))); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), heldConfig(dir), quiet()); !errors.Is(err, ErrManifest) {
		t.Errorf("got %v", err)
	}
	if after := files(t, dir, "quotes"); len(before) == 0 || len(after) != len(before) {
		t.Errorf("%d files, %d afterwards", len(before), len(after))
	}
}

// TestADatasetHasOneWriter of this machine, until that closes it.
func TestADatasetHasOneWriter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := must(Open(t.Context(), heldConfig(dir), quiet()))(t)
	if _, err := Open(t.Context(), heldConfig(dir), quiet()); !errors.Is(err, ErrInUse) || Condition(err) != ConditionLocked {
		t.Errorf("a second one: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := must(Open(t.Context(), heldConfig(dir), quiet()))(t).Close(); err != nil {
		t.Error(err)
	}
}

// TestADamagedJournalIsKept: what is whole in front is taken up, and what is behind
// is not removed.
func TestADamagedJournalIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 1<<20), quick{local{dir: dir}}, quiet(), alive))(t)
	var sizes []int64
	for _, g := range history() {
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, s.journal.size)
	}
	s.journal.close()
	path := journalPath(s.journals(), 1)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[sizes[1]-10] ^= 1 // of the second group; others follow
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s = must(open(t.Context(), crashConfig(dir, 1<<20), quick{local{dir: dir}}, quiet(), alive))(t)
	if want := history()[0].Position; s.position != want {
		t.Errorf("the position is %v, want %v", s.position, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the journals that are void are removed when it is opened
		kept, err := os.ReadFile(filepath.Join(s.journals(), "damaged-0000000001.journal"))
		if err != nil || len(kept) != len(text) {
			t.Errorf("%d bytes are kept, %v", len(kept), err)
		}
		s = must(open(t.Context(), crashConfig(dir, 1<<20), quick{local{dir: dir}}, quiet(), alive))(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
