package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"kurs"
	"kurs/config"
	"kurs/reading"
	"kurs/store/sqlite"
)

// viewFlags are those of every command that reads what is stored: in which
// currency, as of when, with or without splits.
type viewFlags struct {
	currency string
	asOf     string
	adjusted bool
}

func (f *viewFlags) bind(flags *pflag.FlagSet) {
	if flags.Lookup("currency") == nil { // it may be that of the config
		f.bindCurrency(flags)
	}
	flags.StringVar(&f.asOf, "as-of", "", "show what kurs knew at `TIME`")
	flags.BoolVar(&f.adjusted, "adjusted", false, "apply the splits of shares that came after a price")
}

func (f *viewFlags) bindCurrency(flags *pflag.FlagSet) {
	flags.StringVar(&f.currency, "currency", "", "show values in `CURRENCY`, at the stored rates of each price's own time")
}

// asOfTime reads --as-of; zero where it was not given.
func asOfTime(c config.Config, text string) (time.Time, error) {
	location, err := c.Location()
	if err != nil {
		return time.Time{}, err
	}
	return timeOf("--as-of", text, location, time.Now())
}

// view is how stored prices are read.
type view struct {
	db      *sqlite.Reader
	asOf    time.Time
	convert *reading.Converter // nil: as they are stored
	splits  *reading.Splits    // nil: as they were seen
}

// open opens the database to be looked at in the way that the flags say. It is to
// be closed.
func (f *viewFlags) open(ctx context.Context, c config.Config, symbols []string) (*view, error) {
	if f.currency != "" {
		if p := config.CurrencyProblem(f.currency); p != "" {
			return nil, usageError(fmt.Sprintf("--currency %q: %s", f.currency, p), "--currency EUR")
		}
	}
	location, err := c.Location()
	if err != nil {
		return nil, err
	}
	asOf, err := timeOf("--as-of", f.asOf, location, time.Now())
	if err != nil {
		return nil, err
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return nil, err
	}
	v := &view{db: db, asOf: asOf}
	if f.currency != "" && f.currency != db.BaseCurrency() {
		v.convert = converter(db, c, f.currency, asOf)
	}
	if f.adjusted {
		if err := v.readSplits(ctx, symbols); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return v, nil
}

// converter converts by the rates that are stored. All of them were recorded for
// one currency, so a pair of two others goes through that.
func converter(db *sqlite.Reader, c config.Config, to string, asOf time.Time) *reading.Converter {
	policy := ratePolicy(c)
	policy.Home = db.BaseCurrency()
	return &reading.Converter{To: to, AsOf: asOf, Policy: policy, Stored: db}
}

// readSplits reads the splits of symbols, under all names that their instruments
// had. A split belongs to the instrument whose name its symbol was at the time.
func (v *view) readSplits(ctx context.Context, symbols []string) error {
	v.splits = &reading.Splits{}
	aliases, err := v.db.Aliases(ctx)
	if err != nil {
		return err
	}
	named := slices.Clone(symbols)
	for _, a := range aliases {
		if slices.Contains(symbols, a.Symbol) || slices.Contains(symbols, a.Was) {
			named = append(named, a.Symbol, a.Was)
		}
	}
	return v.db.Events(ctx, named, func(e kurs.Event) error {
		for _, a := range aliases {
			if a.Was == e.Symbol && !e.Time.Before(a.From) && (a.Until.IsZero() || e.Time.Before(a.Until)) {
				e.Symbol = a.Symbol
				break
			}
		}
		return v.splits.Add(e)
	})
}

func (v *view) close() { _ = v.db.Close() } // it was only read

// currency is the one that values are shown in.
func (v *view) currency() string {
	if v.convert != nil {
		return v.convert.To
	}
	return v.db.BaseCurrency()
}

// row makes a stored row what is to be shown.
func (v *view) row(ctx context.Context, r *kurs.Row) error {
	if v.convert != nil {
		if err := v.convert.Row(ctx, r); err != nil {
			return err
		}
	}
	if v.splits != nil {
		return v.splits.Row(r)
	}
	return nil
}

// bar makes a provider's bar what is to be shown.
func (v *view) bar(ctx context.Context, b *kurs.BarRow) error {
	if v.convert != nil {
		if err := v.convert.Bar(ctx, b); err != nil {
			return err
		}
	}
	if v.splits != nil {
		return v.splits.Bar(b)
	}
	return nil
}

// quotes calls yield with each price as it is to be shown.
func (v *view) quotes(ctx context.Context, filter sqlite.Filter, yield func(kurs.Row) error) error {
	filter.AsOf = v.asOf
	return v.db.Quotes(ctx, filter, func(r kurs.Row) error {
		if err := v.row(ctx, &r); err != nil {
			return err
		}
		return yield(r)
	})
}

// latest are the newest prices as they are to be shown.
func (v *view) latest(ctx context.Context, symbols []string) ([]kurs.Row, error) {
	rows, err := v.db.Latest(ctx, symbols, v.asOf)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := v.row(ctx, &rows[i]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// rangeFlags choose prices by their own time.
type rangeFlags struct{ since, until string }

func (f *rangeFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.since, "since", "", "only prices made at or after `TIME`")
	flags.StringVar(&f.until, "until", "", "only prices made before `TIME`")
}

func (f *rangeFlags) filter(c config.Config, symbols []string) (sqlite.Filter, error) {
	out := sqlite.Filter{Symbols: symbols}
	location, err := c.Location()
	if err != nil {
		return out, err
	}
	now := time.Now()
	if out.Since, err = timeOf("--since", f.since, location, now); err != nil {
		return out, err
	}
	out.Until, err = timeOf("--until", f.until, location, now)
	return out, err
}

// nothingStored names the symbols of which nothing was found.
func nothingStored(w io.Writer, what string, missing []string, some bool) error {
	if len(missing) == 0 {
		return nil
	}
	for i := range missing {
		missing[i] = printable(missing[i])
	}
	fmt.Fprintf(w, "no %s are stored of %s\n", what, strings.Join(missing, ", "))
	if !some {
		return exit(kurs.ExitNotFound)
	}
	return exit(kurs.ExitPartly)
}
