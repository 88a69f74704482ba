package parquet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/minio/minio-go/v7"

	"kurs"
)

// ErrBroken says that the store takes nothing more: the disk or the object storage failed in the
// middle of a write, so what is kept may not be what was thought. It is read again
// when the store is opened anew.
var ErrBroken = errors.New("the store stopped after a failed write and must be opened again")

// ErrInUse is that another process writes to the dataset.
var ErrInUse = errors.New("another kurs writes there")

var errClosed = errors.New("the store is closed")

// The conditions that a dataset can be in; see [Condition].
const (
	ConditionFull        = "full"
	ConditionRefused     = "refused"
	ConditionUnreachable = "unreachable"
	ConditionIO          = "io"
	ConditionLocked      = "locked"
)

// Condition sorts an error by what a person can do about it: "full" (no space on
// the disk), "refused" (the object storage does not let us: keys, rights, or no
// such bucket), "unreachable" (it does not answer, or is not well), "io" (the
// directory is gone or read-only, or its disk fails), "locked" (another process
// writes there), or "" for any other. All
// of them are outages: the group is kept and tried again.
func Condition(err error) string {
	if errors.Is(err, ErrInUse) {
		return ConditionLocked
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return ConditionFull
	}
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && answer.StatusCode != 0 {
		switch {
		case answer.StatusCode == http.StatusInsufficientStorage, answer.Code == "XMinioStorageFull":
			return ConditionFull
		case answer.StatusCode == http.StatusRequestTimeout, answer.StatusCode == http.StatusTooManyRequests,
			answer.StatusCode >= http.StatusInternalServerError:
			return ConditionUnreachable
		}
		return ConditionRefused
	}
	_, asked := errors.AsType[*url.Error](err)
	_, sent := errors.AsType[*net.OpError](err)
	if asked || sent || errors.Is(err, context.DeadlineExceeded) {
		return ConditionUnreachable
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return ConditionIO
	}
	return ""
}

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: %s", kurs.ErrRejected, fmt.Sprintf(format, args...))
}

func errNewer(at place, found int) error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: fmt.Sprintf("the dataset at %s has format %d, this kurs knows up to %d", at, found, Format),
		Safe:    "nothing was changed",
		Try:     "use the kurs that wrote it, or a newer one; or name another place (store.parquet.dir, store.parquet.url)",
		Exit:    kurs.ExitFailed,
		Err:     kurs.ErrNewerFormat,
	}
}

func errBase(at place, has, wanted string) error {
	return &kurs.Error{
		Code:    "KURS-BASE",
		Message: fmt.Sprintf("the prices at %s are in %s, not %s", at, has, wanted),
		Safe:    "nothing was changed",
		Try:     fmt.Sprintf("name another place (store.parquet.dir, store.parquet.url), or set currency = %q again", has),
		Exit:    kurs.ExitUsage,
		Err:     kurs.ErrBaseCurrency,
	}
}

func errNoManifest(at place, name string) error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: fmt.Sprintf("at %s there are files of a dataset, as %s, and the manifest that names them is missing (%s)", at, name, manifestName),
		Safe:    "nothing was changed",
		Try:     "bring the manifest back from where the files were copied from; or name another place (store.parquet.dir, store.parquet.url)",
		Exit:    kurs.ExitFailed,
		Err:     ErrManifest,
	}
}
