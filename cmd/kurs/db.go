package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// dbCommand is kurs db: looking after the database file.
func dbCommand(std streams) *cobra.Command {
	return groupOf(&cobra.Command{
		Use:   "db",
		Short: "Look after the database: check, back up, restore, shrink, migrate",
	}, dbBackupCommand(std), dbCheckCommand(std), dbMigrateCommand(std), dbRestoreCommand(std), dbRetentionCommand(std), dbStatsCommand(std), dbVacuumCommand(std))
}

// dbRun is one run of a command of kurs db.
type dbRun struct {
	settings

	output string
	std    streams
}

func (r *dbRun) bind(cmd *cobra.Command, std streams) {
	r.std = std
	r.settings.bind(cmd.Flags())
	cmd.Flags().StringVarP(&r.output, "output", "o", "table", "table or json")
}

// begin reads the config. What it returns ends with Ctrl-C.
func (r *dbRun) begin(ctx context.Context) (context.Context, config.Config, context.CancelFunc, error) {
	if err := tableOrJSON(r.output); err != nil {
		return ctx, config.Config{}, nil, err
	}
	c, err := r.load(r.std)
	if err != nil {
		return ctx, c, nil, err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	return ctx, c, stop, nil
}

// claimed does something with the directory while nobody records into it.
func claimed(c config.Config, do func() error) error {
	claim, err := supervise.TakeClaim(c.Paths, c.Currency)
	if err != nil {
		return err
	}
	defer func() { _ = claim.Release() }() // the system lets go of what is left
	return do()
}

// recordedThere refuses a directory into which nothing was recorded, before anything is
// made there.
func recordedThere(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	return &kurs.Error{
		Code: "KURS-EMPTY", Message: "nothing is stored at " + path, Safe: "nothing was changed",
		Try: "kurs run records prices; --data DIR names another directory", Exit: kurs.ExitNotFound,
	}
}

// room refuses what would need more disk than there is.
func room(dir, what string, needs int64) error {
	free, err := freeSpace(dir)
	if err != nil || needs <= 0 || free >= uint64(needs) {
		return nil //nolint:nilerr // what cannot be told hinders nobody
	}
	return &kurs.Error{
		Code: "KURS-DISK", Message: fmt.Sprintf("%s needs %s of free disk at %s, and there are %s", what, bytesText(uint64(needs)), dir, bytesText(free)),
		Safe: "nothing was changed", Try: "make room, then again", Exit: kurs.ExitDisk,
	}
}

// diskFull gives an error that a disk ran full its code.
func diskFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || sqlite.Condition(err) == sqlite.ConditionFull {
		return &kurs.Error{
			Code: "KURS-DISK", Message: "the disk is full", Safe: "the database was not changed, and nothing is left behind", Try: "make room, then again",
			Exit: kurs.ExitDisk, Err: err,
		}
	}
	return err
}

// meter shows on a terminal how much is done; elsewhere it says nothing.
type meter struct {
	out   io.Writer
	what  string
	last  time.Time
	shown bool
}

func (m *meter) told(done, of int64) {
	const again = 200 * time.Millisecond
	if !isTerminal(m.out) || time.Since(m.last) < again || of <= 0 {
		return
	}
	m.last, m.shown = time.Now(), true
	fmt.Fprintf(m.out, "\r%s %d %% ", m.what, done*100/of)
}

// end wipes it away.
func (m *meter) end() {
	if m.shown {
		fmt.Fprint(m.out, "\r\x1b[K")
	}
}

