package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Migration is what brings a database to this version's format.
type Migration struct {
	Path     string        `json:"path"`
	From     int64         `json:"from"` // its format
	To       int64         `json:"to"`
	Currency string        `json:"currency_base"`
	Steps    []Step        `json:"steps"` // none: it is up to date
	Bytes    int64         `json:"bytes"` // of the file and its log
	Took     time.Duration `json:"-"`     // of a trial
	After    int64         `json:"bytes_after,omitempty"`
}

// Step is one step from a format to the next.
type Step struct {
	Format int64  `json:"format"` // that it leads to
	What   string `json:"what"`
}

// PlanMigration tells what is to be done; it changes nothing.
func PlanMigration(ctx context.Context, path string) (m Migration, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return m, fmt.Errorf("sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return m, noFile(path, err)
	}
	f, err := inspect(ctx, path, readerWait)
	if err != nil {
		return m, err
	}
	if f.format == 0 {
		return m, errNoDatabase(path)
	}
	m = Migration{Path: path, From: f.format, To: Format, Currency: f.base, Steps: []Step{}, Bytes: sizeWithLog(path)}
	for next := f.format + 1; next <= Format; next++ {
		text, err := fs.ReadFile(migrations, fmt.Sprintf("migrations/%04d.sql", next))
		if err != nil {
			return m, err
		}
		m.Steps = append(m.Steps, Step{Format: next, What: firstSentence(string(text))})
	}
	return m, nil
}

// firstSentence is what a migration says of itself.
func firstSentence(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !ok {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	text = strings.Join(words, " ")
	if _, after, ok := strings.Cut(text, ": "); ok {
		text = after
	}
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}

// TryMigration brings a copy of the database up to date, in a temporary file beside
// it that is taken away again, and tells how long that took and how large it became.
func TryMigration(ctx context.Context, m Migration, told func(done, of int64)) (_ Migration, err error) {
	folder, err := os.MkdirTemp(filepath.Dir(m.Path), ".kurs-migrate-*")
	if err != nil {
		return m, fmt.Errorf("try a migration: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	trial := filepath.Join(folder, "kurs.db")
	if err := create(trial); err != nil {
		return m, fmt.Errorf("try a migration: %w", err)
	}
	if err := copyPages(ctx, m.Path, trial, told); err != nil {
		return m, fmt.Errorf("try a migration: copy %s: %w", m.Path, err)
	}
	began := time.Now()
	c, err := dial(trial, "mode=rw", writerPragmas(0)...)
	if err != nil {
		return m, err
	}
	err = migrate(ctx, c, m.Currency)
	if err == nil {
		err = c.script(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	m.Took = time.Since(began)
	if err = errors.Join(err, c.close()); err != nil {
		return m, fmt.Errorf("try a migration: %w", err)
	}
	m.After = sizeWithLog(trial)
	_, err = ReadBackup(ctx, trial)
	return m, err
}
