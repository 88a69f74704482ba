package sqlite

import (
	"context"
	"database/sql/driver"
	"slices"
	"time"

	"kurs"
)

// Columns is a row of an answer, for tests from outside.
type Columns []driver.Value

func (c Columns) Text(i int) string { return str(c[i]) }

func (c Columns) Number(i int) int64 { return whole(c[i]) }

func (c Columns) Moment(i int) time.Time { return moment(c[i]) }

func (c Columns) Time(i int) time.Time {
	t, err := time.Parse(timeFormat, str(c[i]))
	if err != nil {
		return time.Time{}
	}
	return t
}

func (c Columns) Millis(i int) time.Duration {
	d := c.Decimal(i)
	n, exp := d.Parts()
	for ; exp > 0; exp-- {
		n *= 10
	}
	return time.Duration(n) * time.Millisecond
}

func (c Columns) Decimal(i int) kurs.Decimal {
	d, err := decimal(c[i])
	if err != nil {
		panic(err)
	}
	return d
}

func (c Columns) Volume(i int) kurs.Volume {
	n, ok := c[i].(int64)
	return kurs.Volume{N: n, Known: ok}
}

// QueryAll answers queries, each with its own function.
func QueryAll(ctx context.Context, path string, queries map[string]func(Columns)) error {
	r, err := OpenReader(ctx, path)
	if err != nil {
		return err
	}
	defer r.Close()
	for query, do := range queries {
		err := r.query(ctx, func(row []driver.Value) error {
			do(Columns(slices.Clone(row)))
			return nil
		}, query)
		if err != nil {
			return err
		}
	}
	return nil
}

// Pragma asks the store's own connection.
func Pragma(ctx context.Context, s *Store, text string) (Columns, error) {
	row, err := s.conn.row(ctx, "PRAGMA "+text)
	return Columns(row), err
}
