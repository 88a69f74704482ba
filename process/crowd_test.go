package process

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestPricesThatMayNotWaitAreToldOfOnceAnHour a currency, with a count.
func TestPricesThatMayNotWaitAreToldOfOnceAnHour(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	var c crowd
	start := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for _, s := range []struct {
		after    time.Duration
		currency string
		want     string // of the line; empty: none
	}{
		{0, "GBP", "currency=GBP prices=10"},
		{time.Minute, "GBP", ""},
		{time.Minute, "JPY", "currency=JPY prices=10"},
		{time.Hour, "GBP", "currency=GBP prices=30"},
	} {
		out.Reset()
		c.turnedAway(t.Context(), log, s.currency, 10, start.Add(s.after))
		if got := out.String(); (s.want == "") != (got == "") || !strings.Contains(got, s.want) {
			t.Errorf("after %v of %s the log says %q, want %q", s.after, s.currency, got, s.want)
		}
	}
}
