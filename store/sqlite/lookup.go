package sqlite

import (
	"context"
	"database/sql/driver"
	"math"

	"kurs"
	"kurs/store/versions"
)

// lookups remember the ids of texts that repeat. They hold at most lookupLimit
// entries a kind; a full one is begun anew, which costs reads, not memory.
type lookups struct {
	texts       map[string]int64
	instruments map[string]int64
	units       map[unit]int64
	unitNames   map[int64]string
	runs        map[run]int64
	runNames    map[int64]run
}

const lookupLimit = 50_000

type unit struct {
	unit, currency string
	factor         kurs.Decimal
}

type run struct{ source, name string }

func newLookups() *lookups {
	return &lookups{
		texts: map[string]int64{}, instruments: map[string]int64{}, units: map[unit]int64{},
		unitNames: map[int64]string{}, runs: map[run]int64{}, runNames: map[int64]run{},
	}
}

func remember[K comparable, V any](m map[K]V, key K, value V) {
	if len(m) >= lookupLimit {
		clear(m)
	}
	m[key] = value
}

// textID returns the id of a text, which is new where it was never met.
func (t *tx) textID(ctx context.Context, s string) (int64, error) {
	if id, ok := t.known.texts[s]; ok {
		return id, nil
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM texts WHERE text = ?",
		"INSERT INTO texts (text) VALUES (?) RETURNING id", s)
	if err == nil {
		remember(t.known.texts, s, id)
	}
	return id, err
}

// instrumentID returns the id of a symbol.
func (t *tx) instrumentID(ctx context.Context, symbol string) (int64, error) {
	if id, ok := t.known.instruments[symbol]; ok {
		return id, nil
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM instruments WHERE symbol = ?",
		"INSERT INTO instruments (symbol) VALUES (?) RETURNING id", symbol)
	if err == nil {
		remember(t.known.instruments, symbol, id)
	}
	return id, err
}

// unitID returns the id of a unit as it was resolved.
func (t *tx) unitID(ctx context.Context, u unit) (int64, error) {
	if id, ok := t.known.units[u]; ok {
		return id, nil
	}
	factor, err := binary64(u.factor)
	if err != nil {
		return 0, err
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM units WHERE unit = ? AND currency = ? AND factor IS ?",
		"INSERT INTO units (unit, currency, factor) VALUES (?, ?, ?) RETURNING id", u.unit, u.currency, factor)
	if err == nil {
		remember(t.known.units, u, id)
		remember(t.known.unitNames, id, u.unit)
	}
	return id, err
}

// receiptOf is the receipt with the run's id.
func (t *tx) receiptOf(ctx context.Context, r kurs.Receipt) (versions.Receipt, error) {
	received, err := millis(r.Received)
	if err != nil {
		return versions.Receipt{}, err
	}
	if r.Raw.Counter > math.MaxInt64 {
		return versions.Receipt{}, rejected("receipt %s: a counter beyond 2^63", r.Raw)
	}
	out := versions.Receipt{
		Received: received, Source: r.Raw.Source, Name: r.Raw.Run,
		Counter: int64(r.Raw.Counter),
	}
	if out.Run, err = t.runID(ctx, run{source: r.Raw.Source, name: r.Raw.Run}); err != nil {
		return versions.Receipt{}, err
	}
	if r.Raw.Source == kurs.SourceUser {
		r.Origin = kurs.OriginCorrection
	}
	if r.Origin != "" {
		out.Origin, err = t.textID(ctx, string(r.Origin))
	}
	return out, err
}

func (t *tx) runID(ctx context.Context, r run) (int64, error) {
	if id, ok := t.known.runs[r]; ok {
		return id, nil
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM runs WHERE source = ? AND run = ?",
		"INSERT INTO runs (source, run) VALUES (?, ?) RETURNING id", r.source, r.name)
	if err == nil {
		remember(t.known.runs, r, id)
	}
	return id, err
}

// receipt is the receipt of a row that was read.
func (t *tx) receipt(ctx context.Context, received, id, counter, origin int64) (versions.Receipt, error) {
	r, ok := t.known.runNames[id]
	if !ok {
		row, err := t.conn.row(ctx, "SELECT source, run FROM runs WHERE id = ?", id)
		if err != nil {
			return versions.Receipt{}, err
		}
		if row != nil {
			r = run{source: str(row[0]), name: str(row[1])}
		}
		remember(t.known.runNames, id, r)
	}
	return versions.Receipt{Received: received, Run: id, Counter: counter, Origin: origin, Source: r.source, Name: r.name}, nil
}

func (t *tx) findOrInsert(ctx context.Context, find, insert string, args ...driver.Value) (int64, error) {
	row, err := t.conn.row(ctx, find, args...)
	if err == nil && row == nil {
		row, err = t.conn.row(ctx, insert, args...)
	}
	if err != nil || row == nil {
		return 0, err
	}
	return whole(row[0]), nil
}

// factorOf looks up what turns a unit, by its id, into its currency; unknown where
// that is not known. An error of the database shows at the next statement.
func (t *tx) factorOf(ctx context.Context, id driver.Value) kurs.Decimal {
	row, err := t.conn.row(ctx, "SELECT factor FROM units WHERE id = ?", id)
	if err != nil || row == nil {
		return kurs.Decimal{}
	}
	factor, err := decimal(row[0])
	if err != nil {
		return kurs.Decimal{}
	}
	return factor
}

// unitName is what a unit of that id is called.
func (t *tx) unitName(ctx context.Context, id int64) (string, error) {
	if name, ok := t.known.unitNames[id]; ok {
		return name, nil
	}
	row, err := t.conn.row(ctx, "SELECT unit FROM units WHERE id = ?", id)
	if err != nil || row == nil {
		return "", err
	}
	remember(t.known.unitNames, id, str(row[0]))
	return str(row[0]), nil
}
