package sqlite

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
)

// The benchmarks write the same rows in groups of the same size: through the
// store, and in a bare loop of prepared inserts (database/sql, same driver,
// table and settings). docs/performance.md has the figures.

const batchSize = 200 // quotes an answer

// benchPrices is a time of the market: each symbol's next price.
func benchBatches(symbols, rows, from int) []kurs.Batch {
	batches := make([]kurs.Batch, 0, rows/batchSize)
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for len(batches)*batchSize < rows {
		n := from + len(batches)*batchSize
		raw := kurs.RawID{Source: "yahoo", Run: "20261124T090000-1f3c", Counter: uint64(n / batchSize)}
		at := start.Add(time.Duration(n/symbols) * time.Second)
		b := kurs.Batch{Raws: []kurs.RawID{raw}, BaseCurrency: "DKK", Prices: make([]kurs.Price, batchSize)}
		for i := range b.Prices {
			value, _ := kurs.NewDecimal(int64(10000+(n+i*7)%5000), -2)
			bid, _ := kurs.NewDecimal(int64(9990+(n+i*7)%5000), -2)
			rate, _ := kurs.NewDecimal(64321, -4)
			base, _ := kurs.Convert(value, kurs.Int(1), rate)
			b.Prices[i] = kurs.Price{
				Quote: kurs.Quote{
					Symbol: fmt.Sprintf("SYM%04d", (n+i)%symbols), Source: "yahoo", Time: at, Session: kurs.SessionRegular,
					Value: value, Unit: "USD", Bid: bid, Ask: value, Volume: kurs.Volume{N: int64(n) * 100, Known: true},
				},
				Receipt: kurs.Receipt{Received: at.Add(500 * time.Millisecond), Raw: raw},
				Conversion: kurs.Conversion{
					Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK",
					Rate: kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: rate, Time: at, Source: "yahoo"},
				},
				Base: base,
			}
		}
		batches = append(batches, b)
	}
	return batches
}

func eachShape(b *testing.B, do func(b *testing.B, symbols, group int)) {
	b.Helper()
	for _, symbols := range []int{200, 1000} {
		for _, group := range []int{10_000, 50_000} {
			b.Run(fmt.Sprintf("symbols=%d/group=%d", symbols, group), func(b *testing.B) { do(b, symbols, group) })
		}
	}
}

func openBench(b *testing.B) (*Store, string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "kurs.db")
	s, err := Open(b.Context(), Config{Path: path, BusyTimeout: time.Second, BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, path
}

func BenchmarkWrite(b *testing.B) {
	eachShape(b, func(b *testing.B, symbols, group int) {
		s, _ := openBench(b)
		rows := 0
		for b.Loop() {
			b.StopTimer()
			g := kurs.Group{Batches: benchBatches(symbols, group, rows), Position: kurs.StreamPos{Epoch: "e", Seq: uint64(rows + 1)}}
			b.StartTimer()
			if err := s.Write(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			rows += group
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}

// BenchmarkRewrite stores what is there already, as after a crash.
func BenchmarkRewrite(b *testing.B) {
	s, _ := openBench(b)
	g := kurs.Group{Batches: benchBatches(500, 10_000, 0)}
	if err := s.Write(b.Context(), g); err != nil {
		b.Fatal(err)
	}
	rows := 0
	for b.Loop() {
		if err := s.Write(b.Context(), g); err != nil {
			b.Fatal(err)
		}
		rows += 10_000
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkRepeat stores a market that stands still: known prices, received again.
func BenchmarkRepeat(b *testing.B) {
	s, _ := openBench(b)
	batches := benchBatches(500, 10_000, 0)
	rows := 0
	for b.Loop() {
		b.StopTimer()
		for i := range batches {
			for j := range batches[i].Prices {
				batches[i].Prices[j].Received = batches[i].Prices[j].Received.Add(time.Second)
			}
		}
		b.StartTimer()
		if err := s.Write(b.Context(), kurs.Group{Batches: batches}); err != nil {
			b.Fatal(err)
		}
		rows += 10_000
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkBareInsert(b *testing.B) {
	eachShape(b, func(b *testing.B, symbols, group int) {
		s, path := openBench(b)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		db, err := sql.Open("sqlite", dsn(path, "mode=rw", writerPragmas(time.Second)...))
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		rows := 0
		for b.Loop() {
			b.StopTimer()
			batches := benchBatches(symbols, group, rows)
			b.StartTimer()
			if err := bareInsert(db, batches, symbols); err != nil {
				b.Fatal(err)
			}
			rows += group
		}
		b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	})
}

// bareInsert is the least that can be done: no order, no ids to look up, no
// latest price, no ledger.
func bareInsert(db *sql.DB, batches []kurs.Batch, symbols int) error {
	transaction, err := db.Begin()
	if err != nil {
		return err
	}
	defer transaction.Rollback()
	insert, err := transaction.Prepare(quoteSeries().insert)
	if err != nil {
		return err
	}
	defer insert.Close()
	n := 0
	for _, batch := range batches {
		for _, p := range batch.Prices {
			_, err := insert.Exec(n%symbols+1, p.Time.UnixMilli(), 1, 2, p.Value.Float64(), 1,
				p.Received.UnixMilli(), 1, int64(p.Raw.Counter), 3, 0, p.Rate.Value.Float64(), p.Rate.Time.UnixMilli(), 2, p.Base.Float64(),
				p.Bid.Float64(), p.Ask.Float64(), p.Volume.N)
			if err != nil {
				return err
			}
			n++
		}
	}
	return transaction.Commit()
}

// BenchmarkMemory writes 900,000 rows of 6,000 symbols and reports what the
// process holds afterwards: SQLite's memory is not Go's, and no other measure
// sees it.
func BenchmarkMemory(b *testing.B) {
	const symbols, group, groups = 6000, 15_000, 60
	for b.Loop() {
		s, _ := openBench(b)
		for i := range groups {
			g := kurs.Group{Batches: benchBatches(symbols, group, i*group), Position: kurs.StreamPos{Epoch: "e", Seq: uint64(i + 1)}}
			if err := s.Write(b.Context(), g); err != nil {
				b.Fatal(err)
			}
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("only Linux tells")
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "RssAnon:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(kib>>10), "MiB")
		}
	}
}
