package ecb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kurs/acquire/ecb/wire"
)

// file is a place on this machine.
type file struct {
	path string
	size int64 // as it was read last
	when time.Time
}

// fileEvery is how often it is looked at whether a file has changed.
const fileEvery = 15 * time.Second

func (f *file) name() string { return f.path }

func (*file) hasMore() bool { return false }

func (*file) next(now, _ time.Time) time.Time { return now.Add(fileEvery) }

func (*file) wait(int) time.Duration { return fileEvery }

func (f *file) fetch(_ context.Context, first bool, _ tag) (fetched, error) {
	info, err := os.Stat(f.path)
	if err != nil {
		return fetched{}, cause(err)
	}
	switch {
	case !info.Mode().IsRegular():
		return fetched{}, errors.New("it is no file")
	case info.Size() > wire.MaxBody:
		return fetched{}, fmt.Errorf("the file has more than %d MiB", wire.MaxBody>>20)
	case !first && info.Size() == f.size && info.ModTime().Equal(f.when):
		return fetched{unchanged: true}, nil
	}
	from, err := os.Open(f.path)
	if err != nil {
		return fetched{}, cause(err)
	}
	body, err := io.ReadAll(io.LimitReader(from, wire.MaxBody+1))
	if err = errors.Join(err, from.Close()); err != nil {
		return fetched{}, cause(err)
	}
	f.size, f.when = info.Size(), info.ModTime()
	return fetched{body: body}, nil
}

// cause drops the path, which is known.
func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// filePath is the path of a file address: on Windows /C:/x is C:/x.
func filePath(path string) string {
	if len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = strings.TrimPrefix(path, "/")
	}
	return filepath.FromSlash(path)
}
