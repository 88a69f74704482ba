package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kurs"
	"kurs/acquire"
	"kurs/acquire/ecb"
	ecbwire "kurs/acquire/ecb/wire"
	"kurs/acquire/user"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/config"
	"kurs/process/fx"
	"kurs/queue"
	"kurs/rowtext"
	"kurs/store"
	"kurs/store/lines"
	"kurs/store/postgres"
	"kurs/store/sqlite"
	"kurs/store/stdout"
)

// This file lists the sources and the stores. A new one is a folder of its own
// and a line here.

// decoders read what the sources answered, by source.
func decoders() map[string]kurs.Decode {
	return map[string]kurs.Decode{wire.Source: wire.Decode, ecbwire.Source: ecbwire.Decode, user.Name: user.Decode}
}

// openSources makes the sources that the config means.
func openSources(c config.Config, log *slog.Logger) ([]acquire.Source, error) {
	prices, err := yahoo.New(yahooConfig(c), wire.Decode, log)
	if err != nil {
		return nil, notAsked(err)
	}
	all := []acquire.Source{{
		Source: prices, Name: yahoo.Name, Settle: prices.Settle, Status: func(r *queue.StageReport) { yahooStatus(r, prices.Status(), c) },
	}}
	if c.AsksECB() {
		rates, err := ecb.New(ecbConfig(c), log)
		if err != nil {
			return nil, notAsked(err)
		}
		all = append(all, acquire.Source{Source: rates, Name: ecb.Name})
	}
	return all, nil
}

func ecbConfig(c config.Config) ecb.Config {
	return ecb.Config{URL: c.FX.ECBURL, Into: c.Queue.URL + " " + c.Paths.Data, StateDir: c.Paths.Cache}
}

func notAsked(err error) error {
	return &kurs.Error{Code: "KURS-CONFIG", Message: "the source cannot be asked", Try: "kurs config check", Exit: kurs.ExitUsage, Err: err}
}

func yahooConfig(c config.Config) yahoo.Config {
	y := c.Source.Yahoo
	return yahoo.Config{
		QueryURL: y.QueryURL, SessionURL: y.SessionURL, StreamURL: y.StreamURL, Symbols: c.Symbols, Base: c.Currency,
		Mode: yahoo.Mode(y.Mode), Extended: y.Extended, Interval: y.Interval, Closed: y.Closed, FXInterval: c.FX.Interval, FXMaxAge: c.FX.MaxAge,
		Batch: y.Batch, Workers: c.Acquire.Workers, MaxPerMinute: y.MaxPerMinute, MaxInFlight: y.MaxInFlight,
		Timeout: y.Timeout, MaxBackoff: y.MaxBackoff, StateDir: c.Paths.Cache,
	}
}

// yahooStatus puts what the source says of itself into the stage's report.
func yahooStatus(r *queue.StageReport, s yahoo.Status, c config.Config) {
	r.Counts[queue.CountRequests] = s.Requests
	r.Counts[queue.CountErrors] = failures(s)
	out := &queue.SourceReport{
		Name: yahoo.Name, Requests: s.Requests, PerMinute: c.Source.Yahoo.MaxPerMinute,
		Session: string(s.Session), Symbols: len(c.Symbols),
	}
	if s.Stream.On {
		out.Stream = &queue.StreamReport{
			Connections: s.Stream.Connections, Symbols: s.Stream.Symbols, Frames: s.Stream.Frames, Garbled: s.Stream.Garbled,
		}
	}
	for _, u := range s.Unknown {
		out.Unknown = append(out.Unknown, queue.UnknownSymbol{Symbol: u.Symbol, Words: u.Words})
	}
	for _, p := range s.Pairs {
		out.Pairs = append(out.Pairs, p.String())
	}
	r.Source = out
	if s.LastError != "" {
		r.LastError, r.LastErrorAt = s.LastError, s.LastErrorAt.UTC()
	}
	switch full := r.Trouble != nil && r.Trouble.Code == "KURS-DISK"; {
	case full:
	case s.TroubleCode != "":
		r.Trouble = &queue.Trouble{Code: s.TroubleCode, Message: s.LastError, Since: s.TroubleSince.UTC(), Until: s.BackoffUntil.UTC()}
	default:
		r.Trouble = nil
	}
}

