package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"kurs"
	"kurs/config"
)

// symbolFinder looks for instruments by name, as Yahoo Finance's search does.
type symbolFinder func(ctx context.Context, query string) ([]kurs.SearchHit, error)

// bytesPerRow is about what one price takes in the SQLite database.
const bytesPerRow = 70

// initRun is one run of kurs init.
type initRun struct {
	settings

	std      streams
	find     symbolFinder // nil: names cannot be looked up
	ask      bool         // there is somebody to ask
	force    bool
	currency string
	symbols  string
}

// initCommand is kurs init: it writes a config file with every key explained.
func initCommand(std streams, find symbolFinder) *cobra.Command {
	r := initRun{std: std, find: find}
	r.records = true
	noInput := false
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a config file, every key explained",
		Example: `  kurs init
  kurs init --currency DKK --symbols NOVO-B.CO,AAPL,VOD.L,BTC-USD`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.ask = !noInput && isTerminal(std.in)
			return r.run(cmd.Context(), cmd.Flags().Changed("currency"), cmd.Flags().Changed("symbols"))
		},
	}
	r.bind(cmd.Flags())
	cmd.Flags().StringVar(&r.currency, "currency", "DKK", "your own currency, an ISO 4217 `CODE`")
	cmd.Flags().StringVar(&r.symbols, "symbols", "", "what to record: `A,B` as on Yahoo Finance")
	cmd.Flags().BoolVar(&noInput, "no-input", false, "ask nothing")
	cmd.Flags().BoolVar(&r.force, "force", false, "replace a file that is there; it is kept as FILE.bak")
	return cmd
}

func isTerminal(in any) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (r *initRun) run(ctx context.Context, currencyGiven, symbolsGiven bool) error {
	path, err := r.path()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil && !r.force {
		return existsError(path)
	}
	symbols, err := r.given()
	if err != nil {
		return err
	}
	if r.ask {
		q := newQuestions(r.std, r.find)
		if !currencyGiven {
			if r.currency, err = q.currency(r.currency); err != nil {
				return err
			}
		}
		if !symbolsGiven {
			if symbols, err = q.symbols(ctx); err != nil {
				return err
			}
		}
	}
	text := config.Sample(map[string]string{"currency": r.currency, "symbols": strings.Join(symbols, ",")})
	kept, err := writeConfig(path, text, r.force)
	if errors.Is(err, fs.ErrExist) {
		return existsError(path)
	}
	if err != nil {
		return fmt.Errorf("write the config file: %w", err)
	}
	return r.report(path, kept, text)
}

// given checks what the command line says. Symbols that are the same instrument
// are kept once.
func (r *initRun) given() ([]string, error) {
	if p := config.CurrencyProblem(r.currency); p != "" {
		return nil, usageError(fmt.Sprintf("--currency %s: %s", r.currency, p), "kurs init --currency DKK")
	}
	var symbols []string
	for part := range strings.SplitSeq(r.symbols, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if p := config.SymbolProblem(part); p != "" {
			return nil, usageError(fmt.Sprintf("--symbols %q: %s", part, p), "kurs init, which asks and looks names up")
		}
		symbols = appendSymbol(symbols, part)
	}
	return symbols, nil
}

func existsError(path string) error {
	return &kurs.Error{
		Code: "KURS-CONFIG", Message: config.Short(path, os.Environ()) + " is there already", Safe: "it was not changed",
		Try: "kurs init --force, which keeps it as " + filepath.Base(path) + ".bak; or --config FILE", Exit: kurs.ExitUsage,
	}
}

// writeConfig writes the file for its owner alone. Without force it never
// replaces one; with force the one that was there is returned as kept.
func writeConfig(path, text string, force bool) (kept string, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err //nolint:wrapcheck // names the call and the path
	}
	if !force {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names the file
		if err != nil {
			return "", err //nolint:wrapcheck // names the call and the path
		}
		return "", fill(f, text)
	}
	// A link, as of a folder of dotfiles, stays one.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".kurs-*.toml")
	if err != nil {
		return "", err //nolint:wrapcheck // names the call and the path
	}
	if err := fill(f, text); err != nil {
		return "", err
	}
	kept = path + ".bak"
	switch err := os.Rename(path, kept); {
	case errors.Is(err, fs.ErrNotExist):
		kept = ""
	case err != nil:
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return kept, nil
}

// fill writes the whole file to the disk, or removes it.
func fill(f *os.File, text string) error {
	_, err := f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// report says what was written, what recording will take and what to do next.
func (r *initRun) report(path, kept, text string) error {
	short := config.Short(path, os.Environ())
	fmt.Fprintf(r.std.out, "Wrote %s (%d lines, every key explained)\n", short, strings.Count(text, "\n"))
	if kept != "" {
		fmt.Fprintf(r.std.out, "Kept the old one as %s\n", config.Short(kept, os.Environ()))
	}
	next := "kurs run"
	var flags strings.Builder
	for _, f := range []struct{ name, value string }{{"--config", r.file}, {"--data", r.dataDir}} {
		if f.value != "" {
			flags.WriteString(" " + f.name + " " + shellWord(f.value))
		}
	}
	next += flags.String()
	r.file, r.noData = path, true // what was written is read back: it must be valid
	c, err := r.load(r.std)
	if err != nil {
		return err
	}
	if len(c.Symbols) == 0 {
		fmt.Fprintf(r.std.out, "Next: write your symbols into it, then %s\n", next)
		return nil
	}
	fmt.Fprintln(r.std.out, diskForecast(c, freeSpace))
	fmt.Fprintf(r.std.out, "Next: %s\n", next)
	return nil
}

// shellWord quotes what a shell would take apart.
func shellWord(text string) string {
	if strings.ContainsFunc(text, func(c rune) bool {
		return !strings.ContainsRune("/._-+:=@~", c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	}) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// diskForecast says how much a day of recording takes at most (every symbol
// changes at every interval, round the clock), and how long the disk lasts.
func diskForecast(c config.Config, free func(string) (uint64, error)) string {
	const day = 24 * time.Hour
	interval := c.Source.Yahoo.Interval
	perDay := uint64(len(c.Symbols)) * uint64(day/interval) * bytesPerRow //nolint:gosec // both are positive
	text := fmt.Sprintf("Disk: at most about %s a day (%s every %s, about %d bytes a price)",
		bytesText(perDay), countOf(len(c.Symbols), "symbol"), config.FormatDuration(interval), bytesPerRow)
	room, err := free(existing(c.Paths.Data))
	if err != nil || c.Paths.Data == "" {
		return text
	}
	least := uint64(c.Store.MinFree) //nolint:gosec // never negative
	if room <= least {
		return fmt.Sprintf("%s;\n      %s are free there, less than store.min_free: kurs run will wait for space", text, bytesText(room))
	}
	const longest = 10 * 365
	last := "more than 10 years"
	if days := (room - least) / max(1, perDay); days <= longest {
		last = countOf(int(days), "day")
	}
	return fmt.Sprintf("%s;\n      %s are free there, enough for %s", text, bytesText(room), last)
}

// existing is the nearest directory on the way to dir that is there.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return dir
		}
		dir = up
	}
}

// bytesText is a size for people: "1.6 MB".
func bytesText(n uint64) string {
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"}
	unit, size := 0, min(n, 1<<60)*10 // in tenths; no disk has 2^60 bytes
	for size >= 10_000 && unit < len(units)-1 {
		size /= 1000
		unit++
	}
	if unit == 0 || size >= 1000 {
		return fmt.Sprintf("%d %s", size/10, units[unit])
	}
	return fmt.Sprintf("%d.%d %s", size/10, size%10, units[unit])
}
