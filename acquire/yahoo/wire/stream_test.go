package wire_test

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

func TestStream(t *testing.T) {
	with := func(change func(*message)) message {
		m := share()
		change(&m)
		return m
	}
	const plain = "quote DKNG 2026-09-02T19:00:29Z regular 24.535 unit=- bid=- ask=- volume=6719763 delay=0s\n"
	quoteOf := func(session, price, unit, bid, ask, volume, more string) string {
		return "quote DKNG 2026-09-02T19:00:29Z " + session + " " + price + " unit=" + unit + " bid=" + bid + " ask=" + ask + " volume=" + volume + " delay=0s" + more + "\n"
	}
	tag := func(n protowire.Number, kind protowire.Type) []byte { return protowire.AppendTag(nil, n, kind) }
	tests := []struct {
		name string
		m    message
		want string
	}{
		{"share", share(), plain},
		{"pre-market is 0, written", with(func(m *message) { m.hours = new(uint64(0)) }), strings.Replace(plain, "regular", "pre", 1)},
		{"market hours not sent", with(func(m *message) { m.hours = nil }), plain},
		{"post-market", with(func(m *message) { m.hours = new(uint64(2)) }), strings.Replace(plain, "regular", "post", 1)},
		{"extended hours", with(func(m *message) { m.hours = new(uint64(3)) }), strings.Replace(plain, "regular", "post", 1)},
		{"hours that are new", with(func(m *message) { m.hours = new(uint64(9)) }), strings.Replace(plain, "regular", "post", 1)},
		{"currency, bid, ask", with(func(m *message) {
			m.currency, m.bid, m.ask = "USD", new(float32(24.53)), new(float32(24.54))
		}), quoteOf("regular", "24.535", "USD", "24.53", "24.54", "6719763", "")},
		{"bid and ask of 0", with(func(m *message) { m.bid, m.ask = new(float32(0)), new(float32(-1)) }), plain},
		{"8 digits", with(func(m *message) { m.price = new(float32(35532.117)) }), quoteOf("regular", "35532.117", "-", "-", "-", "6719763", " approximate")},
		{"no volume", with(func(m *message) { m.volume = nil }), quoteOf("regular", "24.535", "-", "-", "-", "-", "")},
		{"volume of 0", with(func(m *message) { m.volume = new(int64(0)) }), quoteOf("regular", "24.535", "-", "-", "-", "0", "")},
		{"volume beyond 2^31", with(func(m *message) { m.volume = new(int64(59_712_028_672)) }), quoteOf("regular", "24.535", "-", "-", "-", "59712028672", "")},
		{"negative volume", with(func(m *message) { m.volume = new(int64(-5)) }), quoteOf("regular", "24.535", "-", "-", "-", "-", "")},
		{"fields of 2026", with(func(m *message) {
			m.more = protowire.AppendFixed32(tag(46, protowire.Fixed32Type), 1)
			m.more = append(m.more, protowire.AppendFixed32(tag(47, protowire.Fixed32Type), 1)...)
			m.more = append(m.more, protowire.AppendFixed64(tag(32, protowire.Fixed64Type), 1)...)
		}), plain},
		{"known fields of another type", with(func(m *message) {
			m.more = protowire.AppendVarint(tag(2, protowire.VarintType), 5)
			m.more = append(m.more, protowire.AppendString(tag(3, protowire.BytesType), "x")...)
			m.more = append(m.more, protowire.AppendFixed64(tag(1, protowire.Fixed64Type), 1)...)
		}), plain},
		{"a field twice: the last counts", with(func(m *message) {
			m.more = protowire.AppendFixed32(tag(2, protowire.Fixed32Type), math.Float32bits(99.5))
		}), strings.Replace(plain, "24.535", "99.5", 1)},
		{"long form of a pair", with(func(m *message) { m.id, m.kind = "USDJPY=X", new(uint64(14)) }), strings.Replace(plain, "DKNG", "JPY=X", 1)},
		{"milliseconds", with(func(m *message) { m.ms += 250 }), strings.Replace(plain, ":29Z", ":29.25Z", 1)},
		{"heartbeat", with(func(m *message) { m.kind = new(uint64(7)) }), ""},
		{"no symbol", with(func(m *message) { m.id = "" }), ""},
		{"no price", with(func(m *message) { m.price = nil }), ""},
		{"no time", with(func(m *message) { m.ms = 0 }), ""},
		{"time before 1970", with(func(m *message) { m.ms = -5 }), ""},
		{"NaN", with(func(m *message) { m.price = new(float32(math.NaN())) }), ""},
		{"Infinity", with(func(m *message) { m.price = new(float32(math.Inf(1))) }), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for version, frame := range map[string]string{"1": tt.m.v1(), "2": tt.m.v2()} {
				o, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointStream, Body: []byte(frame)})
				if err != nil {
					t.Fatalf("version %s: %v", version, err)
				}
				if len(o.Instruments) != len(o.Quotes) {
					t.Errorf("version %s: %d instruments, %d quotes", version, len(o.Instruments), len(o.Quotes))
				}
				o.Instruments = nil
				if diff := cmp.Diff(tt.want, render(o)); diff != "" {
					t.Errorf("version %s: %s", version, diff)
				}
			}
		})
	}
}

