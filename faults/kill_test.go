package faults

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs/fault"
	"kurs/internal/testkit"
)

// program builds kurs with its fault points, once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kurs-faults-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "kurs")
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	build := exec.Command("go", "build", "-tags=faults", "-o", name, "kurs/cmd/kurs")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build kurs: %w\n%s", err, out)
	}
	return name, nil
})

// TestMain lets more tests run side by side than there are processors: they wait
// most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		if err := f.Value.Set("6"); err != nil {
			panic(err)
		}
	}
	m.Run()
	if name, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name)) // a temporary folder
	}
}

// demo is a run of kurs run --demo that things are done to.
type demo struct {
	*testing.T
	data, ledger string
	cmd          *exec.Cmd
	out          lockedBuffer
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newDemo prepares a demo in a folder of its own.
func newDemo(t *testing.T, data string, env []string, args ...string) *demo {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	d := &demo{T: t, data: data, ledger: filepath.Join(t.TempDir(), "ledger.csv")}
	d.cmd = exec.CommandContext(t.Context(), name, append([]string{
		"run", "--demo", "--data", d.data, "--ledger", d.ledger, "--drain-timeout", "60s",
	}, args...)...)
	d.cmd.Env = append(os.Environ(), env...)
	d.cmd.Stdout, d.cmd.Stderr = &d.out, &d.out
	d.cmd.WaitDelay = 10 * time.Second
	return d
}

func (d *demo) start() {
	d.Helper()
	if err := d.cmd.Start(); err != nil {
		d.Fatal(err)
	}
}

func (d *demo) wait() {
	d.Helper()
	if err := d.cmd.Wait(); err != nil {
		d.Fatalf("%v\n%s", err, &d.out)
	}
}

// check compares the ledger with the database.
func (d *demo) check(o Options) *Report {
	d.Helper()
	r, err := Check(context.WithoutCancel(d.Context()), d.ledger, filepath.Join(d.data, "kurs.db"), o)
	if err != nil {
		d.Fatalf("%v\n%s", err, &d.out)
	}
	if !r.OK() || r.Quotes == 0 {
		d.Errorf("%s\n%s", r, &d.out)
	}
	return r
}

// await waits for something, for a while.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("%s did not come about", what)
		}
	}
}

// stages finds the stage processes of a supervisor, by its status.
func (d *demo) pid(stage string) int {
	name, err := program()
	if err != nil {
		d.Fatal(err)
	}
	out, err := exec.CommandContext(d.Context(), name, "status", "--data", d.data).Output()
	if err != nil {
		return 0 // not up yet
	}
	for line := range strings.Lines(string(out)) {
		var name string
		var pid int
		if _, err := fmt.Sscan(line, &name, &pid); err == nil && name == stage {
			return pid
		}
	}
	return 0
}

func (d *demo) kill(stage string) {
	d.Helper()
	var pid int
	await(d.T, stage+" at work", func() bool {
		pid = d.pid(stage)
		return pid != 0
	})
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Kill()
	}
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.Error(err)
	}
}

// TestNothingIsLostWhenStagesAreKilled: process or store is killed ten times at
// random moments, and ledger and database agree row for row.
func TestNothingIsLostWhenStagesAreKilled(t *testing.T) {
	t.Parallel()
	d := newDemo(t, t.TempDir(), nil, "--demo-symbols", "100", "--interval", "200ms", "--duration", "0")
	d.start()
	random := rand.New(rand.NewPCG(1, 2)) // the same moments each time
	for range 10 {
		timer := time.NewTimer(time.Duration(100+random.IntN(700)) * time.Millisecond)
		<-timer.C
		d.kill([]string{"process", "store"}[random.IntN(2)])
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	d.check(Options{})
}

// TestKilledAtEveryPoint kills the process that passes a named point, at the
// first, the third or a later passage. The run goes on and loses nothing.
func TestKilledAtEveryPoint(t *testing.T) {
	t.Parallel()
	for _, point := range fault.Points() {
		passage, ok := passages[point]
		if !ok {
			t.Errorf("%s: say in passages when it is passed, or that it is not", point)
		}
		if passage == 0 {
			continue
		}
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			once := t.TempDir()
			data := t.TempDir()
			env := []string{
				fmt.Sprintf("KURS_FAULT=%s=kill@%d", point, passage), "KURS_FAULT_DIR=" + once,
				"KURS_STORE_FLUSH=100ms", // several transactions, also on a busy machine
			}
			d := newDemo(t, data, env, "--demo-symbols", "12", "--interval", "150ms", "--duration", "2500ms")
			d.start()
			err := d.cmd.Wait()
			if _, ferr := os.Stat(filepath.Join(once, point)); ferr != nil {
				t.Fatalf("was not passed: %v\n%s", ferr, &d.out)
			}
			var o Options
			switch stage, _, _ := strings.Cut(point, "."); stage {
			case "supervise":
				if err == nil {
					t.Fatalf("the supervisor was not killed\n%s", &d.out)
				}
				again(t, d)
				o = Options{MayLose: 50, AllowUnfilled: true} // the exchange died with it, and every answer under way
			case "acquire":
				o.MayLose = 50 // answers that were under way when it was killed
				fallthrough
			default:
				if err != nil {
					t.Fatalf("%v\n%s", err, &d.out)
				}
			}
			if point != "supervise.before_stages" { // nothing was handed out yet
				d.check(o)
			}
		})
	}
}

