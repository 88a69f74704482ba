package parquet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/store/storetest"
)

var errCrash = errors.New("the process is dead")

// dying ends the process at the n-th thing that cannot be undone: from there on
// nothing happens any more.
func dying(n int) func(string) error {
	return func(string) error {
		if n--; n < 0 {
			return errCrash
		}
		return nil
	}
}

func alive(string) error { return nil }

// some tells whether a test is to end a run at its n-th place: at each with
// KURS_ALL_CRASHES=1, else at every stride-th.
func some(n, stride int) bool { return n%stride == 0 || os.Getenv("KURS_ALL_CRASHES") == "1" }

// history are groups that are written one after another: prices of two days,
// their fills, a version, a repetition, a correction, a price that is kept and taken
// back, and other kinds.
func history() []kurs.Group {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	price := func(symbol, value string, n int) kurs.Price {
		return kurs.Price{
			Quote: kurs.Quote{
				Symbol: symbol, Source: "yahoo", Time: noon.AddDate(0, 0, n%2), Session: kurs.SessionRegular, Value: kurs.MustDecimal(value), Unit: "USD",
			},
			Receipt: kurs.Receipt{
				Received: noon.Add(time.Duration(n) * time.Second), Raw: kurs.RawID{Source: "yahoo", Run: "20261124T115900-1f3c", Counter: uint64(n)},
			},
			Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK"},
		}
	}
	first := price("A", "1.5", 1)
	fill := kurs.Fill{
		Symbol: "A", Source: "yahoo", Time: first.Time, Session: first.Session, Receipt: first.Receipt,
		Rate: kurs.Rate{Value: kurs.MustDecimal("6.4"), Time: noon, Source: "yahoo"}, Base: kurs.MustDecimal("9.6"),
	}
	again := price("A", "1.5", 3)
	corrected := price("A", "1.55", 7)
	corrected.Time, corrected.Raw.Source, corrected.Origin = first.Time, kurs.SourceUser, kurs.OriginCorrection
	aside := kurs.SetAside{Kind: kurs.AsideQuote, Reason: kurs.ReasonJump, Price: price("D", "400", 8)}
	kept := price("D", "4", 9)
	kept.Time, kept.Raw.Source = aside.Time, kurs.SourceUser
	keep := kurs.Decision{Of: aside, Action: kurs.ActionKeep, Factor: kurs.MustDecimal("0.01"), Author: "ib", Receipt: kept.Receipt}
	drop := kurs.Decision{Of: aside, Action: kurs.ActionDrop, Factor: kurs.Int(1), Author: "ib", Receipt: price("D", "4", 10).Receipt}
	drop.Raw.Source = kurs.SourceUser
	batches := []kurs.Batch{
		{Prices: []kurs.Price{first, price("B", "2", 2)}, Instruments: []kurs.Instrument{{Symbol: "A", Name: "Old"}}},
		{Fills: []kurs.Fill{fill}, Prices: []kurs.Price{again}},
		{Prices: []kurs.Price{price("B", "2.5", 4)}, Instruments: []kurs.Instrument{{Symbol: "A", Name: "New"}}},
		{Corrections: []kurs.Correction{{Price: corrected, Author: "ib", Reason: "a slip"}}, Gaps: []kurs.Gap{{
			Symbol: "A", Source: "yahoo", From: noon, To: noon.Add(time.Minute), Reason: "no answer", Receipt: first.Receipt,
		}}},
		{Prices: []kurs.Price{price("A", "1.6", 5), price("C", "3", 6)}},
		{SetAside: []kurs.SetAside{aside}, Decisions: []kurs.Decision{keep}, Prices: []kurs.Price{kept}},
		{Decisions: []kurs.Decision{drop}, Aliases: []kurs.Alias{{Symbol: "E", Was: "D", Author: "ib", Receipt: drop.Receipt}}},
	}
	var groups []kurs.Group
	for i, b := range batches {
		b.BaseCurrency = "DKK"
		groups = append(groups, kurs.Group{Batches: []kurs.Batch{b}, Position: kurs.StreamPos{Epoch: "first", Seq: uint64(i + 1)}})
	}
	return groups
}

// states are what a dataset holds after each of the groups, the empty one first.
func states(t *testing.T) []storetest.Dump {
	t.Helper()
	dir := t.TempDir()
	s := must(open(t.Context(), crashConfig(dir, 1<<20), quick{local{dir: dir}}, quiet(), alive))(t)
	out := []storetest.Dump{{}}
	for _, g := range history() {
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		out = append(out, sorted(dump(t, local{dir: dir}, dir)))
	}
	return out
}

