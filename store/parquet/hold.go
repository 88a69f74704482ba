package parquet

import (
	"path/filepath"

	"github.com/gofrs/flock"
)

// lockName is the file below [own] that is locked while a dataset is written to.
const lockName = "parquet.lock"

// hold locks a directory against other processes of this machine.
func hold(dir string) (*flock.Flock, error) {
	if err := makeFolder(filepath.Join(dir, own)); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, own, lockName), flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err == nil && !locked {
		err = ErrInUse
	}
	if err != nil {
		return nil, err
	}
	return lock, nil
}
