package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/sim"
)

// TestSimulatedTrading records the simulated exchange by its own clock, in the
// hours in which clocks and calendars do the most harm, while it misbehaves in all
// the ways that concern money: pence told as pounds, said and unsaid, prices and
// bars that are hundredfold, a currency whose pairs come half an hour late. What
// is stored in the end is what the exchange handed out, each price once, exactly
// converted with the rate that was the newest known of its time; all that is odd
// is set aside with its reason, and nothing else is.
//
// The rates are looked up by a computation of the test's own, and multiplied in
// math/big.
func TestSimulatedTrading(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		seed uint64
		mode yahoo.Mode
		// Where a span ends and the next begins, kurs is started again.
		spans []string
	}{
		{"a weekend, Friday's close to Monday's open", 11, yahoo.ModePoll, []string{"2026-11-20 20:00", "2026-11-23 10:30"}},
		{"a weekend, streamed", 12, yahoo.ModeAuto, []string{
			"2026-11-20 15:30", "2026-11-20 17:30", "2026-11-22 21:00", "2026-11-22 23:00", "2026-11-23 07:30", "2026-11-23 09:30",
		}},
		{"New York puts its clocks back", 13, yahoo.ModeAuto, []string{"2026-10-30 19:00", "2026-10-30 21:30", "2026-11-01 05:00", "2026-11-01 07:00", "2026-11-02 13:30", "2026-11-02 15:30"}},
		{"New York puts its clocks forward", 14, yahoo.ModeAuto, []string{"2027-03-12 20:00", "2027-03-12 22:15", "2027-03-14 06:00", "2027-03-14 08:00", "2027-03-15 12:30", "2027-03-15 14:30"}},
		{"Copenhagen puts its clocks back", 15, yahoo.ModeAuto, []string{"2026-10-23 14:00", "2026-10-23 16:00", "2026-10-25 00:00", "2026-10-25 02:00", "2026-10-26 07:00", "2026-10-26 09:00"}},
		{"Copenhagen puts its clocks forward", 16, yahoo.ModeAuto, []string{"2027-03-26 15:00", "2027-03-26 17:00", "2027-03-28 00:00", "2027-03-28 02:00", "2027-03-29 06:30", "2027-03-29 08:30"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			day := newTrading(c.seed)
			synctest.Test(t, func(t *testing.T) { day.record(t, c.mode, c.spans) })
			day.store(t)
			day.check(t)
		})
	}
}

// trading is days at the simulated exchange.
type trading struct {
	*pipe
	seed    uint64
	faults  sim.Faults // besides
	ledger  bytes.Buffer
	data    *database
	waited  int // prices that were stored before their rate was known
	batches []kurs.Batch
}

func newTrading(seed uint64) *trading { return &trading{pipe: newPipe(), seed: seed} }

// traded are a share in kroner, one in pence, one that is open before and after
// hours, a coin, an index, and a pair as a symbol.
var traded = []string{"NOVO-B.CO", "VOD.L", "AAPL", "BTC-USD", "^GSPC", "EURUSD=X"}

