package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/acquire"
	"kurs/archive"
	"kurs/config"
	"kurs/logs"
	"kurs/process"
	"kurs/queue"
	"kurs/store"
	"kurs/supervise"
)

// stageCommands are kurs acquire, kurs process and kurs store.
func stageCommands(std streams) []*cobra.Command {
	short := map[string]string{
		supervise.Acquire: "Fetch prices and put them on a queue (one stage of kurs run)",
		supervise.Process: "Convert what is on the queue (one stage of kurs run)",
		supervise.Store:   "Store what is on the queue (one stage of kurs run)",
	}
	var out []*cobra.Command
	for _, stage := range supervise.Stages() {
		out = append(out, stageCommand(std, stage, short[stage]))
	}
	return out
}

func stageCommand(std streams, stage, short string) *cobra.Command {
	var (
		s          settings
		supervised bool
	)
	cmd := &cobra.Command{
		Use:   stage,
		Short: short,
		Long: short + `.

kurs run starts all three by itself. Alone a stage needs a queue of your own, a
NATS cluster with JetStream: any number of each stage, on any machines, share
it. It works until it is stopped.`,
		Example: "  kurs " + stage + " --config kurs.toml     # with queue.url set",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(syscall.SIGPIPE) // a reader that is gone is an error of the store, not the end of the process
			if supervised {
				return runSupervised(cmd.Context(), std, stage)
			}
			return runAlone(cmd.Context(), std, &s, stage)
		},
	}
	s.bind(cmd.Flags())
	s.bindRun(cmd.Flags())
	cmd.Flags().BoolVar(&supervised, "supervised", false, "take orders from a supervisor on standard input")
	_ = cmd.Flags().MarkHidden("supervised") // it was added the line above
	return cmd
}

// orphanGrace is how long a stage whose supervisor is gone may take to end. The
// broker is gone as well, so there is nothing that it could finish.
const orphanGrace = 2 * time.Second

// runSupervised is a stage process of kurs run.
func runSupervised(ctx context.Context, std streams, stage string) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // they are the supervisor's, which says what is to be done
	orders, err := supervise.Receive(std.in)
	if err != nil {
		return err
	}
	log, err := logs.Child(std.err, orders.Config.Log.Level, stage)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- stageWork(ctx, orders.Order, orders.Stop, std, log) }()
	select {
	case err = <-ended:
	case <-orders.Gone:
		cancel()
		grace := time.NewTimer(orphanGrace)
		defer grace.Stop()
		select {
		case err = <-ended:
		case <-grace.C:
		}
		return errors.Join(exit(kurs.ExitFailed), err)
	}
	if err == nil {
		return nil
	}
	logFailure(ctx, log, err)
	if supervise.Hopeless(err) {
		return exit(supervise.ExitHopeless)
	}
	return exit(kurs.ExitFailed)
}

// logFailure writes why a stage ended, in the words that a person would see.
func logFailure(ctx context.Context, log *slog.Logger, err error) {
	e, ok := errors.AsType[*kurs.Error](err)
	if !ok {
		log.ErrorContext(ctx, "stage failed", "error", err)
		return
	}
	log.ErrorContext(ctx, "stage failed", "error", err, "code", e.Code, "safe", e.Safe, "try", e.Try)
}

// stageWork is the work of a stage, wherever it runs.
func stageWork(ctx context.Context, o supervise.Order, stop <-chan struct{}, std streams, log *slog.Logger) error {
	c := o.Config
	q, err := queue.Connect(ctx, o.Queue, o.Stage, c.Queue.MaxBytes, log)
	if err != nil {
		return err
	}
	defer q.Close()
	meter := queue.NewMeter(o.Stage)
	switch o.Stage {
	case supervise.Acquire:
		soft, cancel := softened(ctx, stop)
		defer cancel()
		return acquireWork(soft, o, q, meter, log)
	case supervise.Process:
		return processWork(ctx, o, q, meter, log)
	case supervise.Store:
		out, ok := std.out.(*os.File)
		if !ok {
			out = os.Stdout
		}
		targets, err := openStores(c, out, o.Color, log)
		if err != nil {
			return err
		}
		return store.Run(ctx, store.Config{
			Run: o.Run, Holder: holder(o), Targets: targets, Batch: c.Store.Batch, Flush: c.Store.Flush,
		}, q, meter, log)
	}
	return fmt.Errorf("there is no stage %q", o.Stage)
}

