package sqlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

func nobody([]string) error { return nil }

// TestQueryRefusesAllButReading: none of these changes the file, a setting, or
// makes another file.
func TestQueryRefusesAllButReading(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kurs.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	r := reader(t, path)
	for _, c := range []struct{ name, text string }{
		{"insert", "INSERT INTO meta VALUES ('a', 'b')"},
		{"insert and return", "INSERT INTO meta VALUES ('a', 'b') RETURNING key"},
		{"update in a CTE", "WITH x AS (SELECT 1) UPDATE meta SET value = 'x'"},
		{"drop", "DROP VIEW v_quotes"},
		{"a temporary table", "CREATE TEMP TABLE x (y)"},
		{"a virtual table", "CREATE VIRTUAL TABLE temp.x USING fts5(y)"},
		{"attach", "ATTACH '" + filepath.Join(dir, "other.db") + "' AS o"},
		{"attach memory", "ATTACH ':memory:' AS o"},
		{"vacuum into", "VACUUM INTO '" + filepath.Join(dir, "other.db") + "'"},
		{"vacuum", "VACUUM"},
		{"begin", "BEGIN IMMEDIATE"},
		{"savepoint", "SAVEPOINT a"},
		{"reindex", "REINDEX"},
		{"analyze", "ANALYZE"},
		{"a setting", "PRAGMA journal_mode = DELETE"},
		{"a setting in brackets", "PRAGMA query_only(0)"},
		{"a setting by a function", "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')"},
		{"writable schema", "PRAGMA writable_schema = 1"},
		{"a pragma that works", "PRAGMA optimize"},
		{"a checkpoint", "PRAGMA wal_checkpoint(TRUNCATE)"},
		{"the heap limit", "PRAGMA hard_heap_limit = 0"},
		{"load an extension", "SELECT load_extension('x')"},
		{"two statements", "SELECT 1; SELECT 2"},
		{"two, the first a comment", "/* ; */ SELECT ';' ; DELETE FROM meta"},
		{"two, hidden behind a quote", "SELECT ''';' ; DELETE FROM meta"},
		{"nothing", " ; -- nothing"},
		{"a zero byte", "SELECT 1\x00; DELETE FROM meta"},
		{"a huge value", "SELECT zeroblob(100000000)"},
		{"a huge text", "SELECT printf('%.*c', 100000000, 'x')"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := r.Query(t.Context(), c.text, nobody, func([]any) error { return nil })
			if !errors.Is(err, sqlite.ErrQuery) {
				t.Errorf("got %v", err)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(dir, "other*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestQueryTakesOneStatement(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	open(t, path)
	r := reader(t, path)
	for _, c := range []struct{ name, text, want string }{
		{"plain", "SELECT 'a'", "a"},
		{"ended", "SELECT 'a' ; ", "a"},
		{"ended by a comment", "SELECT 'a' -- ; SELECT 'b'", "a"},
		{"a semicolon in a text", "SELECT 'a;b'", "a;b"},
		{"in a name", `SELECT "x;y" FROM (SELECT 'a' AS "x;y")`, "a"},
		{"in brackets", "SELECT [x;y] FROM (SELECT 'a' AS [x;y])", "a"},
		{"in a comment", "SELECT /* ; */ 'a'", "a"},
		{"of the columns of a view", "SELECT name FROM pragma_table_info('v_quotes') LIMIT 1", "symbol"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			err := r.Query(t.Context(), c.text, nobody, func(row []any) error {
				got, _ = row[0].(string)
				return nil
			})
			if err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
		})
	}
}

// TestQueryIsInterrupted while SQLite computes, before the first row and behind it.
func TestQueryIsInterrupted(t *testing.T) {
	const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
	path := filepath.Join(t.TempDir(), "kurs.db")
	open(t, path)
	r := reader(t, path)
	for _, text := range []string{endless, "SELECT 1 UNION ALL SELECT * FROM (" + endless + ")"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := r.Query(ctx, text, nobody, func([]any) error { return nil })
		cancel()
		if !errors.Is(err, sqlite.ErrQueryTime) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := r.Query(ctx, "SELECT 1 UNION ALL SELECT * FROM ("+endless+")", nobody, func([]any) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestQueryDoesNotHoldUpTheWriter: the store commits while a query reads.
func TestQueryDoesNotHoldUpTheWriter(t *testing.T) {
	path := filled(t, 10)
	s := open(t, path)
	rows := 0
	err := reader(t, path).Query(t.Context(), "SELECT symbol FROM v_quotes", nobody, func([]any) error {
		rows++
		return s.Write(t.Context(), kurs.Group{Position: kurs.StreamPos{Epoch: "e", Seq: uint64(rows)}})
	})
	if err != nil || rows != 20 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestShortestDecimal(t *testing.T) {
	for _, c := range []struct {
		f    float64
		want string
	}{
		{0, "0"},
		{0.1, "0.1"},
		{0.1 + 0.2, "0.3"},
		{1.0 / 3, "0.333333333333333"},
		{7.61499566, "7.61499566"},
		{-1e-9, "-0.000000001"},
		{1e300, "1e+300"},
		{123456789012345678, "123456789012346000"},
		{1e-300, "1e-300"},
	} {
		if got := sqlite.ShortestDecimal(c.f); got != c.want {
			t.Errorf("%v: %s, want %s", c.f, got, c.want)
		}
	}
}
