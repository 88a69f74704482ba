package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kurs"
)

// Restored is what a restore did.
type Restored struct {
	Backup Backup `json:"backup"`
	Path   string `json:"path"`
	Kept   string `json:"kept,omitempty"` // the database that was there before; empty: none was
}

// Restore puts a backup in the place of the database, and keeps what was there
// beside it, under a name with the time. Nobody may record meanwhile; whoever calls
// sees to that. At each moment there is a whole database under the path, or none
// where there was none: a crash leaves the one or the other.
func Restore(ctx context.Context, backup, path string, now time.Time) (r Restored, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return r, fmt.Errorf("sqlite: %w", err)
	}
	if r.Backup, err = ReadBackup(ctx, backup); err != nil {
		return r, err
	}
	if hasLog(r.Backup.Path) {
		return r, &kurs.Error{
			Code: "KURS-USAGE", Message: r.Backup.Path + " is a database in use: a part of it is in the file -wal beside it", Safe: "nothing was changed",
			Try: "kurs db backup makes a copy that is whole", Exit: kurs.ExitUsage,
		}
	}
	r.Path = path
	if same(backup, path) {
		return r, &kurs.Error{
			Code: "KURS-USAGE", Message: backup + " is the database itself", Safe: "nothing was changed", Try: "name a backup", Exit: kurs.ExitUsage,
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	part := path + ".restoring"
	defer func() { err = errors.Join(err, removed(part)) }()
	if err := copyFile(r.Backup.Path, part); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	if copied, err := ReadBackup(ctx, part); err != nil {
		return r, err
	} else if copied.SHA256 != r.Backup.SHA256 {
		return r, errDamaged(part, "it is not what was copied")
	}
	if r.Kept, err = setAsideDatabase(ctx, path, now); err != nil {
		return r, err
	}
	if err := os.Rename(part, path); err != nil {
		return r, fmt.Errorf("restore: %w", err)
	}
	return r, syncedFolder(filepath.Dir(path))
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(filepath.Clean(from))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(filepath.Clean(to), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// setAsideDatabase gives the database a second name, with the time, so that it is
// kept when the first gets another file. Its log is worked off before: a log that
// stayed would be taken for the other file's.
func setAsideDatabase(ctx context.Context, path string, now time.Time) (string, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(removed(path+"-wal"), removed(path+"-shm")) // of a database that was taken away
	} else if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	kept := path + ".before-restore-" + now.UTC().Format("20060102T150405Z")
	if _, err := os.Lstat(kept); err == nil {
		return "", errExists(kept)
	}
	err := alone(ctx, path)
	if err != nil && !damaged(err) {
		return "", err
	}
	if err := os.Link(path, kept); err != nil {
		// A file system without links: for a moment there is no database.
		if err := os.Rename(path, kept); err != nil {
			return "", fmt.Errorf("keep the present database: %w", err)
		}
	}
	// Of a damaged one the log could not be worked off; it goes along.
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+suffix, kept+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("keep the present database: %w", err)
		}
	}
	return kept, syncedFolder(filepath.Dir(path))
}

// alone works off the log of a database and takes it away, which SQLite does only
// where nobody else has the database open.
func alone(ctx context.Context, path string) (err error) {
	c, err := dial(path, "mode=rw", busyTimeout(0), "synchronous(FULL)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for _, mode := range []string{"DELETE", "WAL"} { // the mode stays what it was; between the two there is no log
		if _, err := c.row(ctx, "PRAGMA journal_mode = "+mode); Condition(err) == ConditionLocked {
			return errInUse(path, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func errInUse(path string, err error) error {
	return &kurs.Error{
		Code: "KURS-LOCK", Message: "another program has " + path + " open", Safe: "nothing was changed", Try: "close it (sqlite3, Grafana, a browser of databases), then again",
		Exit: kurs.ExitLocked, Retryable: true, Err: err,
	}
}
