package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"kurs"
)

// Retention says how long what is stored is kept, by its own time and by when it
// was last received: what is younger by either stays. 0 is for ever. Whatever its
// age, the newest of each symbol, pair and interval stays, and so does a price that
// a person corrected.
type Retention struct {
	Quotes time.Duration
	Bars   time.Duration
	Rates  time.Duration // at least as long as prices that are kept may need them: see ratesUntil

	// Summary is made for each day of each symbol whose prices are about to be
	// deleted, and gets all prices of that day in the order of their times. The bars
	// that it yields are stored in the same transaction. Nil: days are not kept
	// together, and nothing is made of the prices.
	Summary func(zone *time.Location, yield func(kurs.BarRow) error) Summary
}

// Summary makes something of prices before they are deleted.
type Summary interface {
	Add(kurs.Row) error
	Flush() error // after the last price
}

// Retired is what was deleted, and made instead.
type Retired struct {
	Quotes int64 `json:"quotes"`
	Bars   int64 `json:"bars"`
	Rates  int64 `json:"rates"`
	Rolled int64 `json:"rolled"` // bars that were made of prices
}

// What one transaction of a pass may do: the writer waits for no longer than that,
// or than a day of one symbol takes.
const (
	retireRows = int64(5000)
	retireTime = 50 * time.Millisecond
)

// pass is one going-through of the database for what is too old.
type pass struct {
	keep  Retention
	now   time.Time
	stage int        // index in stages
	id    int64      // instrument; of rates the index of the pair
	after int64      // milliseconds; of the instrument's prices all before it were looked at
	pairs [][2]int64 // of rates
	rates int64      // milliseconds; of rates only what is before it
	done  Retired
}

// Retire deletes some of what is older than keep says, in one short transaction,
// and tells whether there is more to do: then it is called again, with the same
// arguments. What was done so far in the pass is told each time. A crash leaves
// each day whole: either its prices, or the bars that were made of them.
func (s *Store) Retire(ctx context.Context, keep Retention, now time.Time) (_ Retired, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return Retired{}, false, errClosed
	}
	if s.broken != nil {
		return Retired{}, false, fmt.Errorf("%w: %w", ErrBroken, s.broken)
	}
	if s.pass == nil {
		s.pass = &pass{keep: keep, now: now}
	}
	p := *s.pass
	if _, err := s.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return Retired{}, false, s.rollback(context.WithoutCancel(ctx), fmt.Errorf("begin: %w", err))
	}
	work := context.WithoutCancel(ctx)
	t := &tx{conn: s.conn, in: s.tables, known: s.known, counts: map[string]int64{}}
	more, err = t.retire(work, &p, &Reader{path: s.path, base: s.base})
	if err == nil {
		err = t.count(work, kurs.Group{})
	}
	if err == nil {
		_, err = s.conn.exec(work, "COMMIT")
	}
	if err != nil {
		return Retired{}, false, s.rollback(work, err)
	}
	done := p.done
	s.pass = &p
	if !more {
		s.pass = nil
	}
	return done, more, nil
}

// retire works until one transaction's worth is done.
func (t *tx) retire(ctx context.Context, p *pass, r *Reader) (more bool, err error) {
	stages := []func(context.Context, *pass, *Reader) (rows int64, over bool, err error){
		t.retireBegin, t.retireQuotes, t.retireBars, t.retireRates, t.retireEnd,
	}
	began, rows := time.Now(), int64(0)
	for p.stage < len(stages) && rows < retireRows && time.Since(began) < retireTime {
		n, over, err := stages[p.stage](ctx, p, r)
		if err != nil {
			return false, err
		}
		rows += n
		if over {
			p.stage, p.id, p.after = p.stage+1, 0, math.MinInt64
		}
	}
	return p.stage < len(stages), nil
}

// cut is the time, in milliseconds, before which a kind is too old; the least there
// is where it is kept for ever.
func cut(now time.Time, keep time.Duration) int64 {
	if keep <= 0 {
		return math.MinInt64
	}
	return now.Add(-keep).UnixMilli()
}

// retireBegin notes up to where rows will be gone, before the first of them is: from
// now on a message that is delivered again brings none back (see keptRecords).
func (t *tx) retireBegin(ctx context.Context, p *pass, _ *Reader) (int64, bool, error) {
	for table, keep := range map[string]time.Duration{"quotes": p.keep.Quotes, "bars": p.keep.Bars, "rates": p.keep.Rates} {
		if keep <= 0 {
			continue
		}
		if _, err := t.conn.exec(ctx, `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
			WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)`, "retired_"+table, strconv.FormatInt(cut(p.now, keep), 10)); err != nil {
			return 0, false, err
		}
	}
	return 0, true, nil
}

