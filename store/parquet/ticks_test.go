package parquet

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kurs"
	"kurs/acquire/yahoo/wire"
	"kurs/sim"
)

// ticks are the prices of so many instruments of the simulated exchange, asked
// every second in batches of 50 for so many seconds, in the order in which they
// come. The rates are those of the same exchange, asked every minute.
func ticks(tb testing.TB, symbols, seconds int) (batches []kurs.Batch) {
	tb.Helper()
	x, err := sim.New(sim.Config{Count: symbols, Seed: 1})
	if err != nil {
		tb.Fatal(err)
	}
	simulate := func(t *testing.T) {
		batches = nil // with -count, RunTests runs it as often
		at := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
		pass(time.Until(at))
		c := &asker{t: t, handler: x.Handler(), rates: map[string]kurs.Rate{"DKK": kurs.Identity("DKK")}}
		c.begin()
		all := x.Symbols()
		for second := range seconds {
			if second%60 == 0 {
				clear(c.rates)
			}
			for from := 0; from < len(all); from += 50 {
				batches = append(batches, c.batch(all[from:min(from+50, len(all))]))
				pass(7 * time.Millisecond)
			}
			pass(time.Until(at.Add(time.Duration(second+1) * time.Second)))
		}
	}
	// Only a test can have a bubble, in which time goes by as fast as work is done.
	inBubble := testing.InternalTest{Name: "ticks", F: func(t *testing.T) { synctest.Test(t, simulate) }}
	if !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{inBubble}) {
		tb.Fatal("no ticks")
	}
	return batches
}

// pass lets time go by in a bubble.
func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// asker is a client of the simulated exchange, without a network.
type asker struct {
	t             *testing.T
	handler       http.Handler
	cookie, crumb string
	answers       uint64
	rates         map[string]kurs.Rate // to DKK, by currency
}

func (c *asker) get(target string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36")
	if c.cookie != "" {
		r.Header.Set("Cookie", "A3="+c.cookie)
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	return w
}

func (c *asker) begin() {
	for _, k := range c.get("/").Result().Cookies() {
		if k.Name == "A3" {
			c.cookie = k.Value
		}
	}
	c.crumb = c.get("/v1/test/getcrumb").Body.String()
}

func (c *asker) quotes(symbols []string) (kurs.Receipt, []kurs.Quote) {
	c.t.Helper()
	w := c.get("/v7/finance/quote?crumb=" + url.QueryEscape(c.crumb) + "&symbols=" + url.QueryEscape(strings.Join(symbols, ",")))
	c.answers++
	id := kurs.RawID{Source: wire.Source, Run: "20261124T115900-1f3c", Counter: c.answers}
	seen, err := wire.Decode(kurs.Raw{
		ID: id, Source: wire.Source, Endpoint: kurs.EndpointQuote, Asked: symbols, Received: time.Now().UTC(), Body: w.Body.Bytes(),
	})
	if err != nil || len(seen.Quotes) != len(symbols) {
		c.t.Fatalf("%d of %d quotes, %v: %.200s", len(seen.Quotes), len(symbols), err, w.Body)
	}
	return kurs.Receipt{Received: time.Now().UTC(), Raw: id, Origin: kurs.OriginPoll}, seen.Quotes
}

// batch are the prices of symbols now.
func (c *asker) batch(symbols []string) kurs.Batch {
	receipt, quotes := c.quotes(symbols)
	b := kurs.Batch{Raws: []kurs.RawID{receipt.Raw}, BaseCurrency: "DKK"}
	for _, q := range quotes {
		p := kurs.Price{Quote: q, Receipt: receipt}
		p.BaseCurrency = "DKK"
		p.Currency, p.Factor, _ = kurs.CurrencyOf(q.Unit)
		p.Rate = c.rate(p.Currency)
		var err error
		if p.Base, err = kurs.Convert(p.Value, p.Factor, p.Rate.Value); err != nil {
			c.t.Fatal(err)
		}
		b.Prices = append(b.Prices, p)
	}
	return b
}

func (c *asker) rate(currency string) kurs.Rate {
	if r, ok := c.rates[currency]; ok {
		return r
	}
	r := kurs.Identity("DKK")
	if currency != "DKK" {
		_, quotes := c.quotes([]string{currency + "DKK=X"})
		r = kurs.Rate{Pair: kurs.Pair{From: currency, To: "DKK"}, Value: quotes[0].Value, Time: quotes[0].Time, Source: wire.Source}
	}
	c.rates[currency] = r
	return r
}
