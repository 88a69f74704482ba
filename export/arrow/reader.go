package arrow

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Rows reads a file, every batch of it, and counts its rows.
func Rows(r io.ReaderAt, size int64) (rows int64, err error) {
	file, err := ipc.NewFileReader(io.NewSectionReader(r, 0, size))
	if err != nil {
		return 0, fmt.Errorf("arrow: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for i := range file.NumRecords() {
		batch, err := file.RecordBatchAt(i)
		if err != nil {
			return rows, fmt.Errorf("arrow: batch %d: %w", i, err)
		}
		rows += batch.NumRows()
		batch.Release()
	}
	return rows, nil
}
