package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
	"kurs/store/sqlite"
)

// gapsRun is one run of kurs gaps.
type gapsRun struct {
	settings

	output     string
	symbols    string
	quarantine bool
	all        bool
	keep       string
	drop       string
	factor     string
	reason     string
	comment    string
	author     string
	asOf       string
}

const gapsHelp = `List the stretches of time in which prices could not be had.

With --quarantine: what was set aside because it is probably wrong. A price whose
unit changed or that is 90 to 110 times its neighbour, one that is not above 0 or no
number, of the future or of no time, a rate that moved too far. It is kept whole and
is no price, until you decide:

  --keep 3          it is right: it becomes a price, from now on
  --keep 3 --factor 0.01   it is right but for a factor
  --drop 4,5        it is wrong: it stays where it is, marked

A later decision takes the place of an earlier one: what was kept can be dropped, and
the other way round. "all" stands for what waits, with --symbols or --reason. The way
back for a rate is another factor: prices were converted with it.`

func gapsCommand(std streams) *cobra.Command {
	var r gapsRun
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "What could not be had, and what was set aside as probably wrong",
		Long:  gapsHelp,
		Example: `  kurs gaps
  kurs gaps --quarantine
  kurs gaps --quarantine --keep 3 --factor 0.01 --comment "pence, not pounds"
  kurs gaps --quarantine --drop all --symbols VOD.L`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), std) },
	}
	flags := cmd.Flags()
	r.bind(flags)
	flags.StringVarP(&r.output, "output", "o", "table", "table or json")
	flags.StringVar(&r.symbols, "symbols", "", "only these: `A,B`")
	flags.BoolVar(&r.quarantine, "quarantine", false, "what was set aside, and decide of it")
	flags.BoolVar(&r.all, "all", false, "with --quarantine: also what was decided already")
	flags.StringVar(&r.keep, "keep", "", "these are right: `ID,ID`, or all")
	flags.StringVar(&r.drop, "drop", "", "these are wrong: `ID,ID`, or all")
	flags.StringVar(&r.factor, "factor", "1", "multiply the values of what is kept with `N`")
	flags.StringVar(&r.reason, "reason", "", "only what was set aside for this reason: `TEXT`, as it is listed")
	flags.StringVar(&r.comment, "comment", "", "why: `TEXT`, kept with the decision")
	flags.StringVar(&r.asOf, "as-of", "", "with --quarantine: what was known at `TIME`")
	flags.StringVar(&r.author, "author", "", "who decides: `NAME`; else the user of this system")
	return cmd
}

// reasons are all reasons for which something is set aside.
var reasons = []kurs.Reason{
	kurs.ReasonUnit, kurs.ReasonJump, kurs.ReasonSign, kurs.ReasonFuture, kurs.ReasonValue, kurs.ReasonTime, kurs.ReasonRate, kurs.ReasonBand,
}

// check refuses flags that make no sense together.
func (r *gapsRun) check() (factor kurs.Decimal, err error) {
	if err := tableOrJSON(r.output); err != nil {
		return factor, err
	}
	deciding := r.keep != "" || r.drop != ""
	switch {
	case !r.quarantine && (deciding || r.all || r.reason != "" || r.asOf != ""):
		return factor, usageError("--keep, --drop, --all, --reason and --as-of belong to --quarantine", "kurs gaps --quarantine")
	case deciding && r.asOf != "":
		return factor, usageError("--as-of lists what was known; a decision is one of now", "without --as-of")
	case r.factor != "1" && r.keep == "":
		return factor, usageError("--factor belongs to --keep", "kurs gaps --quarantine --keep 3 --factor 0.01")
	case !deciding && (r.comment != "" || r.author != ""):
		return factor, usageError("--comment and --author belong to --keep or --drop", "kurs gaps --quarantine --drop 3 --comment TEXT")
	case r.reason != "" && !slices.Contains(reasons, kurs.Reason(r.reason)):
		var names []string
		for _, reason := range reasons {
			names = append(names, string(reason))
		}
		try := `--reason "` + names[1] + `"`
		if near := config.Nearest(r.reason, names); near != "" {
			try = `--reason "` + near + `"`
		}
		return factor, usageError(fmt.Sprintf("--reason %q is none: there are %s", r.reason, strings.Join(names, ", ")), try)
	}
	factor, err = kurs.ParseDecimal(r.factor)
	if err != nil || factor.Sign() <= 0 {
		return factor, usageError(fmt.Sprintf("--factor %s is not a number above 0", r.factor), "--factor 0.01")
	}
	return factor, nil
}

