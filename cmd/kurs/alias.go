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
	"kurs/store/sqlite"
)

// aliasRun is one run of kurs symbols alias.
type aliasRun struct {
	settings

	output string
	from   string
	until  string
	author string
	list   bool
	remove bool
}

const aliasHelp = `Say that an instrument was known by another symbol: NEW has the history of OLD then,
from --from (included) until --until (not included). Nothing stored is changed, and
OLD, outside of that time, stays an instrument of its own: symbols are given anew.

What would mix two instruments is refused: a time that another has claimed of the
same symbol, or a circle.

DATE is as kurs export --since takes it.`

func symbolsAlias(std streams) *cobra.Command {
	var r aliasRun
	cmd := &cobra.Command{
		Use:   "alias NEW OLD",
		Short: "Say that an instrument was known by another symbol",
		Long:  aliasHelp,
		Example: `  kurs symbols alias META FB --until 2022-06-09
  kurs symbols alias --list
  kurs symbols alias META FB --remove`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), std, args) },
	}
	flags := cmd.Flags()
	r.bind(flags)
	flags.StringVarP(&r.output, "output", "o", "table", "table or json")
	flags.StringVar(&r.from, "from", "", "from `DATE` on; else from the first price")
	flags.StringVar(&r.until, "until", "", "before `DATE`; else to the last price")
	flags.StringVar(&r.author, "author", "", "who says so: `NAME`; else the user of this system")
	flags.BoolVar(&r.list, "list", false, "list what was said and holds")
	flags.BoolVar(&r.remove, "remove", false, "take it back")
	return cmd
}

func (r *aliasRun) run(ctx context.Context, std streams, args []string) error {
	const example = "kurs symbols alias META FB --until 2022-06-09"
	if err := tableOrJSON(r.output); err != nil {
		return err
	}
	switch {
	case r.list && (len(args) > 0 || r.remove || r.from != "" || r.until != ""):
		return usageError("--list takes nothing else", "kurs symbols alias --list")
	case !r.list && len(args) != 2:
		return usageError("two symbols are needed: the name of today, and the one of before", example)
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
	said, err := db.SaidAliases(ctx)
	if err != nil {
		return err
	}
	if r.list {
		return r.print(std, said)
	}
	a := kurs.Alias{Symbol: kurs.CanonicalSymbol(args[0]), Was: kurs.CanonicalSymbol(args[1]), Author: speaker(r.author)}
	location, err := c.Location()
	if err != nil {
		return err
	}
	now := time.Now()
	if a.From, err = timeOf("--from", r.from, location, now); err != nil {
		return err
	}
	if a.Until, err = timeOf("--until", r.until, location, now); err != nil {
		return err
	}
	a.From, a.Until = wholeMillis(a.From), wholeMillis(a.Until)
	if r.remove {
		a, err = removal(a, said)
	} else {
		err = possible(a, said)
	}
	if err != nil {
		return err
	}
	return sayAndTell(ctx, std, c, []user.Words{{Aliases: []kurs.Alias{a}}}, func(db *sqlite.Reader) error {
		said, err := db.SaidAliases(ctx)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(said, a.Same) == r.remove {
			return notDone("that")
		}
		return r.print(std, said)
	})
}

// wholeMillis is a time as it is kept.
func wholeMillis(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// removal is the alias that takes another back: the one that was said of the two
// symbols.
func removal(a kurs.Alias, said []kurs.Alias) (kurs.Alias, error) {
	var found []kurs.Alias
	for _, s := range said {
		if s.Symbol == a.Symbol && s.Was == a.Was && (a.From.IsZero() || a.From.Equal(s.From)) && (a.Until.IsZero() || a.Until.Equal(s.Until)) {
			found = append(found, s)
		}
	}
	e := &kurs.Error{Code: "KURS-ALIAS", Safe: "nothing has changed", Try: "kurs symbols alias --list", Exit: kurs.ExitNotFound}
	switch len(found) {
	case 0:
		e.Message = fmt.Sprintf("nobody said that %s was %s", a.Symbol, a.Was)
		return a, e
	case 1:
		a.From, a.Until, a.Removed = found[0].From, found[0].Until, true
		return a, nil
	}
	var which []string
	for _, f := range found {
		which = append(which, aliasText(f))
	}
	e.Message, e.Exit = "that was said of several times: "+strings.Join(which, "; "), kurs.ExitUsage
	e.Try = "name one with --from and --until"
	return a, e
}

// possible refuses an alias that would mix instruments.
func possible(a kurs.Alias, said []kurs.Alias) error {
	refuse := func(message, try string) error {
		return &kurs.Error{Code: "KURS-ALIAS", Message: message, Safe: "nothing was said, nothing has changed", Try: try, Exit: kurs.ExitUsage}
	}
	if a.Symbol == a.Was {
		return refuse(a.Symbol+" is its own name", "two symbols: kurs symbols alias NEW OLD")
	}
	if !a.From.IsZero() && !a.Until.IsZero() && !a.From.Before(a.Until) {
		return refuse("--until is not after --from", "kurs symbols alias NEW OLD --from 2020-01-01 --until 2022-06-09")
	}
	with := a.Clash(said)
	if len(with) == 0 {
		return nil
	}
	var texts []string
	for _, w := range with {
		texts = append(texts, aliasText(w))
	}
	if with[0].Was == a.Was {
		return refuse(fmt.Sprintf("%s is taken for a part of that time: %s", a.Was, texts[0]),
			fmt.Sprintf("another time with --from and --until, or first: kurs symbols alias %s %s --remove", shellWord(with[0].Symbol), shellWord(with[0].Was)))
	}
	return refuse("that closes a circle: "+strings.Join(texts, ", and "), "kurs symbols alias --list; --from and --until say when")
}

// aliasText is an alias in words.
func aliasText(a kurs.Alias) string {
	text := a.Symbol + " was " + a.Was
	if !a.From.IsZero() {
		text += " from " + timeText(a.From)
	}
	if !a.Until.IsZero() {
		text += " until " + timeText(a.Until)
	}
	return printable(text)
}

// aliasJSON is an alias in -o json.
type aliasJSON struct {
	Symbol string    `json:"symbol"`
	Was    string    `json:"was"`
	From   time.Time `json:"from,omitzero"`
	Until  time.Time `json:"until,omitzero"`
	Author string    `json:"author"`
	Said   time.Time `json:"said"`
}

// print lists what was said, by the symbols.
func (r *aliasRun) print(std streams, said []kurs.Alias) error {
	slices.SortStableFunc(said, func(a, b kurs.Alias) int {
		return strings.Compare(a.Symbol+"\x00"+timeText(a.From), b.Symbol+"\x00"+timeText(b.From))
	})
	if r.output == "json" {
		rows := make([]aliasJSON, len(said))
		for i, a := range said {
			rows[i] = aliasJSON{a.Symbol, a.Was, a.From, a.Until, a.Author, a.Received}
		}
		return printJSON(std.out, rows)
	}
	if len(said) == 0 {
		_, err := fmt.Fprintln(std.out, "No instrument has another name.")
		return err
	}
	t := table{head: []string{"SYMBOL", "WAS", "FROM", "UNTIL", "BY"}, right: make([]bool, 5)}
	for _, a := range said {
		t.add(printable(a.Symbol), printable(a.Was), orDash(timeText(a.From)), orDash(timeText(a.Until)), printable(a.Author))
	}
	return t.print(std.out)
}
