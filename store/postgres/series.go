package postgres

import (
	"fmt"
	"slices"
	"strings"

	"kurs/store/versions"
)

// column is one of a table.
type column struct {
	name string
	kind kind
}

// series describes a table whose rows have versions: quotes, bars and rates are alike
// but for their columns. A key is up to five whole numbers.
type series struct {
	table string
	key   []column
	value []column // the observation: what differs makes a version
	attrs []column // what else a receipt says
	conv  []int    // indices in attrs of the conversion
	base  int      // index in attrs of the column that is NULL while there is none
	unit  int      // index in value of the unit's id; -1 where there is none
	time  int      // index in key of the time

	approximate int // index in attrs of the column that says so of the first of value; -1 where that makes no difference
	partitioned bool

	row []column // as it is staged: key, value, receipt, attrs, last receipt

	receiptAt, attrsAt, lastAt int // where in row the receipt, attrs and the last receipt begin

	stageTable, stage, copy, insert, upsert, unsettled string
	load, loadOlder, update, insertOlder               string
	deleteOlder, insertShown, fill, delete             string
}

const maxKey = 5

var (
	firstReceipt = []column{{"received", kindTime}, {"run", kindID}, {"counter", kindWhole}, {"origin", kindID}}
	lastReceipt  = []column{{"last_received", kindTime}, {"last_run", kindID}, {"last_counter", kindWhole}, {"last_origin", kindID}}
)

func newSeries(s series) *series {
	s.receiptAt = len(s.key) + len(s.value)
	s.attrsAt = s.receiptAt + len(firstReceipt)
	s.lastAt = s.attrsAt + len(s.attrs)
	for _, part := range [][]column{s.key, s.value, firstReceipt, s.attrs, lastReceipt} {
		s.row = append(s.row, part...)
	}
	body := s.row[len(s.key):]
	all := listed(s.row)
	older := s.table + "_versions"
	stage := "stage_" + s.table

	s.stageTable = "CREATE TEMPORARY TABLE " + stage + " (n integer, " + definitions(s.row) + ") ON COMMIT DELETE ROWS"
	s.stage = "COPY " + stage + " (n, " + all + ") FROM STDIN (FORMAT binary)"
	s.copy = "COPY " + s.table + " (" + all + ") FROM STDIN (FORMAT binary)"
	s.insert = "INSERT INTO " + s.table + " (" + all + ") SELECT " + all + " FROM " + stage + " WHERE last_received IS NOT NULL ON CONFLICT DO NOTHING"

	s.upsert = s.upsertStatement(all, stage)
	sameReceipt := func(of string) string {
		return "(q." + of + "received, q." + of + "run, q." + of + "counter) = (s.received, s.run, s.counter)"
	}
	// What is not in the table yet as its first or its last receipt, with all that it
	// says, or is but could bring a conversion along.
	settled := sameReceipt("") + " AND s.last_received IS NOT DISTINCT FROM q.last_received" +
		" AND s.last_run IS NOT DISTINCT FROM q.last_run AND s.last_counter IS NOT DISTINCT FROM q.last_counter" +
		" OR s.last_received IS NULL AND (" + sameReceipt("") + " OR " + sameReceipt("last_") + ")"
	if len(s.conv) > 0 {
		base := s.attrs[s.base].name
		settled = "(" + settled + ") AND (s." + base + " IS NULL OR q." + base + " IS NOT NULL AND q.last_attrs IS NULL)"
	}
	// Each key is looked up by itself: a join of two tables might be planned the other
	// way round, through all rows of the time.
	lookup := func(columns, of string) string {
		return " CROSS JOIN LATERAL (SELECT " + columns + " FROM " + s.table + " q WHERE " + each(s.key, "q.%[1]s = "+of+".%[1]s", " AND ") +
			" AND q.time BETWEEN $%d AND $%d LIMIT 1) q"
	}
	s.unsettled = "SELECT s.n FROM " + stage + " s" + fmt.Sprintf(lookup("q.*", "s"), 1, 2) + " WHERE (" + settled + ") IS NOT TRUE ORDER BY s.n"

	asked := "FROM (SELECT * FROM unnest(" + arrays(s.key) + ") WITH ORDINALITY AS k (" + listed(s.key) + ", n)) k"
	s.load = "SELECT k.n, " + each(body, "q.%s", ", ") + ", q.last_attrs " + asked + fmt.Sprintf(lookup("q.*", "k"), len(s.key)+1, len(s.key)+2)
	// The versions from the one in force at a time on.
	byKey := func(of string) string { return each(s.key, of+".%[1]s = k.%[1]s", " AND ") }
	s.loadOlder = "SELECT k.n, " + each(body, "q.%s", ", ") + ", q.last_attrs FROM (SELECT * FROM unnest(" + arrays(s.key) + fmt.Sprintf(", $%d::timestamptz[]", len(s.key)+1) +
		") WITH ORDINALITY AS k (" + listed(s.key) + ", since, n)) k CROSS JOIN LATERAL (SELECT * FROM " + older + " q WHERE " + byKey("q") +
		" AND q.received >= coalesce((SELECT max(w.received) FROM " + older + " w WHERE " + byKey("w") + " AND w.received < k.since), '-infinity') OFFSET 0) q"

	n := len(s.row) + 1
	s.insertShown = "INSERT INTO " + s.table + " (" + all + ", last_attrs) VALUES (" + params(1, n) + ")"
	s.insertOlder = "INSERT INTO " + older + " (" + all + ", last_attrs) VALUES (" + params(1, n) + ")"
	key := numbered(s.key, 1)
	s.delete = "DELETE FROM " + s.table + " WHERE " + key
	s.update = "UPDATE " + s.table + " SET (" + listed(body) + ", last_attrs) = (" + params(len(s.key)+1, len(body)+1) + ") WHERE " + key
	s.deleteOlder = "DELETE FROM " + older + " WHERE " + key +
		fmt.Sprintf(" AND (received, run, counter) = ($%d, $%d, $%d)", len(s.key)+1, len(s.key)+2, len(s.key)+3)
	s.fill = s.fillStatement(key)
	return &s
}

