//go:build !race

// The race detector's own memory is many times the program's.

package main

import (
	"bytes"
	"path/filepath"
	"runtime"
	"testing"

	"kurs/internal/testkit"
)

// exportLimit is the most memory for any number of rows.
const exportLimit = 150_000_000

// TestExportInConstantMemory: four times the rows take no more memory, and less
// than the limit, in every format.
func TestExportInConstantMemory(t *testing.T) {
	testkit.Require(t, "/proc", runtime.GOOS == "linux", "only Linux tells the peak of memory there")
	const rows = 300_000
	data := many(t, rows)
	for _, f := range exportFormats() {
		args := []string{"--data", data, "-o", f.name, "--out"}
		if f.lines {
			args = append([]string{"--all"}, args...)
		}
		var peaks []int64
		for _, until := range []string{"2026-11-02T08:02:30Z", "2030-01-01"} { // a quarter, and all
			cmd, peak := exportProcess(t.Context(), t, append(args, filepath.Join(t.TempDir(), "out"), "--until", until)...)
			if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte(" rows, ")) {
				t.Fatalf("%s: %v\n%s", f.name, err, out)
			}
			peaks = append(peaks, peakBytes(t, peak))
		}
		t.Logf("%s: %d and %d MB", f.name, peaks[0]/1e6, peaks[1]/1e6)
		if peaks[1] > exportLimit {
			t.Errorf("%s: %d bytes for %d rows", f.name, peaks[1], rows)
		}
		if peaks[1] > peaks[0]+40_000_000 {
			t.Errorf("%s: %d bytes for a quarter of the rows, and %d for all", f.name, peaks[0], peaks[1])
		}
	}
}
