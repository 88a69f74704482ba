package stdout

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"kurs"
)

// positionFile is the form of the position file.
type positionFile struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}

func readPosition(name string) (kurs.StreamPos, error) {
	if name == "" {
		return kurs.StreamPos{}, nil
	}
	text, err := os.ReadFile(filepath.Clean(name))
	if errors.Is(err, fs.ErrNotExist) {
		return kurs.StreamPos{}, nil
	}
	if err != nil {
		return kurs.StreamPos{}, err
	}
	var p positionFile
	if err := json.Unmarshal(text, &p); err != nil {
		return kurs.StreamPos{}, fmt.Errorf("position file %s is damaged (without it, everything in the queue is printed again): %w", name, err)
	}
	return kurs.StreamPos(p), nil
}

// writePosition replaces the file: at any moment it is the old one or the new
// one, also after a power cut.
func writePosition(name string, pos kurs.StreamPos) (err error) {
	if name == "" {
		return nil
	}
	text, err := json.Marshal(positionFile(pos))
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
			err = errors.Join(err, os.Remove(temporary.Name()))
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
	return syncFolder(folder)
}

// syncFolder puts a renamed file's name on the disk. Windows has no such call;
// there the file system's journal does it.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(filepath.Clean(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
