package config

import (
	"slices"
	"strings"
	"time"

	"kurs"
)

// A Key is one setting: everything that is said about it anywhere is said here.
type Key struct {
	Path    string   // "source.yahoo.interval": table and key in the file
	Default string   // as in the environment; of a list, its parts between commas
	Unit    string   // of a number: what it counts
	Least   string   // smallest value, in the form of Default; empty: none
	Most    string   // largest value
	Choices []string // the only values, where there are few
	Flag    string   // of commands that record, without dashes; empty: none
	Reload  bool     // may change while kurs runs
	Meaning string   // one or two sentences, without a full stop at the end

	field     func(*Config) any        // pointer to where the value goes; its type is the key's
	check     func(text string) string // what is wrong with a text, or with a part of a list
	canonical func(text string) string // the form that is kept
}

// The types of keys, as they are called in the documentation.
const (
	typeText     = "text"
	typeList     = "list"
	typeNumber   = "number"
	typeBool     = "yes or no"
	typeDuration = "duration"
	typeSize     = "size"
	typeDecimal  = "decimal"
)

// Keys lists all settings in the order of the sample file: tables together, the
// keys of the top first, as TOML demands.
func Keys() []Key { return slices.Clone(keys) }

// Lookup finds a key by its path.
func Lookup(path string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Path == path })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// Env is the name of the environment variable that sets the key.
func (k Key) Env() string {
	return "KURS_" + strings.ToUpper(strings.ReplaceAll(k.Path, ".", "_"))
}

// Table is the table that the key stands in, "" for the top of the file.
func (k Key) Table() string {
	if i := strings.LastIndexByte(k.Path, '.'); i >= 0 {
		return k.Path[:i]
	}
	return ""
}

// Name is the key without its table.
func (k Key) Name() string { return k.Path[strings.LastIndexByte(k.Path, '.')+1:] }

// Type is text, list, number, yes or no, duration or size.
func (k Key) Type() string {
	switch k.field(new(Config)).(type) {
	case *[]string, *[]FixedRate:
		return typeList
	case *kurs.Decimal:
		return typeDecimal
	case *int:
		return typeNumber
	case *bool:
		return typeBool
	case *time.Duration:
		return typeDuration
	case *int64:
		return typeSize
	default:
		return typeText
	}
}

// secret tells whether a value may hold a password.
func (k Key) secret() bool {
	_, ok := k.field(new(Config)).(*Secret)
	return ok
}

// Literal writes a value, in the form of Default, as TOML.
func (k Key) Literal(text string) string {
	if k.Type() == typeList {
		return k.literal(splitList(text))
	}
	return k.literal([]string{text})
}

