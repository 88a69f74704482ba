package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// FileStats is what the database's file is made of.
type FileStats struct {
	Path      string       `json:"path"`
	Format    int64        `json:"format"`
	Currency  string       `json:"currency_base"`
	Created   string       `json:"created"`
	Bytes     int64        `json:"bytes"`     // of the file
	WALBytes  int64        `json:"wal_bytes"` // of the log beside it
	PageSize  int64        `json:"page_size"`
	Pages     int64        `json:"pages"`
	FreePages int64        `json:"free_pages"` // kurs db vacuum gives them back
	Tables    []TableStats `json:"tables"`     // the largest first
	FirstTime time.Time    `json:"first_time,omitzero"`
	LastTime  time.Time    `json:"last_time,omitzero"`
	PerDay    int64        `json:"bytes_per_day,omitempty"` // over the time that was recorded; 0: not a day yet
	Waiting   int64        `json:"waiting"`                 // prices without a base value
	Received  time.Time    `json:"received,omitzero"`       // of the newest answer that is stored
	Epoch     string       `json:"epoch"`                   // of the queue that it was stored from
	Position  int64        `json:"position"`                // in that queue
}

// TableStats is one table with its indices.
type TableStats struct {
	Name  string `json:"table"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// PerRow is how many bytes a row takes, 0 where there is none.
func (t TableStats) PerRow() int64 {
	if t.Rows == 0 {
		return 0
	}
	return t.Bytes / t.Rows
}

// FileStats measures the file: it reads the head of each of its pages, so it takes
// as long as the disk takes for that. It holds up nobody.
func (r *Reader) FileStats(ctx context.Context) (FileStats, error) {
	s := FileStats{Path: filepath.ToSlash(r.path), Currency: r.base, Tables: []TableStats{}}
	var err error
	for name, to := range map[string]*int64{"user_version": &s.Format, "page_size": &s.PageSize, "page_count": &s.Pages, "freelist_count": &s.FreePages} {
		if *to, err = r.number(ctx, "PRAGMA "+name); err != nil {
			return s, err
		}
	}
	if err := r.query(ctx, func(row []driver.Value) error {
		s.Created, s.Epoch, s.Position, s.Received = str(row[0]), str(row[1]), whole(row[2]), moment(row[3])
		return nil
	}, `SELECT (SELECT value FROM meta WHERE key = 'created'), (SELECT epoch FROM position), (SELECT seq FROM position),
			(SELECT max(received) FROM latest)`); err != nil {
		return s, err
	}
	if s.Waiting, err = r.number(ctx, "SELECT count(*) FROM quotes WHERE base IS NULL"); err != nil {
		return s, err
	}
	if err := r.tableStats(ctx, &s); err != nil {
		return s, err
	}
	kept, err := r.Stats(ctx)
	if err != nil {
		return s, err
	}
	s.FirstTime, s.LastTime = kept.FirstTime, kept.LastTime
	if info, err := os.Stat(r.path); err == nil {
		s.Bytes = info.Size()
	}
	if info, err := os.Stat(r.path + "-wal"); err == nil { // it comes and goes
		s.WALBytes = info.Size()
	}
	s.PerDay, err = r.perDay(ctx, s.Bytes-s.FreePages*s.PageSize)
	return s, err
}

// tableStats are the rows and bytes of each table, with its indices.
func (r *Reader) tableStats(ctx context.Context, s *FileStats) error {
	err := r.query(ctx, func(row []driver.Value) error {
		s.Tables = append(s.Tables, TableStats{Name: str(row[0]), Bytes: whole(row[1])})
		return nil
	}, `SELECT coalesce(m.tbl_name, d.name) AS t, sum(d.pgsize) AS n FROM dbstat d LEFT JOIN sqlite_schema m ON m.name = d.name
		WHERE d.aggregate = TRUE GROUP BY t ORDER BY n DESC, t`)
	if err != nil {
		return err
	}
	for i := range s.Tables {
		t := &s.Tables[i]
		if t.Rows, err = r.rowsOf(ctx, t.Name); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf is the number of a table's rows: of the large ones what is counted.
func (r *Reader) rowsOf(ctx context.Context, table string) (int64, error) {
	if slices.Contains(countedTables(), table) {
		return r.number(ctx, "SELECT n FROM counts WHERE name = ?", table)
	}
	// The name is one of the schema, and of a file that is ours.
	return r.number(ctx, fmt.Sprintf(`SELECT count(*) FROM "%s"`, table))
}

// perDay is how many bytes a day of recording brought, from the times at which
// prices were received.
func (r *Reader) perDay(ctx context.Context, bytes int64) (int64, error) {
	const day = 24 * time.Hour
	var first, last time.Time
	err := r.query(ctx, func(row []driver.Value) error {
		first, last = moment(row[0]), moment(row[1])
		return nil
	}, `SELECT min((SELECT received FROM quotes q WHERE q.instrument = i.id ORDER BY time LIMIT 1)), (SELECT max(received) FROM latest) FROM instruments i`)
	if err != nil || last.Sub(first) < day {
		return 0, err
	}
	const hours = int64(day / time.Hour)
	return bytes * hours / int64(last.Sub(first)/time.Hour), nil
}
