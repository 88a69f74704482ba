package testkit

import (
	"archive/zip"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

// Corpus begins a fuzz test of bytes with what fuzzing found before, on whatever
// machine: the file testdata/corpus/NAME.zip, which "make corpora" writes.
func Corpus(f *testing.F) {
	f.Helper()
	r, err := zip.OpenReader(filepath.Join("testdata", "corpus", f.Name()+".zip"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	for _, file := range r.File {
		input, err := fs.ReadFile(r, file.Name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(input)
	}
}
