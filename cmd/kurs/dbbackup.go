package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
)

func dbBackupCommand(std streams) *cobra.Command {
	var (
		r    dbRun
		keep int
	)
	cmd := &cobra.Command{
		Use:   "backup FILE|DIR",
		Short: "Copy the database, also while kurs records",
		Long: `Copy the database, whole as of the moment when it begins. kurs goes on recording
meanwhile. The copy is written beside its name, read back and checked, on the disk,
readable by you alone, and only then gets its name: a file with the name is a whole
backup. In a directory it is called kurs-TIME.db; --keep N then leaves the newest N
of these and removes the others.

kurs db restore puts it back.`,
		Example: `  kurs db backup kurs-backup.db
  kurs db backup /mnt/backups --keep 14`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return dbBackup(cmd.Context(), &r, args[0], keep, cmd.Flags().Changed("keep"))
		},
	}
	r.bind(cmd, std)
	cmd.Flags().IntVar(&keep, "keep", 0, "in a directory: keep the newest `N` backups, remove the others")
	return cmd
}

// backedUp is what kurs db backup -o json prints; a promise.
type backedUp struct {
	sqlite.Backup

	Seconds float64  `json:"seconds"`
	Removed []string `json:"removed"` // by --keep
}

func dbBackup(ctx context.Context, r *dbRun, target string, keep int, keepGiven bool) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	info, err := os.Stat(target)
	folder := err == nil && info.IsDir()
	switch {
	case target == "" || strings.HasSuffix(target, string(filepath.Separator)) && !folder:
		return usageError(fmt.Sprintf("%q is no directory that is there", target), "mkdir it, or name a file")
	case keepGiven && !folder:
		return usageError("--keep is for a directory, and "+target+" is none", "kurs db backup DIR --keep 7")
	case keepGiven && keep < 1:
		return usageError("--keep is 1 or more", "--keep 7")
	}
	began := time.Now()
	name := target
	if folder {
		name = filepath.Join(target, "kurs-"+began.UTC().Format(backupTime)+".db")
	}
	if err := recordedThere(c.Paths.Database); err != nil {
		return err
	}
	if info, err := os.Stat(c.Paths.Database); err == nil {
		if err := room(filepath.Dir(name), "the backup", info.Size()); err != nil {
			return err
		}
	}
	m := &meter{out: r.std.err, what: "copying"}
	b, err := sqlite.BackUp(ctx, c.Paths.Database, name, m.told)
	m.end()
	if err != nil {
		return backupFailed(name, err)
	}
	out := backedUp{Backup: b, Seconds: time.Since(began).Seconds(), Removed: []string{}}
	if keepGiven {
		if out.Removed, err = removeOld(target, keep); err != nil {
			return backupFailed(target, err)
		}
	}
	if r.output == "json" {
		return printJSON(r.std.out, out)
	}
	fmt.Fprintf(r.std.out, "%s: %s, %s, %s and %s in %.1f s\nsha256 %s\n", b.Path, sizeText(b.Bytes), countOf(int(b.Quotes), "price"), countOf(int(b.Bars), "bar"),
		countOf(int(b.Rates), "rate"), out.Seconds, b.SHA256)
	for _, name := range out.Removed {
		fmt.Fprintf(r.std.out, "removed %s\n", name)
	}
	return nil
}

// backupFailed gives an error that has no words of its own some.
func backupFailed(name string, err error) error {
	err = diskFull(err)
	if _, ok := errors.AsType[*kurs.Error](err); ok || errors.Is(err, context.Canceled) {
		return err
	}
	return &kurs.Error{
		Code: "KURS-BACKUP", Message: "no backup was made at " + name, Safe: "the database was not changed, and nothing is left behind",
		Try: "another place", Exit: kurs.ExitFailed, Err: err,
	}
}

const backupTime = "20060102T150405Z"

// backupName is what kurs calls a backup in a directory, and what a crash leaves of
// one.
var backupName = regexp.MustCompile(`^kurs-\d{8}T\d{6}Z\.db(\.part)?$`)

// removeOld removes all but the newest backups of a directory, and what crashes
// left. Files with other names are nobody's business.
func removeOld(dir string, keep int) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var whole, removed []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case !backupName.MatchString(name) || !e.Type().IsRegular():
		case strings.HasSuffix(name, ".part"):
			const abandoned = 24 * time.Hour
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > abandoned {
				removed = append(removed, filepath.Join(dir, name))
			}
		default:
			whole = append(whole, filepath.Join(dir, name))
		}
	}
	slices.Sort(whole) // their names are times
	removed = append(removed, whole[:max(0, len(whole)-keep)]...)
	for _, name := range removed {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if removed == nil {
		removed = []string{}
	}
	return removed, nil
}

