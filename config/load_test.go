package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kurs"
	"kurs/config"
)

var update = flag.Bool("update", false, "write golden files, docs/config.md and examples/kurs.toml")

// input is a machine with nothing set but a home directory.
func input(t *testing.T, file string) config.Input {
	t.Helper()
	return config.Input{File: file, Environ: []string{"HOME=" + t.TempDir()}}
}

// exactly compares decimals by all their digits.
var exactly = cmpopts.EquateComparable(kurs.Decimal{})

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kurs.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got); go test ./config -update rewrites it:\n%s", path, diff)
	}
}

// TestProblemScreens holds each testdata/*.toml against the screen that it gives.
func TestProblemScreens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			in := input(t, filepath.ToSlash(file))
			if strings.HasSuffix(file, "five.toml") {
				in.Environ = append(in.Environ, "KURS_STORE_SQLTE_PATH=/x")
			}
			_, _, err := config.Load(in)
			if _, ok := errors.AsType[*config.Problems](err); !ok {
				t.Fatalf("error = %v, want problems", err)
			}
			var e *kurs.Error
			if !errors.As(err, &e) || e.Exit != kurs.ExitUsage || e.Code != "KURS-CONFIG" {
				t.Errorf("unwraps to %+v", e)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".golden", err.Error()+"\n")
		})
	}
}

func TestLayers(t *testing.T) {
	file := write(t, "currency = \"EUR\"\nsymbols = [\"VOD.L\"]\n[store]\nbatch = 1_000\n[log]\nlevel = \"warn\"\n")
	in := input(t, file)
	in.Environ = append(in.Environ,
		"KURS_CURRENCY=SEK", "KURS_SYMBOLS=aapl, usddkk=x", "KURS_LOG_LEVEL=", "KURS_STORE_SQLITE_BUSY_TIMEOUT=1m30s")
	in.Flags = map[string]string{"currency": "NOK", "source.yahoo.interval": "1m30s"}
	c, origins, err := config.Load(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"AAPL", "DKK=X"}, c.Symbols); diff != "" {
		t.Error("symbols:", diff)
	}
	if c.Currency != "NOK" || c.Store.Batch != 1000 || c.Log.Level != "warn" ||
		c.Source.Yahoo.Interval != 90*time.Second || c.Store.SQLite.BusyTimeout != 90*time.Second {
		t.Errorf("config = %+v", c)
	}
	for path, want := range map[string]string{
		"currency":                  "flag --currency",
		"source.yahoo.interval":     "flag --interval",
		"symbols":                   "env KURS_SYMBOLS",
		"store.sqlite.busy_timeout": "env KURS_STORE_SQLITE_BUSY_TIMEOUT",
		"store.batch":               file + ":4",
		"log.level":                 file + ":6",
		"fx.via":                    "default",
	} {
		if got := origins.Of(path).String(); got != want {
			t.Errorf("origin of %s = %q, want %q", path, got, want)
		}
	}
	if got := origins.Literal("symbols"); got != `["AAPL", "DKK=X"]` {
		t.Errorf("symbols in force = %s", got)
	}
	if n := origins.Count(config.FromFile); n != 2 {
		t.Errorf("%d values from the file, want 2", n)
	}
}

