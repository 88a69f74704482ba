package parquet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	pq "github.com/parquet-go/parquet-go"

	"kurs"
)

// Instruments have no time. What is known of each, of every field the newest
// that was not empty, is one file, replaced when there is news.

const instrumentsFolder = "instruments"

type instruments map[string]kurs.Instrument

// learn takes news in, and tells what changed, by symbol: as it was before.
func (all instruments) learn(news []kurs.Instrument) (before map[string]kurs.Instrument) {
	before = map[string]kurs.Instrument{}
	for _, n := range news {
		old := all[n.Symbol]
		now := kurs.Instrument{
			Symbol: n.Symbol, Source: cmp.Or(n.Source, old.Source), Name: cmp.Or(n.Name, old.Name), Kind: cmp.Or(n.Kind, old.Kind),
			Exchange: cmp.Or(n.Exchange, old.Exchange), Unit: cmp.Or(n.Unit, old.Unit), TimeZone: cmp.Or(n.TimeZone, old.TimeZone),
		}
		if now == old {
			continue
		}
		if _, noted := before[n.Symbol]; !noted {
			before[n.Symbol] = old
		}
		all[n.Symbol] = now
	}
	return before
}

// unlearn takes back what learn changed.
func (all instruments) unlearn(before map[string]kurs.Instrument) {
	for symbol, old := range before {
		if old.Symbol == "" {
			delete(all, symbol)
		} else {
			all[symbol] = old
		}
	}
}

// write makes the file.
func (all instruments) write(w *writing) error {
	out, err := newOutput[instrumentRow](w, []string{"symbol"}, made{folder: instrumentsFolder})
	if err != nil {
		return err
	}
	symbols := make([]string, 0, len(all))
	for symbol := range all {
		symbols = append(symbols, symbol)
	}
	slices.Sort(symbols)
	for _, symbol := range symbols {
		i := all[symbol]
		row := instrumentRow{
			Symbol: i.Symbol, Source: i.Source, Name: i.Name, Kind: string(i.Kind), Exchange: i.Exchange, Unit: i.Unit, TimeZone: i.TimeZone,
		}
		if err := out.write(&row); err != nil {
			out.abandon()
			return err
		}
	}
	return out.close()
}

// readInstruments reads the files of a manifest; there is one at most.
func readInstruments(ctx context.Context, at place, m manifest) (instruments, error) {
	all := instruments{}
	for _, name := range m.in(instrumentsFolder) {
		if err := all.read(ctx, at, name); err != nil {
			return nil, fmt.Errorf("file %s: %w", name, err)
		}
	}
	return all, nil
}

func (all instruments) read(ctx context.Context, at place, name string) (err error) {
	file, err := at.get(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	opened, err := pq.OpenFile(file, file.size)
	if err != nil {
		return err
	}
	r := pq.NewGenericReader[instrumentRow](opened)
	defer func() { err = errors.Join(err, r.Close()) }()
	rows := make([]instrumentRow, rowsAtOnce)
	for {
		n, err := r.Read(rows)
		for _, row := range rows[:n] {
			all[row.Symbol] = kurs.Instrument{
				Symbol: row.Symbol, Source: row.Source, Name: row.Name, Kind: kurs.InstrumentKind(row.Kind), Exchange: row.Exchange,
				Unit: row.Unit, TimeZone: row.TimeZone,
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
