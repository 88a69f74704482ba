package parquet

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// table is what a store holds of one kind that is not in files yet.
type table[T any] struct {
	*kind[T]

	rows   []entry[T]
	newest map[[3]string]T // of each series, the newest row that is in a file
	learnt []*T            // what newest becomes when the commit is done
}

func newTable[T any](k *kind[T]) *table[T] {
	return &table[T]{kind: k, newest: map[[3]string]T{}}
}

// add takes rows over; undo takes them back.
func (t *table[T]) add(rows []entry[T]) (undo func()) {
	before := len(t.rows)
	for i := range rows {
		rows[i].order = int64(before + i)
	}
	t.rows = append(t.rows, rows...)
	return func() { t.rows = t.rows[:before] }
}

// sorted are copies of the rows, which whoever resolves them may change: by day,
// and then in the order of the files.
func (t *table[T]) sorted() []*entry[T] {
	rows := slices.Clone(t.rows)
	out := make([]*entry[T], len(rows))
	for i := range rows {
		out[i] = &rows[i]
	}
	slices.SortFunc(out, func(a, b *entry[T]) int {
		if c := cmp.Compare(dayNumber(t.time(&a.row)), dayNumber(t.time(&b.row))); c != 0 {
			return c
		}
		return t.compare(a, b)
	})
	return out
}

// dayNumber counts days since 1970-01-01.
func dayNumber(ms int64) int64 {
	const day = 24 * 60 * 60 * 1000
	n := ms / day
	if ms%day < 0 {
		n--
	}
	return n
}

// write makes files of the rows, one a day and role.
func (t *table[T]) write(ctx context.Context, w *writing) (err error) {
	t.learnt = nil
	var out *outputs[T]
	defer func() {
		if err != nil && out != nil {
			out.abandon()
		}
	}()
	put := func(as role, row *T) error { return out.put(t.place(as, row), row) }
	for rows := t.sorted(); len(rows) > 0; {
		n := 1
		for n < len(rows) && t.key(&rows[0].row, &rows[n].row) == 0 {
			n++
		}
		date := day(t.time(&rows[0].row))
		if out == nil || out.date != date {
			if out != nil {
				if err := out.close(); err != nil {
					return err
				}
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			out = &outputs[T]{w: w, kind: t.kind, date: date, most: rowsInFile}
		}
		if err := t.resolve(rows[:n], put); err != nil {
			return err
		}
		rows = rows[n:]
	}
	if out == nil {
		return nil
	}
	return out.close()
}

// place is where a row goes. A price that was received again unchanged, as it is
// at each poll of a closed market, is in a file already: it completes that one.
func (t *table[T]) place(as role, row *T) role {
	if as != shown || t.series == nil {
		return as
	}
	series := t.series(row)
	if last, ok := t.newest[series]; ok && t.key(&last, row) == 0 && t.again(&last, row) {
		return seen
	}
	if n := len(t.learnt); n > 0 && t.series(t.learnt[n-1]) == series { // they come in order
		t.learnt[n-1] = row
	} else {
		t.learnt = append(t.learnt, row)
	}
	return as
}

// done forgets the rows: they are in files.
func (t *table[T]) done() {
	for _, row := range t.learnt {
		t.learn(row)
	}
	t.learnt = nil
	clear(t.rows)
	t.rows = t.rows[:0]
}

// learn notes a row that is in a file.
func (t *table[T]) learn(row *T) {
	series := t.series(row)
	last, ok := t.newest[series]
	if !ok || cmp.Or(cmp.Compare(t.time(&last), t.time(row)), t.origin(&last).compare(t.origin(row))) <= 0 {
		t.newest[series] = *row
	}
}

// remembered is how many rows are read when a store is opened, at most.
const remembered = 1 << 20

// remember finds the newest rows again, in the files of days that were not
// compacted, the last first. One that is not found makes a price that is received
// again unchanged appear twice, until its day is compacted.
func (t *table[T]) remember(ctx context.Context, at place, m manifest) error {
	if t.series == nil {
		return nil
	}
	rows := 0
	for _, d := range slices.Backward(m.days(t.name)) {
		if d.fresh == 0 {
			continue
		}
		for _, name := range slices.Backward(m.in(t.name + "/" + datePrefix + d.date)) {
			if rows >= remembered {
				return nil
			}
			n, err := t.learnFile(ctx, at, name)
			if err != nil {
				return err
			}
			rows += n
		}
	}
	return nil
}

func (t *table[T]) learnFile(ctx context.Context, at place, name string) (n int, err error) {
	c, err := openCursor[T](ctx, at, name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	for {
		ok, err := c.next()
		if err != nil || !ok {
			return n, err
		}
		t.learn(&c.entry.row)
		n++
	}
}
