package sqlite

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"
	"time"

	"kurs"
)

// WaitingPair is how many prices wait for a rate of the pair.
type WaitingPair struct {
	kurs.Pair // From is empty where the source did not say the unit
	Quotes    int64
	Bars      int64
	Oldest    time.Time // of the prices' own times
	Newest    time.Time
}

// Waiting tells which prices have no base value, by currency. It costs as much
// as there are such prices.
func (r *Reader) Waiting(ctx context.Context) ([]WaitingPair, error) {
	var out []WaitingPair
	err := r.query(ctx, func(row []driver.Value) error {
		out = append(out, WaitingPair{
			Pair:   kurs.Pair{From: str(row[0]), To: r.base},
			Quotes: whole(row[1]), Bars: whole(row[2]), Oldest: moment(row[3]), Newest: moment(row[4]),
		})
		return nil
	}, `SELECT u.currency, sum(w.quotes), sum(w.bars), min(w.oldest), max(w.newest) FROM (
			SELECT unit, count(*) AS quotes, 0 AS bars, min(time) AS oldest, max(time) AS newest FROM quotes WHERE base IS NULL GROUP BY unit
			UNION ALL
			SELECT unit, 0, count(*), min(time), max(time) FROM bars WHERE base IS NULL GROUP BY unit
		) w JOIN units u ON u.id = w.unit GROUP BY u.currency ORDER BY u.currency`)
	return out, err
}

// WaitingAsOf is Waiting as it was at a time. It costs as much as there are prices.
func (r *Reader) WaitingAsOf(ctx context.Context, asOf time.Time) ([]WaitingPair, error) {
	of := map[string]*WaitingPair{}
	wait := func(currency string, at time.Time) *WaitingPair {
		w := of[currency]
		if w == nil {
			w = &WaitingPair{Pair: kurs.Pair{From: currency, To: r.base}, Oldest: at, Newest: at}
			of[currency] = w
		}
		if at.Before(w.Oldest) {
			w.Oldest = at
		}
		if at.After(w.Newest) {
			w.Newest = at
		}
		return w
	}
	err := r.Quotes(ctx, Filter{AsOf: asOf}, func(row kurs.Row) error {
		if !row.PriceBase.Known() {
			wait(row.CurrencyNative, row.Time).Quotes++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = r.Bars(ctx, BarFilter{Filter: Filter{AsOf: asOf}}, func(row kurs.BarRow) error {
		if !row.CloseBase.Known() {
			wait(row.CurrencyNative, row.Time).Bars++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]WaitingPair, 0, len(of))
	for _, currency := range slices.Sorted(maps.Keys(of)) {
		out = append(out, *of[currency])
	}
	return out, nil
}