// again runs kurs on the data of a demo whose supervisor was killed.
func again(t *testing.T, d *demo) {
	t.Helper()
	next := newDemo(t, d.data, nil, "--demo-symbols", "1", "--duration", "1s", "--seed", "1")
	next.start()
	next.wait()
	// What both exchanges handed out is compared at once.
	first, err := os.ReadFile(d.ledger)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(next.ledger)
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.LastIndexByte(first, '\n'); i >= 0 {
		first = first[:i+1]
	}
	if err := os.WriteFile(d.ledger, append(first, second...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// passages says at which passage of a point a short demo is killed; 0 where it
// does not come by, with the test that does.
var passages = map[string]int{
	"acquire.before_emit": 5, "acquire.before_rates": 3, "acquire.after_rates": 3, "acquire.before_raw": 5, "acquire.after_raw": 5, // one of them is the central bank's
	"acquire.before_end": 1, "acquire.after_end": 1,
	"process.before_decode": 3, "process.before_priced": 3, "process.after_priced": 3, "process.before_ack": 3, "process.after_ack": 3,
	"process.before_fill": 1, "process.after_fill": 1, "process.before_end": 1, "process.after_end": 1,
	"process.before_dead": 0, "process.after_dead": 0, // the exchange says nothing that cannot be understood: process.TestWhatIsNotUnderstood...
	"process.before_snapshot": 0, "process.after_snapshot": 0, // after 10,000 messages: process.TestTheBookIsKept...
	"store.before_write": 2, "store.before_commit": 2, "store.after_commit": 2, "store.before_ack": 2, "store.after_ack": 2,
	"store.before_end": 1, "store.after_end": 1, "store.migrate": 1,
	"queue.before_purge": 1, "queue.after_purge": 1,
	"supervise.before_stages": 1, "supervise.after_stages": 1, "supervise.before_cleanup": 1,
}

// TestTheSecondSignalLosesNothing: a run that is ended at once is taken up by
// the next one.
func TestTheSecondSignalLosesNothing(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows sends no signals to another process")
	}
	d := newDemo(t, t.TempDir(), nil, "--demo-symbols", "20", "--interval", "200ms", "--duration", "0")
	d.start()
	await(t, "stored prices", func() bool { return d.pid("store") != 0 })
	for range 2 {
		if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	var exit *exec.ExitError
	if err := d.cmd.Wait(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 130) {
		t.Fatalf("%v\n%s", err, &d.out)
	}
	again(t, d)
	d.check(Options{MayLose: 50, AllowUnfilled: true})
}

// TestALockedDatabaseIsWaitedFor: another program holds the write lock for a
// while; recording goes on.
func TestALockedDatabaseIsWaitedFor(t *testing.T) {
	t.Parallel()
	d := newDemo(t, t.TempDir(), []string{"KURS_STORE_SQLITE_BUSY_TIMEOUT=100ms"}, "--demo-symbols", "20", "--interval", "200ms", "--duration", "0")
	d.start()
	path := filepath.Join(d.data, "kurs.db")
	await(t, "a stored price", func() bool { return strings.Contains(d.out.String(), "database ready") })
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	await(t, "the warning", func() bool { return strings.Contains(d.out.String(), "KURS-LOCK") })
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(conn.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the warning", func() bool { return strings.Contains(d.out.String(), "store works again") })
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	d.check(Options{})
}

// TestAFullDiskIsWaitedFor: queue and database run out of space; when there is
// some again, everything that was accepted is stored, without a person.
func TestAFullDiskIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := exec.LookPath("mount")
	testkit.Require(t, "a disk of its own (root on Linux)", runtime.GOOS == "linux" && os.Geteuid() == 0 && err == nil, "no mount")
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", dir).CombinedOutput(); err != nil {
		testkit.Require(t, "a disk of its own (root on Linux)", false, string(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil { // the test's own context is done
			t.Errorf("%v: %s", err, out)
		}
	})
	d := newDemo(t, filepath.Join(dir, "data"), []string{"KURS_STORE_MIN_FREE=0"}, "--demo-symbols", "100", "--interval", "100ms", "--duration", "0")
	d.start()
	await(t, "a stored price", func() bool { return strings.Contains(d.out.String(), "first prices stored") })
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, filler)
	await(t, "the alarm", func() bool { return strings.Contains(d.out.String(), "queue is not well") })
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the alarm", func() bool { return strings.Contains(d.out.String(), "queue is well again") })
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	d.wait()
	d.check(Options{AllowUnfilled: true}) // it may end before the first rates could be asked for
}

// fill writes until nothing more goes in.
func fill(t *testing.T, name string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for err == nil {
		if _, err = file.Write(block); err != nil && len(block) > 512 {
			block, err = block[:512], nil
		}
	}
	if err := file.Close(); err != nil {
		t.Log(err) // the disk is full, as it should be
	}
}
