package sim

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestReferenceRates are those of the market itself at 16:00 in Frankfurt, and in
// the ledger.
func TestReferenceRates(t *testing.T) {
	var ledger bytes.Buffer
	x, err := New(Config{Symbols: []string{"AAPL"}, Seed: 3, Ledger: &ledger})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path, tag string, now time.Time) *httptest.ResponseRecorder {
		t.Helper()
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, path, nil)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		x.answerAt(w, r, now.Unix())
		return w
	}
	euro, _ := x.pair("EURUSD=X")
	priceAt := func(at time.Time) string { return string(euro.path.at(at.Unix()).appendExact(nil)) }
	for _, c := range []struct{ now, published string }{
		{"2026-11-24T14:59:59Z", "2026-11-23T15:00:00Z"},
		{"2026-11-24T15:00:00Z", "2026-11-24T15:00:00Z"},
		{"2026-11-29T12:00:00Z", "2026-11-27T15:00:00Z"}, // a Sunday
		{"2026-07-01T14:00:00Z", "2026-07-01T14:00:00Z"}, // summer
	} {
		now, err1 := time.Parse(time.RFC3339, c.now)
		at, err2 := time.Parse(time.RFC3339, c.published)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		ledger.Reset()
		w := ask(referenceDaily, "", now)
		body := w.Body.String()
		want := fmt.Sprintf(`<Cube time="%s"><Cube currency="USD" rate="%s"/>`, at.Format(time.DateOnly), priceAt(at))
		if w.Code != http.StatusOK || !strings.Contains(body, want) || strings.Count(body, "currency=") != len(referenceCurrencies) {
			t.Errorf("%s: %d, %s\nwant %s", c.now, w.Code, body, want)
		}
		line := fmt.Sprintf("EURUSD=X,%d,%s,", at.UnixMilli(), priceAt(at))
		if !strings.Contains(ledger.String(), line) || strings.Count(ledger.String(), "\n") != len(referenceCurrencies) {
			t.Errorf("%s: ledger\n%swant %s", c.now, ledger.String(), line)
		}
		if again := ask(referenceDaily, w.Header().Get("ETag"), now); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: asked again: %d", c.now, again.Code)
		}
		days := ask(referenceDays, "", now).Body.String()
		if n := strings.Count(days, "time="); n < 60 || n > 66 || !strings.Contains(days, want) {
			t.Errorf("%s: %d days", c.now, n)
		}
	}
	if n := x.Stats().Requests["reference"]; n != 12 {
		t.Errorf("%d requests counted", n)
	}
}
