package stdout_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/store/stdout"
	"kurs/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Promises: storetest.Promises{AtLeastOnce: true},
		New: func(t *testing.T) storetest.Data {
			var out bytes.Buffer
			config := stdout.Config{PositionFile: filepath.Join(t.TempDir(), "stdout.position")}
			return storetest.Data{
				Open: func(t *testing.T) kurs.Store { return open(t, &out, config) },
				Read: func(t *testing.T) storetest.Dump { return storetest.Dump{Quotes: read(t, out.Bytes())} },
			}
		},
	})
}

func open(t *testing.T, w io.Writer, config stdout.Config) *stdout.Store {
	t.Helper()
	s, err := stdout.Open(w, config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read is what a program makes of the lines: each price once, completed by the
// fill that came for it.
func read(t *testing.T, lines []byte) []kurs.Row {
	t.Helper()
	var rows []kurs.Row
	for scan := bufio.NewScanner(bytes.NewReader(lines)); scan.Scan(); {
		var row kurs.Row
		if err := json.Unmarshal(scan.Bytes(), &row); err != nil {
			t.Fatalf("%v in %s", err, scan.Bytes())
		}
		i := slices.IndexFunc(rows, func(o kurs.Row) bool {
			return o.Symbol == row.Symbol && o.Time.Equal(row.Time) && o.Session == row.Session && o.Source == row.Source
		})
		switch {
		case i < 0:
			rows = append(rows, row)
		case !row.PriceNative.Known() && !rows[i].PriceBase.Known():
			rows[i].FXRate, rows[i].FXTime, rows[i].FXSource, rows[i].PriceBase = row.FXRate, row.FXTime, row.FXSource, row.PriceBase
		}
	}
	return rows
}

func vodafone() kurs.Price {
	at := time.Date(2026, 11, 24, 9, 15, 1, 0, time.UTC)
	return kurs.Price{
		Quote: kurs.Quote{
			Symbol: "VOD.L", Source: "yahoo", Time: at, Session: kurs.SessionRegular,
			Value: kurs.MustDecimal("88.42"), Unit: "GBp", Volume: kurs.Volume{N: 123, Known: true},
		},
		Receipt: kurs.Receipt{Received: at.Add(time.Second), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: 1}},
		Conversion: kurs.Conversion{
			Currency: "GBP", Factor: kurs.MustDecimal("0.01"), BaseCurrency: "DKK",
			Rate: kurs.Rate{Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.6123"), Time: at, Source: "yahoo"},
		},
		Base: kurs.MustDecimal("7.61499566"),
	}
}

func waiting(p kurs.Price) (kurs.Price, kurs.Fill) {
	f := kurs.Fill{
		Symbol: p.Symbol, Source: p.Source, Time: p.Time, Session: p.Session, Receipt: p.Receipt, Rate: p.Rate, Base: p.Base,
	}
	p.Rate, p.Base = kurs.Rate{}, kurs.Decimal{}
	return p, f
}

func printed(t *testing.T, config stdout.Config, batches ...kurs.Batch) string {
	t.Helper()
	var out bytes.Buffer
	if err := open(t, &out, config).Write(t.Context(), kurs.Group{Batches: batches}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJSONLines(t *testing.T) {
	p, f := waiting(vodafone())
	got := printed(t, stdout.Config{}, kurs.Batch{BaseCurrency: "DKK", Prices: []kurs.Price{vodafone(), p}, Fills: []kurs.Fill{f, {Interval: "1d"}}})
	want := `{"symbol":"VOD.L","time":"2026-11-24T09:15:01Z","price_native":"88.42","unit":"GBp","currency_native":"GBP","factor":"0.01",` +
		`"fx_rate":"8.6123","fx_time":"2026-11-24T09:15:01Z","fx_source":"yahoo","price_base":"7.61499566","currency_base":"DKK","volume":123,` +
		`"session":"regular","source":"yahoo","received_iso":"2026-11-24T09:15:02Z"}
{"symbol":"VOD.L","time":"2026-11-24T09:15:01Z","price_native":"88.42","unit":"GBp","currency_native":"GBP","factor":"0.01",` +
		`"currency_base":"DKK","volume":123,"session":"regular","source":"yahoo","received_iso":"2026-11-24T09:15:02Z"}
{"symbol":"VOD.L","time":"2026-11-24T09:15:01Z","session":"regular","source":"yahoo","received_iso":"2026-11-24T09:15:02Z","fx_rate":"8.6123",` +
		`"fx_time":"2026-11-24T09:15:01Z","fx_source":"yahoo","price_base":"7.61499566","currency_base":"DKK"}
`
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHumanLines(t *testing.T) {
	p, f := waiting(vodafone())
	p.Session = kurs.SessionPost
	own := vodafone()
	own.Symbol, own.Unit, own.Currency, own.Value, own.Base = "NOVO-B.CO", "DKK", "DKK", kurs.MustDecimal("318.4"), kurs.MustDecimal("318.4")
	own.Rate = kurs.Identity("DKK")
	copenhagen := time.FixedZone("CET", 3600)
	batch := kurs.Batch{BaseCurrency: "DKK", Prices: []kurs.Price{vodafone(), own, p}, Fills: []kurs.Fill{f}}
	got := printed(t, stdout.Config{Human: true, Location: copenhagen}, batch)
	want := strings.Join([]string{
		"2026-11-24 10:15:01  VOD.L                 88.42 GBp         x 8.6123 GBPDKK =       7.61499566 DKK",
		"2026-11-24 10:15:01  NOVO-B.CO             318.4 DKK                         =            318.4 DKK",
		"2026-11-24 10:15:01  VOD.L                 88.42 GBp                                    no rate yet  post",
		"2026-11-24 10:15:01  VOD.L           (rate came later)       x 8.6123 GBPDKK =       7.61499566 DKK",
		"",
	}, "\n")
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	colored := printed(t, stdout.Config{Human: true, Color: true, Location: copenhagen}, batch)
	for _, code := range []string{"\x1b[2m", "\x1b[1m", "\x1b[33m", "\x1b[0m"} {
		if !strings.Contains(colored, code) {
			t.Errorf("no %q in color", code)
		}
		colored = strings.ReplaceAll(colored, code, "")
	}
	if diff := gocmp.Diff(want, colored); diff != "" {
		t.Errorf("without its codes, a line in color differs:\n%s", diff)
	}
}

// Nothing that a provider sends may reach a terminal as anything but text.
func TestNamesCannotControlATerminal(t *testing.T) {
	const evil = "\x1b[31mA\x07\u009b2J\u202eB\x7f\r\n\U000e0041"
	p := vodafone()
	p.Symbol, p.Unit, p.Currency, p.Session, p.Source, p.Rate.Source = evil, evil, evil, kurs.Session(evil), evil, evil
	_, f := waiting(p)
	for _, human := range []bool{false, true} {
		got := printed(t, stdout.Config{Human: human}, kurs.Batch{BaseCurrency: "DKK", Prices: []kurs.Price{p}, Fills: []kurs.Fill{f}})
		if lines := strings.Count(got, "\n"); lines != 2 {
			t.Errorf("human=%v: %d lines, want 2", human, lines)
		}
		if i := strings.IndexAny(got, "\x1b\x07\x7f\r\u009b\u202e\U000e0041"); i >= 0 {
			t.Errorf("human=%v: a control character at %d: %q", human, i, got)
		}
		if !human {
			if rows := read(t, []byte(got)); len(rows) != 1 || rows[0].Symbol != evil {
				t.Errorf("came back as %v", rows)
			}
		}
	}
	long := vodafone()
	long.Symbol = strings.Repeat("A", 5000)
	if got := printed(t, stdout.Config{Human: true}, kurs.Batch{Prices: []kurs.Price{long}}); len(got) > 200 {
		t.Errorf("a line of %d bytes", len(got))
	}
}

// failing is a writer that takes so many bytes and then fails.
type failing struct {
	bytes.Buffer
	room  int
	err   error
	calls int
}

func (f *failing) Write(b []byte) (int, error) {
	f.calls++
	n := min(len(b), f.room)
	f.room -= n
	f.Buffer.Write(b[:n])
	if n < len(b) {
		return n, f.err
	}
	return n, nil
}

func TestAClosedPipe(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	s := open(t, writer, stdout.Config{})
	group := kurs.Group{Batches: []kurs.Batch{{Prices: []kurs.Price{vodafone()}}}, Position: kurs.StreamPos{Epoch: "e", Seq: 1}}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), group)
	if err == nil || errors.Is(err, kurs.ErrRejected) {
		t.Fatalf("got %v", err)
	}
	if runtime.GOOS != "windows" && !errors.Is(err, stdout.ErrReaderGone) {
		t.Errorf("got %v, want ErrReaderGone", err)
	}
	if pos, err := s.Position(t.Context()); err != nil || pos.Seq != 0 {
		t.Errorf("position %v, %v", pos, err)
	}

	w := &failing{err: io.ErrClosedPipe}
	s = open(t, w, stdout.Config{})
	for range 3 {
		if err := s.Write(t.Context(), group); !errors.Is(err, stdout.ErrReaderGone) {
			t.Errorf("got %v", err)
		}
	}
	if w.calls != 1 {
		t.Errorf("written to %d times", w.calls)
	}
}

func TestAFullDiskLeavesWholeLines(t *testing.T) {
	w := &failing{room: 50, err: errors.New("no space left on device")}
	s := open(t, w, stdout.Config{})
	group := kurs.Group{Batches: []kurs.Batch{{Prices: []kurs.Price{vodafone()}}}, Position: kurs.StreamPos{Epoch: "e", Seq: 1}}
	if err := s.Write(t.Context(), group); err == nil || errors.Is(err, kurs.ErrRejected) || errors.Is(err, stdout.ErrReaderGone) {
		t.Fatalf("got %v", err)
	}
	w.room = 10_000
	for range 2 { // the second time it is printed already
		if err := s.Write(t.Context(), group); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(w.String(), "\n")
	if len(lines) != 3 || len(lines[0]) != 50 || lines[2] != "" {
		t.Fatalf("%q", lines)
	}
	if got := read(t, []byte(lines[1])); len(got) != 1 || got[0].Symbol != "VOD.L" {
		t.Errorf("%v", got)
	}
}

func TestPositionFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "folder", "stdout.position")
	config := stdout.Config{PositionFile: name}
	pos := kurs.StreamPos{Epoch: "e", Seq: 1 << 60}
	if err := open(t, io.Discard, config).Write(t.Context(), kurs.Group{Position: pos}); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, io.Discard, config).Position(t.Context()); err != nil || got != pos {
		t.Errorf("%v, %v", got, err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(name), "*"))
	if err != nil || !slices.Equal(left, []string{name}) {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.WriteFile(name, []byte("{\"epoch\":\"e\""), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Open(io.Discard, config, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("got %v", err)
	}
}
