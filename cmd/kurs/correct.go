package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/acquire/user"
	"kurs/config"
	"kurs/store/sqlite"
)

// correctRun is one run of kurs correct.
type correctRun struct {
	settings

	output  string
	reason  string
	unit    string
	session string
	source  string
	author  string
	undo    bool
	list    bool
	asOf    string
}

const correctHelp = `Correct a stored price: it is shown as you have it, with your name and the reason,
in every store and export, and no refresh overwrites it. What the provider said stays
beside it, and --undo shows that again.

TIME is the time that the price was made at, as kurs export prints it; or as kurs
export --since takes it. The value in your currency is computed with the rate of the
price's own time.`

func correctCommand(std streams) *cobra.Command {
	var r correctRun
	cmd := &cobra.Command{
		Use:   "correct SYMBOL TIME PRICE",
		Short: "Correct a stored price, with your name and a reason",
		Long:  correctHelp,
		Example: `  kurs correct VOD.L 2026-11-24T10:00:03Z 88.42 --reason "misread: the exchange says 88.42"
  kurs correct VOD.L 2026-11-24T10:00:03Z --undo --reason "it was right"
  kurs correct --list VOD.L`,
		Args: cobra.MaximumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := tableOrJSON(r.output); err != nil {
				return err
			}
			if r.list {
				return r.tell(cmd.Context(), std, args)
			}
			return r.run(cmd.Context(), std, args)
		},
	}
	flags := cmd.Flags()
	r.bind(flags)
	flags.StringVarP(&r.output, "output", "o", "table", "table or json")
	flags.StringVar(&r.reason, "reason", "", "why: `TEXT`, kept with the price")
	flags.StringVar(&r.unit, "unit", "", "what PRICE is in, as GBp; else what the price is in")
	flags.StringVar(&r.session, "session", "", "where there are prices of several: pre, regular, post or closed")
	flags.StringVar(&r.source, "source", "", "where there are prices from several: `NAME`")
	flags.StringVar(&r.author, "author", "", "who corrects: `NAME`; else the user of this system")
	flags.BoolVar(&r.undo, "undo", false, "take a correction back")
	flags.StringVar(&r.asOf, "as-of", "", "with --list: what was known at `TIME`")
	flags.BoolVar(&r.list, "list", false, "list what was corrected: all, or of SYMBOL")
	return cmd
}

