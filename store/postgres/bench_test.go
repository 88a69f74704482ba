package postgres

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"testing"
	"time"

	"kurs"
	"kurs/store/postgres/pgtest"
)

// docs/performance.md has the figures.

const batchSize = 200 // quotes an answer

// benchBatches is a time of the market: each symbol's next price.
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

// openBench starts a server with fsync and room for its log, as one that is meant for
// data has.
func openBench(b *testing.B) (*pgtest.Server, *Store) {
	b.Helper()
	server := pgtest.New(b, "shared_buffers=256MB", "max_wal_size=4GB")
	config := Config{DSN: server.DSN(pgtest.Admin), Schema: "kurs", Timeout: time.Minute, LockTimeout: time.Second, BaseCurrency: "DKK"}
	s, err := Open(b.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return server, s
}

// BenchmarkWrite writes each group twice: through the store, and by a bare COPY, which is
// the least that can be done: its bytes are ready, no ids are looked up, there is no
// latest price, no ledger, and a key that is there already would end it. Group by group,
// so that what else the machine does meets both.
func BenchmarkWrite(b *testing.B) {
	eachShape(b, func(b *testing.B, symbols, group int) {
		server, s := openBench(b)
		first := benchBatches(symbols, batchSize, 0)[0].Prices[0]
		first.Time, first.Symbol = first.Time.Add(-time.Hour), "FIRST" // makes the partitions
		if err := s.Write(b.Context(), kurs.Group{Batches: []kurs.Batch{{Prices: []kurs.Price{first}}}}); err != nil {
			b.Fatal(err)
		}
		conn := server.Connect(b, pgtest.Admin)
		series := quoteSeries()
		// The bare rows go into a table of the same shape, with the same indexes.
		server.Exec(b, "CREATE TABLE kurs.bare (LIKE kurs.quotes INCLUDING ALL) PARTITION BY RANGE (time)",
			"CREATE TABLE kurs.bare_all PARTITION OF kurs.bare FOR VALUES FROM ('2026-11-01') TO ('2026-12-01')")
		command := "COPY kurs.bare (" + listed(series.row[:series.lastAt]) + ") FROM STDIN (FORMAT binary)"
		var (
			rows        int
			store, bare time.Duration
		)
		for b.Loop() {
			g := kurs.Group{Batches: benchBatches(symbols, group, rows), Position: kurs.StreamPos{Epoch: "e", Seq: uint64(rows + 1)}}
			text := bareRows(series, g.Batches, symbols)
			runtime.GC() // of what was made for the comparison
			began := time.Now()
			if err := s.Write(b.Context(), g); err != nil {
				b.Fatal(err)
			}
			store += time.Since(began)
			began = time.Now()
			if _, err := conn.PgConn().CopyFrom(b.Context(), bytes.NewReader(text), command); err != nil {
				b.Fatal(err)
			}
			bare += time.Since(began)
			rows += group
		}
		b.ReportMetric(float64(rows)/store.Seconds(), "rows/s")
		b.ReportMetric(float64(rows)/bare.Seconds(), "bare-rows/s")
		b.ReportMetric(100*bare.Seconds()/store.Seconds(), "%of-bare")
	})
}

// BenchmarkRewrite stores what is there already, as after a crash.
func BenchmarkRewrite(b *testing.B) {
	_, s := openBench(b)
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
	_, s := openBench(b)
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

// bareRows are the rows as the server takes them.
func bareRows(s *series, batches []kurs.Batch, symbols int) []byte {
	b := []byte(copyHead)
	n := 0
	for _, batch := range batches {
		for _, p := range batch.Prices {
			b = binary.BigEndian.AppendUint16(b, uint16(s.lastAt))
			row := []cell{
				whole(int64(n%symbols + 100)), whole(p.Time.UnixMilli()), whole(1), whole(2), number(p.Value), whole(1),
				whole(p.Received.UnixMilli()), whole(1), whole(int64(p.Raw.Counter)), whole(0),
				flag(false), number(p.Rate.Value), whole(p.Rate.Time.UnixMilli()), whole(2), number(p.Base), number(p.Bid), number(p.Ask), volume(p.Volume),
			}
			for i, c := range row {
				b = appendCell(b, s.row[i].kind, c)
			}
			n++
		}
	}
	return binary.BigEndian.AppendUint16(b, math.MaxUint16)
}
