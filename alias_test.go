package kurs_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
)

// day is the beginning of a day of 2026, by its number; 0 is no limit.
func day(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
}

// alias says that a symbol was another, from a day until another; said says when.
func alias(symbol, was string, from, until, said int) kurs.Alias {
	return kurs.Alias{Symbol: symbol, Was: was, From: day(from), Until: day(until), Receipt: kurs.Receipt{
		Received: day(said), Raw: kurs.RawID{Source: kurs.SourceUser, Run: fmt.Sprintf("r%d", said), Counter: 1},
	}}
}

func removed(a kurs.Alias) kurs.Alias {
	a.Removed = true
	return a
}

// short is what holds, in a few words.
func short(all []kurs.Alias) []string {
	text := func(t time.Time) string {
		if t.IsZero() {
			return "-"
		}
		return strconv.Itoa(t.YearDay())
	}
	var out []string
	for _, a := range all {
		out = append(out, fmt.Sprintf("%s was %s %s..%s", a.Symbol, a.Was, text(a.From), text(a.Until)))
	}
	return out
}

// TestWhatHoldsOfAliases in every order in which they are learned.
func TestWhatHoldsOfAliases(t *testing.T) {
	for _, c := range []struct {
		name string
		said []kurs.Alias
		want []string
	}{
		{"one", []kurs.Alias{alias("META", "FB", 0, 9, 1)}, []string{"META was FB -..9"}},
		{"taken back", []kurs.Alias{alias("META", "FB", 0, 9, 1), removed(alias("META", "FB", 0, 9, 2))}, nil},
		{"said again", []kurs.Alias{alias("META", "FB", 0, 9, 1), removed(alias("META", "FB", 0, 9, 2)), alias("META", "FB", 0, 9, 3)}, []string{"META was FB -..9"}},
		{"one after the other", []kurs.Alias{alias("A", "X", 0, 5, 1), alias("B", "X", 5, 0, 2)}, []string{"A was X -..5", "B was X 5..-"}},
		{"two claim one time: the last that was said holds", []kurs.Alias{alias("A", "X", 1, 6, 1), alias("B", "X", 5, 0, 2)}, []string{"B was X 5..-"}},
		{"and is taken back", []kurs.Alias{alias("A", "X", 1, 6, 1), alias("B", "X", 5, 0, 2), removed(alias("B", "X", 5, 0, 3))}, []string{"A was X 1..6"}},
		{"onto itself", []kurs.Alias{alias("A", "A", 0, 0, 1)}, nil},
		{"the other way round in time", []kurs.Alias{alias("A", "B", 6, 5, 1)}, nil},
		{"a circle of two", []kurs.Alias{alias("A", "B", 0, 0, 1), alias("B", "A", 0, 0, 2)}, []string{"B was A -..-"}},
		{"symbols that were swapped one day", []kurs.Alias{alias("A", "B", 0, 5, 1), alias("B", "A", 5, 0, 2)}, []string{"B was A 5..-", "A was B -..5"}},
		{"a circle of three", []kurs.Alias{alias("A", "B", 0, 0, 1), alias("B", "C", 0, 0, 2), alias("C", "A", 3, 4, 3)}, []string{"B was A 3..4", "B was C -..-"}},
		{"renamed twice", []kurs.Alias{alias("B", "A", 0, 3, 1), alias("C", "B", 0, 6, 2)}, []string{"C was A -..3", "C was B -..6"}},
		{
			"renamed twice, in parts",
			[]kurs.Alias{alias("B", "A", 0, 0, 1), alias("C", "B", 3, 6, 2)},
			[]string{"B was A -..3", "C was A 3..6", "B was A 6..-", "C was B 3..6"},
		},
		{"two in one message", []kurs.Alias{alias("A", "X", 0, 0, 1), alias("B", "X", 0, 0, 1)}, []string{"B was X -..-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			for range 24 {
				if diff := cmp.Diff(c.want, short(kurs.Renames(c.said))); diff != "" {
					t.Fatalf("-want +got:\n%s", diff)
				}
				random.Shuffle(len(c.said), func(i, j int) { c.said[i], c.said[j] = c.said[j], c.said[i] })
			}
		})
	}
}

// TestNoPriceBelongsToTwo, whatever was said in whatever order: each symbol has at
// each time one name at most, and that one has no other.
func TestNoPriceBelongsToTwo(t *testing.T) {
	symbol := rapid.SampledFrom([]string{"A", "B", "C", "D"})
	limit := rapid.IntRange(0, 6)
	one := rapid.Custom(func(r *rapid.T) kurs.Alias {
		a := alias(symbol.Draw(r, "symbol"), symbol.Draw(r, "was"), limit.Draw(r, "from"), limit.Draw(r, "until"), rapid.IntRange(1, 5).Draw(r, "said"))
		a.Removed = rapid.IntRange(0, 4).Draw(r, "removed") == 0
		return a
	})
	rapid.Check(t, func(r *rapid.T) {
		said := rapid.SliceOfN(one, 0, 8).Draw(r, "said")
		holds := kurs.Renames(said)
		slices.Reverse(said)
		if diff := cmp.Diff(short(holds), short(kurs.Renames(append(said, said...)))); diff != "" {
			r.Fatalf("in another order (-one +other):\n%s", diff)
		}
		for d := range 9 {
			at := day(1).AddDate(0, 0, d-1)
			moment := kurs.Alias{From: at, Until: at.Add(time.Nanosecond)}
			now := map[string]string{}
			for _, a := range holds {
				if !a.Overlaps(moment) {
					continue
				}
				if other, twice := now[a.Was]; twice {
					r.Fatalf("%s is %s and %s: %q", a.Was, other, a.Symbol, short(holds))
				}
				now[a.Was] = a.Symbol
			}
			for was, symbol := range now {
				if again, renamed := now[symbol]; renamed && again != symbol {
					r.Fatalf("%s is %s, which is %s: %q", was, symbol, again, short(holds))
				}
			}
		}
	})
}
