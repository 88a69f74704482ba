package yahoo

import (
	"testing"
	"time"

	"kurs"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// copenhagen is open on Tuesday 24 November 2026, 08:00 to 16:00 UTC.
func copenhagen(t *testing.T, extended bool) *hours {
	t.Helper()
	h := newHours(extended)
	span := func(from, to string) kurs.Span {
		return kurs.Span{From: at(t, "2026-11-24 "+from), To: at(t, "2026-11-24 "+to)}
	}
	h.learn(kurs.EndpointChart, kurs.Observed{
		Instruments: []kurs.Instrument{{Symbol: "DSV.CO", Exchange: "CPH"}, {Symbol: "BTC-USD", Exchange: "CCC"}, {Symbol: "NEW"}},
		Hours:       []kurs.Hours{{Symbol: "DSV.CO", Exchange: "CPH", Pre: span("07:00:00", "08:00:00"), Regular: span("08:00:00", "16:00:00"), Post: span("16:00:00", "17:00:00")}},
	}, at(t, "2026-11-24 06:00:00"))
	return h
}

func TestOpen(t *testing.T) {
	for _, c := range []struct {
		symbol, at     string
		open, extended bool
	}{
		{"DSV.CO", "2026-11-24 06:59:59", false, false},
		{"DSV.CO", "2026-11-24 07:00:00", false, true},
		{"DSV.CO", "2026-11-24 07:59:59", false, true},
		{"DSV.CO", "2026-11-24 08:00:00", true, true},
		{"DSV.CO", "2026-11-24 15:59:59", true, true},
		{"DSV.CO", "2026-11-24 16:02:59", true, true}, // prices of the closing auction
		{"DSV.CO", "2026-11-24 16:03:00", false, true},
		{"DSV.CO", "2026-11-24 17:03:00", false, false},
		{"BTC-USD", "2026-11-24 03:00:00", true, true}, // not known
		{"NEW", "2026-11-24 03:00:00", true, true},
		{"OTHER", "2026-11-24 03:00:00", true, true},
	} {
		if open := copenhagen(t, false).open(c.symbol, at(t, c.at)); open != c.open {
			t.Errorf("%s at %s: open %v", c.symbol, c.at, open)
		}
		if open := copenhagen(t, true).open(c.symbol, at(t, c.at)); open != c.extended {
			t.Errorf("%s at %s with extended hours: open %v", c.symbol, c.at, open)
		}
	}
}

// TestDelayedPrices come later by as much, so the session is over later.
func TestDelayedPrices(t *testing.T) {
	h := copenhagen(t, false)
	h.learn(kurs.EndpointQuote, kurs.Observed{Quotes: []kurs.Quote{{Symbol: "DSV.CO", Delay: 15 * time.Minute}}}, at(t, "2026-11-24 09:00:00"))
	for _, silent := range []kurs.Endpoint{kurs.EndpointStream, kurs.EndpointChart, kurs.EndpointSpark} { // tell no delay, which is not none
		h.learn(silent, kurs.Observed{Quotes: []kurs.Quote{{Symbol: "DSV.CO"}}}, at(t, "2026-11-24 09:00:01"))
	}
	if !h.open("DSV.CO", at(t, "2026-11-24 16:17:59")) || h.open("DSV.CO", at(t, "2026-11-24 16:18:00")) {
		t.Error("prices that come a quarter of an hour later are not waited for")
	}
}

// TestTheEndsOfASessionAreNotMissed at whatever interval.
func TestTheEndsOfASessionAreNotMissed(t *testing.T) {
	h := copenhagen(t, false)
	for _, interval := range []time.Duration{5 * time.Second, 15 * time.Second, 10 * time.Minute, 3 * time.Hour} {
		for _, closed := range []time.Duration{0, 5 * time.Minute, time.Hour} {
			first, last := 0, 0
			asked := at(t, "2026-11-24 06:01:40")
			for n := 0; asked.Before(at(t, "2026-11-24 17:00:00")) && n < 100_000; n++ {
				next, _ := h.again("DSV.CO", asked, interval, closed)
				if !next.After(asked) {
					t.Fatalf("after %s comes %s", asked, next)
				}
				asked = next
				if d := asked.Sub(at(t, "2026-11-24 08:00:00")); d >= 0 && d < time.Minute {
					first++
				}
				if d := at(t, "2026-11-24 16:00:00").Sub(asked); d > 0 && d <= time.Minute {
					last++
				}
			}
			if first == 0 || last == 0 {
				t.Errorf("each %s, closed %s: %d times in the first minute, %d times in the last", interval, closed, first, last)
			}
		}
	}
}

func TestClosedMarketsAreAskedSeldom(t *testing.T) {
	h := copenhagen(t, false)
	for _, c := range []struct {
		asked  string
		closed time.Duration
		want   string
	}{
		{"2026-11-24 06:00:00", 5 * time.Minute, "2026-11-24 06:05:00"},
		{"2026-11-24 07:58:00", 5 * time.Minute, "2026-11-24 08:00:00"},
		{"2026-11-24 10:00:00", 5 * time.Minute, "2026-11-24 10:00:15"},
		{"2026-11-24 18:00:00", time.Hour, "2026-11-24 19:00:00"},
		{"2026-11-24 07:00:00", 0, "2026-11-24 08:00:00"},
		{"2026-11-24 18:00:00", time.Second, "2026-11-24 18:00:15"}, // never more often than when it is open
	} {
		if got, _ := h.again("DSV.CO", at(t, c.asked), 15*time.Second, c.closed); !got.Equal(at(t, c.want)) {
			t.Errorf("asked at %s: again at %s", c.asked, got)
		}
	}
	// Not asked at all while it is closed: until its hours are known better.
	if got, _ := h.again("DSV.CO", at(t, "2026-11-24 16:10:00"), 15*time.Second, 0); got.Before(at(t, "2026-11-24 16:13:00")) {
		t.Errorf("again at %s", got)
	}
}

// TestHoursAreAskedFor at once, after a session, and before the next may begin.
func TestHoursAreAskedFor(t *testing.T) {
	h := newHours(false)
	h.learn(kurs.EndpointChart, kurs.Observed{Instruments: []kurs.Instrument{{Symbol: "DSV.CO", Exchange: "CPH"}, {Symbol: "NOVO-B.CO", Exchange: "CPH"}}}, at(t, "2026-11-24 06:00:00"))
	if symbols, _ := h.due(at(t, "2026-11-24 06:00:00")); len(symbols) != 1 || symbols[0] != "DSV.CO" {
		t.Errorf("asked for %q", symbols)
	}
	session := kurs.Span{From: at(t, "2026-11-20 08:00:00"), To: at(t, "2026-11-20 16:00:00")}
	tell := func(now string) time.Time {
		h.learn(kurs.EndpointChart, kurs.Observed{Hours: []kurs.Hours{{Symbol: "DSV.CO", Exchange: "CPH", Regular: session}}}, at(t, now))
		_, next := h.due(at(t, now))
		return next
	}
	for now, want := range map[string]string{
		"2026-11-20 06:00:00": "2026-11-20 16:13:00", // after the session
		"2026-11-20 16:13:00": "2026-11-20 17:13:00", // it is over, and the next one is not told
		"2026-11-21 07:30:00": "2026-11-21 07:58:30", // Saturday: it might open
		"2026-11-21 07:58:30": "2026-11-21 08:58:30",
		"2026-11-23 07:30:00": "2026-11-23 07:58:30", // Monday
	} {
		if next := tell(now); !next.Equal(at(t, want)) {
			t.Errorf("told at %s: again at %s", now, next)
		}
	}
}
