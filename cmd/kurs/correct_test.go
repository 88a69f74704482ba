package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// withSessions adds a price of another session to what is recorded, at the time
// that has one already, and one a minute later.
func withSessions(t *testing.T, dir string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b := kurs.Batch{BaseCurrency: "DKK"}
	for i, session := range []kurs.Session{kurs.SessionPost, kurs.SessionRegular} {
		b.Prices = append(b.Prices, kurs.Price{
			Quote: kurs.Quote{
				Symbol: "VOD.L", Source: "yahoo", Time: time.Date(2026, 11, 24, 9, 15+i, 4, 0, time.UTC), Session: session,
				Value: kurs.MustDecimal("88.5"), Unit: "GBp",
			},
			Receipt:    kurs.Receipt{Received: time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: uint64(2 + i)}},
			Conversion: kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), BaseCurrency: "DKK"},
		})
	}
	if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCorrectOneOfSeveral finds the price that is meant, under any of its names,
// and tells what there is where that is not clear. Nothing runs meanwhile.
func TestCorrectOneOfSeveral(t *testing.T) {
	dir := recorded(t)
	withSessions(t, dir)
	at(t, "http://127.0.0.1:1")
	for _, c := range []struct {
		name string
		args []string
		code kurs.ExitCode
		want []string
	}{
		{
			"which of two",
			[]string{"VOD.L", "2026-11-24T09:15:04Z", "88"},
			kurs.ExitUsage,
			[]string{"there are 2 prices", "--session post --source yahoo (88.5 GBp), or --session regular", "KURS-CORRECT"},
		},
		{
			"another time",
			[]string{"VOD.L", "2026-11-24T09:15:30Z", "88"},
			kurs.ExitNotFound,
			[]string{"the nearest: 2026-11-24T09:15:04Z (88.5 GBp), 2026-11-24T09:15:04Z (88.42 GBp), 2026-11-24T09:16:04Z (88.5 GBp)"},
		},
		{"another source", []string{"VOD.L", "2026-11-24T09:15:04Z", "88", "--source", "ecb"}, kurs.ExitNotFound, []string{"no price of VOD.L"}},
		{
			"a reason that is too long",
			[]string{"VOD.L", "2026-11-24T09:16:04Z", "88", "--reason", strings.Repeat("x", 20_000)},
			kurs.ExitUsage,
			[]string{"more than 16384 bytes", "nothing of it was taken over"},
		},
		{"nothing to undo", []string{"VOD.L", "2026-11-24T09:16:04Z", "--undo"}, kurs.ExitNotFound, []string{"is not corrected"}},
		{
			"one of two",
			[]string{"VOD.L", "2026-11-24T09:15:04Z", "88", "--session", "regular"},
			kurs.ExitOK,
			[]string{"88.42 GBp is 88 GBp now (7,5788 DKK), corrected by anna: typo"},
		},
		{
			"in time of a place",
			[]string{"vod.l", "2026-11-24T10:15:04+01:00", "0.88", "--session", "regular", "--unit", "GBP"},
			kurs.ExitOK,
			[]string{"88 GBp is 0.88 GBP now (7,5788 DKK)"},
		},
		{
			"into another currency, of which no rate is known",
			[]string{"VOD.L", "2026-11-24T09:15:04Z", "1.1", "--session", "post", "--unit", "USD"},
			kurs.ExitOK,
			[]string{"is 1.1 USD now (no rate yet)"},
		},
		{"as JSON", []string{"VOD.L", "2026-11-24T09:16:04Z", "89", "-o", "json"}, kurs.ExitOK, []string{`"price_native": "89"`, `"corrected_by": "anna"`}},
		{"taken back", []string{"VOD.L", "2026-11-24T09:16:04Z", "--undo"}, kurs.ExitOK, []string{"89 GBp is 88.5 GBp now"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, talk, code := ran(t, append([]string{"correct", "--data", dir, "--author", "anna", "--reason", "typo"}, c.args...)...)
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, out, talk)
			}
			for _, want := range c.want {
				if !strings.Contains(out+talk, want) {
					t.Errorf("%q is missing:\n%s%s", want, out, talk)
				}
			}
		})
	}
	says(t, "VODA.L", "symbols", "alias", "VODA.L", "VOD.L", "--data", dir)
	says(t, "VOD.L at 2026-11-24T09:16:04Z: 88.5 GBp is 90 GBp now", "correct", "VODA.L", "2026-11-24T09:16:04Z", "90", "--reason", "typo", "--data", dir)
	said := asked[[]sqlite.Correction](t, "correct", "--list", "VODA.L", "--data", dir)
	holds := 0
	for _, k := range said {
		if k.Holds {
			holds++
		}
	}
	if len(said) != 6 || holds != 3 {
		t.Errorf("%d were said, %d hold: %+v", len(said), holds, said)
	}
}

// TestADirectoryOfAnotherKursIsLeftAlone: where it holds it and cannot be told
// anything, nothing is said.
func TestADirectoryOfAnotherKursIsLeftAlone(t *testing.T) {
	dir := recorded(t)
	at(t, "http://127.0.0.1:1")
	if _, talk, code := ran(t, "correct", "VOD.L", "2026-11-24T09:15:04Z", "88", "--reason", "typo", "--data", dir, "--config", "nowhere.toml"); code != kurs.ExitUsage {
		t.Errorf("exit code %d\n%s", code, talk)
	}
	t.Setenv("KURS_CURRENCY", "EUR")
	if _, talk, code := ran(t, "correct", "VOD.L", "2026-11-24T09:15:04Z", "88", "--reason", "typo", "--data", dir); code != kurs.ExitUsage || !strings.Contains(talk, "KURS-BASE") {
		t.Errorf("exit code %d\n%s", code, talk)
	}
	t.Setenv("KURS_CURRENCY", "DKK")
	says(t, "Nothing was corrected", "correct", "--list", "--data", dir)
}
