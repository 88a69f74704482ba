package wire_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/internal/testkit"
)

// Whatever is sent: no panic, no more is observed than was sent, and all of it
// can be written down and read again.

func FuzzDecodeQuote(f *testing.F)  { fuzz(f, kurs.EndpointQuote) }
func FuzzDecodeChart(f *testing.F)  { fuzz(f, kurs.EndpointChart) }
func FuzzDecodeSpark(f *testing.F)  { fuzz(f, kurs.EndpointSpark) }
func FuzzDecodeSearch(f *testing.F) { fuzz(f, kurs.EndpointSearch) }

func FuzzDecodeStream(f *testing.F) {
	f.Add([]byte(share().v1()))
	f.Add([]byte(share().v2()))
	f.Add([]byte(share().v2() + "\n" + share().v1()))
	fuzz(f, kurs.EndpointStream)
}

func FuzzGuess(f *testing.F) {
	seed(f, "*")
	testkit.Corpus(f)
	f.Add([]byte(share().v1()))
	f.Fuzz(func(t *testing.T, body []byte) {
		endpoint, err := wire.Guess(body)
		if err != nil && !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("not a rejection: %v", err)
		}
		if (err == nil) != (endpoint != "") {
			t.Errorf("endpoint %q with error %v", endpoint, err)
		}
		if err == nil {
			check(t, endpoint, body)
		}
	})
}

func fuzz(f *testing.F, endpoint kurs.Endpoint) {
	f.Helper()
	testkit.Corpus(f)
	seed(f, string(endpoint))
	f.Fuzz(func(t *testing.T, body []byte) { check(t, endpoint, body) })
}

// seed begins with the fixtures.
func seed(f *testing.F, endpoint string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", endpoint+"-*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".golden" {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

func check(t *testing.T, endpoint kurs.Endpoint, body []byte) {
	t.Helper()
	o, err := wire.Decode(kurs.Raw{Endpoint: endpoint, Asked: []string{"AAPL"}, Body: body})
	if err != nil {
		if !errors.Is(err, kurs.ErrRejected) {
			t.Errorf("not a rejection: %v", err)
		}
		return
	}
	if n := len(o.Quotes) + len(o.Bars) + len(o.Events) + len(o.Instruments) + len(o.Found); n > len(body) {
		t.Errorf("%d things in %d bytes", n, len(body))
	}
	for _, q := range o.Quotes {
		checkKey(t, q.Symbol, q.Time)
		checkNumbers(t, true, q.Value)
		checkNumbers(t, false, q.Bid, q.Ask)
		if q.Session == "" || q.Delay < 0 || q.Volume.N < 0 {
			t.Errorf("odd quote %+v", q)
		}
	}
	for _, b := range o.Bars {
		checkKey(t, b.Symbol, b.Start)
		checkNumbers(t, true, b.Close)
		checkNumbers(t, false, b.Open, b.High, b.Low)
	}
	for _, e := range o.Events {
		checkKey(t, e.Symbol, e.Time)
		checkNumbers(t, false, e.Amount, e.Numerator, e.Denominator)
	}
	for _, i := range o.Instruments {
		for _, s := range []string{i.Symbol, i.Name, i.Exchange, i.Unit, i.TimeZone} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is no text", s)
			}
		}
	}
	if o.Failure != nil && o.Failure.Kind == "" {
		t.Errorf("a failure of no kind: %v", o.Failure)
	}
}

func checkKey(t *testing.T, symbol string, at time.Time) {
	t.Helper()
	if symbol == "" || symbol != kurs.CanonicalSymbol(symbol) || at.Unix() <= 0 && at.UnixMilli() <= 0 || at.Year() > 9999 {
		t.Errorf("symbol %q at %v", symbol, at)
	}
}

func checkNumbers(t *testing.T, known bool, numbers ...kurs.Decimal) {
	t.Helper()
	for _, d := range numbers {
		if known && !d.Known() {
			t.Error("a price that is not known")
		}
		if !d.Known() {
			continue
		}
		back, err := kurs.ParseDecimal(d.String())
		if err != nil || back != d {
			t.Errorf("%s comes back as %s: %v", d, back, err)
		}
	}
}
