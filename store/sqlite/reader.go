package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Reader reads a database, also while a recorder writes it. It cannot change
// anything, does not hold up the writer, and is safe for concurrent use.
type Reader struct {
	path string
	base string
	db   *sql.DB
}

const (
	readerConns = 4
	readerWait  = 5 * time.Second // for a lock that only a recovery holds
	pageRows    = 4096
	pageSymbols = 1000
)

// OpenReader opens the database for reading. Where nothing was recorded yet the
// error wraps [ErrNoDatabase]; a file of another program or of a newer kurs is
// refused as by [Open].
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errNoDatabase(path)
		}
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	f, err := inspect(ctx, path, readerWait)
	if err != nil {
		return nil, err
	}
	if err := sameFormat(path, f); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, "mode=ro", busyTimeout(readerWait), "query_only(1)"))
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	db.SetMaxOpenConns(readerConns)
	return &Reader{path: path, base: f.base, db: db}, nil
}

// Close releases the database.
func (r *Reader) Close() error { return r.db.Close() }

// BaseCurrency is the currency that the database's base values are in.
func (r *Reader) BaseCurrency() string { return r.base }

// Filter chooses prices. The zero value is all of them.
type Filter struct {
	Symbols []string  // none: every symbol
	Since   time.Time // of the price's own time, included; zero: from the first
	Until   time.Time // not included; zero: to the last
	AsOf    time.Time // what was known then; zero: what is known
}

// bounds are the filter's times in milliseconds: after the first, before the
// second.
func (f Filter) bounds() (after, before int64) {
	after, before = math.MinInt64, math.MaxInt64
	if !f.Since.IsZero() {
		after = ceilMillis(f.Since) - 1
	}
	if !f.Until.IsZero() {
		before = ceilMillis(f.Until)
	}
	return after, before
}