func (k Key) literal(texts []string) string {
	switch k.Type() {
	case typeNumber, typeBool:
		return texts[0]
	case typeList:
		quoted := make([]string, len(texts))
		for i, t := range texts {
			quoted[i] = quote(t)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return quote(texts[0])
	}
}

// Range says in words which values are allowed, "" where any is.
func (k Key) Range() string {
	switch {
	case len(k.Choices) > 0:
		return strings.Join(k.Choices, ", ")
	case k.Least != "" && k.Most != "":
		return k.Least + " to " + k.Most
	case k.Least != "":
		return k.Least + " or more"
	case k.Most != "":
		return "at most " + k.Most
	}
	return ""
}

// keys holds all settings. Add yours here, and its field in Config.
var keys = []Key{
	{
		Path: "symbols", Flag: "symbols", Reload: true,
		Meaning: "Names as on Yahoo Finance, always in quotes. Currency pairs are found out, nobody has to list them",
		field:   func(c *Config) any { return &c.Symbols }, check: symbolProblem, canonical: kurs.CanonicalSymbol,
	},
	{
		Path: "currency", Default: "DKK", Flag: "currency",
		Meaning: "Your own currency (ISO 4217). Prices are kept in the currency they were quoted in too. A data directory has one currency for good",
		field:   func(c *Config) any { return &c.Currency }, check: currencyProblem,
	},
	{
		Path: "locale", Default: "da-DK", Reload: true,
		Meaning: "How numbers and dates look on screens; files and JSON stay as the standards have them",
		field:   func(c *Config) any { return &c.Locale }, check: localeProblem,
	},
	{
		Path: "timezone", Reload: true,
		Meaning: `Time zone of screens, as "Europe/Copenhagen"; "" is the computer's. What is stored is always UTC`,
		field:   func(c *Config) any { return &c.Timezone }, check: zoneProblem,
	},

	{
		Path: "source.yahoo.mode", Default: "auto", Choices: []string{"auto", "poll", "stream"},
		Meaning: "How prices come: auto streams them, and polls what the stream does not deliver; poll never streams; stream polls only what it must know to begin",
		field:   func(c *Config) any { return &c.Source.Yahoo.Mode },
	},
	{
		Path: "source.yahoo.interval", Default: "15s", Least: "1ms", Most: "24h", Flag: "interval", Reload: true,
		Meaning: "How often each symbol is asked. Yahoo itself: 5s or more; it answers 429 below that",
		field:   func(c *Config) any { return &c.Source.Yahoo.Interval },
	},
	{
		Path: "source.yahoo.interval_closed", Default: "5m", Least: "0s", Most: "24h",
		Meaning: `How often a symbol is asked whose market is closed; "0s" is not at all until it opens`,
		field:   func(c *Config) any { return &c.Source.Yahoo.Closed },
	},
	{
		Path: "source.yahoo.extended_hours", Default: "false",
		Meaning: "Prices before and after the regular session too, where there are any",
		field:   func(c *Config) any { return &c.Source.Yahoo.Extended },
	},
	{
		Path: "source.yahoo.batch", Default: "50", Unit: "symbols", Least: "1", Most: "200",
		Meaning: "Symbols in one request. Yahoo itself takes at most 50",
		field:   func(c *Config) any { return &c.Source.Yahoo.Batch },
	},
	{
		Path: "source.yahoo.max_per_minute", Default: "20", Unit: "requests a minute", Least: "0", Most: "100000",
		Meaning: "Requests of all kinds together; kurs never goes above. 0 is unlimited, and the default, where query_url is not Yahoo itself",
		field:   func(c *Config) any { return &c.Source.Yahoo.MaxPerMinute },
	},
	{
		Path: "source.yahoo.max_in_flight", Default: "4", Unit: "requests", Least: "1", Most: "64",
		Meaning: "Requests that may be under way at the same time",
		field:   func(c *Config) any { return &c.Source.Yahoo.MaxInFlight },
	},
	{
		Path: "source.yahoo.timeout", Default: "10s", Least: "100ms", Most: "5m",
		Meaning: "How long one request may take",
		field:   func(c *Config) any { return &c.Source.Yahoo.Timeout },
	},
	{
		Path: "source.yahoo.max_backoff", Default: "30m", Least: "1s", Most: "24h",
		Meaning: "The longest wait after answers that refuse, as 429 and 5xx",
		field:   func(c *Config) any { return &c.Source.Yahoo.MaxBackoff },
	},
	{
		Path: "source.yahoo.query_url", Default: "https://query2.finance.yahoo.com",
		Meaning: "Where prices are asked: Yahoo, or any server that speaks its protocol",
		field:   func(c *Config) any { return &c.Source.Yahoo.QueryURL }, check: webURLProblem, canonical: trimSlash,
	},
	{
		Path: "source.yahoo.session_url", Default: "https://fc.yahoo.com",
		Meaning: "Where the session cookie comes from",
		field:   func(c *Config) any { return &c.Source.Yahoo.SessionURL }, check: webURLProblem, canonical: trimSlash,
	},
	{
		Path:    "source.yahoo.stream_url",
		Meaning: `Where prices are streamed from (WebSocket); "" is wss://streamer.finance.yahoo.com/?version=2 where query_url is Yahoo itself, else the server of query_url`,
		field:   func(c *Config) any { return &c.Source.Yahoo.StreamURL }, check: socketURLProblem,
	},

	{
		Path: "acquire.workers", Default: "4", Unit: "workers", Least: "1", Most: "64", Flag: "workers",
		Meaning: "How many fetch side by side",
		field:   func(c *Config) any { return &c.Acquire.Workers },
	},
	{
		Path: "process.workers", Default: "2", Unit: "workers", Least: "0", Most: "64",
		Meaning: "How many decode and convert side by side; 0 is one for each CPU. Two keep up with what one disk can store",
		field:   func(c *Config) any { return &c.Process.Workers },
	},

	{
		Path: "fx.interval", Default: "60s", Least: "1ms", Most: "24h", Reload: true,
		Meaning: "How often the rates of all needed currency pairs are asked. Yahoo itself: 5s or more",
		field:   func(c *Config) any { return &c.FX.Interval },
	},
	{
		Path: "fx.max_age", Default: "10m", Least: "1s", Most: "7d",
		Meaning: "How old a rate may be at the price's own time. Where all are older, the price is kept and its value in your currency is filled in later",
		field:   func(c *Config) any { return &c.FX.MaxAge },
	},
	{
		Path: "fx.max_age_closed", Default: "96h", Least: "1s", Most: "31d",
		Meaning: "The same while the currency market is closed: weekends and holidays",
		field:   func(c *Config) any { return &c.FX.MaxAgeClosed },
	},
	{
		Path: "fx.max_age_daily", Default: "7d", Least: "24h", Most: "31d",
		Meaning: "The same for rates of which there is one a day",
		field:   func(c *Config) any { return &c.FX.MaxAgeDaily },
	},
	{
		Path: "fx.via", Default: "auto",
		Meaning: `Which currency to go through where a pair has no rate of its own: "auto" (EUR, else USD), "none", or a code as "USD"`,
		field:   func(c *Config) any { return &c.FX.Via }, check: viaProblem,
	},
	{
		Path: "fx.source", Default: "yahoo,ecb", Choices: []string{"yahoo", "ecb", "fixed"},
		Meaning: `Where rates come from, the preferred one first: "yahoo" (live), "ecb" (the European Central Bank's, one a working day), "fixed" (fx.fixed). The next stands in where one has no rate of the right time`,
		field:   func(c *Config) any { return &c.FX.Source },
	},
	{
		Path:    "fx.ecb_url",
		Meaning: `Where the ECB's rates are: a folder or a file of a server, or a file here (XML, CSV or zip as published), which is read again when it changes; "" is the ECB itself where query_url is Yahoo itself, else nowhere`,
		field:   func(c *Config) any { return &c.FX.ECBURL }, check: ecbURLProblem, canonical: trimSlash,
	},
	{
		Path: "fx.max_jump", Default: "0.1", Least: "0.001", Most: "10",
		Meaning: `By how much a rate may differ from the one before, as a part of it; "10%" is 0.1. What differs more is set aside`,
		field:   func(c *Config) any { return &c.FX.MaxJump }, canonical: canonicalFraction,
	},
	{
		Path:    "fx.fixed",
		Meaning: `Rates of your own, as "USDDKK=6.43@2026-01-01" (from that day on, in UTC; without it from ever), or as tables [[fx.fixed]] with pair, rate and from. Used where fx.source lists "fixed"`,
		field:   func(c *Config) any { return &c.FX.Fixed }, check: fixedProblem, canonical: canonicalFixed,
	},

	{
		Path: "archive.keep", Default: "7d", Least: "0s", Most: "3650d",
		Meaning: `How long the answers of the provider are kept as they were received, to look at (kurs explain --raw); "0s" is not at all. Prices do not depend on them`,
		field:   func(c *Config) any { return &c.Archive.Keep },
	},
	{
		Path:    "archive.dir",
		Meaning: `Where they are kept; "" is <data directory>/raw`,
		field:   func(c *Config) any { return &c.Archive.Dir }, check: pathProblem,
	},

	{
		Path:    "queue.dir",
		Meaning: `Where the queues between the stages lie on disk; "" is <state directory>/queue. It must be a local disk`,
		field:   func(c *Config) any { return &c.Queue.Dir }, check: pathProblem,
	},
	{
		Path:    "queue.url",
		Meaning: `A NATS cluster to use instead, as "nats://queue.example:4222" (several between commas); "" is the broker inside kurs`,
		field:   func(c *Config) any { return &c.Queue.URL }, check: queueURLProblem,
	},
	{
		Path: "queue.max_bytes", Default: "1GiB", Least: "1MiB",
		Meaning: "Disk that each queue may use. When it is full fetching waits; nothing is dropped",
		field:   func(c *Config) any { return &c.Queue.MaxBytes },
	},

	{
		Path: "store.use", Default: "sqlite", Choices: []string{"sqlite", "postgres", "parquet", "stdout", "lines"}, Flag: "store",
		Meaning: `Where prices are kept, one or more: "sqlite" (a database file), "postgres" (a database server), "parquet" (files for DuckDB and the like), "stdout" (printed as they come), "lines" (files of JSON lines or CSV). The first is the one that is read`,
		field:   func(c *Config) any { return &c.Store.Use },
	},
	{
		Path: "store.batch", Default: "50000", Unit: "rows", Least: "1", Most: "1000000",
		Meaning: "Rows in one transaction, at most",
		field:   func(c *Config) any { return &c.Store.Batch },
	},
	{
		Path: "store.flush", Default: "1s", Least: "1ms", Most: "1m",
		Meaning: "The longest that a price waits for others to share its transaction",
		field:   func(c *Config) any { return &c.Store.Flush },
	},
	{
		Path: "store.min_free", Default: "512MiB",
		Meaning: "Below this much free disk kurs stops fetching; what has been fetched is still stored. \"0\" is off",
		field:   func(c *Config) any { return &c.Store.MinFree },
	},
	{
		Path:    "store.sqlite.path",
		Meaning: `The database file; "" is <data directory>/kurs.db. It must be on a local disk`,
		field:   func(c *Config) any { return &c.Store.SQLite.Path }, check: pathProblem,
	},
	{
		Path: "store.sqlite.busy_timeout", Default: "5s", Least: "0s", Most: "10m",
		Meaning: "How long to wait for another program that holds the database, before kurs says so and tries again",
		field:   func(c *Config) any { return &c.Store.SQLite.BusyTimeout },
	},
	{
		Path:    "store.retention.quotes",
		Meaning: `How long prices are kept in the database, as "90d"; "" is for ever. The newest of each symbol always stays, and so does one that a person corrected. Nothing is deleted from Parquet files; those of lines have store.lines.max_files`,
		field:   func(c *Config) any { return &c.Store.Retention.Quotes }, check: retentionProblem,
	},
	{
		Path:    "store.retention.bars",
		Meaning: `The same for bars, those made by store.retention.rollup too. The newest of each symbol and interval always stays`,
		field:   func(c *Config) any { return &c.Store.Retention.Bars }, check: retentionProblem,
	},
	{
		Path:    "store.retention.rates",
		Meaning: `The same for exchange rates; at least as long as prices that are kept may need them, and 31 days more`,
		field:   func(c *Config) any { return &c.Store.Retention.Rates }, check: retentionProblem,
	},
	{
		Path: "store.retention.rollup", Choices: []string{"1m", "2m", "5m", "15m", "30m", "1h", "4h", "1d"},
		Meaning: "Intervals of bars that are made of the prices of a day before these are deleted; empty: none",
		field:   func(c *Config) any { return &c.Store.Retention.RollUp },
	},

	{
		Path:    "store.lines.dir",
		Meaning: `Where the store "lines" writes its files; "" is <data directory>/lines. One kurs writes there`,
		field:   func(c *Config) any { return &c.Store.Lines.Dir }, check: pathProblem,
	},
	{
		Path: "store.lines.format", Default: "jsonl", Choices: []string{"jsonl", "csv"},
		Meaning: "How a price looks in them: a line of JSON, or CSV",
		field:   func(c *Config) any { return &c.Store.Lines.Format },
	},
	{
		Path: "store.lines.csv_dialect", Default: "rfc4180", Choices: []string{"rfc4180", "excel-da"},
		Meaning: `CSV as others read it: "excel-da" is for a Danish Excel`,
		field:   func(c *Config) any { return &c.Store.Lines.Dialect },
	},
	{
		Path: "store.lines.max_size", Default: "64MiB", Least: "1MiB", Most: "1TiB",
		Meaning: "A file is begun anew at this size, and each day (UTC)",
		field:   func(c *Config) any { return &c.Store.Lines.MaxSize },
	},
	{
		Path: "store.lines.max_files", Default: "0", Unit: "files", Least: "0", Most: "1000000",
		Meaning: "How many closed files are kept; the oldest are removed. 0 is all of them",
		field:   func(c *Config) any { return &c.Store.Lines.MaxFiles },
	},
	{
		Path: "store.lines.compress", Default: "none", Choices: []string{"none", "gzip", "zstd"},
		Meaning: "What is done to a file once it is closed; the one that is being written is always plain",
		field:   func(c *Config) any { return &c.Store.Lines.Compress },
	},

	{
		Path:    "store.postgres.dsn",
		Meaning: `How to reach the server, as "postgres://kurs@db.example/market?sslmode=verify-full"; what it does not say, PGHOST and its like, PGPASSFILE and ~/.pgpass do. A password is better in one of these`,
		field:   func(c *Config) any { return &c.Store.Postgres.DSN }, check: pathProblem,
	},
	{
		Path:    "store.postgres.dsn_file",
		Meaning: `A file that holds the dsn, where that is "", as secrets are handed to services`,
		field:   func(c *Config) any { return &c.Store.Postgres.DSNFile }, check: pathProblem,
	},
	{
		Path: "store.postgres.schema", Default: "kurs",
		Meaning: "The schema that kurs makes and writes into; one for each kurs",
		field:   func(c *Config) any { return &c.Store.Postgres.Schema }, check: schemaProblem,
	},
	{
		Path: "store.postgres.timeout", Default: "1m", Least: "1s", Most: "1h",
		Meaning: "How long a statement may take, before kurs says so and tries again",
		field:   func(c *Config) any { return &c.Store.Postgres.Timeout },
	},

	{
		Path:    "store.parquet.dir",
		Meaning: `The directory of the Parquet files; "" is <data directory>/parquet. With url, what waits to be uploaded. It must be on a local disk`,
		field:   func(c *Config) any { return &c.Store.Parquet.Dir }, check: pathProblem,
	},
	{
		Path:    "store.parquet.url",
		Meaning: `Object storage (S3 and what speaks like it) to keep the files in instead: "s3://bucket/prefix"; "" is none`,
		field:   func(c *Config) any { return &c.Store.Parquet.URL }, check: bucketProblem,
	},
	{
		Path:    "store.parquet.endpoint",
		Meaning: `The object storage's address, as "https://s3.example:9000"; "" is Amazon's`,
		field:   func(c *Config) any { return &c.Store.Parquet.Endpoint }, check: endpointProblem, canonical: trimSlash,
	},
	{
		Path:    "store.parquet.region",
		Meaning: `The object storage's region; "" is its own`,
		field:   func(c *Config) any { return &c.Store.Parquet.Region },
	},
	{
		Path:    "store.parquet.access_key",
		Meaning: `The name of the key of the object storage; "" takes name and secret from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, else from ~/.aws/credentials`,
		field:   func(c *Config) any { return &c.Store.Parquet.AccessKey },
	},
	{
		Path:    "store.parquet.secret_key_file",
		Meaning: "A file with the secret of access_key, which nobody else may read. The secret itself is in no config",
		field:   func(c *Config) any { return &c.Store.Parquet.SecretKeyFile }, check: pathProblem,
	},
	{
		Path: "store.parquet.flush_rows", Default: "100000", Unit: "rows", Least: "1", Most: "10000000",
		Meaning: "So many rows become Parquet files at once. Until then they are in a journal on the local disk",
		field:   func(c *Config) any { return &c.Store.Parquet.FlushRows },
	},
	{
		Path: "store.parquet.flush_every", Default: "10m", Least: "1s", Most: "24h",
		Meaning: "The longest that a row waits in the journal",
		field:   func(c *Config) any { return &c.Store.Parquet.FlushEvery },
	},
	{
		Path: "store.parquet.compact", Default: "1h", Least: "1m", Most: "7d",
		Meaning: "How long after its end (UTC) the files of a day become one; late prices are joined to them as often",
		field:   func(c *Config) any { return &c.Store.Parquet.Compact },
	},

	{
		Path: "log.level", Default: "info", Choices: []string{"debug", "info", "warn", "error"}, Flag: "log-level", Reload: true,
		Meaning: "What is worth a line",
		field:   func(c *Config) any { return &c.Log.Level },
	},
	{
		Path: "log.format", Default: "auto", Choices: []string{"auto", "text", "logfmt", "json"},
		Meaning: `How a line looks on standard error: "auto" is text on a terminal and logfmt elsewhere`,
		field:   func(c *Config) any { return &c.Log.Format },
	},
	{
		Path: "log.file", Flag: "log-file",
		Meaning: `A file to log to as well; "" is none, or DIR/kurs.log with --data DIR`,
		field:   func(c *Config) any { return &c.Log.File }, check: pathProblem,
	},
	{
		Path: "log.max_size", Default: "20MiB", Least: "1MiB", Most: "1TiB",
		Meaning: "The log file is begun anew at this size",
		field:   func(c *Config) any { return &c.Log.MaxSize },
	},
	{
		Path: "log.max_files", Default: "5", Unit: "files", Least: "1", Most: "1000",
		Meaning: "How many old log files are kept",
		field:   func(c *Config) any { return &c.Log.MaxFiles },
	},
}
