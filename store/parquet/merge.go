package parquet

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	pq "github.com/parquet-go/parquet-go"
)

// reading reads files of a place.
type reading struct{ at place }

// merge writes the files of one day anew: sorted, each key resolved. It reads
// all of them side by side, a few rows at a time.
func (t *table[T]) merge(ctx context.Context, from *reading, date string, files []string, w *writing) (err error) {
	order := ""
	for _, name := range files {
		order = max(order, orderOf(name))
	}
	out := &outputs[T]{w: w, kind: t.kind, date: date, order: order, most: rowsInFile}
	err = t.read(ctx, from, files, nil, out.put)
	if err != nil {
		out.abandon()
		return err
	}
	return out.close()
}

// read goes through the rows of files, and some that are in memory, and puts what
// they come to.
func (t *table[T]) read(ctx context.Context, from *reading, files []string, more []entry[T], put put[T]) (err error) {
	m := &merger[T]{kind: t.kind}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, name := range files {
		c, err := openCursor[T](ctx, from.at, name)
		if err != nil {
			return err
		}
		m.all = append(m.all, c)
	}
	if len(more) > 0 {
		m.all = append(m.all, &cursor[T]{chunk: more})
	}
	for _, c := range m.all {
		if ok, err := c.next(); err != nil {
			return err
		} else if ok {
			m.heads = append(m.heads, c)
		}
	}
	heap.Init(m)
	var group []*entry[T]
	for n := 0; len(m.heads) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if group, err = m.group(group[:0]); err != nil {
			return err
		}
		if err := t.resolve(group, put); err != nil {
			return err
		}
	}
	return nil
}

// merger brings the rows of several files into one order. It is a heap of the
// files by their next row.
type merger[T any] struct {
	kind  *kind[T]
	all   []*cursor[T]
	heads []*cursor[T]
}

func (m *merger[T]) Len() int { return len(m.heads) }
func (m *merger[T]) Less(i, j int) bool {
	return m.kind.key(&m.heads[i].entry.row, &m.heads[j].entry.row) < 0
}
func (m *merger[T]) Swap(i, j int) { m.heads[i], m.heads[j] = m.heads[j], m.heads[i] }
func (*merger[T]) Push(any)        {}

func (m *merger[T]) Pop() any {
	m.heads = m.heads[:len(m.heads)-1]
	return nil
}

// group takes all entries of the next key, in order.
func (m *merger[T]) group(into []*entry[T]) ([]*entry[T], error) {
	for len(m.heads) > 0 {
		head := m.heads[0]
		if len(into) > 0 && m.kind.key(&into[0].row, &head.entry.row) != 0 {
			break
		}
		e := head.entry
		into = append(into, &e)
		ok, err := head.next()
		if err != nil {
			return nil, err
		}
		if ok {
			heap.Fix(m, 0)
		} else {
			heap.Remove(m, 0)
		}
	}
	if len(into) > 1 {
		slices.SortStableFunc(into, m.kind.compare)
	}
	return into, nil
}

func (m *merger[T]) close() error {
	var failed []error
	for _, c := range m.all {
		failed = append(failed, c.close())
	}
	return errors.Join(failed...)
}

// cursor goes through the rows of a file.
type cursor[T any] struct {
	entry entry[T]

	name   string
	source *source
	reader *pq.GenericReader[T]
	role   role
	order  int64
	buffer []T
	rows   []T        // of the buffer, those that are to come
	chunk  []entry[T] // of a cursor without a file
}

// inMemory puts rows that are in no file yet behind those that are.
const inMemory = 1 << 62

// rowsAtOnce is how many rows of each file are in memory while files are merged.
const rowsAtOnce = 256

func openCursor[T any](ctx context.Context, at place, name string) (*cursor[T], error) {
	c := &cursor[T]{name: name}
	order, err := strconv.ParseInt(orderOf(name), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", name, err)
	}
	dataset, _, _ := strings.Cut(name, "/")
	for as, suffix := range suffixes {
		if suffix != "" && strings.HasSuffix(dataset, suffix) {
			c.role = role(as)
		}
	}
	c.order = order
	if c.source, err = at.get(ctx, name); err != nil {
		return nil, fmt.Errorf("file %s: %w", name, err)
	}
	file, err := pq.OpenFile(c.source, c.source.size, pq.SkipPageIndex(true), pq.SkipBloomFilters(true), pq.ReadBufferSize(int(min(64<<10, max(c.source.size, 1<<10)))))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("file %s: %w", name, err), c.source.Close())
	}
	c.reader = pq.NewGenericReader[T](file)
	c.buffer = make([]T, max(1, min(rowsAtOnce, file.NumRows())))
	return c, nil
}

// next moves to the next row.
func (c *cursor[T]) next() (bool, error) {
	if c.reader == nil {
		if len(c.chunk) == 0 {
			return false, nil
		}
		c.entry, c.chunk = c.chunk[0], c.chunk[1:]
		c.entry.order += inMemory
		return true, nil
	}
	if len(c.rows) == 0 {
		clear(c.buffer) // what a row points to may still be in use
		n, err := c.reader.Read(c.buffer)
		if n == 0 && errors.Is(err, io.EOF) {
			return false, nil
		}
		if n == 0 || err != nil && !errors.Is(err, io.EOF) { // rows that come with an error may be of two
			return false, fmt.Errorf("file %s: %w", c.name, cmp.Or(err, io.ErrUnexpectedEOF))
		}
		c.rows = c.buffer[:n]
	}
	c.entry = entry[T]{row: c.rows[0], role: c.role, order: c.order}
	c.rows = c.rows[1:]
	return true, nil
}

func (c *cursor[T]) close() error {
	if c.reader == nil {
		return nil
	}
	return errors.Join(c.reader.Close(), c.source.Close())
}
