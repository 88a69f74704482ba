package parquet

import (
	"context"
)

// tables are those of all kinds.
type tables struct {
	quotes  *table[quoteRow]
	bars    *table[barRow]
	rates   *table[rateRow]
	events  *table[eventRow]
	gaps    *table[gapRow]
	asides  *table[asideRow]
	aliases *table[aliasRow]
}

// anyTable is what can be done with a table of any kind.
type anyTable interface {
	label() string
	write(ctx context.Context, w *writing) error
	done()
	remember(ctx context.Context, at place, m manifest) error
	merge(ctx context.Context, from *reading, date string, names []string, w *writing) error
}

func newTables() *tables {
	return &tables{
		quotes: newTable(quoteKind()), bars: newTable(barKind()), rates: newTable(rateKind()), events: newTable(eventKind()),
		gaps: newTable(gapKind()), asides: newTable(asideKind()), aliases: newTable(aliasKind()),
	}
}

func (t *tables) all() []anyTable {
	return []anyTable{t.quotes, t.bars, t.rates, t.events, t.gaps, t.asides, t.aliases}
}

func (t *table[T]) label() string { return t.name }

// add takes the rows of a group over; undo takes them back.
func (t *tables) add(r *rows) (undo func()) {
	back := []func(){
		t.quotes.add(r.quotes), t.bars.add(r.bars), t.rates.add(r.rates), t.events.add(r.events), t.gaps.add(r.gaps),
		t.asides.add(r.asides), t.aliases.add(r.aliases),
	}
	return func() {
		for _, one := range back {
			one()
		}
	}
}

func (t *tables) len() int {
	return len(t.quotes.rows) + len(t.bars.rows) + len(t.rates.rows) + len(t.events.rows) + len(t.gaps.rows) +
		len(t.asides.rows) + len(t.aliases.rows)
}
