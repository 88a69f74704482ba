package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"kurs"
)

// exportedFile is what is told of a file that was written.
type exportedFile struct {
	File   string `json:"file"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// summed counts and sums what is written through it.
type summed struct {
	to    io.Writer
	sum   hash.Hash
	bytes int64
}

func newSummed(to io.Writer) *summed { return &summed{to: to, sum: sha256.New()} }

// Write writes on.
func (s *summed) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	s.bytes += int64(n)
	s.sum.Write(b[:n])
	return n, err //nolint:wrapcheck // an io.Writer
}

func (s *summed) text() string { return hex.EncodeToString(s.sum.Sum(nil)) }

// outFile is a file that is written beside its name and takes it when it is whole,
// so that there is never a part of it.
type outFile struct {
	*summed

	name string
	temp *os.File
}

// createOut begins a file, readable by its owner only.
func createOut(name string, replace bool) (*outFile, error) {
	if _, err := os.Stat(name); err == nil && !replace {
		return nil, &kurs.Error{
			Code: "KURS-EXISTS", Message: name + " is there already", Safe: "it was not changed", Try: "another --out, or --force", Exit: kurs.ExitUsage,
		}
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return nil, exportError(name, err)
	}
	return &outFile{summed: newSummed(f), name: name, temp: f}, nil
}

// finish brings the file to the disk, reads it back, and compares it with what was
// written: its bytes by their sum, its rows as the format's own reader counts them.
func (o *outFile) finish(f exportFormat, rows int64) (exportedFile, error) {
	if err := errors.Join(o.temp.Sync(), o.temp.Close()); err != nil {
		return exportedFile{}, exportError(o.name, err)
	}
	sum, size, err := sumOf(o.temp.Name())
	if err != nil {
		return exportedFile{}, exportError(o.name, err)
	}
	if sum != o.text() || size != o.bytes {
		return exportedFile{}, mismatch(o.name, fmt.Sprintf("%d bytes with the sum %s were written, and %d with %s are there", o.bytes, o.text(), size, sum))
	}
	read, err := rowsOf(f, o.temp.Name())
	if err != nil {
		return exportedFile{}, mismatch(o.name, err.Error())
	}
	if read != rows {
		return exportedFile{}, mismatch(o.name, fmt.Sprintf("%d rows were written, and %d are there", rows, read))
	}
	return exportedFile{File: o.name, Rows: rows, Bytes: size, SHA256: sum}, nil
}

// commit gives the file its name.
func (o *outFile) commit() error {
	if err := os.Rename(o.temp.Name(), o.name); err != nil {
		return exportError(o.name, err)
	}
	return syncFolder(filepath.Dir(o.name))
}

// discard leaves nothing of the file behind. One that was committed stays.
func (o *outFile) discard() error {
	err := o.temp.Close()
	if errors.Is(err, fs.ErrClosed) {
		err = nil
	}
	if gone := os.Remove(o.temp.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// syncFolder makes a new name last. Windows has no such thing.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return exportError(name, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return exportError(name, err)
	}
	return nil
}

func sumOf(name string) (sum string, size int64, err error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return "", 0, err //nolint:wrapcheck // by exportError
	}
	defer func() { _ = f.Close() }() // it was only read
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err //nolint:wrapcheck // by exportError
}

func rowsOf(format exportFormat, name string) (int64, error) {
	f, err := os.Open(filepath.Clean(name))
	if err != nil {
		return 0, err //nolint:wrapcheck // by mismatch
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return 0, err //nolint:wrapcheck // by mismatch
	}
	return format.count(f, info.Size())
}

func mismatch(name, what string) error {
	return &kurs.Error{
		Code: "KURS-CHECKSUM", Message: name + " does not read back as it was written: " + what, Safe: "nothing of it is left behind",
		Try: "the same again, on another disk if it comes back", Exit: kurs.ExitFailed,
	}
}

// exportError says that a file cannot be written; what says so already stays.
func exportError(name string, err error) error {
	if _, ok := errors.AsType[*kurs.Error](err); ok {
		return err
	}
	e := &kurs.Error{
		Code: "KURS-EXPORT", Message: "cannot write " + name, Safe: "nothing of it is left behind", Try: "another --out", Exit: kurs.ExitFailed, Err: err,
	}
	if errors.Is(err, syscall.ENOSPC) {
		e.Code, e.Exit = "KURS-DISK", kurs.ExitDisk
	}
	return e
}