func TestStreamKinds(t *testing.T) {
	kinds := map[uint64]kurs.InstrumentKind{
		0: "", 5: kurs.KindOther, 8: kurs.KindEquity, 9: kurs.KindIndex, 11: kurs.KindFund, 12: kurs.KindFund, 13: kurs.KindOption, 14: kurs.KindCurrency,
		15: kurs.KindOther, 18: kurs.KindFuture, 20: kurs.KindETF, 41: kurs.KindCryptocurrency, 1000: kurs.KindOther, math.MaxUint64 - 1: kurs.KindOther,
	}
	for number, want := range kinds {
		m := share()
		m.kind, m.name, m.currency = &number, "Some Name", "EUR"
		o, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointStream, Body: []byte(m.v1())})
		if err != nil {
			t.Fatal(err)
		}
		want := []kurs.Instrument{{Symbol: "DKNG", Source: "yahoo", Name: "Some Name", Kind: want, Exchange: "NMS", Unit: "EUR"}}
		if diff := cmp.Diff(want, o.Instruments); diff != "" {
			t.Errorf("quote_type %d: %s", number, diff)
		}
	}
}

func TestStreamOfSeveralFrames(t *testing.T) {
	a, b, c := share(), share(), share()
	a.id, b.id, c.id = "A", "B", "C"
	pretty := "{\n  \"message\": \"" + c.v1() + "\",\n  \"type\": \"pricing\"\n}\n"
	body := a.v1() + "\n" + b.v2() + "\r\n\n" + `{"type":"motd","message":"hello"}` + "\n" + `{"type":"status"}` + pretty
	o, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointStream, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range o.Quotes {
		got = append(got, q.Symbol)
	}
	if diff := cmp.Diff([]string{"A", "B", "C"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestGuess(t *testing.T) {
	tests := []struct {
		name, body string
		want       kurs.Endpoint
	}{
		{"quote", `{"quoteResponse":{"result":[]}}`, kurs.EndpointQuote},
		{"quote cut off", `{"quoteResponse":{"res`, kurs.EndpointQuote},
		{"quoteSummary", ` {"quoteSummary":{}}`, kurs.EndpointQuote},
		{"any error", `{"finance":{"error":{}}}`, kurs.EndpointQuote},
		{"rate limit", "Edge: Too Many Requests", kurs.EndpointQuote},
		{"chart", "\n{\"chart\":{}}", kurs.EndpointChart},
		{"spark v7", `{"spark":{}}`, kurs.EndpointSpark},
		{"spark v8", `{"A":{"close":[],"timestamp":[]}}`, kurs.EndpointSpark},
		{"search", `{"explains":[],"count":0,"quotes":[]}`, kurs.EndpointSearch},
		{"frame v2", share().v2(), kurs.EndpointStream},
		{"frame v2, message first", `{"message":"x","type":"pricing"}`, kurs.EndpointStream},
		{"frame v1", share().v1(), kurs.EndpointStream},
		{"frames v1", share().v1() + "\n" + share().v1() + "\n", kurs.EndpointStream},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.Guess([]byte(tt.body))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestGuessRefuses(t *testing.T) {
	other := base64.StdEncoding.EncodeToString(protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 5))
	tests := []struct{ name, body, want string }{
		{"nothing", "", "line 1, column 1: the answer is empty"},
		{"another object", "\n {\"hello\":[1]}", "line 2, column 2: an object without any member"},
		{"broken object", `{"hello":[1`, "line 1, column 12: the answer is cut off"},
		{"no spark", `{"A":{"close":[]}}`, "an object without any member"},
		{"a crumb", "haT3oykhHqZ", "no JSON object"},
		{"a word that is base64", "abcd", "no JSON object"},
		{"a message of something else", other, "no JSON object"},
		{"a page", "<html><title>Yahoo</title></html>", `a web page instead of an answer: "Yahoo"`},
		{"CSV", "Date,Open\n2020-01-01,1", "no JSON object"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wire.Guess([]byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