// failures are the requests that brought no whole answer, or a refusal.
func failures(s yahoo.Status) uint64 {
	n := s.Requests
	for status, count := range s.ByStatus {
		if status >= 100 && status < 400 || status == 404 { // 101 is a stream; a 404 is an answer: there is no such symbol
			n -= min(n, count)
		}
	}
	return n
}

// ratePolicy is the config's word on rates.
func ratePolicy(c config.Config) fx.Policy {
	p := fx.Policy{
		MaxAge: c.FX.MaxAge, MaxAgeClosed: c.FX.MaxAgeClosed, MaxAgeDaily: c.FX.MaxAgeDaily, Via: c.FX.Via,
		Sources: c.FX.Source, MaxJump: c.FX.MaxJump,
	}
	for _, r := range c.FX.Fixed {
		p.Fixed = append(p.Fixed, fx.Fixed{Pair: r.Pair, Value: r.Rate, From: r.From})
	}
	return p
}

func ratePolicyMessage(c config.Config) ([]byte, error) {
	text, err := json.Marshal(ratePolicy(c))
	if err != nil {
		return nil, fmt.Errorf("rate policy: %w", err)
	}
	return text, nil
}

// openStores makes the stores that the config means. out is where stdout prints.
func openStores(c config.Config, out *os.File, color bool, log *slog.Logger) ([]store.Target, error) {
	var targets []store.Target
	for _, name := range c.Store.Use {
		var t store.Target
		switch name {
		case "sqlite":
			t = sqliteTarget(c, log)
		case "postgres":
			t = postgresTarget(c, log)
		case "parquet":
			t = parquetTarget(c, log)
		case "stdout":
			location, err := c.Location()
			if err != nil {
				return nil, err
			}
			t = stdoutTarget(c, out, stdout.Config{
				Human: isTerminal(out), Color: color, Location: location, PositionFile: filepath.Join(c.Paths.Data, "stdout.position"),
			}, log)
		case "lines":
			t = linesTarget(c, log)
		default:
			return nil, fmt.Errorf("store.use: there is no store %q", name)
		}
		t.Name = name
		if c.Store.Use[0] == "sqlite" && (name == "stdout" || name == "lines") { // what a row tells is all that they write
			t.Refill = refillFromSQLite(c)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func sqliteTarget(c config.Config, log *slog.Logger) store.Target {
	return store.Target{
		Retire: retirer(c),
		Open: func(ctx context.Context) (kurs.Store, error) {
			s, err := sqlite.Open(ctx, sqliteConfig(c), log)
			if err != nil {
				return nil, err // not a nil *sqlite.Store in the interface
			}
			return s, nil
		},
		Trouble: func(err error) string {
			switch sqlite.Condition(err) {
			case sqlite.ConditionLocked:
				return "KURS-LOCK"
			case sqlite.ConditionFull:
				return "KURS-DISK"
			}
			return ""
		},
	}
}

func sqliteConfig(c config.Config) sqlite.Config {
	return sqlite.Config{Path: c.Paths.Database, BusyTimeout: c.Store.SQLite.BusyTimeout, BaseCurrency: c.Currency}
}

// lockTimeout is how long a statement waits for another program that holds a table.
const lockTimeout = 5 * time.Second

func postgresTarget(c config.Config, log *slog.Logger) store.Target {
	p := c.Store.Postgres
	return store.Target{
		Open: func(ctx context.Context) (kurs.Store, error) {
			s, err := postgres.Open(ctx, postgres.Config{
				DSN: string(p.DSN), DSNFile: p.DSNFile, Schema: p.Schema, Timeout: p.Timeout, LockTimeout: min(lockTimeout, p.Timeout), BaseCurrency: c.Currency,
			}, log)
			if err != nil {
				return nil, err // not a nil *postgres.Store in the interface
			}
			return s, nil
		},
		Trouble: func(err error) string {
			switch postgres.Condition(err) {
			case postgres.ConditionLocked:
				return "KURS-LOCK"
			case postgres.ConditionFull:
				return "KURS-DISK"
			case postgres.ConditionAway, postgres.ConditionRefused:
				return "KURS-DB"
			}
			return ""
		},
	}
}

// openReader opens the database that commands read from. It is to be closed.
func openReader(ctx context.Context, c config.Config) (*sqlite.Reader, error) {
	if err := readable(c); err != nil {
		return nil, err
	}
	return sqlite.OpenReader(ctx, c.Paths.Database)
}

// sqlName is a name as it stands in SQL.
func sqlName(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// readable refuses commands that read prices where the first store is one that only
// its own tools read.
func readable(c config.Config) error {
	if len(c.Store.Use) == 0 {
		return nil
	}
	var what, with string
	switch c.Store.Use[0] {
	case "postgres":
		what, with = "PostgreSQL", fmt.Sprintf("psql, as SELECT * FROM %s.v_latest", sqlName(c.Store.Postgres.Schema))
	case "parquet":
		dir := c.Paths.Parquet
		if c.Store.Parquet.URL != "" {
			dir = c.Store.Parquet.URL
		}
		what, with = "Parquet files", fmt.Sprintf("duckdb, as FROM read_parquet('%s/quotes/*/*.parquet')", dir)
	default:
		return nil
	}
	return &kurs.Error{
		Code: "KURS-READ", Message: "the first store is " + what + ", which this command cannot read", Safe: "nothing was changed",
		Try: printable(with) + `, or name "sqlite" first in store.use`, Exit: kurs.ExitUsage,
	}
}

func stdoutTarget(_ config.Config, out *os.File, c stdout.Config, log *slog.Logger) store.Target {
	return store.Target{
		Open: func(context.Context) (kurs.Store, error) {
			s, err := stdout.Open(out, c, log)
			if err != nil {
				return nil, err
			}
			return printer{s}, nil
		},
	}
}

func linesTarget(c config.Config, log *slog.Logger) store.Target {
	l := c.Store.Lines
	return store.Target{
		Open: func(ctx context.Context) (kurs.Store, error) {
			s, err := lines.Open(ctx, lines.Config{
				Dir: c.Paths.Lines, Format: lines.Format(l.Format), Dialect: rowtext.Dialect(l.Dialect),
				MaxSize: l.MaxSize, MaxFiles: l.MaxFiles, Compress: lines.Compression(l.Compress),
			}, log)
			if err != nil {
				return nil, err
			}
			return s, nil
		},
		Trouble: func(err error) string {
			switch {
			case errors.Is(err, lines.ErrInUse):
				return "KURS-LOCK"
			case lines.Full(err):
				return "KURS-DISK"
			}
			return ""
		},
	}
}

// printer is the store stdout, whose reader may go away for good.
type printer struct{ *stdout.Store }

func (p printer) Write(ctx context.Context, g kurs.Group) error {
	err := p.Store.Write(ctx, g)
	if errors.Is(err, stdout.ErrReaderGone) {
		return &kurs.Error{
			Code: "KURS-PIPE", Message: "nobody reads standard output any more", Safe: "prices that were not printed wait in the queue",
			Try: "kurs run again", Exit: kurs.ExitFailed, Err: err,
		}
	}
	return err
}

// newest is the time of the newest price among rows; zero where there is none.
func newest(rows []kurs.Row) time.Time {
	var at time.Time
	for i := range rows {
		if rows[i].ReceivedISO.After(at) {
			at = rows[i].ReceivedISO
		}
	}
	return at
}
