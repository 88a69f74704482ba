// Package pgtest starts private PostgreSQL servers for tests: each in a folder of its
// own, reached by a socket in it and by nothing else, and gone with its test, or, where
// tests share one, with the last of them. Where the tests run as root the server does
// not, since PostgreSQL refuses to.
//
// It must not know kurs's tables: it knows how to start, stop and kill a server.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs/internal/testkit"
)

// Server is a private server, or a database of one that tests share.
type Server struct {
	Database string // which one [Server.DSN] names

	bin, dir string
	settings []string
	account  account
	process  *exec.Cmd
	ended    chan struct{} // closed when the process has ended
}

// Admin is the name of the server's first role, which may do everything.
const Admin = "admin"

// patience is how long a server may take to start or to stop.
const patience = 30 * time.Second

// New starts a server with the settings (name=value) for as long as the test runs. It
// leaves the test out where PostgreSQL is not installed.
func New(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s := start(tb, settings)
	tb.Cleanup(func() {
		if err := s.end(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// shared is the server that the tests of a package share, and how many databases it
// was given.
var shared struct {
	mu        sync.Mutex
	server    *Server
	databases int
}

// Run runs the tests of a package, some of which share a server ([Shared]), as all that
// its TestMain does.
func Run(m *testing.M) {
	m.Run()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		return
	}
	if err := shared.server.end(); err != nil {
		panic(err) // there is no test any more that could fail
	}
}

// Shared gives the test a new database on the server of the package, which does not
// write to disk in time, so that it is for what has nothing to do with that. The test
// must not stop it. Its package's tests must be run by [Run].
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		shared.server = start(tb, []string{"fsync=off", "full_page_writes=off", "autovacuum=off"})
	}
	shared.databases++
	s := *shared.server
	s.Database = fmt.Sprintf("test_%d", shared.databases)
	shared.server.Exec(tb, "CREATE DATABASE "+s.Database)
	return &s
}

func start(tb testing.TB, settings []string) *Server {
	tb.Helper()
	bin, err := binaries()
	testkit.Require(tb, "PostgreSQL 15 or later", err == nil, fmt.Sprint(err))
	who, err := unprivileged()
	testkit.Require(tb, "an account that PostgreSQL runs as", err == nil, fmt.Sprint(err))
	// Not the folder of the test, whose name may be too long for a socket, and which
	// another account may not enter.
	dir, err := os.MkdirTemp("", "kurs-pg-") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{Database: "postgres", bin: bin, dir: dir, settings: settings, account: who}
	ready := false
	defer func() {
		if !ready {
			_ = s.end() // the test has failed already
		}
	}()
	if err := who.own(dir); err != nil {
		tb.Fatal(err)
	}
	initdb := s.command("initdb", "-D", s.data(), "-U", Admin, "-A", "trust", "--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		tb.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(tb)
	ready = true
	return s
}

// end kills the server and removes its folder.
func (s *Server) end() error { return errors.Join(s.kill(), os.RemoveAll(s.dir)) }

// binaries finds the folder of PostgreSQL's programs: Debian keeps them off the path,
// a folder a version.
func binaries() (string, error) {
	const oldest = 15
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path) // its neighbours need not be on the path
		return filepath.Dir(path), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	if len(found) == 0 || version(found[0]) < oldest {
		return "", errors.New("initdb is neither on the path nor in /usr/lib/postgresql")
	}
	return filepath.Dir(found[0]), nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	s.account.become(cmd)
	return cmd
}

// DSN is how to reach the server as a role.
func (s *Server) DSN(role string) string {
	return fmt.Sprintf("host=%s user=%s dbname=%s sslmode=disable", s.dir, role, s.Database)
}

// Start starts the server after [Server.Stop] or [Server.Kill], and waits until it
// takes connections.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	log := filepath.Join(s.dir, "log")
	args := []string{"-D", s.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + s.dir}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	deadline := time.Now().Add(patience)
	for {
		s.process = s.command("postgres", args...)
		file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			tb.Fatal(err)
		}
		s.process.Stdout, s.process.Stderr = file, file
		err = s.process.Start()
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			tb.Fatal(err)
		}
		if s.ready(tb, deadline) {
			return
		}
		// After a kill the backends of the one before may not have let go yet.
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log)
			tb.Fatalf("PostgreSQL does not start:\n%s", text)
		}
	}
}

// ready waits until the server takes connections; false where it ended.
func (s *Server) ready(tb testing.TB, deadline time.Time) bool {
	tb.Helper()
	process, ended := s.process, make(chan struct{})
	s.ended = ended
	go func() {
		_ = process.Wait() // why it ended is in the log
		close(ended)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for time.Now().Before(deadline) {
		conn, err := pgx.Connect(context.Background(), s.DSN(Admin))
		if err == nil {
			_ = conn.Close(context.Background()) // it was there
			return true
		}
		select {
		case <-ended:
			return false
		case <-tick.C:
		}
	}
	return false
}

// Stop ends the server in order, though not waiting for its clients.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if out, err := s.command("pg_ctl", "-D", s.data(), "-m", "fast", "-t", "30", "-w", "stop").CombinedOutput(); err != nil {
		tb.Fatalf("stop: %v\n%s", err, out)
	}
	<-s.ended
	s.process = nil
}

// Kill ends the server as a power cut would, if it runs.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.kill(); err != nil {
		tb.Error(err)
	}
}

func (s *Server) kill() error {
	if s.process == nil {
		return nil
	}
	children := childrenOf(s.process.Process.Pid)
	err := s.process.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-s.ended
	for _, pid := range children { // which would go on for a while
		if child, err := os.FindProcess(pid); err == nil {
			_ = child.Kill() // it may have ended
		}
	}
	s.process = nil
	return err
}

// childrenOf are the processes that a process started, where the system tells (Linux).
func childrenOf(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var out []int
	for word := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(word); err == nil {
			out = append(out, n)
		}
	}
	return out
}

// Exec runs statements as the admin.
func (s *Server) Exec(tb testing.TB, statements ...string) {
	tb.Helper()
	conn := s.Connect(tb, Admin)
	for _, text := range statements {
		if _, err := conn.Exec(context.Background(), text); err != nil {
			tb.Fatalf("%s: %v", text, err)
		}
	}
}

// Connect connects as a role for as long as the test runs.
func (s *Server) Connect(tb testing.TB, role string) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(context.Background(), s.DSN(role))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) }) // the server may be gone already
	return conn
}

// Psql runs the psql shell with a command, and gives what it prints.
func (s *Server) Psql(tb testing.TB, command string) string {
	tb.Helper()
	_, err := os.Stat(filepath.Join(s.bin, "psql"))
	testkit.Require(tb, "the psql shell", err == nil, fmt.Sprint(err))
	out, err := s.command("psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", s.DSN(Admin), "-c", command).CombinedOutput()
	if err != nil {
		tb.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}
