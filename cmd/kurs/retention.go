package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/queue"
	"kurs/reading"
	"kurs/store/sqlite"
)

// retention is the config's word on how long what is stored is kept; ok says that
// anything is ever deleted.
func retention(c config.Config) (keep sqlite.Retention, ok bool) {
	r := c.Store.Retention
	keep = sqlite.Retention{Quotes: r.Age(r.Quotes), Bars: r.Age(r.Bars), Rates: r.Age(r.Rates)}
	if keep.Quotes > 0 && len(r.RollUp) > 0 {
		keep.Summary = func(zone *time.Location, yield func(kurs.BarRow) error) sqlite.Summary {
			return newRollUp(r.RollUp, zone, yield)
		}
	}
	return keep, keep.Quotes > 0 || keep.Bars > 0 || keep.Rates > 0
}

// rollUp makes bars of several intervals of the same prices, as kurs bars does: of
// the regular session.
type rollUp []*reading.Builder

func newRollUp(intervals []string, zone *time.Location, yield func(kurs.BarRow) error) rollUp {
	var out rollUp
	for _, name := range intervals {
		interval, err := reading.ParseInterval(name)
		if err != nil {
			continue // the config was checked
		}
		out = append(out, &reading.Builder{
			Interval: interval, Zone: zone, Sessions: []kurs.Session{kurs.SessionRegular, ""}, Now: time.Now(), Yield: yield,
		})
	}
	return out
}

func (r rollUp) Add(row kurs.Row) error {
	for _, b := range r {
		if err := b.Add(row); err != nil {
			return err
		}
	}
	return nil
}

func (r rollUp) Flush() error {
	for _, b := range r {
		if err := b.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// retirer deletes old rows in the stage; nil where everything is kept.
func retirer(c config.Config) func(context.Context, kurs.Store, time.Time) (bool, error) {
	keep, ok := retention(c)
	if !ok {
		return nil
	}
	return func(ctx context.Context, s kurs.Store, now time.Time) (bool, error) {
		db, ok := s.(*sqlite.Store)
		if !ok {
			return false, nil // it is not open just now
		}
		_, more, err := db.Retire(ctx, keep, now)
		return more, err
	}
}

func dbRetentionCommand(std streams) *cobra.Command {
	var (
		r   dbRun
		dry bool
	)
	cmd := &cobra.Command{
		Use:   "retention",
		Short: "Delete what is older than is kept (store.retention)",
		Long: `Delete what is older than store.retention keeps. kurs run does the same by itself,
once an hour; this does it now, while nobody records. Prices of a day are first made
into bars where store.retention.rollup names intervals. Nothing is deleted that another
configured store still lacks. The newest of each symbol stays whatever its age, and so
do corrections and what was set aside.

--dry-run tells what would go, and changes nothing; also while kurs records. The file
does not become smaller by this: kurs db vacuum gives the space back.`,
		Example: "  kurs db retention --dry-run\n  kurs db retention",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dbRetention(cmd.Context(), &r, dry) },
	}
	r.bind(cmd, std)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only tell what would go")
	return cmd
}

func dbRetention(ctx context.Context, r *dbRun, dry bool) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	keep, ok := retention(c)
	if !ok {
		return usageError("everything is kept for ever: store.retention is not set", `set store.retention.quotes = "90d", say`)
	}
	now := time.Now()
	if dry {
		return r.wouldGo(ctx, c, keep, now)
	}
	if err := recordedThere(c.Paths.Database); err != nil {
		return err
	}
	return claimed(c, func() error { return r.retire(ctx, c, keep, now) })
}

// wouldGo prints what is too old.
func (r *dbRun) wouldGo(ctx context.Context, c config.Config, keep sqlite.Retention, now time.Time) error {
	db, err := sqlite.OpenReader(ctx, c.Paths.Database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	old, err := db.Old(ctx, keep, now)
	if err != nil {
		return err
	}
	if r.output == "json" {
		if old == nil {
			old = []sqlite.OldRows{}
		}
		return printJSON(r.std.out, old)
	}
	if len(old) == 0 {
		_, err := fmt.Fprintln(r.std.out, "Nothing is too old")
		return err
	}
	t := table{head: []string{"KIND", "OF", "ROWS", "BYTES", "OLDEST", "NEWEST"}, right: []bool{false, false, true, true, false, false}}
	var rows, bytes int64
	for _, o := range old {
		rows, bytes = rows+o.Rows, bytes+o.Bytes
		t.add(o.Kind, printable(o.Symbol), strconv.FormatInt(o.Rows, 10), sizeText(o.Bytes), o.First.Format(time.RFC3339), o.Last.Format(time.RFC3339))
	}
	if err := t.print(r.std.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.std.out, "\n%s, about %s, would go. Nothing was changed\n", countOf(int(rows), "row"), sizeText(bytes))
	return err
}

// retire deletes what is too old, a short transaction at a time.
func (r *dbRun) retire(ctx context.Context, c config.Config, keep sqlite.Retention, now time.Time) (err error) {
	s, err := sqlite.Open(ctx, sqliteConfig(c), quietLog())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	at, err := s.Position(ctx)
	if err != nil {
		return err
	}
	if err := othersHave(ctx, c, at); err != nil {
		return err
	}
	var done sqlite.Retired
	for more := true; more; {
		if done, more, err = s.Retire(ctx, keep, now); err != nil {
			return diskFull(err)
		}
		if err := ctx.Err(); err != nil {
			return err // what is done is done
		}
	}
	if r.output == "json" {
		return printJSON(r.std.out, done)
	}
	_, err = fmt.Fprintf(r.std.out, "Deleted %s, %s and %s; made %s of prices. kurs db vacuum gives the space back\n",
		countOf(int(done.Quotes), "price"), countOf(int(done.Bars), "bar"), countOf(int(done.Rates), "rate"), countOf(int(done.Rolled), "bar"))
	return err
}

// othersHave refuses to delete while another store lacks something that is in the
// database, or where that cannot be told.
func othersHave(ctx context.Context, c config.Config, at kurs.StreamPos) error {
	others := slices.DeleteFunc(slices.Clone(c.Store.Use), func(name string) bool { return name == "sqlite" })
	if len(others) == 0 {
		return nil
	}
	lacking := ""
	err := withQueue(ctx, c, func(q *queue.Queue) error {
		for _, name := range others {
			its, err := q.Position(ctx, name)
			if err != nil {
				return err
			}
			_, detached, err := q.Detached(ctx, name)
			if err != nil {
				return err
			}
			if detached || its.Epoch != at.Epoch || its.Seq < at.Seq {
				lacking = name
			}
		}
		return nil
	})
	if err == nil && lacking == "" {
		return nil
	}
	e := &kurs.Error{
		Code: "KURS-LAG", Message: "the store " + lacking + " lacks some of what would be deleted", Safe: "nothing was deleted",
		Try: "kurs run until it has caught up", Exit: kurs.ExitPartly, Retryable: true, Err: err,
	}
	if err != nil {
		e.Message = "it cannot be told whether every store has what would be deleted"
	}
	return e
}