// run corrects a price, or takes that back.
func (r *correctRun) run(ctx context.Context, std streams, args []string) error {
	value, err := r.check(args)
	if err != nil {
		return err
	}
	c, err := r.recorded(ctx, std)
	if err != nil {
		return err
	}
	location, err := c.Location()
	if err != nil {
		return err
	}
	at, err := timeOf("TIME", args[1], location, time.Now())
	if err != nil {
		return err
	}
	db, err := openReader(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	symbol := kurs.CanonicalSymbol(args[0])
	row, err := r.find(ctx, db, symbol, at)
	if err != nil {
		return err
	}
	if r.undo && row.CorrectedBy == "" {
		return &kurs.Error{
			Code: "KURS-CORRECT", Message: fmt.Sprintf("the price of %s at %s is not corrected", row.Symbol, timeText(row.Time)),
			Safe: "nothing has changed", Try: "kurs correct --list " + shellWord(symbol), Exit: kurs.ExitNotFound,
		}
	}
	k := kurs.Correction{Price: pricesKey(row), Author: speaker(r.author), Reason: r.reason, Undo: r.undo}
	if !r.undo {
		k.Value = value
		if r.unit != "" {
			k.Unit = r.unit
		}
		k.Conversion = sameRate(row, k.Unit)
	}
	return sayAndTell(ctx, std, c, []user.Words{{Corrections: []kurs.Correction{k}}}, func(db *sqlite.Reader) error {
		return r.tellOne(ctx, std, c, db, row, &k)
	})
}

// check looks at everything that needs no database.
func (r *correctRun) check(args []string) (value kurs.Decimal, err error) {
	const example = `kurs correct VOD.L 2026-11-24T10:00:03Z 88.42 --reason "misread"`
	switch {
	case r.undo && len(args) == 3:
		return value, usageError("--undo takes no price: what the provider said is shown again", "kurs correct SYMBOL TIME --undo --reason TEXT")
	case r.asOf != "":
		return value, usageError("--as-of belongs to --list; a correction is one of now", "kurs correct --list --as-of TIME")
	case r.undo && r.unit != "":
		return value, usageError("--undo takes no unit", "kurs correct SYMBOL TIME --undo --reason TEXT")
	case len(args) < 2, len(args) < 3 && !r.undo:
		return value, usageError("a symbol, a time and a price are needed", example)
	case strings.TrimSpace(r.reason) == "":
		return value, usageError("a correction needs a reason", example)
	}
	if _, _, ok := kurs.CurrencyOf(r.unit); r.unit != "" && !ok {
		return value, usageError(fmt.Sprintf("--unit %q is no unit of money", r.unit), "--unit GBP, or --unit GBp for pence")
	}
	if r.session != "" && !slices.Contains([]kurs.Session{kurs.SessionPre, kurs.SessionRegular, kurs.SessionPost, kurs.SessionClosed}, kurs.Session(r.session)) {
		return value, usageError(fmt.Sprintf("--session %q is none: there are pre, regular, post and closed", r.session), "--session regular")
	}
	if r.undo {
		return value, nil
	}
	value, err = kurs.ParseDecimal(args[2])
	if err != nil || !value.Known() {
		return value, usageError(fmt.Sprintf("%q is not a price", args[2]), example)
	}
	if value.Sign() <= 0 || !value.Plausible() {
		return value, usageError(args[2]+" cannot be a price: it is above zero, and below a million million million", example)
	}
	if value.Digits() > kurs.Precision {
		return value, usageError(fmt.Sprintf("%s has more than %d digits, which no store keeps", args[2], kurs.Precision), example)
	}
	return value, nil
}

// find is the stored price that is meant.
func (r *correctRun) find(ctx context.Context, db *sqlite.Reader, symbol string, at time.Time) (kurs.Row, error) {
	before, exact, after, err := db.Around(ctx, symbol, at, 2)
	if err != nil {
		return kurs.Row{}, err
	}
	exact = slices.DeleteFunc(exact, func(row kurs.Row) bool {
		return r.session != "" && row.Session != kurs.Session(r.session) || r.source != "" && row.Source != r.source
	})
	switch {
	case len(exact) == 1:
		return exact[0], nil
	case len(exact) > 1:
		var which []string
		for i := range exact {
			which = append(which, fmt.Sprintf("--session %s --source %s (%s %s)", exact[i].Session, shellWord(exact[i].Source), exact[i].PriceNative, exact[i].Unit))
		}
		return kurs.Row{}, &kurs.Error{
			Code: "KURS-CORRECT", Message: fmt.Sprintf("there are %d prices of %s at %s", len(exact), symbol, timeText(at)),
			Safe: "nothing has changed", Try: printable(strings.Join(which, ", or ")), Exit: kurs.ExitUsage,
		}
	}
	e := &kurs.Error{
		Code: "KURS-CORRECT", Message: fmt.Sprintf("no price of %s is stored at %s", symbol, timeText(at)), Safe: "nothing has changed",
		Try: "kurs export --symbols " + shellWord(symbol) + " lists what is stored", Exit: kurs.ExitNotFound,
	}
	var near []string
	for _, row := range slices.Concat(before, after) {
		near = append(near, fmt.Sprintf("%s (%s %s)", timeText(row.Time), row.PriceNative, row.Unit))
	}
	if len(near) > 0 {
		e.Try = printable("the nearest: " + strings.Join(near, ", "))
	}
	return kurs.Row{}, e
}

// pricesKey is what names a stored price, with its unit.
func pricesKey(row kurs.Row) kurs.Price {
	return kurs.Price{Quote: kurs.Quote{Symbol: row.Symbol, Source: row.Source, Time: row.Time, Session: row.Session, Unit: row.Unit}}
}

// sameRate is the conversion with the stored price's own rate; none where it has
// none, or where the unit is of another currency: process finds one then.
func sameRate(row kurs.Row, unit string) kurs.Conversion {
	currency, factor, ok := kurs.CurrencyOf(unit)
	if !ok || currency != row.CurrencyNative || !row.FXRate.Known() || row.FXTime.IsZero() {
		return kurs.Conversion{}
	}
	return kurs.Conversion{Currency: currency, Factor: factor, BaseCurrency: row.CurrencyBase, Rate: kurs.Rate{
		Pair: kurs.Pair{From: currency, To: row.CurrencyBase}, Value: row.FXRate, Time: row.FXTime, Source: row.FXSource,
	}}
}

// tellOne tells what became of a correction.
func (r *correctRun) tellOne(ctx context.Context, std streams, c config.Config, db *sqlite.Reader, was kurs.Row, k *kurs.Correction) error {
	_, exact, _, err := db.Around(ctx, was.Symbol, was.Time, 0)
	if err != nil {
		return err
	}
	if was.Instrument != "" { // it goes by another name now
		if _, exact, _, err = db.Around(ctx, was.Instrument, was.Time, 0); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(exact, func(row kurs.Row) bool {
		return row.Symbol == was.Symbol && row.Session == was.Session && row.Source == was.Source
	})
	if i < 0 || !k.Undo && (exact[i].CorrectedBy != k.Author || exact[i].PriceNative != k.Value) || k.Undo && exact[i].CorrectedBy != "" {
		return notDone("the correction")
	}
	now := &exact[i]
	if r.output == "json" {
		return printJSON(std.out, now)
	}
	n := newNumbers(c.Locale)
	verb := "corrected by " + k.Author + ": " + k.Reason
	if k.Undo {
		verb = "as the provider has it again"
	}
	base := "no rate yet"
	if now.PriceBase.Known() {
		base = n.price(now.PriceBase) + " " + now.CurrencyBase
	}
	_, err = fmt.Fprintln(std.out, printable(fmt.Sprintf("%s at %s: %s %s is %s %s now (%s), %s",
		was.Symbol, timeText(was.Time), was.PriceNative, was.Unit, now.PriceNative, now.Unit, base, verb)))
	return err
}

// tell lists what was corrected.
func (r *correctRun) tell(ctx context.Context, std streams, args []string) error {
	if len(args) > 1 || r.undo || r.reason != "" || r.unit != "" {
		return usageError("--list takes at most a symbol", "kurs correct --list VOD.L")
	}
	c, err := r.recorded(ctx, std)
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
	all, err := db.Corrections(ctx, symbolsOf(args), asOf)
	if err != nil {
		return err
	}
	if r.output == "json" {
		if all == nil {
			all = []sqlite.Correction{}
		}
		return printJSON(std.out, all)
	}
	if len(all) == 0 {
		_, err := fmt.Fprintln(std.out, "Nothing was corrected.")
		return err
	}
	t := table{
		head:  []string{"SYMBOL", "TIME", "PROVIDER", "CORRECTED", "UNIT", "HOLDS", "SAID", "BY", "REASON"},
		right: []bool{false, false, true, true, false, false, false, false, false},
	}
	for i := range all {
		k := &all[i]
		value, holds := k.Value.String(), "no"
		if !k.Value.Known() {
			value = "undone"
		}
		if k.Holds {
			holds = "yes"
		}
		t.add(printable(k.Symbol), timeText(k.Time), orDash(k.Provider.String()), value, printable(k.Unit), holds, timeText(k.Said),
			printable(k.Author), printable(k.Reason))
	}
	return t.print(std.out)
}
