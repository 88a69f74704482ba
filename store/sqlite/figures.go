package sqlite

import (
	"context"
	"database/sql/driver"
	"os"
	"time"

	"kurs"
)

// This file is what a [Reader] tells about the database as a whole. None of it
// goes through the big tables.

// Stats is how much is stored.
type Stats struct {
	Quotes      int64     // prices; the newest version of each
	Bars        int64     // of all intervals
	Rates       int64     // that were observed
	Corrected   int64     // versions of all of these that a newer one took the place of
	Instruments int64     // symbols
	FirstTime   time.Time // of the quotes, their own time; zero where there are none
	LastTime    time.Time
	Bytes       int64 // on the disk, with the log that is not yet in the file
}

// Stats counts. The numbers are kept while writing, in the same transaction as
// the rows, so they agree with them.
func (r *Reader) Stats(ctx context.Context) (Stats, error) {
	counts := map[string]int64{}
	var s Stats
	err := r.query(ctx, func(row []driver.Value) error {
		counts[str(row[0])] = whole(row[1])
		if str(row[0]) == "quotes_first" {
			s.FirstTime = moment(row[1])
		}
		if str(row[0]) == "quotes_last" {
			s.LastTime = moment(row[1])
		}
		return nil
	}, "SELECT name, n FROM counts")
	if err != nil {
		return Stats{}, err
	}
	s.Quotes, s.Bars, s.Rates = counts["quotes"], counts["bars"], counts["rates"]
	s.Corrected = counts["quotes_versions"] + counts["bars_versions"] + counts["rates_versions"]
	s.Instruments, err = r.number(ctx, "SELECT count(*) FROM instruments WHERE symbol <> ''")
	if err != nil {
		return Stats{}, err
	}
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(r.path + suffix); err == nil { // the log comes and goes
			s.Bytes += info.Size()
		}
	}
	return s, nil
}

// Accounted is how many raw receipts of a run are in committed rows, or were
// found to say nothing that is stored.
func (r *Reader) Accounted(ctx context.Context, source, name string) (uint64, error) {
	n, err := r.number(ctx, `SELECT sum(l.last - l.first + 1) FROM ledger l JOIN runs r ON r.id = l.run
		WHERE r.source = ? AND r.run = ?`, source, name)
	return uint64(n), err //nolint:gosec // a count
}

// Version is a price as it was received once.
type Version struct {
	kurs.Row           // ReceivedISO: when it was first received
	Seen     time.Time // when it was last received unchanged
	Shown    bool      // whether it is the newest, which Quotes gives
}

// Versions calls yield with all versions of each price that was corrected, by
// symbol, then by time, then in the order in which they were received.
func (r *Reader) Versions(ctx context.Context, filter Filter, yield func(Version) error) error {
	const query = `SELECT ` + rowColumns + `, coalesce(q.last_received, q.received), q.shown FROM (
			SELECT *, 0 AS shown FROM quotes_versions WHERE instrument = ?1
			UNION ALL
			SELECT n.*, 1 AS shown FROM (SELECT DISTINCT instrument, time, session, source FROM quotes_versions WHERE instrument = ?1) k
			CROSS JOIN quotes n ON n.instrument = k.instrument AND n.time = k.time AND n.session = k.session AND n.source = k.source
		) q JOIN instruments i ON i.id = q.instrument JOIN runs r ON r.id = q.run` + rowTables + `
		WHERE q.time > ?2 AND q.time < ?3
		ORDER BY q.time, q.session, q.source, q.shown, q.received, r.source, r.run, q.counter`
	after, before := filter.bounds()
	return r.instruments(ctx, filter.Symbols, func(id int64, _ string) error {
		return r.query(ctx, func(row []driver.Value) error {
			v, err := r.row(row)
			if err != nil {
				return err
			}
			return yield(Version{Row: v, Seen: moment(row[rowWidth]), Shown: whole(row[rowWidth+1]) == 1})
		}, query, id, after, before)
	})
}
