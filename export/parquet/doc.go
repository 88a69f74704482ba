// Package parquet writes rows as one Parquet file, and counts those of a file that
// was written.
//
// It must not know where rows come from or where a file is kept: a row is what
// package columns says.
package parquet
