package postgres

import (
	"context"
	"database/sql/driver"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/versions"
)

// Fills give a version its conversion, once. Process publishes a fill after the price
// that it is for, so there should always be a price. Where there is none, the ledger
// tells why: its raw message is accounted for, so the receipt said the same as those
// around it and was not kept; or it is not, so the price is still to come, and the
// fill waits for it in pending_fills.

// filling is a fill on its way into a table.
type filling struct {
	s *series
	record
	conv []cell // the columns of the conversion
	at   int64  // since when it is known, milliseconds
}

func (t *tx) fills(ctx context.Context, group kurs.Group) error {
	var all []filling
	for _, b := range group.Batches {
		for i := range b.Fills {
			f, err := t.filling(ctx, &b.Fills[i])
			if err != nil {
				return nameless(err, b.Fills[i].Symbol)
			}
			all = append(all, f)
		}
	}
	if err := t.applyFills(ctx, all); err != nil {
		return err
	}
	return t.pendingFills(ctx)
}

// applyFills fills in what is the first receipt of what is shown, all at once; the
// others one by one.
func (t *tx) applyFills(ctx context.Context, all []filling) error {
	if len(all) == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	for _, f := range all {
		batch.Queue(f.s.fill, f.args()...)
	}
	results := t.conn.SendBatch(ctx, batch)
	var rest []filling
	for _, f := range all {
		tag, err := results.Exec()
		if err != nil {
			return errorsOf(err, results.Close())
		}
		if tag.RowsAffected() == 0 {
			rest = append(rest, f)
		}
	}
	if err := results.Close(); err != nil {
		return err
	}
	for _, f := range rest {
		if err := t.fillOne(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// args are those of the series' statement fill.
func (f filling) args() []any {
	var out []any
	for i, c := range f.s.key {
		out = append(out, whole(f.key[i]).arg(c.kind))
	}
	out = append(out, moment(f.Received), f.Run, f.Counter)
	for i, at := range f.s.conv {
		out = append(out, f.conv[i].arg(f.s.attrs[at].kind))
	}
	out = append(out, moment(f.at))
	for i := range 4 {
		out = append(out, f.key[i])
	}
	return append(out, f.Received)
}

func (t *tx) filling(ctx context.Context, f *kurs.Fill) (out filling, err error) {
	if f.Symbol == "" {
		return out, rejected("a fill without a symbol")
	}
	if out.record, err = t.fillRecord(ctx, f); err != nil {
		return out, err
	}
	out.s = t.in.quotes
	base := f.Base
	if f.Interval != "" {
		out.s, base = t.in.bars, f.BaseClose
	}
	if !base.Known() {
		return out, rejected("a fill without a value")
	}
	if _, err := t.textID(ctx, f.Rate.Source); err != nil {
		return out, err
	}
	out.conv = make([]cell, 3, 7)
	if err := t.conversion(out.conv, f.Rate); err != nil {
		return out, err
	}
	t.noteLegs(f.Rate)
	if out.s == t.in.bars {
		out.conv = append(out.conv, number(f.BaseOpen), number(f.BaseHigh), number(f.BaseLow))
	}
	out.conv = append(out.conv, number(base))
	if out.at, err = millis(f.Rate.Received); err != nil {
		out.at = out.Received // a rate of nobody: a fixed one
	}
	return out, nil
}

func (t *tx) fillRecord(ctx context.Context, f *kurs.Fill) (record, error) {
	if f.Interval != "" {
		bar := kurs.PricedBar{Bar: kurs.Bar{Symbol: f.Symbol, Source: f.Source, Start: f.Time, Interval: f.Interval}, Receipt: f.Receipt}
		return t.barRecord(ctx, &bar)
	}
	price := kurs.Price{Quote: kurs.Quote{Symbol: f.Symbol, Source: f.Source, Time: f.Time, Session: f.Session}, Receipt: f.Receipt}
	return t.quoteRecord(ctx, &price)
}

func (t *tx) fillOne(ctx context.Context, f filling) error {
	found, err := t.fillVersion(ctx, f)
	if err == nil && !found && f.s == t.in.quotes {
		found, err = t.fillCorrection(ctx, f)
	}
	if err != nil || found {
		return err
	}
	var accounted bool
	err = t.conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM ledger WHERE run = $1 AND counters @> $2::bigint)", f.Run, f.Counter).Scan(&accounted)
	if err != nil || accounted {
		return err
	}
	return t.keepFill(ctx, f)
}

// fillVersion looks for the receipt among all versions and gives it the conversion,
// where it has none. It tells whether the receipt was found.
func (t *tx) fillVersion(ctx context.Context, f filling) (bool, error) {
	stored, err := t.stored(ctx, f.s, []record{f.record})
	if err != nil {
		return false, err
	}
	old := stored[0]
	if !slices.ContainsFunc(old, func(v versions.Span) bool { return v.Holds(f.Receipt) }) {
		return false, nil
	}
	attrs := make([]driver.Value, len(f.s.attrs))
	for i, at := range f.s.conv {
		attrs[at] = valueOf(f.s.attrs[at].kind, f.conv[i])
	}
	now, rules := slices.Clone(old), t.rules(f.s)
	for i := range now {
		now[i] = rules.Fill(now[i], versions.Seen{Receipt: f.Receipt, Attrs: attrs})
	}
	if slices.EqualFunc(old, now, versions.Span.Equal) {
		return true, nil
	}
	batch := &pgx.Batch{}
	t.replace(batch, f.s, f.record, old, now)
	noteFilled(batch, f.s.table, f)
	return true, t.conn.SendBatch(ctx, batch).Close()
}

// noteFilled has the batch keep since when a base value is known.
func noteFilled(batch *pgx.Batch, table string, f filling) {
	batch.Queue(`INSERT INTO filled (series, k1, k2, k3, k4, received, run, counter, at)
		VALUES (`+params(1, 9)+`) ON CONFLICT DO NOTHING`, append(f.place(table), moment(f.at))...)
}

// place names the receipt in the tables of all series.
func (f filling) place(table string) []any {
	return []any{table, f.key[0], f.key[1], f.key[2], f.key[3], f.Received, f.Run, f.Counter}
}

func (t *tx) keepFill(ctx context.Context, f filling) error {
	conv := f.conv
	if f.s == t.in.quotes {
		conv = slices.Insert(slices.Clone(conv), 3, cell{}, cell{}, cell{})
	}
	args := append(f.place(f.s.table), moment(f.at))
	for i, c := range conv {
		args = append(args, c.arg(pendingColumns[i].kind))
	}
	_, err := t.conn.Exec(ctx, `INSERT INTO pending_fills (series, k1, k2, k3, k4, received, run, counter, at, `+listed(pendingColumns)+`)
		VALUES (`+params(1, len(args))+`) ON CONFLICT DO NOTHING`, args...)
	return err
}

var pendingColumns = []column{
	{"fx_rate", kindDecimal},
	{"fx_time", kindTime},
	{"fx_source", kindID},
	{"base_open", kindDecimal},
	{"base_high", kindDecimal},
	{"base_low", kindDecimal},
	{"base", kindDecimal},
}

// pendingFills applies the fills whose price has come meanwhile.
func (t *tx) pendingFills(ctx context.Context) error {
	ripe, err := t.ripeFills(ctx)
	if err != nil {
		return err
	}
	for _, f := range ripe {
		if f.Receipt, err = t.receipt(ctx, f.Received, f.Run, f.Counter, 0); err != nil {
			return err
		}
		found, err := t.fillVersion(ctx, f)
		if err == nil && !found && f.s == t.in.quotes {
			_, err = t.fillCorrection(ctx, f)
		}
		if err != nil {
			return err
		}
		_, err = t.conn.Exec(ctx, `DELETE FROM pending_fills WHERE (series, k1, k2, k3, k4, received, run, counter) = (`+params(1, 8)+`)`, f.place(f.s.table)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) ripeFills(ctx context.Context) ([]filling, error) {
	rows, err := t.conn.Query(ctx, `SELECT `+listed(pendingColumns)+`, at, series, k1, k2, k3, k4, received, run, counter
		FROM pending_fills p WHERE EXISTS (SELECT 1 FROM ledger l WHERE l.run = p.run AND l.counters @> p.counter)
		ORDER BY received, run, counter`, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []filling
	for rows.Next() {
		f := filling{s: t.in.quotes}
		var (
			series string
			at     time.Time
			skip   = make([]any, len(pendingColumns))
		)
		err := rows.Scan(append(skip, &at, &series, &f.key[0], &f.key[1], &f.key[2], &f.key[3], &f.Received, &f.Run, &f.Counter)...)
		if err != nil {
			return nil, err
		}
		for i, c := range pendingColumns {
			v, err := readCell(c.kind, rows.RawValues()[i])
			if err != nil {
				return nil, err
			}
			f.conv = append(f.conv, v)
		}
		if series == t.in.bars.table {
			f.s = t.in.bars
		} else {
			f.conv = slices.Delete(f.conv, 3, 6)
		}
		f.at = at.UnixMilli()
		out = append(out, f)
	}
	return out, rows.Err()
}
