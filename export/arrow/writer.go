package arrow

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"kurs/export/columns"
)

// batchRows are the rows of a record batch; one is held in memory.
const batchRows = 16_384

// Writer writes rows of type R. It keeps a batch of rows in memory. It is for one
// goroutine.
type Writer[R any] struct {
	to      batches
	columns []columns.Column[R]
	builder *array.RecordBuilder
	inBatch int
}

// batches takes record batches: a file or a stream.
type batches interface {
	Write(batch arrow.RecordBatch) error
	Close() error
}

// NewFile begins a file: batches, and an end by which a reader finds each. It is
// whole when Close has returned nil; w stays open.
func NewFile[R any](w io.Writer, all []columns.Column[R]) (*Writer[R], error) {
	schema := schemaOf(all)
	to, err := ipc.NewFileWriter(w, ipc.WithSchema(schema), ipc.WithZstd(), ipc.WithCompressConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("arrow: %w", err)
	}
	return newWriter(to, schema, all), nil
}

// NewStream begins a stream, for a pipe: batches that are read one after another.
func NewStream[R any](w io.Writer, all []columns.Column[R]) *Writer[R] {
	schema := schemaOf(all)
	return newWriter(ipc.NewWriter(w, ipc.WithSchema(schema), ipc.WithZstd(), ipc.WithCompressConcurrency(1)), schema, all)
}

func newWriter[R any](to batches, schema *arrow.Schema, all []columns.Column[R]) *Writer[R] {
	return &Writer[R]{to: to, columns: all, builder: array.NewRecordBuilder(memory.DefaultAllocator, schema)}
}

// schemaOf has the columns in their order. Texts are plain: a dictionary that
// grows on the way is what many readers of files refuse, and zstd makes little of
// what repeats.
func schemaOf[R any](all []columns.Column[R]) *arrow.Schema {
	var fields []arrow.Field
	for _, c := range all {
		fields = append(fields, arrow.Field{Name: c.Name, Type: typeOf(c.Kind), Nullable: !c.Required})
	}
	return arrow.NewSchema(fields, nil)
}

func typeOf(kind columns.Kind) arrow.DataType {
	switch kind {
	case columns.Text:
		return arrow.BinaryTypes.String
	case columns.Decimal:
		return &arrow.Decimal128Type{Precision: columns.Width, Scale: columns.Scale}
	case columns.Time:
		return arrow.FixedWidthTypes.Timestamp_ms // UTC
	case columns.Whole:
		return arrow.PrimitiveTypes.Int64
	default:
		return arrow.FixedWidthTypes.Boolean
	}
}

// Write adds a row.
func (w *Writer[R]) Write(row R) error {
	for i, c := range w.columns {
		add(w.builder.Field(i), c, &row)
	}
	w.inBatch++
	if w.inBatch < batchRows {
		return nil
	}
	return w.flush()
}

func (w *Writer[R]) flush() error {
	batch := w.builder.NewRecordBatch()
	defer batch.Release()
	w.inBatch = 0
	if err := w.to.Write(batch); err != nil {
		return fmt.Errorf("arrow: %w", err)
	}
	return nil
}

// Close writes what is left and the end. Without rows it is a file all the same.
func (w *Writer[R]) Close() error {
	defer w.builder.Release()
	if w.inBatch > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if err := w.to.Close(); err != nil {
		return fmt.Errorf("arrow: %w", err)
	}
	return nil
}

// add appends the value that a row has in a column.
func add[R any](to array.Builder, c columns.Column[R], row *R) {
	switch b := to.(type) {
	case *array.StringBuilder:
		if text := c.Text(row); text != "" || c.Required {
			b.Append(text)
			return
		}
	case *array.Decimal128Builder:
		if hi, lo, ok := columns.Scaled(c.Decimal(row)); ok {
			b.Append(decimal128.New(hi, lo))
			return
		}
	case *array.TimestampBuilder:
		if at := c.Time(row); !at.IsZero() || c.Required {
			b.Append(arrow.Timestamp(at.UnixMilli()))
			return
		}
	case *array.Int64Builder:
		if n, ok := c.Whole(row); ok {
			b.Append(n)
			return
		}
	case *array.BooleanBuilder:
		b.Append(c.Flag(row))
		return
	}
	to.AppendNull()
}
