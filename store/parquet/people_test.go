package parquet

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
)

// TestWhatPeopleSay: observations that were set aside, what was decided of them,
// and other names, in the journal, in files, and compacted.
func TestWhatPeopleSay(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	receipt := func(n uint64) kurs.Receipt {
		return kurs.Receipt{Received: at.Add(time.Duration(n) * time.Second), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: n}}
	}
	aside := func(symbol string, n uint64) kurs.SetAside {
		a := kurs.SetAside{Kind: kurs.AsideQuote, Reason: kurs.ReasonJump, Detail: "1.05 next to 105"}
		a.Symbol, a.Source, a.Time, a.Value, a.Unit, a.Receipt = symbol, "yahoo", at, kurs.MustDecimal("1.05"), "GBp", receipt(n)
		return a
	}
	timeless := aside("C", 3)
	timeless.Time, timeless.Reason = time.Time{}, kurs.ReasonTime
	alias := kurs.Alias{Symbol: "META", Was: "FB", Until: at, Author: "ib", Receipt: receipt(9)}
	removed := alias
	removed.Removed, removed.Receipt = true, receipt(10)
	batches := []kurs.Batch{
		{SetAside: []kurs.SetAside{aside("A", 1), aside("B", 2), timeless}},
		{SetAside: []kurs.SetAside{aside("A", 4)}}, // polled again
		{Decisions: []kurs.Decision{
			{Of: aside("A", 1), Action: kurs.ActionKeep, Factor: kurs.Int(100), Author: "ib", Receipt: receipt(6)},
			{Of: aside("D", 1), Action: kurs.ActionDrop, Author: "ib", Receipt: receipt(7)}, // a store that was added later has not seen it
		}, Aliases: []kurs.Alias{alias}},
		{Decisions: []kurs.Decision{{Of: aside("A", 1), Action: kurs.ActionDrop, Author: "ib", Receipt: receipt(5)}}}, // late
		{Aliases: []kurs.Alias{removed, alias}},
	}
	want := []string{
		"A 1.05 hundredfold kept 100 ib received 1", "B 1.05 hundredfold waiting   received 2", "C 1.05 no time waiting   received 3",
		"D 1.05 hundredfold dropped  ib received 1",
		"META was FB until 12:00 removed false", "META was FB until 12:00 removed true",
		"of A was decided: dropped ", "of A was decided: kept 100", "of D was decided: dropped ",
	}
	for _, c := range []struct {
		name    string
		rows    int
		compact bool
	}{{"in the journal", 1 << 20, false}, {"a file a group", 0, false}, {"compacted", 0, true}} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := must(open(t.Context(), crashConfig(dir, c.rows), quick{local{dir: dir}}, quiet(), alive))(t)
			for round := range 2 {
				for i, b := range batches {
					b.BaseCurrency = "DKK"
					g := kurs.Group{Batches: []kurs.Batch{b}, Position: kurs.StreamPos{Epoch: strconv.Itoa(round), Seq: uint64(i + 1)}}
					if err := s.Write(t.Context(), g); err != nil {
						t.Fatal(err)
					}
					if c.compact {
						if err := s.compact(t.Context(), func(daysFiles) bool { return true }); err != nil {
							t.Fatal(err)
						}
					}
				}
				if got := said(t, dir); !slices.Equal(got, want) {
					t.Errorf("round %d:\n%s\nwant\n%s", round, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			s.journal.close()
			s = must(open(t.Context(), crashConfig(dir, c.rows), quick{local{dir: dir}}, quiet(), alive))(t)
			if got := said(t, dir); !slices.Equal(got, want) {
				t.Errorf("opened again:\n%s", strings.Join(got, "\n"))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// said is what a dataset holds of people's words, sorted.
func said(t *testing.T, dir string) (out []string) {
	t.Helper()
	at := local{dir: dir}
	m, _, err := readManifest(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	more := &rows{decimals: &decimals{}}
	if _, _, err := readJournal(filepath.Join(dir, own, "journal"), m.Journal+1, more.add); err != nil {
		t.Fatal(err)
	}
	tables := newTables()
	tables.add(more)
	if err := all(t.Context(), at, m, tables.asides, func(as role, r *asideRow) {
		if as == seen {
			out = append(out, fmt.Sprintf("of %s was decided: %s %s", r.Symbol, r.State, value(r.By, r.Outside, "decided_factor")))
			return
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %s %s received %d", r.Symbol, value(r.Native, r.Outside, "price_native"), r.Reason, r.State,
			value(r.By, r.Outside, "decided_factor"), r.Author, r.Counter))
	}); err != nil {
		t.Fatal(err)
	}
	if err := all(t.Context(), at, m, tables.aliases, func(_ role, r *aliasRow) {
		out = append(out, fmt.Sprintf("%s was %s until %s removed %v", r.Symbol, r.Was, moment(r.Until).Format("15:04"), r.Removed))
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
