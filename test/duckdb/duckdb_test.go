package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"

	"kurs"
	"kurs/store/parquet"
)

var midnight = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// prices are of three symbols over two days, of 15 digits each: in the billions,
// the hundred thousands, and about ten.
func prices(n int) (all []kurs.Price) {
	for i := range n {
		value, err := kurs.NewDecimal(int64(100_000_000_000_000+i*7_919_113), -[]int{5, 9, 13}[i%3])
		if err != nil {
			panic(err) // constants of this test
		}
		rate := kurs.Rate{Value: kurs.MustDecimal("6.53530301234567"), Time: midnight, Source: "yahoo"}
		base, err := kurs.Convert(value, kurs.MustDecimal("0.01"), rate.Value)
		if err != nil {
			panic(err)
		}
		all = append(all, kurs.Price{
			Quote: kurs.Quote{
				Symbol: []string{"VOD.L", "BTC-USD", `'; DROP TABLE "x`}[i%3], Source: "yahoo", Session: kurs.SessionRegular,
				Time: midnight.Add(time.Duration(i) * 2 * 24 * time.Hour / time.Duration(n)), Value: value, Unit: "GBp",
				Volume: kurs.Volume{N: int64(i), Known: i%2 == 0},
			},
			Receipt: kurs.Receipt{
				Received: midnight.Add(time.Duration(i) * time.Minute), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(i)}, Origin: kurs.OriginPoll,
			},
			Conversion: kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), Rate: rate, BaseCurrency: "DKK"},
			Base:       base,
		})
	}
	return all
}

