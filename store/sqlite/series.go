package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"strings"

	"kurs"
	"kurs/store/versions"
)

// series describes a table whose rows have versions: quotes, bars and rates are
// alike but for their columns. A key is up to five whole numbers.
type series struct {
	table string
	key   []string
	value []string // the observation: what differs makes a version
	attrs []string // what else a receipt says
	conv  []int    // indices in attrs of the conversion
	base  int      // index in attrs of the column that is NULL while there is none
	unit  int      // index in value of the unit's id; -1 where there is none

	approximate int // index in attrs of the column that says so of the first of value; -1 where that makes no difference

	insert, repeat, load, update, fill        string
	loadBetween, insertVersion, deleteVersion string

	keyWidth, receiptAt, attrsAt, lastAt int // where in a row the value, the receipt, attrs and last begin
}

const maxKey = 5

func newSeries(s series) *series {
	s.keyWidth = len(s.key)
	s.receiptAt = s.keyWidth + len(s.value)
	s.attrsAt = s.receiptAt + 4
	s.lastAt = s.attrsAt + len(s.attrs)

	receipts := []string{"received", "run", "counter", "origin"}
	last := []string{"last_received", "last_run", "last_counter", "last_origin", "last_attrs"}
	once := slices.Concat(s.key, s.value, receipts, s.attrs)
	all := slices.Concat(once, last)
	body := all[s.keyWidth:]
	older := s.table + "_versions"
	byKey := " WHERE " + each(s.key, " = ?", " AND ")

	s.insert = "INSERT INTO " + s.table + " (" + strings.Join(once, ", ") + ") VALUES (" + marks(len(once)) + ") ON CONFLICT DO NOTHING"
	// Seen again, later, and the same in every respect: the common case of a
	// market that stands still.
	s.repeat = "UPDATE " + s.table + " SET last_received = ?, last_run = ?, last_counter = ?, last_origin = ?, last_attrs = NULL" + byKey +
		" AND " + each(s.value, " IS ?", " AND ") + " AND " + each(s.attrs, " IS ?", " AND ") +
		" AND coalesce(last_received, received) < ?"
	if s.unit >= 0 {
		s.repeat += " AND origin <> ?" // what a person kept is a version of its own
	}
	s.load = "SELECT " + strings.Join(body, ", ") + " FROM " + s.table + byKey
	s.update = "UPDATE " + s.table + " SET " + each(body, " = ?", ", ") + byKey
	// The versions from the one in force at a time on.
	s.loadBetween = "SELECT " + strings.Join(body, ", ") + " FROM " + older + byKey +
		" AND received >= coalesce((SELECT max(received) FROM " + older + byKey + " AND received < ?), -9223372036854775808)"
	s.insertVersion = "INSERT INTO " + older + " (" + strings.Join(all, ", ") + ") VALUES (" + marks(len(all)) + ")"
	s.deleteVersion = "DELETE FROM " + older + byKey + " AND received = ? AND run = ? AND counter = ?"
	if len(s.conv) > 0 {
		var columns []string
		for _, i := range s.conv {
			columns = append(columns, s.attrs[i])
		}
		s.fill = "UPDATE " + s.table + " SET " + each(columns, " = ?", ", ") + byKey +
			" AND received = ? AND run = ? AND counter = ? AND " + s.attrs[s.base] + " IS NULL"
	}
	return &s
}

