package sim

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protowire"
)

// frameRead is a frame as this test reads it, by a decoder of its own.
type frameRead struct {
	symbol   string
	price    float32
	ms       int64
	hours    int64 // -1: not sent
	currency string
	numbers  []int
}

func readFrame(t *testing.T, text []byte, version2 bool) frameRead {
	t.Helper()
	if version2 {
		var envelope struct{ Type, Message string }
		if err := json.Unmarshal(text, &envelope); err != nil || envelope.Type != "pricing" {
			t.Fatalf("frame %s: %v", text, err)
		}
		text = []byte(envelope.Message)
	}
	b, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		t.Fatal(err)
	}
	f := frameRead{hours: -1}
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, wire, b[n:])
		if n < 0 || size < 0 {
			t.Fatalf("no message: %x", b)
		}
		value := b[n : n+size]
		f.numbers = append(f.numbers, int(number))
		switch int(number) {
		case 1:
			v, _ := protowire.ConsumeString(value)
			f.symbol = v
		case 2:
			v, _ := protowire.ConsumeFixed32(value)
			f.price = math.Float32frombits(v)
		case 3:
			v, _ := protowire.ConsumeVarint(value)
			f.ms = protowire.DecodeZigZag(v)
		case 4:
			v, _ := protowire.ConsumeString(value)
			f.currency = v
		case 7:
			v, _ := protowire.ConsumeVarint(value)
			f.hours = int64(v)
		}
		b = b[n+size:]
	}
	return f
}

func (f frameRead) line() string {
	return fmt.Sprintf("%s,%d,%s", f.symbol, f.ms, strconv.FormatFloat(float64(f.price), 'f', -1, 32))
}

