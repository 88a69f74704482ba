package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// market is a small database in which everything that can be said of a price was
// said once: the ground of the scripts of the commands that read.
type market struct {
	batch   kurs.Batch
	counter uint64
	err     error
}

func clock(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err) // a constant of these tests
	}
	return at
}

// receipt is of the next raw message.
func (m *market) receipt(at time.Time, origin kurs.Origin) kurs.Receipt {
	m.counter++
	source := "yahoo"
	if origin == kurs.OriginCorrection {
		source = kurs.SourceUser
	}
	id := kurs.RawID{Source: source, Run: "20261124T085900-abcdef", Counter: m.counter}
	m.batch.Raws = append(m.batch.Raws, id)
	return kurs.Receipt{Received: at, Raw: id, Origin: origin}
}

// rate stores a rate as it was quoted.
func (m *market) rate(from, to, value, at string) kurs.Rate {
	r := kurs.Rate{
		Pair: kurs.Pair{From: from, To: to}, Value: kurs.MustDecimal(value), Time: clock(at), Source: "yahoo", ValidFor: 10 * time.Minute,
	}
	r.Symbol = r.Pair.Symbol()
	seen := m.receipt(clock(at).Add(2*time.Second), kurs.OriginPoll)
	r.Received, r.Raw = seen.Received, seen.Raw
	m.batch.Rates = append(m.batch.Rates, r)
	return r
}

// price makes a price that was received some seconds after its time.
func (m *market) price(symbol, value, unit, at string, after time.Duration, rate kurs.Rate) kurs.Price {
	currency, factor, _ := kurs.CurrencyOf(unit)
	p := kurs.Price{
		Quote:      kurs.Quote{Symbol: symbol, Source: "yahoo", Time: clock(at), Session: kurs.SessionRegular, Value: kurs.MustDecimal(value), Unit: unit},
		Receipt:    m.receipt(clock(at).Add(after), kurs.OriginPoll),
		Conversion: kurs.Conversion{Currency: currency, Factor: factor, Rate: rate, BaseCurrency: "DKK"},
	}
	if rate.Known() {
		var err error
		if p.Base, err = kurs.Convert(p.Value, factor, rate.Value); err != nil {
			m.err = err
		}
	}
	return p
}

func (m *market) quote(p kurs.Price) { m.batch.Prices = append(m.batch.Prices, p) }

// bar makes a provider's bar of a day, converted with its rate.
func (m *market) bar(symbol, value, unit, start string, received time.Time, rate kurs.Rate) {
	p := m.price(symbol, value, unit, start, 0, rate)
	p.Received = received
	v := p.Value
	m.batch.Bars = append(m.batch.Bars, kurs.PricedBar{
		Bar: kurs.Bar{
			Symbol: symbol, Source: "yahoo", Start: clock(start), Interval: "1d", Open: v, High: v, Low: v, Close: v, Unit: unit,
			Volume: kurs.Volume{N: 1000, Known: true},
		},
		Receipt: p.Receipt, Conversion: p.Conversion, BaseOpen: p.Base, BaseHigh: p.Base, BaseLow: p.Base, BaseClose: p.Base,
	})
}

// storeMarket writes the database below a data directory.
func storeMarket(ctx context.Context, dir string) error {
	var m market
	m.batch.BaseCurrency = "DKK"

	// Pence, at a rate through the euro; the provider then has another price for
	// the time, and for a later one a person has.
	pounds := m.rate("GBP", "EUR", "1.15", "2026-11-24T09:04:50Z")
	euro := m.rate("EUR", "DKK", "7.46", "2026-11-24T09:04:30Z")
	cross := kurs.Rate{
		Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.MustDecimal("8.579"), Time: euro.Time, Source: "yahoo via EUR",
		Legs: [2]kurs.Leg{{Pair: pounds.Pair, Value: pounds.Value, Time: pounds.Time}, {Pair: euro.Pair, Value: euro.Value, Time: euro.Time}},
	}
	m.quote(m.price("VOD.L", "88.42", "GBp", "2026-11-24T09:05:00Z", 1500*time.Millisecond, cross))
	m.quote(m.price("VOD.L", "88.4", "GBp", "2026-11-24T09:05:00Z", 10*time.Minute, cross))
	wrong := m.price("VOD.L", "98.9", "GBp", "2026-11-24T09:10:00Z", time.Second, cross)
	m.quote(wrong)
	right := wrong
	right.Value = kurs.MustDecimal("88.9")
	right.Base, m.err = kurs.Convert(right.Value, right.Factor, right.Rate.Value)
	right.Receipt = m.receipt(clock("2026-11-24T10:00:00Z"), kurs.OriginCorrection)
	m.batch.Corrections = append(m.batch.Corrections, kurs.Correction{Price: right, Author: "anna", Reason: "a slip of the exchange"})

	// A price that waits, and one with more digits than float32 has.
	m.quote(m.price("7203.T", "2910", "JPY", "2026-11-24T09:06:00Z", time.Second, kurs.Rate{}))
	dollar := m.rate("USD", "DKK", "6.4", "2026-11-24T09:05:30Z")
	bitcoin := m.price("BTC-USD", "109123.45", "USD", "2026-11-24T09:06:00Z", time.Second, dollar)
	bitcoin.Approximate, bitcoin.Origin = true, kurs.OriginStream
	m.quote(bitcoin)

	// A split of shares, after which the provider tells its history anew.
	friday := m.rate("USD", "DKK", "6.5", "2026-11-20T20:59:00Z")
	m.quote(m.price("AAPL", "400", "USD", "2026-11-20T21:00:00Z", time.Second, friday))
	m.bar("AAPL", "400", "USD", "2026-11-20T14:30:00Z", clock("2026-11-20T21:00:10Z"), friday)
	afternoon := m.rate("USD", "DKK", "6.41", "2026-11-24T14:30:50Z")
	m.quote(m.price("AAPL", "101", "USD", "2026-11-24T14:31:00Z", time.Second, afternoon))
	m.bar("AAPL", "100", "USD", "2026-11-20T14:30:00Z", clock("2026-11-24T14:31:10Z"), friday)
	m.batch.Events = append(m.batch.Events, kurs.Event{
		Kind: kurs.EventSplit, Symbol: "AAPL", Source: "yahoo", Time: clock("2026-11-24T14:30:00Z"), Numerator: kurs.Int(4), Denominator: kurs.Int(1),
	})
	m.batch.Instruments = append(m.batch.Instruments, kurs.Instrument{Symbol: "AAPL", Source: "yahoo", TimeZone: "America/New_York"})

	// A name that was given up.
	m.quote(m.price("FB", "200", "USD", "2026-11-20T20:59:30Z", time.Second, friday))
	m.quote(m.price("META", "210", "USD", "2026-11-24T14:31:00Z", time.Second, afternoon))
	m.batch.Aliases = append(m.batch.Aliases, kurs.Alias{
		Symbol: "META", Was: "FB", Until: clock("2026-11-23T00:00:00Z"), Author: "anna", Receipt: m.receipt(clock("2026-11-24T15:00:00Z"), kurs.OriginCorrection),
	})
	if m.err != nil {
		return m.err
	}
	s, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(dir, "kurs.db"), BaseCurrency: "DKK"}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if err := s.Write(ctx, kurs.Group{Batches: []kurs.Batch{m.batch}}); err != nil {
		return err
	}
	return s.Close()
}
