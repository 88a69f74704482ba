package supervise

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"kurs"
)

const (
	socketName = "kurs.sock" // in the data directory
	// socketLength is how long a socket's path may be on every system that has
	// them: 104 bytes on macOS, with the zero at the end.
	socketLength = 103
	tokenHeader  = "Kurs-Token" //nolint:gosec // a name, not a secret
)

// serve answers questions about the run on a socket that only its user can
// reach, and writes down where that is. stop ends it.
func (s *supervisor) serve(ctx context.Context) (stop func(), err error) {
	r := Runner{PID: os.Getpid(), Since: s.since}
	listener, err := s.listen(ctx, &r)
	if err != nil {
		return nil, &kurs.Error{
			Code: "KURS-DATA", Message: "cannot open the status socket in " + s.Settings.Paths.Data, Safe: "nothing was started",
			Try: "another --data DIR", Exit: kurs.ExitFailed, Err: err,
		}
	}
	if err := s.Claim.announce(r); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: s.handler(r.Token), ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.Log.ErrorContext(ctx, "status can no longer be asked", "error", err)
		}
	}()
	return func() {
		if err := server.Close(); err != nil {
			s.Log.DebugContext(ctx, "close the status socket", "error", err)
		}
		<-done
	}, nil
}

// listen opens a socket in the data directory. On Windows, and where the path is
// too long for one, it is a loopback port with a token instead.
func (s *supervisor) listen(ctx context.Context, r *Runner) (net.Listener, error) {
	var lc net.ListenConfig
	name := filepath.Join(s.Settings.Paths.Data, socketName)
	if runtime.GOOS != "windows" && len(name) <= socketLength {
		// Whose it was is dead: the claim is ours.
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		listener, err := lc.Listen(ctx, "unix", name)
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(name, 0o600); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		r.Network, r.Address = "unix", name
		return listener, nil
	}
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.Network, r.Address, r.Token = "tcp", listener.Addr().String(), rand.Text()
	return listener, nil
}

func (s *supervisor) handler(token string) http.Handler {
	mux := http.NewServeMux()
	owner := func(do http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(token)) != 1 {
				http.Error(w, "the token of "+runName+" is needed", http.StatusForbidden)
				return
			}
			do(w, r)
		}
	}
	mux.HandleFunc("GET /status", owner(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, s.status(r.Context())) }))
	mux.HandleFunc("POST /say", owner(s.hear))
	return mux
}

func (s *supervisor) answer(w http.ResponseWriter, r *http.Request, what any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(what); err != nil {
		s.Log.DebugContext(r.Context(), "not told", "of", r.URL.Path, "error", err)
	}
}

// askTimeout bounds a question about a run.
const askTimeout = 5 * time.Second

// Ask asks the kurs that records into a data directory how it does. Where none
// does, the status says so, and there is no error.
func Ask(ctx context.Context, data string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	code, body, err := call(ctx, data, http.MethodGet, "/status", nil)
	_, gone := errors.AsType[*net.OpError](err) // it ended meanwhile
	switch {
	case gone, errors.Is(err, ErrNotRunning):
		return NotRunning(time.Now()), nil
	case err != nil:
		return Status{}, err
	case code != http.StatusOK:
		return NotRunning(time.Now()), nil // the port is another program's by now
	}
	var status Status
	if err := json.Unmarshal(body, &status); err != nil {
		return Status{}, fmt.Errorf("ask kurs: %w", err)
	}
	return status, nil
}

// ErrNotRunning says that no kurs records into a data directory.
var ErrNotRunning = errors.New("kurs is not running")

// call sends a request to the kurs that records into a data directory.
func call(ctx context.Context, data, method, path string, body []byte) (code int, answer []byte, err error) {
	r, err := ReadRunner(data)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil, ErrNotRunning
		}
		return 0, nil, err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, r.Network, r.Address)
		},
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, method, "http://kurs"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("ask kurs: %w", err)
	}
	request.Header.Set(tokenHeader, r.Token)
	got, err := client.Do(request)
	if err != nil {
		if op, dead := errors.AsType[*net.OpError](err); dead && op.Op == "dial" { // it was killed and could not tidy up
			return 0, nil, ErrNotRunning
		}
		return 0, nil, fmt.Errorf("ask kurs (pid %d): %w", r.PID, err)
	}
	defer func() { _ = got.Body.Close() }() // it was read
	if answer, err = io.ReadAll(io.LimitReader(got.Body, 8<<20)); err != nil {
		return 0, nil, fmt.Errorf("ask kurs (pid %d): %w", r.PID, err)
	}
	return got.StatusCode, answer, nil
}
