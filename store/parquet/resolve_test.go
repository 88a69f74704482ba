package parquet

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
)

// receipts of one price: values with a "~" are approximate, "fill" brings a rate,
// "fix 3" and "undo" are people's, and so are "keep 3" and "drop 3", of what was set
// aside as 3. The place in the list is the time of reception.
func receipts(t interface{ Fatal(...any) }, said ...string) []entry[quoteRow] {
	r := &rows{decimals: &decimals{}}
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for i, what := range said {
		p := kurs.Price{
			Quote:      kurs.Quote{Symbol: "A", Time: at, Unit: "USD"},
			Receipt:    kurs.Receipt{Received: at.Add(time.Duration(i) * time.Second), Raw: kurs.RawID{Counter: uint64(i)}},
			Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1)},
		}
		b := kurs.Batch{}
		text, approximate := strings.CutSuffix(what, "~")
		p.Approximate = approximate
		if value, ok := strings.CutPrefix(text, "fix "); ok {
			p.Value = kurs.MustDecimal(value)
			b.Corrections = []kurs.Correction{{Price: p, Author: "ib"}}
		} else if text == "undo" {
			b.Corrections = []kurs.Correction{{Price: p, Author: "ib", Undo: true}}
		} else if value, ok := strings.CutPrefix(text, "keep "); ok {
			p.Raw.Source, p.Value = kurs.SourceUser, kurs.MustDecimal(value)
			b.Prices = []kurs.Price{p}
			b.Decisions = []kurs.Decision{{Of: kurs.SetAside{Kind: kurs.AsideQuote, Price: p}, Action: kurs.ActionKeep, Receipt: p.Receipt}}
		} else if value, ok := strings.CutPrefix(text, "drop "); ok {
			p.Raw.Source, p.Value = kurs.SourceUser, kurs.MustDecimal(value)
			b.Decisions = []kurs.Decision{{Of: kurs.SetAside{Kind: kurs.AsideQuote, Price: p}, Action: kurs.ActionDrop, Receipt: p.Receipt}}
		} else {
			p.Value = kurs.MustDecimal(text)
			b.Prices = []kurs.Price{p}
		}
		if err := r.add(kurs.Group{Batches: []kurs.Batch{b}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range r.quotes {
		r.quotes[i].order = int64(i)
	}
	return r.quotes
}

// resolved is what entries come to: "shown 3, superseded 1 2, seen 2".
func resolved(entries []entry[quoteRow]) ([]entry[quoteRow], string) {
	k := quoteKind()
	group := make([]*entry[quoteRow], len(entries))
	for i := range entries {
		e := entries[i]
		group[i] = &e
	}
	slices.SortStableFunc(group, k.compare)
	var out []entry[quoteRow]
	words := [len(suffixes)][]string{}
	_ = k.resolve(group, func(as role, r *quoteRow) error {
		text := value(r.Native, r.Outside, "price_native").String()
		if r.Approximate {
			text += "~"
		}
		text = r.Decision + text
		out = append(out, entry[quoteRow]{row: *r, role: as, order: 1000})
		words[as] = append(words[as], text+"@"+strconv.FormatInt(r.Counter, 10))
		return nil
	})
	slices.Sort(words[seen])
	return out, fmt.Sprintf("shown %v, superseded %v, seen %v", words[shown], words[superseded], words[seen])
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		name string
		said []string
		want string
	}{
		{"one", []string{"1"}, "shown [1@0], superseded [], seen []"},
		{"again", []string{"1", "1", "1"}, "shown [1@0], superseded [], seen [1@2]"},
		{"there and back", []string{"1", "2", "1"}, "shown [1@2], superseded [1@0 2@1], seen []"},
		{"an approximate one behind an exact one", []string{"123456.78", "123456.79~"}, "shown [123456.78@0], superseded [], seen [123456.79~@1]"},
		{"an exact one behind an approximate one", []string{"123456.79~", "123456.78"}, "shown [123456.78@1], superseded [123456.79~@0], seen []"},
		{"of the same digits", []string{"1.5~", "1.5"}, "shown [1.5@1], superseded [1.5~@0], seen []"},
		{"an approximate one that says something else", []string{"1", "2~"}, "shown [2~@1], superseded [1@0], seen []"},
		{"corrected", []string{"1", "fix 3"}, "shown [3@0], superseded [1@0], seen [3@1]"},
		{"what comes after a correction does not take its place", []string{"1", "fix 3", "2", "2"}, "shown [3@2], superseded [1@0 2@2], seen [2@3 3@1]"},
		{"corrected again", []string{"1", "fix 3", "fix 4"}, "shown [4@0], superseded [1@0], seen [3@1 4@2]"},
		{"undone", []string{"1", "fix 3", "undo"}, "shown [1@0], superseded [], seen [3@1 @2]"},
		{"kept beside the same", []string{"1", "keep 1", "1"}, "shown [1@2], superseded [1@0 1@1], seen [kept1@1]"},
		{"kept and dropped", []string{"1", "keep 2", "1", "drop 2"}, "shown [1@0], superseded [], seen [1@2 kept2@1 2@1 dropped2@3]"},
		{"dropped and kept", []string{"drop 2", "keep 2"}, "shown [2@1], superseded [], seen [dropped2@0 kept2@1]"},
		{"kept twice", []string{"keep 2", "keep 2"}, "shown [2@1], superseded [], seen [kept2@0 2@0 kept2@1]"},
		{"others of what was set aside", []string{"keep 2", "keep 3", "drop 2"}, "shown [3@1], superseded [], seen [kept2@0 2@0 kept3@1 dropped2@2]"},
		{"kept and corrected", []string{"keep 2", "fix 3"}, "shown [3@0], superseded [2@0], seen [3@1 kept2@0]"},
		{"an approximate one behind one that was kept", []string{"keep 123456.78", "123456.79~"}, "shown [123456.79~@1], superseded [123456.78@0], seen [kept123456.78@0]"},
		{"a correction of nothing", []string{"fix 3"}, "shown [], superseded [], seen [3@0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := receipts(t, c.said...)
			if out, got := resolved(entries); !sameWords(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			} else if _, again := resolved(out); again != got {
				t.Errorf("resolved again: %s, at first %s", again, got)
			}
		})
	}
}

// sameWords compares texts whose words of the last list may be in any order.
func sameWords(a, b string) bool {
	x, y := strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(a)), strings.Fields(strings.NewReplacer("[", " ", "]", " ").Replace(b))
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// TestAnyOrderOfFiles: receipts in any number of files, resolved in any parts and
// then together, come to the same as all of them at once.
func TestAnyOrderOfFiles(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		said := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "fix 3", "undo", "keep 1", "keep 4", "drop 4"}), 1, 6).Filter(dropsNothing).Draw(r, "said")
		all := receipts(r, said...)
		_, want := resolved(all)
		parts := make([][]entry[quoteRow], 3)
		for i, e := range all {
			at := rapid.IntRange(0, 2).Draw(r, fmt.Sprint("file of ", i))
			parts[at] = append(parts[at], e)
		}
		var files []entry[quoteRow]
		for i, part := range parts {
			out, _ := resolved(part)
			for _, e := range out {
				e.order = int64(i)
				files = append(files, e)
			}
		}
		_, got := resolved(files)
		if got != want {
			r.Fatalf("%v\ngot  %s\nwant %s", said, got, want)
		}
	})
}

// dropsNothing tells that no value is said more than twice: only the first and
// the last receipt of a version are kept.
func dropsNothing(said []string) bool {
	n := map[string]int{}
	for _, s := range said {
		n[s]++
	}
	return n["1"] <= 2 && n["2"] <= 2
}
