package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/reading"
	"kurs/rowtext"
)

// exportRun is one run of kurs export.
type exportRun struct {
	settings
	viewFlags
	rangeFlags
	csvFlags

	format   string
	symbols  string
	bars     string
	provider bool
	extended bool
	all      bool
	out      string
	force    bool
	summary  string
}

func exportCommand(std streams) *cobra.Command {
	var r exportRun
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write stored prices as CSV, JSON lines, Parquet, Arrow, or lines of accounting",
		Long: `Write the stored prices, by symbol and time, with the columns of the view v_quotes;
with --bars INTERVAL, bars that are made of them. Unknown values are empty. Times
are UTC. In CSV, texts that a spreadsheet might take for a formula get an apostrophe;
--csv-dialect excel-da is for a Danish Excel.

hledger and beancount get one line a symbol and day of the exchange: its last price
of the regular session. With --all each price.

--out DIR/ writes a file a day (UTC): DIR/date=2026-11-24/prices.parquet. A file is
written beside its name, read back, and takes its name when its rows and its SHA-256
are what was written; else nothing of it is left. What is told of each can be had as
JSON with --summary json.

--currency gives the values in another currency, at the stored rates as of each
price's own time. --as-of leaves out what kurs learned later.

TIME is RFC 3339, a date (in the config's time zone), "today", or a span back from
now as 24h or 7d.`,
		Example: `  kurs export > prices.csv
  kurs export --symbols NOVO-B.CO,AAPL --since 2026-11-01 --out november.csv
  kurs export --since 2026-11-01 -o parquet --out november/
  kurs export --bars 1d --currency EUR -o arrow --out days.arrow
  kurs export -o hledger --out prices.journal
  kurs export -o jsonl --since 24h | head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), std) },
	}
	flags := cmd.Flags()
	r.settings.bind(flags)
	r.viewFlags.bind(flags)
	r.rangeFlags.bind(flags)
	r.csvFlags.bind(flags)
	flags.StringVarP(&r.format, "output", "o", "csv", "csv, jsonl, parquet, arrow, hledger or beancount")
	flags.StringVar(&r.symbols, "symbols", "", "only these: `A,B`")
	flags.StringVar(&r.bars, "bars", "", "bars of an `INTERVAL` instead of prices: "+strings.Join(reading.IntervalNames(), " "))
	flags.BoolVar(&r.provider, "provider", false, "with --bars: the provider's own")
	flags.BoolVar(&r.extended, "extended", false, "with --bars, hledger and beancount: prices outside of the regular session count too")
	flags.BoolVar(&r.all, "all", false, "with hledger and beancount: each price, not the last of a day")
	flags.StringVar(&r.out, "out", "-", "write to `FILE`, or to DIR/ a file a day; - is standard output")
	flags.BoolVar(&r.force, "force", false, "replace a file that is there")
	flags.StringVar(&r.summary, "summary", "text", "how files are told of: text, or json on standard output")
	return cmd
}

// check refuses flags that do not go together.
func (r *exportRun) check(f exportFormat, std streams) error {
	switch {
	case r.summary != "text" && r.summary != "json":
		return usageError("--summary "+r.summary+" is not a form: there are text and json", "--summary json")
	case r.summary == "json" && r.out == "-":
		return usageError("--summary json and the rows would both go to standard output", "--out FILE")
	case r.all && !f.lines:
		return usageError("--all is for hledger and beancount: "+f.name+" has each price anyway", "-o hledger --all")
	case r.all && r.bars != "":
		return usageError("--all is of prices, and --bars asks for bars", "--all without --bars")
	case r.provider && r.bars == "":
		return usageError("--provider is of bars", "--bars 1d --provider")
	case r.provider && r.extended:
		return usageError("--extended is of bars that are made of prices, and --provider asks for the provider's", "one of the two")
	case r.extended && r.bars == "" && !f.lines:
		return usageError("--extended is of bars and lines: "+f.name+" has the prices of every session anyway", "--bars 1d --extended")
	case f.lines && r.toFolder():
		return usageError(f.name+" is one file, and --out "+r.out+" is a folder", "--out "+filepath.Join(r.out, "prices."+f.ending))
	case f.binary && r.out == "-" && isTerminal(std.out):
		return usageError(f.name+" is not for a terminal", "--out prices."+f.ending)
	}
	return nil
}

// exportMemory is from where on the collector of garbage goes before the rows: on a
// busy machine it would otherwise lag behind, and an export take twice as much.
const exportMemory = 56 << 20 // bytes

// boundMemory sets that, unless the environment has a limit; the answer takes it back.
func boundMemory() (undo func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	before := debug.SetMemoryLimit(exportMemory)
	return func() { debug.SetMemoryLimit(before) }
}

// toFolder tells whether --out is a folder: by its end, or since it is one.
func (r *exportRun) toFolder() bool {
	if r.out == "-" {
		return false
	}
	info, err := os.Stat(r.out)
	return os.IsPathSeparator(r.out[len(r.out)-1]) || err == nil && info.IsDir()
}

func (r *exportRun) run(ctx context.Context, std streams) error {
	format, err := formatOf(r.format)
	if err != nil {
		return err
	}
	if r.out == "" {
		return usageError("--out is empty", "--out prices."+format.ending)
	}
	if err := r.check(format, std); err != nil {
		return err
	}
	if format.dialect, err = r.dialect(r.format); err != nil {
		return err
	}
	from := exportSource{extended: r.extended, provider: r.provider, bars: r.bars}
	if r.bars != "" && !r.provider {
		if from.interval, err = reading.ParseInterval(r.bars); err != nil {
			return usageError("--bars: "+err.Error(), "--bars 1d")
		}
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	if from.filter, err = r.filter(c, symbolsOf([]string{r.symbols})); err != nil {
		return err
	}
	if from.view, err = r.open(ctx, c, from.filter.Symbols); err != nil {
		return err
	}
	defer from.view.close()
	defer boundMemory()()
	e := export{run: r, format: format, from: &from, found: map[string]bool{}}
	return e.write(ctx, std)
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
	lead := flag + " "
	if !strings.HasPrefix(flag, "-") { // an argument has no name to type
		lead = ""
	}
	return time.Time{}, usageError(fmt.Sprintf("%s %q is not a time", flag, text), lead+"2026-11-24, "+lead+"2026-11-24T09:00:00Z, or "+lead+"24h")
}

// exported is what an export has written.
type exported struct {
	dialect rowtext.Dialect // of CSV
	rows    int
	found   map[string]bool // symbols
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
		row = csvRow(buffered, e.dialect)
	}
	if err := rows(row); err != nil {
		return err
	}
	return buffered.Flush()
}

// csvRow writes rows as CSV.
func csvRow(w *bufio.Writer, dialect rowtext.Dialect) func(kurs.Row) error {
	return func(r kurs.Row) error {
		_, err := w.Write(dialect.Row(w.AvailableBuffer(), &r))
		return err
	}
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
