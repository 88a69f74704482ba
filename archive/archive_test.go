package archive_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/archive"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func message(counter uint64, received time.Time, body string) kurs.Raw {
	return kurs.Raw{
		ID: kurs.RawID{Source: "yahoo", Run: "20261124T115900-abcdef", Counter: counter}, Source: "yahoo", Endpoint: kurs.EndpointQuote,
		Asked: []string{"AAPL", "DKK=X"}, Listed: []string{"DKK=X"}, Units: []string{"USD", ""}, Received: received,
		Neighbours: []kurs.Neighbour{{Unit: "USD", Value: kurs.MustDecimal("189.95"), Time: noon}, {}},
		FX:         kurs.StreamPos{Epoch: "e", Seq: 7}, Body: []byte(body),
	}
}

func opened(t *testing.T, dir string, keep time.Duration) *archive.Archive {
	t.Helper()
	a, err := archive.Open(dir, keep)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

var same = cmp.Comparer(func(a, b kurs.Decimal) bool { return a == b })

func TestWhatIsKeptIsFound(t *testing.T) {
	dir := t.TempDir()
	a := opened(t, dir, 24*time.Hour)
	raws := []kurs.Raw{
		message(1, noon, `{"quoteResponse":{}}`), message(11, noon.Add(time.Minute), "\xff\x00 no text"), message(2, noon.Add(time.Hour), ""),
		message(3, noon.Add(-26*time.Hour), `"counter":1, is no counter`),
	}
	if err := a.Append(raws[:3]); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(raws[3:]); err != nil {
		t.Fatal(err)
	}
	if err := a.Append(raws[:1]); err != nil { // again, after a crash
		t.Fatal(err)
	}
	for _, want := range raws {
		got, err := archive.Find(t.Context(), dir, want.ID, want.Received)
		if len(want.Body) == 0 {
			want.Body = nil
		}
		if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", want.ID, err, diff)
		}
	}
	for name, at := range map[string]time.Time{"another hour": noon.Add(-time.Hour), "a day that is not there": noon.Add(90 * 24 * time.Hour)} {
		if _, err := archive.Find(t.Context(), dir, raws[0].ID, at); !errors.Is(err, archive.ErrNotKept) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.Find(t.Context(), dir, kurs.RawID{Source: "yahoo", Run: "another", Counter: 1}, noon); !errors.Is(err, archive.ErrNotKept) {
		t.Errorf("of another run: %v", err)
	}
}

// TestATornFile cuts a file at every byte: what is whole before the cut is found,
// and a later process goes on in a file of its own.
func TestATornFile(t *testing.T) {
	dir := t.TempDir()
	a := opened(t, dir, 24*time.Hour)
	for i := range uint64(3) {
		if err := a.Append([]kurs.Raw{message(i, noon, fmt.Sprintf("body %d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "2026-11-24", "*.jsonl.zst"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v", names, err)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]int{}
	for cut := range whole {
		if err := os.WriteFile(names[0], whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		for i := range uint64(3) {
			_, err := archive.Find(t.Context(), dir, message(i, noon, "").ID, noon)
			if err == nil {
				n++
			} else if !errors.Is(err, archive.ErrNotKept) {
				t.Fatalf("cut at %d: %v", cut, err)
			}
		}
		found[n]++
	}
	if len(found) != 3 || found[0] == 0 || found[1] == 0 || found[2] == 0 {
		t.Errorf("of three messages so many were found, so often: %v", found)
	}
	later := opened(t, dir, 24*time.Hour)
	if err := later.Append([]kurs.Raw{message(9, noon, "later")}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Find(t.Context(), dir, message(9, noon, "").ID, noon); err != nil {
		t.Error(err)
	}
}

func TestOldDaysAreRemoved(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "mine"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := opened(t, dir, 48*time.Hour)
	for i := range 6 {
		if err := a.Append([]kurs.Raw{message(uint64(i), noon.AddDate(0, 0, i), "x")}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	days, err := os.ReadDir(dir)
	for _, d := range days {
		got = append(got, d.Name())
	}
	want := []string{"2026-11-27", "2026-11-28", "2026-11-29", "mine"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestAFailedWriteEndsTheFile: the disk is full, and then it is not. Nothing is added behind
// half a frame.
func TestAFailedWriteEndsTheFile(t *testing.T) {
	dir := t.TempDir()
	a := opened(t, dir, 24*time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "2026-11-24"), nil, 0o600); err != nil { // in the way of the folder
		t.Fatal(err)
	}
	if err := a.Append([]kurs.Raw{message(1, noon, "x")}); err == nil {
		t.Fatal("a folder that cannot be made is no failure")
	}
	if err := os.Remove(filepath.Join(dir, "2026-11-24")); err != nil {
		t.Fatal(err)
	}
	if err := a.Append([]kurs.Raw{message(2, noon, "x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Find(t.Context(), dir, message(2, noon, "").ID, noon); err != nil {
		t.Error(err)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	a := opened(t, dir, 24*time.Hour)
	var wg sync.WaitGroup
	for w := range uint64(4) {
		wg.Go(func() {
			for i := range uint64(50) {
				if err := a.Append([]kurs.Raw{message(100*w+i, noon.Add(time.Duration(i)*10*time.Minute), "x")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for w := range uint64(4) {
		for i := range uint64(50) {
			if _, err := archive.Find(t.Context(), dir, message(100*w+i, noon, "").ID, noon.Add(time.Duration(i)*10*time.Minute)); err != nil {
				t.Error(err)
			}
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	a, err := archive.Open(b.TempDir(), time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	var body strings.Builder
	for i := range 200 {
		fmt.Fprintf(&body, `{"language":"en-US","region":"US","symbol":"A%d","regularMarketPrice":%d.%d,"regularMarketTime":17640%d,"bid":0,"ask":0},`, i, i*7, i%100, i)
	}
	raws := []kurs.Raw{message(1, noon, body.String())}
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		if err := a.Append(raws); err != nil {
			b.Fatal(err)
		}
	}
}
