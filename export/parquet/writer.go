package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"kurs/export/columns"
)

// Rows are handed on in batches, and a group of them is what a reader can skip,
// and what is held in memory: about 30 MB.
const (
	batchRows = 1024
	groupRows = 100_000
)

// Writer writes rows of type R to a file. It keeps at most a group of rows in
// memory. It is for one goroutine.
type Writer[R any] struct {
	file    *parquet.GenericWriter[any]
	columns []*column[R]
	batch   []R
	inGroup int
	rows    int64
}

// NewWriter begins a file. Rows are best sorted by symbol and time: that is what
// makes files small and readers quick. The file is whole when Close has returned
// nil; w stays open.
func NewWriter[R any](w io.Writer, all []columns.Column[R]) *Writer[R] {
	schema := schemaOf(all)
	options := []parquet.WriterOption{schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("kurs", "", ""), parquet.MaxRowsPerRowGroup(groupRows)}
	for _, c := range all {
		if c.Kind == columns.Decimal {
			// The library compares their bytes without a sign, so that a reader
			// would pass over the groups with a price below zero.
			options = append(options, parquet.SkipPageBounds(c.Name))
		}
	}
	out := &Writer[R]{file: parquet.NewGenericWriter[any](w, options...), batch: make([]R, 0, batchRows)}
	for i, c := range all {
		out.columns = append(out.columns, &column[R]{Column: c, index: i})
	}
	return out
}

// Write adds a row.
func (w *Writer[R]) Write(row R) error {
	w.batch = append(w.batch, row)
	if len(w.batch) < batchRows {
		return nil
	}
	return w.flush()
}

// flush hands the batch on, column by column.
func (w *Writer[R]) flush() error {
	if len(w.batch) == 0 {
		return nil
	}
	if w.inGroup+len(w.batch) > groupRows {
		if err := w.file.Flush(); err != nil {
			return fmt.Errorf("parquet: %w", err)
		}
		w.inGroup = 0
	}
	for i, to := range w.file.ColumnWriters() {
		if _, err := to.WriteRowValues(w.columns[i].of(w.batch)); err != nil {
			return fmt.Errorf("parquet: column %s: %w", w.columns[i].Name, err)
		}
	}
	w.inGroup += len(w.batch)
	w.rows += int64(len(w.batch))
	w.batch = w.batch[:0]
	return nil
}

// Close writes what is left and the file's end. A file without rows is a file.
func (w *Writer[R]) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("parquet: %w", err)
	}
	return nil
}

// column makes the values of a column.
type column[R any] struct {
	columns.Column[R]
	index  int
	values []parquet.Value
	digits [batchRows][columnBytes]byte // what the values of a batch point to
	last   string                       // texts are mostly that of the row before
	bytes  []byte
}

// of are the values of some rows; they are good until the next call.
func (c *column[R]) of(rows []R) []parquet.Value {
	c.values = c.values[:0]
	known := 1
	if c.Required {
		known = 0
	}
	for i := range rows {
		v := c.value(i, &rows[i])
		if v.IsNull() {
			c.values = append(c.values, v.Level(0, 0, c.index))
			continue
		}
		c.values = append(c.values, v.Level(0, known, c.index))
	}
	return c.values
}

func (c *column[R]) value(i int, row *R) parquet.Value {
	switch c.Kind {
	case columns.Text:
		text := c.Text(row)
		if text == "" && !c.Required {
			return parquet.NullValue()
		}
		if text != c.last || c.bytes == nil {
			c.last, c.bytes = text, append(make([]byte, 0, len(text)+1), text...)
		}
		return parquet.ByteArrayValue(c.bytes)
	case columns.Decimal:
		hi, lo, ok := columns.Scaled(c.Decimal(row))
		if !ok {
			return parquet.NullValue()
		}
		to := c.digits[i][:]
		binary.BigEndian.PutUint64(to, uint64(hi)) //nolint:gosec // two's complement
		binary.BigEndian.PutUint64(to[8:], lo)
		return parquet.FixedLenByteArrayValue(to)
	case columns.Time:
		at := c.Time(row)
		if at.IsZero() && !c.Required {
			return parquet.NullValue()
		}
		return parquet.Int64Value(at.UnixMilli())
	case columns.Whole:
		n, ok := c.Whole(row)
		if !ok {
			return parquet.NullValue()
		}
		return parquet.Int64Value(n)
	default:
		return parquet.BooleanValue(c.Flag(row))
	}
}