func must(s *Store, err error) func(*testing.T) *Store {
	return func(t *testing.T) *Store {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func crashConfig(dir string, rows int) Config {
	return Config{Dir: dir, BaseCurrency: "DKK", FlushRows: rows, FlushEvery: never, Compact: never}
}

// TestACrashLeavesTheOldStateOrTheNew kills the store at steps of a run that
// writes, makes files and compacts, opens it anew (killing that too), and looks:
// what was acknowledged is there, and what is there is the state after some group.
// The steps are some, and of each kind the first and the last.
func TestACrashLeavesTheOldStateOrTheNew(t *testing.T) {
	t.Parallel()
	want := states(t)
	for _, rows := range []int{0, 4, 1 << 20} { // files each time, now and then, at the end
		t.Run(fmt.Sprint(rows, " rows"), func(t *testing.T) {
			t.Parallel()
			var steps []string
			live(t, t.TempDir(), rows, func(what string) error {
				steps = append(steps, what)
				return nil
			})
			for _, what := range []string{"journal", "publish", "manifest", "remove"} {
				if rows == 0 && !slices.Contains(steps, what) {
					t.Errorf("no step %q in %q", what, steps)
				}
			}
			for n, what := range steps {
				if some(n, 7) || !slices.Contains(steps[:n], what) || !slices.Contains(steps[n+1:], what) {
					crash(t, n, rows, want)
				}
			}
			if len(steps) < 5 {
				t.Errorf("only %d steps", len(steps))
			}
		})
	}
}

// crash ends a run after n steps, and the next start after some.
func crash(t *testing.T, n, rows int, want []storetest.Dump) {
	t.Helper()
	dir := t.TempDir()
	acknowledged, finished := live(t, dir, rows, dying(n))
	if finished {
		t.Errorf("alive after %d steps", n)
	}
	again := n % 5 // how far the next start gets; 4: it is the last one
	if again < 4 {
		if s, err := open(t.Context(), crashConfig(dir, rows), quick{local{dir: dir}}, quiet(), dying(again)); err == nil {
			s.journal.close()
		}
	}
	lookAfter(t, fmt.Sprintf("dead after %d steps, then after %d", n, again), dir, rows, want, acknowledged)
}

// live is a run that writes all groups and compacts after each, until it dies.
func live(t *testing.T, dir string, rows int, step func(string) error) (acknowledged int, finished bool) {
	t.Helper()
	s, err := open(t.Context(), crashConfig(dir, rows), quick{local{dir: dir}}, quiet(), step)
	if err != nil {
		return 0, false
	}
	defer s.journal.close() // as the system does it
	for _, g := range history() {
		if err := s.Write(t.Context(), g); err != nil {
			return acknowledged, false
		}
		acknowledged++
		if err := s.compact(t.Context(), func(daysFiles) bool { return true }); err != nil {
			return acknowledged, false
		}
	}
	return acknowledged, true
}

// lookAfter opens what a dead process left behind.
func lookAfter(t *testing.T, name, dir string, rows int, want []storetest.Dump, acknowledged int) {
	t.Helper()
	s := must(open(t.Context(), crashConfig(dir, rows), quick{local{dir: dir}}, quiet(), alive))(t)
	at := int(s.position.Seq)
	// One that was not acknowledged may be there as well.
	if at < acknowledged || at > acknowledged+1 {
		t.Errorf("%s: position %d, acknowledged %d", name, at, acknowledged)
		return
	}
	if diff := gocmp.Diff(want[at], sorted(dump(t, local{dir: dir}, dir)), decimalsByValue); diff != "" {
		t.Errorf("%s: state after group %d (-want +got):\n%s", name, at, diff)
	}
	// The queue hands over the rest, beginning before where the store is.
	for i, g := range history() {
		if i+2 >= at {
			if err := s.Write(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.compact(t.Context(), func(daysFiles) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want[len(want)-1], sorted(dump(t, local{dir: dir}, dir)), decimalsByValue); diff != "" {
		t.Errorf("%s: at the end (-want +got):\n%s", name, diff)
	}
	onlyNamed(t, name, dir)
}

var decimalsByValue = gocmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

// onlyNamed looks that there is no file but those of the manifest, and nothing
// half-done.
func onlyNamed(t *testing.T, name, dir string) {
	t.Helper()
	at := local{dir: dir}
	m, _, err := readManifest(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	files, err := at.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !m.has(file) {
			t.Errorf("%s: %s is left over", name, file)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, own, "work", "*")); err != nil || len(left) > 0 {
		t.Errorf("%s: left over %v, %v", name, left, err)
	}
}

func sorted(d storetest.Dump) storetest.Dump {
	row := func(a, b kurs.Row) int {
		return cmp.Or(cmp.Compare(a.Symbol, b.Symbol), a.Time.Compare(b.Time), a.ReceivedISO.Compare(b.ReceivedISO))
	}
	slices.SortFunc(d.Quotes, row)
	slices.SortFunc(d.Superseded, row)
	slices.SortFunc(d.Latest, row)
	return d
}

// TestATornJournal cuts the journal at bytes all along it: what was acknowledged before
// the last group is there, and the last one whole or not at all.
func TestATornJournal(t *testing.T) {
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
	whole, err := os.ReadFile(journalPath(s.journals(), 1))
	if err != nil || int64(len(whole)) != sizes[len(sizes)-1] {
		t.Fatal(len(whole), err)
	}
	damaged := slices.Clone(whole)
	damaged[len(damaged)-10] ^= 1
	zeros := append(slices.Clone(whole[:sizes[2]]), make([]byte, 4096)...)
	texts := [][]byte{damaged, zeros}
	for n := range whole {
		texts = append(texts, whole[:n])
	}
	for i, text := range texts {
		want := 0
		for _, size := range sizes {
			if int64(len(text)) >= size {
				want++
			}
		}
		switch i {
		case 0:
			want = len(sizes) - 1
		case 1:
			want = 3
		}
		if i > 1 && !some(i, 97) && !slices.Contains(sizes, int64(len(text))) {
			continue // some places, and every end of a record
		}
		dir := t.TempDir()
		journals := filepath.Join(dir, own, "journal")
		if err := os.MkdirAll(journals, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(journalPath(journals, 1), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := must(open(t.Context(), crashConfig(dir, 1<<20), quick{local{dir: dir}}, quiet(), alive))(t)
		if got := int(s.position.Seq); got != want {
			t.Fatalf("%d bytes of %d: position %d, want %d", len(text), len(whole), got, want)
		}
		s.Close()
	}
}

// TestAFailedCommitIsTakenBack fails calls once, in a process that lives on:
// the group is refused and may be written again, and nothing is there twice.
func TestAFailedCommitIsTakenBack(t *testing.T) {
	t.Parallel()
	want := states(t)
	for n := range 200 {
		if !some(n, 5) {
			continue
		}
		dir := t.TempDir()
		at := &flaky{place: quick{local{dir: dir}}, fail: n}
		var s *Store
		reopen := func() {
			for try := 0; ; try++ {
				var err error
				if s, err = open(t.Context(), crashConfig(dir, 0), at, quiet(), alive); err == nil {
					return
				}
				if !errors.Is(err, errFlaky) || try > 1 {
					t.Fatal(err)
				}
			}
		}
		reopen()
		for _, g := range history() {
			for try := 0; ; try++ {
				err := s.Write(t.Context(), g)
				if err == nil {
					break
				}
				if !errors.Is(err, errFlaky) || try > 1 {
					t.Fatalf("failing at %d: %v", n, err)
				}
				if _, err := s.Position(t.Context()); err != nil { // what the stage does
					s.Close()
					reopen()
				}
			}
			if err := s.compact(t.Context(), func(daysFiles) bool { return true }); err != nil && !errors.Is(err, errFlaky) && !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			if _, err := s.Position(t.Context()); err != nil {
				s.Close()
				reopen()
			}
		}
		s.Close()
		reopen()
		s.Close()
		if diff := gocmp.Diff(want[len(want)-1], sorted(dump(t, local{dir: dir}, dir)), decimalsByValue); diff != "" {
			t.Fatalf("failing at %d (-want +got):\n%s", n, diff)
		}
		onlyNamed(t, fmt.Sprint("failing at ", n), dir)
		if at.fail >= 0 {
			if n < 20 {
				t.Errorf("only %d steps", n)
			}
			return
		}
	}
	t.Error("more steps than that")
}

var errFlaky = errors.New("it did not work this once")

// flaky is a place of which one call fails: after it was done where n is even,
// as when an answer gets lost, and before where it is odd.
type flaky struct {
	place

	fail  int
	calls int
}

func (f *flaky) once(do func() error) error {
	f.calls++
	if f.fail--; f.fail != -1 {
		return do()
	}
	if f.calls%2 == 0 {
		if err := do(); err != nil {
			return err
		}
	}
	return errFlaky
}

func (f *flaky) put(ctx context.Context, name, file string) error {
	return f.once(func() error { return f.place.put(ctx, name, file) })
}

func (f *flaky) remove(ctx context.Context, name string) error {
	return f.once(func() error { return f.place.remove(ctx, name) })
}

func (f *flaky) list(ctx context.Context) (names []string, err error) {
	err = f.once(func() error {
		names, err = f.place.list(ctx)
		return err
	})
	return names, err
}
