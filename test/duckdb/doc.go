// Package duckdb reads the files of store/parquet with DuckDB, as their readers
// do. A module of its own: DuckDB needs cgo, and kurs does not.
//
// It knows of kurs the store alone; what it reads it knows from docs/formats.md.
package duckdb