// each is a list of "NAME suffix".
func each(names []string, suffix, between string) string {
	return strings.Join(names, suffix+between) + suffix
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// tables are those with versions. Their columns are those of the migrations.
type tables struct{ quotes, bars, rates *series }

func newTables() tables {
	return tables{quotes: quoteSeries(), bars: barSeries(), rates: rateSeries()}
}

func quoteSeries() *series {
	return newSeries(series{
		table: "quotes",
		key:   []string{"instrument", "time", "session", "source"},
		value: []string{"native", "unit"},
		attrs: []string{"approximate", "fx_rate", "fx_time", "fx_source", "base", "bid", "ask", "volume"},
		conv:  []int{1, 2, 3, 4},
		base:  4,
		unit:  1,

		approximate: 0,
	})
}

func barSeries() *series {
	return newSeries(series{
		table: "bars",
		key:   []string{"instrument", "interval", "time", "source"},
		value: []string{"open", "high", "low", "close", "volume", "unit"},
		attrs: []string{"approximate", "fx_rate", "fx_time", "fx_source", "base_open", "base_high", "base_low", "base"},
		conv:  []int{1, 2, 3, 4, 5, 6, 7},
		base:  7,
		unit:  5,

		approximate: -1,
	})
}

func rateSeries() *series {
	return newSeries(series{
		table: "rates",
		key:   []string{"from_currency", "to_currency", "time", "source", "interval"},
		value: []string{"rate"},
		attrs: []string{"symbol", "valid_for"},
		unit:  -1,

		approximate: -1,
	})
}

// record is one observation on its way into a table.
type record struct {
	key [maxKey]int64
	versions.Receipt
	batch, index int // where it is in the group
}

// put adds an observation to its table: by one statement where the key is new,
// by two where nothing has changed since, and else by reading its versions.
// row has the columns of the table up to attrs.
func (t *tx) put(ctx context.Context, s *series, r record, row []driver.Value) error {
	insert, err := t.conn.stmt(ctx, s.insert)
	if err != nil {
		return err
	}
	changed, err := insert.run(ctx, row...)
	if err != nil {
		return err
	}
	if changed == 1 {
		t.counts[s.table]++
		return nil
	}
	attrs := row[s.attrsAt:s.lastAt]
	// A conversion that is not known yet is this receipt's own matter: the two
	// receipts are then kept apart.
	if s.unit < 0 || attrs[s.base] != nil && !r.ByPerson() {
		t.args = append(t.args[:0], r.Received, r.Run, r.Counter, r.Origin)
		t.args = append(t.args, row[:s.receiptAt]...)
		t.args = append(t.args, attrs...)
		t.args = append(t.args, r.Received)
		if s.unit >= 0 {
			said, err := t.textID(ctx, string(kurs.OriginCorrection))
			if err != nil {
				return err
			}
			t.args = append(t.args, said)
		}
		changed, err = t.conn.exec(ctx, s.repeat, t.args...)
		if err != nil || changed == 1 {
			return err
		}
	}
	old, err := t.versions(ctx, s, row[:s.keyWidth], r.Receipt)
	if err != nil {
		return err
	}
	said, err := t.value(ctx, s, row[s.keyWidth:], r.Receipt)
	if err != nil {
		return err
	}
	add := versions.Seen{Receipt: r.Receipt, Attrs: slices.Clone(attrs)}
	return t.replace(ctx, s, row[:s.keyWidth], old, t.rules(ctx, s).Merge(old, add, said))
}

// rules are those of the table's columns.
func (t *tx) rules(ctx context.Context, s *series) versions.Rules {
	return versions.Rules{
		Conv: s.conv, Base: s.base, Approximate: s.approximate,
		SameFloat32: sameFloat32,
		Convert: func(native, unit, rate driver.Value) driver.Value {
			return convertAgain(native, t.factorOf(ctx, unit), rate)
		},
	}
}

// versions reads the versions of a key that a receipt may concern, in order;
// the one that is shown comes last. There are none where the key is new.
func (t *tx) versions(ctx context.Context, s *series, key []driver.Value, r versions.Receipt) ([]versions.Span, error) {
	row, err := t.conn.row(ctx, s.load, key...)
	if err != nil || row == nil {
		return nil, err
	}
	shown, err := t.span(ctx, s, row)
	if err != nil {
		return nil, err
	}
	if shown.First.Compare(r) <= 0 {
		return []versions.Span{shown}, nil // what was before it stays as it is
	}
	var spans []versions.Span
	err = t.conn.rows(ctx, s.loadBetween, func(row []driver.Value) error {
		v, err := t.span(ctx, s, row)
		spans = append(spans, v)
		return err
	}, slices.Concat(key, key, []driver.Value{r.Received})...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(spans, func(a, b versions.Span) int { return a.First.Compare(b.First.Receipt) })
	return append(spans, shown), nil
}

// span reads a row behind its key.
func (t *tx) span(ctx context.Context, s *series, row []driver.Value) (versions.Span, error) {
	column := func(at int) driver.Value { return row[at-s.keyWidth] }
	first, err := t.receipt(ctx, whole(column(s.receiptAt)), whole(column(s.receiptAt+1)), whole(column(s.receiptAt+2)), whole(column(s.receiptAt+3)))
	if err != nil {
		return versions.Span{}, err
	}
	said, err := t.value(ctx, s, row, first)
	if err != nil {
		return versions.Span{}, err
	}
	v := versions.Span{
		Value: said,
		First: versions.Seen{Receipt: first, Attrs: slices.Clone(row[s.attrsAt-s.keyWidth : s.lastAt-s.keyWidth])},
	}
	v.Last = v.First
	if column(s.lastAt) == nil {
		return v, nil
	}
	v.Last.Receipt, err = t.receipt(ctx, whole(column(s.lastAt)), whole(column(s.lastAt+1)), whole(column(s.lastAt+2)), whole(column(s.lastAt+3)))
	if err != nil {
		return versions.Span{}, err
	}
	if packed, ok := column(s.lastAt + 4).([]byte); ok {
		v.Last.Attrs, err = unpackAttrs(packed, len(s.attrs))
	}
	return v, err
}

// value reads the observation in a row behind its key, which came by a receipt.
func (t *tx) value(ctx context.Context, s *series, row []driver.Value, r versions.Receipt) (versions.Value, error) {
	v := versions.Value{Columns: slices.Clone(row[:s.receiptAt-s.keyWidth]), UnitAt: s.unit}
	if s.unit < 0 {
		return v, nil
	}
	v.Kept = r.ByPerson()
	var err error
	v.Unit, err = t.unitName(ctx, whole(v.Columns[s.unit]))
	return v, err
}

// columnsOf is a version as the columns behind the key.
func (s *series) columnsOf(v versions.Span) []driver.Value {
	out := slices.Concat(v.Columns, []driver.Value{v.First.Received, v.First.Run, v.First.Counter, v.First.Origin}, v.First.Attrs)
	if v.First.Compare(v.Last.Receipt) == 0 {
		return append(out, nil, nil, nil, nil, nil)
	}
	out = append(out, v.Last.Received, v.Last.Run, v.Last.Counter, v.Last.Origin)
	if slices.Equal(v.First.Attrs, v.Last.Attrs) && (len(s.conv) == 0 || v.First.Attrs[s.base] != nil) {
		return append(out, nil)
	}
	return append(out, packAttrs(v.Last.Attrs))
}

// replace writes what merge changed. Of a key that was there, the last version
// is in the table itself, all others are in the table of versions.
func (t *tx) replace(ctx context.Context, s *series, key []driver.Value, old, now []versions.Span) error {
	shownOld, shownNow := old[len(old)-1], now[len(now)-1]
	if !shownOld.Equal(shownNow) {
		if _, err := t.conn.exec(ctx, s.update, append(s.columnsOf(shownNow), key...)...); err != nil {
			return err
		}
	}
	old, now = old[:len(old)-1], now[:len(now)-1]
	for _, v := range old {
		if slices.ContainsFunc(now, v.Equal) {
			continue
		}
		if _, err := t.conn.exec(ctx, s.deleteVersion, append(slices.Clone(key), v.First.Received, v.First.Run, v.First.Counter)...); err != nil {
			return err
		}
		t.counts[s.table+"_versions"]--
	}
	for _, v := range now {
		if slices.ContainsFunc(old, v.Equal) {
			continue
		}
		if _, err := t.conn.exec(ctx, s.insertVersion, append(slices.Clone(key), s.columnsOf(v)...)...); err != nil {
			return err
		}
		t.counts[s.table+"_versions"]++
	}
	return nil
}
