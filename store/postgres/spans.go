package postgres

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/versions"
)

// This file reads and writes versions, of which the last is in the table itself and
// all others are in the table of versions.

func valueOf(k kind, c cell) driver.Value {
	switch {
	case !c.known:
		return nil
	case k == kindDecimal:
		return c.d
	}
	return c.n
}

func valuesOf(columns []column, cells []cell) []driver.Value {
	out := make([]driver.Value, len(columns))
	for i, c := range columns {
		out[i] = valueOf(c.kind, cells[i])
	}
	return out
}

func cellOf(v driver.Value) cell {
	switch x := v.(type) {
	case kurs.Decimal:
		return number(x)
	case int64:
		return whole(x)
	}
	return cell{}
}

// rules are those of the table's columns. The units of all versions that are merged
// were looked up with them.
func (t *tx) rules(s *series) versions.Rules {
	return versions.Rules{
		Conv: s.conv, Base: s.base, Approximate: s.approximate,
		SameFloat32: func(a, b driver.Value) bool { return cellOf(a).d.SameFloat32(cellOf(b).d) },
		Convert: func(native, id, rate driver.Value) driver.Value {
			base, err := kurs.Convert(cellOf(native).d, t.known.unitsByID[cellOf(id).n].factor, cellOf(rate).d)
			if err != nil {
				return nil
			}
			return base
		},
	}
}

// valueOf reads the observation in a row behind its key, which came by a receipt.
func (t *tx) valueOf(ctx context.Context, s *series, row []cell, r versions.Receipt) (versions.Value, error) {
	v := versions.Value{Columns: valuesOf(s.value, row), UnitAt: s.unit}
	if s.unit < 0 {
		return v, nil
	}
	v.Kept = r.ByPerson()
	u, err := t.unitOf(ctx, row[s.unit].n)
	v.Unit = u.unit
	return v, err
}

// loaded is a row that was read, behind its key.
type loaded struct {
	n     int64 // of the key that was asked for, from 1
	cells []cell
	attrs string // last_attrs; empty is NULL
}

// stored reads the versions of each key that its record, or a later one, may concern,
// in order; the one that is shown comes last. There are none where the key is new.
func (t *tx) stored(ctx context.Context, s *series, records []record) ([][]versions.Span, error) {
	out := make([][]versions.Span, len(records))
	span := timesOf(s, records)
	shown, err := t.load(ctx, s, s.load, append(keyArrays(s, records), moment(span.first), moment(span.last)))
	if err != nil {
		return nil, err
	}
	var (
		late   []record
		lateAt []int
	)
	for _, l := range shown {
		v, err := t.spanOf(ctx, s, l)
		if err != nil {
			return nil, err
		}
		at := int(l.n) - 1
		out[at] = []versions.Span{v}
		if v.First.Compare(records[at].Receipt) > 0 { // else what was before it stays as it is
			late, lateAt = append(late, records[at]), append(lateAt, at)
		}
	}
	if len(late) == 0 {
		return out, nil
	}
	since := make([]any, len(late))
	for i := range late {
		since[i] = moment(late[i].Received)
	}
	older, err := t.load(ctx, s, s.loadOlder, append(keyArrays(s, late), since))
	if err != nil {
		return nil, err
	}
	for _, l := range older {
		v, err := t.spanOf(ctx, s, l)
		if err != nil {
			return nil, err
		}
		at := lateAt[l.n-1]
		out[at] = append(out[at], v)
	}
	for _, at := range lateAt {
		slices.SortFunc(out[at], func(a, b versions.Span) int { return a.First.Compare(b.First.Receipt) })
	}
	return out, nil
}

// keyArrays are the keys as parameters, an array a column.
func keyArrays(s *series, records []record) []any {
	out := make([]any, len(s.key))
	for i, c := range s.key {
		column := make([]any, len(records))
		for j := range records {
			column[j] = whole(records[j].key[i]).arg(c.kind)
		}
		out[i] = column
	}
	return out
}

