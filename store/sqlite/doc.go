// Package sqlite keeps prices in one SQLite file, which other programs may read
// while kurs writes it: the views (v_quotes and its kin, docs/formats.md) are
// the contract, the tables behind them are not. [Store] writes, [Reader] reads.
//
// It must not know where groups come from, what a config file is, or that there
// are other stores: it knows package kurs and SQLite.
//
// # One writer
//
// The store has one connection of its own, used below database/sql: a prepared
// statement costs half as much there. Everything of a group is one transaction,
// synchronous=FULL, so a commit is on disk or was not.
//
// # Versions
//
// A row's key says what was observed when; its value what it was. A value that
// differs from the one received just before it is a version of its own, and the
// row shows the newest, in whatever order they arrive (package versions).
package sqlite
