package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Rows reads a file and counts its rows: as its end says, and as many as its first
// column has values. Where the two differ, or the file cannot be read, it is not
// whole.
func Rows(r io.ReaderAt, size int64) (int64, error) {
	file, err := parquet.OpenFile(r, size)
	if err != nil {
		return 0, fmt.Errorf("parquet: %w", err)
	}
	var rows int64
	for _, group := range file.RowGroups() {
		n, err := values(group.ColumnChunks()[0])
		if err != nil {
			return 0, fmt.Errorf("parquet: %w", err)
		}
		rows += n
	}
	if rows != file.NumRows() {
		return rows, fmt.Errorf("parquet: the file says that it has %d rows, and has %d", file.NumRows(), rows)
	}
	return rows, nil
}

// values counts those of a column in a group.
func values(chunk parquet.ColumnChunk) (n int64, err error) {
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err //nolint:wrapcheck // by Rows
		}
		n += page.NumValues()
		parquet.Release(page)
	}
}
