package postgres

import (
	"context"
	"time"
)

// partitions sees to it that the partitions of the records' times are there, and with
// them the ones after: a price that is made tomorrow finds its own.
func (t *tx) partitions(ctx context.Context, s *series, records []record) error {
	if !s.partitioned {
		return nil
	}
	wanted := map[period]time.Time{}
	want := func(at time.Time) {
		p := period{table: s.table, month: 12*at.Year() + int(at.Month())}
		if !t.known.periods[p] {
			wanted[p] = at
		}
	}
	last := int64(0)
	for i := range records {
		if ms := records[i].key[s.time]; i == 0 || ms != last {
			last = ms
			want(moment(ms))
		}
	}
	now := time.Now().UTC()
	want(now)
	want(now.AddDate(0, 0, ahead))
	if len(wanted) == 0 {
		return nil
	}
	times := make([]time.Time, 0, len(wanted))
	for _, at := range wanted {
		times = append(times, at)
	}
	if _, err := t.conn.Exec(ctx, "SELECT prepare_partitions($1, $2)", s.table, times); err != nil {
		return err
	}
	for p := range wanted {
		t.known.periods[p] = true
	}
	return nil
}

// period is a month of a table.
type period struct {
	table string
	month int // since the year 0
}

// ahead is how many days before they are needed partitions are made.
const ahead = 31
