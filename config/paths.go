package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"kurs"
)

// Paths are where one kurs keeps its things. All are absolute.
type Paths struct {
	Data     string `json:"data"`     // directory of the database, the lock and the status socket
	Database string `json:"database"` // the SQLite file
	Parquet  string `json:"parquet"`  // directory of the Parquet files
	Queue    string `json:"queue"`    // directory of the broker
	Cache    string `json:"cache"`    // directory of what can be fetched again
	Archive  string `json:"archive"`  // directory of raw messages
	Lines    string `json:"lines"`    // directory of the files of the store lines
	LogFile  string `json:"log_file"` // empty: no log file
}

const (
	fileName     = "kurs.toml"
	databaseName = "kurs.db"
	logName      = "kurs.log"
	queueName    = "queue"
	archiveName  = "raw"
	linesName    = "lines"
	parquetName  = "parquet"
)

// environ looks variables up in a list of the form of [os.Environ]; the last one
// wins, as for a process.
type environ map[string]string

func newEnviron(list []string) environ {
	e := make(environ, len(list))
	for _, pair := range list {
		if name, value, ok := strings.Cut(pair, "="); ok {
			e[name] = value
		}
	}
	return e
}

// absolute is the directory that a variable names. One that is empty or relative
// counts as not set, as the XDG base directory specification says.
func (e environ) absolute(name string) string {
	if dir := e[name]; filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return ""
}

// places are kurs's four directories by the customs of the system; each is empty
// where it cannot be told.
type places struct{ config, data, state, cache string }

// userPlaces follows the XDG base directory specification wherever its variables
// are set, and the customs of macOS and Windows where they are not.
func userPlaces(system string, env environ) places {
	under := func(base string, parts ...string) string {
		if base == "" {
			return ""
		}
		return filepath.Join(append([]string{base}, parts...)...)
	}
	home := env.absolute("HOME")
	var p places
	switch system {
	case "windows":
		roaming, local := env.absolute("APPDATA"), env.absolute("LOCALAPPDATA")
		p = places{under(roaming, "kurs"), under(local, "kurs"), under(local, "kurs"), under(local, "kurs", "cache")}
	case "darwin":
		support := under(home, "Library", "Application Support", "kurs")
		p = places{support, support, support, under(home, "Library", "Caches", "kurs")}
	default:
		p = places{
			under(home, ".config", "kurs"), under(home, ".local", "share", "kurs"),
			under(home, ".local", "state", "kurs"), under(home, ".cache", "kurs"),
		}
	}
	for name, dir := range map[string]*string{
		"XDG_CONFIG_HOME": &p.config, "XDG_DATA_HOME": &p.data, "XDG_STATE_HOME": &p.state, "XDG_CACHE_HOME": &p.cache,
	} {
		if base := env.absolute(name); base != "" {
			*dir = filepath.Join(base, "kurs")
		}
	}
	return p
}

// FilePath is the config file that an input means: --config, KURS_CONFIG, or
// kurs.toml in the user's config directory. named is false for the last, which
// need not exist; it is "" where there is no such directory, and with NoFile.
func FilePath(in Input) (path string, named bool, err error) {
	env := newEnviron(in.Environ)
	path = in.File
	if path == "" && in.NoFile {
		return "", false, nil
	}
	if path == "" {
		path = env["KURS_CONFIG"]
	}
	if path != "" {
		path, err = absolutePath(path, "", env)
		return path, true, err
	}
	if dir := userPlaces(runtime.GOOS, env).config; dir != "" {
		path = filepath.Join(dir, fileName)
	}
	return path, false, nil
}

