package main

import (
	"time"

	"kurs"
	"kurs/export/ledger"
)

// ledgerLines makes prices lines of accounting: the last price of the exchange's
// day that has a value, or each. Those without a value are no lines.
func ledgerLines(out *ledger.Writer, o exportForm) *rowWriter {
	w := &rowWriter{}
	write := func(p ledger.Price) error {
		w.rows++
		return out.Write(p)
	}
	daily := ledger.Daily{Yield: write}
	add := daily.Add
	if o.all {
		add = write
	}
	var (
		symbol string
		zone   *time.Location
	)
	put := func(s, instrument string, at time.Time, value kurs.Decimal, currency string) error {
		if !value.Known() {
			return nil
		}
		if zone == nil || s != symbol {
			var err error
			if zone, err = o.zone(s, instrument); err != nil {
				return err
			}
			symbol = s
		}
		return add(ledger.Price{Symbol: s, Time: at.In(zone), Value: value, Currency: currency})
	}
	w.price = func(r kurs.Row) error {
		if !o.extended && r.Session != kurs.SessionRegular && r.Session != "" {
			return nil
		}
		return put(r.Symbol, r.Instrument, r.Time, r.PriceBase, r.CurrencyBase)
	}
	w.bar = func(b kurs.BarRow) error { return put(b.Symbol, b.Instrument, b.Time, b.CloseBase, b.CurrencyBase) }
	w.close = func() error {
		if err := daily.Flush(); err != nil {
			return err
		}
		return out.Close()
	}
	return w
}
