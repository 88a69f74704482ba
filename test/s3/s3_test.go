package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kurs"
	"kurs/store/parquet"
)

const (
	accessKey = "kurs-test"
	secretKey = "a-secret-that-no-log-tells"
)

// program builds the server once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "versitygw-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "versitygw")
	out, err := exec.Command("go", "build", "-o", name, "github.com/versity/versitygw/cmd/versitygw").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// server is the object storage, with a bucket "prices".
type server struct {
	t       *testing.T
	folder  string // where its objects are
	address string
	process *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, folder: t.TempDir(), address: l.Addr().String()}
	if err := errors.Join(l.Close(), os.Mkdir(filepath.Join(s.folder, "prices"), 0o700)); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

// start starts it and waits until it answers.
func (s *server) start() {
	s.t.Helper()
	name, err := program()
	if err != nil {
		s.t.Fatal(err)
	}
	s.process = exec.Command(name, "--port", s.address, "posix", s.folder)
	s.process.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+accessKey, "ROOT_SECRET_KEY="+secretKey)
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatal("the server does not answer")
		}
	}
}

// stop kills it: what it said to have, it must have.
func (s *server) stop() {
	if s.process != nil {
		s.process.Process.Kill()
		s.process.Wait()
		s.process = nil
	}
}

// objects are the names of what is in the bucket.
func (s *server) objects() []string {
	s.t.Helper()
	root := filepath.Join(s.folder, "prices")
	var names []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			name, _ := filepath.Rel(root, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// config is of a store in the bucket, with keys from a file.
func (s *server) config(secret string) parquet.Config {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return parquet.Config{
		Dir: s.t.TempDir(), BaseCurrency: "DKK", FlushRows: 1, FlushEvery: time.Hour, Compact: 1000 * time.Hour,
		S3: &parquet.S3{URL: "s3://prices/my/data", Endpoint: "http://" + s.address, AccessKey: accessKey, SecretKeyFile: file},
	}
}

func open(t *testing.T, c parquet.Config) *parquet.Store {
	t.Helper()
	s, err := parquet.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func group(n int) kurs.Group {
	at := time.Date(2026, 11, 24, 12, n, 0, 0, time.UTC)
	p := kurs.Price{
		Quote:      kurs.Quote{Symbol: "../../VOD.L", Source: "yahoo", Time: at, Value: kurs.Int(int64(n)), Unit: "GBp"},
		Receipt:    kurs.Receipt{Received: at, Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(n)}},
		Conversion: kurs.Conversion{BaseCurrency: "DKK"},
	}
	return kurs.Group{
		Batches:  []kurs.Batch{{BaseCurrency: "DKK", Prices: []kurs.Price{p}}},
		Position: kurs.StreamPos{Epoch: "e", Seq: uint64(n)},
	}
}

func position(t *testing.T, s *parquet.Store) uint64 {
	t.Helper()
	at, err := s.Position(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at.Seq
}

func TestFilesGoToTheBucket(t *testing.T) {
	server := newServer(t)
	c := server.config(secretKey)
	for n := 1; n <= 3; n++ {
		s := open(t, c)
		if got := position(t, s); got != uint64(n-1) {
			t.Errorf("position %d, want %d", got, n-1)
		}
		if err := s.Write(t.Context(), group(n)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		server.stop() // killed: what was acknowledged is on its disk
		server.start()
	}
	want := []string{
		"my/data/_kurs/manifest.json",
		"my/data/quotes/date=2026-11-24/0000000001-00.parquet",
		"my/data/quotes/date=2026-11-24/0000000002-00.parquet",
		"my/data/quotes/date=2026-11-24/0000000003-00.parquet",
	}
	if got := server.objects(); !slices.Equal(got, want) {
		t.Errorf("objects %q, want %q", got, want)
	}
	// What a crash left behind is removed, what is another's is left alone.
	stray := filepath.Join(server.folder, "prices", "my", "data", "quotes", "date=2026-11-24", "0000000009-00.parquet")
	other := filepath.Join(server.folder, "prices", "my", "data", "mine.txt")
	for _, name := range []string{stray, other} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.Compact = -10_000 * 24 * time.Hour // whenever the test runs, it is time
	s := open(t, c)
	waitFor(t, func() bool { return len(server.objects()) == 3 }, func() string { return fmt.Sprint(server.objects()) })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want = []string{"my/data/_kurs/manifest.json", "my/data/mine.txt", "my/data/quotes/date=2026-11-24/0000000003c0000000004-00.parquet"}
	if got := server.objects(); !slices.Equal(got, want) {
		t.Errorf("compacted: objects %q, want %q", got, want)
	}
}

// waitFor waits until something holds.
func waitFor(t *testing.T, holds func() bool, state func() string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal(state())
		}
	}
}

func TestAwayAndBack(t *testing.T) {
	server := newServer(t)
	s := open(t, server.config(secretKey))
	if err := s.Write(t.Context(), group(1)); err != nil {
		t.Fatal(err)
	}
	server.stop()
	err := s.Write(t.Context(), group(2))
	if err == nil || parquet.Condition(err) != parquet.ConditionUnreachable || errors.Is(err, kurs.ErrRejected) {
		t.Errorf("away: %v, condition %q", err, parquet.Condition(err))
	}
	server.start()
	if err := s.Write(t.Context(), group(2)); err != nil {
		t.Fatalf("back: %v", err)
	}
	if got := position(t, s); got != 2 {
		t.Errorf("position %d", got)
	}
	if got := len(server.objects()); got != 3 { // the manifest, and a file each
		t.Errorf("objects %q", server.objects())
	}
}

func TestRefused(t *testing.T) {
	server := newServer(t)
	for _, c := range []struct {
		name   string
		change func(*parquet.Config)
	}{
		{"another secret", func(c *parquet.Config) { *c = server.config("wrong") }},
		{"another key", func(c *parquet.Config) { c.S3.AccessKey = "nobody" }},
		{"no such bucket", func(c *parquet.Config) { c.S3.URL = "s3://nothing/here" }},
		{"no keys at all", func(c *parquet.Config) {
			c.S3.AccessKey = ""
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"} {
				t.Setenv(name, "")
			}
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := server.config(secretKey)
			c.change(&config)
			_, err := parquet.Open(t.Context(), config, slog.New(slog.DiscardHandler))
			if err == nil || parquet.Condition(err) != parquet.ConditionRefused {
				t.Fatalf("%v, condition %q", err, parquet.Condition(err))
			}
			if strings.Contains(err.Error(), secretKey) {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestKeysOfTheEnvironment(t *testing.T) {
	server := newServer(t)
	c := server.config("")
	c.S3.AccessKey, c.S3.SecretKeyFile = "", ""
	t.Setenv("AWS_ACCESS_KEY_ID", accessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	if err := open(t, c).Write(t.Context(), group(1)); err != nil {
		t.Fatal(err)
	}
}

// TestCutUpload has the connection end in the middle of an upload: nothing of the
// file is there, and the next try puts it whole.
func TestCutUpload(t *testing.T) {
	server := newServer(t)
	proxy := newProxy(t, server.address)
	c := server.config(secretKey)
	c.S3.Endpoint = "http://" + proxy.address
	s := open(t, c)
	for n := 1; n <= 3; n++ {
		proxy.cutAfter(1500) // bytes of a request: less than its head and the file
		if err := s.Write(t.Context(), group(n)); err == nil {
			t.Fatal("a cut upload was taken for a whole one")
		}
		proxy.cutAfter(0)
		if got := len(server.objects()); got != n { // the manifest and the files before
			t.Errorf("objects %q", server.objects())
		}
		if err := s.Write(t.Context(), group(n)); err != nil {
			t.Fatal(err)
		}
	}
}