func (r *gapsRun) run(ctx context.Context, std streams) error {
	factor, err := r.check()
	if err != nil {
		return err
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
	symbols := symbolsOf([]string{r.symbols})
	switch {
	case !r.quarantine:
		return listGaps(ctx, std, db, symbols, r.output)
	case r.keep == "" && r.drop == "":
		filter := sqlite.AsideFilter{Symbols: symbols, State: sqlite.StateWaiting, Reason: kurs.Reason(r.reason)}
		if r.all {
			filter.State = ""
		}
		if filter.AsOf, err = asOfTime(c, r.asOf); err != nil {
			return err
		}
		return r.list(ctx, std, db, filter)
	}
	return r.decide(ctx, std, c, db, symbols, factor)
}

// asideJSON is what was set aside in -o json: the columns of v_quarantine.
type asideJSON struct {
	ID       int64          `json:"id"`
	Kind     kurs.AsideKind `json:"kind"`
	Symbol   string         `json:"symbol"`
	Time     time.Time      `json:"time,omitzero"`
	Interval string         `json:"interval,omitempty"`
	Native   kurs.Decimal   `json:"price_native,omitzero"`
	Unit     string         `json:"unit,omitempty"`
	Reason   kurs.Reason    `json:"reason"`
	Detail   string         `json:"detail,omitempty"`
	State    string         `json:"state"`
	Factor   kurs.Decimal   `json:"factor,omitzero"`
	Author   string         `json:"author,omitempty"`
	Comment  string         `json:"comment,omitempty"`
	Decided  time.Time      `json:"decided_iso,omitzero"`
	Session  kurs.Session   `json:"session,omitempty"`
	Source   string         `json:"source"`
	Received time.Time      `json:"received_iso"`
	Origin   kurs.Origin    `json:"origin,omitempty"`
	Raw      string         `json:"raw"`
}

func asideRow(a *sqlite.Aside) asideJSON {
	return asideJSON{
		ID: a.ID, Kind: a.Kind, Symbol: a.Symbol, Time: a.Time, Interval: a.Interval, Native: a.Value, Unit: a.Unit, Reason: a.Reason,
		Detail: a.Detail, State: a.State, Factor: a.Factor, Author: a.Author, Comment: a.Comment, Decided: a.Decided, Session: a.Session,
		Source: a.Source, Received: a.Received, Origin: a.Origin, Raw: a.Raw.String(),
	}
}

// list prints what was set aside.
func (r *gapsRun) list(ctx context.Context, std streams, db *sqlite.Reader, filter sqlite.AsideFilter) error {
	all, err := setAside(ctx, db, filter)
	if err != nil {
		return err
	}
	if r.output == "json" {
		rows := make([]asideJSON, len(all))
		for i := range all {
			rows[i] = asideRow(&all[i])
		}
		return printJSON(std.out, rows)
	}
	if len(all) == 0 {
		words := "Nothing waits for a decision."
		if filter.State == "" {
			words = "Nothing was set aside."
		}
		_, err := fmt.Fprintln(std.out, words)
		return err
	}
	t := table{
		head:  []string{"ID", "TIME", "SYMBOL", "PRICE", "UNIT", "REASON", "STATE"},
		right: []bool{true, false, false, true, false, false, false},
	}
	for i := range all {
		a := &all[i]
		t.add(strconv.FormatInt(a.ID, 10), orDash(timeText(a.Time)), printable(a.Symbol), orDash(a.Value.String()), printable(a.Unit), whyAside(a), stateText(a))
	}
	return t.print(std.out)
}

// whyAside is the reason with what it rests on; of a bar or a rate also what it is.
func whyAside(a *sqlite.Aside) string {
	text := string(a.Reason)
	if a.Detail != "" {
		text += ", " + a.Detail
	}
	if a.Kind != kurs.AsideQuote {
		text = strings.TrimSpace(string(a.Kind)+" "+a.Interval) + ": " + text
	}
	return printable(text)
}

// stateText is the state, and by whom.
func stateText(a *sqlite.Aside) string {
	if a.State == sqlite.StateWaiting {
		return a.State
	}
	text := a.State
	if a.State == sqlite.StateKept && a.Factor != kurs.Int(1) {
		text += " x " + a.Factor.String()
	}
	text += " by " + a.Author
	if a.Comment != "" {
		text += ": " + a.Comment
	}
	return printable(text)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func setAside(ctx context.Context, db *sqlite.Reader, filter sqlite.AsideFilter) ([]sqlite.Aside, error) {
	var all []sqlite.Aside
	err := db.SetAside(ctx, filter, func(a sqlite.Aside) error {
		all = append(all, a)
		return nil
	})
	return all, err
}

// listGaps prints what could not be had.
func listGaps(ctx context.Context, std streams, db *sqlite.Reader, symbols []string, output string) error {
	gaps, err := db.Gaps(ctx, symbols)
	if err != nil {
		return err
	}
	if output == "json" {
		if gaps == nil {
			gaps = []sqlite.Gap{}
		}
		return printJSON(std.out, gaps)
	}
	if len(gaps) == 0 {
		_, err := fmt.Fprintln(std.out, "No gaps are known. What was set aside: kurs gaps --quarantine")
		return err
	}
	t := table{head: []string{"SYMBOL", "FROM", "TO", "REASON"}, right: make([]bool, 4)}
	for _, g := range gaps {
		t.add(orDash(printable(g.Symbol)), timeText(g.From), timeText(g.To), printable(g.Reason))
	}
	return t.print(std.out)
}
