package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/reading"
	"kurs/rowtext"
	"kurs/store/sqlite"
)

// barsRun is one run of kurs bars.
type barsRun struct {
	settings
	viewFlags
	rangeFlags
	csvFlags

	interval string
	provider bool
	extended bool
	output   string
}

func barsCommand(std streams) *cobra.Command {
	var r barsRun
	cmd := &cobra.Command{
		Use:   "bars SYMBOL...",
		Short: "Show stored prices as bars of any interval",
		Long: `Make bars (open, high, low, close, volume) of the stored prices. Values in your
currency come from prices that were each converted at its own time: the highest of
them need not be of the same moment as the highest quoted price. Days, weeks and
months are those of the exchange's own time zone. Only prices of the regular session
count, unless --extended is given.

--provider shows the bars that the provider sent instead; those are converted whole,
with the rate as of their end. Column made_of says which it is.`,
		Example: `  kurs bars AAPL --interval 5m --since today
  kurs bars AAPL NOVO-B.CO --interval 1d --adjusted --currency EUR -o csv
  kurs bars AAPL --interval 1d --provider`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, symbolsOf(args)) },
	}
	flags := cmd.Flags()
	r.settings.bind(flags)
	r.viewFlags.bind(flags)
	r.rangeFlags.bind(flags)
	r.csvFlags.bind(flags)
	flags.StringVar(&r.interval, "interval", "1d", "length of a bar: "+strings.Join(reading.IntervalNames(), " "))
	flags.BoolVar(&r.provider, "provider", false, "show the provider's own bars")
	flags.BoolVar(&r.extended, "extended", false, "count prices before and after the regular session too")
	flags.StringVarP(&r.output, "output", "o", "table", "table, csv, jsonl or json")
	return cmd
}

func (r *barsRun) run(ctx context.Context, std streams, symbols []string) error {
	if !slices.Contains([]string{"table", "csv", "jsonl", "json"}, r.output) {
		return usageError(fmt.Sprintf("-o %s is not a format: there are table, csv, jsonl and json", r.output), "-o csv")
	}
	interval, err := reading.ParseInterval(r.interval)
	if err != nil && !r.provider { // a provider has others
		return usageError("--interval: "+err.Error(), "kurs bars AAPL --interval 5m")
	}
	dialect, err := r.dialect(r.output)
	if err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	filter, err := r.filter(c, symbols)
	if err != nil {
		return err
	}
	v, err := r.open(ctx, c, symbols)
	if err != nil {
		return err
	}
	defer v.close()
	found := map[string]bool{}
	c.Currency = v.currency()
	out := newBarWriter(std.out, r.output, dialect, c)
	yield := func(b kurs.BarRow) error {
		found[b.Symbol], found[b.Instrument] = true, true
		return out.bar(b)
	}
	if r.provider {
		err = v.providerBars(ctx, filter, r.interval, yield)
	} else {
		err = v.build(ctx, filter, interval, r.extended, yield)
	}
	if err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(symbols), func(s string) bool { return found[s] })
	return nothingStored(std.err, "bars", missing, len(missing) < len(symbols))
}

// known is a filter for what was known as of the view's time.
func (v *view) known(f sqlite.Filter) sqlite.Filter {
	f.AsOf = v.asOf
	return f
}

// providerBars calls yield with the provider's bars as they are to be shown.
func (v *view) providerBars(ctx context.Context, filter sqlite.Filter, interval string, yield func(kurs.BarRow) error) error {
	return v.db.Bars(ctx, sqlite.BarFilter{Filter: v.known(filter), Interval: interval}, func(b kurs.BarRow) error {
		if err := v.bar(ctx, &b); err != nil {
			return err
		}
		return yield(b)
	})
}

// build makes bars of stored prices, symbol by symbol.
func (v *view) build(ctx context.Context, filter sqlite.Filter, interval reading.Interval, extended bool, yield func(kurs.BarRow) error) error {
	for _, symbol := range filter.Symbols {
		b := reading.Builder{Interval: interval, Now: time.Now(), Yield: yield}
		if !v.asOf.IsZero() {
			b.Now = v.asOf
		}
		if !extended {
			b.Sessions = []kurs.Session{kurs.SessionRegular, ""}
		}
		zone, err := v.db.TimeZone(ctx, symbol)
		if err != nil {
			return err
		}
		if b.Zone, err = time.LoadLocation(zone); err != nil {
			b.Zone = time.UTC // a name that this machine does not know
		}
		one := filter
		one.Symbols = []string{symbol}
		if err := v.quotes(ctx, one, b.Add); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// barWriter writes bars in one of the formats.
type barWriter struct {
	bar func(kurs.BarRow) error
	end func() error
}

func newBarWriter(w io.Writer, format string, dialect rowtext.Dialect, c config.Config) barWriter {
	switch format {
	case "csv":
		return csvBars(w, dialect)
	case "jsonl":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return barWriter{bar: func(b kurs.BarRow) error { return enc.Encode(b) }, end: func() error { return nil }}
	case "json":
		all := []kurs.BarRow{}
		return barWriter{
			bar: func(b kurs.BarRow) error {
				all = append(all, b)
				return nil
			},
			end: func() error { return printJSON(w, all) },
		}
	}
	return tableBars(w, c)
}

func csvBars(w io.Writer, dialect rowtext.Dialect) barWriter {
	out := bufio.NewWriter(w)
	_, headErr := out.Write(dialect.BarHead(nil))
	return barWriter{
		bar: func(b kurs.BarRow) error {
			if headErr != nil {
				return headErr
			}
			_, err := out.Write(dialect.Bar(out.AvailableBuffer(), &b))
			return err
		},
		end: out.Flush,
	}
}

func tableBars(w io.Writer, c config.Config) barWriter {
	n := newNumbers(c.Locale)
	t := table{
		head:  []string{"SYMBOL", "TIME", "OPEN " + c.Currency, "HIGH", "LOW", "CLOSE", "CLOSE NATIVE", "", "VOLUME", "MADE OF"},
		right: []bool{false, false, true, true, true, true, true, false, true, false},
	}
	waiting := int64(0)
	return barWriter{
		bar: func(b kurs.BarRow) error {
			volume, made := "-", "provider, rate of its end"
			if b.Volume != nil {
				volume = strconv.FormatInt(*b.Volume, 10)
			}
			if b.MadeOf == kurs.MadeOfPrices {
				made = countOf(int(b.Prices), "price")
			}
			if b.Unfinished {
				made += ", unfinished"
			}
			if b.Rewritten {
				made += ", rewritten after a split"
			}
			waiting += b.Unconverted
			t.add(printable(b.Symbol), timeText(b.Time), n.price(b.OpenBase), n.price(b.HighBase), n.price(b.LowBase), n.price(b.CloseBase),
				n.native(b.CloseNative, b.Approximate), printable(b.Unit), volume, made)
			return nil
		},
		end: func() error {
			if len(t.rows) == 0 {
				return nil
			}
			err := t.print(w)
			if err == nil && waiting > 0 {
				_, err = fmt.Fprintf(w, "%d prices wait for a rate, and their bars for them: %s fx missing\n", waiting, programName())
			}
			return err
		},
	}
}
