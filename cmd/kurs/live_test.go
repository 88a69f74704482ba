package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/supervise"
)

// at points a command at a simulated exchange, and at an empty home directory.
func at(t *testing.T, base string) (home string) {
	t.Helper()
	home = t.TempDir()
	for name, value := range map[string]string{
		"KURS_SOURCE_YAHOO_QUERY_URL": base, "KURS_SOURCE_YAHOO_SESSION_URL": base, "KURS_CONFIG": "", "KURS_DATA": "",
		"HOME": home, "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_STATE_HOME": "", "XDG_CACHE_HOME": "",
	} {
		t.Setenv(name, value)
	}
	return home
}

// TestQuoteLooksAndStoresNothing: prices of several units, converted; unknown ones
// are named with the provider's words and what may have been meant.
func TestQuoteLooksAndStoresNothing(t *testing.T) {
	home := at(t, exchange(t, "AAPL", "VOD.L", "NOVO-B.CO"))
	for _, c := range []struct {
		name string
		args []string
		code kurs.ExitCode
		want []string
	}{
		{"a table", []string{"AAPL", "vod.l,novo-b.co"}, kurs.ExitOK, []string{"PRICE DKK", "Apple Inc.", " GBp ", "Nothing was stored"}},
		{"another currency", []string{"NOVO-B.CO", "--currency", "EUR"}, kurs.ExitOK, []string{"PRICE EUR", " DKK "}},
		{"a pair", []string{"EURUSD=X"}, kurs.ExitOK, []string{"EURUSD=X"}},
		{"one of two is unknown", []string{"AAPL", "NOVO.CO"}, kurs.ExitPartly, []string{"Apple Inc.", "near NOVO.CO: NOVO-B.CO", "No data found", "KURS-SYMBOL"}},
		{"unknown", []string{"NOPE"}, kurs.ExitNotFound, []string{"KURS-SYMBOL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, talk, code := ran(t, append([]string{"quote"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(out+talk, want) {
					t.Errorf("%q is missing:\n%s%s", want, out, talk)
				}
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(home, ".local", "share", "kurs", "*")); err != nil || len(left) > 0 {
		t.Errorf("stored: %q, %v", left, err)
	}
}

// TestQuoteJSON: what was converted can be computed again from what is told.
func TestQuoteJSON(t *testing.T) {
	at(t, exchange(t, "VOD.L", "NOVO-B.CO"))
	out, talk, code := ran(t, "quote", "VOD.L", "NOVO-B.CO", "-o", "json")
	var got []looked
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != kurs.ExitOK || len(got) != 2 {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, talk)
	}
	pence := got[0]
	base, err := kurs.Convert(pence.Native.Amount, pence.Native.Factor, pence.FX.Rate)
	if err != nil || base != pence.Converted.Amount || pence.Native.Unit != "GBp" || pence.Native.Currency != "GBP" || pence.FX.Pair != "GBPDKK" {
		t.Errorf("%+v %+v %+v, computed %s, %v", pence.Native, pence.FX, pence.Converted, base, err)
	}
	if own := got[1]; own.FX != nil || own.Converted.Amount != own.Native.Amount {
		t.Errorf("%+v", own)
	}
}

// TestQuoteWithoutANetwork ends with a code of its own.
func TestQuoteWithoutANetwork(t *testing.T) {
	at(t, "http://127.0.0.1:1")
	out, talk, code := ran(t, "quote", "AAPL")
	if code != kurs.ExitNetwork || out != "" || !strings.Contains(talk, "KURS-NET") {
		t.Errorf("exit code %d\n%s%s", code, out, talk)
	}
}

// TestInitFindsSymbolsByName asks the search of the provider.
func TestInitFindsSymbolsByName(t *testing.T) {
	at(t, exchange(t, "AAPL", "NOVO-B.CO"))
	hits, err := findSymbols(t.Context(), "novo nordisk")
	if err != nil || len(hits) == 0 || hits[0].Symbol != "NOVO-B.CO" {
		t.Errorf("%+v, %v", hits, err)
	}
}

