package config_test

import (
	"testing"
	"time"

	"kurs/config"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		in   string
		want time.Duration
		bad  bool
	}{
		{in: "0"},
		{in: "0s"},
		{in: "500ms", want: 500 * time.Millisecond},
		{in: "15s", want: 15 * time.Second},
		{in: "10m", want: 10 * time.Minute},
		{in: "24h", want: day},
		{in: "7d", want: 7 * day},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "1m500ms", want: time.Minute + 500*time.Millisecond},
		{in: "1d12h", want: 36 * time.Hour},
		{in: "106751d", want: 106751 * day},
		{in: "106752d", bad: true},
		{in: "99999999999999999999s", bad: true},
		{in: "106751d106751d", bad: true},
		{in: "", bad: true},
		{in: "15", bad: true},
		{in: "s", bad: true},
		{in: "15 s", bad: true},
		{in: "-15s", bad: true},
		{in: "1.5h", bad: true},
		{in: "1h30", bad: true},
		{in: "2w", bad: true},
		{in: "5M", bad: true},
		{in: "5µs", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := config.ParseDuration(tt.in)
			if (err != nil) != tt.bad || got != tt.want {
				t.Fatalf("got %v, %v; want %v, bad %v", got, err, tt.want, tt.bad)
			}
			if err != nil {
				return
			}
			if again, err := config.ParseDuration(config.FormatDuration(got)); err != nil || again != got {
				t.Errorf("%q is read as %v, %v", config.FormatDuration(got), again, err)
			}
		})
	}
}

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "1500ms": 1500 * time.Millisecond, "90s": 90 * time.Second, "24h": 24 * time.Hour,
		"96h": 96 * time.Hour, "7d": 168 * time.Hour, "10m": 10 * time.Minute,
	} {
		if got := config.FormatDuration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	tests := []struct {
		in   string
		want int64
		bad  bool
	}{
		{in: "0"},
		{in: "0B"},
		{in: "64MiB", want: 64 << 20},
		{in: "2GiB", want: 2 << 30},
		{in: "512MB", want: 512e6},
		{in: "512mb", want: 512e6},
		{in: "1kB", want: 1000},
		{in: "1TiB", want: 1 << 40},
		{in: "7B", want: 7},
		{in: "8388607TiB", want: 8388607 << 40},
		{in: "8388608TiB", bad: true},
		{in: "99999999999999999999B", bad: true},
		{in: "", bad: true},
		{in: "64", bad: true},
		{in: "64 MiB", bad: true},
		{in: "1.5GiB", bad: true},
		{in: "-1MiB", bad: true},
		{in: "1M", bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := config.ParseSize(tt.in)
			if (err != nil) != tt.bad || got != tt.want {
				t.Errorf("got %v, %v; want %v, bad %v", got, err, tt.want, tt.bad)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	words := []string{"interval", "batch", "max_age", "max_age_closed", "info", "DKK", "NOK"}
	for word, want := range map[string]string{
		"intervall": "interval",
		"itnerval":  "interval",
		"max-age":   "max_age",
		"maxage":    "max_age",
		"INFO":      "info",
		"DKKK":      "DKK",
		"dkk":       "DKK",
		"DK":        "DKK",
		"KDK":       "DKK",
		"frequency": "",
		"":          "",
		"x":         "",
	} {
		if got := config.Nearest(word, words); got != want {
			t.Errorf("%q is near %q, want %q", word, got, want)
		}
	}
}

func TestSymbolProblem(t *testing.T) {
	for _, ok := range []string{"AAPL", "BRK-B", "^GSPC", "ES=F", "DKK=X", "AAPL250117C00150000", "vod.l"} {
		if p := config.SymbolProblem(ok); p != "" {
			t.Errorf("%q: %s", ok, p)
		}
	}
	for _, bad := range []string{"", "  ", "a b", "A,B", "A\nB", "A\x00", "\x1b[31m", "Ø", "../A", "A?B", "%41"} {
		if config.SymbolProblem(bad) == "" {
			t.Errorf("%q passes", bad)
		}
	}
}
