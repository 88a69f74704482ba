package sim

import (
	"testing"
	"time"
)

// The clocks of Europe went back on 26 October 2025, those of the United States
// on 2 November; in the week between, New York is five hours from Copenhagen.
func TestMarketState(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL", "ORSTED.CO", "VOD.L", "7203.T", "DKK=X", "BTC-USD", "GC=F", "NBK.KW"}, Hours: true})
	for _, c := range []struct{ symbol, at, state, regular, extended string }{
		{"AAPL", "2025-10-22T13:29:59Z", "PRE", "2025-10-21T20:00:00Z", "2025-10-22T13:29:59Z"},
		{"AAPL", "2025-10-22T13:30:00Z", "REGULAR", "2025-10-22T13:30:00Z", ""},
		{"AAPL", "2025-10-22T19:59:59Z", "REGULAR", "2025-10-22T19:59:59Z", ""},
		{"AAPL", "2025-10-22T20:00:00Z", "POST", "2025-10-22T20:00:00Z", ""},
		{"AAPL", "2025-10-22T21:00:00Z", "POST", "2025-10-22T20:00:00Z", "2025-10-22T21:00:00Z"},
		{"AAPL", "2025-10-23T02:00:00Z", "POSTPOST", "2025-10-22T20:00:00Z", "2025-10-23T00:00:00Z"},
		{"AAPL", "2025-10-23T06:00:00Z", "PREPRE", "2025-10-22T20:00:00Z", "2025-10-23T00:00:00Z"},
		{"AAPL", "2025-10-25T15:00:00Z", "CLOSED", "2025-10-24T20:00:00Z", "2025-10-25T00:00:00Z"},
		{"AAPL", "2025-10-29T13:30:00Z", "REGULAR", "2025-10-29T13:30:00Z", ""},
		{"AAPL", "2025-11-03T13:30:00Z", "PRE", "2025-10-31T20:00:00Z", "2025-11-03T13:30:00Z"},
		{"AAPL", "2025-11-03T14:30:00Z", "REGULAR", "2025-11-03T14:30:00Z", ""},
		{"ORSTED.CO", "2025-10-24T06:59:59Z", "PREPRE", "2025-10-23T15:00:00Z", ""},
		{"ORSTED.CO", "2025-10-24T07:00:00Z", "REGULAR", "2025-10-24T07:00:00Z", ""},
		{"ORSTED.CO", "2025-10-27T07:00:00Z", "PREPRE", "2025-10-24T15:00:00Z", ""},
		{"ORSTED.CO", "2025-10-27T08:00:00Z", "REGULAR", "2025-10-27T08:00:00Z", ""},
		{"ORSTED.CO", "2025-10-27T16:00:00Z", "POSTPOST", "2025-10-27T16:00:00Z", ""},
		{"VOD.L", "2026-03-30T06:59:59Z", "PREPRE", "2026-03-27T16:30:00Z", ""},
		{"VOD.L", "2026-03-30T07:00:00Z", "REGULAR", "2026-03-30T07:00:00Z", ""},
		{"7203.T", "2025-10-23T00:30:00Z", "REGULAR", "2025-10-23T00:30:00Z", ""},
		{"7203.T", "2025-10-26T23:59:59Z", "PREPRE", "2025-10-24T06:30:00Z", ""},
		{"NBK.KW", "2025-10-26T07:00:00Z", "REGULAR", "2025-10-26T07:00:00Z", ""},
		{"NBK.KW", "2025-10-24T07:00:00Z", "CLOSED", "2025-10-23T09:40:00Z", ""},
		{"DKK=X", "2025-10-24T20:59:59Z", "REGULAR", "2025-10-24T20:59:59Z", ""},
		{"DKK=X", "2025-10-24T21:00:00Z", "CLOSED", "2025-10-24T21:00:00Z", ""},
		{"DKK=X", "2025-10-26T21:59:59Z", "CLOSED", "2025-10-24T21:00:00Z", ""},
		{"DKK=X", "2025-10-26T22:00:00Z", "REGULAR", "2025-10-26T22:00:00Z", ""},
		{"BTC-USD", "2025-10-26T03:00:00Z", "REGULAR", "2025-10-26T03:00:00Z", ""},
		{"GC=F", "2025-10-22T21:30:00Z", "CLOSED", "2025-10-22T21:00:00Z", ""},
		{"GC=F", "2025-10-22T22:00:00Z", "REGULAR", "2025-10-22T22:00:00Z", ""},
	} {
		m := instrumentOf(t, x, c.symbol).venue.momentAt(unixOf(t, c.at))
		extended := ""
		if e := max(m.pre, m.post); e != 0 {
			extended = time.Unix(e, 0).UTC().Format(time.RFC3339)
		}
		regular := time.Unix(m.regular, 0).UTC().Format(time.RFC3339)
		if m.state != c.state || regular != c.regular || extended != c.extended {
			t.Errorf("%s at %s: %s %s %q, want %s %s %q", c.symbol, c.at, m.state, regular, extended, c.state, c.regular, c.extended)
		}
	}
}

func TestWithoutHoursEverythingIsOpen(t *testing.T) {
	x := market(t, Config{Count: 200})
	at := unixOf(t, "2025-10-25T23:59:59Z") // a Saturday
	for _, in := range everything(x) {
		m := in.venue.momentAt(at)
		if m.state != stateRegular || m.regular != at || m.current.open != at-at%day || m.current.close != m.current.open+day {
			t.Fatalf("%s: %+v", in.symbol, m)
		}
	}
}
