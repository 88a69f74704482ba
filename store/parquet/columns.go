package parquet

import (
	"cmp"
	"time"

	"kurs"
	"kurs/export/columns"
)

// The columns of the files, in their order. Only fields without pointers are in
// an embedded struct: of the others parquet-go v0.32.0 writes a NULL as 0. They are named as those of the views
// of SQLite (docs/formats.md), and only ever added to. Empty texts and unknown
// decimals are NULL; times are UTC, in milliseconds.

// origin is the receipt by which kurs learned of a row. With the key it is what
// a version is known by.
type origin struct {
	Received  int64  `parquet:"received_iso,timestamp(millisecond),delta"`
	Origin    string `parquet:"origin,optional,dict"`
	RawSource string `parquet:"raw_source,optional,dict"`
	RawRun    string `parquet:"raw_run,optional,dict"`
	Counter   int64  `parquet:"raw_counter,delta"`
}

// compare orders receipts by time, then by the raw message's id. Runs are named
// so that later ones sort after earlier ones.
func (o *origin) compare(p *origin) int {
	if c := cmp.Compare(o.Received, p.Received); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(o.RawSource, p.RawSource), cmp.Compare(o.RawRun, p.RawRun), cmp.Compare(o.Counter, p.Counter))
}

type quoteRow struct {
	Symbol       string `parquet:"symbol,dict"`
	Time         int64  `parquet:"time,timestamp(millisecond),delta"`
	Native       *fixed `parquet:"price_native,decimal(24:38),optional"` // NULL in a fill, and where what was corrected is void
	Unit         string `parquet:"unit,optional,dict"`
	Currency     string `parquet:"currency_native,optional,dict"`
	Factor       *fixed `parquet:"factor,decimal(24:38),optional"`
	Rate         *fixed `parquet:"fx_rate,decimal(24:38),optional"`
	RateTime     int64  `parquet:"fx_time,timestamp(millisecond),optional"`
	RateFrom     string `parquet:"fx_source,optional,dict"`
	Base         *fixed `parquet:"price_base,decimal(24:38),optional"`
	BaseCurrency string `parquet:"currency_base,optional,dict"`
	Bid          *fixed `parquet:"bid,decimal(24:38),optional"`
	Ask          *fixed `parquet:"ask,decimal(24:38),optional"`
	Volume       *int64 `parquet:"volume,optional"`
	Session      string `parquet:"session,optional,dict"`
	Source       string `parquet:"source,optional,dict"`
	origin
	Approximate bool            `parquet:"approximate"`
	Delay       int64           `parquet:"delay_ms,delta"`
	CorrectedBy string          `parquet:"corrected_by,optional,dict"`
	Correction  string          `parquet:"correction,optional,dict"`
	Decision    string          `parquet:"decision,optional,dict"` // of what was set aside with this value; else NULL
	Outside     columns.Outside `parquet:"outside,optional"`       // {"price_native":"1e-30"}: what its column cannot hold
}

type barRow struct {
	Symbol       string `parquet:"symbol,dict"`
	Time         int64  `parquet:"time,timestamp(millisecond),delta"` // its start
	Interval     string `parquet:"interval,optional,dict"`
	Open         *fixed `parquet:"open_native,decimal(24:38),optional"`
	High         *fixed `parquet:"high_native,decimal(24:38),optional"`
	Low          *fixed `parquet:"low_native,decimal(24:38),optional"`
	Close        *fixed `parquet:"close_native,decimal(24:38),optional"` // NULL in a fill
	Unit         string `parquet:"unit,optional,dict"`
	Currency     string `parquet:"currency_native,optional,dict"`
	Factor       *fixed `parquet:"factor,decimal(24:38),optional"`
	Rate         *fixed `parquet:"fx_rate,decimal(24:38),optional"`
	RateTime     int64  `parquet:"fx_time,timestamp(millisecond),optional"`
	RateFrom     string `parquet:"fx_source,optional,dict"`
	BaseOpen     *fixed `parquet:"open_base,decimal(24:38),optional"`
	BaseHigh     *fixed `parquet:"high_base,decimal(24:38),optional"`
	BaseLow      *fixed `parquet:"low_base,decimal(24:38),optional"`
	BaseClose    *fixed `parquet:"close_base,decimal(24:38),optional"`
	BaseCurrency string `parquet:"currency_base,optional,dict"`
	Volume       *int64 `parquet:"volume,optional"`
	Source       string `parquet:"source,optional,dict"`
	origin
	Approximate bool            `parquet:"approximate"`
	Decision    string          `parquet:"decision,optional,dict"`
	Outside     columns.Outside `parquet:"outside,optional"`
}