func dial(t *testing.T, base, query string) *websocket.Conn {
	t.Helper()
	c, resp, err := websocket.Dial(t.Context(), strings.Replace(base, "http", "ws", 1)+"/"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func say(t *testing.T, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *websocket.Conn, version2 bool) frameRead {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return readFrame(t, text, version2)
}

func subscription(symbols ...string) string {
	text, err := json.Marshal(map[string][]string{"subscribe": symbols})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestStreamTellsThePricesOfTheMarket also holds the ledger against what was
// read: no more is sure in it, and nothing of what was read is missing.
func TestStreamTellsThePricesOfTheMarket(t *testing.T) {
	for _, version2 := range []bool{true, false} {
		t.Run(fmt.Sprintf("version2=%v", version2), func(t *testing.T) {
			var ledger bytes.Buffer
			x := market(t, Config{Symbols: []string{"AAPL", "VOD.L", "BTC-USD"}, Seed: 4, Ledger: &ledger, TickRate: 20})
			base, stop := run(t, x)
			c := dial(t, base, map[bool]string{true: "?version=2"}[version2])
			say(t, c, subscription("AAPL", "VOD.L", "BTC-USD", "DKK=X", "USDSEK=X", "NOSUCH"))
			read := map[string]bool{}
			symbols := map[string]bool{}
			for range 60 {
				f := hear(t, c, version2)
				in, _ := x.lookup(f.symbol)
				if want := in.path.at(f.ms / 1000).float32(); f.price != want || f.ms%1000 != 0 || f.hours != 1 {
					t.Fatalf("%+v, the market says %v", f, want)
				}
				if has := f.currency != ""; has != (f.symbol == "BTC-USD") {
					t.Errorf("%s tells the currency %q", f.symbol, f.currency)
				}
				if !slices.Contains(f.numbers, 46) || !slices.Contains(f.numbers, 47) {
					t.Errorf("fields %v", f.numbers)
				}
				read[f.line()], symbols[f.symbol] = true, true
			}
			if len(symbols) != 4 {
				t.Errorf("frames of %v: four expected, a long name of a pair from the dollar has none", symbols)
			}
			go func() { // reads what is left, so that the end can be orderly
				for {
					_, text, err := c.Read(context.WithoutCancel(t.Context()))
					if err != nil {
						return
					}
					_ = text
				}
			}()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			sure := map[string]bool{}
			for line := range strings.Lines(ledger.String()) {
				parts := strings.Split(strings.TrimSpace(line), ",")
				sure[strings.Join(parts[:3], ",")] = true
			}
			for line := range read {
				if !sure[line] {
					t.Errorf("%s was read and is not in the ledger", line)
				}
			}
			if s := x.Stats().Streams; s.Open != 0 || s.Opened != 1 || s.Frames < 60 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestStreamWithoutAReaderIsInDoubt(t *testing.T) {
	var ledger bytes.Buffer
	x := market(t, Config{Symbols: []string{"AAPL"}, Ledger: &ledger, TickRate: 1})
	base, stop := run(t, x)
	c := dial(t, base, "?version=2")
	say(t, c, subscription("AAPL"))
	f := hear(t, c, true)
	// Not read any further: whatever is sent from here on is not confirmed, and
	// nor is the first frame, since no pong is sent but by reading.
	if err := c.CloseNow(); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(ledger.String(), f.line()+",1?\n") {
		t.Errorf("%s is not in doubt:\n%s", f.line(), ledger.String())
	}
}

func TestStreamIsFullAtAHundred(t *testing.T) {
	x := market(t, Config{Count: 130, TickRate: 5})
	base, _ := run(t, x)
	c := dial(t, base, "?version=2")
	names := slices.DeleteFunc(x.Symbols(), func(s string) bool { return strings.HasPrefix(s, "0P") })
	say(t, c, subscription(append([]string{"UNKNOWN1"}, names[:50]...)...))
	say(t, c, subscription(names[50:120]...))
	say(t, c, `{"unsubscribe":["UNKNOWN1"]}`)
	say(t, c, subscription(names[119])) // into the place that was freed
	seen := map[string]bool{}
	for len(seen) < 100 {
		seen[hear(t, c, true).symbol] = true
	}
	for range 300 {
		seen[hear(t, c, true).symbol] = true
	}
	if len(seen) != 100 || seen[names[99]] || !seen[names[98]] || !seen[names[119]] {
		t.Errorf("%d symbols; the 100th %v, the one before %v, the one after %v", len(seen), seen[names[99]], seen[names[98]], seen[names[119]])
	}
}

func TestStreamClosesOnWhatItDoesNotUnderstand(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL"}, TickRate: 1})
	base, _ := run(t, x)
	for _, text := range []string{"hello", `{"subscribe":"AAPL"}`, `{"subscribe":[null]}`, `{"heartbeat":[]}`, `null`, `[1]`} {
		c := dial(t, base, "?version=2")
		say(t, c, `{}`)
		say(t, c, `{"subscribe":[]}`)
		say(t, c, `{"unsubscribe":["UNKNOWN"]}`)
		say(t, c, text)
		_, _, err := c.Read(t.Context())
		if code := websocket.CloseStatus(err); code != websocket.StatusNoStatusRcvd {
			t.Errorf("%s: closed with %v (%v)", text, code, err)
		}
	}
}

// TestFramesBeforeTheOpening: hours 0 is written, and after the close comes the
// last price at once, however old.
func TestFramesBeforeTheOpening(t *testing.T) {
	x := market(t, Config{Symbols: []string{"AAPL", "NOVO-B.CO"}, Hours: true})
	for _, c := range []struct {
		symbol, at string
		live       bool
		hours      uint64
		priceAt    string
	}{
		{"AAPL", "2026-11-24T13:00:00Z", true, preHours, "2026-11-24T13:00:00Z"},
		{"AAPL", "2026-11-24T15:00:00Z", true, regularHours, "2026-11-24T15:00:00Z"},
		{"AAPL", "2026-11-24T22:00:00Z", true, postHours, "2026-11-24T22:00:00Z"},
		{"AAPL", "2026-11-22T12:00:00Z", false, postHours, "2026-11-21T01:00:00Z"},
		{"NOVO-B.CO", "2026-11-22T12:00:00Z", false, regularHours, "2026-11-20T16:00:00Z"},
	} {
		in, _ := x.lookup(c.symbol)
		now := unixOf(t, c.at)
		s := &stream{x: x, second: now, moments: map[*venue]*moment{}}
		p, live := s.pricing(in, now)
		if live != c.live || p.hours != c.hours || p.at != unixOf(t, c.priceAt) {
			t.Errorf("%s at %s: live %v, hours %d, of %d", c.symbol, c.at, live, p.hours, p.at)
		}
		text := appendFrame(nil, p.appendTo(nil), false)
		if f := readFrame(t, text, false); f.hours != int64(c.hours) {
			t.Errorf("hours %d on the wire", f.hours)
		}
	}
}

func TestStreamFaults(t *testing.T) {
	t.Run("drop", func(t *testing.T) {
		x := market(t, Config{Symbols: []string{"AAPL"}, TickRate: 1, Faults: Faults{StreamDrop: 1}})
		base, _ := run(t, x)
		c := dial(t, base, "")
		if _, _, err := c.Read(t.Context()); err == nil {
			t.Error("still open")
		}
	})
	t.Run("stall", func(t *testing.T) {
		x := market(t, Config{Symbols: []string{"AAPL"}, TickRate: 50, Faults: Faults{StreamStall: 1}})
		base, _ := run(t, x)
		c := dial(t, base, "")
		say(t, c, subscription("AAPL"))
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, text, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s, %v", text, err)
		}
	})
	t.Run("frames", func(t *testing.T) {
		x := market(t, Config{Symbols: []string{"AAPL"}, TickRate: 200, Faults: Faults{Stale: 0.3, Duplicate: 0.3, Shuffle: 0.3, Missing: 0.3, StreamGarbage: 0.3}})
		base, _ := run(t, x)
		c := dial(t, base, "")
		say(t, c, subscription("AAPL"))
		garbage, stale, late, last := 0, 0, 0, int64(0)
		for garbage == 0 || stale == 0 || late == 0 {
			_, text, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(garbageFrames[:], string(text)) {
				garbage++
				continue
			}
			f := readFrame(t, text, false)
			switch {
			case last-f.ms > 5000:
				stale++
			case f.ms < last:
				late++
			default:
				last = f.ms
			}
			in, _ := x.lookup("AAPL")
			if f.price != in.path.at(f.ms/1000).float32() {
				t.Fatalf("%+v", f)
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	x := market(b, Config{Count: 100})
	s := &stream{x: x, second: time.Now().Unix(), moments: map[*venue]*moment{}, version2: true}
	for b.Loop() {
		for _, name := range x.Symbols() {
			in, _ := s.instrumentOf(name)
			p, _ := s.pricing(in, s.second)
			s.message = p.appendTo(s.message[:0])
			s.frame = appendFrame(s.frame[:0], s.message, true)
		}
	}
	b.ReportMetric(float64(b.N)*100/b.Elapsed().Seconds(), "frames/s")
}
