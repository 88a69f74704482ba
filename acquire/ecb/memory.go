package ecb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// The files in the state directory: what is known of the file that was fetched
// last, and that file.
const (
	stateFile = "ecb-state.json"
	bodyFile  = "ecb-rates"
)

// remembered is what survives a restart. It holds for one address, and one place
// that the answers go to.
type remembered struct {
	URL    string            `json:"url"`
	Into   string            `json:"into,omitempty"`
	Tag    tag               `json:"tag,omitzero"`
	Sum    string            `json:"sha256,omitempty"` // of the file
	Handed map[string]string `json:"handed,omitempty"` // by year

	body []byte
}

// memory is the state directory. What cannot be read or written there is no
// reason to stop: the file is fetched once more then. It says so once.
type memory struct {
	dir, url, into string
	log            *slog.Logger
	warned         sync.Once
}

// load is what was remembered; a tag only where the file is there that it is of.
func (m *memory) load() remembered {
	var r remembered
	if m.dir == "" {
		return r
	}
	text, err := os.ReadFile(filepath.Join(m.dir, stateFile))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil && r.URL == m.url && r.Sum != "" {
		r.body, err = os.ReadFile(filepath.Join(m.dir, bodyFile))
	}
	switch {
	case err != nil:
		if !errors.Is(err, fs.ErrNotExist) {
			m.warn(err)
		}
		return remembered{}
	case r.URL != m.url:
		return remembered{}
	case r.Sum == "", r.Sum != sumOf(r.body):
		r.Tag, r.body = tag{}, nil
	}
	if r.Into != m.into {
		r.Handed = nil
	}
	return r
}

// keep keeps what is known of what was fetched, the whole file too if
// wanted.
func (m *memory) keep(r remembered, whole bool) {
	if m.dir == "" {
		return
	}
	r.URL, r.Into = m.url, m.into
	var err error
	if whole {
		r.Sum = sumOf(r.body)
		err = replaceFile(m.dir, bodyFile, r.body)
	}
	text, jsonErr := json.Marshal(r)
	err = errors.Join(err, jsonErr)
	if err == nil {
		err = replaceFile(m.dir, stateFile, text)
	}
	if err != nil {
		m.warn(err)
	}
}

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// replaceFile puts the whole file in place, or leaves the old one.
func replaceFile(dir, name string, text []byte) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	temporary, err := os.CreateTemp(dir, name+".*") // 0600
	if err != nil {
		return fmt.Errorf("keep %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("keep %s: %w", name, err), os.Remove(temporary.Name()))
		}
	}()
	if _, err := temporary.Write(text); err != nil {
		return errors.Join(err, temporary.Close())
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), filepath.Join(dir, name))
}

func (m *memory) warn(err error) {
	m.warned.Do(func() { m.log.Warn("state not kept over a restart", "dir", m.dir, "error", err) })
}