// record has the real source at work on the exchange, inside of a bubble.
func (d *trading) record(t *testing.T, mode yahoo.Mode, spans []string) {
	t.Helper()
	state := t.TempDir()
	x, err := sim.New(sim.Config{
		Symbols: traded, Seed: d.seed, Hours: true, Ledger: &d.ledger, TickRate: 0.1,
		Faults: sim.Faults{Late: "GBP", LateFor: 20 * 60},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(spans); i += 2 {
		from, to := moment(t, spans[i]), moment(t, spans[i+1])
		letPass(time.Until(from))
		wires := &wires{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- x.Serve(ctx, wires) }()
		source, err := yahoo.New(yahoo.Config{
			QueryURL: "http://sim", SessionURL: "http://sim", Symbols: traded, Base: d.base, Mode: mode, Extended: true, StateDir: state,
			Interval: time.Minute, Closed: 5 * time.Minute, Transport: &http.Transport{DialContext: wires.dial, DisableCompression: true},
		}, wire.Decode, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		run, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- source.Run(run, d.emit) }()
		// Nobody can tell that the very first price of all is wrong.
		letPass(2 * time.Minute)
		faults := d.faults
		faults.UnitFlip, faults.ValueFlip, faults.Hundredfold, faults.Late, faults.LateFor = 0.25, 0.25, 0.01, "GBP", 20*60
		x.SetFaults(faults)
		letPass(time.Until(to))
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		d.askBars(t, wires)
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

// askBars asks for the last day's minutes of every symbol, as a backfill does: the
// answer brings along what was known of the symbol.
func (d *trading) askBars(t *testing.T, w *wires) {
	t.Helper()
	near := map[string]kurs.Neighbour{}
	for _, raw := range d.raws {
		seen, err := wire.Decode(raw)
		if err != nil {
			continue
		}
		for i := range seen.Quotes {
			if q := &seen.Quotes[i]; near[q.Symbol].DoubtQuote(q, raw.Received) == "" {
				near[q.Symbol] = near[q.Symbol].Next(q)
			}
		}
	}
	transport := &http.Transport{DialContext: w.dial}
	defer transport.CloseIdleConnections()
	for _, symbol := range traded[:len(traded)-1] {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://sim/v8/finance/chart/"+symbol+"?interval=1m&range=1d", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if err = errors.Join(err, answer.Body.Close()); err != nil {
			t.Fatal(err)
		}
		raw := kurs.Raw{
			Endpoint: kurs.EndpointChart, Asked: []string{symbol}, Neighbours: []kurs.Neighbour{near[symbol]}, Received: time.Now(), Body: body,
		}
		if err := d.emit(t.Context(), raw, kurs.CarriesPrices); err != nil {
			t.Fatal(err)
		}
	}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// letPass lets time of a bubble pass.
func letPass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// wires are a network inside of a bubble.
type wires struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (w *wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wires) Close() error {
	w.once.Do(func() { close(w.done) })
	return nil
}

func (*wires) Addr() net.Addr { return &net.TCPAddr{} }

func (w *wires) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case w.conns <- server:
		return client, nil
	case <-w.done:
		return nil, errors.New("nobody listens")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// store processes and stores everything, in order.
func (d *trading) store(t *testing.T) {
	t.Helper()
	d.data = newDatabase(t)
	d.batches = d.worker(t).all()
	for group := range slices.Chunk(d.batches, 50) {
		d.data.write(group...)
	}
	for _, b := range d.batches {
		d.waited += len(b.Fills)
	}
}

// told is a price in the ledger.
type told struct {
	symbol string
	ms     int64
	price  string
}

func (p told) String() string {
	return fmt.Sprintf("%s %s of %s", p.symbol, p.price, time.UnixMilli(p.ms).UTC().Format(time.RFC3339))
}

// books are the ledger as the test goes through it.
type books struct {
	lines  map[told]bool    // true: what was told was read
	days   map[told][]int64 // times at which a symbol had a price, with ms 0: for bars of a day
	stored map[told]string  // what was found, and where
}

func (d *trading) books(t *testing.T) *books {
	t.Helper()
	b := &books{lines: map[told]bool{}, days: map[told][]int64{}, stored: map[told]string{}}
	for line := range strings.Lines(d.ledger.String()) {
		parts := strings.Split(strings.TrimSpace(line), ",")
		ms, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		p := told{parts[0], ms, parts[2]}
		if _, ok := b.lines[p]; !ok {
			b.days[told{symbol: p.symbol, price: p.price}] = append(b.days[told{symbol: p.symbol, price: p.price}], ms)
		}
		b.lines[p] = b.lines[p] || !strings.HasSuffix(parts[3], "?")
	}
	return b
}

// usual is what symbols cost, roughly: the market moves by a third at most.
var usual = map[string]float64{
	"NOVO-B.CO": 318, "VOD.L": 88, "AAPL": 268, "BTC-USD": 62_480, "^GSPC": 6712, "EURUSD=X": 1.16, "DKK=X": 6.4, "GBPDKK=X": 8.4,
	"EURDKK=X": 7.46, "GBP=X": 0.76, "EURGBP=X": 0.89,
}

func realOf(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// odd tells whether a price is far from what the symbol costs.
func odd(t *testing.T, p told) bool {
	t.Helper()
	if usual[p.symbol] == 0 {
		t.Fatalf("what does %s cost?", p.symbol)
	}
	times := realOf(t, p.price) / usual[p.symbol]
	return times > 10 || times < 0.1
}

// found notes what is stored somewhere. A bar of a day is the price of some time in
// it, at which its session ended.
func (b *books) found(t *testing.T, p told, unit string, day bool, where string) {
	t.Helper()
	times := []int64{p.ms}
	if day {
		times = slices.DeleteFunc(slices.Clone(b.days[told{symbol: p.symbol, price: p.price}]), func(ms int64) bool {
			return ms <= p.ms || ms > p.ms+24*time.Hour.Milliseconds()
		})
	}
	ok := false
	for _, ms := range times {
		p.ms = ms
		if _, told := b.lines[p]; told {
			ok = true
			b.stored[p] = where
		}
	}
	if !ok {
		t.Errorf("%s is in %s and was never told", p, where)
	}
	pounds := p.symbol == "VOD.L" && unit == "GBP" // whatever the number
	if (odd(t, p) || pounds) != (where == "v_quarantine") {
		t.Errorf("%s %s is in %s", p, unit, where)
	}
}

// check holds what is stored against what was handed out.
func (d *trading) check(t *testing.T) {
	t.Helper()
	b := d.books(t)
	for _, v := range []struct{ view, query string }{
		{"v_quotes", "SELECT symbol, time_ms, price_native, '', unit FROM v_quotes"},
		{"v_fx", "SELECT symbol, time_ms - iif(interval = '1d', 86400000, 0), rate, interval, to_currency FROM v_fx"},
		{"v_bars", "SELECT symbol, time_ms + iif(interval = '1m', 60000, 0), close_native, interval, unit FROM v_bars"},
		{"v_quarantine", `SELECT symbol, cast(round(time * 1000) AS INTEGER) + iif(kind = 'bar' AND interval = '1m', 60000, 0)
			- iif(kind = 'rate' AND interval = '1d', 86400000, 0), price_native, interval, unit FROM v_quarantine`},
	} {
		rows := d.data.rows(v.query)
		if len(rows) == 0 {
			t.Errorf("%s is empty", v.view)
		}
		for _, row := range rows {
			c := strings.Split(row, "|")
			ms, err := strconv.ParseInt(c[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			b.found(t, told{c[0], ms, strconv.FormatFloat(realOf(t, c[2]), 'f', -1, 64)}, c[4], c[3] == "1d", v.view)
		}
	}
	early := d.early(t)
	missing := 0
	for p, read := range b.lines {
		if _, ok := b.stored[p]; !ok && read && !early[told{p.symbol, 0, p.price}] {
			if missing++; missing < 10 {
				t.Errorf("%s was told and is not stored", p)
			}
		}
	}
	d.checkAside(t)
	d.checkValues(t)
	t.Logf("%d prices told in %d answers, %d rates messages; %d waited for their rate", len(b.lines), len(d.raws), len(d.rates), d.waited)
}

// early are bars of a day that were told before the day was over, by which kurs
// goes: they come again.
func (d *trading) early(t *testing.T) map[told]bool {
	t.Helper()
	out := map[told]bool{}
	for _, raw := range d.raws {
		seen, err := wire.Decode(raw)
		if err != nil {
			continue
		}
		for _, bar := range seen.Bars {
			if bar.End().After(raw.Received) {
				out[told{bar.Symbol, 0, bar.Close.String()}] = true
			}
		}
	}
	return out
}

// checkAside: each has the reason that goes with what is wrong with it, and every
// kind of wrong there was.
func (d *trading) checkAside(t *testing.T) {
	t.Helper()
	seen := map[string]int{}
	for _, row := range d.data.rows("SELECT kind, symbol, unit, reason, state FROM v_quarantine") {
		c := strings.Split(row, "|")
		want := kurs.ReasonJump
		switch {
		case c[0] == "rate" && (c[1] == "EURDKK=X" || c[1] == "DKKEUR=X"):
			want = kurs.ReasonBand
		case c[0] == "rate":
			want = kurs.ReasonRate
		case c[1] == "VOD.L" && c[2] == "GBP":
			want = kurs.ReasonUnit
		}
		if c[3] != string(want) || c[4] != "waiting" {
			t.Errorf("set aside: %s, want %q", row, want)
		}
		seen[c[0]+" "+c[3]]++
	}
	for _, kind := range []string{"quote " + string(kurs.ReasonUnit), "quote " + string(kurs.ReasonJump), "bar " + string(kurs.ReasonJump), "rate " + string(kurs.ReasonRate)} {
		if seen[kind] == 0 {
			t.Errorf("nothing was set aside as %s: %v", kind, seen)
		}
	}
	t.Log("set aside:", seen)
}

// checkValues computes every base value again.
func (d *trading) checkValues(t *testing.T) {
	t.Helper()
	known := d.known(t)
	wrong, rows := 0, 0
	for i, q := range []string{
		`SELECT symbol, time_ms, price_native, unit, price_base, fx_rate, raw FROM v_versions`,
		`SELECT i.symbol, v.time_ms + iif(v.interval = '1m', 60000, 86400000), v.close_native, v.unit, v.close_base, v.fx_rate, b.counter FROM v_bars v JOIN instruments i ON i.symbol = v.symbol
			JOIN bars b ON b.instrument = i.id AND b.time = v.time_ms JOIN texts n ON n.id = b.interval AND n.text = v.interval`,
	} {
		for _, row := range d.data.rows(q) {
			rows++
			c := strings.Split(row, "|")
			ms, err := strconv.ParseInt(c[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			counter, err := strconv.Atoi(c[6][strings.LastIndexByte(c[6], '/')+1:])
			if err != nil {
				t.Fatal(err)
			}
			rate, ok := known.first(currencyOf[c[3]], d.base, time.UnixMilli(ms).UTC(), d.raws[counter-1].FX.Seq)
			if !ok {
				if c[4] != "" || i == 0 { // of the past before the first start rates were not asked for
					t.Errorf("%s: there is no rate, and a value of %q", row, c[4])
				}
				continue
			}
			value := new(big.Rat).Mul(ratOf(t, c[2]), rate)
			if c[3] == "GBp" {
				value.Quo(value, big.NewRat(100, 1))
			}
			if c[4] == "" || ratOf(t, c[5]).Cmp(rate) != 0 || ratOf(t, c[4]).Cmp(rounded(value)) != 0 {
				if wrong++; wrong < 10 {
					t.Errorf("%s: want the rate %s and the value %s", row, rate.FloatString(12), rounded(value).FloatString(12))
				}
			}
		}
	}
	if d.waited == 0 || rows == 0 {
		t.Errorf("%d prices, of which %d waited for their rate", rows, d.waited)
	}
}

var currencyOf = map[string]string{"GBp": "GBP", "USD": "USD", "DKK": "DKK"}
