//go:build race

package parquet

// raced is whether the race detector watches, which takes many times as long.
const raced = true
