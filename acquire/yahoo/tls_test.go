package yahoo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/sim"
)

// TestOverTLS is the way to Yahoo itself: quotes over HTTP/2, and the stream, for
// which that does not work, over HTTP/1.1, by the same transport.
func TestOverTLS(t *testing.T) {
	x, err := sim.New(sim.Config{Symbols: []string{"AAPL", "VOD.L"}, TickRate: 5, Faults: sim.Faults{Consent: true}})
	if err != nil {
		t.Fatal(err)
	}
	var second, upgraded atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Upgrade") != "":
			upgraded.Add(1)
			if r.ProtoMajor != 1 {
				t.Errorf("a stream over %s", r.Proto)
			}
		case r.ProtoMajor == 2:
			second.Add(1)
		}
		x.Handler().ServeHTTP(w, r)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	cfg := Config{
		QueryURL: server.URL, SessionURL: server.URL, Symbols: []string{"AAPL", "VOD.L"}, Base: "DKK", Interval: 200 * time.Millisecond,
	}
	checked, err := cfg.checked()
	if err != nil {
		t.Fatal(err)
	}
	if want := "wss" + strings.TrimPrefix(server.URL, "https") + "/?version=2"; checked.StreamURL != want {
		t.Fatalf("streamed from %s, want %s", checked.StreamURL, want)
	}
	transport := newTransport(checked)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	cfg.Transport = transport
	source, err := New(cfg, wire.Decode, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	frames := 0
	err = source.Run(ctx, func(_ context.Context, raw kurs.Raw, _ kurs.RawKind) error {
		if raw.Endpoint == kurs.EndpointStream {
			if frames++; frames == 3 {
				cancel()
			}
		}
		return nil
	})
	if err != nil || frames < 3 || second.Load() < 3 || upgraded.Load() != 1 {
		t.Errorf("%v; %d messages of the stream, %d requests over HTTP/2, %d streams", err, frames, second.Load(), upgraded.Load())
	}
}
