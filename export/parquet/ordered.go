package parquet

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// ordered is a group of columns that keeps their order; the library's own sorts
// them by name.
type ordered struct {
	parquet.Group

	fields []parquet.Field
}

// Fields are the columns.
func (o ordered) Fields() []parquet.Field { return o.fields }

// field is a column of the group. Values are written by column, never as a Go
// struct.
type field struct {
	parquet.Node

	name string
}

// Name is the column's.
func (f field) Name() string { return f.name }

// Value is a field of a Go value, which here is a map.
func (f field) Value(base reflect.Value) reflect.Value {
	return base.MapIndex(reflect.ValueOf(f.name))
}