// recorded is a dataset of these prices: some files, or, compacted, one a day.
func recorded(t *testing.T, all []kurs.Price, compact time.Duration) string {
	t.Helper()
	dir := t.TempDir()
	for part := range 3 {
		s, err := parquet.Open(t.Context(), parquet.Config{
			Dir: dir, BaseCurrency: "DKK", FlushRows: 1000, FlushEvery: time.Hour, Compact: compact,
		}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		b := kurs.Batch{BaseCurrency: "DKK", Prices: all[part*len(all)/3 : (part+1)*len(all)/3]}
		if part == 2 {
			b.Bars = []kurs.PricedBar{{
				Bar: kurs.Bar{Symbol: "VOD.L", Source: "yahoo", Start: midnight, Interval: "1m", Close: kurs.MustDecimal("1.25")}, Receipt: all[0].Receipt,
			}}
			b.Rates = []kurs.Rate{{
				Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.6123"), Time: midnight, Source: "yahoo",
				Received: midnight, ValidFor: time.Minute,
			}}
			b.Instruments = []kurs.Instrument{{Symbol: "VOD.L", Name: "Vodafone", Kind: kurs.KindEquity}}
		}
		group := kurs.Group{Batches: []kurs.Batch{b}, Position: kurs.StreamPos{Epoch: "e", Seq: uint64(part + 1)}}
		for range 2 { // what is delivered again is not there twice
			if err := s.Write(t.Context(), group); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sum adds decimals exactly.
func sum(all []kurs.Price, of func(kurs.Price) kurs.Decimal) *big.Rat {
	total := new(big.Rat)
	for _, p := range all {
		r, ok := new(big.Rat).SetString(of(p).String())
		if !ok {
			panic("no number") // a constant of this test
		}
		total.Add(total, r)
	}
	return total
}

func TestDuckDBReadsTheDataset(t *testing.T) {
	t.Parallel()
	all := prices(3000)
	dir := recorded(t, all, 1000*time.Hour)
	db := openDB(t)
	glob := filepath.ToSlash(filepath.Join(dir, "quotes", "*", "*.parquet"))
	one := func(query string, into ...any) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), query, glob).Scan(into...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	var n, days, symbols int
	one("SELECT count(*), count(DISTINCT date), count(DISTINCT symbol) FROM read_parquet(?, hive_partitioning = true)", &n, &days, &symbols)
	if n != len(all) || days != 2 || symbols != 3 {
		t.Errorf("%d rows, %d days, %d symbols, want %d, 2, 3", n, days, symbols, len(all))
	}
	var native, base string
	one("SELECT sum(price_native)::VARCHAR, sum(price_base)::VARCHAR FROM read_parquet(?)", &native, &base)
	for _, c := range []struct {
		what, got string
		want      *big.Rat
	}{
		{"native", native, sum(all, func(p kurs.Price) kurs.Decimal { return p.Value })},
		{"base", base, sum(all, func(p kurs.Price) kurs.Decimal { return p.Base })},
	} {
		if got, ok := new(big.Rat).SetString(c.got); !ok || got.Cmp(c.want) != 0 {
			t.Errorf("sum of %s: %s, want %s", c.what, c.got, c.want.FloatString(18))
		}
	}
	var first, last time.Time
	one("SELECT min(time), max(time) FROM read_parquet(?)", &first, &last)
	if !first.Equal(all[0].Time) || !last.Equal(all[len(all)-1].Time) {
		t.Errorf("from %s to %s", first, last)
	}
	var wrong, unknown int
	one("SELECT count(*) FILTER (strftime(make_timestamp(epoch_us(time)), '%Y-%m-%d') <> date::VARCHAR), count(*) FILTER (volume IS NULL) "+
		"FROM read_parquet(?, hive_partitioning = true)", &wrong, &unknown)
	if wrong != 0 || unknown != len(all)/2 {
		t.Errorf("%d rows in the folder of another day, %d volumes unknown, want 0 and %d", wrong, unknown, len(all)/2)
	}
	var tampered int
	one("SELECT count(*) FROM (SELECT symbol, time, lag((symbol, time)) OVER (PARTITION BY filename ORDER BY file_row_number) AS before "+
		"FROM read_parquet(?, filename = true, file_row_number = true)) WHERE (symbol, time) < before", &tampered)
	if tampered != 0 {
		t.Errorf("%d rows are not in the order of symbol and time", tampered)
	}
}

// TestBelowZero: a price below zero is found by a reader that skips by the smallest
// and the largest value of a file.
func TestBelowZero(t *testing.T) {
	t.Parallel()
	all := prices(30)
	for i := range all {
		if i%3 == 1 {
			value, err := kurs.NewDecimal(-int64(i), -2)
			if err != nil {
				t.Fatal(err)
			}
			all[i].Value = value
		}
	}
	glob := filepath.ToSlash(filepath.Join(recorded(t, all, 1000*time.Hour), "quotes", "*", "*.parquet"))
	db := openDB(t)
	for query, want := range map[string]string{
		"SELECT count(*) FROM read_parquet(?) WHERE price_native < 0":                          "10",
		"SELECT min(price_native)::DECIMAL(10, 2)::VARCHAR FROM read_parquet(?)":               "-0.28",
		"SELECT count(*) FROM read_parquet(?) WHERE price_native = -0.01":                      "1",
		"SELECT (max(price_native) > 1000000000)::VARCHAR FROM read_parquet(?)":                "true",
		"SELECT count(*) FROM read_parquet(?) WHERE price_native > -0.05 AND price_native < 0": "2",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query, glob).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", query, got, err, want)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	dir := recorded(t, prices(30), 1000*time.Hour)
	db := openDB(t)
	for _, c := range []struct {
		dataset string
		want    map[string]string
	}{
		{"quotes/*/*", map[string]string{
			"symbol": "VARCHAR", "time": "TIMESTAMP WITH TIME ZONE", "price_native": "DECIMAL(38,24)", "unit": "VARCHAR", "factor": "DECIMAL(38,24)",
			"fx_rate": "DECIMAL(38,24)", "fx_time": "TIMESTAMP WITH TIME ZONE", "price_base": "DECIMAL(38,24)", "bid": "DECIMAL(38,24)", "volume": "BIGINT",
			"received_iso": "TIMESTAMP WITH TIME ZONE", "approximate": "BOOLEAN", "date": "DATE",
		}},
		{"bars/*/*", map[string]string{"close_native": "DECIMAL(38,24)", "close_base": "DECIMAL(38,24)", "interval": "VARCHAR", "date": "DATE"}},
		{"rates/*/*", map[string]string{"rate": "DECIMAL(38,24)", "from_currency": "VARCHAR", "valid_for_ms": "BIGINT"}},
		{"instruments/*", map[string]string{"symbol": "VARCHAR", "name": "VARCHAR", "kind": "VARCHAR"}},
	} {
		glob := filepath.ToSlash(filepath.Join(dir, filepath.FromSlash(c.dataset))) + ".parquet"
		got, err := columns(t.Context(), db, glob)
		if err != nil {
			t.Fatalf("%s: %v", c.dataset, err)
		}
		for name, want := range c.want {
			if got[name] != want {
				t.Errorf("%s: column %s is %q, want %q", c.dataset, name, got[name], want)
			}
		}
	}
}

// TestOneFileADay lets the store compact in the background, until there is one
// file a day.
func TestOneFileADay(t *testing.T) {
	t.Parallel()
	all := prices(300)
	dir := recorded(t, all, 1000*time.Hour)
	s, err := parquet.Open(t.Context(), parquet.Config{
		Dir: dir, BaseCurrency: "DKK", FlushRows: 1000, FlushEvery: time.Hour,
		Compact: -10_000 * 24 * time.Hour, // before the end of the day: whenever the test runs, it is time
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t)
	glob := filepath.ToSlash(filepath.Join(dir, "quotes", "*", "*.parquet"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for files, rows := 0, 0; files != 2 || rows != len(all); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%d files, %d rows", files, rows)
		}
		// A file may go while it is read: then it is asked again.
		_ = db.QueryRowContext(ctx, "SELECT count(DISTINCT filename), count(*) FROM read_parquet(?, filename = true)", glob).Scan(&files, &rows)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func columns(ctx context.Context, db *sql.DB, glob string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('"+glob+"', hive_partitioning = true))")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return nil, fmt.Errorf("describe: %w", err)
		}
		out[name] = kind
	}
	return out, rows.Err()
}

func openDB(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
