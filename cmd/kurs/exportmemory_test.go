package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/sqlite"
)

// many is a data directory with so many prices: 500 symbols, a price a second.
func many(tb testing.TB, rows int) string {
	tb.Helper()
	const symbols, batchRows = 500, 50_000
	dir := tb.TempDir()
	s, err := sqlite.Open(tb.Context(), sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			tb.Fatal(err)
		}
	}()
	each := max(rows/symbols, 1)
	begin := clock("2026-11-02T08:00:00Z")
	rate := kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.MustDecimal("6.41278"), Time: begin, Source: "yahoo"}
	batch := kurs.Batch{BaseCurrency: "DKK"}
	for i := range rows {
		symbol, n := i/each, i%each
		at := begin.Add(time.Duration(n) * time.Second)
		id := kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(n/50 + 1)}
		value, err := kurs.NewDecimal(int64(10_000+symbol*100+(i*7919)%199), -2)
		if err != nil {
			tb.Fatal(err)
		}
		base, err := kurs.Convert(value, kurs.Int(1), rate.Value)
		if err != nil {
			tb.Fatal(err)
		}
		batch.Prices = append(batch.Prices, kurs.Price{
			Quote: kurs.Quote{
				Symbol: "S" + strconv.Itoa(symbol), Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: value, Unit: "USD",
				Volume: kurs.Volume{N: int64(n * 100), Known: true},
			},
			Receipt:    kurs.Receipt{Received: at.Add(time.Duration(i*7919%900) * time.Millisecond), Raw: id, Origin: kurs.OriginPoll},
			Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK", Rate: rate},
			Base:       base,
		})
		if len(batch.Prices) == batchRows || i == rows-1 {
			batch.Raws = []kurs.RawID{id}
			if err := s.Write(tb.Context(), kurs.Group{Batches: []kurs.Batch{batch}}); err != nil {
				tb.Fatal(err)
			}
			batch.Prices = batch.Prices[:0]
		}
	}
	return dir
}

// exportProcess is kurs export as a process of its own, which leaves its peak of
// memory in a file.
func exportProcess(ctx context.Context, tb testing.TB, args ...string) (cmd *exec.Cmd, peak string) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	peak = filepath.Join(tb.TempDir(), "peak")
	cmd = exec.CommandContext(ctx, self)
	cmd.Args = append([]string{"kurs", "export"}, args...)
	cmd.Env = append(os.Environ(), "KURS_CONFIG=", "XDG_CONFIG_HOME="+tb.TempDir(), peakVariable+"="+peak)
	return cmd, peak
}

// peakVariable names the file that the test binary, being kurs, writes the most
// memory to that it had. What the system tells of a process that has ended counts
// that of its parent too.
const peakVariable = "KURS_TEST_PEAK"

func leavePeak() {
	name := os.Getenv(peakVariable)
	if name == "" {
		return
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return // and then there is no file to read
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_ = os.WriteFile(name, []byte(strings.TrimSuffix(strings.TrimSpace(kb), " kB")), 0o600) // as above
		}
	}
}

// peakBytes reads what leavePeak wrote.
func peakBytes(tb testing.TB, name string) int64 {
	tb.Helper()
	text, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		tb.Fatal(err)
	}
	kb, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return kb * 1024
}

// TestExportStoppedByASignal is stopped as a person does it.
func TestExportStoppedByASignal(t *testing.T) {
	testkit.Require(t, "signals", runtime.GOOS != "windows", "another process cannot be sent one on Windows")
	data := many(t, 100_000)
	for _, format := range []string{"csv", "parquet"} {
		dir := t.TempDir()
		cmd, _ := exportProcess(t.Context(), t, "--data", data, "-o", format, "--out", filepath.Join(dir, "out"))
		var talk bytes.Buffer
		cmd.Stderr = &talk
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for len(tree(t, dir)) == 0 && cmd.ProcessState == nil { // until it has begun to write
			runtime.Gosched()
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // its exit code tells
		if code := cmd.ProcessState.ExitCode(); code != int(kurs.ExitInterrupted) || !strings.Contains(talk.String(), "KURS-STOPPED") {
			t.Errorf("%s: exit code %d, %s", format, code, talk.String())
		}
		if left := tree(t, dir); len(left) > 0 {
			t.Errorf("%s: left behind: %q", format, left)
		}
	}
}

// BenchmarkExport reports rows a second and the most memory that a process of its
// own had. KURS_EXPORT_ROWS says how many rows there are.
func BenchmarkExport(b *testing.B) {
	rows := 100_000
	if n, err := strconv.Atoi(os.Getenv("KURS_EXPORT_ROWS")); err == nil {
		rows = n
	}
	if runtime.GOOS != "linux" {
		b.Skip("only Linux tells the peak of memory of a process that has ended")
	}
	data := many(b, rows)
	for _, format := range []string{"csv", "jsonl", "parquet", "arrow"} {
		b.Run(format, func(b *testing.B) {
			var peak, size int64
			for b.Loop() {
				name := filepath.Join(b.TempDir(), "out")
				cmd, peakFile := exportProcess(b.Context(), b, "--data", data, "-o", format, "--out", name)
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
				peak = max(peak, peakBytes(b, peakFile))
				info, err := os.Stat(name)
				if err != nil {
					b.Fatal(err)
				}
				size = info.Size()
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(peak)/1e6, "peak-MB")
			b.ReportMetric(float64(size)/float64(rows), "bytes/row")
		})
	}
}
