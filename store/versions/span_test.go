package versions

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kurs"
)

// told is a receipt in the shorthand of these tests: "A3" is the value A
// received at 3.
func told(s string) (Seen, Value) {
	var letter rune
	var at int64
	fmt.Sscanf(s, "%c%d", &letter, &at)
	r := Receipt{Received: at, Run: 1, Counter: at, Source: "yahoo", Name: "run"}
	return Seen{Receipt: r, Attrs: []driver.Value{nil, at * 10}}, Value{Columns: []driver.Value{int64(letter)}, UnitAt: -1}
}

var testRules = Rules{Conv: []int{0}, Base: 0, Approximate: -1}

func mergeAll(receipts []string) []Span {
	var spans []Span
	for _, r := range receipts {
		s, said := told(r)
		spans = testRules.Merge(spans, s, said)
	}
	return spans
}

// letter is the value in the shorthand.
func (v Value) letter() rune {
	n, _ := v.Columns[0].(int64)
	return rune(n)
}

// show is the versions as "A1..3 B4": with everything that is kept of them.
func show(spans []Span) string {
	var parts []string
	for _, v := range spans {
		part := fmt.Sprintf("%c%d", v.letter(), v.First.Received)
		if v.Last.Compare(v.First.Receipt) != 0 {
			part += fmt.Sprintf("..%d", v.Last.Received)
		}
		if v.First.Attrs[1] != v.First.Received*10 || v.Last.Attrs[1] != v.Last.Received*10 {
			part += " with attributes of another receipt"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " ")
}

// truth is the definition, computed from all receipts at once.
func truth(receipts []string) string {
	sorted := slices.Clone(receipts)
	slices.SortFunc(sorted, func(a, b string) int {
		x, _ := told(a)
		y, _ := told(b)
		return x.Compare(y.Receipt)
	})
	var spans []Span
	for _, r := range slices.Compact(sorted) {
		s, said := told(r)
		if n := len(spans); n > 0 && spans[n-1].same(said) {
			spans[n-1].Last = s
			continue
		}
		spans = append(spans, Span{Value: said, First: s, Last: s})
	}
	return show(spans)
}

func permutations(items []string, do func([]string)) {
	var walk func(int)
	walk = func(k int) {
		if k == len(items) {
			do(items)
			return
		}
		for i := k; i < len(items); i++ {
			items[k], items[i] = items[i], items[k]
			walk(k + 1)
			items[k], items[i] = items[i], items[k]
		}
	}
	walk(0)
}

func TestMergeIsTheSameInEveryOrder(t *testing.T) {
	for _, receipts := range [][]string{
		{"A1"},
		{"A1", "A2"},
		{"A1", "B2"},
		{"A1", "B2", "A3"},
		{"A1", "A2", "B3"},
		{"A1", "B2", "B3"},
		{"A1", "B2", "A3", "C4"},
		{"A1", "B2", "A3", "B4"},
		{"A1", "A2", "B3", "B4"},
		{"A1", "B2", "C3", "A4", "B5"},
		{"A1", "A2", "B3", "A4", "A5"},
	} {
		t.Run(strings.Join(receipts, " "), func(t *testing.T) {
			want := truth(receipts)
			permutations(slices.Clone(receipts), func(order []string) {
				// Then all of them again, in the order of the queue: a redelivery.
				again := append(slices.Clone(order), receipts...)
				if got := show(mergeAll(again)); got != want {
					t.Fatalf("%v and again: %s, want %s", order, got, want)
				}
			})
			if len(receipts) > 4 {
				return // three receipts of one value may be known by two of them until they come again
			}
			permutations(slices.Clone(receipts), func(order []string) {
				spans := mergeAll(order)
				if got := show(spans); got != want {
					t.Fatalf("%v: %s, want %s", order, got, want)
				}
				for _, r := range receipts { // every redelivery changes nothing
					s, said := told(r)
					if got := show(testRules.Merge(spans, s, said)); got != want {
						t.Fatalf("%v and %s again: %s, want %s", order, r, got, want)
					}
				}
			})
		})
	}
}

// TestMergeOfLateNewsInsideOfAVersion: of a version only the first and the last
// receipt are kept, so what lies between is mended when it comes again.
func TestMergeOfLateNewsInsideOfAVersion(t *testing.T) {
	spans := mergeAll([]string{"A1", "A3", "A4", "A5", "B2"})
	if got, want := show(spans), "A1 B2 A5"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s, said := told("A3")
	if got, want := show(testRules.Merge(spans, s, said)), "A1 B2 A3..5"; got != want {
		t.Errorf("after A3 came again: got %s, want %s", got, want)
	}
}

func TestMergeDoesNotChangeWhatItWasGiven(t *testing.T) {
	spans := mergeAll([]string{"A1", "A3"})
	for _, r := range []string{"B2", "A4", "A0", "A2", "B5"} {
		s, said := told(r)
		testRules.Merge(spans, s, said)
		if got := show(spans); got != "A1..3" {
			t.Fatalf("after %s: %s", r, got)
		}
	}
}

func TestMergeFillsAConversionOnce(t *testing.T) {
	with := func(s string, base driver.Value) (Seen, Value) {
		r, said := told(s)
		r.Attrs[0] = base
		return r, said
	}
	s, said := with("A1", nil)
	spans := testRules.Merge(nil, s, said)
	for _, base := range []driver.Value{int64(7), int64(8), nil} {
		s, said := with("A1", base)
		spans = testRules.Merge(spans, s, said)
		if spans[0].First.Attrs[0] != int64(7) || spans[0].Last.Attrs[0] != int64(7) {
			t.Fatalf("after %v: %v", base, spans[0])
		}
	}
	s, said = with("A2", int64(9)) // another receipt's conversion is its own
	spans = testRules.Merge(spans, s, said)
	if spans[0].First.Attrs[0] != int64(7) || spans[0].Last.Attrs[0] != int64(9) {
		t.Fatalf("got %v", spans[0])
	}
}

// TestWhatAPersonKept is a version of its own, beside the same of a provider, and can
// be taken away by its receipt: then it is as if it had never been.
func TestWhatAPersonKept(t *testing.T) {
	kept := func(s string) (Seen, Value) {
		r, said := told(s)
		r.Source, said.Kept = kurs.SourceUser, true
		if !r.ByPerson() {
			t.Fatal("it is not a person's")
		}
		return r, said
	}
	for _, c := range []struct{ name, others, kept, with, without string }{
		{"alone", "", "A2", "A2", ""},
		{"the same before it and behind", "A1 A3", "A2", "A1 A2 A3", "A1..3"},
		{"something else", "A1 A3", "B2", "A1 B2 A3", "A1..3"},
		{"between two", "A1 C3", "B2", "A1 B2 C3", "A1 C3"},
		{"the first", "A2 B3", "A1", "A1 A2 B3", "A2 B3"},
		{"the last", "A1 B2", "B3", "A1 B2 B3", "A1 B2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			receipts := append(strings.Fields(c.others), "kept")
			permutations(receipts, func(order []string) {
				var spans []Span
				for _, r := range order {
					s, said := kept(c.kept)
					if r != "kept" {
						s, said = told(r)
					}
					for range 2 {
						spans = testRules.Merge(spans, s, said)
					}
				}
				if got := show(spans); got != c.with {
					t.Errorf("%v: %s, want %s", order, got, c.with)
				}
				s, _ := kept(c.kept)
				left, taken := testRules.Without(spans, s.Receipt)
				if got := show(left); got != c.without || taken == nil || show([]Span{*taken}) != c.kept {
					t.Errorf("%v: without it %s, %v; want %s", order, got, taken, c.without)
				}
				if got := show(spans); got != c.with {
					t.Errorf("%v: taking it away changed what was given: %s", order, got)
				}
				s.Counter++
				if left, taken := testRules.Without(spans, s.Receipt); show(left) != c.with || taken != nil {
					t.Errorf("%v: without another one: %s, %v; want %s", order, show(left), taken, c.with)
				}
			})
		})
	}
}

