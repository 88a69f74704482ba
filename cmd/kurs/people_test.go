package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/sim"
)

// asked is what a command prints as JSON; it has to succeed.
func asked[T any](t *testing.T, args ...string) (out T) {
	t.Helper()
	text, talk, code := ran(t, append(args, "-o", "json")...)
	if code != kurs.ExitOK && code != kurs.ExitNotRunning {
		t.Fatalf("%q: exit code %d\n%s%s", args, code, text, talk)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, text)
	}
	return out
}

// says is what a command prints; it has to succeed, and to contain words.
func says(t *testing.T, want string, args ...string) string {
	t.Helper()
	out, talk, code := ran(t, args...)
	if code != kurs.ExitOK || !strings.Contains(out, want) {
		t.Fatalf("%q: exit code %d, want %q\n%s%s", args, code, want, out, talk)
	}
	return out
}

// soon waits until something is so.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.NewTimer(60 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// rowAt is the stored price at a time.
func rowAt(t *testing.T, dir, symbol string, at time.Time) (row kurs.Row, ok bool) {
	t.Helper()
	out, talk, code := ran(t, "export", "--data", dir, "--symbols", symbol, "-o", "jsonl")
	if code != kurs.ExitOK {
		t.Fatalf("exit code %d\n%s", code, talk)
	}
	for line := range strings.Lines(out) {
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Time.Equal(at) {
			return row, true
		}
	}
	return kurs.Row{}, false
}

// waitingQuotes are the quotes after a time that were set aside and wait.
func waitingQuotes(t *testing.T, dir string, after time.Time) (out []asideJSON) {
	t.Helper()
	for _, a := range asked[[]asideJSON](t, "gaps", "--quarantine", "--data", dir) {
		if a.Kind == kurs.AsideQuote && a.Reason == kurs.ReasonJump && a.Time.After(after) {
			out = append(out, a)
		}
	}
	return out
}

