package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
)

// fxRun is one run of kurs fx.
type fxRun struct {
	settings

	at, asOf string
	output   string
}

func fxCommand(std streams) *cobra.Command {
	var r fxRun
	cmd := &cobra.Command{
		Use:   "fx PAIR",
		Short: "Explain an exchange rate: what it was at a time, and why",
		Long: `Show the rate of a currency pair as of a time, from the rates that are stored: the
newest that is not after the time and young enough (fx.max_age), of the pair itself,
its inverse, or through a third currency (fx.via), with all legs, times and sources.
Where there is none: what is nearest, and why it is not used.

TIME is RFC 3339, a date (in the config's time zone), or a span back from now as 2h.`,
		Example: `  kurs fx USDDKK
  kurs fx USDDKK --at 2026-11-24T10:00:00Z
  kurs fx missing`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, args[0]) },
	}
	flags := cmd.Flags()
	r.bind(flags)
	flags.StringVar(&r.at, "at", "", "as of `TIME`; without it: now")
	flags.StringVar(&r.asOf, "as-of", "", "with the rates that kurs knew at `TIME`")
	flags.StringVarP(&r.output, "output", "o", "table", "table or json")
	cmd.AddCommand(fxMissingCommand(std))
	return cmd
}

// pairOf reads a pair as people write it.
func pairOf(text string) (kurs.Pair, error) {
	wrong := func(why string) error {
		return usageError(fmt.Sprintf("%q is not a currency pair: %s", text, why), "kurs fx USDDKK")
	}
	pair, ok := kurs.ParsePair(kurs.CanonicalSymbol(text))
	if !ok {
		pair, ok = kurs.ParsePair(kurs.CanonicalSymbol(text) + "=X")
	}
	if !ok || len(text) < 6 {
		return pair, wrong("two ISO 4217 codes, as USDDKK, are expected")
	}
	for _, code := range []string{pair.From, pair.To} {
		if p := config.CurrencyProblem(code); p != "" {
			return pair, wrong(code + ": " + p)
		}
	}
	return pair, nil
}

// explainedRate is a rate with where it came from; its JSON is a promise.
type explainedRate struct {
	Pair       string       `json:"pair"`
	At         time.Time    `json:"at"`
	Rate       kurs.Decimal `json:"rate,omitzero"` // left out: there is none
	Time       time.Time    `json:"time,omitzero"`
	AgeSeconds int64        `json:"age_seconds"`
	Source     string       `json:"source,omitempty"`
	Legs       []leg        `json:"legs"`
	Nearest    []nearRate   `json:"nearest"` // where there is no rate: those next to the time
}

// leg is a rate as it was quoted.
type leg struct {
	Pair     string       `json:"pair"`
	Rate     kurs.Decimal `json:"rate"`
	Time     time.Time    `json:"time"`
	Source   string       `json:"source"`
	Interval string       `json:"interval,omitempty"`
	Inverse  bool         `json:"inverse,omitempty"`
	Received time.Time    `json:"received,omitzero"`
	Raw      *kurs.RawID  `json:"raw,omitempty"` // the message that it came in
}

type nearRate struct {
	leg
	Why string `json:"why"`
}

func (r *fxRun) run(ctx context.Context, std streams, text string) error {
	if err := tableOrJSON(r.output); err != nil {
		return err
	}
	pair, err := pairOf(text)
	if err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	location, err := c.Location()
	if err != nil {
		return err
	}
	now := time.Now()
	at, err := timeOf("--at", r.at, location, now)
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = now
	}
	asOf, err := timeOf("--as-of", r.asOf, location, now)
	if err != nil {
		return err
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	e, err := explainRate(ctx, db, c, pair, at.UTC(), asOf)
	if err != nil {
		return err
	}
	if r.output == "json" {
		err = printJSON(std.out, e)
	} else {
		err = e.print(std.out)
	}
	if err == nil && !e.Rate.Known() {
		err = exit(kurs.ExitNotFound)
	}
	return err
}

// explainRate finds the rate that a price of a time is converted with.
func explainRate(ctx context.Context, db *sqlite.Reader, c config.Config, pair kurs.Pair, at, asOf time.Time) (explainedRate, error) {
	e := explainedRate{Pair: pair.String(), At: at, Legs: []leg{}, Nearest: []nearRate{}}
	convert := converter(db, c, pair.To, asOf)
	rate, ok, err := convert.Rate(ctx, pair.From, at)
	if err != nil {
		return e, err
	}
	if !ok {
		n := nearest{convert: convert, pair: pair, at: at}
		e.Nearest, err = n.find(ctx, db)
		return e, err
	}
	e.Rate, e.Time, e.Source = rate.Value, rate.Time, rate.Source
	e.AgeSeconds = int64(at.Sub(rate.Time) / time.Second)
	legs := rate.Legs[:]
	if !rate.Legs[0].Known() {
		legs = []kurs.Leg{{Pair: pair, Value: rate.Value, Time: rate.Time}}
	}
	for _, l := range legs {
		if !l.Known() {
			continue
		}
		seen := leg{Pair: l.String(), Rate: l.Value, Time: l.Time, Source: rate.Provider(), Inverse: l.Inverse}
		err := db.Rates(ctx, []kurs.Pair{l.Pair}, l.Time.Add(-time.Millisecond), l.Time, asOf, func(r kurs.Rate) error {
			if r.Source == seen.Source && r.Value == l.Value {
				seen.Interval, seen.Received, seen.Raw = r.Interval, r.Received, &r.Raw
			}
			return nil
		})
		if err != nil {
			return e, err
		}
		e.Legs = append(e.Legs, seen)
	}
	return e, nil
}

