package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/config"
)

// TestFixedRates: each form of writing rates down gives the same, with all digits.
func TestFixedRates(t *testing.T) {
	one := func(pair, rate, from string) config.FixedRate {
		r := config.FixedRate{Pair: kurs.Pair{From: pair[:3], To: pair[3:]}, Rate: kurs.MustDecimal(rate)}
		if from != "" {
			at, err := time.Parse(time.RFC3339, from)
			if err != nil {
				t.Fatal(err)
			}
			r.From = at.UTC()
		}
		return r
	}
	usd, eur := one("USDDKK", "6.43", "2026-01-01T00:00:00Z"), one("EURDKK", "7.46", "")
	tests := []struct {
		name, file, env string
		want            []config.FixedRate
		shown           string
	}{
		{
			name: "tables", file: "[[fx.fixed]]\npair = \"USDDKK\"\nrate = \"6.43\"\nfrom = \"2026-01-01\"\n[[fx.fixed]]\npair = \"EURDKK\"\nrate = \"7.46\"\n[log]\nlevel = \"warn\"\n",
			want: []config.FixedRate{usd, eur}, shown: `["USDDKK=6.43@2026-01-01", "EURDKK=7.46"]`,
		},
		{
			name: "numbers and dates of TOML", file: "[fx]\n[[fx.fixed]]\npair = \"USDDKK\"\nrate = 6.430\nfrom = 2026-01-01T01:00:00+01:00\n[[fx.fixed]]\nrate = 7.46\npair = \"EURDKK\"\n",
			want: []config.FixedRate{usd, eur}, shown: `["USDDKK=6.43@2026-01-01", "EURDKK=7.46"]`,
		},
		{
			name: "a day of TOML", file: "[[fx.fixed]]\npair = \"USDDKK\"\nrate = 6.43\nfrom = 2026-01-01\n",
			want: []config.FixedRate{usd}, shown: `["USDDKK=6.43@2026-01-01"]`,
		},
		{
			name: "a list", file: "fx.fixed = [\"USDDKK=6.43@2026-01-01\", \"EURDKK=7.46\"]\n",
			want: []config.FixedRate{usd, eur}, shown: `["USDDKK=6.43@2026-01-01", "EURDKK=7.46"]`,
		},
		{
			name: "the environment", env: "USDDKK=6.43@2026-01-01, EURDKK=7.46",
			want: []config.FixedRate{usd, eur}, shown: `["USDDKK=6.43@2026-01-01", "EURDKK=7.46"]`,
		},
		{
			name: "digits that no binary float holds", file: "[[fx.fixed]]\npair = \"USDIDR\"\nrate = 16_000.1234567891\n",
			want: []config.FixedRate{one("USDIDR", "16000.1234567891", "")}, shown: `["USDIDR=16000.1234567891"]`,
		},
		{
			name: "from a time of a day on", env: "USDDKK=6.43@2026-01-01T08:00:00.5+01:00",
			want: []config.FixedRate{one("USDDKK", "6.43", "2026-01-01T07:00:00.5Z")}, shown: `["USDDKK=6.43@2026-01-01T07:00:00.5Z"]`,
		},
		{name: "none", want: []config.FixedRate{}, shown: "[]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(t, write(t, tt.file))
			if tt.env != "" {
				in.Environ = append(in.Environ, "KURS_FX_FIXED="+tt.env)
			}
			c, origins, err := config.Load(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, c.FX.Fixed, exactly); diff != "" {
				t.Error(diff)
			}
			if got := origins.Literal("fx.fixed"); got != tt.shown {
				t.Errorf("shown as %s, want %s", got, tt.shown)
			}
			// What is shown is a file that gives the same.
			again, _, err := config.Load(input(t, write(t, "fx.fixed = "+tt.shown+"\n")))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.FX.Fixed, again.FX.Fixed, exactly); diff != "" {
				t.Error("read again:", diff)
			}
		})
	}
}