type rateRow struct {
	Symbol   string `parquet:"symbol,optional,dict"` // NULL: computed
	From     string `parquet:"from_currency,dict"`
	To       string `parquet:"to_currency,dict"`
	Time     int64  `parquet:"time,timestamp(millisecond),delta"`
	Value    *fixed `parquet:"rate,decimal(24:38),optional"`
	Interval string `parquet:"interval,optional,dict"`
	Source   string `parquet:"source,optional,dict"`
	ValidFor int64  `parquet:"valid_for_ms,delta"`
	origin
	Outside columns.Outside `parquet:"outside,optional"`
}

type eventRow struct {
	Symbol      string          `parquet:"symbol,dict"`
	Kind        string          `parquet:"kind,optional,dict"`
	Time        int64           `parquet:"time,timestamp(millisecond),delta"`
	Amount      *fixed          `parquet:"amount,decimal(24:38),optional"`
	Unit        string          `parquet:"unit,optional,dict"`
	Numerator   *fixed          `parquet:"numerator,decimal(24:38),optional"`
	Denominator *fixed          `parquet:"denominator,decimal(24:38),optional"`
	Source      string          `parquet:"source,optional,dict"`
	Outside     columns.Outside `parquet:"outside,optional"`
}

type gapRow struct {
	Symbol string `parquet:"symbol,optional,dict"` // NULL: everybody's
	Time   int64  `parquet:"time,timestamp(millisecond),delta"`
	To     int64  `parquet:"to_time,timestamp(millisecond),delta"`
	Reason string `parquet:"reason,optional,dict"`
	Source string `parquet:"source,optional,dict"`
	origin
}

// asideRow is an observation that was set aside, with what was decided of it.
type asideRow struct {
	Kind     string `parquet:"kind,optional,dict"`
	Symbol   string `parquet:"symbol,dict"`
	Time     int64  `parquet:"time,timestamp(millisecond),delta"` // 1970-01-01: it has none
	Interval string `parquet:"interval,optional,dict"`
	Native   *fixed `parquet:"price_native,decimal(24:38),optional"`
	Unit     string `parquet:"unit,optional,dict"`
	Currency string `parquet:"currency_native,optional,dict"`
	Factor   *fixed `parquet:"factor,decimal(24:38),optional"`
	Rate     *fixed `parquet:"fx_rate,decimal(24:38),optional"`
	RateTime int64  `parquet:"fx_time,timestamp(millisecond),optional"`
	RateFrom string `parquet:"fx_source,optional,dict"`
	Open     *fixed `parquet:"open_native,decimal(24:38),optional"`
	High     *fixed `parquet:"high_native,decimal(24:38),optional"`
	Low      *fixed `parquet:"low_native,decimal(24:38),optional"`
	Bid      *fixed `parquet:"bid,decimal(24:38),optional"`
	Ask      *fixed `parquet:"ask,decimal(24:38),optional"`
	Volume   *int64 `parquet:"volume,optional"`
	Reason   string `parquet:"reason,optional,dict"`
	Detail   string `parquet:"detail,optional"`
	Session  string `parquet:"session,optional,dict"`
	Source   string `parquet:"source,optional,dict"`
	origin
	Approximate bool            `parquet:"approximate"`
	State       string          `parquet:"state,dict"`
	By          *fixed          `parquet:"decided_factor,decimal(24:38),optional"`
	Author      string          `parquet:"author,optional,dict"`
	Comment     string          `parquet:"comment,optional"`
	Decided     int64           `parquet:"decided_iso,timestamp(millisecond),optional"`
	DecidedRun  string          `parquet:"decided_run,optional,dict"`
	DecidedAt   int64           `parquet:"decided_counter,delta"`
	Outside     columns.Outside `parquet:"outside,optional"`
}

type aliasRow struct {
	Symbol  string `parquet:"symbol,dict"`
	Was     string `parquet:"was,dict"`
	From    int64  `parquet:"from_iso,timestamp(millisecond),optional"`
	Until   int64  `parquet:"until_iso,timestamp(millisecond),optional"`
	Removed bool   `parquet:"removed"`
	Author  string `parquet:"author,optional,dict"`
	origin
}

type instrumentRow struct {
	Symbol   string `parquet:"symbol,dict"`
	Name     string `parquet:"name,optional"`
	Kind     string `parquet:"kind,optional,dict"`
	Exchange string `parquet:"exchange,optional,dict"`
	Unit     string `parquet:"unit,optional,dict"`
	TimeZone string `parquet:"time_zone,optional,dict"`
	Source   string `parquet:"source,optional,dict"`
}

// millis is a time that must be there, in milliseconds since 1970. Years of more
// than four digits have no folder.
func millis(t time.Time) (int64, error) {
	if y := t.UTC().Year(); t.IsZero() || y < 0 || y > 9999 {
		return 0, rejected("a time that is not one: %d", t.Unix())
	}
	return t.UnixMilli(), nil
}

// moment is a column of milliseconds as a time; 0 is the zero time.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func volume(v kurs.Volume) *int64 {
	if !v.Known {
		return nil
	}
	return &v.N
}

// day is the folder of a time.
func day(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }
