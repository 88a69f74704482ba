package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/logs"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// runFlags are the flags of kurs run that are no settings.
type runFlags struct {
	settings

	duration  time.Duration
	drain     time.Duration
	inProcess bool
	demo      bool
	demoFlags demoFlags
}

const runHelp = `Record prices until stopped: fetch them, convert them at the rate of their moment,
store them. Three processes do it, kurs acquire, kurs process and kurs store,
joined by queues on disk; this one starts them, and starts one again that dies.

The first Ctrl-C (or SIGTERM) stops fetching, stores everything that was fetched,
and ends. A second one ends at once; what was fetched waits on disk for the next
kurs run. Nothing is lost either way.

--demo records a simulated exchange instead of Yahoo, offline, for 30 s, into a
folder of its own.`

func runCommand(std streams) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Record prices until stopped",
		Long:  runHelp,
		Example: `  kurs run --demo
  kurs run
  kurs run --symbols AAPL,NOVO-B.CO,VOD.L,BTC-USD --currency DKK --interval 15s --duration 10m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), std, &f)
		},
	}
	flags := cmd.Flags()
	f.bind(flags)
	f.bindRun(flags)
	flags.DurationVar(&f.duration, "duration", 0, "record for `TIME`, then store what is left and end; 0 is until stopped")
	flags.DurationVar(&f.drain, "drain-timeout", 30*time.Second, "how long the end may take; then what is left waits on disk")
	flags.BoolVar(&f.inProcess, "in-process", false, "run the stages inside this process")
	flags.BoolVar(&f.demo, "demo", false, "record a simulated exchange, offline")
	f.demoFlags.bind(flags)
	return cmd
}

// check refuses flags that make no sense together.
func (f *runFlags) check(cmd *cobra.Command) error {
	if f.duration < 0 || f.drain < 0 {
		return usageError("a time is not negative", "kurs run --duration 10m")
	}
	if f.demo {
		if !cmd.Flags().Changed("duration") {
			f.duration = demoDuration
		}
		return nil
	}
	for _, name := range demoOnly {
		if cmd.Flags().Changed(name) {
			return usageError("--"+name+" belongs to --demo", "kurs run --demo --"+name)
		}
	}
	return nil
}

// run records, from the first check to the last word.
func run(ctx context.Context, std streams, f *runFlags) error {
	if f.demo {
		return runDemo(ctx, std, f)
	}
	c, origins, err := f.loadOrigins(std, nil)
	if err != nil {
		return err
	}
	if len(c.Symbols) == 0 {
		return noSymbols()
	}
	file := "none (kurs init writes one)"
	if origins.Exists {
		file = config.Short(origins.File, os.Environ())
	}
	_, err = record(ctx, std, f, c, "config "+file)
	return err
}

// record runs the stages with a config. about goes into the first line.
func record(ctx context.Context, std streams, f *runFlags, c config.Config, about string) (supervise.Result, error) {
	signal.Ignore(syscall.SIGPIPE)
	claim, err := supervise.TakeClaim(c.Paths, c.Currency)
	if err != nil {
		return supervise.Result{}, err
	}
	defer func() { _ = claim.Release() }() // the system lets go of what is left
	if err := checkStores(ctx, c); err != nil {
		return supervise.Result{}, err
	}
	all, err := newLogs(std, c)
	if err != nil {
		return supervise.Result{}, err
	}
	defer func() { _ = all.Close() }() // what it could not write it said
	log := all.Stage("supervise")

	banner(std, c, about)
	stops, done := stopSignals()
	defer done()
	launch := f.launcher(ctx, std, all)
	log.InfoContext(ctx, "started", "version", version(), "symbols", len(c.Symbols), "currency", c.Currency, "data", c.Paths.Data)
	result, err := supervise.Run(ctx, supervise.Config{
		Settings: c, Claim: claim, Version: version(), Launch: launch, Color: isTerminal(std.out) && os.Getenv("NO_COLOR") == "",
		Duration: f.duration, Drain: f.drain, Free: freeSpace, Say: hearWords, Log: log,
	}, stops)
	if err != nil {
		return result, err
	}
	log.InfoContext(ctx, "stopped", "accepted", result.Accepted, "waiting", result.Waiting, "unpriced", result.Unpriced, "dead", result.Dead)
	return result, nil
}

// launcher decides where the stages run.
func (f *runFlags) launcher(ctx context.Context, std streams, all *logs.Logs) supervise.Launch {
	if f.inProcess {
		return supervise.Inside(func(ctx context.Context, o supervise.Order, stop <-chan struct{}) error {
			log := all.Stage(o.Stage)
			err := stageWork(ctx, o, stop, std, log)
			if err != nil && ctx.Err() == nil {
				logFailure(ctx, log, err)
			}
			return err
		})
	}
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	out, ok := std.out.(*os.File)
	if !ok {
		out = os.Stdout
	}
	return supervise.Processes(program, out, func(stage string, r io.Reader) {
		if err := all.Relay(ctx, stage, r); err != nil {
			all.Stage("supervise").WarnContext(ctx, "log of a stage is cut off", "of", stage, "error", err)
		}
	})
}

// stopSignals turns Ctrl-C and SIGTERM into stops. Only the supervisor hears
// them: the stages are in process groups of their own.
func stopSignals() (stops <-chan struct{}, done func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	out := make(chan struct{})
	quit := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-signals:
			case <-quit:
				return
			}
			select {
			case out <- struct{}{}:
			case <-quit:
				return
			}
		}
	})
	return out, func() {
		signal.Stop(signals)
		close(quit)
		wg.Wait()
	}
}

// checkStores finds out what starting the stages would find out over and over.
func checkStores(ctx context.Context, c config.Config) error {
	for _, name := range c.Store.Use {
		if name != "sqlite" {
			continue
		}
		r, err := sqlite.OpenReader(ctx, c.Paths.Database)
		if errors.Is(err, sqlite.ErrNoDatabase) {
			continue
		}
		if e, ok := errors.AsType[*kurs.Error](err); ok {
			return e
		}
		if err != nil {
			continue // locked, or worse: the stage waits for it and says so
		}
		base := r.BaseCurrency()
		if err := r.Close(); err != nil {
			return err
		}
		if base != "" && base != c.Currency {
			return &kurs.Error{
				Code: "KURS-BASE", Message: fmt.Sprintf("the prices in %s are in %s, not %s", c.Paths.Database, base, c.Currency),
				Safe: "nothing was changed",
				Try:  fmt.Sprintf("record in %s elsewhere (--data DIR), or set currency = %q again", c.Currency, base),
				Exit: kurs.ExitUsage, Err: kurs.ErrBaseCurrency,
			}
		}
	}
	return nil
}

// newLogs sets the logs up as the config says.
func newLogs(std streams, c config.Config) (*logs.Logs, error) {
	location, err := c.Location()
	if err != nil {
		return nil, err
	}
	all, err := logs.New(std.err, logs.Config{
		Level: c.Log.Level, Format: c.Log.Format, Terminal: isTerminal(std.err),
		Color:    isTerminal(std.err) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Location: location, File: c.Paths.LogFile, MaxSize: c.Log.MaxSize, MaxFiles: c.Log.MaxFiles,
	})
	if err != nil {
		return nil, &kurs.Error{
			Code: "KURS-LOG", Message: "cannot open the log", Safe: "nothing was started", Try: "another --log-file, or --data DIR",
			Exit: kurs.ExitFailed, Err: err,
		}
	}
	return all, nil
}

// banner tells a person at a terminal what is about to happen.
func banner(std streams, c config.Config, about string) {
	if !isTerminal(std.err) {
		return
	}
	short := func(path string) string { return config.Short(path, os.Environ()) }
	fmt.Fprintf(std.err, "kurs %s   %s\n\n", version(), about)
	for _, name := range c.Store.Use {
		where := ""
		switch name {
		case "sqlite":
			where = short(c.Paths.Database)
		case "lines":
			where = short(c.Paths.Lines)
		case "postgres":
			where = "schema " + c.Store.Postgres.Schema
		case "parquet":
			if where = c.Store.Parquet.URL; where == "" {
				where = short(c.Paths.Parquet)
			}
		}
		fmt.Fprintf(std.err, "  store    %s %s\n", name, where)
	}
	fmt.Fprintf(std.err, "  queue    %s\n", short(c.Paths.Queue))
	if c.Paths.LogFile != "" {
		fmt.Fprintf(std.err, "  log      %s\n", short(c.Paths.LogFile))
	}
	fmt.Fprintf(std.err, "  symbols  %d every %s: %s\n", len(c.Symbols), config.FormatDuration(c.Source.Yahoo.Interval), some(c.Symbols, 6))
	fmt.Fprintf(std.err, "  currency %s, rates every %s\n\n", c.Currency, config.FormatDuration(c.FX.Interval))
}

// some is the first few of a list.
func some(list []string, n int) string {
	if len(list) <= n {
		return strings.Join(list, " ")
	}
	return strings.Join(list[:n], " ") + " ..."
}