func TestMistakesOutsideTheFile(t *testing.T) {
	in := input(t, write(t, "currency = 7\n"))
	in.Environ = append(in.Environ, "KURS_SOURCE_YAHOO_INTERVAL=1", "KURS_QUEUE_URL=nats://me:secret@host", "KURS_SYMBOLS=AAPL,,B C")
	in.Flags = map[string]string{"source.yahoo.interval": "2s", "store.use": "sqlite,sqlite"}
	_, _, err := config.Load(in)
	golden(t, "testdata/outside.golden", strings.ReplaceAll(err.Error()+"\n", in.File, "FILE"))
	if strings.Contains(err.Error(), "secret") {
		t.Error("a password was printed")
	}

	in = input(t, "")
	in.Flags = map[string]string{"source.yahoo.interval": "2s"}
	_, _, err = config.Load(in)
	want := "settings: 1 problem   [KURS-CONFIG]\n\nflag --interval = \"2s\": must be 5s or more (source.yahoo.interval); Yahoo answers 429 below that"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestManyProblemsStayShort(t *testing.T) {
	_, _, err := config.Load(input(t, write(t, strings.Repeat("[nonsense]\n", 1)+strings.Repeat("[[x]]\n", 100_000))))
	if err == nil || !strings.HasSuffix(err.Error(), "and 99901 more") {
		t.Errorf("error ends %q", err.Error()[max(0, len(err.Error())-100):])
	}
}

func TestWarnings(t *testing.T) {
	many := make([]string, 500)
	for i := range many {
		many[i] = "S" + string(rune('A'+i/26%26)) + string(rune('A'+i%26)) + string(rune('A'+i/676))
	}
	tests := []struct {
		name    string
		environ []string
		want    []config.Warning
	}{
		{name: "nothing"},
		{
			name:    "unknown variable with suggestion",
			environ: []string{"KURS_STORE_SQLTE_PATH=x", "KURS_ZZZ=1", "KURS_FAULT_AT=1", "KURS_RECORDED=x", "OTHER=1"},
			want: []config.Warning{
				{Text: "env: KURS_STORE_SQLTE_PATH is not a setting. Did you mean KURS_STORE_SQLITE_PATH?"},
				{Text: "env: KURS_ZZZ is not a setting"},
			},
		},
		{
			name:    "short interval",
			environ: []string{"KURS_SOURCE_YAHOO_INTERVAL=9s"},
			want:    []config.Warning{{Pace: true, Text: "source.yahoo.interval (9s) is short: Yahoo may answer 429 below 10s"}},
		},
		{
			name:    "rates older than allowed",
			environ: []string{"KURS_FX_INTERVAL=20m", "KURS_FX_MAX_AGE_CLOSED=5m"},
			want: []config.Warning{
				{Text: "fx.interval (20m) is longer than fx.max_age (10m): between two rates prices wait for their value in DKK"},
				{Text: "fx.max_age_closed (5m) is shorter than fx.max_age (10m)"},
			},
		},
		{
			name:    "rates of one's own that are not used",
			environ: []string{"KURS_FX_FIXED=USDDKK=6.43"},
			want:    []config.Warning{{Text: `fx.fixed is not used: fx.source does not list "fixed"`}},
		},
		{
			name:    "a store that keeps everything",
			environ: []string{"KURS_STORE_USE=sqlite,postgres", "KURS_STORE_RETENTION_BARS=90d"},
			want: []config.Warning{{
				Pace: true,
				Text: `store.retention is for the store "sqlite" alone: "postgres" keeps everything; docs/postgres.md tells how to drop a month`,
			}},
		},
		{name: "stores that need not keep everything", environ: []string{"KURS_STORE_USE=sqlite,stdout", "KURS_STORE_RETENTION_BARS=90d"}},
		{name: "rates of one's own", environ: []string{"KURS_FX_FIXED=USDDKK=6.43", "KURS_FX_SOURCE=fixed,yahoo"}},
		{
			name:    "more requests than the budget",
			environ: []string{"KURS_SYMBOLS=" + strings.Join(many, ",")},
			want: []config.Warning{{Pace: true, Text: "500 symbols every 15s and their rates need 41 requests a minute, " +
				"source.yahoo.max_per_minute is 20, so prices come later than asked: interval = \"32s\" would fit"}},
		},
		{
			name:    "no budget left beside the rates",
			environ: []string{"KURS_SYMBOLS=AAPL", "KURS_SOURCE_YAHOO_MAX_PER_MINUTE=1"},
			want: []config.Warning{{Pace: true, Text: "1 symbol every 15s and their rates need 5 requests a minute, " +
				"source.yahoo.max_per_minute is 1, so prices come later than asked: raise source.yahoo.max_per_minute or fx.interval"}},
		},
		{
			name: "another server has no budget",
			environ: []string{
				"KURS_SYMBOLS=" + strings.Join(many, ","),
				"KURS_SOURCE_YAHOO_QUERY_URL=http://127.0.0.1:1", "KURS_SOURCE_YAHOO_INTERVAL=1s",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, "")
			in.Environ = append(in.Environ, tt.environ...)
			_, origins, err := config.Load(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, origins.Warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOtherServers(t *testing.T) {
	load := func(t *testing.T, text string) config.Config {
		t.Helper()
		c, _, err := config.Load(input(t, write(t, text)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("no limits", func(t *testing.T) {
		c := load(t, "[source.yahoo]\nquery_url = \"http://127.0.0.1:8080/\"\ninterval = \"1ms\"\nbatch = 200\n[fx]\ninterval = \"1s\"\n")
		if y := c.Source.Yahoo; y.OwnHosts() || y.MaxPerMinute != 0 || y.QueryURL != "http://127.0.0.1:8080" {
			t.Errorf("%+v", y)
		}
	})
	t.Run("a budget that was set is kept", func(t *testing.T) {
		c := load(t, "[source.yahoo]\nquery_url = \"http://notyahoo.com\"\nmax_per_minute = 20\n")
		if y := c.Source.Yahoo; y.OwnHosts() || y.MaxPerMinute != 20 {
			t.Errorf("%+v", y)
		}
	})
	t.Run("Yahoo by another of its names", func(t *testing.T) {
		c := load(t, "[source.yahoo]\nquery_url = \"https://Query1.Finance.YAHOO.com.:443\"\n")
		if y := c.Source.Yahoo; !y.OwnHosts() || y.MaxPerMinute != 20 {
			t.Errorf("%+v", y)
		}
	})
}

// TestSymbolsSurvive is what the choice of TOML is about.
func TestSymbolsSurvive(t *testing.T) {
	c, _, err := config.Load(input(t, write(t, `symbols = ["TRUE", "ON", "0700.HK", '7203', "~", "BRK-B", "^GSPC", "ES=F", "M&M.NS", "vod.l"]`)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"TRUE", "ON", "0700.HK", "7203", "~", "BRK-B", "^GSPC", "ES=F", "M&M.NS", "VOD.L"}
	if diff := cmp.Diff(want, c.Symbols); diff != "" {
		t.Error(diff)
	}
}

func TestFileNotReadable(t *testing.T) {
	big := write(t, strings.Repeat("#\n", 1<<20))
	for name, file := range map[string]string{"missing": filepath.Join(t.TempDir(), "none.toml"), "folder": t.TempDir(), "too long": big} {
		t.Run(name, func(t *testing.T) {
			_, _, err := config.Load(input(t, file))
			var e *kurs.Error
			if !errors.As(err, &e) || e.Exit != kurs.ExitUsage || e.Try == "" || !strings.Contains(err.Error(), file) {
				t.Errorf("error = %#v", err)
			}
		})
	}
	t.Run("missing where nobody named it", func(t *testing.T) {
		_, origins, err := config.Load(input(t, ""))
		if err != nil || origins.Exists || origins.File == "" {
			t.Errorf("%+v, %v", origins, err)
		}
	})
	t.Run("missing where the environment named it", func(t *testing.T) {
		in := input(t, "")
		in.Environ = append(in.Environ, "KURS_CONFIG="+filepath.Join(t.TempDir(), "none.toml"))
		if _, _, err := config.Load(in); err == nil {
			t.Error("no error")
		}
	})
}

func TestByteOrderMarkAndCarriageReturns(t *testing.T) {
	c, origins, err := config.Load(input(t, write(t, "\uFEFFcurrency = \"EUR\"\r\n[log]\r\nlevel = \"warn\"\r\n")))
	if err != nil || c.Currency != "EUR" || c.Log.Level != "warn" || origins.Of("log.level").Line != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	in := input(t, write(t, "symbols = [\"AAPL\"]\nfx.fixed = [\"USDDKK=6.43@2026-01-01\"]\nqueue.url = \"nats://a:4222,nats://b:4222\"\n"))
	in.DataDir = t.TempDir()
	for name, in := range map[string]config.Input{"defaults": input(t, ""), "set": in} {
		t.Run(name, func(t *testing.T) {
			c, _, err := config.Load(in)
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var back config.Config
			if err := json.Unmarshal(text, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c, back, exactly); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLocation(t *testing.T) {
	if loc, err := (config.Config{}).Location(); err != nil || loc != time.Local {
		t.Errorf("no zone set: %v, %v", loc, err)
	}
	if loc, err := (config.Config{Timezone: "Asia/Tokyo"}).Location(); err != nil || loc.String() != "Asia/Tokyo" {
		t.Errorf("%v, %v", loc, err)
	}
	if _, err := (config.Config{Timezone: "Mars/Crater"}).Location(); err == nil {
		t.Error("no error for a zone that is not there")
	}
}

func TestPoolSize(t *testing.T) {
	if n := (config.Process{Workers: 3}).PoolSize(); n != 3 {
		t.Errorf("PoolSize = %d, want 3", n)
	}
	if n := (config.Process{}).PoolSize(); n < 1 {
		t.Errorf("PoolSize = %d, want one for each CPU", n)
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "1s", "AAPL")
	}
	f.Add([]byte(config.Sample(nil)), "9999999999999999999d", "A,B,,")
	f.Add([]byte("[a]\n[[a.b]]\nx=[[1]]\n\xff"), "-1s", "\x00")
	dir := f.TempDir()
	path := filepath.Join(dir, "kurs.toml")
	f.Fuzz(func(t *testing.T, text []byte, interval, symbols string) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(config.Input{
			File:    path,
			Environ: []string{"HOME=" + dir, "KURS_SOURCE_YAHOO_INTERVAL=" + interval},
			Flags:   map[string]string{"symbols": symbols, "store.min_free": interval},
		})
		if err != nil {
			if err.Error() == "" || strings.ContainsAny(err.Error(), "\x1b\x00\x07") {
				t.Errorf("error %q", err)
			}
			return
		}
		if c.Source.Yahoo.Interval <= 0 || c.Source.Yahoo.Batch < 1 || len(c.Store.Use) == 0 {
			t.Errorf("accepted %+v", c)
		}
	})
}