func dbVacuumCommand(std streams) *cobra.Command {
	var r dbRun
	cmd := &cobra.Command{
		Use:   "vacuum",
		Short: "Give back the space of what was deleted",
		Long: `Write the database anew, without the space of rows that were deleted. Nobody may
record meanwhile. It needs free disk beside the database for two copies of what is in
it, and says how much. A crash leaves the file as it was.`,
		Example: "  kurs db vacuum",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dbVacuum(cmd.Context(), &r) },
	}
	r.bind(cmd, std)
	return cmd
}

func dbVacuum(ctx context.Context, r *dbRun) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := recordedThere(c.Paths.Database); err != nil {
		return err
	}
	return claimed(c, func() error {
		needs, err := sqlite.VacuumNeeds(ctx, c.Paths.Database)
		if err != nil {
			return err
		}
		if err := room(filepath.Dir(c.Paths.Database), "the vacuum", needs); err != nil {
			return err
		}
		v, err := sqlite.Vacuum(ctx, c.Paths.Database)
		if err != nil {
			return diskFull(err)
		}
		if r.output == "json" {
			return printJSON(r.std.out, v)
		}
		fmt.Fprintf(r.std.out, "%s, was %s: %s gained (it needed up to %s of free disk)\n", sizeText(v.After), sizeText(v.Before),
			sizeText(v.Before-v.After), sizeText(needs))
		return nil
	})
}

func dbMigrateCommand(std streams) *cobra.Command {
	var (
		r   dbRun
		dry bool
	)
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring an older database up to date",
		Long: `Tell the format of the database and the steps to the newest, and take them. Nobody
may record meanwhile; kurs run does the same by itself when it starts. Each step is
one transaction.

--dry-run changes nothing: it takes the steps on a copy in a temporary file beside the
database, and tells how long that took and how large it became.`,
		Example: "  kurs db migrate --dry-run\n  kurs db backup DIR && kurs db migrate",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dbMigrate(cmd.Context(), &r, dry) },
	}
	r.bind(cmd, std)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only try it, on a copy")
	return cmd
}

// migrated is what kurs db migrate -o json prints; a promise.
type migrated struct {
	sqlite.Migration

	DryRun  bool    `json:"dry_run"`
	Seconds float64 `json:"seconds"`
}

func dbMigrate(ctx context.Context, r *dbRun, dry bool) error {
	ctx, c, stop, err := r.begin(ctx)
	if err != nil {
		return err
	}
	defer stop()
	m, err := sqlite.PlanMigration(ctx, c.Paths.Database)
	if err != nil {
		return err
	}
	out := migrated{Migration: m, DryRun: dry}
	switch {
	case len(m.Steps) == 0:
	case dry:
		if err := room(filepath.Dir(m.Path), "the trial", 2*m.Bytes); err != nil {
			return err
		}
		progress := &meter{out: r.std.err, what: "copying"}
		out.Migration, err = sqlite.TryMigration(ctx, m, progress.told)
		progress.end()
		out.Seconds = out.Took.Seconds()
	default:
		began := time.Now()
		err = migrateNow(ctx, c)
		out.Seconds = time.Since(began).Seconds()
		out.After = fileSize(m.Path)
	}
	if err != nil {
		return diskFull(err)
	}
	if r.output == "json" {
		return printJSON(r.std.out, out)
	}
	out.screen(r.std)
	return nil
}

func migrateNow(ctx context.Context, c config.Config) error {
	return claimed(c, func() error {
		s, err := sqlite.Open(ctx, sqliteConfig(c), quietLog())
		if err != nil {
			return err
		}
		return s.Close()
	})
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (m migrated) screen(std streams) {
	fmt.Fprintf(std.out, "%s has format %d; the newest is %d\n", m.Path, m.From, m.To)
	if len(m.Steps) == 0 {
		fmt.Fprintln(std.out, "There is nothing to do")
		return
	}
	for _, s := range m.Steps {
		fmt.Fprintf(std.out, "  to format %d: %s\n", s.Format, s.What)
	}
	if m.DryRun {
		fmt.Fprintf(std.out, "On a copy it took %.1f s, and the file became %s (is %s). Nothing was changed\n", m.Seconds, sizeText(m.After), sizeText(m.Bytes))
		return
	}
	fmt.Fprintf(std.out, "Done in %.1f s: the file has %s\n", m.Seconds, sizeText(m.After))
}
