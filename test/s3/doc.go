// Package s3 runs the store parquet against a real server of object storage,
// versitygw, which keeps objects as files of a folder. A module of its own, so
// that what the server needs is not what kurs needs.
//
// It knows of kurs the store alone.
package s3
