package lines_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"kurs"
	"kurs/store/lines"
)

// BenchmarkWrite writes groups of 10,000 prices, each on the disk with its
// position; docs/performance.md has the figures.
func BenchmarkWrite(b *testing.B) {
	for _, c := range []lines.Config{
		{Format: lines.JSONLines},
		{Format: lines.CSV},
		{Format: lines.CSV, Compress: lines.Zstd, MaxSize: 16 << 20},
	} {
		b.Run(fmt.Sprintf("%s%s", c.Format, c.Compress), func(b *testing.B) {
			c.Dir = b.TempDir()
			s, err := lines.Open(b.Context(), c, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			g := benchGroup(10_000)
			for b.Loop() {
				g.Position.Seq++
				if err := s.Write(b.Context(), g); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(g.Position.Seq)*10_000/b.Elapsed().Seconds(), "rows/s")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func benchGroup(rows int) kurs.Group {
	batch := kurs.Batch{BaseCurrency: "DKK"}
	for n := range rows {
		at := noon.Add(time.Duration(n/200) * time.Second)
		value, _ := kurs.NewDecimal(int64(10000+n*7%5000), -2)
		rate := kurs.MustDecimal("6.4321")
		base, _ := kurs.Convert(value, kurs.Int(1), rate)
		batch.Prices = append(batch.Prices, kurs.Price{
			Quote: kurs.Quote{
				Symbol: fmt.Sprintf("SYM%04d", n%200), Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: value, Unit: "USD",
				Bid: value, Ask: value, Volume: kurs.Volume{N: int64(n) * 100, Known: true},
			},
			Receipt: kurs.Receipt{Received: at.Add(500 * time.Millisecond), Origin: kurs.OriginPoll},
			Conversion: kurs.Conversion{
				Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK",
				Rate: kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: rate, Time: at, Source: "yahoo"},
			},
			Base: base,
		})
	}
	return kurs.Group{Batches: []kurs.Batch{batch}, Position: kurs.StreamPos{Epoch: "e"}}
}