// TestStatusOfARun: true while it is on, clear when it is not.
func TestStatusOfARun(t *testing.T) {
	dir := t.TempDir()
	at(t, "http://127.0.0.1:1") // a demo has an exchange of its own
	ended := make(chan kurs.ExitCode, 1)
	var talk lockedBuffer
	go func() {
		var out lockedBuffer
		ended <- execute(t.Context(), []string{"run", "--demo", "--demo-symbols", "5", "--duration", "4s", "--in-process", "--data", dir},
			streams{in: strings.NewReader(""), out: &out, err: &talk})
	}()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var seen bool
	for code := kurs.ExitCode(-1); code < 0; {
		select {
		case code = <-ended:
			if code != kurs.ExitOK {
				t.Fatalf("exit code %d\n%s", code, talk.String())
			}
		case <-tick.C:
			seen = seen || looksWell(t, dir)
		case <-limit.C:
			t.Fatalf("the run does not end\n%s", talk.String())
		}
	}
	if !seen {
		t.Errorf("its status was never right\n%s", talk.String())
	}
	out, _, code := ran(t, "status", "--data", dir)
	if code != kurs.ExitNotRunning || !strings.Contains(out, "not running   last price stored") {
		t.Errorf("after it: exit code %d\n%s", code, out)
	}
	if out, _, code := ran(t, "status", "--check", "--data", dir); code != kurs.ExitNotRunning || strings.Count(out, "\n") != 1 {
		t.Errorf("after it: exit code %d\n%s", code, out)
	}
}

// looksWell tells whether the status of a run is complete: all stages at work, all
// symbols with a price and its age.
func looksWell(t *testing.T, dir string) bool {
	t.Helper()
	screen, _, code := ran(t, "status", "--data", dir)
	if code != kurs.ExitOK {
		return false // not up yet, or about to end
	}
	text, _, code := ran(t, "status", "--data", dir, "-o", "json")
	if code != kurs.ExitOK {
		return false // ended since the screen was read
	}
	var s shownStatus
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Errorf("%v\n%s", err, text)
		return false
	}
	if !s.Running || !s.Healthy || len(s.Prices) < 5 || len(s.Stages) != 3 || s.Stages[0].Counts["answers"] == 0 {
		return false
	}
	for i, stage := range supervise.Stages() {
		if s.Stages[i].Stage != stage || !strings.Contains(screen, stage) {
			return false
		}
	}
	line, _, code := ran(t, "status", "--check", "--data", dir)
	return code == kurs.ExitOK && strings.HasPrefix(line, "healthy: 5 symbols") && strings.Contains(screen, "● healthy") && strings.Contains(screen, "AAPL")
}

// TestSymbolsSearch finds instruments by a part of their name.
func TestSymbolsSearch(t *testing.T) {
	at(t, exchange(t, "AAPL", "VOD.L", "NOVO-B.CO"))
	for _, c := range []struct {
		args []string
		code kurs.ExitCode
		want string
	}{
		{[]string{"novo", "nordisk"}, kurs.ExitOK, "NOVO-B.CO  Novo Nordisk A/S  CPH       equity"},
		{[]string{"novo", "-o", "json"}, kurs.ExitOK, `"symbol": "NOVO-B.CO"`},
		{[]string{"zzzzz"}, kurs.ExitNotFound, `Yahoo finds nothing for "zzzzz"`},
		{[]string{"zzzzz", "-o", "json"}, kurs.ExitNotFound, "[]"},
		{[]string{" "}, kurs.ExitUsage, "nothing to search for"},
		{[]string{"novo", "-o", "xml"}, kurs.ExitUsage, "not a format"},
	} {
		out, talk, code := ran(t, append([]string{"symbols", "search"}, c.args...)...)
		if code != c.code || !strings.Contains(out+talk, c.want) {
			t.Errorf("%q: exit code %d\n%s%s", c.args, code, out, talk)
		}
	}
	if _, talk, code := ran(t, "symbols", "serch", "novo"); code != kurs.ExitUsage || !strings.Contains(talk, "search") {
		t.Errorf("exit code %d\n%s", code, talk)
	}
	if _, talk, code := ran(t, "quote", "NOVOB.CO"); code != kurs.ExitNotFound || !strings.Contains(talk, "near NOVOB.CO: NOVO-B.CO") {
		t.Errorf("exit code %d\n%s", code, talk)
	}
}
