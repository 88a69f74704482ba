package parquet

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/store/storetest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// dump reads all that a dataset holds: files and journal, each key resolved as
// compacting does it.
func dump(t *testing.T, at place, dir string) storetest.Dump {
	t.Helper()
	d, err := dumpOf(t.Context(), at, dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func dumpOf(ctx context.Context, at place, dir string) (d storetest.Dump, err error) {
	m, _, err := readManifest(ctx, at)
	if err != nil {
		return d, err
	}
	more := &rows{decimals: &decimals{}}
	_, _, err = readJournal(filepath.Join(dir, own, "journal"), m.Journal+1, more.add)
	if err != nil {
		return d, err
	}
	known, err := readInstruments(ctx, at, m)
	if err != nil {
		return d, err
	}
	known.learn(more.instruments)
	for _, i := range known {
		d.Instruments = append(d.Instruments, i)
	}
	l := latest{}
	people := words{base: m.Base}
	tables := newTables()
	tables.add(more)
	err = cmp.Or(
		all(ctx, at, m, tables.quotes, func(as role, r *quoteRow) {
			switch as {
			case shown:
				d.Quotes = append(d.Quotes, r.price())
			case superseded:
				d.Superseded = append(d.Superseded, r.price())
			case seen:
			}
			l.learn(as, r)
			people.correction(as, r)
		}),
		all(ctx, at, m, tables.bars, func(as role, r *barRow) {
			if as == shown {
				d.Bars = append(d.Bars, r.bar())
			}
		}),
		all(ctx, at, m, tables.rates, func(as role, r *rateRow) {
			if as == shown {
				d.Rates = append(d.Rates, kurs.Rate{
					Pair: kurs.Pair{From: r.From, To: r.To}, Value: value(r.Value, r.Outside, "rate"), Time: moment(r.Time), Source: r.Source,
					Symbol: r.Symbol, Interval: r.Interval, ValidFor: time.Duration(r.ValidFor) * time.Millisecond, Received: moment(r.Received),
				})
			}
		}),
		all(ctx, at, m, tables.events, func(_ role, r *eventRow) {
			d.Events = append(d.Events, kurs.Event{
				Kind: kurs.EventKind(r.Kind), Symbol: r.Symbol, Source: r.Source, Time: moment(r.Time), Amount: value(r.Amount, r.Outside, "amount"),
				Unit: r.Unit, Numerator: value(r.Numerator, r.Outside, "numerator"), Denominator: value(r.Denominator, r.Outside, "denominator"),
			})
		}),
		all(ctx, at, m, tables.gaps, func(_ role, r *gapRow) {
			g := kurs.Gap{Symbol: r.Symbol, Source: r.Source, From: moment(r.Time), To: moment(r.To), Reason: r.Reason}
			g.Received = moment(r.Received)
			d.Gaps = append(d.Gaps, g)
		}),
		all(ctx, at, m, tables.asides, people.aside),
		all(ctx, at, m, tables.aliases, people.alias),
	)
	d.Latest = l.rows()
	people.add(&d)
	return d, err
}

// all goes through all days of a table.
func all[T any](ctx context.Context, at place, m manifest, t *table[T], do func(role, *T)) error {
	files := map[string][]string{} // by day
	for folder := range m.Files {
		dataset, date, _ := strings.Cut(folder, "/"+datePrefix)
		if name, _, _ := strings.Cut(dataset, "_"); name == t.name {
			files[date] = append(files[date], m.in(folder)...)
		}
	}
	waiting := map[string][]entry[T]{}
	for _, e := range t.sorted() {
		date := day(t.time(&e.row))
		waiting[date] = append(waiting[date], *e)
		files[date] = append(files[date], []string{}...)
	}
	for date := range files {
		err := t.read(ctx, &reading{at: at}, files[date], waiting[date], func(as role, r *T) error {
			do(as, r)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *quoteRow) price() kurs.Row {
	return kurs.Row{
		Symbol: r.Symbol, Time: moment(r.Time), PriceNative: value(r.Native, r.Outside, "price_native"), Unit: r.Unit,
		CurrencyNative: r.Currency, Factor: value(r.Factor, r.Outside, "factor"), FXRate: value(r.Rate, r.Outside, "fx_rate"),
		FXTime: moment(r.RateTime), FXSource: r.RateFrom, PriceBase: value(r.Base, r.Outside, "price_base"), CurrencyBase: r.BaseCurrency,
		Bid: value(r.Bid, r.Outside, "bid"), Ask: value(r.Ask, r.Outside, "ask"), Volume: r.Volume, Session: kurs.Session(r.Session),
		Source: r.Source, ReceivedISO: moment(r.Received), Approximate: r.Approximate, Origin: kurs.Origin(r.Origin), CorrectedBy: r.CorrectedBy,
	}
}

func (r *barRow) bar() storetest.Bar {
	b := storetest.Bar{
		Symbol: r.Symbol, Source: r.Source, Interval: r.Interval, Unit: r.Unit, Start: moment(r.Time),
		Open: value(r.Open, r.Outside, "open_native"), High: value(r.High, r.Outside, "high_native"), Low: value(r.Low, r.Outside, "low_native"),
		Close: value(r.Close, r.Outside, "close_native"), FXRate: value(r.Rate, r.Outside, "fx_rate"),
		BaseOpen: value(r.BaseOpen, r.Outside, "open_base"), BaseHigh: value(r.BaseHigh, r.Outside, "high_base"),
		BaseLow: value(r.BaseLow, r.Outside, "low_base"), BaseClose: value(r.BaseClose, r.Outside, "close_base"),
		Received: moment(r.Received),
	}
	if r.Volume != nil {
		b.Volume = kurs.Volume{N: *r.Volume, Known: true}
	}
	return b
}

// latest is where each symbol stands: at the newest price, with what the newest
// receipt of it says besides.
type latest map[string]*standing

type standing struct {
	shown, last quoteRow
}

func (l latest) learn(as role, r *quoteRow) {
	s := l[r.Symbol]
	if s == nil {
		s = &standing{}
		l[r.Symbol] = s
	}
	if as == seen && (r.CorrectedBy != "" || r.RawSource == kurs.SourceUser || r.Native == nil && value(nil, r.Outside, "price_native") == (kurs.Decimal{})) {
		return
	}
	if s.last.Symbol == "" || cmp.Or(cmp.Compare(r.Time, s.last.Time), r.compare(&s.last.origin)) > 0 {
		s.last = *r
	}
	if as == shown {
		l.show(r)
	}
}

// show notes the shown row of each key: which of them it is the last receipt tells.
func (l latest) show(r *quoteRow) {
	s := l[r.Symbol]
	s.shown = *r
	l[r.Symbol+"\x00"+r.Session+"\x00"+r.Source+"\x00"+moment(r.Time).String()] = &standing{shown: *r}
}

func (l latest) rows() (out []kurs.Row) {
	for symbol, s := range l {
		if s.last.Symbol != symbol {
			continue
		}
		at := l[symbol+"\x00"+s.last.Session+"\x00"+s.last.Source+"\x00"+moment(s.last.Time).String()]
		row := at.shown.price()
		last := s.last.price()
		row.Bid, row.Ask, row.Volume, row.ReceivedISO = last.Bid, last.Ask, last.Volume, last.ReceivedISO
		out = append(out, row)
	}
	return out
}
