package supervise

import (
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
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		if token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get(tokenHeader)), []byte(token)) != 1 {
			http.Error(w, "the token of "+runName+" is needed", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(s.status(r.Context())); err != nil {
			s.Log.DebugContext(r.Context(), "status not told", "error", err)
		}
	})
	return mux
}

// askTimeout bounds a question about a run.
const askTimeout = 5 * time.Second

// Ask asks the kurs that records into a data directory how it does. Where none
// does, the status says so, and there is no error.
func Ask(ctx context.Context, data string) (Status, error) {
	r, err := ReadRunner(data)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return NotRunning(time.Now()), nil
		}
		return Status{}, err
	}
	client := &http.Client{Timeout: askTimeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, r.Network, r.Address)
		},
	}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://kurs/status", http.NoBody)
	if err != nil {
		return Status{}, fmt.Errorf("ask kurs: %w", err)
	}
	request.Header.Set(tokenHeader, r.Token)
	answer, err := client.Do(request)
	if err != nil {
		if _, dead := errors.AsType[*net.OpError](err); dead { // it was killed and could not tidy up
			return NotRunning(time.Now()), nil
		}
		return Status{}, fmt.Errorf("ask kurs (pid %d): %w", r.PID, err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if answer.StatusCode != http.StatusOK {
		return NotRunning(time.Now()), nil // the port is another program's by now
	}
	var status Status
	if err := json.NewDecoder(io.LimitReader(answer.Body, 8<<20)).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("ask kurs (pid %d): %w", r.PID, err)
	}
	return status, nil
}
