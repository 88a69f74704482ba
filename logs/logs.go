package logs

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/DeRuina/timberjack"
	"github.com/lmittmann/tint"
)

// Config is how logs look and where they go.
type Config struct {
	Level    string         // debug, info, warn, error
	Format   string         // of the console: auto, text, logfmt, json; auto is text on a terminal, else logfmt
	Terminal bool           // the console is a terminal
	Color    bool           // of text
	Location *time.Location // of the lines' times in text; all else is UTC. Nil is the computer's
	File     string         // logged to as well, as logfmt; empty: none
	MaxSize  int64          // bytes of the file, then it is begun anew; in steps of 1 MiB, at least one
	MaxFiles int            // so many old files are kept, at least one
}

// Logs is the logs of one process and those that it relays.
type Logs struct {
	handler slog.Handler
	file    *timberjack.Logger
}

// New sets the logs up. w is the console. It fails where a setting is none or
// the file cannot be written.
func New(w io.Writer, c Config) (*Logs, error) {
	level, err := parseLevel(c.Level)
	if err != nil {
		return nil, err
	}
	console, err := c.console(w, level)
	if err != nil {
		return nil, err
	}
	l := &Logs{handler: console}
	if c.File != "" {
		if err := writable(c.File); err != nil {
			return nil, fmt.Errorf("log file: %w", err)
		}
		l.file = &timberjack.Logger{
			Filename: c.File, MaxSize: max(1, int(c.MaxSize>>20)), MaxBackups: max(1, c.MaxFiles), FileMode: 0o600, Compression: "none",
		}
		l.handler = &both{console: console, file: logfmt(l.file, level), failing: new(failing)}
	}
	l.handler = clean{l.handler}
	return l, nil
}

// writable makes the file and its folder, for their owner's eyes only.
func writable(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Clean(name), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// Stage is the logger of one stage; each line names it.
func (l *Logs) Stage(name string) *slog.Logger { return slog.New(l.handler).With("stage", name) }

// Close closes the file. Nothing may be logged afterwards.
func (l *Logs) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// Child is the logger of a stage process whose lines are relayed.
func Child(w io.Writer, level, stage string) (*slog.Logger, error) {
	least, err := parseLevel(level)
	if err != nil {
		return nil, err
	}
	return slog.New(clean{jsonLines(w, least)}).With("stage", stage), nil
}

func parseLevel(text string) (slog.Level, error) {
	var level slog.Level
	if text == "" {
		return slog.LevelInfo, nil
	}
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("log level %q: want debug, info, warn or error", text)
	}
	return level, nil
}

// console is the handler of the console.
func (c Config) console(w io.Writer, level slog.Level) (slog.Handler, error) {
	format := strings.ToLower(c.Format)
	if format == "" || format == "auto" {
		format = "logfmt"
		if c.Terminal {
			format = "text"
		}
	}
	switch format {
	case "text":
		location := c.Location
		if location == nil {
			location = time.Local
		}
		return tint.NewTextHandler(w, &tint.Options{
			Level: level, TimeFormat: "15:04:05", NoColor: !c.Color,
			ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				switch level, isLevel := a.Value.Any().(slog.Level); {
				case len(groups) > 0:
				case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
					return slog.Time(a.Key, a.Value.Time().In(location))
				case a.Key == slog.LevelKey && isLevel:
					return tint.Attr(colorOf(level), slog.String(a.Key, fmt.Sprintf("%-5s", level)))
				}
				return a
			},
		}), nil
	case "logfmt":
		return logfmt(w, level), nil
	case "json":
		return jsonLines(w, level), nil
	}
	return nil, fmt.Errorf("log format %q: want auto, text, logfmt or json", c.Format)
}

// colorOf is a level's colour on a terminal, in the ANSI palette.
func colorOf(level slog.Level) uint8 {
	switch {
	case level >= slog.LevelError:
		return 9 // bright red
	case level >= slog.LevelWarn:
		return 11 // bright yellow
	case level >= slog.LevelInfo:
		return 10 // bright green
	default:
		return 8 // grey
	}
}

func logfmt(w io.Writer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})
}

func jsonLines(w io.Writer, level slog.Level) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration { // "412ms", as in the other forms
			return slog.String(a.Key, a.Value.Duration().String())
		}
		return a
	}})
}
