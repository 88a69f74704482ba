// Package parquet keeps prices as a dataset of Parquet files, in a local
// directory or in object storage that speaks S3, for DuckDB, Polars and the
// like: a folder a kind (quotes, bars, rates, events, gaps, quarantine, aliases,
// instruments), in it a folder a day, date=2026-11-24, in UTC. docs/formats.md
// describes the columns, which are a contract.
//
// It must not know where groups come from, what a config file is, or that there
// are other stores: it knows package kurs, Parquet and S3.
//
// # What is promised
//
// A group and its position are kept whole or not at all: first in a journal on
// the local disk, with an fsync before [Store.Write] returns, and after
// Config.FlushRows rows or Config.FlushEvery as files. A file is never seen
// half-written: it is written under _kurs/ and renamed (in object storage: one
// PUT, or a multipart upload that is completed). What belongs to the dataset is
// what the manifest names (_kurs/manifest.json), with the position up to which
// the files reach; it is replaced last, in one step. Files that it does not name
// are removed when the store is opened, so a crash leaves the old state or the
// new one.
//
// A group that was written before is told by its position and passed over.
// Where a group has none (a dead letter's neighbours), it may be in two files
// until they are compacted.
//
// After a day is over its files become one sorted file (more, where that is
// large), without duplicates and with base values filled in; late prices are
// added to it later. In quotes, bars and rates is then the newest version of
// each price. Until then a plain read of quotes shows a price as it came:
//
//   - without a base value, where its rate came after the file was written;
//   - beside its correction, where the provider said something else later;
//   - though a person took it back, who had kept it before.
//
// Superseded versions are in quotes_versions, and in quotes_seen what completes
// both and is no price of its own: the last receipt of a price that was received
// again unchanged, rates that were not filled in yet, what people corrected, and
// what they decided of what was set aside. In whatever order all of it comes, the
// result is one.
//
// Nothing is deleted for its age.
// While the new file of a day takes the place of the old ones, for some
// milliseconds (of object storage: while it is uploaded), a plain read may find
// both; the manifest tells which.
package parquet
