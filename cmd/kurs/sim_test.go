package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurs"
)

func TestSimServesUntilItIsStopped(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "ledger.csv")
	out, said := io.Pipe()
	var talk bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		cmd := simCommand(streams{out: said, err: &talk}) //nolint:contextcheck // cobra hands it over
		cmd.SetArgs([]string{"--listen", "127.0.0.1:0", "--symbols", "AAPL,VOD.L", "--seed", "7", "--ledger", ledger})
		done <- cmd.ExecuteContext(ctx)
		said.Close()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err, <-done)
	}
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("said %q", line)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v8/finance/chart/VOD.L?interval=1d&range=1d", nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	w.Body.Close()
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(ledger)
	if err != nil || strings.Count(string(written), "\n") != 1 || !strings.HasPrefix(string(written), "VOD.L,") {
		t.Errorf("ledger %q, %v", written, err)
	}
	if info, err := os.Stat(ledger); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("ledger %v, %v", info.Mode(), err)
	}
	if !strings.Contains(talk.String(), "KURS_SOURCE_YAHOO_QUERY_URL="+base) {
		t.Errorf("said %q", talk.String())
	}
}

func TestSimRefuses(t *testing.T) {
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ledger := filepath.Join(t.TempDir(), "ledger.csv")
	if err := os.WriteFile(ledger, []byte("AAPL,1000,1,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code string
		exit kurs.ExitCode
	}{
		"no instruments":        {[]string{"--symbols", "0"}, "KURS-USAGE", kurs.ExitUsage},
		"too many":              {[]string{"--symbols", "1000001"}, "KURS-USAGE", kurs.ExitUsage},
		"an empty list":         {[]string{"--symbols", " , "}, "KURS-USAGE", kurs.ExitUsage},
		"what is no symbol":     {[]string{"--symbols", "AAPL,A B"}, "KURS-USAGE", kurs.ExitUsage},
		"a port that is taken":  {[]string{"--listen", taken.Addr().String(), "--ledger", ledger}, "KURS-LISTEN", kurs.ExitFailed},
		"a ledger in no folder": {[]string{"--ledger", filepath.Join(ledger, "x")}, "KURS-LEDGER", kurs.ExitFailed},
	} {
		cmd := simCommand(streams{out: io.Discard, err: io.Discard})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append([]string{"--listen", "127.0.0.1:0"}, c.args...))
		var e *kurs.Error
		if err := cmd.ExecuteContext(t.Context()); !errors.As(err, &e) || e.Code != c.code || e.Exit != c.exit {
			t.Errorf("%s: %v", name, err)
		}
	}
	if kept, err := os.ReadFile(ledger); err != nil || len(kept) == 0 {
		t.Error("the ledger of the exchange that has the port was emptied")
	}
}
