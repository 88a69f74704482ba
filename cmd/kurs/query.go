package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/store/sqlite"
)

// queryRun is one run of kurs query.
type queryRun struct {
	settings

	output  string
	timeout time.Duration
	rows    int
}

func queryCommand(std streams) *cobra.Command {
	var r queryRun
	cmd := &cobra.Command{
		Use:   `query ["SELECT ..."]`,
		Short: "Ask the database in SQL, read-only; without SQL: the views that there are",
		Long: `Answer one SELECT from the stored prices, also while kurs records. Nothing can be
changed by it, whatever it says. The views (kurs query lists them) are described in
docs/formats-sqlite.md; they are a contract.

A REAL is printed as the shortest decimal that it stands for, 15 digits at most; in
JSON such a decimal is a string, so that no reader rounds it. Unknown is empty, in
JSON null; a BLOB is in hexadecimal digits. A table has at most --rows rows; the
other forms have all of them, as they come.`,
		Example: `  kurs query
  kurs query "SELECT symbol, price_base, round(age) AS age FROM v_latest ORDER BY symbol"
  kurs query -o csv "SELECT * FROM v_bars WHERE symbol = 'AAPL'" > bars.csv`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.run(cmd.Context(), std, args, cmd.Flags().Changed("rows"))
		},
	}
	flags := cmd.Flags()
	r.bind(flags)
	flags.StringVarP(&r.output, "output", "o", "table", "table, json, jsonl or csv")
	flags.DurationVar(&r.timeout, "timeout", 30*time.Second, "give up after `TIME`; 0 is never")
	flags.IntVar(&r.rows, "rows", 1000, "print at most `N` rows of a table")
	return cmd
}

func (r *queryRun) check(rowsGiven bool) error {
	switch r.output {
	case "table", "json", "jsonl", "csv":
	default:
		return usageError(fmt.Sprintf("-o %s is not a format: there are table, json, jsonl and csv", r.output), "-o csv")
	}
	switch {
	case r.timeout < 0:
		return usageError("--timeout is not negative", "--timeout 30s")
	case r.rows < 1 || r.rows > 1_000_000:
		return usageError("--rows is from 1 to 1000000", "--rows 1000; -o csv prints all")
	case rowsGiven && r.output != "table":
		return usageError("--rows is for tables: the other forms print all rows", "LIMIT N in the query")
	}
	return nil
}

func (r *queryRun) run(ctx context.Context, std streams, args []string, rowsGiven bool) error {
	if err := r.check(rowsGiven); err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	if len(args) == 0 {
		return r.views(ctx, std, db)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	limited := ctx
	if r.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, r.timeout)
		defer cancel()
	}
	out := newAnswer(r.output, std.out, r.rows)
	err = db.Query(limited, args[0], out.head, out.row)
	if errors.Is(err, errEnough) {
		err = nil
	}
	err = readerGone(errors.Join(err, out.end(err == nil)))
	if err == nil && out.more {
		fmt.Fprintf(std.err, "Only the first %s are shown: --rows N, or -o csv for all\n", countOf(r.rows, "row"))
	}
	return queryFailed(err, r.timeout)
}

// queryFailed gives errors of a query the words for a person.
func queryFailed(err error, timeout time.Duration) error {
	e := &kurs.Error{Code: "KURS-QUERY", Message: "no answer", Safe: "nothing was changed", Exit: kurs.ExitFailed, Err: err}
	switch {
	case errors.Is(err, sqlite.ErrQueryTime):
		e.Message, e.Err = fmt.Sprintf("the query took longer than %s and was stopped", timeout), nil
		e.Try = "filter by symbol and time_ms, which an index serves; or --timeout 5m"
	case errors.Is(err, sqlite.ErrQuery):
		e.Message, e.Err = oneLine(err), nil
		e.Exit, e.Try = kurs.ExitUsage, "kurs query lists the views and their columns"
	case errors.Is(err, context.Canceled):
		e.Message, e.Err, e.Exit = "interrupted", nil, kurs.ExitInterrupted
		e.Try = "kurs query again"
	default:
		return err
	}
	return e
}

// oneLine is an error's text without line breaks and control characters.
func oneLine(err error) string { return printable(strings.ReplaceAll(err.Error(), "\n", " ")) }

// views prints what can be asked for.
func (r *queryRun) views(ctx context.Context, std streams, db *sqlite.Reader) error {
	views, err := db.Views(ctx)
	if err != nil {
		return err
	}
	out := newAnswer(r.output, std.out, r.rows)
	if err := out.head([]string{"view", "columns"}); err != nil {
		return err
	}
	for _, v := range views {
		if err := out.row([]any{v.Name, strings.Join(v.Columns, ", ")}); err != nil {
			return err
		}
	}
	return readerGone(out.end(true))
}