func (t *tx) load(ctx context.Context, s *series, query string, args []any) ([]loaded, error) {
	rows, err := t.conn.Query(ctx, query, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []loaded
	body := s.row[len(s.key):]
	for rows.Next() {
		raw := rows.RawValues()
		n, err := readCell(kindWhole, raw[0])
		if err != nil {
			return nil, err
		}
		l := loaded{n: n.n, cells: make([]cell, len(body)), attrs: string(raw[len(body)+1])}
		for i, c := range body {
			if l.cells[i], err = readCell(c.kind, raw[i+1]); err != nil {
				return nil, fmt.Errorf("column %s of %s: %w", c.name, s.table, err)
			}
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// spanOf is a row as a version.
func (t *tx) spanOf(ctx context.Context, s *series, l loaded) (v versions.Span, err error) {
	column := func(at int) cell { return l.cells[at-len(s.key)] }
	receipt := func(at int) (versions.Receipt, error) {
		return t.receipt(ctx, column(at).n, column(at+1).n, column(at+2).n, column(at+3).n)
	}
	if v.First.Receipt, err = receipt(s.receiptAt); err != nil {
		return v, err
	}
	if v.Value, err = t.valueOf(ctx, s, l.cells, v.First.Receipt); err != nil {
		return v, err
	}
	v.First.Attrs = valuesOf(s.attrs, l.cells[s.attrsAt-len(s.key):])
	v.Last = v.First
	if !column(s.lastAt).known {
		return v, nil
	}
	if v.Last.Receipt, err = receipt(s.lastAt); err != nil {
		return v, err
	}
	if l.attrs != "" {
		v.Last.Attrs, err = unpackAttrs(s.attrs, l.attrs)
	}
	return v, err
}

// cellsOf is a version as the columns behind the key, and last_attrs: nil where the
// last receipt says what the first does.
func (s *series) cellsOf(v versions.Span) (cells []cell, lastAttrs any) {
	cells = make([]cell, len(s.row)-len(s.key))
	for i, c := range v.Columns {
		cells[i] = cellOf(c)
	}
	receiptCells(v.First.Receipt, cells[s.receiptAt-len(s.key):])
	for i, a := range v.First.Attrs {
		cells[s.attrsAt-len(s.key)+i] = cellOf(a)
	}
	if v.First.Compare(v.Last.Receipt) == 0 {
		return cells, nil
	}
	receiptCells(v.Last.Receipt, cells[s.lastAt-len(s.key):])
	if slices.Equal(v.First.Attrs, v.Last.Attrs) && (len(s.conv) == 0 || v.First.Attrs[s.base] != nil) {
		return cells, nil
	}
	return cells, packAttrs(s.attrs, v.Last.Attrs)
}

// packAttrs is the column last_attrs: the attributes between commas, nothing for one
// that is not known.
func packAttrs(columns []column, attrs []driver.Value) string {
	parts := make([]string, len(columns))
	for i, a := range attrs {
		switch c := cellOf(a); {
		case !c.known:
		case columns[i].kind == kindDecimal:
			parts[i] = c.d.String()
		default:
			parts[i] = strconv.FormatInt(c.n, 10)
		}
	}
	return strings.Join(parts, ",")
}

// unpackAttrs reads what packAttrs wrote.
func unpackAttrs(columns []column, packed string) ([]driver.Value, error) {
	parts := strings.Split(packed, ",")
	if len(parts) != len(columns) {
		return nil, fmt.Errorf("%w: last_attrs %q", errColumn, packed)
	}
	attrs := make([]driver.Value, len(columns))
	for i, part := range parts {
		if part == "" {
			continue
		}
		var (
			c   cell
			err error
		)
		if columns[i].kind == kindDecimal {
			c.d, err = kurs.ParseDecimal(part)
			c.known = true
		} else {
			var n int64
			n, err = strconv.ParseInt(part, 10, 64)
			c = whole(n)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: last_attrs %q: %w", errColumn, packed, err)
		}
		attrs[i] = valueOf(columns[i].kind, c)
	}
	return attrs, nil
}

// keyArgs are the key of a record as parameters.
func (s *series) keyArgs(r record) []any {
	key := make([]any, len(s.key), len(s.row)+1)
	for i, c := range s.key {
		key[i] = whole(r.key[i]).arg(c.kind)
	}
	return key
}

// replace has the batch write what merging changed in the versions of a key.
func (t *tx) replace(batch *pgx.Batch, s *series, r record, old, now []versions.Span) {
	key := s.keyArgs(r)
	row := func(v versions.Span) []any {
		cells, lastAttrs := s.cellsOf(v)
		args := slices.Clone(key)
		for i, c := range s.row[len(s.key):] {
			args = append(args, cells[i].arg(c.kind))
		}
		return append(args, lastAttrs)
	}
	shown := now[len(now)-1]
	now = now[:len(now)-1]
	if len(old) == 0 {
		batch.Queue(s.insertShown, row(shown)...)
		t.counts[s.table]++
	} else {
		if !old[len(old)-1].Equal(shown) {
			batch.Queue(s.update, row(shown)...)
		}
		old = old[:len(old)-1]
	}
	for _, v := range old {
		if !slices.ContainsFunc(now, v.Equal) {
			batch.Queue(s.deleteOlder, append(slices.Clone(key), moment(v.First.Received), v.First.Run, v.First.Counter)...)
			t.counts[s.table+"_versions"]--
		}
	}
	for _, v := range now {
		if !slices.ContainsFunc(old, v.Equal) {
			batch.Queue(s.insertOlder, row(v)...)
			t.counts[s.table+"_versions"]++
		}
	}
}
