package storetest

import (
	"time"

	"kurs"
)

// noon is when everything here happens, or some seconds after.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func after(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

const testRun = "20261124T115900-1f3c"

// receipt is the raw message with that number, received so many seconds after
// noon.
func receipt(counter uint64) kurs.Receipt {
	return kurs.Receipt{
		Received: after(int(counter)).Add(250 * time.Millisecond),
		Raw:      kurs.RawID{Source: "yahoo", Run: testRun, Counter: counter},
	}
}

func dec(s string) kurs.Decimal { return kurs.MustDecimal(s) }

// usd is a rate to the base currency.
func usd(value string) kurs.Rate {
	return kurs.Rate{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: dec(value), Time: after(-30), Source: "yahoo"}
}

// price is a price of symbol in USD at noon, by the receipt of that number, and
// without a conversion.
func price(symbol, value string, counter uint64) kurs.Price {
	return kurs.Price{
		Quote:      kurs.Quote{Symbol: symbol, Source: "yahoo", Time: noon, Session: kurs.SessionRegular, Value: dec(value), Unit: "USD"},
		Receipt:    receipt(counter),
		Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK"},
	}
}

// converted is the price with its base value.
func converted(p kurs.Price, rate kurs.Rate) kurs.Price {
	base, err := kurs.Convert(p.Value, p.Factor, rate.Value)
	if err != nil {
		panic(err) // a constant of these tests
	}
	p.Rate, p.Base = rate, base
	return p
}

// at is the price at another time.
func at(p kurs.Price, t time.Time) kurs.Price {
	p.Time = t
	return p
}

// batch is what came out of the raw messages of these prices.
func batch(prices ...kurs.Price) kurs.Batch {
	b := kurs.Batch{BaseCurrency: "DKK", Prices: prices}
	for _, p := range prices {
		b.Raws = append(b.Raws, p.Raw)
	}
	return b
}

// fill is what completes the price.
func fill(p kurs.Price, rate kurs.Rate) kurs.Fill {
	return kurs.Fill{
		Symbol: p.Symbol, Source: p.Source, Time: p.Time, Session: p.Session, Receipt: p.Receipt,
		Rate: rate, Base: converted(p, rate).Base,
	}
}

func fills(f ...kurs.Fill) kurs.Batch { return kurs.Batch{BaseCurrency: "DKK", Fills: f} }

// bar is a minute of symbol that closed at that value.
func bar(symbol, closed string, counter uint64) kurs.PricedBar {
	return kurs.PricedBar{
		Bar: kurs.Bar{
			Symbol: symbol, Source: "yahoo", Start: noon, Interval: "1m",
			Open: dec("1.5"), High: dec("9.5"), Low: dec("0.5"), Close: dec(closed),
			Volume: kurs.Volume{N: 1000, Known: true}, Unit: "USD",
		},
		Receipt:    receipt(counter),
		Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK"},
	}
}

func bars(b ...kurs.PricedBar) kurs.Batch {
	batch := kurs.Batch{BaseCurrency: "DKK", Bars: b}
	for _, one := range b {
		batch.Raws = append(batch.Raws, one.Raw)
	}
	return batch
}

func position(seq uint64) kurs.StreamPos { return kurs.StreamPos{Epoch: "first", Seq: seq} }
