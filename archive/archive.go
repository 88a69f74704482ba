// Package archive keeps raw messages as files: what a provider answered, as it was
// received, for as long as the user wants to be able to look. They are lines of
// JSON, compressed with zstd, in a folder a day and a file an hour of their
// reception, so that any tool can read them.
//
// It is no queue and no store: prices do not depend on it, and nothing waits for
// it. It must not know who receives, decodes or stores.
package archive

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"kurs"
)

// Archive is a folder of raw messages that is written to. It is safe for
// concurrent use; any number of processes may write into one folder, each into
// files of its own.
type Archive struct {
	dir    string
	keep   time.Duration
	suffix string // of this process's files
	zip    *zstd.Encoder

	mu     sync.Mutex
	files  []hourFile // the newest last
	pruned time.Time
}

// hourFile is a file that is open for an hour of reception.
type hourFile struct {
	hour time.Time
	file *os.File
}

const (
	extension = ".jsonl.zst"
	mostFiles = 4 // open at once: messages may lag behind their reception
)

// Open makes the folder if it is not there. Messages are kept for a time after
// their reception; what is older is removed now and then.
func Open(dir string, keep time.Duration) (*Archive, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("raw archive: %w", err)
	}
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("raw archive: %w", err)
	}
	return &Archive{dir: dir, keep: keep, suffix: newSuffix(), zip: zip}, nil
}

func newSuffix() string { return strings.ToLower(rand.Text()[:10]) }

// Append keeps messages. A message may be kept twice, where the process dies
// before it is worked off. What was written is on its way to the disk: a power cut
// may cost the last of it.
func (a *Archive) Append(raws []kurs.Raw) error {
	for len(raws) > 0 {
		hour := hourOf(raws[0].Received)
		n := 1
		for n < len(raws) && hourOf(raws[n].Received).Equal(hour) {
			n++
		}
		var lines bytes.Buffer
		for i := range raws[:n] {
			if err := writeLine(&lines, &raws[i]); err != nil {
				return fmt.Errorf("raw archive: %w", err)
			}
		}
		if err := a.write(hour, a.zip.EncodeAll(lines.Bytes(), nil)); err != nil {
			return fmt.Errorf("raw archive: %w", err)
		}
		raws = raws[n:]
	}
	return nil
}

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// write appends a frame, which is whole by itself, to the file of an hour. After a
// failure the file may end in half a frame, so nothing more is added to it.
func (a *Archive) write(hour time.Time, frame []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	file, err := a.of(hour)
	if err != nil {
		return err
	}
	if _, err := file.Write(frame); err != nil {
		a.suffix = newSuffix()
		return errors.Join(err, a.closeAll())
	}
	return nil
}

// of is the file of an hour; the lock is held.
func (a *Archive) of(hour time.Time) (*os.File, error) {
	for _, f := range a.files {
		if f.hour.Equal(hour) {
			return f.file, nil
		}
	}
	folder := filepath.Join(a.dir, hour.Format(time.DateOnly))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	name := filepath.Join(folder, hour.Format("15")+"-"+a.suffix+extension)
	file, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	a.files = append(a.files, hourFile{hour, file})
	if len(a.files) > mostFiles {
		oldest := a.files[0]
		a.files = slices.Delete(a.files, 0, 1)
		err = oldest.file.Close()
	}
	return file, errors.Join(err, a.prune(hour))
}

// prune removes the folders whose messages are all too old, once an hour.
func (a *Archive) prune(now time.Time) error {
	if now.Sub(a.pruned) < time.Hour {
		return nil
	}
	a.pruned = now
	days, err := os.ReadDir(a.dir)
	if err != nil {
		return err
	}
	for _, day := range days {
		from, err := time.Parse(time.DateOnly, day.Name())
		if err != nil || !day.IsDir() { // somebody else's
			continue
		}
		if now.Sub(from.AddDate(0, 0, 1)) > a.keep {
			if err := os.RemoveAll(filepath.Join(a.dir, day.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close closes the files.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Join(a.closeAll(), a.zip.Close())
}

func (a *Archive) closeAll() error {
	var err error
	for _, f := range a.files {
		err = errors.Join(err, f.file.Close())
	}
	a.files = nil
	return err
}

// ErrNotKept is that a message is not in an archive: it is too old, or was never
// there.
var ErrNotKept = errors.New("not in the raw archive")

// Find reads a message that was received at a time. The error wraps [ErrNotKept]
// where it is not there.
func Find(ctx context.Context, dir string, id kurs.RawID, received time.Time) (kurs.Raw, error) {
	hour := hourOf(received)
	folder := filepath.Join(dir, hour.Format(time.DateOnly))
	names, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return kurs.Raw{}, fmt.Errorf("raw archive: %w", err)
	}
	for _, entry := range names {
		if !strings.HasPrefix(entry.Name(), hour.Format("15")+"-") || !strings.HasSuffix(entry.Name(), extension) {
			continue
		}
		raw, found, err := findIn(ctx, filepath.Join(folder, entry.Name()), id)
		if err != nil || found {
			return raw, err
		}
	}
	return kurs.Raw{}, fmt.Errorf("message %s of %s is %w", id, received.UTC().Format(time.RFC3339), ErrNotKept)
}