func TestFixedRatesThatAreWrong(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"USDDKK", `must be as "USDDKK=6.43"`},
		{"USD=6.43", "is no pair of currencies"},
		{"USDDKR=6.43", `"DKR" in "USDDKR" is not an ISO 4217 code`},
		{"USDUSD=1", "no rate to itself"},
		{"USDDKK=", "not a number"},
		{"USDDKK=NaN", "not a number"},
		{"USDDKK=inf", "not a number"},
		{"USDDKK=0", "a rate is above 0"},
		{"USDDKK=-6.43", "a rate is above 0"},
		{"USDDKK=6.4300000000000001", "at most 15 digits"},
		{"USDDKK=6.43@yesterday", "from must be a date"},
		{"USDDKK=6.43@2026-02-30", "from must be a date"},
		{"USDDKK=6.43@2026-01-01T08:00:00", "a time with its zone"},
		{"USDDKK=6.43@2026-01-01,USDDKK=6.44@2026-01-01T00:00:00Z", "from the same time on before"},
	} {
		in := input(t, "")
		in.Environ = append(in.Environ, "KURS_FX_FIXED="+tt.text)
		if _, _, err := config.Load(in); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.text, err, tt.want)
		}
	}
}

func TestMaxJump(t *testing.T) {
	for _, tt := range []struct{ file, want, shown string }{
		{"", "0.1", `"0.1"`},
		{`fx.max_jump = "0.25"`, "0.25", `"0.25"`},
		{`fx.max_jump = "12.5%"`, "0.125", `"0.125"`},
		{`fx.max_jump = 0.30`, "0.3", `"0.3"`},
		{`fx.max_jump = 1`, "1", `"1"`},
	} {
		c, origins, err := config.Load(input(t, write(t, tt.file+"\n")))
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		if c.FX.MaxJump != kurs.MustDecimal(tt.want) || origins.Literal("fx.max_jump") != tt.shown {
			t.Errorf("%s: %s, shown as %s", tt.file, c.FX.MaxJump, origins.Literal("fx.max_jump"))
		}
	}
	for _, tt := range []struct{ text, want string }{
		{`"much"`, `write "0.1" or "10%"`},
		{`"0"`, "must be 0.001 to 10 (fx.max_jump)"},
		{`"-10%"`, "must be 0.001 to 10"},
		{`"2000%"`, "must be 0.001 to 10"},
		{"true", `must be a number, as "0.1"`},
		{"nan", `must be a number, as "0.1"`},
	} {
		if _, _, err := config.Load(input(t, write(t, "fx.max_jump = "+tt.text+"\n"))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// TestWhoIsAskedForRates: nobody outside, where another server than Yahoo is asked
// for prices.
func TestWhoIsAskedForRates(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		asks       bool
		url        string
	}{
		{"Yahoo itself", "", true, ""},
		{"another server", "source.yahoo.query_url = \"http://127.0.0.1:1\"", false, ""},
		{"another server, and another for rates", "source.yahoo.query_url = \"http://127.0.0.1:1\"\nfx.ecb_url = \"https://mirror.example/ecb/\"", true, "https://mirror.example/ecb"},
		{"a source that is not listed", "fx.source = [\"yahoo\"]\nfx.ecb_url = \"https://mirror.example/ecb\"", false, "https://mirror.example/ecb"},
		{"an address of a file", "fx.ecb_url = \"file:///srv/eurofxref.xml\"", true, "file:///srv/eurofxref.xml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _, err := config.Load(input(t, write(t, tt.file+"\n")))
			if err != nil || c.AsksECB() != tt.asks || c.FX.ECBURL != tt.url {
				t.Errorf("asks: %t, %q, %v", c.AsksECB(), c.FX.ECBURL, err)
			}
		})
	}
	t.Run("a file, as seen from the config file", func(t *testing.T) {
		file := write(t, "fx.ecb_url = \"rates/hist.csv\"\n")
		c, _, err := config.Load(input(t, file))
		if want := filepath.Join(filepath.Dir(file), "rates", "hist.csv"); err != nil || c.FX.ECBURL != want {
			t.Errorf("%q, want %q, %v", c.FX.ECBURL, want, err)
		}
	})
	for _, tt := range []struct{ url, want string }{
		{"ftp://ecb.example/", "must begin with http:// or https://"},
		{"https://me:secret@ecb.example/", "must not hold a user name"},
		{"file://srv/x.xml", "must be file:///"},
	} {
		_, _, err := config.Load(input(t, write(t, "fx.ecb_url = \""+tt.url+"\"\n")))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.url, err)
		}
	}
	if _, _, err := config.Load(input(t, write(t, "fx.source = []\n"))); err == nil || !strings.Contains(err.Error(), "name one source at least") {
		t.Error(err)
	}
}
