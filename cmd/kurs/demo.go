package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"kurs/config"
	"kurs/sim"
	"kurs/store/sqlite"
	"kurs/supervise"
)

// demoFlags are the flags of kurs run --demo.
type demoFlags struct {
	symbols int
	seed    uint64
	ledger  string
}

// demoOnly are their names.
var demoOnly = []string{"demo-symbols", "seed", "ledger"}

const (
	demoDuration = 30 * time.Second
	demoRequests = 4 // an interval at least, where there are as many symbols
)

func (f *demoFlags) bind(flags *pflag.FlagSet) {
	flags.IntVar(&f.symbols, "demo-symbols", 40, "how many instruments the simulated exchange has")
	flags.Uint64Var(&f.seed, "seed", 1, "which simulated market")
	flags.StringVar(&f.ledger, "ledger", "", "write each price that the exchange hands out to `FILE`")
}

// runDemo records a simulated exchange. Nothing of it may end up among real
// prices, so it reads no config file that was not named, and has a folder of its
// own.
func runDemo(ctx context.Context, std streams, f *runFlags) (err error) {
	exchange, base, closeExchange, err := openExchange(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeExchange()) }()

	f.noFile = true
	c, _, err := f.loadOrigins(std, f.demoSettings(exchange, base))
	if err != nil {
		return err
	}
	if f.dataDir == "" && os.Getenv("KURS_DATA") == "" {
		c.Paths = demoPaths(c, f.demoFlags.seed)
	}
	c.Store.Postgres.Schema = demoSchema(c.Store.Postgres.Schema)
	if url := &c.Store.Parquet.URL; *url != "" {
		*url = strings.TrimRight(*url, "/") + "/demo" // nothing simulated among what is real
	}
	c.Paths.Cache = "" // of an exchange that is gone soon there is nothing to remember
	before := stored(ctx, c)
	result, err := record(ctx, std, f, c, "demo: a simulated exchange, nothing here is a real price")
	if err != nil {
		return err
	}
	return demoReport(ctx, std, c, result, before, exchange.Stats().Prices)
}

// openExchange starts the simulated exchange on a free loopback port.
func openExchange(ctx context.Context, f *runFlags) (x *sim.Exchange, base string, stop func() error, err error) {
	settings := sim.Config{Seed: f.demoFlags.seed, Count: f.demoFlags.symbols, TickRate: 1, Log: slog.New(slog.DiscardHandler)}
	if list := f.overrides()["symbols"]; list != "" {
		if settings.Count, settings.Symbols, err = parseSimSymbols(list); err != nil {
			return nil, "", nil, err
		}
	}
	file, err := openLedger(f.demoFlags.ledger)
	if err != nil {
		return nil, "", nil, err
	}
	if file != nil {
		settings.Ledger = file
		if err := file.Truncate(0); err != nil {
			return nil, "", nil, ledgerError(f.demoFlags.ledger, errors.Join(err, file.Close()))
		}
	}
	x, err = sim.New(settings)
	if err != nil {
		return nil, "", nil, usageError("cannot open the simulated exchange: "+err.Error(), "kurs run --demo --demo-symbols 40")
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", nil, fmt.Errorf("open the simulated exchange: %w", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- x.Serve(ctx, listener) }()
	stop = func() error {
		cancel()
		err := <-served
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return ledgerError(f.demoFlags.ledger, err)
		}
		return nil
	}
	return x, "http://" + listener.Addr().String(), stop, nil
}

// demoSettings are the settings of a demo: it asks the exchange, for every
// symbol, each second, unless the user says how often.
func (f *runFlags) demoSettings(x *sim.Exchange, base string) map[string]string {
	more := map[string]string{
		"source.yahoo.query_url": base, "source.yahoo.session_url": base,
		"symbols": strings.Join(x.Symbols(), ","),
	}
	if key, ok := config.Lookup("fx.ecb_url"); ok && os.Getenv(key.Env()) == "" {
		more["fx.ecb_url"] = base + "/stats/eurofxref"
	}
	given := f.overrides()
	// Small enough that all workers have something to do.
	batch := min(max(len(x.Symbols())/demoRequests, 1), 50)
	for path, text := range map[string]string{
		"source.yahoo.interval": "1s", "source.yahoo.batch": strconv.Itoa(batch), "fx.interval": "5s", "source.yahoo.max_per_minute": "0",
	} {
		key, ok := config.Lookup(path)
		if !ok {
			continue
		}
		if _, flag := given[path]; !flag && os.Getenv(key.Env()) == "" {
			more[path] = text
		}
	}
	return more
}

// demoPaths is the demo's folder: one a currency and market, since a folder has
// one currency for good.
func demoPaths(c config.Config, seed uint64) config.Paths {
	dir := filepath.Join(c.Paths.Data, "demo-"+strings.ToLower(c.Currency)+"-"+strconv.FormatUint(seed, 10))
	return config.Paths{
		Data: dir, Database: filepath.Join(dir, "kurs.db"), Queue: filepath.Join(dir, "queue"), LogFile: filepath.Join(dir, "kurs.log"),
		Archive: filepath.Join(dir, "raw"), Lines: filepath.Join(dir, "lines"), Parquet: filepath.Join(dir, "parquet"),
	}
}

