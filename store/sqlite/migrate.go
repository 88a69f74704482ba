package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	codes "modernc.org/sqlite/lib"

	"kurs"
	"kurs/fault"
)

// Format is the format of the files that this version writes: the number of the
// newest migration, kept in SQLite's user_version.
const Format = 2

// applicationID marks the files of kurs: the bytes "kurs" in SQLite's header.
const applicationID = 'k'<<24 | 'u'<<16 | 'r'<<8 | 's'

// migrations are the steps from each format to the next. They are applied here
// and not by a library: the format is a number in the file's own header, which
// is read before anything is touched and changes in the same transaction as the
// tables, so a crash leaves the old format or the new one.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the database to Format, a transaction a step.
func migrate(ctx context.Context, c *conn, base string) error {
	for {
		format, err := pragma(ctx, c, "user_version")
		if err != nil || format >= Format {
			return err
		}
		if err := c.script(ctx, "BEGIN IMMEDIATE"); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		err = step(ctx, c, format, base)
		if err == nil {
			err = c.script(ctx, "COMMIT")
		}
		if err != nil {
			return errors.Join(err, c.script(context.WithoutCancel(ctx), "ROLLBACK"))
		}
	}
}

func step(ctx context.Context, c *conn, format int64, base string) error {
	next := format + 1
	text, err := fs.ReadFile(migrations, fmt.Sprintf("migrations/%04d.sql", next))
	if err != nil {
		return err
	}
	if err := c.script(ctx, string(text)); err != nil {
		return fmt.Errorf("migration to format %d: %w", next, err)
	}
	fault.Point("store.migrate")
	if format == 0 {
		for key, value := range map[string]string{
			"base_currency": base,
			"created":       time.Now().UTC().Format(time.RFC3339),
		} {
			if _, err := c.exec(ctx, "INSERT INTO meta (key, value) VALUES (?, ?)", key, value); err != nil {
				return err
			}
		}
	}
	// A pragma takes no parameters; both are numbers of this program.
	return c.script(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, next))
}

func pragma(ctx context.Context, c *conn, name string) (int64, error) {
	row, err := c.row(ctx, "PRAGMA "+name)
	if err != nil || len(row) == 0 {
		return 0, err
	}
	return whole(row[0]), nil
}

func baseCurrency(ctx context.Context, c *conn) (string, error) {
	row, err := c.row(ctx, "SELECT value FROM meta WHERE key = 'base_currency'")
	if err != nil || row == nil {
		return "", err
	}
	return str(row[0]), nil
}

// found is what is known of a file before it is opened for writing.
type found struct {
	format int64  // 0: empty
	base   string // base currency
}

// inspect reads what a file is, and refuses what is not kurs's or too new.
//
// It goes through SQLite and never opens the file itself: closing it would drop
// the locks that other connections of this process have on it (POSIX).
//
// Without a log beside it the file is all there is, and is read without locks, so
// that a stranger's database is not touched in any way. With one, SQLite has to
// read both; it still changes neither.
func inspect(ctx context.Context, path string, busy time.Duration) (found, error) {
	const smallestPage = 512
	if info, err := os.Stat(path); err == nil && !info.IsDir() && info.Size() > 0 && info.Size() < smallestPage {
		return found{}, errForeign(path) // SQLite would take it for an empty one
	}
	mode := "mode=ro&immutable=1"
	if hasLog(path) {
		mode = "mode=ro"
	}
	return look(ctx, path, mode, busyTimeout(busy))
}

// hasLog tells whether the file's newest pages are in a log beside it.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

func look(ctx context.Context, path, mode string, pragmas ...string) (f found, err error) {
	c, err := dial(path, mode, pragmas...)
	if err != nil {
		return f, fmt.Errorf("sqlite: %w", err)
	}
	defer func() { err = errors.Join(err, c.close()) }()

	id, err := pragma(ctx, c, "application_id")
	if code, _ := codeOf(err); code&0xff == codes.SQLITE_NOTADB {
		return f, errForeign(path)
	}
	if err != nil {
		return f, fmt.Errorf("sqlite: read %s: %w", path, err)
	}
	if f.format, err = pragma(ctx, c, "user_version"); err != nil {
		return f, fmt.Errorf("sqlite: read %s: %w", path, err)
	}
	switch {
	case id == applicationID && f.format > Format:
		return f, errNewer(path, f.format)
	case id == applicationID:
		if f.base, err = baseCurrency(ctx, c); err != nil {
			return f, fmt.Errorf("sqlite: read %s: %w", path, err)
		}
		return f, nil
	}
	tables, err := c.number(ctx, "SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return f, fmt.Errorf("sqlite: read %s: %w", path, err)
	}
	if id != 0 || f.format != 0 || tables != 0 {
		return f, errForeign(path)
	}
	return f, nil
}

// sameFormat refuses what a reader of this version cannot read.
func sameFormat(path string, f found) error {
	switch {
	case f.format == 0:
		return errNoDatabase(path)
	case f.format < Format:
		return &kurs.Error{
			Code:    "KURS-FORMAT",
			Message: fmt.Sprintf("%s has the older format %d", path, f.format),
			Safe:    "the file was not changed",
			Try:     "kurs run brings it up to date",
			Exit:    kurs.ExitFailed,
		}
	}
	return nil
}
