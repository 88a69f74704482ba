// Package config turns the command line, the environment, the config file and
// the defaults into one [Config] that is checked as a whole, and says of every
// value where it came from and of every mistake where it is and what was
// probably meant.
//
// One table, [Keys], lists the settings; the decoder, the defaults, the names of
// environment variables and flags, the sample file and docs/config.md come from
// it. The package must not know what the settings are used for: it imports no
// source, no stage and no store, opens nothing but the config file, and prints
// nothing.
package config

import (
	"fmt"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Config is what kurs is told to do. It is plain data: it goes to the stage
// processes as JSON and comes out the same. JSON names are the key paths of the
// file; durations are nanoseconds there, sizes are bytes.
//
// A Config that [Load] returned is valid: ranges, names and addresses need no
// second check.
type Config struct {
	Symbols  []string `json:"symbols"`  // canonical names, no duplicates
	Currency string   `json:"currency"` // base currency, ISO 4217
	Locale   string   `json:"locale"`   // of numbers and dates on screens: "da-DK"
	Timezone string   `json:"timezone"` // IANA name for screens; empty: the computer's

	Source  Source  `json:"source"`
	Acquire Acquire `json:"acquire"`
	Process Process `json:"process"`
	FX      FX      `json:"fx"`
	Archive Archive `json:"archive"`
	Queue   Queue   `json:"queue"`
	Store   Store   `json:"store"`
	Log     Log     `json:"log"`

	// Paths is no setting of the file: it follows from --data, the settings
	// store.sqlite.path, store.lines.dir, queue.dir, archive.dir and log.file, and the user's directories.
	Paths Paths `json:"paths"`
}

// Source holds the settings of each source.
type Source struct {
	Yahoo Yahoo `json:"yahoo"`
}

// Yahoo is where and how often prices are asked.
type Yahoo struct {
	Mode         string        `json:"mode"` // "auto", "poll" or "stream"
	Interval     time.Duration `json:"interval"`
	Closed       time.Duration `json:"interval_closed"` // while the market is closed; 0: not asked
	Extended     bool          `json:"extended_hours"`  // prices before and after the session too
	Batch        int           `json:"batch"`           // symbols in one request
	MaxPerMinute int           `json:"max_per_minute"`  // requests of all kinds; 0: unlimited
	MaxInFlight  int           `json:"max_in_flight"`   // requests at the same time
	Timeout      time.Duration `json:"timeout"`         // of one request
	MaxBackoff   time.Duration `json:"max_backoff"`     // longest wait after a refusal
	QueryURL     string        `json:"query_url"`       // prices; no slash at the end
	SessionURL   string        `json:"session_url"`     // the cookie; no slash at the end
	StreamURL    string        `json:"stream_url"`      // WebSocket; empty: that of Yahoo, or of the other server
}

// OwnHosts tells whether prices are asked from Yahoo itself, whose limits then
// hold, and not from another server that speaks its protocol.
func (y Yahoo) OwnHosts() bool {
	u, err := url.Parse(y.QueryURL)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	return host == "yahoo.com" || strings.HasSuffix(host, ".yahoo.com")
}

// Acquire sizes the first stage.
type Acquire struct {
	Workers int `json:"workers"` // requests are made by so many
}

// Process sizes the second stage.
type Process struct {
	Workers int `json:"workers"` // 0: one for each CPU
}

// PoolSize is how many workers convert, on the machine where it is asked.
func (p Process) PoolSize() int {
	if p.Workers > 0 {
		return p.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// FX says how rates are fetched and how old one may be when it is used.
type FX struct {
	Interval     time.Duration `json:"interval"`
	MaxAge       time.Duration `json:"max_age"`
	MaxAgeClosed time.Duration `json:"max_age_closed"`
	MaxAgeDaily  time.Duration `json:"max_age_daily"`
	Via          string        `json:"via"`      // "auto", "none" or an ISO 4217 code
	Source       []string      `json:"source"`   // the preferred one first: "yahoo", "ecb", "fixed"
	ECBURL       string        `json:"ecb_url"`  // a server, or the absolute path of a file; empty: see AsksECB
	MaxJump      kurs.Decimal  `json:"max_jump"` // a part of the rate: 0.1 is ten percent
	Fixed        []FixedRate   `json:"fixed"`
}

// FixedRate is a rate that the user wrote down. It holds from a time on, until
// the next of its pair does.
type FixedRate struct {
	Pair kurs.Pair    `json:"pair"`
	Rate kurs.Decimal `json:"rate"`
	From time.Time    `json:"from"` // UTC; zero: from ever
}

// AsksECB tells whether the rates of the European Central Bank are to be fetched.
// Where no address is set, its own is meant, and asked only beside Yahoo itself:
// who asks another server for prices asks nobody outside.
func (c Config) AsksECB() bool {
	return slices.Contains(c.FX.Source, "ecb") && (c.FX.ECBURL != "" || c.Source.Yahoo.OwnHosts())
}

// Archive is where raw messages are kept to look at.
type Archive struct {
	Dir  string        `json:"dir"`  // as written; Paths.Archive is where it is
	Keep time.Duration `json:"keep"` // 0: none are kept
}

// Queue is the broker between the stages.
type Queue struct {
	Dir      string `json:"dir"`       // as written; Paths.Queue is where it is
	URL      string `json:"url"`       // a NATS cluster; empty: the broker inside kurs
	MaxBytes int64  `json:"max_bytes"` // of each queue
}

// Store says where prices are kept.
type Store struct {
	Use     []string      `json:"use"`   // one or more; the first is the one that is read
	Batch   int           `json:"batch"` // rows in one transaction, at most
	Flush   time.Duration `json:"flush"` // longest wait for a batch to fill
	MinFree int64         `json:"min_free"`
	SQLite  SQLite        `json:"sqlite"`
	Parquet Parquet       `json:"parquet"`
	Lines   Lines         `json:"lines"`

	Postgres  Postgres  `json:"postgres"`
	Retention Retention `json:"retention"`
}

// Retention is how long what is stored is kept: durations, empty for ever.
type Retention struct {
	Quotes string   `json:"quotes"`
	Bars   string   `json:"bars"`
	Rates  string   `json:"rates"`
	RollUp []string `json:"rollup"` // intervals of the bars that are made of prices before these are deleted
}

// Age reads one of the durations; 0 is for ever.
func (Retention) Age(text string) time.Duration {
	d, err := ParseDuration(text)
	if text == "" || err != nil { // it was checked
		return 0
	}
	return d
}

// SQLite is the default store.
type SQLite struct {
	Path        string        `json:"path"` // as written; Paths.Database is where it is
	BusyTimeout time.Duration `json:"busy_timeout"`
}

// Lines is the store of files of lines.
type Lines struct {
	Dir      string `json:"dir"`         // as written; Paths.Lines is where it is
	Format   string `json:"format"`      // "jsonl" or "csv"
	Dialect  string `json:"csv_dialect"` // "rfc4180" or "excel-da"
	MaxSize  int64  `json:"max_size"`    // bytes, then a file is begun anew
	MaxFiles int    `json:"max_files"`   // closed ones that are kept; 0: all
	Compress string `json:"compress"`    // "none", "gzip" or "zstd"
}

// Postgres is a schema of a PostgreSQL database.
type Postgres struct {
	DSN     Secret        `json:"dsn"`      // how to reach it; empty: by DSNFile, else by PG*
	DSNFile string        `json:"dsn_file"` // absolute; a file that holds the DSN
	Schema  string        `json:"schema"`
	Timeout time.Duration `json:"timeout"` // of a statement
}

// Parquet is the store of Parquet files.
type Parquet struct {
	Dir           string        `json:"dir"`             // as written; Paths.Parquet is where it is
	URL           string        `json:"url"`             // "s3://bucket/prefix"; empty: Dir
	Endpoint      string        `json:"endpoint"`        // of the object storage; empty: Amazon's
	Region        string        `json:"region"`          // empty: the storage's own
	AccessKey     string        `json:"access_key"`      // empty: from the environment or ~/.aws
	SecretKeyFile string        `json:"secret_key_file"` // where the secret key of AccessKey is
	FlushRows     int           `json:"flush_rows"`      // so many rows become files at once
	FlushEvery    time.Duration `json:"flush_every"`     // the longest that a row waits for its file
	Compact       time.Duration `json:"compact"`         // how long after its end a day is compacted
}

// Log is one configuration for the logs of all processes.
type Log struct {
	Level    string `json:"level"`    // debug, info, warn, error
	Format   string `json:"format"`   // auto, text, logfmt, json
	File     string `json:"file"`     // as written; Paths.LogFile is where it is
	MaxSize  int64  `json:"max_size"` // bytes, then the file is rotated
	MaxFiles int    `json:"max_files"`
}

// Location is the zone that times are shown in. It fails only where the time
// zone database of the machine differs from the one that the config was checked
// with.
func (c Config) Location() (*time.Location, error) {
	if c.Timezone == "" {
		return time.Local, nil
	}
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return nil, fmt.Errorf("timezone: %w", err)
	}
	return loc, nil
}
