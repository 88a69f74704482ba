package sqlite

import (
	"context"
	"database/sql/driver"
	"math"
	"slices"
	"time"
)

// This file follows instruments through the names that they had: the history of
// one is its own prices, but for times in which its symbol was another's, and
// those of its earlier symbols. No price belongs to two.

// renaming says that an instrument's symbol was another for a while.
type renaming struct {
	was, now    int64 // ids of instruments
	from, until int64 // milliseconds; from included, until not
}

// names are all that hold.
func (r *Reader) names(ctx context.Context) ([]renaming, error) {
	var out []renaming
	err := r.query(ctx, func(row []driver.Value) error {
		out = append(out, renaming{was: whole(row[0]), now: whole(row[1]), from: whole(row[2]), until: whole(row[3])})
		return nil
	}, "SELECT was, instrument, from_time, until_time FROM renamed ORDER BY was, from_time")
	return out, err
}

// part is the prices of one symbol in a time, in milliseconds: after the first,
// before the second.
type part struct{ id, after, before int64 }

func (p part) whole() bool { return p.after == math.MinInt64 && p.before == math.MaxInt64 }

// partsOf are the parts of an instrument's history, by time.
func partsOf(id int64, names []renaming) []part {
	var out []part
	rest := part{id: id, after: math.MinInt64, before: math.MaxInt64}
	for _, n := range names {
		switch {
		case n.now == id:
			out = append(out, part{id: n.was, after: n.from - 1, before: n.until})
		case n.was == id: // it is another's then
			if n.from >= 0 && n.from > rest.after+1 {
				out = append(out, part{id: id, after: rest.after, before: n.from})
			}
			rest.after = max(rest.after, n.until-1)
		}
	}
	if rest.after < math.MaxInt64-1 {
		out = append(out, rest)
	}
	slices.SortFunc(out, func(a, b part) int {
		switch {
		case a.after < b.after:
			return -1
		case a.after > b.after:
			return 1
		}
		return 0
	})
	return out
}

// order says in which order named symbols come.
type order bool

const (
	inOrder order = false // as they are named
	sorted  order = true
)

// histories calls do with the history of each symbol that is named, or of all in
// their order. Unknown symbols are passed over.
func (r *Reader) histories(ctx context.Context, symbols []string, names []renaming, do func(symbol string, parts []part) error, by order) error {
	if len(symbols) == 0 || by == sorted {
		return r.instruments(ctx, symbols, func(id int64, symbol string) error { return do(symbol, partsOf(id, names)) })
	}
	for _, symbol := range symbols {
		err := r.instruments(ctx, []string{symbol}, func(id int64, symbol string) error { return do(symbol, partsOf(id, names)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// Alias is another name that an instrument had.
type Alias struct {
	Symbol string    `json:"symbol"`
	Was    string    `json:"was"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Author string    `json:"author"`
}

// Aliases are all that hold, by symbol.
func (r *Reader) Aliases(ctx context.Context) ([]Alias, error) {
	var out []Alias
	err := r.query(ctx, func(row []driver.Value) error {
		a := Alias{Symbol: str(row[0]), Was: str(row[1]), Author: str(row[4])}
		if from := whole(row[2]); from >= 0 {
			a.From = time.UnixMilli(from).UTC()
		}
		if until := whole(row[3]); until < noLimit {
			a.Until = time.UnixMilli(until).UTC()
		}
		out = append(out, a)
		return nil
	}, `SELECT i.symbol, w.symbol, r.from_time, r.until_time, r.author FROM renamed r
		JOIN instruments i ON i.id = r.instrument JOIN instruments w ON w.id = r.was ORDER BY i.symbol, r.from_time, w.symbol`)
	return out, err
}
