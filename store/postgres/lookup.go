package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/versions"
)

// lookups remember the ids of texts that repeat. They hold at most lookupLimit
// entries a kind between two groups; a full one is begun anew, which costs reads, not
// memory.
type lookups struct {
	texts       map[string]int64
	instruments map[string]int64
	units       map[unit]int64
	unitsByID   map[int64]unit
	runs        map[run]int64
	runsByID    map[int64]run
	periods     map[period]bool // whose partitions are there
}

const lookupLimit = 50_000

type unit struct {
	unit, currency string
	factor         kurs.Decimal
}

type run struct{ source, name string }

func newLookups() *lookups {
	return &lookups{
		texts: map[string]int64{}, instruments: map[string]int64{}, units: map[unit]int64{}, unitsByID: map[int64]unit{},
		runs: map[run]int64{}, runsByID: map[int64]run{}, periods: map[period]bool{},
	}
}

// trim begins anew what has grown too large. It is for the time between two groups:
// within one, what was looked up stays.
func (l *lookups) trim() {
	if len(l.texts)+len(l.instruments)+len(l.units)+len(l.unitsByID)+len(l.runs)+len(l.runsByID) > lookupLimit {
		*l = *newLookups()
	}
}

// names are texts and symbols of a group whose ids are not known yet.
type names struct {
	texts, symbols map[string]struct{}
}

// learn looks up, or makes, the ids of all names of a group at once.
func (t *tx) learn(ctx context.Context, group kurs.Group) error {
	n := names{texts: map[string]struct{}{}, symbols: map[string]struct{}{}}
	for i := range group.Batches {
		n.batch(t.known, &group.Batches[i])
	}
	if err := t.learnAll(ctx, "texts", "text", n.texts, t.known.texts); err != nil {
		return err
	}
	return t.learnAll(ctx, "instruments", "symbol", n.symbols, t.known.instruments)
}

// batch gathers what is looked up once a row. What else there is, a few a group, is
// looked up where it is met.
func (n *names) batch(l *lookups, b *kurs.Batch) {
	text := func(s string) {
		if _, ok := l.texts[s]; !ok {
			n.texts[s] = struct{}{}
		}
	}
	symbol := func(s string) {
		if _, ok := l.instruments[s]; !ok && s != "" {
			n.symbols[s] = struct{}{}
		}
	}
	for i := range b.Prices {
		p := &b.Prices[i]
		symbol(p.Symbol)
		for _, s := range [...]string{string(p.Session), p.Source, p.Rate.Source, p.Unit, p.Currency} {
			text(s)
		}
	}
	for i := range b.Bars {
		p := &b.Bars[i]
		symbol(p.Symbol)
		for _, s := range [...]string{p.Interval, p.Source, p.Rate.Source, p.Unit, p.Currency} {
			text(s)
		}
	}
	for i := range b.Rates {
		r := &b.Rates[i]
		for _, s := range [...]string{r.From, r.To, r.Source, r.Interval, r.Symbol} {
			text(s)
		}
	}
	for i := range b.Instruments {
		symbol(b.Instruments[i].Symbol)
	}
}

func (t *tx) learnAll(ctx context.Context, table, column string, missing map[string]struct{}, into map[string]int64) error {
	if len(missing) == 0 {
		return nil
	}
	given := make([]string, 0, len(missing))
	for s := range missing {
		given = append(given, escape(s))
	}
	// table and column are constants of this file.
	rows, err := t.conn.Query(ctx, `WITH given AS (SELECT unnest($1::text[]) AS given),
		found AS (SELECT id, `+column+` AS name FROM given JOIN `+table+` ON `+column+` = given),
		made AS (INSERT INTO `+table+` (`+column+`) SELECT given FROM given WHERE given NOT IN (SELECT name FROM found) RETURNING id, `+column+`)
		SELECT * FROM found UNION ALL SELECT * FROM made`, given)
	if err != nil {
		return err
	}
	var (
		id   int64
		name string
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		into[unescape(name)] = id
		return nil
	})
	return err
}

// textID returns the id of a text, which is new where it was never met.
func (t *tx) textID(ctx context.Context, s string) (int64, error) {
	if id, ok := t.known.texts[s]; ok {
		return id, nil
	}
	err := t.learnAll(ctx, "texts", "text", map[string]struct{}{s: {}}, t.known.texts)
	return t.known.texts[s], err
}

