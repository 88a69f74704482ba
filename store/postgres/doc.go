// Package postgres keeps prices in a schema of a PostgreSQL database, 15 or later,
// which other programs may read while kurs writes it: the views (v_quotes and its
// kin, docs/formats.md) are the contract, the tables behind them are not.
//
// It must not know where groups come from, what a config file is, or that there are
// other stores: it knows package kurs, the rule of versions, and PostgreSQL.
//
// # One writer
//
// The store has one session, which holds an advisory lock for as long as it lives:
// another kurs is refused. A group is one transaction with synchronous_commit on.
//
// # How rows get in
//
// Prices that are newer than the latest of their symbol go by COPY into their table:
// nothing can be stored of them. All others go by COPY into a temporary table and from
// there by one upsert, which takes new keys and those of a market that stands still.
// Keys of which something else is stored are read, merged by package versions, and
// written one by one.
package postgres
