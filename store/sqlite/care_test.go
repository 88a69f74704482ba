package sqlite_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/sqlite"
)

func noProgress(int64, int64) {}

// wrong are the checks of a database that found something.
func wrong(t *testing.T, path string) []string {
	t.Helper()
	findings, err := sqlite.Check(t.Context(), path, true, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range findings {
		if f.OK != (len(f.Problems) == 0) {
			t.Errorf("%+v", f)
		}
		if !f.OK {
			out = append(out, f.Check+": "+strings.Join(f.Problems, "; "))
		}
	}
	return out
}

func TestCheckSeesWhatIsPlanted(t *testing.T) {
	for _, c := range []struct{ name, plant, want string }{
		{"nothing", "SELECT 1", ""},
		{"a count", "UPDATE counts SET n = n + 1 WHERE name = 'quotes'", "counts: quotes: 21 counted, 20 there"},
		{"a row that nobody counted", "INSERT INTO quotes_versions SELECT * FROM quotes LIMIT 1", "counts: quotes_versions: 0 counted, 1 there"},
		{"a time", "UPDATE counts SET n = n - 1 WHERE name = 'quotes_last'", "counts: quotes: a time outside of the first and the last"},
		{"no latest", "DELETE FROM latest WHERE instrument = (SELECT id FROM instruments WHERE symbol = 'A')", "latest: A: has prices, and no latest one"},
		{"an old latest", "UPDATE latest SET time = time - 1000 WHERE instrument = (SELECT id FROM instruments WHERE symbol = 'A')", "latest: A: there is a later price than its latest"},
		{"a latest of nothing", "UPDATE latest SET session = 99 WHERE instrument = (SELECT id FROM instruments WHERE symbol = 'A')", "latest: A: its latest price is not there"},
		{"a unit", "DELETE FROM units", "references: quotes: 20 rows with an unknown unit"},
		{"the ledger", "INSERT INTO ledger SELECT run, first + 1, last + 5 FROM ledger LIMIT 1", "ledger: receipts of run"},
		{"a view", "DROP VIEW v_gaps; CREATE VIEW v_gaps AS SELECT unheard FROM gaps", "views: v_gaps: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filled(t, 10)
			script(t, path, c.plant)
			got := strings.Join(wrong(t, path), "\n")
			if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// spoil writes over the middle of a file.
func spoil(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(strings.Repeat("spoiled ", 16384)), 16384); err != nil {
		t.Fatal(err)
	}
}

// closed is a filled database at rest.
func closed(t *testing.T, n int) string {
	t.Helper()
	path := filled(t, n)
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	return copied(t, path)
}

// copied is a backup of a database, made and found whole.
func copied(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	b, err := sqlite.BackUp(t.Context(), path, to, noProgress)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(to)
	if err != nil || info.Size() != b.Bytes || len(b.SHA256) != 64 {
		t.Fatalf("%+v, %v", b, err)
	}
	if left, err := filepath.Glob(to + "*"); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	return to
}

func TestCheckOfADamagedFile(t *testing.T) {
	path := closed(t, 5000)
	spoil(t, path)
	if got := wrong(t, path); len(got) == 0 {
		t.Error("nothing was found")
	}
	var e *kurs.Error
	if _, err := sqlite.ReadBackup(t.Context(), path); !errors.As(err, &e) || e.Code != "KURS-DAMAGED" {
		t.Errorf("as a backup: %v", err)
	}
	if _, err := sqlite.BackUp(t.Context(), path, path+".copy", noProgress); err == nil {
		t.Error("a damaged database was backed up as a whole one")
	}
	if left, err := filepath.Glob(path + ".copy*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestBackupIsTheDatabase row by row, of everything, and cannot be read by others.
func TestBackupIsTheDatabase(t *testing.T) {
	path := filled(t, 4500)
	to := copied(t, path)
	if diff := gocmp.Diff(dump(t, path), dump(t, to), decimals); diff != "" {
		t.Errorf("-database +backup:\n%s", diff)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := sqlite.BackUp(t.Context(), path, to, noProgress); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("over a file that is there: %v", err)
	}
	if got := wrong(t, to); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestEveryViewInTheShell reads all views of a database that is written to, and of
// its backup, with the sqlite3 shell.
func TestEveryViewInTheShell(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	testkit.Require(t, "the sqlite3 shell", err == nil, "not on the path (apt-get install sqlite3)")
	path := filled(t, 50)
	open(t, path)
	views, err := reader(t, path).Views(t.Context())
	if err != nil || len(views) < 12 {
		t.Fatalf("%d views, %v", len(views), err)
	}
	for _, file := range []string{path, copied(t, path)} {
		for _, v := range views {
			query := "SELECT " + strings.Join(v.Columns, ", ") + " FROM " + v.Name
			if out, err := exec.CommandContext(t.Context(), shell, "-readonly", file, query).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", query, err, out)
			}
		}
		out, err := exec.CommandContext(t.Context(), shell, "-readonly", file, "SELECT count(*) FROM v_quotes; PRAGMA integrity_check").CombinedOutput()
		if err != nil || string(out) != "100\nok\n" {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestRestore: the backup takes the database's place, which is kept.
func TestRestore(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, path string)
		kept  bool // it can still be read
	}{
		{"over a whole one", func(*testing.T, string) {}, true},
		{"over a damaged one", spoil, false},
		{"over nothing", func(t *testing.T, path string) {
			t.Helper()
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"after a crash of another restore", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path+".restoring", []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			backup, path := closed(t, 10), closed(t, 300)
			want, before := dump(t, copied(t, backup)), dump(t, copied(t, path)) // who reads a copy has not the file open
			c.spoil(t, path)
			r, err := sqlite.Restore(t.Context(), backup, path, time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC))
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(want, dump(t, path), decimals); diff != "" {
				t.Errorf("-backup +restored:\n%s", diff)
			}
			if c.kept {
				if diff := gocmp.Diff(before, dump(t, r.Kept), decimals); diff != "" {
					t.Errorf("what was there: -before +kept:\n%s", diff)
				}
			}
			if _, err := os.Stat(path + ".restoring"); err == nil {
				t.Error("the copy is left")
			}
			if err := open(t, path).Write(t.Context(), group(quote("A", 100))); err != nil {
				t.Errorf("cannot be written to: %v", err)
			}
		})
	}
}

// TestRestoreRefuses what would lose something.
func TestRestoreRefuses(t *testing.T) {
	backup, path := closed(t, 10), filled(t, 20)
	s := open(t, path) // somebody has it open
	if err := s.Write(t.Context(), group(quote("A", 100))); err != nil {
		t.Fatal(err)
	}
	var e *kurs.Error
	if _, err := sqlite.Restore(t.Context(), backup, path, time.Now()); !errors.As(err, &e) || e.Code != "KURS-LOCK" {
		t.Errorf("in use: %v", err)
	}
	if _, err := sqlite.Restore(t.Context(), path, closed(t, 1), time.Now()); !errors.As(err, &e) || !strings.Contains(e.Message, "in use") {
		t.Errorf("a database in use as the backup: %v", err)
	}
	other := closed(t, 5)
	spoil(t, other)
	before, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Restore(t.Context(), other, backup, time.Now()); !errors.As(err, &e) || e.Code != "KURS-DAMAGED" {
		t.Errorf("a damaged backup: %v", err)
	}
	if now, err := os.ReadFile(backup); err != nil || !slices.Equal(before, now) {
		t.Errorf("it was changed, %v", err)
	}
	if count(t, path) != 41 {
		t.Error("rows are gone")
	}
}

// TestCareDoesNotHoldUpTheWriter: it commits with no patience at all while the
// database is checked, measured, asked and copied.
func TestCareDoesNotHoldUpTheWriter(t *testing.T) {
	path := filled(t, 1000)
	c := config(path)
	c.BusyTimeout = 0
	s, err := sqlite.Open(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stop := make(chan struct{})
	var (
		writer  sync.WaitGroup
		written int
		failed  error
	)
	writer.Go(func() {
		for n := 1000; failed == nil; n++ {
			failed = s.Write(t.Context(), group(fullPrice(quote("A", n))))
			written++
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for n := range 2 {
		if got := wrong(t, path); len(got) > 0 {
			t.Errorf("check: %v", got)
		}
		r := reader(t, path)
		if _, err := r.FileStats(t.Context()); err != nil {
			t.Errorf("stats: %v", err)
		}
		if err := r.Query(t.Context(), "SELECT sum(price_base) FROM v_quotes", nobody, func([]any) error { return nil }); err != nil {
			t.Errorf("query: %v", err)
		}
		if got := wrong(t, copied(t, path)); len(got) > 0 {
			t.Errorf("copy %d: %v", n, got)
		}
	}
	close(stop)
	writer.Wait()
	if failed != nil || written == 0 {
		t.Errorf("the writer: %v after %d", failed, written)
	}
	if got := count(t, path); got != int64(2000+written) {
		t.Errorf("%d rows, %d written", got, written)
	}
}

func TestVacuumGains(t *testing.T) {
	path := closed(t, 4000)
	script(t, path, "DELETE FROM quotes WHERE instrument = (SELECT id FROM instruments WHERE symbol = 'A') AND time < (SELECT max(time) FROM quotes); UPDATE counts SET n = (SELECT count(*) FROM quotes) WHERE name = 'quotes'")
	needs, err := sqlite.VacuumNeeds(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	v, err := sqlite.Vacuum(t.Context(), path)
	if err != nil || v.After >= v.Before || needs < v.After {
		t.Errorf("%+v, needs %d, %v", v, needs, err)
	}
	if got := wrong(t, path); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if mode := statsOf(t, path); mode.PageSize != 16384 || mode.FreePages != 0 {
		t.Errorf("%+v", mode)
	}
	var e *kurs.Error
	if _, err := sqlite.Vacuum(t.Context(), path+".nowhere"); !errors.As(err, &e) || e.Code != "KURS-EMPTY" {
		t.Errorf("nothing there: %v", err)
	}
}

func statsOf(t *testing.T, path string) sqlite.FileStats {
	t.Helper()
	s, err := reader(t, path).FileStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFileStats(t *testing.T) {
	s := statsOf(t, filled(t, 1000))
	rows := map[string]int64{}
	var sum int64
	for _, x := range s.Tables {
		rows[x.Name] = x.Rows
		sum += x.Bytes
		if x.Rows > 0 && x.PerRow() <= 0 {
			t.Errorf("%+v", x)
		}
	}
	if rows["quotes"] != 2000 || rows["latest"] != 2 || rows["instruments"] != 3 || s.Currency != "DKK" || s.Format != sqlite.Format || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	if pages := s.Pages - s.FreePages; sum != pages*s.PageSize {
		t.Errorf("the tables have %d bytes, the file %d", sum, pages*s.PageSize)
	}
	if s.PerDay != 0 { // 16 minutes say nothing of a day
		t.Errorf("%d a day", s.PerDay)
	}
}

// TestMigrationOnTrial changes nothing; then the same is done.
func TestMigrationOnTrial(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "format1.sql"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kurs.db")
	script(t, path, string(text))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sqlite.PlanMigration(t.Context(), path)
	if err != nil || plan.From != 1 || plan.To != sqlite.Format || len(plan.Steps) != sqlite.Format-1 || plan.Currency != "DKK" {
		t.Fatalf("%+v, %v", plan, err)
	}
	for _, step := range plan.Steps {
		if step.What == "" {
			t.Errorf("step %d says nothing of itself", step.Format)
		}
	}
	tried, err := sqlite.TryMigration(t.Context(), plan, noProgress)
	if err != nil || tried.Took <= 0 || tried.After == 0 {
		t.Errorf("%+v, %v", tried, err)
	}
	if now, err := os.ReadFile(path); err != nil || !slices.Equal(before, now) {
		t.Errorf("it was changed, %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".kurs-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if findings, err := sqlite.Check(t.Context(), path, false, func(string) {}); err != nil || len(findings) != 2 || !findings[1].OK {
		t.Errorf("check of an older format: %+v, %v", findings, err)
	}
	open(t, path)
	if plan, err := sqlite.PlanMigration(t.Context(), path); err != nil || len(plan.Steps) != 0 {
		t.Errorf("%+v, %v", plan, err)
	}
	if got := wrong(t, path); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
