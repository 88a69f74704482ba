package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"kurs"
)

// export writes what a source has to standard output, a file, or a folder.
type export struct {
	run    *exportRun
	format exportFormat
	from   *exportSource
	found  map[string]bool // symbols of which something was found
}

func (e *export) write(ctx context.Context, std streams) error {
	if e.run.out == "-" {
		return e.toStream(ctx, std)
	}
	// What is half-written goes away also when a person has enough of it.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	var (
		files []exportedFile
		err   error
	)
	if e.run.toFolder() {
		files, err = e.toFolder(ctx)
	} else {
		files, err = e.toFile(ctx)
	}
	if err != nil && ctx.Err() != nil {
		return &kurs.Error{
			Code: "KURS-STOPPED", Message: "stopped by a signal", Safe: "nothing was written to " + e.run.out, Exit: kurs.ExitInterrupted,
		}
	}
	if err != nil {
		return err
	}
	if err := e.tell(std, files); err != nil {
		return err
	}
	return e.missing(std.err)
}

// toStream writes to standard output, of which nothing can be read back.
func (e *export) toStream(ctx context.Context, std streams) error {
	to := newSummed(std.out)
	rows, err := e.fill(ctx, to, true, func(w *rowWriter) error { return e.from.all(ctx, w) })
	if err != nil {
		return readerGone(err)
	}
	fmt.Fprintf(std.err, "%s written, %s, sha256 %s\n", countOf(int(rows), e.one()), countOf(int(to.bytes), "byte"), to.text())
	return e.missing(std.err)
}

// one is what a row is called.
func (e *export) one() string {
	if e.run.bars != "" {
		return "bar"
	}
	return "price"
}

// fill opens the format on w and lets rows write; it returns how many were.
func (e *export) fill(ctx context.Context, w io.Writer, pipe bool, rows func(*rowWriter) error) (int64, error) {
	out, err := e.open(ctx, w, pipe)
	if err != nil {
		return 0, err
	}
	if err := rows(out); err != nil {
		return out.rows, err
	}
	return out.rows, out.close()
}

// open begins the format on w, and takes note of the symbols that come by.
func (e *export) open(ctx context.Context, w io.Writer, pipe bool) (*rowWriter, error) {
	form := exportForm{bars: e.run.bars != "", dialect: e.format.dialect, pipe: pipe, all: e.run.all, extended: e.run.extended}
	form.zone = func(symbol, instrument string) (*time.Location, error) {
		return e.from.zone(ctx, symbol, instrument)
	}
	out, err := e.format.open(w, form)
	if err != nil {
		return nil, err
	}
	price, bar := out.price, out.bar
	out.price = func(r kurs.Row) error {
		e.found[r.Symbol], e.found[r.Instrument] = true, true
		return price(r)
	}
	out.bar = func(b kurs.BarRow) error {
		e.found[b.Symbol], e.found[b.Instrument] = true, true
		return bar(b)
	}
	return out, nil
}

// toFile writes all into one file.
func (e *export) toFile(ctx context.Context) (_ []exportedFile, err error) {
	out, err := createOut(e.run.out, e.run.force)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.discard())
		}
	}()
	file, err := e.finished(ctx, out, func(w *rowWriter) error { return e.from.all(ctx, w) })
	if err != nil {
		return nil, err
	}
	return []exportedFile{file}, out.commit()
}

// finished is a file with rows in it, read back.
func (e *export) finished(ctx context.Context, out *outFile, rows func(*rowWriter) error) (exportedFile, error) {
	n, err := e.fill(ctx, out, false, rows)
	if err != nil {
		return exportedFile{}, exportError(out.name, err)
	}
	return out.finish(e.format, n)
}

// toFolder writes a file a day. None takes its name before all of them are whole.
func (e *export) toFolder(ctx context.Context) (files []exportedFile, err error) {
	days, err := e.from.days(ctx)
	if err != nil {
		return nil, err
	}
	var (
		written []*outFile
		made    []string // folders
	)
	defer func() {
		if err == nil {
			return
		}
		for _, out := range written {
			err = errors.Join(err, out.discard())
		}
		for _, folder := range slices.Backward(made) {
			_ = os.Remove(folder) // it stays where something else is in it
		}
	}()
	for _, day := range days {
		name := filepath.Join(e.run.out, "date="+day.From.Format(time.DateOnly), e.fileName())
		folders, out, err := e.beginDay(name)
		made = append(made, folders...)
		if err != nil {
			return nil, err
		}
		written = append(written, out)
		file, err := e.finished(ctx, out, func(w *rowWriter) error { return e.from.day(ctx, day, w) })
		if err != nil {
			return nil, err
		}
		if file.Rows == 0 { // a day of which nothing was known yet, say
			written = written[:len(written)-1]
			if err := out.discard(); err != nil {
				return nil, exportError(name, err)
			}
			for _, folder := range slices.Backward(folders) {
				_ = os.Remove(folder) // it stays where something else is in it
			}
			continue
		}
		files = append(files, file)
	}
	for _, out := range written {
		if err := out.commit(); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// fileName is that of each day's file.
func (e *export) fileName() string {
	if e.run.bars != "" {
		return "bars-" + e.run.bars + "." + e.format.ending
	}
	return "prices." + e.format.ending
}

// beginDay begins a day's file, and tells which folders it made for it.
func (e *export) beginDay(name string) (made []string, out *outFile, err error) {
	folder := filepath.Dir(name)
	for up := folder; ; up = filepath.Dir(up) {
		if _, err := os.Stat(up); !errors.Is(err, fs.ErrNotExist) || up == filepath.Dir(up) {
			break
		}
		made = append(made, up)
	}
	slices.Reverse(made)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return made, nil, exportError(name, err)
	}
	out, err = createOut(name, e.run.force)
	return made, out, err
}

// tell says what was written.
func (e *export) tell(std streams, files []exportedFile) error {
	var rows, size int64
	for _, f := range files {
		rows, size = rows+f.Rows, size+f.Bytes
	}
	if e.run.summary == "json" {
		if files == nil {
			files = []exportedFile{}
		}
		return printJSON(std.out, map[string]any{"files": files, "rows": rows, "bytes": size})
	}
	for _, f := range files {
		fmt.Fprintf(std.err, "%s: %s, %s, sha256 %s\n", f.File, countOf(int(f.Rows), "row"), countOf(int(f.Bytes), "byte"), f.SHA256)
	}
	if !e.run.toFolder() && len(files) == 1 {
		return nil
	}
	fmt.Fprintf(std.err, "Wrote %s, %s, %s to %s", countOf(len(files), "file"), countOf(int(rows), "row"), bytesText(uint64(size)), e.run.out)
	if e.format.name == "parquet" && len(files) > 0 {
		fmt.Fprintf(std.err, `   (read: duckdb -c "from '%s'")`, filepath.Join(e.run.out, "**", "*.parquet"))
	}
	fmt.Fprintln(std.err)
	return nil
}

// missing names the symbols that nothing was found of.
func (e *export) missing(w io.Writer) error {
	what := "prices"
	if e.run.bars != "" {
		what = "bars"
	}
	missing := slices.DeleteFunc(slices.Clone(e.from.filter.Symbols), func(s string) bool { return e.found[s] })
	return nothingStored(w, what, missing, len(missing) < len(e.from.filter.Symbols))
}
