package parquet

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A place is where the dataset is. Names are paths with slashes, made of the
// names of kinds, dates and numbers alone.
type place interface {
	// put makes a finished local file the one of that name, and takes it over: at
	// any moment the name stands for the whole old file or the whole new one, and
	// for the new one, also after a power cut, when put has returned nil.
	put(ctx context.Context, name, file string) error
	// get opens a file for reading; none there is fs.ErrNotExist.
	get(ctx context.Context, name string) (*source, error)
	// list tells the names of all files.
	list(ctx context.Context) ([]string, error)
	// remove removes a file; none there is no error.
	remove(ctx context.Context, name string) error
	String() string
}

// source is a file that is read.
type source struct {
	*os.File

	size      int64
	temporary bool // a copy, removed when it is closed
}

func (s *source) Close() error {
	err := s.File.Close()
	if s.temporary {
		err = errors.Join(err, os.Remove(s.Name()))
	}
	return err
}

func openSource(name string, temporary bool) (*source, error) {
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &source{File: file, size: info.Size(), temporary: temporary}, nil
}

// local is a directory of this machine.
type local struct{ dir string }

func (l local) String() string { return l.dir }

func (l local) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

func (l local) put(_ context.Context, name, file string) error {
	to := l.path(name)
	if err := makeFolder(filepath.Dir(to)); err != nil {
		return err
	}
	if err := syncFile(file); err != nil {
		return err
	}
	if err := os.Rename(file, to); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(to))
}

// syncFile brings what was written to a file to the disk, by whomever.
func syncFile(name string) error {
	file, err := os.OpenFile(filepath.Clean(name), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

func (l local) get(_ context.Context, name string) (*source, error) {
	return openSource(l.path(name), false)
}

func (l local) list(ctx context.Context) ([]string, error) {
	var names []string
	err := filepath.WalkDir(l.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(l.dir, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name == own {
				return fs.SkipDir
			}
			return nil
		}
		names = append(names, filepath.ToSlash(name))
		return nil
	})
	return names, err
}

func (l local) remove(_ context.Context, name string) error {
	err := os.Remove(l.path(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A day without files is no day.
	if folder := filepath.Dir(l.path(name)); strings.HasPrefix(filepath.Base(folder), datePrefix) {
		_ = os.Remove(folder) // fails while there is another file in it
	}
	return nil
}

// makeFolder makes a folder and those above it, and puts their names on the disk.
func makeFolder(name string) error {
	if _, err := os.Stat(name); err == nil {
		return nil
	}
	above := filepath.Dir(name)
	if above != name {
		if err := makeFolder(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(above)
}

// syncFolder puts the names in a folder on the disk. Windows has no such call;
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
