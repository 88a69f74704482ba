package main

import (
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kurs"
	"kurs/reading"
	"kurs/store/sqlite"
)

// BenchmarkLarge reads a database of many rows: 10,000 symbols, a price each 15
// seconds of a session of 6.5 hours, day after day. KURS_BENCH_ROWS is how many,
// 1,000,000 without it; docs/performance.md has figures of more.
func BenchmarkLarge(b *testing.B) {
	rows := 1_000_000
	if text := os.Getenv("KURS_BENCH_ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(b.TempDir(), "kurs.db")
	began := time.Now()
	makeLarge(b, path, rows)
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d rows of %d symbols, %d MB, made in %s", rows, largeSymbols, info.Size()/1e6, time.Since(began).Round(time.Second))
	r, err := sqlite.OpenReader(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	day := largeStart.AddDate(0, 0, rows/largeSymbols/largeDay/2)
	filter := sqlite.Filter{Symbols: []string{"SYM05000"}, Since: day, Until: day.AddDate(0, 0, 1)}

	b.Run("latest/rows", func(b *testing.B) { // as kurs quote --stored reads them
		for b.Loop() {
			if all, err := r.Latest(b.Context(), nil, time.Time{}); err != nil || len(all) != largeSymbols {
				b.Fatalf("%d, %v", len(all), err)
			}
		}
	})
	b.Run("latest/sql", func(b *testing.B) { // the engine alone: of the view, as any program asks
		for b.Loop() {
			var n int
			if err := db.QueryRow("SELECT count(price_native) FROM (SELECT symbol, time_ms, price_native, price_base FROM v_latest)").Scan(&n); err != nil || n != largeSymbols {
				b.Fatalf("%d, %v", n, err)
			}
		}
	})
	b.Run("latest/table", func(b *testing.B) { // what there is no way around: table latest and its rows of quotes
		for b.Loop() {
			var n int
			if err := db.QueryRow(`SELECT count(q.native) FROM latest l CROSS JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time
				AND q.session = l.session AND q.source = l.source`).Scan(&n); err != nil || n != largeSymbols {
				b.Fatalf("%d, %v", n, err)
			}
		}
	})
	b.Run("day", func(b *testing.B) {
		for b.Loop() {
			n := 0
			if err := r.Quotes(b.Context(), filter, func(kurs.Row) error { n++; return nil }); err != nil || n == 0 {
				b.Fatalf("%d, %v", n, err)
			}
			b.ReportMetric(float64(n), "rows")
		}
	})
	b.Run("bars", func(b *testing.B) {
		interval, err := reading.ParseInterval("1m")
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			n := 0
			bars := reading.Builder{Interval: interval, Now: time.Now(), Yield: func(kurs.BarRow) error { n++; return nil }}
			if err := r.Quotes(b.Context(), filter, bars.Add); err != nil {
				b.Fatal(err)
			}
			if err := bars.Flush(); err != nil || n == 0 {
				b.Fatalf("%d, %v", n, err)
			}
			b.ReportMetric(float64(n), "bars")
		}
	})
}

const (
	largeSymbols = 10_000
	largeDay     = 1560 // prices a day and symbol
)

var largeStart = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// makeLarge fills a database by SQL, symbol by symbol, which is quicker than the
// way that prices come: the file is the same but for free space in its pages.
func makeLarge(b *testing.B, path string, rows int) {
	b.Helper()
	s, err := sqlite.Open(b.Context(), sqlite.Config{Path: path, BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	exec := func(text string, args ...any) {
		b.Helper()
		if _, err := db.Exec(text, args...); err != nil {
			b.Fatal(err)
		}
	}
	exec(`INSERT INTO texts (id, text) VALUES (1, 'regular'), (2, 'yahoo');
		INSERT INTO units (id, unit, currency, factor) VALUES (1, 'USD', 'USD', 1);
		INSERT INTO runs (id, source, run) VALUES (1, 'yahoo', '20261102T000000-abcdef')`)
	each := rows / largeSymbols
	for i := 1; i <= largeSymbols; i++ {
		if i%100 == 1 {
			exec("BEGIN")
		}
		exec("INSERT INTO instruments (id, symbol, unit) VALUES (?, ?, 'USD')", i, fmt.Sprintf("SYM%05d", i))
		exec(`WITH RECURSIVE n(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM n WHERE k + 1 < ?2)
			INSERT INTO quotes (instrument, time, session, source, native, unit, received, run, counter, approximate, fx_rate, fx_time, fx_source, base, bid, ask, volume)
			SELECT ?1, t, 1, 2, p / 100.0, 1, t + 500, 1, k, 0, 6.4321, t, 2, round(p * 6.4321 / 100, 8), (p - 1) / 100.0, (p + 1) / 100.0, k * 100
			FROM (SELECT k, ?3 + k / ?4 * 86400000 + 52200000 + k % ?4 * 15000 AS t, 10000 + (k * 7 + ?1) % 5000 AS p FROM n)`,
			i, each, largeStart.UnixMilli(), largeDay)
		exec(`INSERT INTO latest (instrument, time, session, source, received, run, counter, volume, delay)
			SELECT instrument, time, session, source, received, run, counter, volume, 0 FROM quotes WHERE instrument = ? ORDER BY time DESC LIMIT 1`, i)
		if i%100 == 0 {
			exec("COMMIT")
		}
	}
	exec("INSERT INTO counts SELECT 'quotes', count(*) FROM quotes")
	exec("INSERT INTO counts SELECT 'quotes_first', min(time) FROM quotes")
	exec("INSERT INTO counts SELECT 'quotes_last', max(time) FROM quotes")
}
