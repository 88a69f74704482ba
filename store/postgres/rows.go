package postgres

import (
	"context"
	"fmt"

	"kurs"
	"kurs/store/versions"
)

// This file makes rows of prices, bars and rates.

// quotes writes the prices, and where each instrument stands.
func (t *tx) quotes(ctx context.Context, group kurs.Group) error {
	n := 0
	for _, b := range group.Batches {
		n += len(b.Prices)
	}
	records := make([]record, 0, n)
	for b, batch := range group.Batches {
		for i := range batch.Prices {
			p := &batch.Prices[i]
			r, err := t.quoteRecord(ctx, p)
			if err == nil {
				_, err = t.unitID(ctx, unit{unit: p.Unit, currency: p.Currency, factor: p.Factor})
			}
			if err != nil {
				return nameless(err, p.Symbol)
			}
			r.batch, r.index = b, i
			records = append(records, r)
			t.bounds.take(r.key[1])
			t.noteLegs(p.Rate)
		}
	}
	sortRecords(records)
	s := t.in.quotes
	newest := newestOf(records)
	stored, err := t.storedLatest(ctx, newest)
	if err != nil {
		return err
	}
	// Nothing is stored of an instrument that is newer than its latest price.
	fresh := func(r record) bool {
		latest, ok := stored[r.key[0]]
		return !t.cautious && (!ok || r.key[1] > latest.key[1])
	}
	err = t.put(ctx, s, records, fresh, func(r record, row []cell) error {
		p := &group.Batches[r.batch].Prices[r.index]
		s.head(r, row)
		return nameless(t.quoteRow(p, row[len(s.key):s.receiptAt], row[s.attrsAt:s.lastAt]), p.Symbol)
	})
	if err != nil {
		return err
	}
	return t.latest(ctx, group, newest, stored)
}

// nameless says of an error what it is about.
func nameless(err error, symbol string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", quoted(symbol), err)
}

func (t *tx) quoteRecord(ctx context.Context, p *kurs.Price) (r record, err error) {
	if p.Symbol == "" {
		return r, rejected("a price without a symbol")
	}
	if r.key[0], err = t.instrumentID(ctx, p.Symbol); err != nil {
		return r, err
	}
	if r.key[1], err = millis(p.Time); err != nil {
		return r, err
	}
	if r.key[2], err = t.textID(ctx, string(p.Session)); err != nil {
		return r, err
	}
	if r.key[3], err = t.textID(ctx, p.Source); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptOf(ctx, p.Receipt)
	return r, err
}

// head puts the key and the receipt of a record into its row, and says of the last
// receipt that there is none.
func (s *series) head(r record, row []cell) {
	for i := range s.key {
		row[i] = whole(r.key[i])
	}
	receiptCells(r.Receipt, row[s.receiptAt:s.attrsAt])
	clear(row[s.lastAt:])
}

func receiptCells(r versions.Receipt, row []cell) {
	row[0], row[1], row[2], row[3] = whole(r.Received), whole(r.Run), whole(r.Counter), whole(r.Origin)
}

// quoteRow is called while rows are on their way to the server, so all ids that it
// needs were looked up before.
func (t *tx) quoteRow(p *kurs.Price, value, attrs []cell) error {
	if !p.Value.Known() {
		return rejected("a value that is not known")
	}
	value[0] = number(p.Value)
	value[1] = whole(t.known.units[unit{unit: p.Unit, currency: p.Currency, factor: p.Factor}])
	attrs[0] = flag(p.Approximate)
	if err := t.conversion(attrs[1:4], p.Rate); err != nil {
		return err
	}
	attrs[4], attrs[5], attrs[6], attrs[7] = number(p.Base), number(p.Bid), number(p.Ask), volume(p.Volume)
	return nil
}

// conversion is a rate: its value, time and source. The rate of a currency to itself
// has neither time nor source.
func (t *tx) conversion(row []cell, r kurs.Rate) error {
	clear(row)
	if !r.Known() {
		return nil
	}
	row[0] = number(r.Value)
	if !r.Time.IsZero() {
		ms, err := millis(r.Time)
		if err != nil {
			return err
		}
		row[1] = whole(ms)
	}
	if r.Source != "" {
		row[2] = whole(t.known.texts[r.Source])
	}
	return nil
}