// textIDs are those of several.
func (t *tx) textIDs(ctx context.Context, texts ...string) ([]int64, error) {
	ids := make([]int64, len(texts))
	for i, s := range texts {
		var err error
		if ids[i], err = t.textID(ctx, s); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// instrumentID returns the id of a symbol.
func (t *tx) instrumentID(ctx context.Context, symbol string) (int64, error) {
	if id, ok := t.known.instruments[symbol]; ok {
		return id, nil
	}
	err := t.learnAll(ctx, "instruments", "symbol", map[string]struct{}{symbol: {}}, t.known.instruments)
	return t.known.instruments[symbol], err
}

// unitID returns the id of a unit as it was resolved.
func (t *tx) unitID(ctx context.Context, u unit) (int64, error) {
	if id, ok := t.known.units[u]; ok {
		return id, nil
	}
	ids, err := t.textIDs(ctx, u.unit, u.currency)
	if err != nil {
		return 0, err
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM units WHERE unit = $1 AND currency = $2 AND factor IS NOT DISTINCT FROM $3::numeric",
		"INSERT INTO units (unit, currency, factor) VALUES ($1, $2, $3) RETURNING id", ids[0], ids[1], decimal(u.factor))
	if err == nil {
		t.known.units[u], t.known.unitsByID[id] = id, u
	}
	return id, err
}

// unitOf is the unit of an id.
func (t *tx) unitOf(ctx context.Context, id int64) (unit, error) {
	if u, ok := t.known.unitsByID[id]; ok {
		return u, nil
	}
	var (
		u      unit
		factor *string
	)
	err := t.conn.QueryRow(ctx, `SELECT a.text, b.text, u.factor::text FROM units u
		JOIN texts a ON a.id = u.unit JOIN texts b ON b.id = u.currency WHERE u.id = $1`, id).Scan(&u.unit, &u.currency, &factor)
	if err != nil {
		return u, err
	}
	u.unit, u.currency = unescape(u.unit), unescape(u.currency)
	if factor != nil {
		if u.factor, err = kurs.ParseDecimal(*factor); err != nil {
			return u, err
		}
	}
	t.known.unitsByID[id] = u
	return u, nil
}

// receiptOf is the receipt with the run's id.
func (t *tx) receiptOf(ctx context.Context, r kurs.Receipt) (versions.Receipt, error) {
	asked := r
	if t.memo.asked == asked && t.memo.answered.Run != 0 {
		return t.memo.answered, nil
	}
	received, err := millis(r.Received)
	if err != nil {
		return versions.Receipt{}, err
	}
	if err := countable(r.Raw); err != nil {
		return versions.Receipt{}, err
	}
	out := versions.Receipt{
		Received: received, Source: r.Raw.Source, Name: r.Raw.Run, Counter: int64(r.Raw.Counter), //nolint:gosec // looked at above
	}
	if out.Run, err = t.runID(ctx, run{source: r.Raw.Source, name: r.Raw.Run}); err != nil {
		return versions.Receipt{}, err
	}
	if r.Raw.Source == kurs.SourceUser {
		r.Origin = kurs.OriginCorrection
	}
	if r.Origin != "" {
		if out.Origin, err = t.textID(ctx, string(r.Origin)); err != nil {
			return versions.Receipt{}, err
		}
	}
	t.memo = memo{asked: asked, answered: out}
	return out, nil
}

// countable refuses numbers of raw messages that no column holds.
func countable(raw kurs.RawID) error {
	if raw.Counter >= math.MaxInt64 {
		return rejected("receipt %s: a counter beyond 2^63", raw)
	}
	return nil
}

func (t *tx) runID(ctx context.Context, r run) (int64, error) {
	if id, ok := t.known.runs[r]; ok {
		return id, nil
	}
	ids, err := t.textIDs(ctx, r.source, r.name)
	if err != nil {
		return 0, err
	}
	id, err := t.findOrInsert(ctx, "SELECT id FROM runs WHERE source = $1 AND run = $2",
		"INSERT INTO runs (source, run) VALUES ($1, $2) RETURNING id", ids[0], ids[1])
	if err == nil {
		t.known.runs[r], t.known.runsByID[id] = id, r
	}
	return id, err
}

// receipt is the receipt of a row that was read.
func (t *tx) receipt(ctx context.Context, received, id, counter, origin int64) (versions.Receipt, error) {
	r, ok := t.known.runsByID[id]
	if !ok {
		err := t.conn.QueryRow(ctx, `SELECT a.text, b.text FROM runs r JOIN texts a ON a.id = r.source JOIN texts b ON b.id = r.run
			WHERE r.id = $1`, id).Scan(&r.source, &r.name)
		if err != nil {
			return versions.Receipt{}, err
		}
		r.source, r.name = unescape(r.source), unescape(r.name)
		t.known.runsByID[id] = r
	}
	return versions.Receipt{Received: received, Run: id, Counter: counter, Origin: origin, Source: r.source, Name: r.name}, nil
}

func (t *tx) findOrInsert(ctx context.Context, find, insert string, args ...any) (id int64, err error) {
	err = t.conn.QueryRow(ctx, find, args...).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = t.conn.QueryRow(ctx, insert, args...).Scan(&id)
	}
	return id, err
}
