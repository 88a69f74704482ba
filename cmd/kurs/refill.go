package main

import (
	"context"
	"time"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
)

// refillRows is how many prices are handed over at once.
const refillRows = 5000

// refillFromSQLite hands over the stored prices that were received at or after a
// time, as far as a row tells of them, by symbol and then by time.
func refillFromSQLite(c config.Config) func(context.Context, time.Time, func(kurs.Batch) error) error {
	return func(ctx context.Context, since time.Time, write func(kurs.Batch) error) error {
		r, err := sqlite.OpenReader(ctx, c.Paths.Database)
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }() // it was only read
		b := kurs.Batch{BaseCurrency: c.Currency}
		flush := func() error {
			if len(b.Prices) == 0 {
				return nil
			}
			err := write(b)
			b.Prices = nil
			return err
		}
		err = r.Quotes(ctx, sqlite.Filter{}, func(row kurs.Row) error {
			if row.ReceivedISO.Before(since) {
				return nil
			}
			b.Prices = append(b.Prices, priceOf(row))
			if len(b.Prices) < refillRows {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		return flush()
	}
}

// priceOf is the price that a row was made of.
func priceOf(r kurs.Row) kurs.Price {
	p := kurs.Price{
		Quote: kurs.Quote{
			Symbol: r.Symbol, Source: r.Source, Time: r.Time, Session: r.Session, Value: r.PriceNative, Unit: r.Unit, Bid: r.Bid, Ask: r.Ask,
			Approximate: r.Approximate,
		},
		Receipt: kurs.Receipt{Received: r.ReceivedISO, Origin: r.Origin},
		Conversion: kurs.Conversion{
			Currency: r.CurrencyNative, Factor: r.Factor, BaseCurrency: r.CurrencyBase,
			Rate: kurs.Rate{Pair: kurs.Pair{From: r.CurrencyNative, To: r.CurrencyBase}, Value: r.FXRate, Time: r.FXTime, Source: r.FXSource},
		},
		Base: r.PriceBase,
	}
	if r.Volume != nil {
		p.Volume = kurs.Volume{N: *r.Volume, Known: true}
	}
	return p
}