func TestReceiptsOrder(t *testing.T) {
	in := []Receipt{
		{Received: 1, Run: 9, Source: "ecb", Name: "2026", Counter: 5},
		{Received: 1, Run: 2, Source: "yahoo", Name: "2026-1", Counter: 9},
		{Received: 1, Run: 1, Source: "yahoo", Name: "2026-2", Counter: 3},
		{Received: 1, Run: 1, Source: "yahoo", Name: "2026-2", Counter: 4},
		{Received: 2, Run: 9, Source: "ecb", Name: "2026", Counter: 1},
	}
	for i := range in {
		for j := range in {
			if got, want := in[i].Compare(in[j]), cmp.Compare(i, j); got != want {
				t.Errorf("%v against %v: %d, want %d", in[i], in[j], got, want)
			}
		}
	}
}

// TestAnExactReceiptOfTheSameDigitsWins over approximate ones on both sides of it,
// whichever comes last.
func TestAnExactReceiptOfTheSameDigitsWins(t *testing.T) {
	rules := Rules{
		Conv: []int{1}, Base: 2, Approximate: 0,
		SameFloat32: func(a, b driver.Value) bool { return a == b },
		Convert:     func(native, _, _ driver.Value) driver.Value { return native },
	}
	seen := func(at, approximate int64) (Seen, Value) {
		r := Receipt{Received: at, Run: 1, Counter: at, Source: "yahoo", Name: "run"}
		return Seen{Receipt: r, Attrs: []driver.Value{approximate, int64(1), int64(7)}}, Value{Columns: []driver.Value{int64(7), "unit"}, UnitAt: 1}
	}
	for _, order := range [][]int64{{1, 2, 3}, {1, 3, 2}, {2, 1, 3}, {2, 3, 1}, {3, 1, 2}, {3, 2, 1}} {
		var spans []Span
		for _, at := range order {
			approximate := int64(1)
			if at == 2 {
				approximate = 0
			}
			s, said := seen(at, approximate)
			spans = rules.Merge(spans, s, said)
		}
		var got strings.Builder
		for _, v := range spans {
			fmt.Fprintf(&got, "%d..%d approximate %d ", v.First.Received, v.Last.Received, v.First.Attrs[0])
		}
		if want := "1..1 approximate 1 2..3 approximate 0 "; got.String() != want {
			t.Errorf("order %d: %s, want %s", order, &got, want)
		}
	}
}