// ceilMillis rounds up: what is stored has milliseconds.
func ceilMillis(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// rowColumns and rowTables are a price as a [kurs.Row], of a table called q and
// with the correction c that holds of it.
const (
	rowColumns = `i.symbol, q.time, coalesce(c.native, q.native), u.unit, u.currency, u.factor,
		iif(c.native IS NULL, q.fx_rate, c.fx_rate), iif(c.native IS NULL, q.fx_time, c.fx_time), f.text, iif(c.native IS NULL, q.base, c.base),
		q.bid, q.ask, q.volume, s.text, o.text, q.received, iif(c.native IS NULL, q.approximate, 0),
		iif(c.native IS NULL, g.text, '` + string(kurs.OriginCorrection) + `'), c.author`
	rowCorrected = ` LEFT JOIN corrected c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source`
	rowTexts     = ` JOIN units u ON u.id = coalesce(c.unit, q.unit) JOIN texts s ON s.id = q.session JOIN texts o ON o.id = q.source
		LEFT JOIN texts f ON f.id = iif(c.native IS NULL, q.fx_source, c.fx_source) LEFT JOIN texts g ON g.id = q.origin`
	rowTables = rowCorrected + rowTexts
	rowWidth  = 19
)

// Latest returns the newest price of each symbol, in the order of the symbols;
// of all, sorted by symbol, where none is named. A symbol without a price is
// left out. Bid, ask and volume are those of the newest answer. Where asOf is not
// zero it is what was known then.
func (r *Reader) Latest(ctx context.Context, symbols []string, asOf time.Time) ([]kurs.Row, error) {
	const query = `SELECT i.symbol, q.time, coalesce(c.native, q.native), u.unit, u.currency, u.factor,
		iif(c.native IS NULL, q.fx_rate, c.fx_rate), iif(c.native IS NULL, q.fx_time, c.fx_time), f.text, iif(c.native IS NULL, q.base, c.base),
		l.bid, l.ask, l.volume, s.text, o.text, l.received, iif(c.native IS NULL, q.approximate, 0),
		iif(c.native IS NULL, g.text, 'correction'), c.author
		FROM instruments i CROSS JOIN latest l ON l.instrument = i.id
		CROSS JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time AND q.session = l.session AND q.source = l.source` +
		rowTables
	names, err := r.names(ctx)
	if err != nil {
		return nil, err
	}
	if asOf.IsZero() && len(names) == 0 && len(symbols) == 0 {
		var out []kurs.Row
		err := r.query(ctx, func(row []driver.Value) error {
			v, err := r.row(row)
			out = append(out, v)
			return err
		}, query+" ORDER BY i.symbol")
		return out, err
	}
	var out []kurs.Row
	err = r.histories(ctx, symbols, names, func(symbol string, parts []part) error {
		if asOf.IsZero() && len(parts) == 1 && parts[0].whole() {
			return r.query(ctx, func(row []driver.Value) error {
				v, err := r.row(row)
				out = append(out, v)
				return err
			}, query+" WHERE i.id = ?", parts[0].id)
		}
		newest, ok, err := r.newestOf(ctx, symbol, parts, asOf)
		if ok {
			out = append(out, newest)
		}
		return err
	}, inOrder)
	return out, err
}

// newestOf is the newest price of some parts of a history.
func (r *Reader) newestOf(ctx context.Context, symbol string, parts []part, asOf time.Time) (newest kurs.Row, ok bool, err error) {
	for _, p := range parts {
		from, args := source(asOf)
		err := r.query(ctx, func(row []driver.Value) error {
			v, err := r.named(row, symbol)
			if !ok || v.Time.After(newest.Time) {
				newest, ok = v, true
			}
			return err
		}, `SELECT `+rowColumns+` FROM `+from+` JOIN instruments i ON i.id = q.instrument`+rowTexts+`
			WHERE q.instrument = ? AND q.time > ? AND q.time < ? ORDER BY q.time DESC, q.received DESC LIMIT 1`,
			append(args, p.id, p.after, p.before)...)
		if err != nil {
			return newest, false, err
		}
	}
	return newest, ok, nil
}

// Quotes calls yield with each price, by symbol, then by time. An error of
// yield ends it and is returned. It reads page by page, so a slow consumer
// neither needs memory nor keeps the writer's log from being worked off; prices
// that come in behind it meanwhile are not seen.
func (r *Reader) Quotes(ctx context.Context, filter Filter, yield func(kurs.Row) error) error {
	names, err := r.names(ctx)
	if err != nil {
		return err
	}
	return r.histories(ctx, filter.Symbols, names, func(symbol string, parts []part) error {
		after, before := filter.bounds()
		for _, p := range parts {
			p.after, p.before = max(p.after, after), min(p.before, before)
			if err := r.quotesOf(ctx, symbol, p, filter.AsOf, yield); err != nil {
				return err
			}
		}
		return nil
	}, sorted)
}

func (r *Reader) quotesOf(ctx context.Context, symbol string, p part, asOf time.Time, yield func(kurs.Row) error) error {
	from, args := source(asOf)
	query := `SELECT ` + rowColumns + `, q.session, q.source
		FROM ` + from + ` JOIN instruments i ON i.id = q.instrument` + rowTexts + `
		WHERE q.instrument = ? AND (q.time, q.session, q.source) > (?, ?, ?) AND q.time < ?
		ORDER BY q.time, q.session, q.source LIMIT ?`
	cursor := []any{p.after, int64(math.MaxInt64), int64(math.MaxInt64)}
	for {
		page := make([]kurs.Row, 0, 64)
		err := r.query(ctx, func(row []driver.Value) error {
			v, err := r.named(row, symbol)
			page = append(page, v)
			cursor = []any{row[1], row[rowWidth], row[rowWidth+1]}
			return err
		}, query, slices.Concat(args, []any{p.id}, cursor, []any{p.before, pageRows})...)
		if err != nil {
			return err
		}
		for _, v := range page {
			if err := yield(v); err != nil {
				return err
			}
		}
		if len(page) < pageRows {
			return nil
		}
	}
}

// source is the prices that a query reads, as a table q with its correction c:
// all that is known, or what was known at a time. A base value that was filled in
// later was not.
func source(asOf time.Time) (from string, args []any) {
	if asOf.IsZero() {
		return "quotes q" + rowCorrected, nil
	}
	// What a person kept and took back later counts until then.
	const still = `w.received <= ?1 AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.aside = w.aside AND d.received > w.received AND d.received <= ?1)`
	newer := func(table, than, also string) string {
		return ` AND NOT EXISTS (SELECT 1 FROM ` + table + ` w WHERE w.instrument = ` + than + `.instrument AND w.time = ` + than + `.time
			AND w.session = ` + than + `.session AND w.source = ` + than + `.source AND ` + also + `
			AND (w.received, w.run, w.counter) > (` + than + `.received, ` + than + `.run, ` + than + `.counter))`
	}
	const then = `w.received <= ?1`
	const all = `instrument, time, session, source, native, unit, received, run, counter, approximate, bid, ask, volume, origin, fx_rate, fx_time, fx_source, base`
	known := `(
		SELECT ` + all + ` FROM quotes k WHERE received <= ?1` + newer("withdrawn", "k", still) + `
		UNION ALL
		SELECT ` + all + ` FROM quotes_versions v WHERE received <= ?1` +
		newer("quotes", "v", then) + newer("quotes_versions", "v", then) + newer("withdrawn", "v", still) + `
		UNION ALL
		SELECT ` + all + ` FROM withdrawn x WHERE ` + strings.ReplaceAll(still, "w.", "x.") + newer("quotes", "x", then) + newer("quotes_versions", "x", then) + `
	)`
	const corrected = `(
		SELECT k.instrument, k.time, k.session, k.source, k.received, k.run, k.counter, k.native, k.unit, k.author, k.reason,
			iif(l.at > ?1, NULL, k.fx_rate) AS fx_rate, iif(l.at > ?1, NULL, k.fx_time) AS fx_time, iif(l.at > ?1, NULL, k.fx_source) AS fx_source,
			iif(l.at > ?1, NULL, k.base) AS base
		FROM corrections k LEFT JOIN filled l ON l.series = 'corrections' AND l.k1 = k.instrument AND l.k2 = k.time AND l.k3 = k.session
			AND l.k4 = k.source AND l.received = k.received AND l.run = k.run AND l.counter = k.counter
		WHERE k.received <= ?1
		  AND NOT EXISTS (SELECT 1 FROM corrections w WHERE w.instrument = k.instrument AND w.time = k.time AND w.session = k.session
		    AND w.source = k.source AND w.received <= ?1 AND (w.received, w.run, w.counter) > (k.received, k.run, k.counter))
	)`
	const columns = `instrument, time, session, source, native, unit, received, run, counter, approximate, bid, ask, volume, origin`
	return `(SELECT ` + columns + `, iif(later, NULL, fx_rate) AS fx_rate, iif(later, NULL, fx_time) AS fx_time,
		iif(later, NULL, fx_source) AS fx_source, iif(later, NULL, base) AS base FROM (
			SELECT k.*, EXISTS (SELECT 1 FROM filled l WHERE l.series = 'quotes' AND l.k1 = k.instrument AND l.k2 = k.time AND l.k3 = k.session
				AND l.k4 = k.source AND l.received = k.received AND l.run = k.run AND l.counter = k.counter AND l.at > ?1) AS later
			FROM ` + known + ` k)) q
		LEFT JOIN ` + corrected + ` c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
			AND c.native IS NOT NULL`, []any{asOf.UnixMilli()}
}

// instruments calls do with the id and the name of each symbol that is named, or of all in
// their order. Unknown ones are passed over.
func (r *Reader) instruments(ctx context.Context, symbols []string, do func(id int64, symbol string) error) error {
	if len(symbols) > 0 {
		sorted := slices.Clone(symbols)
		slices.Sort(sorted)
		for _, symbol := range slices.Compact(sorted) {
			id, err := r.number(ctx, "SELECT id FROM instruments WHERE symbol = ?", symbol)
			if err != nil {
				return err
			}
			if id == 0 {
				continue
			}
			if err := do(id, symbol); err != nil {
				return err
			}
		}
		return nil
	}
	last := ""
	for {
		var (
			ids   []int64
			named []string
		)
		err := r.query(ctx, func(row []driver.Value) error {
			last = str(row[1])
			ids, named = append(ids, whole(row[0])), append(named, last)
			return nil
		}, "SELECT id, symbol FROM instruments WHERE symbol > ? ORDER BY symbol LIMIT ?", last, pageSymbols)
		if err != nil {
			return err
		}
		for i, id := range ids {
			if err := do(id, named[i]); err != nil {
				return err
			}
		}
		if len(ids) < pageSymbols {
			return nil
		}
	}
}

// row reads the columns of rowColumns.
func (r *Reader) row(c []driver.Value) (kurs.Row, error) {
	v := kurs.Row{
		Symbol: str(c[0]), Time: moment(c[1]), Unit: str(c[3]), CurrencyNative: str(c[4]),
		FXTime: moment(c[7]), FXSource: str(c[8]), CurrencyBase: r.base,
		Session: kurs.Session(str(c[13])), Source: str(c[14]), ReceivedISO: moment(c[15]),
	}
	for _, d := range []struct {
		to *kurs.Decimal
		at int
	}{{&v.PriceNative, 2}, {&v.Factor, 5}, {&v.FXRate, 6}, {&v.PriceBase, 9}, {&v.Bid, 10}, {&v.Ask, 11}} {
		var err error
		if *d.to, err = decimal(c[d.at]); err != nil {
			return kurs.Row{}, fmt.Errorf("%s at %s: %w", quoted(v.Symbol), v.Time.Format(timeFormat), err)
		}
	}
	if n, ok := c[12].(int64); ok {
		v.Volume = &n
	}
	v.Approximate = whole(c[16]) == 1
	v.Origin, v.CorrectedBy = kurs.Origin(str(c[17])), str(c[18])
	return v, nil
}

// named reads a price of a history: its instrument goes by that name now.
func (r *Reader) named(c []driver.Value, symbol string) (kurs.Row, error) {
	v, err := r.row(c)
	if v.Symbol != symbol {
		v.Instrument = symbol
	}
	return v, err
}

// query calls do with each row of an answer; the slice is used again.
func (r *Reader) query(ctx context.Context, do func([]driver.Value) error, text string, args ...any) (err error) {
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	scanned := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range scanned {
		into[i] = &scanned[i]
	}
	row := make([]driver.Value, len(columns))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("read %s: %w", r.path, err)
		}
		for i, v := range scanned {
			row[i] = v
		}
		if err := do(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	return nil
}

// number is the one number that a query answers with; 0 where there is none.
func (r *Reader) number(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = r.query(ctx, func(row []driver.Value) error {
		n = whole(row[0])
		return nil
	}, text, args...)
	return n, err
}
