package process

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
)

// TestAStandInIsToldOnce: when it begins, and when the preferred source is back;
// neither each price nor going to and fro makes a line.
func TestAStandInIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		s := newStandIns([]string{"yahoo", "ecb"}, slog.New(slog.NewTextHandler(&text, nil)))
		usd := kurs.Pair{From: "USD", To: "DKK"}
		see := func(pair kurs.Pair, source string, at time.Time) {
			s.see(t.Context(), &kurs.Rate{Pair: pair, Value: kurs.Int(6), Source: source}, at)
		}
		lines := func(want ...string) {
			t.Helper()
			all := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
			if text.Len() == 0 {
				all = nil
			}
			if len(all) != len(want) {
				t.Fatalf("%d lines, want %d:\n%s", len(all), len(want), text.String())
			}
			for i := range want {
				if !strings.Contains(all[i], want[i]) {
					t.Errorf("line %q, want %q", all[i], want[i])
				}
			}
			text.Reset()
		}
		start := time.Now()
		see(usd, "yahoo", start)
		see(usd, "yahoo via EUR", start)
		lines()
		for i := range 1000 {
			see(usd, "ecb via EUR", start.Add(time.Duration(i)*time.Second))
		}
		lines("another source, since the preferred one has none of the right time\" pair=USDDKK source=ecb preferred=yahoo")
		see(usd, "yahoo", start) // an old price that comes late
		see(usd, "yahoo", start.Add(2000*time.Second))
		see(usd, "ecb", start.Add(2001*time.Second)) // to and fro
		lines()
		<-time.NewTimer(standInQuiet).C
		see(usd, "yahoo", start.Add(2002*time.Second))
		lines("preferred source again\" pair=USDDKK source=yahoo")
		see(kurs.Pair{From: "GBP", To: "DKK"}, "ecb", start)
		lines("pair=GBPDKK source=ecb")

		// Nothing is to be said of these.
		s.see(t.Context(), &kurs.Rate{}, start)
		id := kurs.Identity("DKK")
		s.see(t.Context(), &id, start)
		lines()
		for i := range 2 * mostPairs {
			see(kurs.Pair{From: fmt.Sprintf("%03d", i), To: fmt.Sprintf("%03d", i%7)}, "yahoo", start)
		}
		if len(s.of) > mostPairs {
			t.Errorf("%d pairs are remembered", len(s.of))
		}
		none := newStandIns([]string{"ecb"}, slog.New(slog.NewTextHandler(&text, nil)))
		none.seeAll(t.Context(), &kurs.Batch{Prices: []kurs.Price{{Conversion: kurs.Conversion{Rate: kurs.Rate{Value: kurs.Int(1), Source: "yahoo"}}}}})
		lines()
	})
}
