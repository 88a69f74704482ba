package main

import (
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
	"kurs/reading"
)

// TestWhyARateIsNotUsed: every answer of kurs fx names the rule that it is by.
func TestWhyARateIsNotUsed(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday
	policy := fx.DefaultPolicy()
	policy.Sources = []string{"yahoo", "ecb"}
	rate := func(pair, source, interval string, before time.Duration) kurs.Rate {
		return kurs.Rate{Pair: kurs.Pair{From: pair[:3], To: pair[3:]}, Value: kurs.Int(6), Time: at.Add(-before), Source: source, Interval: interval}
	}
	own := rate("USDDKK", "yahoo", "", time.Hour)
	own.ValidFor = 30 * time.Minute
	for _, c := range []struct {
		name string
		rate kurs.Rate
		asOf time.Time
		want string
	}{
		{"old", rate("USDDKK", "yahoo", "", time.Hour), time.Time{}, "too old: 60 min before (fx.max_age is 10m)"},
		{"old, of a day", rate("USDDKK", "ecb", "1d", 8*24*time.Hour), time.Time{}, "too old: 8 d before (fx.max_age_daily is 7d)"},
		{"old by its own word", own, time.Time{}, "too old: 60 min before (its source says that it holds for 30m)"},
		{"later", rate("USDDKK", "yahoo", "", -time.Hour), time.Time{}, "later: 60 min after; the past is never valued with it"},
		{"of a source that is not used", rate("USDDKK", "user", "", 0), time.Time{}, "fx.source does not name its source"},
		{"may stand in, but not yet", rate("USDDKK", "ecb", "1d", 24*time.Hour), at.Add(9 * time.Minute), "young enough, but yahoo may still tell one until 2026-11-24T12:10:00Z"},
		{"a leg without the other", rate("EURDKK", "yahoo", "", time.Minute), time.Time{}, "young enough, but there is nothing to go with it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := nearest{convert: &reading.Converter{To: "DKK", AsOf: c.asOf, Policy: policy}, pair: kurs.Pair{From: "USD", To: "DKK"}, at: at}
			if got := n.why(&c.rate); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
