package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"kurs"
)

// Errors that callers tell apart.
var (
	// ErrBroken: the disk failed in the middle of a write, so what SQLite and
	// the operating system hold in memory may not be what is on it. The store
	// takes nothing more; what was committed before is read again, and
	// repaired from the write-ahead log, when it is opened anew.
	ErrBroken = errors.New("the store stopped after a disk error and must be opened again")

	// ErrNoDatabase: nothing was recorded there yet.
	ErrNoDatabase = errors.New("no database")

	// ErrForeign: the file is not kurs's. It was not touched.
	ErrForeign = errors.New("not a database of kurs")
)

var errClosed = errors.New("the store is closed")

// The conditions that SQLite can be in; see [Condition].
const (
	ConditionLocked  = "locked"
	ConditionFull    = "full"
	ConditionIO      = "io"
	ConditionCorrupt = "corrupt"
)

// Condition sorts an error by what a person can do about it: "locked" (another
// program holds the database), "full" (no space on the disk), "io" (the disk or
// its permissions fail), "corrupt" (the file is damaged), or "" for any other.
// All of them are outages: the group is kept and tried again.
func Condition(err error) string {
	code, ok := codeOf(err)
	if !ok {
		return ""
	}
	if code == codes.SQLITE_IOERR_SHMSIZE { // how a full disk shows while the index of the log grows
		return ConditionFull
	}
	switch code & 0xff {
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED, codes.SQLITE_PROTOCOL:
		return ConditionLocked
	case codes.SQLITE_FULL:
		return ConditionFull
	case codes.SQLITE_IOERR, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN, codes.SQLITE_PERM:
		return ConditionIO
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return ConditionCorrupt
	}
	return ""
}

func codeOf(err error) (int, bool) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0, false
	}
	return e.Code(), true
}

// classify adds to an error of a write what the contract of [kurs.Store] needs:
// content that SQLite refuses is rejected, all else is an outage.
func classify(err error) error {
	code, ok := codeOf(err)
	if !ok || errors.Is(err, kurs.ErrRejected) {
		return err
	}
	switch code & 0xff {
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_MISMATCH, codes.SQLITE_TOOBIG, codes.SQLITE_RANGE:
		return fmt.Errorf("%w: %w", kurs.ErrRejected, err)
	}
	return err
}

// breaks tells whether nothing more may be written through this connection: an
// fsync that failed must not be tried again, since the operating system may
// have dropped the pages and would call the second one a success.
func breaks(err error) bool {
	code, ok := codeOf(err)
	if !ok || Condition(err) == ConditionFull {
		return false
	}
	switch code & 0xff {
	case codes.SQLITE_IOERR, codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return true
	}
	return false
}

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: %s", kurs.ErrRejected, fmt.Sprintf(format, args...))
}

func errNewer(path string, found int64) error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: fmt.Sprintf("%s has format %d, this kurs knows up to %d", path, found, Format),
		Safe:    "the file was not changed",
		Try:     "use the kurs that wrote it, or a newer one; or record elsewhere with --data DIR",
		Exit:    kurs.ExitFailed,
		Err:     kurs.ErrNewerFormat,
	}
}

func errForeign(path string) error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: path + " was not made by kurs",
		Safe:    "the file was not changed",
		Try:     "name another file (store.sqlite.path) or another directory (--data DIR)",
		Exit:    kurs.ExitFailed,
		Err:     ErrForeign,
	}
}

func errNoDatabase(path string) error {
	return &kurs.Error{
		Code:    "KURS-EMPTY",
		Message: "nothing is stored at " + path,
		Safe:    "nothing was changed",
		Try:     "kurs run records prices; --data DIR names another directory",
		Exit:    kurs.ExitNotFound,
		Err:     ErrNoDatabase,
	}
}

func errBase(path, has, wanted string) error {
	return &kurs.Error{
		Code:    "KURS-BASE",
		Message: fmt.Sprintf("the prices in %s are in %s, not %s", path, has, wanted),
		Safe:    "nothing was changed",
		Try:     fmt.Sprintf("record in %s elsewhere (--data DIR), or set currency = %q again", wanted, has),
		Exit:    kurs.ExitUsage,
		Err:     kurs.ErrBaseCurrency,
	}
}