// demoSchema is the demo's own in the database server.
func demoSchema(schema string) string {
	const suffix, longest = "_demo", 63 // bytes that PostgreSQL takes
	for len(schema)+len(suffix) > longest {
		_, n := utf8.DecodeLastRuneInString(schema)
		schema = schema[:len(schema)-n]
	}
	return schema + suffix
}

// stored is what the database holds; nothing where there is none.
func stored(ctx context.Context, c config.Config) sqlite.Stats {
	r, err := sqlite.OpenReader(ctx, c.Paths.Database)
	if err != nil {
		return sqlite.Stats{}
	}
	defer func() { _ = r.Close() }() // it was only read
	stats, err := r.Stats(ctx)
	if err != nil {
		return sqlite.Stats{}
	}
	return stats
}

// demoReport tells what was stored, where, and how to look at it.
func demoReport(ctx context.Context, std streams, c config.Config, result supervise.Result, before sqlite.Stats, handedOut uint64) error {
	if !slices.Contains(c.Store.Use, "sqlite") { // a file may be there of another demo
		fmt.Fprintf(std.err, "\nThe demo is over: %d answers were taken in.\n", result.Accepted)
		demoInPostgres(std.err, c)
		return nil
	}
	r, err := sqlite.OpenReader(ctx, c.Paths.Database)
	if errors.Is(err, sqlite.ErrNoDatabase) {
		fmt.Fprintf(std.err, "\nThe demo is over: %d answers were taken in.\n", result.Accepted)
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // it was only read
	stats, err := r.Stats(ctx)
	if err != nil {
		return err
	}
	var accounted uint64
	for source := range decoders() {
		n, err := r.Accounted(ctx, source, result.Run)
		if err != nil {
			return err
		}
		accounted += n
	}
	w := std.err
	fmt.Fprintf(w, "\nStored %d prices of %s in %s, and %d exchange rates.\n",
		stats.Quotes-before.Quotes, countOf(len(c.Symbols), "symbol"), c.Currency, stats.Rates-before.Rates)
	fmt.Fprintf(w, "%d answers taken in, %d of them stored; the exchange handed out %d prices, the same one often more than once.\n",
		result.Accepted, accounted, handedOut)
	if err := demoWaiting(ctx, w, r, result); err != nil {
		return err
	}
	if err := someLatest(ctx, w, r, c); err != nil {
		return err
	}
	kurs := programName()
	data := shellPath(c.Paths.Data)
	fmt.Fprintf(w, "\nIt is all in %s (%s). Look at it:\n", config.Short(c.Paths.Database, os.Environ()), bytesText(uint64(max(0, stats.Bytes))))
	fmt.Fprintf(w, "  %s status --data %s\n", kurs, data)
	fmt.Fprintf(w, "  %s quote --stored --data %s\n", kurs, data)
	fmt.Fprintf(w, "  %s export --data %s > prices.csv\n", kurs, data)
	fmt.Fprintf(w, "  sqlite3 -readonly %s 'SELECT symbol, price_native, unit, fx_rate, price_base FROM v_latest'\n", shellPath(c.Paths.Database))
	demoInPostgres(w, c)
	return nil
}

// demoInPostgres tells how to look at what is in the database server, if anything is.
func demoInPostgres(w io.Writer, c config.Config) {
	if slices.Contains(c.Store.Use, "postgres") {
		fmt.Fprintf(w, "In the database server, schema %s, look at it with psql:\n", printable(c.Store.Postgres.Schema))
		fmt.Fprintf(w, "  SELECT symbol, price_native, unit, fx_rate, price_base FROM %s.v_latest;\n", printable(sqlName(c.Store.Postgres.Schema)))
	}
}

func demoWaiting(ctx context.Context, w io.Writer, r *sqlite.Reader, result supervise.Result) error {
	waiting, err := r.Waiting(ctx)
	if err != nil {
		return err
	}
	for _, p := range waiting {
		fmt.Fprintf(w, "%d prices wait for a rate of %s.\n", p.Quotes+p.Bars, p.String())
	}
	if result.Dead > 0 {
		fmt.Fprintf(w, "%s: kurs status tells why.\n", countOf(int(result.Dead), "dead letter")) //nolint:gosec // a count
	}
	return nil
}

// someLatest prints a few of the newest prices.
func someLatest(ctx context.Context, w io.Writer, r *sqlite.Reader, c config.Config) error {
	symbols := c.Symbols[:min(len(c.Symbols), 6)]
	rows, err := r.Latest(ctx, symbols, time.Time{})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	return priceTable(w, c, rows, time.Now())
}

// shellPath is a path for a command to copy, below the home directory with "~".
func shellPath(path string) string {
	if rest, ok := strings.CutPrefix(config.Short(path, os.Environ()), "~/"); ok && shellWord(rest) == rest {
		return "~/" + rest
	}
	return shellWord(path)
}

// programName is how this program was called, for commands to copy.
func programName() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/kurs"
	}
	return "kurs"
}