// upsertStatement puts in what is staged and new. What is there is seen again, later,
// and the same in every respect: the common case of a market that stands still. It
// tells how many rows are new, and how many are done.
func (s *series) upsertStatement(all, stage string) string {
	apart := ""
	if len(s.conv) > 0 {
		// A conversion that is not known yet is a receipt's own matter: the two
		// receipts are then kept apart.
		apart = " AND excluded." + s.attrs[s.base].name + " IS NOT NULL"
	}
	if s.unit >= 0 {
		// What a person kept is a version of its own. $1 is the origin of such.
		apart += " AND q.origin <> $1 AND excluded.origin <> $1"
	}
	return "WITH done AS (INSERT INTO " + s.table + " AS q (" + all + ") SELECT " + all + " FROM " + stage + " WHERE last_received IS NULL" +
		" ON CONFLICT (" + listed(s.key) + ") DO UPDATE SET last_received = excluded.received, last_run = excluded.run," +
		" last_counter = excluded.counter, last_origin = excluded.origin, last_attrs = NULL WHERE coalesce(q.last_received, q.received) < excluded.received AND " +
		each(append(slices.Clip(s.value), s.attrs...), "q.%[1]s IS NOT DISTINCT FROM excluded.%[1]s", " AND ") + apart +
		" RETURNING last_received IS NULL AS fresh) SELECT count(*) FILTER (WHERE fresh), count(*) FROM done"
}

