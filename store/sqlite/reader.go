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

// rowColumns and rowTables are a price as a [kurs.Row], of a table called q.
const (
	rowColumns = `i.symbol, q.time, q.native, u.unit, u.currency, u.factor, q.fx_rate, q.fx_time, f.text, q.base,
		q.bid, q.ask, q.volume, s.text, o.text, q.received`
	rowTables = ` JOIN units u ON u.id = q.unit JOIN texts s ON s.id = q.session JOIN texts o ON o.id = q.source
		LEFT JOIN texts f ON f.id = q.fx_source`
	rowWidth = 16
)

// Latest returns the newest price of each symbol, in the order of the symbols;
// of all, sorted by symbol, where none is named. A symbol without a price is
// left out. Bid, ask and volume are those of the newest answer.
func (r *Reader) Latest(ctx context.Context, symbols []string) ([]kurs.Row, error) {
	const query = `SELECT i.symbol, q.time, q.native, u.unit, u.currency, u.factor, q.fx_rate, q.fx_time, f.text, q.base,
		l.bid, l.ask, l.volume, s.text, o.text, l.received
		FROM instruments i CROSS JOIN latest l ON l.instrument = i.id
		CROSS JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time AND q.session = l.session AND q.source = l.source` +
		rowTables
	var out []kurs.Row
	keep := func(row []driver.Value) error {
		v, err := r.row(row)
		out = append(out, v)
		return err
	}
	if len(symbols) == 0 {
		err := r.query(ctx, keep, query+" ORDER BY i.symbol")
		return out, err
	}
	for _, symbol := range symbols {
		if err := r.query(ctx, keep, query+" WHERE i.symbol = ?", symbol); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Quotes calls yield with each price, by symbol, then by time. An error of
// yield ends it and is returned. It reads page by page, so a slow consumer
// neither needs memory nor keeps the writer's log from being worked off; prices
// that come in behind it meanwhile are not seen.
func (r *Reader) Quotes(ctx context.Context, filter Filter, yield func(kurs.Row) error) error {
	return r.instruments(ctx, filter.Symbols, func(id int64) error {
		return r.quotesOf(ctx, id, filter, yield)
	})
}

func (r *Reader) quotesOf(ctx context.Context, id int64, filter Filter, yield func(kurs.Row) error) error {
	const query = `SELECT ` + rowColumns + `, q.session, q.source
		FROM quotes q JOIN instruments i ON i.id = q.instrument` + rowTables + `
		WHERE q.instrument = ? AND (q.time, q.session, q.source) > (?, ?, ?) AND q.time < ?
		ORDER BY q.time, q.session, q.source LIMIT ?`
	after, before := filter.bounds()
	cursor := []any{after, int64(math.MaxInt64), int64(math.MaxInt64)}
	for {
		page := make([]kurs.Row, 0, 64)
		err := r.query(ctx, func(row []driver.Value) error {
			v, err := r.row(row)
			page = append(page, v)
			cursor = []any{row[1], row[rowWidth], row[rowWidth+1]}
			return err
		}, query, slices.Concat([]any{id}, cursor, []any{before, pageRows})...)
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

// instruments calls do with the id of each symbol that is named, or of all in
// their order. Unknown ones are passed over.
func (r *Reader) instruments(ctx context.Context, symbols []string, do func(id int64) error) error {
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
			if err := do(id); err != nil {
				return err
			}
		}
		return nil
	}
	last := ""
	for {
		var ids []int64
		err := r.query(ctx, func(row []driver.Value) error {
			ids, last = append(ids, whole(row[0])), str(row[1])
			return nil
		}, "SELECT id, symbol FROM instruments WHERE symbol > ? ORDER BY symbol LIMIT ?", last, pageSymbols)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := do(id); err != nil {
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
	return v, nil
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
