package lines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"kurs/store/position"
)

// Compression is what is done to files that are closed.
type Compression string

// The compressions.
const (
	None Compression = "none"
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

// suffix is what the name of a compressed file ends with; empty: none is.
func (c Compression) suffix() string {
	switch c {
	case Gzip:
		return ".gz"
	case Zstd:
		return ".zst"
	case None:
	}
	return ""
}

func (c Compression) writer(w io.Writer) (io.WriteCloser, error) {
	if c == Gzip {
		return gzip.NewWriter(w), nil
	}
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
}

// tidier compresses and removes closed files, beside the store, which does not
// wait for it. What it could not do, it does when the next file is closed, or at
// the next start.
type tidier struct {
	config Config
	log    *slog.Logger
	closed chan int64 // the number of the file that is written: those below it are closed
	stop   context.CancelFunc
	ended  chan struct{}
}

func newTidier(ctx context.Context, config Config, log *slog.Logger) *tidier {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	t := &tidier{config: config, log: log, closed: make(chan int64, 1), stop: stop, ended: make(chan struct{})}
	go t.run(ctx)
	return t
}

// wake says that files below a number are closed. It does not block. The store's
// lock is held, or nobody has the store yet.
func (t *tidier) wake(number int64) {
	select {
	case <-t.closed: // what was not begun yet is told anew
	default:
	}
	t.closed <- number
}

// end stops the work, and waits until it has ended.
func (t *tidier) end() {
	t.stop()
	<-t.ended
}

func (t *tidier) run(ctx context.Context) {
	defer close(t.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case number := <-t.closed:
			if err := t.work(ctx, number); err != nil && ctx.Err() == nil {
				t.log.WarnContext(ctx, "closed files are not all compressed and removed: tried again with the next", "error", err)
			}
		}
	}
}

// work removes the oldest of the closed files, and compresses what is not.
func (t *tidier) work(ctx context.Context, number int64) error {
	files, err := list(t.config.Dir)
	if err != nil {
		return err
	}
	closed := map[int64][]entry{}
	for _, f := range files {
		if f.number < number && !f.part {
			closed[f.number] = append(closed[f.number], f)
		}
	}
	for i, n := range slices.Sorted(maps.Keys(closed)) {
		same := closed[n]
		if t.config.MaxFiles > 0 && len(closed)-i > t.config.MaxFiles {
			if err := t.remove(same); err != nil {
				return err
			}
			continue
		}
		at := slices.IndexFunc(same, func(f entry) bool { return f.zip == "" })
		if at < 0 {
			continue
		}
		// The plain one is whole for certain. What is beside it was not finished.
		if err := t.remove(slices.Delete(slices.Clone(same), at, at+1)); err != nil {
			return err
		}
		if t.config.Compress.suffix() == "" {
			continue
		}
		if err := t.compress(ctx, filepath.Join(t.config.Dir, same[at].name)); err != nil {
			return fmt.Errorf("compress %s: %w", same[at].name, err)
		}
	}
	return nil
}

func (t *tidier) remove(files []entry) error {
	for _, f := range files {
		if err := os.Remove(filepath.Join(t.config.Dir, f.name)); err != nil {
			return err
		}
	}
	return nil
}

// compress makes the compressed file beside the plain one, and removes that only
// when the other is whole and on the disk.
func (t *tidier) compress(ctx context.Context, name string) error {
	whole := name + t.config.Compress.suffix()
	part := whole + partSuffix
	if err := t.compressTo(ctx, name, part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	if err := os.Rename(part, whole); err != nil {
		return err
	}
	if err := position.SyncFolder(t.config.Dir); err != nil {
		return err
	}
	return os.Remove(name)
}

func (t *tidier) compressTo(ctx context.Context, name, part string) (err error) {
	from, err := os.Open(filepath.Clean(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := os.OpenFile(filepath.Clean(part), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	zip, err := t.config.Compress.writer(to)
	if err == nil {
		_, err = io.Copy(zip, readerFunc(func(b []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return from.Read(b)
		}))
		err = errors.Join(err, zip.Close())
	}
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
