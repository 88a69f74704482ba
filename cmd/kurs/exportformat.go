package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"kurs"
	"kurs/export/arrow"
	"kurs/export/columns"
	"kurs/export/ledger"
	"kurs/export/parquet"
	"kurs/rowtext"
)

// exportFormat is a form in which prices and bars are written.
type exportFormat struct {
	name   string
	ending string
	binary bool // not for a terminal
	lines  bool // of accounting: a price a day, all in one file
	open   func(w io.Writer, o exportForm) (*rowWriter, error)
	rows   func(r io.ReaderAt, size int64) (int64, error) // of a file, as read; nil: CSV, which has a dialect

	dialect rowtext.Dialect
}

// exportForm is what a format needs to know.
type exportForm struct {
	bars     bool
	dialect  rowtext.Dialect
	pipe     bool                                                    // not a file: it cannot be gone back in
	all      bool                                                    // lines: each price, not the last of a day
	extended bool                                                    // lines: prices outside of the regular session too
	zone     func(symbol, instrument string) (*time.Location, error) // of the exchange
}

// rowWriter writes prices or bars, whichever it was opened for. It counts rows.
type rowWriter struct {
	price func(kurs.Row) error
	bar   func(kurs.BarRow) error
	close func() error
	rows  int64
}

func exportFormats() []exportFormat {
	return []exportFormat{
		{name: "csv", ending: "csv", open: openCSV},
		{name: "jsonl", ending: "jsonl", open: openJSONLines, rows: countLines(json.Valid)},
		{name: "parquet", ending: "parquet", binary: true, open: openParquet, rows: parquet.Rows},
		{name: "arrow", ending: "arrow", binary: true, open: openArrow, rows: arrow.Rows},
		{name: "hledger", ending: "journal", lines: true, open: openHledger, rows: countLedger},
		{name: "beancount", ending: "beancount", lines: true, open: openBeancount, rows: countLedger},
	}
}

// formatOf is the format of a name.
func formatOf(name string) (exportFormat, error) {
	var names []string
	for _, f := range exportFormats() {
		if f.name == name {
			return f, nil
		}
		names = append(names, f.name)
	}
	last := len(names) - 1
	list := strings.Join(names[:last], ", ") + " and " + names[last]
	return exportFormat{}, usageError(fmt.Sprintf("-o %s is not a format: there are %s", name, list), "-o csv")
}

// counted writes by one of two functions and counts.
func counted(price func(kurs.Row) error, bar func(kurs.BarRow) error, end func() error) *rowWriter {
	w := &rowWriter{close: end}
	w.price = func(r kurs.Row) error {
		w.rows++
		return price(r)
	}
	w.bar = func(b kurs.BarRow) error {
		w.rows++
		return bar(b)
	}
	return w
}

func openCSV(w io.Writer, o exportForm) (*rowWriter, error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	if o.bars {
		out := csvBars(buffered, o.dialect)
		return counted(nil, out.bar, func() error { return errors.Join(out.end(), buffered.Flush()) }), nil
	}
	if _, err := buffered.Write(o.dialect.RowHead(nil)); err != nil {
		return nil, err //nolint:wrapcheck // the writer is the caller's
	}
	return counted(csvRow(buffered, o.dialect), nil, buffered.Flush), nil
}

func openJSONLines(w io.Writer, _ exportForm) (*rowWriter, error) {
	buffered := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(buffered)
	enc.SetEscapeHTML(false)
	return counted(func(r kurs.Row) error { return enc.Encode(r) }, func(b kurs.BarRow) error { return enc.Encode(b) }, buffered.Flush), nil
}

func openParquet(w io.Writer, o exportForm) (*rowWriter, error) {
	buffered := bufio.NewWriterSize(w, 256<<10)
	if o.bars {
		out := parquet.NewWriter(buffered, columns.Bars())
		return counted(nil, out.Write, closing(out.Close, buffered.Flush)), nil
	}
	out := parquet.NewWriter(buffered, columns.Prices())
	return counted(out.Write, nil, closing(out.Close, buffered.Flush)), nil
}

func closing(first, then func() error) func() error {
	return func() error {
		if err := first(); err != nil {
			return err
		}
		return then()
	}
}

func openArrow(w io.Writer, o exportForm) (*rowWriter, error) {
	buffered := bufio.NewWriterSize(w, 256<<10)
	if o.bars {
		out, err := arrowWriter(buffered, o, columns.Bars())
		if err != nil {
			return nil, err
		}
		return counted(nil, out.Write, closing(out.Close, buffered.Flush)), nil
	}
	out, err := arrowWriter(buffered, o, columns.Prices())
	if err != nil {
		return nil, err
	}
	return counted(out.Write, nil, closing(out.Close, buffered.Flush)), nil
}

func arrowWriter[R any](w io.Writer, o exportForm, all []columns.Column[R]) (*arrow.Writer[R], error) {
	if o.pipe {
		return arrow.NewStream(w, all), nil
	}
	return arrow.NewFile(w, all)
}

func openHledger(w io.Writer, o exportForm) (*rowWriter, error) {
	out, err := ledger.NewHledger(w, o.all)
	return ledgerLines(out, o), err
}

func openBeancount(w io.Writer, o exportForm) (*rowWriter, error) {
	out, err := ledger.NewBeancount(w)
	return ledgerLines(out, o), err
}

// count is how many rows a file has, as read.
func (f *exportFormat) count(r io.ReaderAt, size int64) (int64, error) {
	if f.rows != nil {
		return f.rows(r, size)
	}
	return countCSV(r, size, f.dialect)
}

// countCSV counts the records after the head.
func countCSV(r io.ReaderAt, size int64, dialect rowtext.Dialect) (int64, error) {
	table := csv.NewReader(io.NewSectionReader(r, 0, size))
	table.ReuseRecord = true
	if dialect == rowtext.ExcelDA {
		table.Comma = ';'
	}
	for rows := int64(-1); ; rows++ {
		_, err := table.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err //nolint:wrapcheck // says the line
		}
	}
}

// countLines counts lines, each of which must be whole and right.
func countLines(right func([]byte) bool) func(io.ReaderAt, int64) (int64, error) {
	return func(r io.ReaderAt, size int64) (rows int64, err error) {
		lines := bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10)
		for {
			line, err := lines.ReadBytes('\n')
			switch {
			case errors.Is(err, io.EOF) && len(line) == 0:
				return rows, nil
			case err != nil && !errors.Is(err, io.EOF):
				return rows, err //nolint:wrapcheck // by mismatch
			case err != nil || !right(line):
				return rows, fmt.Errorf("line %d is not whole", rows+1)
			}
			rows++
		}
	}
}

// countLedger counts the lines that are prices.
func countLedger(r io.ReaderAt, size int64) (rows int64, err error) {
	_, err = countLines(func(line []byte) bool {
		if ledger.IsPrice(line) {
			rows++
		}
		return true
	})(r, size)
	return rows, err
}
