package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/archive"
	"kurs/config"
)

// explainRun is one run of kurs explain.
type explainRun struct {
	settings
	viewFlags

	interval string
	raw      bool
	output   string
}

func explainCommand(std streams) *cobra.Command {
	var r explainRun
	cmd := &cobra.Command{
		Use:   "explain SYMBOL [TIME]",
		Short: "Show how a stored price came to be",
		Long: `Show everything about one stored price: what was quoted and in which unit, the
exchange rate with its legs, times and sources, how the value in your currency is
computed from them, all versions, and which answer of the provider it came from.

TIME is the price's own time as the other commands show it; without it: the newest
price. Where there is none of just that time, the nearest are named.

--interval explains a bar that the provider sent; TIME is its start then.

--raw prints the message that the price came in, as it was received. Messages are
kept for archive.keep.`,
		Example: `  kurs explain VOD.L
  kurs explain VOD.L 2026-11-24T09:05:00Z
  kurs explain VOD.L 2026-11-24T09:05:00Z --currency EUR -o json
  kurs explain VOD.L 2026-11-23T08:00:00Z --interval 1d`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, args) },
	}
	r.settings.bind(cmd.Flags())
	r.viewFlags.bind(cmd.Flags())
	cmd.Flags().StringVar(&r.interval, "interval", "", "explain the provider's bar of that `INTERVAL`")
	cmd.Flags().BoolVar(&r.raw, "raw", false, "print the message that it came in, and nothing else")
	cmd.Flags().StringVarP(&r.output, "output", "o", "table", "table or json")
	return cmd
}

func (r *explainRun) run(ctx context.Context, std streams, args []string) error {
	if err := tableOrJSON(r.output); err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	symbol := kurs.CanonicalSymbol(args[0])
	v, err := r.open(ctx, c, []string{symbol})
	if err != nil {
		return err
	}
	defer v.close()
	if r.interval != "" && len(args) < 2 {
		return usageError("which bar? TIME is missing", "kurs bars "+shellWord(symbol)+" --provider --interval "+shellWord(r.interval)+" lists them")
	}
	at, err := timeToExplain(ctx, v, c, symbol, args)
	if err != nil {
		return err
	}
	if r.interval != "" {
		return r.bar(ctx, std, v, c, symbol, at)
	}
	found, err := v.explain(ctx, c, symbol, at)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notStored(ctx, v, symbol, at)
	}
	if r.raw {
		return printRaw(ctx, std.out, c, found[0].Raw, found[0].ReceivedISO)
	}
	if r.output == "json" {
		return printJSON(std.out, found)
	}
	for i := range found {
		if i > 0 {
			fmt.Fprintln(std.out)
		}
		if err := printExplanation(std.out, &found[i]); err != nil {
			return err
		}
	}
	return nil
}

// timeToExplain is the one that is named, or that of the newest price.
func timeToExplain(ctx context.Context, v *view, c config.Config, symbol string, args []string) (time.Time, error) {
	if len(args) == 2 {
		location, err := c.Location()
		if err != nil {
			return time.Time{}, err
		}
		return timeOf("TIME", args[1], location, time.Now())
	}
	rows, err := v.db.Latest(ctx, []string{symbol}, v.asOf)
	if err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	return rows[0].Time, nil
}

