package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kurs"
	"kurs/acquire/user"
	"kurs/config"
	"kurs/store/sqlite"
)

// This file is how a person decides of what was set aside.

// decide says what the flags say, and lists what became of it.
func (r *gapsRun) decide(ctx context.Context, std streams, c config.Config, db *sqlite.Reader, symbols []string, factor kurs.Decimal) error {
	kept, err := r.chosen(ctx, db, symbols, "--keep", r.keep)
	if err != nil {
		return err
	}
	dropped, err := r.chosen(ctx, db, symbols, "--drop", r.drop)
	if err != nil {
		return err
	}
	author := speaker(r.author)
	var decisions []kurs.Decision
	var ids []int64
	for i := range kept {
		a := &kept[i]
		if slices.ContainsFunc(dropped, func(d sqlite.Aside) bool { return d.ID == a.ID }) {
			return usageError(fmt.Sprintf("%d is to be kept and dropped", a.ID), "one of them")
		}
		if !a.Value.Known() || a.Time.IsZero() {
			return undecided(fmt.Sprintf("%d has no value, or no time, so no price can be made of it", a.ID), fmt.Sprintf("--drop %d", a.ID))
		}
		decisions = append(decisions, kurs.Decision{Of: a.SetAside, Action: kurs.ActionKeep, Factor: factor, Author: author, Comment: r.comment})
		ids = append(ids, a.ID)
	}
	for i := range dropped {
		a := &dropped[i]
		d := kurs.Decision{Of: a.SetAside, Action: kurs.ActionDrop, Factor: kurs.Int(1), Author: author, Comment: r.comment}
		if a.State == sqlite.StateKept {
			if a.Kind == kurs.AsideRate {
				return undecided(fmt.Sprintf("%d is a rate that prices were converted with since it was kept; it cannot be dropped any more", a.ID),
					fmt.Sprintf("--keep %d --factor N has another value hold from now on", a.ID))
			}
			if err := uncorrected(ctx, db, a); err != nil {
				return err
			}
			if d.Near, err = rightNear(ctx, db, a); err != nil {
				return err
			}
		}
		decisions = append(decisions, d)
		ids = append(ids, a.ID)
	}
	if len(decisions) == 0 {
		_, err := fmt.Fprintln(std.out, "Nothing waits for a decision.")
		return err
	}
	return sayAndTell(ctx, std, c, inMessages(decisions), func(db *sqlite.Reader) error {
		if err := r.list(ctx, std, db, sqlite.AsideFilter{IDs: ids}); err != nil {
			return err
		}
		return checkDecided(ctx, db, ids, decisions)
	})
}

// uncorrected refuses to drop a price that a person corrected since: the correction
// would have nothing left to be of.
func uncorrected(ctx context.Context, db *sqlite.Reader, a *sqlite.Aside) error {
	found, err := db.Explain(ctx, a.Symbol, a.Time, time.Time{})
	if err != nil {
		return err
	}
	for i := range found {
		if e := &found[i]; e.CorrectedBy != "" && e.Session == a.Session && e.Source == a.Source {
			return undecided(fmt.Sprintf("%d was corrected since it was kept, by %s", a.ID, printable(e.CorrectedBy)),
				fmt.Sprintf("kurs correct %s %s --undo --reason TEXT, then again", shellWord(a.Symbol), timeText(a.Time)))
		}
	}
	return nil
}

func undecided(message, try string) error {
	return &kurs.Error{Code: "KURS-DECIDE", Message: message, Safe: "nothing was said, nothing has changed", Try: try, Exit: kurs.ExitUsage}
}

// chosen is what a flag names, by ids or as all that waits.
func (r *gapsRun) chosen(ctx context.Context, db *sqlite.Reader, symbols []string, flag, text string) ([]sqlite.Aside, error) {
	if text == "" {
		return nil, nil
	}
	filter := sqlite.AsideFilter{Symbols: symbols, Reason: kurs.Reason(r.reason)}
	if text == "all" {
		if len(symbols) == 0 && r.reason == "" {
			return nil, usageError(flag+" all needs --symbols or --reason", "kurs gaps --quarantine "+flag+" all --symbols VOD.L")
		}
		filter.State = sqlite.StateWaiting
		return setAside(ctx, db, filter)
	}
	for part := range strings.SplitSeq(text, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil || id < 1 {
			return nil, usageError(fmt.Sprintf("%s %q: not an ID", flag, part), "kurs gaps --quarantine lists them in its first column")
		}
		if !slices.Contains(filter.IDs, id) {
			filter.IDs = append(filter.IDs, id)
		}
	}
	if len(filter.IDs) > mostIDs {
		return nil, usageError(fmt.Sprintf("%s names %d at once, more than %d", flag, len(filter.IDs), mostIDs), flag+" all, with --symbols or --reason")
	}
	found, err := setAside(ctx, db, filter)
	if err != nil {
		return nil, err
	}
	for _, id := range filter.IDs {
		if !slices.ContainsFunc(found, func(a sqlite.Aside) bool { return a.ID == id }) {
			return nil, &kurs.Error{
				Code: "KURS-DECIDE", Message: fmt.Sprintf("%d was not set aside", id), Safe: "nothing was said, nothing has changed",
				Try: "kurs gaps --quarantine --all", Exit: kurs.ExitNotFound,
			}
		}
	}
	return found, nil
}

// mostIDs is how many may be named one by one.
const mostIDs = 500

// rightNear is the price next to one that was kept and is to be dropped: what
// comes next is held against that again.
func rightNear(ctx context.Context, db *sqlite.Reader, a *sqlite.Aside) (kurs.Neighbour, error) {
	before, _, after, err := db.Around(ctx, a.Symbol, a.Time, 1)
	if err != nil {
		return kurs.Neighbour{}, err
	}
	for _, r := range slices.Concat(before, after) {
		return kurs.Neighbour{Unit: r.Unit, Value: r.PriceNative, Time: r.Time}, nil
	}
	return kurs.Neighbour{}, nil
}

// inMessages puts decisions into as few messages as may be: of one price, bar or
// rate there is one decision in each, so that each has a receipt of its own.
func inMessages(decisions []kurs.Decision) []user.Words {
	const most = 500
	type key struct {
		kind                     kurs.AsideKind
		symbol, source, interval string
		session                  kurs.Session
		at                       int64
	}
	var out []user.Words
	nth := map[key]int{} // how many of it there were
	for _, d := range decisions {
		k := key{d.Of.Kind, d.Of.Symbol, d.Of.Source, d.Of.Interval, d.Of.Session, d.Of.Time.UnixMilli()}
		at := nth[k]
		for at < len(out) && len(out[at].Decisions) >= most {
			at++
		}
		for at >= len(out) {
			out = append(out, user.Words{})
		}
		out[at].Decisions = append(out[at].Decisions, d)
		nth[k] = at + 1
	}
	return out
}

// checkDecided tells whether all of it holds.
func checkDecided(ctx context.Context, db *sqlite.Reader, ids []int64, decisions []kurs.Decision) error {
	now, err := setAside(ctx, db, sqlite.AsideFilter{IDs: ids})
	if err != nil {
		return err
	}
	for _, a := range now {
		i := slices.Index(ids, a.ID)
		if d := &decisions[i]; a.State != string(d.Action) || a.Factor != d.Factor || a.Author != d.Author {
			return notDone(fmt.Sprintf("the decision of %d", a.ID))
		}
	}
	return nil
}