func (e *explainedRate) print(w io.Writer) error {
	if !e.Rate.Known() {
		fmt.Fprintf(w, "%s at %s: no rate that fits\n", e.Pair, e.At.Format(time.RFC3339))
		for _, near := range e.Nearest {
			fmt.Fprintf(w, "  %s = %s of %s, %s: %s\n", near.Pair, near.Rate, near.Time.Format(time.RFC3339), printable(near.Source), near.Why)
		}
		if len(e.Nearest) == 0 {
			fmt.Fprintln(w, "  nothing is stored of the pair, or of ways to compute it, within 90 days of it")
		}
		return nil
	}
	fmt.Fprintf(w, "%s at %s: %s\n  as of %s, %s before, from %s\n", e.Pair, e.At.Format(time.RFC3339), e.Rate,
		e.Time.Format(time.RFC3339), ageText(e.At.Sub(e.Time)), printable(e.Source))
	return printLegs(w, e.Legs)
}

// printLegs prints the quoted rates that a rate is made of.
func printLegs(w io.Writer, legs []leg) error {
	for _, l := range legs {
		how := "quoted"
		if l.Inverse {
			how = "quoted, read the other way round"
		}
		if l.Interval != "" {
			how += ", the end of a bar of " + printable(l.Interval)
		}
		received := ""
		if !l.Received.IsZero() {
			received = ", received " + l.Received.Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(w, "  %s = %s of %s, %s%s (%s)\n", l.Pair, l.Rate, l.Time.Format(time.RFC3339), printable(l.Source), received, how); err != nil {
			return err
		}
	}
	return nil
}

// missingRun is one run of kurs fx missing.
type missingRun struct {
	settings

	asOf   string
	output string
}

func fxMissingCommand(std streams) *cobra.Command {
	var r missingRun
	cmd := &cobra.Command{
		Use:   "missing",
		Short: "List the prices that wait for an exchange rate",
		Long: `List, by currency pair, the stored prices that have no value in your currency yet:
no rate of their time was known when they came. They are filled in by the first rate
that fits, never with one that is too old.`,
		Example: "  kurs fx missing\n  kurs fx missing -o json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), std) },
	}
	r.bind(cmd.Flags())
	cmd.Flags().StringVar(&r.asOf, "as-of", "", "those that waited at `TIME`")
	cmd.Flags().StringVarP(&r.output, "output", "o", "table", "table or json")
	return cmd
}

// missingPair is a line of kurs fx missing; its JSON is a promise.
type missingPair struct {
	Pair   string    `json:"pair"` // empty: the provider did not say the unit
	Prices int64     `json:"prices"`
	Bars   int64     `json:"bars"`
	Oldest time.Time `json:"oldest"`
	Newest time.Time `json:"newest"`
}

func (r *missingRun) run(ctx context.Context, std streams) error {
	if err := tableOrJSON(r.output); err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	asOf, err := asOfTime(c, r.asOf)
	if err != nil {
		return err
	}
	waiting, err := db.Waiting(ctx)
	if !asOf.IsZero() {
		waiting, err = db.WaitingAsOf(ctx, asOf)
	}
	if err != nil {
		return err
	}
	all := []missingPair{}
	for _, w := range waiting {
		pair := w.String()
		if w.From == "" {
			pair = ""
		}
		all = append(all, missingPair{Pair: pair, Prices: w.Quotes, Bars: w.Bars, Oldest: w.Oldest, Newest: w.Newest})
	}
	if r.output == "json" {
		return printJSON(std.out, all)
	}
	if len(all) == 0 {
		words := "no price waits: all have their value in"
		if !asOf.IsZero() {
			words = "no price waited then: all had their value in"
		}
		_, err := fmt.Fprintf(std.out, "%s %s\n", words, db.BaseCurrency())
		return err
	}
	t := table{head: []string{"PAIR", "PRICES", "BARS", "OLDEST", "NEWEST"}, right: []bool{false, true, true, false, false}}
	for _, m := range all {
		pair := m.Pair
		if pair == "" {
			pair = "unit not known"
		}
		t.add(pair, strconv.FormatInt(m.Prices, 10), strconv.FormatInt(m.Bars, 10), m.Oldest.Format(time.RFC3339), m.Newest.Format(time.RFC3339))
	}
	return errors.Join(t.print(std.out), whyMissing(std.out, all))
}

// whyMissing tells where to look next.
func whyMissing(w io.Writer, all []missingPair) error {
	for _, m := range all {
		if m.Pair != "" {
			_, err := fmt.Fprintf(w, "\nWhy: %s fx %s --at %s\n", programName(), m.Pair, m.Oldest.Format(time.RFC3339))
			return err
		}
	}
	return nil
}
