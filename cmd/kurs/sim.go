package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/sim"
)

// simFlags are the flags of kurs sim.
type simFlags struct {
	listen  string
	symbols string
	seed    uint64
	ledger  string
	hours   bool
	faults  string
	rate    float64
}

const simHelp = `Serve a simulated exchange that speaks Yahoo Finance's protocol.

Prices are a function of the seed: the same seed gives the same price at the same
second. Any pair of currencies is served too. Nothing here is a real price.
docs/simulator.md tells the endpoints and what is not simulated.`

func simCommand(std streams) *cobra.Command {
	var f simFlags
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Serve a simulated exchange that speaks Yahoo's protocol",
		Long:  simHelp,
		Example: `  kurs sim --symbols 500 --ledger ledger.csv
  kurs sim --symbols AAPL,NOVO-B.CO,VOD.L --seed 7 --hours
  kurs sim --faults 429=0.01,500=0.01,cut=0.005,consent=on,stream-drop=0.01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return runSim(ctx, std, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8790", "address and port; port 0 takes a free one")
	flags.StringVar(&f.symbols, "symbols", "100", "how many instruments, or a list: AAPL,VOD.L")
	flags.Uint64Var(&f.seed, "seed", 1, "which market")
	flags.StringVar(&f.ledger, "ledger", "", "write each price handed out to this file: symbol,time_ms,price,request")
	flags.BoolVar(&f.hours, "hours", false, "markets open and close; else everything trades all day")
	flags.StringVar(&f.faults, "faults", "", "how often it misbehaves, as 429=0.01,consent=on ("+strings.Join(sim.FaultNames(), " ")+")")
	flags.Float64Var(&f.rate, "tick-rate", 1, "frames a second of each streamed symbol; 0 is as fast as they are read")
	return cmd
}

// runSim serves until ctx is done. The ledger is complete when it returns.
func runSim(ctx context.Context, std streams, f simFlags) (err error) {
	c := sim.Config{Seed: f.seed, Hours: f.hours, Log: slog.New(slog.NewTextHandler(std.err, nil))}
	if c.Count, c.Symbols, err = parseSimSymbols(f.symbols); err != nil {
		return err
	}
	if c.Faults, err = sim.ParseFaults(f.faults); err != nil {
		return usageError("--faults: "+err.Error(), "kurs sim --faults 429=0.01,consent=on")
	}
	if c.TickRate = f.rate; !(f.rate >= 0) {
		return usageError("--tick-rate: 0 or more", "kurs sim --tick-rate 1")
	}
	file, err := openLedger(f.ledger)
	if err != nil {
		return err
	}
	if file != nil {
		c.Ledger = file
		defer func() {
			if cerr := file.Close(); cerr != nil && err == nil {
				err = ledgerError(f.ledger, cerr)
			}
		}()
	}
	exchange, err := sim.New(c)
	if err != nil {
		return &kurs.Error{Code: "KURS-USAGE", Message: "cannot open the simulated exchange", Try: "kurs sim --help", Exit: kurs.ExitUsage, Err: err}
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", f.listen)
	if err != nil {
		return &kurs.Error{
			Code: "KURS-LISTEN", Message: "cannot listen on " + f.listen, Try: "kurs sim --listen 127.0.0.1:0 takes a free port",
			Exit: kurs.ExitFailed, Err: err,
		}
	}
	if file != nil {
		// Only now: where the port is taken, the file may be the ledger of who has it.
		if err := file.Truncate(0); err != nil {
			return ledgerError(f.ledger, errors.Join(err, listener.Close()))
		}
	}
	announce(std, exchange, listener.Addr(), f)
	if err := exchange.Serve(ctx, listener); err != nil {
		return &kurs.Error{Code: "KURS-SIM", Message: "the simulated exchange stopped", Exit: kurs.ExitFailed, Err: err}
	}
	s := exchange.Stats()
	fmt.Fprintf(std.err, "served %d prices; at most %d requests in any minute, %d refused; %d stream frames, %d of them known to be read\n",
		s.Prices, s.PerMinute, s.Refused, s.Streams.Frames, s.Streams.Confirmed)
	return nil
}

// parseSimSymbols reads a number of instruments or a list of them.
func parseSimSymbols(s string) (count int, list []string, err error) {
	if n, nerr := strconv.Atoi(strings.TrimSpace(s)); nerr == nil {
		if n < 1 || n > sim.MaxCount {
			return 0, nil, usageError(fmt.Sprintf("--symbols %d: a number from 1 to %d, or a list", n, sim.MaxCount), "kurs sim --symbols 500")
		}
		return n, nil, nil
	}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	if len(list) == 0 {
		return 0, nil, usageError("--symbols is empty", "kurs sim --symbols 500")
	}
	return 0, list, nil
}

// openLedger opens the file, for its owner's eyes only where it is new; nil for
// no name.
func openLedger(name string) (*os.File, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // no ledger is what was asked for
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600) //nolint:gosec // the user's own file
	if err != nil {
		return nil, ledgerError(name, err)
	}
	return file, nil
}

func ledgerError(name string, err error) error {
	return &kurs.Error{Code: "KURS-LEDGER", Message: "cannot write the ledger " + name, Try: "another --ledger", Exit: kurs.ExitFailed, Err: err}
}

// announce says where the exchange is, on standard output for scripts, and on
// standard error what to do with it.
func announce(std streams, x *sim.Exchange, addr net.Addr, f simFlags) {
	base := "http://" + addr.String()
	symbols := x.Symbols()
	some := symbols[:min(4, len(symbols))]
	fmt.Fprintln(std.out, "listening on", base)
	fmt.Fprintf(std.err, "%d instruments, seed %d; nothing here is a real price. Point a client at it:\n", len(symbols), f.seed)
	fmt.Fprintf(std.err, "  KURS_SOURCE_YAHOO_QUERY_URL=%[1]s KURS_SOURCE_YAHOO_SESSION_URL=%[1]s kurs run --symbols %[2]s\n", base, strings.Join(some, ","))
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		_, _ = io.WriteString(std.err, "Anyone who can reach this machine can reach it.\n")
	}
}
