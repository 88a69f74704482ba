package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"kurs"
	"kurs/store/sqlite"
)

// script runs statements on a file, as another program would.
func script(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesWhatItMustNotTouch(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(t *testing.T, path string)
		want error
		says string
	}{
		{"a text file", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte(strings.Repeat("notes about prices\n", 100)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrForeign, "not made by kurs"},
		{"a short text file", func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrForeign, "not made by kurs"},
		{"another program's database", func(t *testing.T, path string) {
			t.Helper()
			script(t, path, "CREATE TABLE notes (x); INSERT INTO notes VALUES (1)")
		}, sqlite.ErrForeign, "not made by kurs"},
		{"another program's database in WAL mode", func(t *testing.T, path string) {
			t.Helper()
			script(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE notes (x); INSERT INTO notes VALUES (1)")
		}, sqlite.ErrForeign, "not made by kurs"},
		{"another program's empty database", func(t *testing.T, path string) {
			t.Helper()
			script(t, path, "PRAGMA application_id = 7; CREATE TABLE x (y); DROP TABLE x")
		}, sqlite.ErrForeign, "not made by kurs"},
		{"a newer format", func(t *testing.T, path string) {
			t.Helper()
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			script(t, path, "PRAGMA user_version = 99")
		}, kurs.ErrNewerFormat, "format 99, this kurs knows up to 2"},
		{"another base currency", func(t *testing.T, path string) {
			t.Helper()
			if err := open(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			script(t, path, "UPDATE meta SET value = 'EUR' WHERE key = 'base_currency'")
		}, kurs.ErrBaseCurrency, "in EUR, not DKK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "kurs.db")
			c.make(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), config(path), quiet())
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want %v with %q", err, c.want, c.says)
			}
			var e *kurs.Error
			if !errors.As(err, &e) || e.Try == "" || e.Safe == "" || e.Code == "" {
				t.Errorf("no remedy: %#v", e)
			}
			now, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(before, now) {
				t.Error("the file was changed")
			}
			if left, err := filepath.Glob(path + "-*"); err != nil || len(left) > 0 {
				t.Errorf("left beside it: %v, %v", left, err)
			}
			if !errors.Is(c.want, kurs.ErrBaseCurrency) { // which a reader takes as it is
				if _, err := sqlite.OpenReader(t.Context(), path); !errors.Is(err, c.want) {
					t.Errorf("the reader: got %v, want %v", err, c.want)
				}
			}
		})
	}
}

func TestOpenMakesAPrivateFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are not of this form on Windows")
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "kurs.db")
	s := open(t, path)
	if err := s.Write(t.Context(), kurs.Group{Position: kurs.StreamPos{Epoch: "e", Seq: 1}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: %o, want %o", name, got, want)
		}
	}
}

func TestOpenTakesAnyPath(t *testing.T) {
	names := []string{"a b", "a?mode=memory", "a#b", "a%41", "ä&_pragma=x", "file:x"}
	if runtime.GOOS == "windows" {
		names = []string{"a b", "a#b", "a%41", "ä&_pragma=x"}
	}
	for _, name := range names {
		path := filepath.Join(t.TempDir(), name+".db")
		open(t, path)
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 && !walHasPages(path) {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
}

func walHasPages(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

func TestOpenWhatWasBegunAndNeverFinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	script(t, path, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL") // where a kill may leave it
	open(t, path)
	path = filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.OpenReader(t.Context(), path); !errors.Is(err, sqlite.ErrNoDatabase) {
		t.Errorf("the reader: %v", err)
	}
	open(t, path)
}

func TestOpenReaderWithoutADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	_, err := sqlite.OpenReader(t.Context(), path)
	if !errors.Is(err, sqlite.ErrNoDatabase) || kurs.ExitCodeOf(err) != kurs.ExitNotFound {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it was made by looking at it")
	}
}

func TestOpenAFolder(t *testing.T) {
	_, err := sqlite.Open(t.Context(), config(t.TempDir()), quiet())
	if err == nil || errors.Is(err, kurs.ErrRejected) {
		t.Errorf("got %v", err)
	}
}

func TestOpenWithoutABaseCurrency(t *testing.T) {
	c := config(filepath.Join(t.TempDir(), "kurs.db"))
	c.BaseCurrency = "kroner"
	if _, err := sqlite.Open(t.Context(), c, quiet()); err == nil {
		t.Error("no error")
	}
}

// The settings that durability and speed rest on are those of the file and of
// the connection, not of a wish.
func TestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.db")
	s := open(t, path)
	for name, want := range map[string]int64{
		"synchronous": 2, "page_size": 16384, "wal_autocheckpoint": 5000, "cache_size": -8192, "busy_timeout": 100,
		"application_id": 0x6b757273, "user_version": sqlite.Format,
	} {
		got, err := sqlite.Pragma(t.Context(), s, name)
		if err != nil || got.Number(0) != want {
			t.Errorf("%s: %v, want %d (%v)", name, got, want, err)
		}
	}
	mode, err := sqlite.Pragma(t.Context(), s, "journal_mode")
	if err != nil || mode.Text(0) != "wal" {
		t.Errorf("journal_mode: %v, %v", mode, err)
	}
}
