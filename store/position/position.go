// Package position keeps how far a store has come in the queue, for stores that
// have no transactions of their own: in a small file of JSON, which at any moment
// is the old one or the new one, also after a power cut.
//
// It must not know what a store keeps or where.
package position

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// Read reads the file into a value. One that is not there leaves it as it is.
func Read[T any](name string, into *T) error {
	text, err := os.ReadFile(filepath.Clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("position file %s is damaged (without it, everything in the queue is written again): %w", name, err)
	}
	return nil
}

// Write replaces the file, and makes its folder if that is not there. When it
// returns nil, the file is on the disk; after an error it is in doubt which one
// is.
func Write[T any](name string, value T) (err error) {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	folder := filepath.Dir(name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(folder, filepath.Base(name)+".*") // readable by its owner only
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary.Name()) // it may have its name already
		}
	}()
	_, err = temporary.Write(append(text, '\n'))
	if err == nil {
		err = temporary.Sync()
	}
	if err = errors.Join(err, temporary.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), name); err != nil {
		return err
	}
	return SyncFolder(folder)
}

// SyncFolder puts the names in a folder on the disk: of files that were made,
// renamed or removed. Windows has no such call; there the file system's journal
// does it.
func SyncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(filepath.Clean(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