// explain explains the prices of a time as they are to be shown.
func (v *view) explain(ctx context.Context, c config.Config, symbol string, at time.Time) ([]kurs.Explanation, error) {
	found, err := v.db.Explain(ctx, symbol, at, v.asOf)
	if err != nil {
		return nil, err
	}
	for i := range found {
		e := &found[i]
		if err := v.row(ctx, &e.Row); err != nil {
			return nil, err
		}
		if v.convert == nil || e.CurrencyNative == "" {
			continue
		}
		// Another currency: the rate is another, too, and was never waited for.
		e.FilledISO = time.Time{}
		if e.Rates, err = v.quotedRates(ctx, c, e.CurrencyNative, e.Time); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// quotedRates are what the rate of a currency was quoted as, in the view's own.
func (v *view) quotedRates(ctx context.Context, c config.Config, currency string, at time.Time) ([]kurs.RateReceipt, error) {
	rate, err := explainRate(ctx, v.db, c, kurs.Pair{From: currency, To: v.convert.To}, at, v.asOf)
	var out []kurs.RateReceipt
	for _, l := range rate.Legs {
		out = append(out, kurs.RateReceipt{
			Pair: l.Pair, Rate: l.Rate, Time: l.Time, Source: l.Source, Interval: l.Interval, Inverse: l.Inverse, ReceivedISO: l.Received, Raw: l.Raw,
		})
	}
	return out, err
}

// bar explains a provider's bar.
func (r *explainRun) bar(ctx context.Context, std streams, v *view, c config.Config, symbol string, at time.Time) error {
	found, err := v.db.ExplainBar(ctx, symbol, r.interval, at, v.asOf)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &kurs.Error{
			Code: "KURS-NOT-STORED", Message: fmt.Sprintf("no bar of %s that begins at %s is stored of %s", r.interval, timeText(at), symbol),
			Safe: "nothing was changed", Try: "kurs bars " + shellWord(symbol) + " --provider --interval " + shellWord(r.interval) + " lists them",
			Exit: kurs.ExitNotFound,
		}
	}
	for i := range found {
		e := &found[i]
		if err := v.bar(ctx, &e.BarRow); err != nil {
			return err
		}
		if v.convert != nil && e.CurrencyNative != "" {
			e.FilledISO = time.Time{}
			if e.Rates, err = v.quotedRates(ctx, c, e.CurrencyNative, endOf(&e.BarRow)); err != nil {
				return err
			}
		}
	}
	if r.raw {
		return printRaw(ctx, std.out, c, found[0].Raw, found[0].ReceivedISO)
	}
	if r.output == "json" {
		return printJSON(std.out, found)
	}
	for i := range found {
		if err := printBarExplanation(std.out, &found[i]); err != nil {
			return err
		}
	}
	return nil
}

func endOf(b *kurs.BarRow) time.Time { return kurs.Bar{Start: b.Time, Interval: b.Interval}.End() }

// notStored is the error for a price that is not there. It names the nearest.
func notStored(ctx context.Context, v *view, symbol string, at time.Time) error {
	e := &kurs.Error{
		Code: "KURS-NOT-STORED", Message: "nothing is stored of " + symbol, Safe: "nothing was changed", Try: "kurs quote --stored lists what is",
		Exit: kurs.ExitNotFound,
	}
	if at.IsZero() {
		return e
	}
	before, after, err := v.db.Nearest(ctx, symbol, at)
	if err != nil {
		return err
	}
	var near []string
	for _, t := range []time.Time{before, after} {
		if !t.IsZero() {
			near = append(near, "kurs explain "+shellWord(symbol)+" "+timeText(t))
		}
	}
	if len(near) > 0 {
		e.Message = fmt.Sprintf("%s has no price of %s", symbol, timeText(at))
		e.Try = "the nearest: " + strings.Join(near, "   or   ")
	}
	return e
}

// printRaw prints a message as it was received. What a terminal would obey is made
// visible; in a pipe it is as it is.
func printRaw(ctx context.Context, w io.Writer, c config.Config, id kurs.RawID, received time.Time) error {
	raw, err := archive.Find(ctx, c.Paths.Archive, id, received)
	if errors.Is(err, archive.ErrNotKept) {
		return &kurs.Error{
			Code: "KURS-NOT-STORED", Message: fmt.Sprintf("the message %s is not kept any more", id), Safe: "the price and all that is told of it are",
			Try: "archive.keep = \"30d\" keeps messages longer (now " + config.FormatDuration(c.Archive.Keep) + ")", Exit: kurs.ExitNotFound,
		}
	}
	if err != nil {
		return err
	}
	text := string(raw.Body)
	if isTerminal(w) {
		text = printable(text)
	}
	_, err = fmt.Fprintln(w, text)
	return err
}
