package sqlite_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
	"kurs/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{New: func(t *testing.T) storetest.Data {
		path := filepath.Join(t.TempDir(), "data", "kurs.db")
		return storetest.Data{
			Open: func(t *testing.T) kurs.Store { return open(t, path) },
			Read: func(t *testing.T) storetest.Dump { return dump(t, path) },
		}
	}})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func config(path string) sqlite.Config {
	return sqlite.Config{Path: path, BusyTimeout: 100 * time.Millisecond, BaseCurrency: "DKK"}
}

// open opens the store; who closes it may do so twice.
func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), config(path), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func reader(t *testing.T, path string) *sqlite.Reader {
	t.Helper()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// dump reads everything: what the Reader has through it, the rest from the views.
func dump(t *testing.T, path string) (d storetest.Dump) {
	t.Helper()
	r := reader(t, path)
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(r.Quotes(ctx, sqlite.Filter{}, func(row kurs.Row) error {
		d.Quotes = append(d.Quotes, row)
		return nil
	}))
	check(r.Versions(ctx, sqlite.Filter{}, func(v sqlite.Version) error {
		if !v.Shown {
			d.Superseded = append(d.Superseded, v.Row)
		}
		return nil
	}))
	var err error
	d.Latest, err = r.Latest(ctx, nil, time.Time{})
	check(err)
	check(dumpViews(ctx, path, &d))
	check(r.SetAside(ctx, sqlite.AsideFilter{}, func(a sqlite.Aside) error {
		d.SetAside = append(d.SetAside, storetest.Aside{
			SetAside: a.SetAside, State: a.State, Factor: a.Factor, Author: a.Author, Comment: a.Comment, Decided: a.Decided,
		})
		return nil
	}))
	said, err := r.Corrections(ctx, nil, time.Time{})
	check(err)
	for _, k := range said {
		d.Said = append(d.Said, storetest.Said{
			Symbol: k.Symbol, Value: k.Value, Base: k.Base, Author: k.Author, Reason: k.Reason, Received: k.Said, Holds: k.Holds,
		})
	}
	names, err := r.Aliases(ctx)
	check(err)
	for _, a := range names {
		d.Aliases = append(d.Aliases, kurs.Alias{Symbol: a.Symbol, Was: a.Was, From: a.From, Until: a.Until, Author: a.Author})
	}
	return d
}

func dumpViews(ctx context.Context, path string, d *storetest.Dump) error {
	return sqlite.QueryAll(ctx, path, map[string]func(row sqlite.Columns){
		`SELECT symbol, source, interval, unit, time_iso, open_native, high_native, low_native, close_native, volume, fx_rate,
			open_base, high_base, low_base, close_base, received_iso FROM v_bars`: func(c sqlite.Columns) {
			d.Bars = append(d.Bars, storetest.Bar{
				Symbol: c.Text(0), Source: c.Text(1), Interval: c.Text(2), Unit: c.Text(3), Start: c.Time(4),
				Open: c.Decimal(5), High: c.Decimal(6), Low: c.Decimal(7), Close: c.Decimal(8), Volume: c.Volume(9), FXRate: c.Decimal(10),
				BaseOpen: c.Decimal(11), BaseHigh: c.Decimal(12), BaseLow: c.Decimal(13), BaseClose: c.Decimal(14), Received: c.Time(15),
			})
		},
		`SELECT from_currency, to_currency, rate, time_iso, source, symbol, interval, valid_for * 1000, received_iso FROM v_fx`: func(c sqlite.Columns) {
			d.Rates = append(d.Rates, kurs.Rate{
				Pair: kurs.Pair{From: c.Text(0), To: c.Text(1)}, Value: c.Decimal(2), Time: c.Time(3), Source: c.Text(4), Symbol: c.Text(5),
				Interval: c.Text(6), ValidFor: c.Millis(7), Received: c.Time(8),
			})
		},
		`SELECT symbol, source, name, kind, exchange, unit, time_zone FROM v_instruments WHERE kind IS NOT NULL`: func(c sqlite.Columns) {
			d.Instruments = append(d.Instruments, kurs.Instrument{
				Symbol: c.Text(0), Source: c.Text(1), Name: c.Text(2), Kind: kurs.InstrumentKind(c.Text(3)), Exchange: c.Text(4),
				Unit: c.Text(5), TimeZone: c.Text(6),
			})
		},
		`SELECT kind, symbol, source, time_iso, amount, unit, numerator, denominator FROM v_events`: func(c sqlite.Columns) {
			d.Events = append(d.Events, kurs.Event{
				Kind: kurs.EventKind(c.Text(0)), Symbol: c.Text(1), Source: c.Text(2), Time: c.Time(3), Amount: c.Decimal(4), Unit: c.Text(5),
				Numerator: c.Decimal(6), Denominator: c.Decimal(7),
			})
		},
		`SELECT g.symbol, g.source, g.time_iso, g.to_iso, g.reason, x.received FROM v_gaps g, gaps x`: func(c sqlite.Columns) {
			gap := kurs.Gap{Symbol: c.Text(0), Source: c.Text(1), From: c.Time(2), To: c.Time(3), Reason: c.Text(4)}
			gap.Received = c.Moment(5)
			d.Gaps = append(d.Gaps, gap)
		},
	})
}
