package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs"
)

func TestUserPlaces(t *testing.T) {
	tests := []struct {
		name, system string
		env          environ
		want         places
	}{
		{
			name: "linux", system: "linux", env: environ{"HOME": "/h"},
			want: places{"/h/.config/kurs", "/h/.local/share/kurs", "/h/.local/state/kurs", "/h/.cache/kurs"},
		},
		{
			name: "XDG", system: "linux", env: environ{
				"HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "/d/", "XDG_STATE_HOME": "/s", "XDG_CACHE_HOME": "/k",
			},
			want: places{"/c/kurs", "/d/kurs", "/s/kurs", "/k/kurs"},
		},
		{
			name: "a relative XDG value is ignored", system: "linux", env: environ{"HOME": "/h", "XDG_DATA_HOME": "d", "XDG_CACHE_HOME": ""},
			want: places{"/h/.config/kurs", "/h/.local/share/kurs", "/h/.local/state/kurs", "/h/.cache/kurs"},
		},
		{name: "no home", system: "linux", env: environ{}},
		{name: "relative home", system: "linux", env: environ{"HOME": "h"}},
		{
			name: "macOS", system: "darwin", env: environ{"HOME": "/h"},
			want: places{
				"/h/Library/Application Support/kurs", "/h/Library/Application Support/kurs",
				"/h/Library/Application Support/kurs", "/h/Library/Caches/kurs",
			},
		},
		{
			name: "Windows", system: "windows", env: environ{"APPDATA": "/r", "LOCALAPPDATA": "/l"},
			want: places{"/r/kurs", "/l/kurs", "/l/kurs", "/l/kurs/cache"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if filepath.Separator != '/' {
				t.Skip("the paths of this table are those of Unix")
			}
			got := userPlaces(tt.system, tt.env)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(places{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	home, cwd := t.TempDir(), t.TempDir()
	t.Chdir(cwd)
	cwd, err := os.Getwd() // as the system names it, links resolved
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "etc", "my.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "queue.dir = \"q\"\nlog.file = \"~/kurs.log\"\nstore.sqlite.path = \"/abs/k.db\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	in := func(change func(*Input)) Input {
		i := Input{Environ: []string{
			"HOME=" + home, "XDG_DATA_HOME=" + home + "/d", "XDG_STATE_HOME=" + home + "/s", "XDG_CACHE_HOME=" + home + "/c",
			"XDG_CONFIG_HOME=" + home + "/f",
		}}
		change(&i)
		return i
	}
	tests := []struct {
		name string
		in   Input
		want Paths
	}{
		{
			name: "the user's directories", in: in(func(*Input) {}),
			want: Paths{Data: home + "/d/kurs", Database: home + "/d/kurs/kurs.db", Parquet: home + "/d/kurs/parquet", Queue: home + "/s/kurs/queue", Cache: home + "/c/kurs", Archive: home + "/d/kurs/raw", Lines: home + "/d/kurs/lines"},
		},
		{
			name: "--data", in: in(func(i *Input) { i.DataDir = "x" }),
			want: Paths{
				Data: cwd + "/x", Database: cwd + "/x/kurs.db", Parquet: cwd + "/x/parquet", Queue: cwd + "/x/queue",
				Cache: cwd + "/x/cache", Archive: cwd + "/x/raw", Lines: cwd + "/x/lines", LogFile: cwd + "/x/kurs.log",
			},
		},
		{
			name: "--data beats KURS_DATA", in: in(func(i *Input) {
				i.DataDir = "/y"
				i.Environ = append(i.Environ, "KURS_DATA=/z")
			}),
			want: Paths{Data: "/y", Database: "/y/kurs.db", Parquet: "/y/parquet", Queue: "/y/queue", Cache: "/y/cache", Archive: "/y/raw", Lines: "/y/lines", LogFile: "/y/kurs.log"},
		},
		{
			name: "in the file: from the file's directory", in: in(func(i *Input) { i.File = file }),
			want: Paths{
				Data: home + "/d/kurs", Database: "/abs/k.db", Parquet: home + "/d/kurs/parquet", Queue: filepath.Dir(file) + "/q",
				Cache: home + "/c/kurs", Archive: home + "/d/kurs/raw", Lines: home + "/d/kurs/lines", LogFile: home + "/kurs.log",
			},
		},
		{
			name: "in the environment: from the working directory", in: in(func(i *Input) {
				i.DataDir = "/y"
				i.Environ = append(i.Environ, "KURS_LOG_FILE=l/k.log")
			}),
			want: Paths{Data: "/y", Database: "/y/kurs.db", Parquet: "/y/parquet", Queue: "/y/queue", Cache: "/y/cache", Archive: "/y/raw", Lines: "/y/lines", LogFile: cwd + "/l/k.log"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := Load(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.Paths); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNoHome(t *testing.T) {
	_, _, err := Load(Input{})
	var e *kurs.Error
	if !errors.As(err, &e) || e.Exit != kurs.ExitUsage || e.Try != "name a directory: --data DIR, or KURS_DATA=DIR" {
		t.Errorf("error = %#v", err)
	}
	if _, _, err := Load(Input{DataDir: t.TempDir()}); err != nil {
		t.Errorf("with --data: %v", err)
	}
	c, origins, err := Load(Input{NoData: true})
	if err != nil || c.Paths != (Paths{}) || origins.File != "" {
		t.Errorf("a command that keeps nothing: %+v, %v", c.Paths, err)
	}
	if _, _, err := Load(Input{DataDir: "/x", Environ: []string{"KURS_LOG_FILE=~/k.log"}}); err == nil {
		t.Error("~ without a home directory passes")
	}
}

func TestShort(t *testing.T) {
	home := []string{"HOME=/h/me"}
	for path, want := range map[string]string{"/h/me/x/kurs.toml": "~/x/kurs.toml", "/h/meow/x": "/h/meow/x", "/etc/x": "/etc/x"} {
		if got := Short(path, home); got != want {
			t.Errorf("%s is shown as %s, want %s", path, got, want)
		}
	}
	if got := Short("/x", nil); got != "/x" {
		t.Errorf("without a home directory: %s", got)
	}
}
