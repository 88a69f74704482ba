package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func market(tb testing.TB, c Config) *Exchange {
	tb.Helper()
	x, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

func instrumentOf(tb testing.TB, x *Exchange, symbol string) *instrument {
	tb.Helper()
	in, ok := x.lookup(symbol)
	if !ok {
		tb.Fatalf("%s does not exist", symbol)
	}
	return in
}

func unixOf(tb testing.TB, s string) int64 {
	tb.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		tb.Fatal(err)
	}
	return at.Unix()
}

func everything(x *Exchange) []*instrument {
	all := append([]*instrument{}, x.instruments...)
	for _, a := range currencyCodes() {
		for _, b := range currencyCodes() {
			if in, ok := x.pair(a + b + "=X"); ok {
				all = append(all, in)
			}
		}
	}
	return all
}

func TestAPriceSurvivesFloat32(t *testing.T) {
	x := market(t, Config{Count: 1500, Seed: 3})
	all := everything(x)
	if want := 1500 + len(monies)*(len(monies)-1); len(all) != want {
		t.Fatalf("%d instruments, want %d", len(all), want)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, in := range all {
		for range 40 {
			p := in.path.at(r.Int64N(2_500_000_000))
			exact := string(p.appendExact(nil))
			if back := strconv.FormatFloat(float64(p.float32()), 'f', -1, 32); back != exact {
				t.Fatalf("%s: %s comes back as %s", in.symbol, exact, back)
			}
			if digits := len(strings.TrimLeft(strings.ReplaceAll(exact, ".", ""), "0")); digits > maxDigits || p.coef < 50 {
				t.Fatalf("%s: %s has %d digits", in.symbol, exact, digits)
			}
		}
	}
}

func TestTheSeedIsTheMarket(t *testing.T) {
	const at = 1_795_000_000
	say := func(seed uint64) string {
		var b strings.Builder
		x := market(t, Config{Count: 300, Seed: seed})
		for _, in := range x.instruments {
			fmt.Fprintln(&b, in.symbol, in.long, in.unit, in.path.at(at))
		}
		return b.String()
	}
	one, again, other := say(1), say(1), say(2)
	if one != again {
		t.Error("one seed, two markets")
	}
	if one == other {
		t.Error("two seeds, one market")
	}
}

func TestAnyNumberOfSymbols(t *testing.T) {
	for _, n := range []int{1, 12, 42, 43, 20_000} {
		symbols := market(t, Config{Count: n, Seed: 9}).Symbols()
		seen := make(map[string]bool)
		for _, s := range symbols {
			if !validSymbol(s) {
				t.Errorf("%q is not a symbol", s)
			}
			seen[s] = true
		}
		if len(symbols) != n || len(seen) != n {
			t.Errorf("asked for %d: %d symbols, %d of them different", n, len(symbols), len(seen))
		}
	}
}

func TestSymbolsSayWhatTheyAre(t *testing.T) {
	for symbol, want := range map[string]string{
		"XYZ": "EQUITY NMS USD", "FOO.CO": "EQUITY CPH DKK", "foo.l": "EQUITY LSE GBp", "FOO.JO": "EQUITY JNB ZAc",
		"FOO.TA": "EQUITY TLV ILA", "FOO.KW": "EQUITY KUW KWF", "9999.T": "EQUITY JPX JPY", "FOO-EUR": "CRYPTOCURRENCY CCC EUR",
		"^FOO": "INDEX SNP USD", "FO=F": "FUTURE CMX USD", "0P0000ABCD": "MUTUALFUND NMS USD", "BRK-B": "EQUITY NYQ USD",
		"BRK.B": "EQUITY NMS USD", "VUSA.L": "ETF LSE GBP", "^OMXC25": "INDEX CPH DKK",
		"USDDKK=X": "CURRENCY CCY DKK", "eurdkk=x": "CURRENCY CCY DKK",
	} {
		in := instrumentOf(t, market(t, Config{Symbols: []string{symbol}}), symbol)
		if got := in.kind.quoteType() + " " + in.venue.code + " " + in.unit; got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
}

func TestWhatCannotBeListed(t *testing.T) {
	for name, c := range map[string]Config{
		"nothing":            {},
		"a comma":            {Symbols: []string{"A,B"}},
		"a blank":            {Symbols: []string{"A B"}},
		"nothing in a list":  {Symbols: []string{""}},
		"an unknown pair":    {Symbols: []string{"EURXXX=X"}},
		"a currency twice":   {Symbols: []string{"DKKDKK=X"}},
		"the dollar alone":   {Symbols: []string{"USD=X"}},
		"too long":           {Symbols: []string{strings.Repeat("A", 33)}},
		"too many":           {Count: MaxCount + 1},
		"less than nothing":  {Count: -1},
		"a newline":          {Symbols: []string{"A\nB"}},
		"a letter of accent": {Symbols: []string{"ØRSTED.CO"}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCurrenciesAgree(t *testing.T) {
	x := market(t, Config{Count: 1})
	value := func(symbol string, at int64) float64 { return instrumentOf(t, x, symbol).path.at(at).float64() }
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		at := 1_500_000_000 + r.Int64N(500_000_000)
		if v := value("EURDKK=X", at); v < 7.45 || v > 7.48 {
			t.Fatalf("EURDKK=X is %v", v)
		}
		if v := value("HKD=X", at); v < 7.75 || v > 7.85 {
			t.Fatalf("HKD=X is %v", v)
		}
		for _, c := range []struct {
			what      string
			one, same float64
		}{
			{"EURDKK = EURUSD x USDDKK", value("EURDKK=X", at), value("EURUSD=X", at) * value("DKK=X", at)},
			{"GBPDKK = GBPUSD x USDDKK", value("GBPDKK=X", at), value("GBPUSD=X", at) * value("USDDKK=X", at)},
			{"JPYDKK = 1 / DKKJPY", value("JPYDKK=X", at), 1 / value("DKKJPY=X", at)},
		} {
			if d := c.one/c.same - 1; d > 2e-6 || d < -2e-6 {
				t.Fatalf("%s: %v and %v", c.what, c.one, c.same)
			}
		}
	}
	if a, b := instrumentOf(t, x, "USDDKK=X"), instrumentOf(t, x, "DKK=X"); a != b || a.symbol != "DKK=X" {
		t.Error("one pair under two names is not one instrument")
	}
	for _, none := range []string{"DKKDKK=X", "GBpXXX=X", "=X", "DK=X", "USDUSD=X", "USD=X"} {
		if _, ok := x.lookup(none); ok {
			t.Errorf("%s exists", none)
		}
	}
}

func TestACursorIsTheSameMarket(t *testing.T) {
	x := market(t, Config{Count: 5, Seed: 4})
	for _, symbol := range []string{"AAPL", "DKK=X", "SEKDKK=X", "EURDKK=X"} {
		in := instrumentOf(t, x, symbol)
		c := in.path.cursor(0)
		for at := int64(1_700_000_000); at < 1_700_100_000; at += 37 {
			if got, want := in.path.round(c.log(at)), in.path.at(at); got != want {
				t.Fatalf("%s at %d: %v, want %v", symbol, at, got, want)
			}
		}
	}
}

func TestADayHoldsItsPrices(t *testing.T) {
	x := market(t, Config{Count: 5, Seed: 8})
	for _, symbol := range []string{"AAPL", "BTC-USD", "SEKDKK=X"} {
		in := instrumentOf(t, x, symbol)
		s, _ := in.venue.sessionOn(20_000)
		var before struct{ low, high int64 }
		for at := s.open; at <= s.close; at += 311 {
			m := in.venue.momentAt(at)
			f := in.factsAt(&m)
			if m.last.open != s.open {
				break // the next day has begun
			}
			low, high := in.dayRange(&f, at)
			p := in.path.at(at)
			if p.coef < low.coef || p.coef > high.coef || low.coef < f.yearLow.coef || high.coef > f.yearHigh.coef {
				t.Fatalf("%s at %d: %v outside of %v-%v or those outside of %v-%v", symbol, at, p, low, high, f.yearLow, f.yearHigh)
			}
			if at > s.open && (low.coef > before.low || high.coef < before.high) {
				t.Fatalf("%s at %d: the day's range shrank", symbol, at)
			}
			before.low, before.high = low.coef, high.coef
		}
		daily := in.dayBar(s)
		for _, b := range in.bars(nil, s, s.open, s.close, 60, 0, maxTime, maxTime) {
			if b.low.coef < daily.low.coef || b.high.coef > daily.high.coef || b.close.coef > b.high.coef || b.open.coef < b.low.coef {
				t.Fatalf("%s: bar %+v does not fit into %+v", symbol, b, daily)
			}
		}
	}
}

func TestLongBarsAreMadeOfShortOnes(t *testing.T) {
	x := market(t, Config{Count: 5, Seed: 8})
	in := instrumentOf(t, x, "AAPL")
	s, _ := in.venue.sessionOn(20_001)
	short := in.bars(nil, s, s.open, s.close, 60, 0, maxTime, maxTime)
	long := in.bars(nil, s, s.open, s.close, 300, 0, maxTime, maxTime)
	if len(short) != 1440 || len(long) != 288 {
		t.Fatalf("%d and %d bars", len(short), len(long))
	}
	for i, want := range long {
		got := bar{}
		for _, b := range short[i*5 : i*5+5] {
			got = got.with(b, want.start)
		}
		if got != want {
			t.Fatalf("bar %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestVolumeOnlyGrows(t *testing.T) {
	x := market(t, Config{Count: 5, Seed: 8})
	in := instrumentOf(t, x, "AAPL")
	s, _ := in.venue.sessionOn(20_001)
	for at, before := s.open, int64(0); at <= s.close; at += 7 {
		v := in.volumeAt(s, at)
		if v < before {
			t.Fatalf("volume fell from %d to %d", before, v)
		}
		before = v
	}
}