// absolutePath resolves a path that a person wrote: "~/" is the home directory,
// a relative one begins in dir, "" being the working directory.
func absolutePath(path, dir string, env environ) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home := env.absolute("HOME")
		if home == "" {
			home = env.absolute("USERPROFILE")
		}
		if home == "" {
			return "", noHome("~ has no meaning: HOME is not set", "write the path in full")
		}
		return filepath.Join(home, rest), nil
	}
	if !filepath.IsAbs(path) && dir != "" {
		return filepath.Join(dir, path), nil
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return "", noHome("the working directory is not known: "+err.Error(), "write the path in full")
	}
	return full, nil
}

// dataDir is what --data or KURS_DATA names, "" for neither.
func dataDir(in Input, env environ) (string, error) {
	dir := in.DataDir
	if dir == "" {
		dir = env["KURS_DATA"]
	}
	if dir == "" {
		return "", nil
	}
	return absolutePath(dir, "", env)
}

// resolvePaths settles where everything lies. A path in the config file begins
// in the file's own directory, one from elsewhere in the working directory.
func (l *loader) resolvePaths(in Input) error {
	dir, err := dataDir(in, l.env)
	if err != nil {
		return err
	}
	var p Paths
	if dir != "" {
		p = Paths{
			Data: dir, Database: filepath.Join(dir, databaseName), Parquet: filepath.Join(dir, parquetName), Queue: filepath.Join(dir, queueName),
			Cache: filepath.Join(dir, "cache"), Archive: filepath.Join(dir, archiveName), Lines: filepath.Join(dir, linesName), LogFile: filepath.Join(dir, logName),
		}
	} else if at := userPlaces(runtime.GOOS, l.env); at.data != "" && at.state != "" && at.cache != "" {
		p = Paths{
			Data: at.data, Database: filepath.Join(at.data, databaseName), Parquet: filepath.Join(at.data, parquetName), Queue: filepath.Join(at.state, queueName),
			Cache: at.cache, Archive: filepath.Join(at.data, archiveName), Lines: filepath.Join(at.data, linesName),
		}
	} else if !in.NoData {
		return noHome("there is no home directory to keep data in: HOME is not set",
			"name a directory: --data DIR, or KURS_DATA=DIR")
	}
	for _, s := range []struct {
		key, text string
		path      *string
	}{
		{"store.sqlite.path", l.cfg.Store.SQLite.Path, &p.Database},
		{"store.parquet.dir", l.cfg.Store.Parquet.Dir, &p.Parquet},
		{"queue.dir", l.cfg.Queue.Dir, &p.Queue},
		{"log.file", l.cfg.Log.File, &p.LogFile},
		{"archive.dir", l.cfg.Archive.Dir, &p.Archive},
		{"store.lines.dir", l.cfg.Store.Lines.Dir, &p.Lines},
		{"store.postgres.dsn_file", l.cfg.Store.Postgres.DSNFile, &l.cfg.Store.Postgres.DSNFile},
	} {
		if s.text == "" {
			continue
		}
		if *s.path, err = absolutePath(s.text, l.beginOf(s.key), l.env); err != nil {
			return err
		}
	}
	if at := &l.cfg.FX.ECBURL; *at != "" && !strings.Contains(*at, "://") {
		if *at, err = absolutePath(*at, l.beginOf("fx.ecb_url"), l.env); err != nil {
			return err
		}
	}
	l.cfg.Paths = p
	return nil
}

// beginOf is the folder that a relative path of a key begins in.
func (l *loader) beginOf(key string) string {
	if l.origin(key).Kind == FromFile {
		return filepath.Dir(l.path)
	}
	return ""
}

func noHome(message, try string) error {
	return &kurs.Error{Code: codeConfig, Message: message, Safe: "nothing was started or changed", Try: try, Exit: kurs.ExitUsage}
}

// Short writes a path below the home directory with "~", for screens.
func Short(path string, list []string) string {
	home := newEnviron(list).absolute("HOME")
	if rest, ok := strings.CutPrefix(path, home+string(os.PathSeparator)); ok && home != "" {
		return "~" + string(os.PathSeparator) + rest
	}
	return path
}
