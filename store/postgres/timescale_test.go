package postgres_test

import (
	"testing"

	"kurs"
	"kurs/store/postgres/pgtest"
)

// TestTimescale stands in for the extension, which is not to be had everywhere: its
// name is in the catalog, and its function notes that it was called. Everything works
// with tables that are not partitioned by kurs.
func TestTimescale(t *testing.T) {
	server := pgtest.Shared(t)
	server.Exec(t, `CREATE SCHEMA "the extension"`, `CREATE TABLE public.called (name text, by name, step interval, indexes boolean)`,
		`CREATE FUNCTION "the extension".create_hypertable(relation regclass, by name, chunk_time_interval interval, create_default_indexes boolean)
		 RETURNS void LANGUAGE sql AS 'INSERT INTO public.called VALUES (relation::text, by, chunk_time_interval, create_default_indexes)'`,
		`SET allow_system_table_mods = on; INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
		 SELECT 99999, 'timescaledb', 10, oid, false, '2.0' FROM pg_namespace WHERE nspname = 'the extension'`)
	s := open(t, config(server, "kurs"))
	changed := quote("A", 5)
	changed.Value, changed.Received = kurs.Int(2), changed.Received.AddDate(0, 0, 1)
	old := quote("A", 1)
	old.Time = noon.AddDate(-30, 0, 0)
	for range 2 {
		for _, g := range []kurs.Group{group(quote("A", 0)), everything(), group(old), group(changed)} {
			if err := s.Write(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM public.called WHERE by = 'time' AND NOT indexes AND name IN ('quotes', 'bars')": 2,
		"SELECT count(*) FROM pg_class WHERE relnamespace = 'kurs'::regnamespace AND relkind = 'p'":           0,
		"SELECT count(*) FROM v_quotes":                                  3,
		"SELECT count(*) FROM v_quotes WHERE price_native = 2":           0, // corrected
		"SELECT count(*) FROM v_versions WHERE price_native = 2":         1,
		"SELECT count(*) FROM v_bars":                                    1,
		"SELECT count(*) FROM v_versions WHERE corrected_by IS NOT NULL": 1,
	} {
		if got := count(t, server, "kurs", query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// TestPsqlReadsTheViews: what a person sees.
func TestPsqlReadsTheViews(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	p := quote("A", 0)
	p.Value = kurs.MustDecimal("123456789012345678")
	if err := s.Write(t.Context(), group(p)); err != nil {
		t.Fatal(err)
	}
	got := server.Psql(t, "SET timezone = 'UTC'; SELECT symbol, time, time_iso, time_ms, price_native, unit, approximate FROM kurs.v_quotes")
	want := "SET\nA|2026-11-24 12:00:00+00|2026-11-24T12:00:00.000Z|1795521600000|123456789012345678|USD|f"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
