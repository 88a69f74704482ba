package parquet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"kurs"
)

// a day's part of the simulated exchange: 500 instruments, 600 seconds.
const (
	benchSymbols = 500
	benchSeconds = 600
)

// BenchmarkFile writes prices that are sorted and resolved to one file, on disk.
func BenchmarkFile(b *testing.B) {
	t := newTable(quoteKind())
	r := &rows{decimals: &decimals{}}
	for _, batch := range ticks(b, benchSymbols, benchSeconds) {
		if err := r.add(kurs.Group{Batches: []kurs.Batch{batch}}); err != nil {
			b.Fatal(err)
		}
	}
	t.add(r.quotes)
	sorted := t.sorted()
	var bytes int64
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		w := &writing{work: b.TempDir(), step: func(string) error { return nil }}
		b.StartTimer()
		began := time.Now()
		out, err := newOutput[quoteRow](w, t.kind.sorted, made{})
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range sorted {
			if err := out.write(&e.row); err != nil {
				b.Fatal(err)
			}
		}
		if err := errors.Join(out.close(), syncFile(w.ready[0].file)); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(began)
		bytes = size(b, w.ready[0].file)
		b.StopTimer()
		w.discard()
		b.StartTimer()
	}
	b.ReportMetric(float64(len(sorted)*b.N)/spent.Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/float64(len(sorted)), "B/row")
}

func size(b *testing.B, name string) int64 {
	b.Helper()
	info, err := os.Stat(name)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// BenchmarkStore writes groups as the stage hands them over: to rows, sorted, each
// key resolved, to files, with the manifest.
func BenchmarkStore(b *testing.B) {
	groups := grouped(ticks(b, benchSymbols, benchSeconds), 50_000)
	n := 0
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		s := benchStore(b, b.TempDir(), 100_000)
		b.StartTimer()
		began := time.Now()
		for _, g := range groups {
			if err := s.Write(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			n += g.Rows()
		}
		spent += time.Since(began)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/spent.Seconds(), "rows/s")
}

// BenchmarkCompact makes one file of a day's 60.
func BenchmarkCompact(b *testing.B) {
	groups := grouped(ticks(b, benchSymbols, benchSeconds), benchSymbols*benchSeconds/60)
	n := 0
	var spent time.Duration
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		s := benchStore(b, dir, 0)
		for _, g := range groups {
			if err := s.Write(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			n += g.Rows()
		}
		b.StartTimer()
		began := time.Now()
		if err := s.compact(b.Context(), func(daysFiles) bool { return true }); err != nil {
			b.Fatal(err)
		}
		spent += time.Since(began)
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "quotes", "*", "*"))
		if err != nil || len(files) != 1 {
			b.Fatalf("%d files, %v", len(files), err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(n)/spent.Seconds(), "rows/s")
}

// BenchmarkReadBack reads all rows of a file, as compacting does.
func BenchmarkReadBack(b *testing.B) {
	dir := b.TempDir()
	s := benchStore(b, dir, 0)
	for _, g := range grouped(ticks(b, benchSymbols, benchSeconds), benchSymbols*benchSeconds) {
		if err := s.Write(b.Context(), g); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "quotes", "*", "*"))
	if err != nil || len(files) != 1 {
		b.Fatalf("%d files, %v", len(files), err)
	}
	for b.Loop() {
		rows, err := pq.ReadFile[quoteRow](files[0])
		if err != nil || len(rows) != benchSymbols*benchSeconds {
			b.Fatalf("%d rows, %v", len(rows), err)
		}
	}
	b.ReportMetric(float64(benchSymbols*benchSeconds*b.N)/b.Elapsed().Seconds(), "rows/s")
}

func benchStore(b *testing.B, dir string, flush int) *Store {
	b.Helper()
	s, err := Open(b.Context(), Config{Dir: dir, BaseCurrency: "DKK", FlushRows: flush, FlushEvery: never, Compact: never}, quiet())
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// grouped makes groups of so many rows.
func grouped(batches []kurs.Batch, most int) (groups []kurs.Group) {
	var g kurs.Group
	for i, batch := range batches {
		g.Batches = append(g.Batches, batch)
		g.Position = kurs.StreamPos{Epoch: "bench", Seq: uint64(i + 1)}
		if g.Rows() >= most || i == len(batches)-1 {
			groups = append(groups, g)
			g = kurs.Group{}
		}
	}
	return groups
}
