package parquet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// A file is no longer than this: what a reader takes whole stays of a size that
// travels well. Row groups are what it skips by.
const (
	rowsInFile  = 4 << 20
	rowsInGroup = 256 << 10
)

// writing are the files of a commit, before anybody sees them.
type writing struct {
	work  string // the folder where they are written
	step  func(what string) error
	ready []made
}

// made is a finished file that has no name yet.
type made struct {
	file   string // where it is
	folder string // where it belongs
	order  string // its place among those of its day, where it is made of others
}

// discard removes what was not published.
func (w *writing) discard() {
	for _, m := range w.ready {
		_ = os.Remove(m.file) // the folder is emptied when the store is opened
	}
	w.ready = nil
}

// publish gives the files their names at a place, and tells those.
func (w *writing) publish(ctx context.Context, at place, commit int64) ([]string, error) {
	of := map[string]int{} // how many there are of a folder
	var out []string
	for _, m := range w.ready {
		order := fmt.Sprintf("%010d", commit)
		if m.order != "" {
			order = m.order + "c" + order
		}
		name := fmt.Sprintf("%s/%s-%02d%s", m.folder, order, of[m.folder], extension)
		of[m.folder]++
		if err := w.step("publish"); err != nil {
			return out, err
		}
		out = append(out, name) // also where it fails: it may be there
		if err := at.put(ctx, name, m.file); err != nil {
			return out, err
		}
	}
	return out, nil
}

// output is a file on its way: rows in, Parquet out.
type output[T any] struct {
	w       *writing
	made    made
	file    *os.File
	buffer  *bufio.Writer
	parquet *pq.GenericWriter[T]
	pending []T
	rows    int
}

// options are how all files are written. zstd at its default level costs an eighth
// more time than at its fastest, for files that are hardly smaller.
func options[T any](sorted []string) []pq.WriterOption {
	columns := make([]pq.SortingColumn, len(sorted))
	for i, name := range sorted {
		columns[i] = pq.Ascending(name)
	}
	options := []pq.WriterOption{
		pq.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
		pq.MaxRowsPerRowGroup(rowsInGroup),
		pq.PageBufferSize(256 << 10),
		pq.SortingWriterConfig(pq.SortingColumns(columns...)),
		pq.CreatedBy("kurs", strconv.Itoa(Format), ""),
	}
	for _, field := range pq.SchemaOf(new(T)).Fields() {
		if field.Type().Kind() == pq.FixedLenByteArray {
			// The library compares decimals without their sign, so that a reader would
			// pass over the pages with a price below zero.
			options = append(options, pq.SkipPageBounds(field.Name()))
		}
	}
	return options
}

func newOutput[T any](w *writing, sorted []string, m made) (*output[T], error) {
	if err := os.MkdirAll(w.work, 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(w.work, "new-*"+extension)
	if err != nil {
		return nil, err
	}
	m.file = file.Name()
	w.ready = append(w.ready, m) // from here on it is removed when the commit fails
	o := &output[T]{w: w, made: m, file: file, buffer: bufio.NewWriterSize(file, 64<<10)}
	o.parquet = pq.NewGenericWriter[T](o.buffer, options[T](sorted)...)
	return o, nil
}

// write adds a row, which is copied.
func (o *output[T]) write(row *T) error {
	o.pending = append(o.pending, *row)
	o.rows++
	if len(o.pending) < rowsAtOnce {
		return nil
	}
	return o.flush()
}

func (o *output[T]) flush() error {
	_, err := o.parquet.Write(o.pending)
	clear(o.pending)
	o.pending = o.pending[:0]
	return err
}

// close ends the file; it is then whole. Who puts it into its place brings it to
// the disk.
func (o *output[T]) close() error {
	err := o.flush()
	if err == nil {
		err = o.parquet.Close()
	}
	if err == nil {
		err = o.buffer.Flush()
	}
	return errors.Join(err, o.file.Close())
}

// abandon ends a file that is not wanted any more.
func (o *output[T]) abandon() { _ = o.file.Close() }

// outputs are the files of one day of a kind, by role.
type outputs[T any] struct {
	w     *writing
	kind  *kind[T]
	date  string
	order string
	most  int // rows in a file
	open  [len(suffixes)]*output[T]
}

func (o *outputs[T]) put(as role, row *T) error {
	out := o.open[as]
	if out != nil && out.rows >= o.most {
		o.open[as] = nil
		if err := out.close(); err != nil {
			return err
		}
		out = nil
	}
	if out == nil {
		var err error
		folder := o.kind.name + suffixes[as] + "/" + datePrefix + o.date
		if out, err = newOutput[T](o.w, o.kind.sorted, made{folder: folder, order: o.order}); err != nil {
			return err
		}
		o.open[as] = out
	}
	return out.write(row)
}

// close ends all files of the day.
func (o *outputs[T]) close() error {
	var failed []error
	for i, out := range o.open {
		if out != nil {
			failed = append(failed, out.close())
			o.open[i] = nil
		}
	}
	return errors.Join(failed...)
}

func (o *outputs[T]) abandon() {
	for i, out := range o.open {
		if out != nil {
			out.abandon()
			o.open[i] = nil
		}
	}
}

// emptyWork removes what a commit left behind that was not finished.
func emptyWork(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var failed []error
	for _, entry := range entries {
		failed = append(failed, os.Remove(filepath.Join(folder, entry.Name())))
	}
	return errors.Join(err, errors.Join(failed...))
}
