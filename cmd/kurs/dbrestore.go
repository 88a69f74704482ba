package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/queue"
	"kurs/store/sqlite"
)

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func dbRestoreCommand(std streams) *cobra.Command {
	var r dbRun
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the database",
		Long: `Put a backup in the place of the database. Nobody may record meanwhile. The backup is
checked first; the database that is there is kept beside, as kurs.db.before-restore-TIME.
A crash leaves the one or the other, whole.

What was recorded after the backup: the next kurs run stores again what is still in
the queue. The queue keeps only what no store had yet, so most of what was stored
between the backup and now is not in it any more. That part is in the database that
is kept beside, where that can still be read. This command tells what is missing.`,
		Example: "  kurs db restore /mnt/backups/kurs-20261124T020000Z.db",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return dbRestore(cmd.Context(), &r, args[0]) },
	}
	r.bind(cmd, std)
	return cmd
}

// restored is what kurs db restore -o json prints; a promise.
type restored struct {
	sqlite.Restored

	Queue replay `json:"queue"`
}

// replay is what the queue has for a restored database.
type replay struct {
	Known    bool   `json:"known"`     // the queue could be asked
	Same     bool   `json:"same"`      // it is the one that the backup was stored from
	Messages uint64 `json:"messages"`  // that the next run stores, again or for the first time
	HoleFrom uint64 `json:"hole_from"` // the messages that the backup lacks and the queue has no more; 0: none
	HoleTo   uint64 `json:"hole_to"`
}

// hole is between where a database stands and what the queue begins with.
func replayOf(at kurs.StreamPos, s queue.State) replay {
	r := replay{Known: true, Same: at.Epoch == s.Epoch}
	switch {
	case !r.Same:
		r.Messages = s.Messages
		return r
	case s.First > at.Seq+1:
		r.HoleFrom, r.HoleTo = at.Seq+1, s.First-1
	}
	if first := max(s.First, at.Seq+1); s.Messages > 0 && s.Last >= first {
		r.Messages = s.Last - first + 1
	}
	return r
}

func dbRestore(ctx context.Context, r *dbRun, backup string) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if !slices.Contains(c.Store.Use, "sqlite") {
		return usageError("this config does not store into SQLite (store.use)", "--config FILE names another")
	}
	b, err := sqlite.ReadBackup(ctx, backup)
	if err != nil {
		return err
	}
	if b.Currency != c.Currency {
		return &kurs.Error{
			Code: "KURS-BASE", Message: fmt.Sprintf("the prices in %s are in %s, not %s", backup, b.Currency, c.Currency), Safe: "nothing was changed",
			Try: fmt.Sprintf("--data DIR of the prices in %s, or set currency = %q", b.Currency, b.Currency), Exit: kurs.ExitUsage, Err: kurs.ErrBaseCurrency,
		}
	}
	if err := os.MkdirAll(filepath.Dir(c.Paths.Database), 0o700); err != nil {
		return dataError(filepath.Dir(c.Paths.Database), err)
	}
	if err := room(filepath.Dir(c.Paths.Database), "the restore", b.Bytes); err != nil {
		return err
	}
	var out restored
	err = claimed(c, func() error {
		if out.Restored, err = sqlite.Restore(ctx, backup, c.Paths.Database, time.Now()); err != nil {
			return diskFull(err)
		}
		out.Queue = askReplay(ctx, c, out.Backup.Position)
		return nil
	})
	if err != nil {
		return err
	}
	if r.output == "json" {
		return printJSON(r.std.out, out)
	}
	return out.screen(r.std.out)
}

// dataError is a directory that cannot be made.
func dataError(dir string, err error) error {
	return &kurs.Error{
		Code: "KURS-DATA", Message: "cannot write to the directory " + dir, Safe: "nothing was changed",
		Try: "name another with --data DIR, or mend its permissions", Exit: kurs.ExitFailed, Err: err,
	}
}

// askReplay asks the queue what it has for the database, and tells it how far that
// is now: nothing of what it lacks is dropped any more. A queue that cannot be
// asked is none that is known.
func askReplay(ctx context.Context, c config.Config, at kurs.StreamPos) replay {
	var out replay
	err := withQueue(ctx, c, func(q *queue.Queue) error {
		s, err := q.PricedState(ctx)
		if err != nil {
			return err
		}
		out = replayOf(at, s)
		if !out.Same {
			return nil
		}
		return q.PutPosition(ctx, "sqlite", at)
	})
	if err != nil {
		return replay{}
	}
	return out
}

var errNoQueue = errors.New("there is no queue")

// withQueue does something with the queue of a directory that nobody records into,
// or with the cluster's.
func withQueue(ctx context.Context, c config.Config, do func(*queue.Queue) error) error {
	const patience = 90 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address := queue.Address{URL: c.Queue.URL}
	if c.Queue.URL == "" {
		if entries, err := os.ReadDir(c.Paths.Queue); err != nil || !slices.ContainsFunc(entries, os.DirEntry.IsDir) {
			return errNoQueue // none is made by asking
		}
		server, err := queue.StartServer(queue.ServerConfig{Dir: c.Paths.Queue, MaxBytes: c.Queue.MaxBytes}, quietLog())
		if err != nil {
			return err
		}
		defer server.Stop()
		address = server.Address()
	}
	q, err := queue.Connect(ctx, address, "db", c.Queue.MaxBytes, quietLog())
	if err != nil {
		return err
	}
	defer q.Close()
	return do(q)
}

func (o restored) screen(w io.Writer) error {
	b := o.Backup
	received := ""
	if !b.Received.IsZero() {
		received = ", the newest received " + b.Received.Format(time.RFC3339)
	}
	fmt.Fprintf(w, "%s is %s now: %s%s\n", o.Path, b.Path, countOf(int(b.Quotes), "price"), received)
	kept := "nowhere: there was no database"
	if o.Kept != "" {
		kept = o.Kept
		fmt.Fprintf(w, "What was there is kept: %s\n", o.Kept)
	}
	q := o.Queue
	switch {
	case !q.Known:
		_, err := fmt.Fprintf(w, "The queue could not be asked. What was stored after the backup and is not in the queue any more is only in: %s\n", kept)
		return err
	case !q.Same:
		fmt.Fprintf(w, "The queue is another than the one that the backup was stored from. What was stored after the backup is only in: %s\n", kept)
	case q.HoleFrom > 0:
		fmt.Fprintf(w, "MISSING: what was stored after the backup, messages %d to %d of the queue, is not in the queue any more. It is only in: %s\n",
			q.HoleFrom, q.HoleTo, kept)
	default:
		fmt.Fprintln(w, "Nothing is missing: the queue has everything since")
	}
	_, err := fmt.Fprintf(w, "The next kurs run stores what is in the queue: %s\n", countOf(int(q.Messages), "message")) //nolint:gosec // a count
	return err
}
