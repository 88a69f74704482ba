package parquet

import (
	"github.com/parquet-go/parquet-go"

	"kurs/export/columns"
)

// columnBytes is the width of a DECIMAL(38, ...) column.
const columnBytes = 16

// schemaOf is the file's schema, with the columns in their order. Numbers that
// grow are kept as differences; texts and decimals repeat, so each is kept once a
// group and referred to.
func schemaOf[R any](all []columns.Column[R]) *parquet.Schema {
	var fields ordered
	for _, c := range all {
		node := nodeOf(c.Kind)
		if !c.Required {
			node = parquet.Optional(node)
		}
		fields.fields = append(fields.fields, field{Node: node, name: c.Name})
	}
	return parquet.NewSchema("kurs", fields)
}

func nodeOf(kind columns.Kind) parquet.Node {
	switch kind {
	case columns.Text:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case columns.Decimal:
		return parquet.Encoded(parquet.Decimal(columns.Scale, columns.Width, parquet.FixedLenByteArrayType(columnBytes)), &parquet.RLEDictionary)
	case columns.Time:
		return parquet.Encoded(parquet.Timestamp(parquet.Millisecond), &parquet.DeltaBinaryPacked)
	case columns.Whole:
		return parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	default:
		return parquet.Leaf(parquet.BooleanType)
	}
}
