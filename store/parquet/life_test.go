package parquet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
)

func files(t *testing.T, dir, dataset string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, dataset, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestTimeGoesBy: rows become files after FlushEvery, and a day that is over one
// file after Compact.
func TestTimeGoesBy(t *testing.T) {
	dir := t.TempDir()
	// What the library keeps for the next file, in a pool, would be of the bubble:
	// two collections empty it.
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		// The day of the prices begins with the bubble.
		noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
		s, err := Open(t.Context(), Config{Dir: dir, BaseCurrency: "DKK", FlushRows: 1000, FlushEvery: time.Minute, Compact: time.Hour}, quiet())
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			g := history()[0]
			for i := range g.Batches[0].Prices {
				g.Batches[0].Prices[i].Time = noon.Add(time.Duration(n) * time.Second)
			}
			g.Position.Seq = uint64(n + 1)
			if err := s.Write(t.Context(), g); err != nil {
				t.Fatal(err)
			}
			pass(30 * time.Second)
			if got := len(files(t, dir, "quotes")); got != n {
				t.Errorf("%d files while rows wait, want %d", got, n)
			}
			pass(40 * time.Second)
			if got := len(files(t, dir, "quotes")); got != n+1 {
				t.Errorf("%d files after a minute, want %d", got, n+1)
			}
		}
		pass(24 * time.Hour)
		if got := len(files(t, dir, "quotes")); got != 3 {
			t.Errorf("%d files when the day is just over, want 3", got)
		}
		pass(2 * time.Hour)
		if got := files(t, dir, "quotes"); len(got) != 1 || !strings.Contains(got[0], "c") {
			t.Errorf("%v, want one compacted file", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWhatIsRepeatedIsNoPrice: a closed market is polled on and on, and its price
// is in quotes once, in whichever file, also when kurs was started anew.
func TestWhatIsRepeatedIsNoPrice(t *testing.T) {
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 0), local{dir: dir}, quiet(), alive))(t)
	for n := range 5 {
		if n == 2 || n == 4 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = must(open(t.Context(), crashConfig(dir, 0), local{dir: dir}, quiet(), alive))(t)
		}
		g := history()[0]
		g.Position.Seq = uint64(n + 1)
		for i := range g.Batches[0].Prices {
			g.Batches[0].Prices[i].Raw.Counter += uint64(10 * n)
			g.Batches[0].Prices[i].Received = g.Batches[0].Prices[i].Received.Add(time.Duration(n) * time.Minute)
		}
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(files(t, dir, "quotes")); got != 2 { // two days
		t.Errorf("%d files with prices, want 2", got)
	}
	if err := s.compact(t.Context(), func(daysFiles) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if quotes, repeated := len(files(t, dir, "quotes")), len(files(t, dir, "quotes_seen")); quotes != 2 || repeated != 2 {
		t.Errorf("%d files with prices and %d with what was seen, want 2 and 2", quotes, repeated)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNamesNeverTouchAPath(t *testing.T) {
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 0), local{dir: dir}, quiet(), alive))(t)
	g := history()[0]
	for i, name := range []string{"../../etc/passwd", "date=2026-11-24/x", "\x00", "CON", "a/b", ".."} {
		p := g.Batches[0].Prices[0]
		p.Symbol, p.Source, p.Session, p.Unit, p.Raw.Run = name, name, kurs.Session(name), name, name
		p.Raw.Counter = uint64(i)
		g.Batches[0].Prices = append(g.Batches[0].Prices, p)
	}
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	onlyNamed(t, "hostile names", dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestGoneAndBack takes the directory away while the store works.
func TestGoneAndBack(t *testing.T) {
	for _, rows := range []int{0, 1 << 20} {
		t.Run(strconv.Itoa(rows)+" rows", func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "parquet")
			s := must(open(t.Context(), crashConfig(dir, rows), local{dir: dir}, quiet(), alive))(t)
			groups := history()
			if err := s.Write(t.Context(), groups[0]); err != nil {
				t.Fatal(err)
			}
			if err := s.commit(t.Context(), s.position); err != nil {
				t.Fatal(err)
			}
			away := dir + ".away"
			// A file in its place: neither a folder nor a file can be made there.
			if err := errors.Join(os.Rename(dir, away), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			err := s.Write(t.Context(), groups[1])
			if err == nil || Condition(err) != ConditionIO || errors.Is(err, kurs.ErrRejected) {
				t.Errorf("away: %v, condition %q", err, Condition(err))
			}
			if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
				t.Fatal(err)
			}
			if err := s.Write(t.Context(), groups[1]); err != nil {
				t.Fatalf("back: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			m, _, err := readManifest(t.Context(), local{dir: dir})
			if err != nil || m.Position.Seq != 2 {
				t.Errorf("position %v, %v", m.Position, err)
			}
		})
	}
}

func TestCondition(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, ConditionFull},
		{fmt.Errorf("parquet: %w", &os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}), ConditionIO},
		{errors.New("what nobody knows"), ""},
	} {
		if got := Condition(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

// TestReadOnly needs a user whom permissions stop.
func TestReadOnly(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("permissions do not stop this user")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), crashConfig(dir, 0), quiet())
	if err == nil || Condition(err) != ConditionIO {
		t.Errorf("%v, condition %q", err, Condition(err))
	}
}

func TestAnotherCurrencyAndANewerFormat(t *testing.T) {
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 0), local{dir: dir}, quiet(), alive))(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, own, "manifest.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c := crashConfig(dir, 0)
	c.BaseCurrency = "EUR"
	if _, err := Open(t.Context(), c, quiet()); !errors.Is(err, kurs.ErrBaseCurrency) {
		t.Errorf("another currency: %v", err)
	}
	newer := strings.Replace(string(text), `"format": 1`, `"format": 2`, 1)
	if err := os.WriteFile(name, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), crashConfig(dir, 0), quiet()); !errors.Is(err, kurs.ErrNewerFormat) {
		t.Errorf("a newer format: %v", err)
	}
	if after, err := os.ReadFile(name); err != nil || string(after) != newer {
		t.Errorf("it was touched: %s, %v", after, err)
	}
}
