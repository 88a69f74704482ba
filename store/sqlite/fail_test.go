package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// quote is a price of symbol that was made and received so many seconds after
// noon.
func quote(symbol string, second int) kurs.Price {
	at := noon.Add(time.Duration(second) * time.Second)
	return kurs.Price{
		Quote: kurs.Quote{
			Symbol: symbol, Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: kurs.MustDecimal("1.25"), Unit: "USD",
		},
		Receipt:    kurs.Receipt{Received: at, Raw: kurs.RawID{Source: "yahoo", Run: "r1", Counter: uint64(second + 1)}},
		Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK"},
	}
}

func group(prices ...kurs.Price) kurs.Group {
	b := kurs.Batch{BaseCurrency: "DKK", Prices: prices}
	for _, p := range prices {
		b.Raws = append(b.Raws, p.Raw)
	}
	return kurs.Group{Batches: []kurs.Batch{b}}
}

func count(t *testing.T, path string) int64 {
	t.Helper()
	stats, err := reader(t, path).Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats.Quotes
}

func TestALockedDatabaseIsAnOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), group(quote("A", 0)))
	if sqlite.Condition(err) != sqlite.ConditionLocked || errors.Is(err, kurs.ErrRejected) || errors.Is(err, sqlite.ErrBroken) {
		t.Errorf("got %v (%q)", err, sqlite.Condition(err))
	}
	// Who waits for a lock can be told to stop.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, group(quote("A", 0))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAFullDatabaseIsAnOutage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Fatal(err)
	}
	pages, err := sqlite.Pragma(t.Context(), s, "page_count")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Pragma(t.Context(), s, "max_page_count = "+pages.Decimal(0).String()); err != nil {
		t.Fatal(err)
	}
	var many []kurs.Price
	for i := range 2000 {
		many = append(many, quote("B", i))
	}
	err = s.Write(t.Context(), group(many...))
	if sqlite.Condition(err) != sqlite.ConditionFull || errors.Is(err, kurs.ErrRejected) || errors.Is(err, sqlite.ErrBroken) {
		t.Errorf("got %v (%q)", err, sqlite.Condition(err))
	}
	if got := count(t, path); got != 1 {
		t.Errorf("%d quotes, want 1", got)
	}
	if _, err := sqlite.Pragma(t.Context(), s, "max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), group(many...)); err != nil { // space is back: no restart needed
		t.Errorf("afterwards: %v", err)
	}
	if got := count(t, path); got != 2001 {
		t.Errorf("%d quotes, want 2001", got)
	}
}

func TestADamagedDatabaseStopsTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const page = 16384
	garbage := make([]byte, page)
	for i := range garbage {
		garbage[i] = 0xa5
	}
	for at := int64(8 * page); at < info.Size(); at += page { // behind the schema and the small tables
		if _, err := file.WriteAt(garbage, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = sqlite.Open(t.Context(), config(path), quiet())
	if err != nil {
		if sqlite.Condition(err) != sqlite.ConditionCorrupt {
			t.Errorf("open: %v", err)
		}
		return
	}
	defer s.Close()
	for range 2 {
		err = s.Write(t.Context(), group(quote("A", 1)))
		if sqlite.Condition(err) != sqlite.ConditionCorrupt || !errors.Is(err, sqlite.ErrBroken) || errors.Is(err, kurs.ErrRejected) {
			t.Errorf("got %v (%q)", err, sqlite.Condition(err))
		}
	}
}

func TestConditionOfOtherErrors(t *testing.T) {
	for _, err := range []error{nil, errors.New("locked"), kurs.ErrRejected, context.Canceled} {
		if got := sqlite.Condition(err); got != "" {
			t.Errorf("%v: %q", err, got)
		}
	}
}

func TestValuesThatNoColumnHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	for _, value := range []string{"1e399", "-1e399", "1e-399", "4e-320"} {
		p := quote("A", 0)
		p.Value = kurs.MustDecimal(value)
		if err := s.Write(t.Context(), group(p)); !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("%s: %v", value, err)
		}
	}
	p := quote("A", 0)
	p.Raw.Counter = 1 << 63
	if err := s.Write(t.Context(), group(p)); !errors.Is(err, kurs.ErrRejected) {
		t.Errorf("a counter beyond 2^63: %v", err)
	}
	for i, value := range []string{"1e300", "-1e-300", "123456789012345678", "0.1234567890123456"} {
		p := quote("B", i)
		p.Value = kurs.MustDecimal(value)
		if err := s.Write(t.Context(), group(p)); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
	var marked []int64
	err := sqlite.QueryAll(t.Context(), path, map[string]func(sqlite.Columns){
		"SELECT approximate FROM v_quotes WHERE symbol = 'B' ORDER BY time_ms": func(c sqlite.Columns) { marked = append(marked, c.Number(0)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(marked) != 4 || marked[0] != 0 || marked[1] != 0 || marked[2] != 1 || marked[3] != 1 {
		t.Errorf("approximate: %v, want 0 0 1 1", marked)
	}
}

func TestAClosedStore(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "kurs.db"))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err == nil {
		t.Error("it was written to")
	}
	if _, err := s.Position(t.Context()); err == nil {
		t.Error("it has a position")
	}
}