func dbCheckCommand(std streams) *cobra.Command {
	var (
		r    dbRun
		full bool
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Is the database whole? Also while kurs records",
		Long: `Look the database over: the file itself, its format, whether the counts agree with
the rows, whether each symbol's latest price is there, whether every id stands for
something, and whether every view can be read. It only reads, and holds up nobody; a
long one keeps the log beside the file from shrinking until it is through. --full also compares each index
with its table.

Exit code 0: all is well. 4: something is not; restore a backup (kurs db restore).`,
		Example: `  kurs db check
  kurs db check --full -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return dbCheck(cmd.Context(), &r, full) },
	}
	r.bind(cmd, std)
	cmd.Flags().BoolVar(&full, "full", false, "also compare each index with its table")
	return cmd
}

// checkedDatabase is what kurs db check -o json prints; a promise.
type checkedDatabase struct {
	Path    string           `json:"path"`
	OK      bool             `json:"ok"`
	Seconds float64          `json:"seconds"`
	Checks  []sqlite.Finding `json:"checks"`
}

func dbCheck(ctx context.Context, r *dbRun, full bool) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	began := time.Now()
	m := &meter{out: r.std.err}
	findings, err := sqlite.Check(ctx, c.Paths.Database, full, func(check string) {
		m.what, m.last = "checking "+check, time.Time{}
		if isTerminal(m.out) {
			m.end()
			m.shown = true
			fmt.Fprintf(m.out, "checking %s", check)
		}
	})
	m.end()
	if err != nil {
		return err
	}
	out := checkedDatabase{Path: filepath.ToSlash(c.Paths.Database), OK: true, Seconds: time.Since(began).Seconds(), Checks: findings}
	for _, f := range findings {
		out.OK = out.OK && f.OK
	}
	if r.output == "json" {
		err = printJSON(r.std.out, out)
	} else {
		err = checkScreen(r.std.out, out)
	}
	if err == nil && !out.OK {
		err = exit(kurs.ExitUnhealthy)
	}
	return err
}

func checkScreen(w io.Writer, d checkedDatabase) error {
	t := table{head: []string{"CHECK", "", "WHAT"}, right: make([]bool, 3)}
	for _, f := range d.Checks {
		word := "ok"
		if !f.OK {
			word = "WRONG"
		}
		t.add(f.Check, word, printable(f.Detail))
		for _, p := range f.Problems {
			t.add("", "", cutText(printable(p), widestCell))
		}
	}
	if err := t.print(w); err != nil {
		return err
	}
	last := fmt.Sprintf("\n%s is whole (%.1f s)\n", d.Path, d.Seconds)
	if !d.OK {
		last = fmt.Sprintf("\n%s is not as it should be (%.1f s). kurs db restore BACKUP puts a backup in its place, and keeps it beside\n", d.Path, d.Seconds)
	}
	_, err := fmt.Fprint(w, last)
	return err
}

func dbStatsCommand(std streams) *cobra.Command {
	var r dbRun
	cmd := &cobra.Command{
		Use:     "stats",
		Short:   "How large the database is, and of what",
		Long:    `Show rows and bytes of each table (with its indices), pages, the log, the times of the prices, and the growth a day. It reads the head of every page; nobody is held up.`,
		Example: "  kurs db stats\n  kurs db stats -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dbStats(cmd.Context(), &r) },
	}
	r.bind(cmd, std)
	return cmd
}

func dbStats(ctx context.Context, r *dbRun) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	db, err := sqlite.OpenReader(ctx, c.Paths.Database)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	s, err := db.FileStats(ctx)
	if err != nil {
		return err
	}
	if r.output == "json" {
		return printJSON(r.std.out, s)
	}
	return statsScreen(r.std.out, s)
}

func statsScreen(w io.Writer, s sqlite.FileStats) error {
	fmt.Fprintf(w, "%s   format %d, in %s, begun %s\n", s.Path, s.Format, s.Currency, s.Created)
	fmt.Fprintf(w, "file      %s, of which free %s; log %s; pages %d of %d bytes\n", sizeText(s.Bytes), sizeText(s.FreePages*s.PageSize),
		sizeText(s.WALBytes), s.Pages, s.PageSize)
	if !s.FirstTime.IsZero() {
		fmt.Fprintf(w, "prices    from %s to %s; %d wait for a rate\n", s.FirstTime.Format(time.RFC3339), s.LastTime.Format(time.RFC3339), s.Waiting)
	}
	growth := "not known: less than a day was recorded"
	if s.PerDay > 0 {
		growth = sizeText(s.PerDay) + " a day"
	}
	fmt.Fprintf(w, "growth    %s\n\n", growth)
	t := table{head: []string{"TABLE", "ROWS", "BYTES", "A ROW"}, right: []bool{false, true, true, true}}
	for _, x := range s.Tables {
		perRow := "-"
		if x.Rows > 0 {
			perRow = strconv.FormatInt(x.PerRow(), 10)
		}
		t.add(printable(x.Name), strconv.FormatInt(x.Rows, 10), sizeText(x.Bytes), perRow)
	}
	return t.print(w)
}

func sizeText(n int64) string { return bytesText(uint64(max(0, n))) }
