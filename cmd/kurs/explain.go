package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
)

// explainRun is one run of kurs explain.
type explainRun struct {
	settings
	viewFlags

	output string
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
price. Where there is none of just that time, the nearest are named.`,
		Example: `  kurs explain VOD.L
  kurs explain VOD.L 2026-11-24T09:05:00Z
  kurs explain VOD.L 2026-11-24T09:05:00Z --currency EUR -o json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, args) },
	}
	r.settings.bind(cmd.Flags())
	r.viewFlags.bind(cmd.Flags())
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
	at, err := r.time(ctx, v, c, symbol, args)
	if err != nil {
		return err
	}
	found, err := v.explain(ctx, c, symbol, at)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notStored(ctx, v, symbol, at)
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

// time is the one that is named, or that of the newest price.
func (r *explainRun) time(ctx context.Context, v *view, c config.Config, symbol string, args []string) (time.Time, error) {
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
		e.Rates, e.FilledISO = nil, time.Time{}
		rate, err := explainRate(ctx, v.db, c, kurs.Pair{From: e.CurrencyNative, To: v.convert.To}, e.Time, v.asOf)
		if err != nil {
			return nil, err
		}
		for _, l := range rate.Legs {
			e.Rates = append(e.Rates, kurs.RateReceipt{
				Pair: l.Pair, Rate: l.Rate, Time: l.Time, Source: l.Source, Interval: l.Interval, Inverse: l.Inverse, ReceivedISO: l.Received,
			})
		}
	}
	return found, nil
}

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

// printExplanation prints one price, from what was quoted to its value.
func printExplanation(w io.Writer, e *kurs.Explanation) error {
	p := &page{w: w}
	p.line("%s at %s%s", printable(e.Symbol), timeText(e.Time), sessionText(e.Session))
	if e.Instrument != "" {
		p.line("%s goes by the name of %s", printable(e.Symbol), printable(e.Instrument))
	}
	p.line("")
	mark := ""
	if e.Approximate {
		mark = "   approximate: the provider sends more digits than its format holds"
	}
	p.item("quoted", "%s %s%s", e.PriceNative, printable(e.Unit), mark)
	if e.CorrectedBy != "" {
		p.item("corrected", "by %s: %s", printable(e.CorrectedBy), printable(e.Correction))
	}
	if e.SplitFactor.Known() {
		p.item("splits", "all values are times %s for splits since", e.SplitFactor)
	}
	p.unit(e)
	p.rate(e)
	p.value(e)
	seen := ""
	if e.SeenISO.After(e.ReceivedISO) {
		seen = ", last seen so " + timeText(e.SeenISO)
	}
	p.item("received", "%s%s%s", timeText(e.ReceivedISO), originText(e.Origin), seen)
	p.item("message", "%s", printable(e.Raw.String()))
	if len(e.Versions) > 1 {
		p.versions(e)
	}
	return p.err
}

// page writes lines until one fails.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) item(name, format string, args ...any) {
	p.line("  %-10s %s", name, fmt.Sprintf(format, args...))
}

func (p *page) unit(e *kurs.Explanation) {
	switch {
	case e.CurrencyNative == "":
		p.item("unit", "the provider did not say it, so there is nothing to convert")
	case e.Unit != e.CurrencyNative:
		p.item("unit", "1 %s is %s %s", printable(e.Unit), e.Factor, e.CurrencyNative)
	}
}

func (p *page) rate(e *kurs.Explanation) {
	switch {
	case e.CurrencyNative == "" || e.CurrencyNative == e.CurrencyBase:
		return
	case !e.FXRate.Known():
		p.item("rate", "no %s%s rate of that time: kurs fx %s%s --at %s tells why", e.CurrencyNative, e.CurrencyBase, e.CurrencyNative, e.CurrencyBase, timeText(e.Time))
		return
	}
	p.item("rate", "%s%s %s as of %s, %s before the price, from %s", e.CurrencyNative, e.CurrencyBase, e.FXRate, timeText(e.FXTime),
		ageText(e.Time.Sub(e.FXTime)), printable(e.FXSource))
	for _, l := range e.Rates {
		how := ""
		if l.Inverse {
			how = ", read the other way round"
		}
		if l.Interval != "" {
			how += ", the end of a bar of " + printable(l.Interval)
		}
		if !l.ReceivedISO.IsZero() {
			how += ", received " + timeText(l.ReceivedISO)
		}
		if l.Raw != nil {
			how += " in " + printable(l.Raw.String())
		}
		p.item("", "%s %s of %s from %s%s", l.Pair, l.Rate, timeText(l.Time), printable(l.Source), how)
	}
	if !e.FilledISO.IsZero() {
		p.item("", "it came later than the price: %s", timeText(e.FilledISO))
	}
}

func (p *page) value(e *kurs.Explanation) {
	if !e.PriceBase.Known() {
		p.item("value", "empty, until a rate of that time is known")
		return
	}
	if e.CurrencyNative == e.CurrencyBase && e.Factor == kurs.Int(1) {
		p.item("value", "%s %s, as quoted", e.PriceBase, e.CurrencyBase)
		return
	}
	factors := []string{e.PriceNative.String()}
	if e.Factor != kurs.Int(1) {
		factors = append(factors, e.Factor.String())
	}
	if e.CurrencyNative != e.CurrencyBase {
		factors = append(factors, e.FXRate.String())
	}
	p.item("value", "%s %s = %s, rounded once to %d digits", e.PriceBase, e.CurrencyBase, strings.Join(factors, " x "), kurs.Precision)
}

// versions prints what else was said of the price.
func (p *page) versions(e *kurs.Explanation) {
	p.line("\n  versions, as they were received:")
	for i := range e.Versions {
		v := &e.Versions[i]
		mark, what := " ", fmt.Sprintf("%s %s", v.PriceNative, printable(v.Unit))
		if v.Shown {
			mark = ">"
		}
		if !v.PriceNative.Known() {
			what = "correction taken back"
		}
		if v.Approximate {
			what = "~" + what
		}
		by := originText(v.Origin)
		if v.CorrectedBy != "" {
			by = fmt.Sprintf(" by %s: %s", printable(v.CorrectedBy), printable(v.Correction))
		}
		p.line("  %s %s  %s%s  %s", mark, timeText(v.ReceivedISO), what, by, printable(v.Raw.String()))
	}
}

func originText(o kurs.Origin) string {
	if o == "" {
		return ""
	}
	return " by " + string(o)
}

func sessionText(s kurs.Session) string {
	if s == "" {
		return ""
	}
	return ", " + printable(string(s)) + " session"
}