// TestPeopleDecideWhileItRuns, and after: what an exchange tells a hundredfold is
// set aside; one is kept, one dropped, and a correction survives what comes.
func TestPeopleDecideWhileItRuns(t *testing.T) {
	market, base := simulatedExchange(t, sim.Config{Symbols: []string{"AAPL", "VOD.L", "NOVO-B.CO"}, Seed: 1})
	dir := t.TempDir()
	at(t, base)
	t.Setenv("KURS_SOURCE_YAHOO_INTERVAL", "200ms")
	t.Setenv("KURS_SOURCE_YAHOO_MODE", "poll")
	t.Setenv("KURS_STORE_FLUSH", "10ms")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan kurs.ExitCode, 1)
	var out, talk lockedBuffer
	go func() {
		ended <- execute(ctx, []string{"run", "--symbols", "AAPL,VOD.L,NOVO-B.CO", "--in-process", "--data", dir}, streams{in: strings.NewReader(""), out: &out, err: &talk})
	}()
	soon(t, "first prices of all", func() bool {
		s, _, code := ran(t, "status", "--data", dir, "-o", "json")
		var status shownStatus
		return code == kurs.ExitOK && json.Unmarshal([]byte(s), &status) == nil && len(status.Prices) == 3
	})
	market.SetFaults(sim.Faults{Hundredfold: 0.5})
	begun := time.Now().Add(time.Second) // a price of the second before may have been told right as well
	soon(t, "three are set aside", func() bool { return len(waitingQuotes(t, dir, begun)) >= 3 })
	if s := asked[shownStatus](t, "status", "--data", dir); s.Aside.Waiting < 3 || s.Aside.Since.IsZero() {
		t.Errorf("status tells of %+v", s.Aside)
	}
	says(t, "probably wrong, waiting for a decision", "status", "--data", dir)

	waiting := waitingQuotes(t, dir, begun)
	first, second, third := waiting[0], waiting[1], waiting[2]
	id := func(a asideJSON) string { return strconv.FormatInt(a.ID, 10) }
	if _, ok := rowAt(t, dir, first.Symbol, first.Time); ok {
		t.Fatalf("%s is a price before anybody decided", id(first))
	}
	says(t, "kept x 0.01 by anna: pence", "gaps", "--quarantine", "--keep", id(first), "--factor", "0.01", "--author", "anna", "--comment", "pence", "--data", dir)
	want, err := first.Native.Mul(kurs.MustDecimal("0.01"))
	if err != nil {
		t.Fatal(err)
	}
	if row, ok := rowAt(t, dir, first.Symbol, first.Time); !ok || row.PriceNative != want || !row.PriceBase.Known() || row.Origin != kurs.OriginCorrection {
		t.Errorf("kept: %+v, %t; want %s", row, ok, want)
	}
	says(t, "dropped by bo", "gaps", "--quarantine", "--drop", id(second), "--author", "bo", "--data", dir)
	if _, ok := rowAt(t, dir, second.Symbol, second.Time); ok {
		t.Error("what was dropped is a price")
	}

	latest := asked[shownStatus](t, "status", "--data", dir).Prices[0]
	when := latest.Time.Format(time.RFC3339Nano)
	says(t, "corrected by anna: typo", "correct", latest.Symbol, when, "1.5", "--reason", "typo", "--author", "anna", "--data", dir)
	answers := asked[shownStatus](t, "status", "--data", dir).Stages[0].Counts["answers"]
	soon(t, "more answers", func() bool {
		return asked[shownStatus](t, "status", "--data", dir).Stages[0].Counts["answers"] > answers+5
	})
	corrected := func(value kurs.Decimal, by string) {
		t.Helper()
		row, ok := rowAt(t, dir, latest.Symbol, latest.Time)
		if !ok || row.PriceNative != value || row.CorrectedBy != by || !row.PriceBase.Known() || row.FXRate != latest.FXRate {
			t.Errorf("%+v, %t; want %s by %q at the rate %s", row, ok, value, by, latest.FXRate)
		}
	}
	corrected(kurs.MustDecimal("1.5"), "anna")

	market.SetFaults(sim.Faults{})
	stop() // at once; nothing that was accepted is lost
	<-ended
	corrected(kurs.MustDecimal("1.5"), "anna")
	says(t, "as the provider has it again", "correct", latest.Symbol, when, "--undo", "--reason", "it was right", "--data", dir)
	corrected(latest.PriceNative, "")
	if said := says(t, "typo", "correct", "--list", latest.Symbol, "--data", dir); !strings.Contains(said, "undone") {
		t.Errorf("not all that was said is listed:\n%s", said)
	}

	// Later decisions take the place of earlier ones, also while nothing runs.
	says(t, "dropped by anna", "gaps", "--quarantine", "--drop", id(first), "--author", "anna", "--data", dir)
	if _, ok := rowAt(t, dir, first.Symbol, first.Time); ok {
		t.Error("what was kept and then dropped is still a price")
	}
	says(t, "kept by anna", "gaps", "--quarantine", "--keep", id(second)+","+id(third), "--author", "anna", "--data", dir)
	for _, a := range []asideJSON{second, third} {
		if row, ok := rowAt(t, dir, a.Symbol, a.Time); !ok || row.PriceNative != a.Native {
			t.Errorf("%s: %+v, %t", id(a), row, ok)
		}
	}
	says(t, "dropped", "gaps", "--quarantine", "--drop", "all", "--reason", "hundredfold", "--data", dir)
	if left := waitingQuotes(t, dir, time.Time{}); len(left) > 0 {
		t.Errorf("%d still wait", len(left))
	}
	if _, talk, code := ran(t, "correct", "NOVO-B.CO", when, "5", "--unit", "DKK", "--session", "pre", "--reason", "x", "--data", dir); code != kurs.ExitNotFound {
		t.Errorf("of another session: exit code %d\n%s", code, talk)
	}
	if t.Failed() {
		fmt.Fprintln(t.Output(), talk.String())
	}
}