// processWork also keeps the raw messages, where they are wanted and can be.
func processWork(ctx context.Context, o supervise.Order, q *queue.Queue, meter *queue.Meter, log *slog.Logger) (err error) {
	c := o.Config
	stage := process.Config{
		Run: o.Run, Holder: holder(o), Workers: c.Process.PoolSize(), Base: c.Currency, Decode: decoders(), Policy: ratePolicy(c),
	}
	if c.Archive.Keep > 0 && c.Paths.Archive != "" {
		kept, err := archive.Open(c.Paths.Archive, c.Archive.Keep)
		if err != nil {
			log.WarnContext(ctx, "raw messages are not kept: prices go on without", "error", err)
		} else {
			stage.Keep = kept.Append
			defer func() { err = errors.Join(err, kept.Close()) }()
		}
	}
	return process.Run(ctx, stage, q, meter, log)
}

func acquireWork(ctx context.Context, o supervise.Order, q *queue.Queue, meter *queue.Meter, log *slog.Logger) error {
	c := o.Config
	sources, err := openSources(c, log)
	if err != nil {
		return err
	}
	policy, err := ratePolicyMessage(c)
	if err != nil {
		return err
	}
	run := o.Run
	if run == "" {
		run = supervise.NewRun()
	}
	return acquire.Run(ctx, acquire.Config{
		Run: run, Shared: c.Queue.URL != "", Sources: sources, Policy: policy,
		Space: &acquire.Space{Dirs: diskDirs(c), Min: c.Store.MinFree, Free: freeSpace, Log: log},
	}, q, meter, log)
}

// diskDirs are the folders that grow while kurs records.
func diskDirs(c config.Config) []string { return []string{c.Paths.Data, c.Paths.Queue} }

// holder names who holds a lease: the run, which starts a stage again under the
// same name, or this process.
func holder(o supervise.Order) string {
	if o.Run != "" {
		return o.Run
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), supervise.NewRun())
}

// softened is done when stop is closed or ctx is done.
func softened(ctx context.Context, stop <-chan struct{}) (context.Context, context.CancelFunc) {
	soft, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			cancel()
		case <-soft.Done():
		}
	}()
	return soft, cancel
}

// runAlone is a stage of its own, on a queue that many share.
func runAlone(ctx context.Context, std streams, s *settings, stage string) error {
	c, err := s.load(std)
	if err != nil {
		return err
	}
	if c.Queue.URL == "" {
		return &kurs.Error{
			Code: "KURS-USAGE", Message: "kurs " + stage + " on its own needs a queue that other stages share (queue.url)",
			Safe: "nothing was started", Try: "kurs run starts all stages and a queue of their own", Exit: kurs.ExitUsage,
		}
	}
	if stage == supervise.Acquire && len(c.Symbols) == 0 {
		return noSymbols()
	}
	all, err := newLogs(std, c)
	if err != nil {
		return err
	}
	defer func() { _ = all.Close() }() // what it could not write it said
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := supervise.Order{Stage: stage, Queue: queue.Address{URL: c.Queue.URL}, Config: c, Color: isTerminal(std.out)}
	return stageWork(ctx, o, nil, std, all.Stage(stage))
}

func noSymbols() error {
	return &kurs.Error{
		Code: "KURS-CONFIG", Message: "there are no symbols to record", Safe: "nothing was started",
		Try: "kurs run --symbols NOVO-B.CO,AAPL, or kurs init; kurs run --demo shows how it works", Exit: kurs.ExitUsage,
	}
}
