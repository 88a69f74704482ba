package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Vacuumed is what was gained by writing a database anew.
type Vacuumed struct {
	Before int64 `json:"bytes_before"` // of the file and its log
	After  int64 `json:"bytes_after"`
}

// VacuumNeeds is how many bytes of free disk [Vacuum] needs beside the database:
// a whole copy, and the same again in the log.
func VacuumNeeds(ctx context.Context, path string) (n int64, err error) {
	c, err := atWork(ctx, path, "mode=ro", "query_only(1)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	used, err := c.number(ctx, "SELECT (c.page_count - f.freelist_count) * s.page_size FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s")
	return 2 * used, err
}

// Vacuum writes the database anew, without what was deleted. Nobody may record
// meanwhile; whoever calls sees to that. A crash leaves the file as it was.
func Vacuum(ctx context.Context, path string) (v Vacuumed, err error) {
	c, err := atWork(ctx, path, "mode=rw", "synchronous(FULL)")
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	v.Before = sizeWithLog(path)
	// SQLite's own folder for temporary files may be a small one, in memory.
	folder := strings.ReplaceAll(filepath.Dir(path), "'", "''")
	for _, text := range []string{"PRAGMA temp_store_directory = '" + folder + "'", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if err := c.script(ctx, text); err != nil {
			if Condition(err) == ConditionLocked {
				return v, errInUse(path, err)
			}
			return v, fmt.Errorf("vacuum %s: %w", path, err)
		}
	}
	v.After = sizeWithLog(path)
	return v, nil
}

// atWork opens a database of kurs that is there.
func atWork(ctx context.Context, path, mode string, pragmas ...string) (*conn, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, noFile(path, err)
	}
	f, err := inspect(ctx, path, readerWait)
	if err != nil {
		return nil, err
	}
	if f.format == 0 {
		return nil, errNoDatabase(path)
	}
	return dial(path, mode, append(pragmas, busyTimeout(readerWait))...)
}

func sizeWithLog(path string) int64 {
	var n int64
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}
