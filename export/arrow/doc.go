// Package arrow writes rows as Arrow IPC, a file or a stream, and counts those of
// what was written.
//
// It must not know where rows come from or where a file is kept: a row is what
// package columns says.
package arrow