// bars writes the bars.
func (t *tx) bars(ctx context.Context, group kurs.Group) error {
	var records []record
	for b, batch := range group.Batches {
		for i := range batch.Bars {
			p := &batch.Bars[i]
			r, err := t.barRecord(ctx, p)
			if err == nil {
				_, err = t.unitID(ctx, unit{unit: p.Unit, currency: p.Currency, factor: p.Factor})
			}
			if err != nil {
				return nameless(err, p.Symbol)
			}
			r.batch, r.index = b, i
			records = append(records, r)
			t.noteLegs(p.Rate)
		}
	}
	sortRecords(records)
	s := t.in.bars
	return t.put(ctx, s, records, unknown, func(r record, row []cell) error {
		p := &group.Batches[r.batch].Bars[r.index]
		s.head(r, row)
		return nameless(t.barRow(p, row[len(s.key):s.receiptAt], row[s.attrsAt:s.lastAt]), p.Symbol)
	})
}

func (t *tx) barRecord(ctx context.Context, b *kurs.PricedBar) (r record, err error) {
	if b.Symbol == "" {
		return r, rejected("a bar without a symbol")
	}
	if r.key[0], err = t.instrumentID(ctx, b.Symbol); err != nil {
		return r, err
	}
	if r.key[1], err = t.textID(ctx, b.Interval); err != nil {
		return r, err
	}
	if r.key[2], err = millis(b.Start); err != nil {
		return r, err
	}
	if r.key[3], err = t.textID(ctx, b.Source); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptOf(ctx, b.Receipt)
	return r, err
}

func (t *tx) barRow(b *kurs.PricedBar, value, attrs []cell) error {
	if !b.Close.Known() {
		return rejected("a value that is not known")
	}
	value[0], value[1], value[2], value[3] = number(b.Open), number(b.High), number(b.Low), number(b.Close)
	value[4] = volume(b.Volume)
	value[5] = whole(t.known.units[unit{unit: b.Unit, currency: b.Currency, factor: b.Factor}])
	attrs[0] = flag(b.Approximate)
	if err := t.conversion(attrs[1:4], b.Rate); err != nil {
		return err
	}
	attrs[4], attrs[5], attrs[6], attrs[7] = number(b.BaseOpen), number(b.BaseHigh), number(b.BaseLow), number(b.BaseClose)
	return nil
}

// rates writes the rates that were observed.
func (t *tx) rates(ctx context.Context, group kurs.Group) error {
	var records []record
	for b, batch := range group.Batches {
		for i := range batch.Rates {
			r, err := t.rateRecord(ctx, &batch.Rates[i])
			if err != nil {
				return nameless(err, batch.Rates[i].String())
			}
			r.batch, r.index = b, i
			records = append(records, r)
		}
	}
	sortRecords(records)
	s := t.in.rates
	return t.put(ctx, s, records, unknown, func(r record, row []cell) error {
		rate := &group.Batches[r.batch].Rates[r.index]
		if !rate.Known() {
			return nameless(rejected("a value that is not known"), rate.String())
		}
		s.head(r, row)
		row[len(s.key)] = number(rate.Value)
		row[s.attrsAt], row[s.attrsAt+1] = whole(t.known.texts[rate.Symbol]), whole(rate.ValidFor.Milliseconds())
		return nil
	})
}

func (t *tx) rateRecord(ctx context.Context, rate *kurs.Rate) (r record, err error) {
	ids, err := t.textIDs(ctx, rate.From, rate.To, rate.Source, rate.Interval)
	if err != nil {
		return r, err
	}
	r.key[0], r.key[1], r.key[3], r.key[4] = ids[0], ids[1], ids[2], ids[3]
	if r.key[2], err = millis(rate.Time); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptOf(ctx, kurs.Receipt{Received: rate.Received, Raw: rate.Raw})
	return r, err
}
