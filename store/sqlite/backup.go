package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"kurs"
)

// Backup is a copy of a database, whole as of one moment.
type Backup struct {
	Path     string         `json:"path"`
	Bytes    int64          `json:"bytes"`
	SHA256   string         `json:"sha256"`
	Format   int64          `json:"format"`
	Currency string         `json:"currency_base"`
	Quotes   int64          `json:"quotes"`
	Bars     int64          `json:"bars"`
	Rates    int64          `json:"rates"`
	Received time.Time      `json:"received,omitzero"` // of the newest answer in it
	Position kurs.StreamPos `json:"position"`          // in the queue
}

// BackUp copies the database to a file that is not there yet, also while it is
// recorded into: the copy is whole as of the moment when it began, and the writer
// does not wait. It is written beside, read back and checked, and only then gets
// its name. told is called now and then with how much is done.
func BackUp(ctx context.Context, path, to string, told func(done, of int64)) (b Backup, err error) {
	path, err = filepath.Abs(path)
	if err == nil {
		to, err = filepath.Abs(to)
	}
	if err != nil {
		return b, fmt.Errorf("sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return b, noFile(path, err)
	}
	if _, err := inspect(ctx, path, readerWait); err != nil {
		return b, err
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return b, errExists(to)
	}
	part := to + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b, fmt.Errorf("back up: %w", err)
	}
	// create would make the folder; one that is not there is a slip of the pen.
	if _, err := os.Stat(filepath.Dir(to)); err != nil {
		return b, fmt.Errorf("back up: %w", err)
	}
	if err := create(part); err != nil {
		return b, fmt.Errorf("back up: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removed(part))
		}
	}()
	if err := copyPages(ctx, path, part, told); err != nil {
		return b, fmt.Errorf("back up %s: %w", path, err)
	}
	if err := synced(part); err != nil {
		return b, fmt.Errorf("back up: %w", err)
	}
	if b, err = ReadBackup(ctx, part); err != nil {
		return b, err
	}
	// A link fails where the name is taken meanwhile; a rename would replace.
	if err := os.Link(part, to); errors.Is(err, fs.ErrExist) {
		return b, errExists(to)
	} else if err != nil {
		err = os.Rename(part, to) // a file system without links
		if err != nil {
			return b, fmt.Errorf("back up: %w", err)
		}
	}
	b.Path = to
	return b, errors.Join(removed(part), syncedFolder(filepath.Dir(to)))
}

func errExists(path string) error {
	return &kurs.Error{
		Code: "KURS-EXISTS", Message: path + " is there already", Safe: "it was not changed", Try: "another name, or a directory: each backup in it has a name of its own",
		Exit: kurs.ExitUsage,
	}
}

// copyPages copies a database page by page within one transaction that reads.
func copyPages(ctx context.Context, from, to string, told func(done, of int64)) (err error) {
	c, err := dial(from, "mode=ro", busyTimeout(readerWait), "query_only(1)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	// Without a transaction of its own the copy would begin again with each commit
	// of the writer.
	if err := c.script(ctx, "BEGIN; SELECT count(*) FROM sqlite_schema"); err != nil {
		return err
	}
	source, ok := c.raw.(interface {
		NewBackup(to string) (*sqlite.Backup, error)
	})
	if !ok {
		return errDriver
	}
	// What is written is synced once, at the end; of a crash only the rest of a
	// file is left that has not got its name yet.
	copied, err := source.NewBackup(dsn(to, "mode=rw", "synchronous(OFF)", "journal_mode(OFF)"))
	if err != nil {
		return err
	}
	const pages = 1024
	for more := true; more && err == nil; {
		if more, err = copied.Step(pages); err == nil {
			err = ctx.Err()
		}
		told(int64(copied.PageCount()-copied.Remaining()), int64(copied.PageCount()))
	}
	return errors.Join(err, copied.Finish())
}

// ReadBackup tells what a database at rest is, and that it is whole. It refuses
// what is not kurs's, too new, or damaged (KURS-DAMAGED).
func ReadBackup(ctx context.Context, path string) (b Backup, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return b, fmt.Errorf("sqlite: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return b, noFile(path, err)
	}
	f, err := inspect(ctx, path, readerWait)
	if damaged(err) {
		return b, errDamaged(path, err.Error())
	}
	if err != nil {
		return b, err
	}
	if f.format == 0 {
		return b, errNoDatabase(path)
	}
	if b, err = readAtRest(ctx, path, f); err != nil {
		return b, err
	}
	b.Path, b.Bytes = path, info.Size()
	b.SHA256, err = checksum(path)
	return b, err
}

func readAtRest(ctx context.Context, path string, f found) (b Backup, err error) {
	mode := "mode=ro&immutable=1"
	if hasLog(path) {
		mode = "mode=ro"
	}
	c, err := dial(path, mode, busyTimeout(readerWait), "query_only(1)")
	if err != nil {
		return b, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	row, err := c.row(ctx, "PRAGMA quick_check(1)")
	if damaged(err) {
		return b, errDamaged(path, err.Error())
	}
	if err != nil {
		return b, fmt.Errorf("check %s: %w", path, err)
	}
	if len(row) == 0 || str(row[0]) != "ok" {
		return b, errDamaged(path, fmt.Sprint(row))
	}
	b = Backup{Format: f.format, Currency: f.base}
	for name, to := range map[string]*int64{"quotes": &b.Quotes, "bars": &b.Bars, "rates": &b.Rates} {
		if *to, err = c.number(ctx, "SELECT n FROM counts WHERE name = ?", name); err != nil {
			return b, err
		}
	}
	row, err = c.row(ctx, "SELECT epoch, seq, (SELECT max(received) FROM latest) FROM position")
	if err == nil && row != nil {
		b.Position = kurs.StreamPos{Epoch: str(row[0]), Seq: uint64(whole(row[1]))} //nolint:gosec // written from one
		b.Received = moment(row[2])
	}
	return b, err
}

func errDamaged(path, how string) error {
	return &kurs.Error{
		Code: "KURS-DAMAGED", Message: path + " is damaged: " + how, Safe: "it was not changed", Try: "kurs db check tells more; another backup",
		Exit: kurs.ExitFailed,
	}
}

func checksum(path string) (sum string, err error) {
	file, err := os.Open(filepath.Clean(path))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// synced has a file on the disk. No connection of this process may have it open.
func synced(path string) error {
	file, err := os.OpenFile(filepath.Clean(path), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncedFolder has the names in a folder on the disk, where the system can.
func syncedFolder(path string) error {
	folder, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	_ = folder.Sync() // Windows does it by itself, and refuses to be asked
	return folder.Close()
}

func removed(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
