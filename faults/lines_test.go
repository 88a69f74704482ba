package faults

import (
	"bufio"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/internal/testkit"
)

// newLinesDemo records into both stores, from answers alone: the stream may tell a
// price twice in one message.
func newLinesDemo(t *testing.T, dir string, env ...string) *demo {
	t.Helper()
	return newDemo(t, dir, append([]string{
		"KURS_SOURCE_YAHOO_MODE=poll", "KURS_STORE_LINES_MAX_SIZE=1MiB", "KURS_STORE_LINES_COMPRESS=gzip",
	}, env...), "--store", "sqlite,lines", "--demo-symbols", "100", "--interval", "100ms", "--duration", "0")
}

// TestLinesAreThereOnceWhenTheStoreIsKilled: at random moments, and between the
// lines and their position. The files hold what the database holds, and no line
// twice.
func TestLinesAreThereOnceWhenTheStoreIsKilled(t *testing.T) {
	t.Parallel()
	died := t.TempDir()
	d := newLinesDemo(t, t.TempDir(), "KURS_FAULT=store.before_commit=kill@4,store.after_commit=kill@5", "KURS_FAULT_DIR="+died)
	d.start()
	await(t, "a death at each point", func() bool {
		points, err := os.ReadDir(died)
		return err == nil && len(points) == 2
	})
	random := rand.New(rand.NewPCG(1, 2)) // the same moments each time
	for range 4 {
		timer := time.NewTimer(time.Duration(300+random.IntN(900)) * time.Millisecond)
		<-timer.C
		d.kill("store")
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	d.check(Options{})
	files := d.checkLines()
	t.Logf("%d files", files)
	if files < 2 {
		t.Errorf("%d files: none was begun anew", files)
	}
}

// TestAFolderOfLinesThatCannotBeUsed: the database goes on, the lines wait in the
// queue, and are there when the folder is back.
func TestAFolderOfLinesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	testkit.Require(t, "a folder that can be moved while it is in use", runtime.GOOS != "windows", "not on Windows")
	d := newLinesDemo(t, t.TempDir())
	d.start()
	dir := filepath.Join(d.data, "lines")
	await(t, "a file of lines", func() bool {
		found, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		return err == nil && len(found) > 0
	})
	if err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	await(t, "the warning", func() bool { return strings.Contains(d.out.String(), "store waits: it cannot be written to") })
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the warning", func() bool { return strings.Contains(d.out.String(), "store works again") })
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	d.check(Options{})
	d.checkLines()
}

// checkLines compares the files of lines with the database, and returns how many
// there are.
func (d *demo) checkLines() int {
	d.Helper()
	files, err := filepath.Glob(filepath.Join(d.data, "lines", "*.jsonl*"))
	if err != nil {
		d.Fatal(err)
	}
	got, first, seen := map[string]string{}, map[string]time.Time{}, map[string]string{}
	prices, fills := map[string]int{}, map[string]int{}
	for _, name := range files {
		d.readLines(name, func(row *kurs.Row, line string) {
			key := fmt.Sprint(row.Symbol, row.Time.UnixMilli(), row.Session, row.Source)
			// Two answers of one millisecond may both tell a price, which differs in
			// something; that its rate came later does not.
			if receipt := key + " " + row.ReceivedISO.String(); row.PriceNative.Known() {
				prices[receipt]++
				if before, twice := seen[line]; twice {
					d.Errorf("in %s and in %s: %s", before, name, line)
				}
				seen[line] = name
			} else if fills[receipt]++; fills[receipt] > prices[receipt] {
				d.Errorf("a rate more often than its price, in %s: %s", name, line)
			}
			if _, known := first[key]; !known {
				first[key] = row.ReceivedISO
			}
			if first[key].Equal(row.ReceivedISO) { // the same value again is no version in the database
				got[key] = row.PriceBase.String()
			}
		})
	}
	want := map[string]string{}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(filepath.Join(d.data, "kurs.db"))+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		d.Fatal(err)
	}
	defer db.Close()
	err = each(d.Context(), db, `SELECT symbol, time_ms, session, source, price_base FROM v_quotes`, func(scan func(...any) error) error {
		var (
			symbol, session, source string
			ms                      int64
			base                    sql.NullFloat64
		)
		if err := scan(&symbol, &ms, &session, &source, &base); err != nil {
			return err
		}
		text := ""
		if base.Valid {
			text = real64(base.Float64)
		}
		want[fmt.Sprint(symbol, ms, session, source)] = text
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		d.Errorf("%d prices in the database, %d in lines (-database +lines):\n%s", len(want), len(got), diff)
	}
	return len(files)
}

func (d *demo) readLines(name string, do func(row *kurs.Row, line string)) {
	d.Helper()
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		d.Fatal(err)
	}
	defer file.Close()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			d.Fatalf("%s: %v", name, err)
		}
	}
	scan := bufio.NewScanner(from)
	for scan.Scan() {
		var row kurs.Row
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			d.Fatalf("%s: %v in %s", name, err, scan.Bytes())
		}
		do(&row, scan.Text())
	}
	if err := scan.Err(); err != nil {
		d.Fatalf("%s: %v", name, err)
	}
}