// keptRecords leaves out what was deleted for its age and comes again: what is older
// than what is kept, and came in a message that is accounted for. The ledger is
// never deleted from.
func (t *tx) keptRecords(ctx context.Context, group kurs.Group, table string, timeAt int, records []record) ([]record, error) {
	if group.Position == (kurs.StreamPos{}) || len(records) == 0 {
		return records, nil // a part of a group: its messages are accounted for by the other part
	}
	until, err := t.conn.number(ctx, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = ?", "retired_"+table)
	if err != nil || until == 0 {
		return records, err
	}
	kept := records[:0]
	for _, r := range records {
		if r.key[timeAt] < until && r.Received < until {
			gone, err := t.accounted(ctx, r.Run, r.Counter)
			if err != nil {
				return nil, err
			}
			if gone {
				continue
			}
		}
		kept = append(kept, r)
	}
	return kept, nil
}

// oldQuotes are the prices q that may go: ?1 the instrument, ?2 and ?3 the times,
// ?4 the time up to which one was last received.
const oldQuotes = ` q.instrument = ?1 AND q.time >= ?2 AND q.time < ?3 AND coalesce(q.last_received, q.received) < ?4
	AND NOT EXISTS (SELECT 1 FROM latest l WHERE l.instrument = q.instrument AND l.time = q.time AND l.session = q.session AND l.source = q.source)
	AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source)`

// retireQuotes deletes some prices of one symbol, or a day of it.
func (t *tx) retireQuotes(ctx context.Context, p *pass, r *Reader) (rows int64, over bool, err error) {
	limit := cut(p.now, p.keep.Quotes)
	if p.keep.Quotes <= 0 {
		return 0, true, nil
	}
	row, err := t.conn.row(ctx, "SELECT id, time_zone FROM instruments WHERE id >= ? ORDER BY id LIMIT 1", p.id)
	if err != nil || row == nil {
		return 0, row == nil, err
	}
	if id := whole(row[0]); id != p.id {
		p.id, p.after = id, math.MinInt64
	}
	zone := zoneOf(str(row[1]))
	until := limit
	if p.keep.Summary != nil {
		until = dayOf(limit, zone).From.UnixMilli() // days stay whole
	}
	first, err := t.conn.row(ctx, "SELECT time FROM quotes WHERE instrument = ? AND time >= ? AND time < ? ORDER BY time LIMIT 1", p.id, p.after, until)
	if err != nil {
		return 0, false, err
	}
	if first == nil {
		p.id, p.after = p.id+1, math.MinInt64
		return 0, false, nil
	}
	from, to := whole(first[0]), until
	if p.keep.Summary != nil {
		day := dayOf(from, zone)
		from, to = day.From.UnixMilli(), day.To.UnixMilli()
	} else if end, err := t.conn.row(ctx, "SELECT time FROM quotes WHERE instrument = ? AND time > ? AND time < ? ORDER BY time LIMIT 1 OFFSET ?",
		p.id, from, until, retireRows); err != nil {
		return 0, false, err
	} else if end != nil {
		to = whole(end[0])
	}
	p.after = to
	rows, err = t.retireStretch(ctx, p, r, zone, []driver.Value{p.id, from, to, limit})
	return rows, false, err
}

// retireStretch makes of the prices of a stretch what is to be made, and deletes
// those that may go, with all that hangs on them.
func (t *tx) retireStretch(ctx context.Context, p *pass, r *Reader, zone *time.Location, of []driver.Value) (int64, error) {
	some, err := t.conn.row(ctx, "SELECT 1 FROM quotes q WHERE"+oldQuotes+" LIMIT 1", of...)
	if err != nil || some == nil {
		return 0, err
	}
	if p.keep.Summary != nil {
		if err := t.rollUp(ctx, p, r, zone, of[:3]); err != nil {
			return 0, fmt.Errorf("roll up: %w", err)
		}
	}
	n, err := t.conn.exec(ctx, "DELETE FROM quotes AS q WHERE"+oldQuotes, of...)
	if err != nil {
		return 0, err
	}
	versions, err := t.conn.exec(ctx, `DELETE FROM quotes_versions AS v WHERE v.instrument = ?1 AND v.time >= ?2 AND v.time < ?3
		AND NOT EXISTS (SELECT 1 FROM quotes q WHERE q.instrument = v.instrument AND q.time = v.time AND q.session = v.session AND q.source = v.source)`, of[:3]...)
	if err != nil {
		return 0, err
	}
	_, err = t.conn.exec(ctx, `DELETE FROM filled AS f WHERE f.series = 'quotes' AND f.k1 = ?1 AND f.k2 >= ?2 AND f.k2 < ?3
		AND NOT EXISTS (SELECT 1 FROM quotes q WHERE q.instrument = f.k1 AND q.time = f.k2 AND q.session = f.k3 AND q.source = f.k4)`, of[:3]...)
	t.counts["quotes"] -= n
	t.counts["quotes_versions"] -= versions
	p.done.Quotes += n
	return n + versions, err
}

// rollUp hands the prices of a day to the summary, and stores the bars that it makes.
func (t *tx) rollUp(ctx context.Context, p *pass, r *Reader, zone *time.Location, of []driver.Value) error {
	var made []kurs.BarRow
	summary := p.keep.Summary(zone, func(b kurs.BarRow) error {
		made = append(made, b)
		return nil
	})
	err := t.conn.rows(ctx, `SELECT `+rowColumns+` FROM quotes q`+rowCorrected+` JOIN instruments i ON i.id = q.instrument`+rowTexts+`
		WHERE q.instrument = ?1 AND q.time >= ?2 AND q.time < ?3 ORDER BY q.time, q.session, q.source`, func(row []driver.Value) error {
		v, err := r.row(row)
		if err != nil {
			return err
		}
		return summary.Add(v)
	}, of...)
	if err == nil {
		err = summary.Flush()
	}
	for i := 0; i < len(made) && err == nil; i++ {
		err = t.putRolled(ctx, p, whole(of[0]), &made[i])
	}
	return err
}

// SourceKurs is the source of the bars that kurs made of prices before it deleted
// them.
const SourceKurs = "kurs"

// putRolled stores a bar that was made of prices. One that is there was made of the
// same day before, which had a price that could not be deleted yet, or to which one
// was added later: what it lacks is only how high and how low that was.
func (t *tx) putRolled(ctx context.Context, p *pass, instrument int64, b *kurs.BarRow) error {
	row := make([]driver.Value, 18)
	row[0], row[2], row[10], row[13] = instrument, b.Time.UnixMilli(), b.ReceivedISO.UnixMilli(), flag(b.Approximate)
	for at, text := range map[int]string{1: b.Interval, 3: SourceKurs} {
		id, err := t.textID(ctx, text)
		if err != nil {
			return err
		}
		row[at] = id
	}
	if err := errors.Join(reals(row[4:8], b.OpenNative, b.HighNative, b.LowNative, b.CloseNative),
		reals(row[14:18], b.OpenBase, b.HighBase, b.LowBase, b.CloseBase)); err != nil {
		return err
	}
	if b.Volume != nil {
		row[8] = *b.Volume
	}
	var err error
	if row[9], err = t.unitID(ctx, unit{unit: b.Unit, currency: b.CurrencyNative, factor: b.Factor}); err != nil {
		return err
	}
	if row[11], err = t.runID(ctx, run{source: SourceKurs, name: "rollup"}); err != nil {
		return err
	}
	row[12] = int64(0)
	n, err := t.conn.exec(ctx, `INSERT INTO bars (instrument, interval, time, source, open, high, low, close, volume, unit, received, run, counter, approximate,
		base_open, base_high, base_low, base) VALUES (`+marks(18)+`) ON CONFLICT DO NOTHING`, row...)
	if err != nil {
		return err
	}
	if n == 1 {
		t.counts["bars"]++
		p.done.Rolled++
		return nil
	}
	_, err = t.conn.exec(ctx, `UPDATE bars SET high = max(high, ?1), low = min(low, ?2), base_high = max(base_high, ?3), base_low = min(base_low, ?4)
		WHERE instrument = ?5 AND interval = ?6 AND time = ?7 AND source = ?8 AND unit = ?9`, row[5], row[6], row[15], row[16], row[0], row[1], row[2], row[3], row[9])
	return err
}

// zoneOf is the zone of an exchange; UTC where it is not known.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return time.UTC
	}
	return zone
}

// dayOf is the day, in a zone, that a time is in.
func dayOf(ms int64, zone *time.Location) kurs.Span {
	y, m, d := time.UnixMilli(ms).In(zone).Date()
	return kurs.Span{From: time.Date(y, m, d, 0, 0, 0, 0, zone), To: time.Date(y, m, d+1, 0, 0, 0, 0, zone)}
}