// fillStatement gives a version its conversion, where it is the one that is shown and
// was received first, and notes since when.
func (s *series) fillStatement(key string) string {
	if len(s.conv) == 0 {
		return ""
	}
	receipt := len(s.key) + 1
	var set []string
	for i, at := range s.conv {
		set = append(set, fmt.Sprintf("%s = $%d", s.attrs[at].name, receipt+3+i))
	}
	after := receipt + 3 + len(s.conv)
	keys := make([]string, 4)
	for i := range keys {
		keys[i] = fmt.Sprintf("$%d::bigint", after+1+i)
	}
	return "WITH filled_in AS (UPDATE " + s.table + " SET " + strings.Join(set, ", ") + " WHERE " + key +
		fmt.Sprintf(" AND (received, run, counter) = ($%d, $%d, $%d) AND %s IS NULL RETURNING 1)", receipt, receipt+1, receipt+2, s.attrs[s.base].name) +
		" INSERT INTO filled (series, k1, k2, k3, k4, received, run, counter, at) SELECT '" + s.table + "', " + strings.Join(keys, ", ") +
		fmt.Sprintf(", $%d::bigint, $%d, $%d, $%d FROM filled_in ON CONFLICT DO NOTHING", after+5, receipt+1, receipt+2, after)
}

func listed(columns []column) string { return each(columns, "%s", ", ") }

func definitions(columns []column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = c.name + " " + c.kind.sql()
	}
	return strings.Join(parts, ", ")
}

// each is a list of the columns in a form.
func each(columns []column, form, between string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf(form, c.name)
	}
	return strings.Join(parts, between)
}

func numbered(columns []column, from int) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("%s = $%d", c.name, from+i)
	}
	return strings.Join(parts, " AND ")
}

func arrays(columns []column) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		parts[i] = fmt.Sprintf("$%d::%s[]", i+1, c.kind.sql())
	}
	return strings.Join(parts, ", ")
}

func params(from, n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf("$%d", from+i)
	}
	return strings.Join(parts, ", ")
}

// tables are those with versions. Their columns are those of the migrations.
type tables struct{ quotes, bars, rates *series }

func (t tables) all() []*series { return []*series{t.quotes, t.bars, t.rates} }

func newTables() tables {
	return tables{quotes: quoteSeries(), bars: barSeries(), rates: rateSeries()}
}

func quoteSeries() *series {
	return newSeries(series{
		table: "quotes",
		key:   []column{{"instrument", kindID}, {"time", kindTime}, {"session", kindID}, {"source", kindID}},
		value: []column{{"native", kindDecimal}, {"unit", kindID}},
		attrs: []column{
			{"approximate", kindFlag},
			{"fx_rate", kindDecimal},
			{"fx_time", kindTime},
			{"fx_source", kindID},
			{"base", kindDecimal},
			{"bid", kindDecimal},
			{"ask", kindDecimal},
			{"volume", kindWhole},
		},
		conv: []int{1, 2, 3, 4},
		base: 4,
		unit: 1,
		time: 1,

		approximate: 0,
		partitioned: true,
	})
}

func barSeries() *series {
	return newSeries(series{
		table: "bars",
		key:   []column{{"instrument", kindID}, {"interval", kindID}, {"time", kindTime}, {"source", kindID}},
		value: []column{
			{"open", kindDecimal},
			{"high", kindDecimal},
			{"low", kindDecimal},
			{"close", kindDecimal},
			{"volume", kindWhole},
			{"unit", kindID},
		},
		attrs: []column{
			{"approximate", kindFlag},
			{"fx_rate", kindDecimal},
			{"fx_time", kindTime},
			{"fx_source", kindID},
			{"base_open", kindDecimal},
			{"base_high", kindDecimal},
			{"base_low", kindDecimal},
			{"base", kindDecimal},
		},
		conv: []int{1, 2, 3, 4, 5, 6, 7},
		base: 7,
		unit: 5,
		time: 2,

		approximate: -1,
		partitioned: true,
	})
}

func rateSeries() *series {
	return newSeries(series{
		table: "rates",
		key: []column{
			{"from_currency", kindID},
			{"to_currency", kindID},
			{"time", kindTime},
			{"source", kindID},
			{"interval", kindID},
		},
		value: []column{{"rate", kindDecimal}},
		attrs: []column{{"symbol", kindID}, {"valid_for", kindWhole}},
		unit:  -1,
		time:  2,

		approximate: -1,
	})
}

// record is one observation on its way into a table.
type record struct {
	key [maxKey]int64
	versions.Receipt
	batch, index int // where it is in the group
}

// sameKey tells whether two records are of one key.
func (r record) sameKey(o record) bool { return r.key == o.key }
