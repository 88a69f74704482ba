package yahoo

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestOneSessionForAllProcesses: several that share a state directory ask for one
// session together, also when they begin at the same moment.
func TestOneSessionForAllProcesses(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{units: symbols()}
		c := Config{Symbols: []string{"AAPL", "VOD.L"}, Interval: 10 * time.Second, StateDir: dir}
		all := []*recording{record(t, f, c), record(t, f, c), record(t, f, c)}
		wait(time.Minute)
		for _, r := range all {
			r.stop()
			if r.prices("AAPL") < 5 {
				t.Errorf("%d prices", r.prices("AAPL"))
			}
		}
		if f.sessions != 1 {
			t.Errorf("%d sessions", f.sessions)
		}
	})
}

// TestWhatOneProcessRenewedTheOthersTake: the session is denied to all of them,
// and one new one is fetched.
func TestWhatOneProcessRenewedTheOthersTake(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var denied atomic.Bool
		f := &fake{units: symbols(), odd: func(r *http.Request) (*http.Response, error) {
			if denied.Load() && r.URL.Query().Get("crumb") == "crumb1" {
				return answerOf(401, `{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Cookie"}}}`), nil
			}
			return nil, nil //nolint:nilnil // the right answer
		}}
		c := Config{Symbols: []string{"AAPL", "VOD.L"}, Interval: 10 * time.Second, StateDir: dir}
		all := []*recording{record(t, f, c), record(t, f, c), record(t, f, c)}
		wait(time.Minute)
		denied.Store(true)
		wait(time.Minute)
		for _, r := range all {
			r.stop()
			if r.prices("AAPL") < 11 {
				t.Errorf("%d prices", r.prices("AAPL"))
			}
			if r.log.count("no session") != 0 {
				t.Errorf("it was told:\n%s", r.log.String())
			}
		}
		if f.sessions != 2 {
			t.Errorf("%d sessions", f.sessions)
		}
	})
}
