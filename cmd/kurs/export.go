package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/rowtext"
	"kurs/store/sqlite"
)

// exportRun is one run of kurs export.
type exportRun struct {
	settings
	viewFlags
	rangeFlags
	csvFlags

	format  string
	symbols string
	out     string
	force   bool
}

func exportCommand(std streams) *cobra.Command {
	var r exportRun
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write stored prices as CSV or JSON lines",
		Long: `Write the stored prices, by symbol and time, with the columns of the view v_quotes.
Unknown values are empty. Times are UTC. Texts that a spreadsheet might take for a
formula get an apostrophe. --csv-dialect excel-da is for a Danish Excel.

--currency gives the values in another currency, at the stored rates as of each
price's own time. --as-of leaves out what kurs learned later.

TIME is RFC 3339, a date (in the config's time zone), "today", or a span back from
now as 24h or 7d.`,
		Example: `  kurs export > prices.csv
  kurs export --symbols NOVO-B.CO,AAPL --since 2026-11-01 --out november.csv
  kurs export -o jsonl --since 24h | head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), std) },
	}
	flags := cmd.Flags()
	r.settings.bind(flags)
	r.viewFlags.bind(flags)
	r.rangeFlags.bind(flags)
	r.csvFlags.bind(flags)
	flags.StringVarP(&r.format, "output", "o", "csv", "csv or jsonl")
	flags.StringVar(&r.symbols, "symbols", "", "only these: `A,B`")
	flags.StringVar(&r.out, "out", "-", "write to `FILE`; - is standard output")
	flags.BoolVar(&r.force, "force", false, "replace a file that is there")
	return cmd
}

func (r *exportRun) run(ctx context.Context, std streams) error {
	if r.format != "csv" && r.format != "jsonl" {
		return usageError(fmt.Sprintf("-o %s is not a format: there are csv and jsonl", r.format), "-o csv")
	}
	dialect, err := r.dialect(r.format)
	if err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	filter, err := r.filter(c, symbolsOf([]string{r.symbols}))
	if err != nil {
		return err
	}
	v, err := r.open(ctx, c, filter.Symbols)
	if err != nil {
		return err
	}
	defer v.close()
	e := exported{found: map[string]bool{}, dialect: dialect}
	if r.out == "-" {
		err = e.write(ctx, std.out, r.format, v, filter)
	} else {
		err = r.toFile(func(w io.Writer) error { return e.write(ctx, w, r.format, v, filter) })
	}
	if err != nil {
		return readerGone(err)
	}
	fmt.Fprintf(std.err, "%s written\n", countOf(e.rows, "price"))
	return e.missing(std.err, filter.Symbols)
}

// timeOf reads a time as people give it; the zero time for none.
func timeOf(flag, text string, location *time.Location, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if text == "today" {
		y, m, d := now.In(location).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, location), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, location); err == nil {
		return t, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, usageError(fmt.Sprintf("%s %q is not a time", flag, text), flag+" 2026-11-24, "+flag+" 2026-11-24T09:00:00Z, or "+flag+" 24h")
}

// toFile writes beside the file and renames, so that there is never a part of it.
func (r *exportRun) toFile(write func(io.Writer) error) (err error) {
	if _, err := os.Stat(r.out); err == nil && !r.force {
		return &kurs.Error{
			Code: "KURS-EXISTS", Message: r.out + " is there already", Safe: "it was not changed", Try: "another --out, or --force", Exit: kurs.ExitUsage,
		}
	}
	f, err := os.CreateTemp(filepath.Dir(r.out), filepath.Base(r.out)+".*") // readable by its owner only
	if err != nil {
		return exportError(r.out, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreGone(f.Close()), os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return exportError(r.out, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return exportError(r.out, err)
	}
	return os.Rename(f.Name(), r.out)
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

func exportError(name string, err error) error {
	e := &kurs.Error{
		Code: "KURS-EXPORT", Message: "cannot write " + name, Safe: "nothing of it is left behind", Try: "another --out", Exit: kurs.ExitFailed, Err: err,
	}
	if errors.Is(err, syscall.ENOSPC) {
		e.Code, e.Exit = "KURS-DISK", kurs.ExitDisk
	}
	return e
}

// exported is what an export has written.
type exported struct {
	dialect rowtext.Dialect // of CSV
	rows    int
	found   map[string]bool // symbols
}

func (e *exported) write(ctx context.Context, w io.Writer, format string, v *view, filter sqlite.Filter) error {
	return e.writeRows(w, format, func(row func(kurs.Row) error) error {
		return v.quotes(ctx, filter, func(r kurs.Row) error {
			e.count(&r)
			return row(r)
		})
	})
}

// count takes note of a row.
func (e *exported) count(r *kurs.Row) {
	e.rows++
	e.found[r.Symbol] = true
	if r.Instrument != "" {
		e.found[r.Instrument] = true
	}
}

// writeRows writes what rows hands over as CSV or JSON lines.
func (e *exported) writeRows(w io.Writer, format string, rows func(func(kurs.Row) error) error) error {
	buffered := bufio.NewWriterSize(w, 64<<10)
	row := jsonRow(buffered)
	if format == "csv" {
		if _, err := buffered.Write(e.dialect.RowHead(nil)); err != nil {
			return err
		}
		row = func(r kurs.Row) error {
			_, err := buffered.Write(e.dialect.Row(buffered.AvailableBuffer(), &r))
			return err
		}
	}
	if err := rows(row); err != nil {
		return err
	}
	return buffered.Flush()
}

// missing names the symbols that nothing was found of.
func (e *exported) missing(w io.Writer, symbols []string) error {
	return nothingStored(w, "prices", slices.DeleteFunc(slices.Clone(symbols), func(s string) bool { return e.found[s] }), e.rows > 0)
}

// readerGone passes over that who read has read enough, as head does.
func readerGone(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}

func jsonRow(w io.Writer) func(kurs.Row) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return func(r kurs.Row) error { return enc.Encode(r) }
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
