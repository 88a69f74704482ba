package yahoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// The files in the state directory, both readable by the user alone: the session
// is as good as a password to Yahoo's eyes.
const (
	sessionFile = "yahoo-session.json"
	stateFile   = "yahoo-state.json"
)

// remembered is what survives a restart besides the session. It holds for one
// host and one base currency.
type remembered struct {
	Host    string   `json:"host"`
	Base    string   `json:"base,omitempty"`
	Gate    shut     `json:"gate,omitzero"`
	Stream  shut     `json:"stream,omitzero"` // of the host of the stream
	Session waiting  `json:"session,omitzero"`
	Batch   int      `json:"batch,omitempty"` // symbols in one request, as learned
	Pairs   []string `json:"pairs,omitempty"` // that were answered, "USDDKK"
}

// waiting is a session that was refused, and when to ask for one again.
type waiting struct {
	Fails int       `json:"fails,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// memory is the state directory. What cannot be read or written there is no
// reason to stop: kurs then knows a little less after a restart. It says so once.
type memory struct {
	dir  string // empty: nothing is kept
	host string
	log  *slog.Logger

	warned sync.Once
	mu     sync.Mutex // of the files
}

// load is what was remembered for this host.
func (m *memory) load() remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.read()
}

func (m *memory) read() remembered {
	var r remembered
	m.readFile(stateFile, &r)
	if r.Host != m.host {
		return remembered{Host: m.host}
	}
	return r
}

// update changes what is remembered. It reads the file anew: a single call may
// use the same directory while prices are recorded.
func (m *memory) update(change func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir == "" {
		return
	}
	r := m.read()
	change(&r)
	m.writeFile(stateFile, r)
}

// loadSession is the session that was kept, if it is of this host.
func (m *memory) loadSession() (credentials, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c credentials
	m.readFile(sessionFile, &c)
	return c, c.Host == m.host && c.Cookie != "" && checkCrumb([]byte(c.Crumb)) == nil
}

// keepSession keeps a session.
func (m *memory) keepSession(c credentials) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir != "" {
		m.writeFile(sessionFile, c)
	}
}

// dropSession forgets a session that was denied, unless another process has put
// a newer one in its place.
func (m *memory) dropSession(denied credentials) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dir == "" {
		return
	}
	var kept credentials
	if m.readFile(sessionFile, &kept); kept.Crumb != denied.Crumb {
		return
	}
	if err := os.Remove(filepath.Join(m.dir, sessionFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		m.warn(err)
	}
}

// lockSession keeps other processes from fetching a session at the same time. It
// fails only when ctx is done.
func (m *memory) lockSession(ctx context.Context) (unlock func(), err error) {
	if m.dir == "" {
		return func() {}, nil
	}
	err = os.MkdirAll(m.dir, 0o700)
	lock := flock.New(filepath.Join(m.dir, sessionFile+".lock"), flock.SetPermissions(0o600))
	if err == nil {
		_, err = lock.TryLockContext(ctx, sessionLockEvery)
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		m.warn(err)
		return func() {}, nil
	}
	return func() { _ = lock.Unlock() }, nil // the file is closed, so the lock is gone in any case
}

const sessionLockEvery = 20 * time.Millisecond

func (m *memory) readFile(name string, into any) {
	if m.dir == "" {
		return
	}
	text, err := os.ReadFile(filepath.Join(m.dir, name)) //nolint:gosec // name is one of the constants of this file
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		m.warn(fmt.Errorf("%s: %w", name, err))
	}
}

// writeFile puts the whole file in place, or leaves the old one.
func (m *memory) writeFile(name string, content any) {
	text, err := json.Marshal(content)
	if err == nil {
		err = replaceFile(m.dir, name, text)
	}
	if err != nil {
		m.warn(fmt.Errorf("%s: %w", name, err))
	}
}

func replaceFile(dir, name string, text []byte) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, name+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	if _, err := file.Write(text); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(dir, name))
}

func (m *memory) warn(err error) {
	m.warned.Do(func() { m.log.Warn("state not kept over a restart", "dir", m.dir, "error", err) })
}
