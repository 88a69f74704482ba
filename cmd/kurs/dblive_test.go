package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/queue"
)

// TestCareOfADatabaseInUse: checked, measured, asked and backed up while kurs
// records, which is not held up once; what wants the database alone is refused.
func TestCareOfADatabaseInUse(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	at(t, "http://127.0.0.1:1") // a demo has an exchange of its own
	ended := make(chan kurs.ExitCode, 1)
	var talk lockedBuffer
	go func() {
		var out lockedBuffer
		ended <- execute(t.Context(), []string{"run", "--demo", "--demo-symbols", "50", "--duration", "8s", "--in-process", "--data", dir},
			streams{in: strings.NewReader(""), out: &out, err: &talk})
	}()
	limit := time.NewTimer(60 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	rounds := 0
	for code := kurs.ExitCode(-1); code < 0; {
		select {
		case code = <-ended:
			if code != kurs.ExitOK {
				t.Fatalf("exit code %d\n%s", code, talk.String())
			}
		case <-tick.C:
			if hasPrices(t, dir) {
				if rounds == 0 {
					if out, said, code := ran(t, "db", "backup", filepath.Join(backups, "first.db"), "--data", dir); code != kurs.ExitOK {
						t.Fatalf("exit code %d\n%s%s", code, out, said)
					}
				}
				careWhileRecording(t, dir, backups)
				rounds++
			}
		case <-limit.C:
			t.Fatalf("the run does not end\n%s", talk.String())
		}
	}
	if rounds == 0 || strings.Contains(talk.String(), "store waits") {
		t.Errorf("%d rounds\n%s", rounds, talk.String())
	}
	restoreAfterwards(t, dir, backups)
}

// hasPrices tells whether something is stored, and more may come.
func hasPrices(t *testing.T, dir string) bool {
	t.Helper()
	out, _, code := ran(t, "query", "-o", "csv", "SELECT count(*) > 0 AS n FROM v_quotes", "--data", dir)
	return code == kurs.ExitOK && out == "n\n1\n" && !isOver(t, dir)
}

// careWhileRecording does all that may be done; the run may end meanwhile.
func careWhileRecording(t *testing.T, dir, backups string) {
	t.Helper()
	for _, args := range [][]string{
		{"db", "check"},
		{"db", "stats"},
		{"query", "-o", "csv", "SELECT symbol, count(*), avg(price_base) FROM v_quotes GROUP BY symbol"},
		{"db", "migrate", "--dry-run"},
	} {
		if out, said, code := ran(t, append(args, "--data", dir)...); code != kurs.ExitOK {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, said)
		}
	}
	if out, said, code := ran(t, "db", "backup", backups, "--keep", "2", "--data", dir); code != kurs.ExitOK && !strings.Contains(said, "KURS-EXISTS") {
		t.Errorf("backup: exit code %d\n%s%s", code, out, said)
	}
	text, _, code := ran(t, "status", "--data", dir, "-o", "json")
	var s shownStatus
	if code != kurs.ExitOK {
		return // it has ended
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Errorf("%v\n%s", err, text)
		return
	}
	for i := range s.Stages {
		if s.Stages[i].Retries > 0 {
			t.Errorf("%s tried %d times again", s.Stages[i].Stage, s.Stages[i].Retries)
		}
	}
	if s.Stopping {
		return
	}
	for _, args := range [][]string{{"db", "vacuum"}, {"db", "restore", newestBackup(t, backups)}} {
		if out, said, code := ran(t, append(args, "--data", dir)...); code != kurs.ExitLocked && !isOver(t, dir) {
			t.Errorf("%q: exit code %d\n%s%s", args, code, out, said)
		}
	}
}

func isOver(t *testing.T, dir string) bool {
	t.Helper()
	_, _, code := ran(t, "status", "--data", dir)
	return code != kurs.ExitOK
}

func newestBackup(t *testing.T, backups string) string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(backups, "kurs-*.db"))
	if err != nil || len(all) == 0 || len(all) > 2 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[len(all)-1]
}

// restoreAfterwards goes back to the first backup, and is told what that lacks.
func restoreAfterwards(t *testing.T, dir, backups string) {
	t.Helper()
	before, _, _ := ran(t, "query", "-o", "csv", "SELECT count(*) AS n FROM v_quotes", "--data", dir)
	text, said, code := ran(t, "db", "restore", filepath.Join(backups, "first.db"), "--data", dir, "-o", "json")
	var r restored
	if err := json.Unmarshal([]byte(text), &r); err != nil || code != kurs.ExitOK {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, text, said)
	}
	if !r.Queue.Known || !r.Queue.Same || r.Queue.HoleFrom != r.Backup.Position.Seq+1 || r.Queue.HoleTo < r.Queue.HoleFrom {
		t.Errorf("the queue: %+v, the backup at %+v", r.Queue, r.Backup.Position)
	}
	kept, said, code := ran(t, "query", "-o", "csv", "SELECT count(*) AS n FROM v_quotes", "--data", dir)
	if code != kurs.ExitOK || kept == before {
		t.Errorf("exit code %d: %s then, %s now\n%s", code, before, kept, said)
	}
	if out, said, code := ran(t, "db", "check", "--data", dir); code != kurs.ExitOK {
		t.Errorf("exit code %d\n%s%s", code, out, said)
	}
}

// TestReplayOf: what the queue has for a database that went back.
func TestReplayOf(t *testing.T) {
	for _, c := range []struct {
		name               string
		epoch              string
		seq                uint64
		first, last, count uint64
		want               replay
	}{
		{"nothing since", "e", 10, 11, 10, 0, replay{Known: true, Same: true}},
		{"all of it is there", "e", 10, 5, 20, 16, replay{Known: true, Same: true, Messages: 10}},
		{"begins just behind", "e", 10, 11, 20, 10, replay{Known: true, Same: true, Messages: 10}},
		{"a hole", "e", 10, 15, 20, 6, replay{Known: true, Same: true, Messages: 6, HoleFrom: 11, HoleTo: 14}},
		{"all is gone", "e", 10, 21, 20, 0, replay{Known: true, Same: true, HoleFrom: 11, HoleTo: 20}},
		{"another queue", "f", 10, 1, 20, 20, replay{Known: true, Messages: 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := replayOf(kurs.StreamPos{Epoch: c.epoch, Seq: c.seq}, queue.State{Epoch: "e", First: c.first, Last: c.last, Messages: c.count})
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
