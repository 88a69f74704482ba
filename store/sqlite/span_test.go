package sqlite

import (
	"cmp"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// told is a receipt in the shorthand of these tests: "A3" is the value A
// received at 3.
func told(s string) (seen, value) {
	var letter rune
	var at int64
	fmt.Sscanf(s, "%c%d", &letter, &at)
	r := receipt{received: at, run: 1, counter: at, source: "yahoo", name: "run"}
	return seen{receipt: r, attrs: []driver.Value{nil, at * 10}}, value{columns: []driver.Value{int64(letter)}, unitAt: -1}
}

var testRules = rules{conv: []int{0}, base: 0}

func mergeAll(receipts []string) []span {
	var spans []span
	for _, r := range receipts {
		s, said := told(r)
		spans = merge(spans, s, said, testRules)
	}
	return spans
}

// show is the versions as "A1..3 B4": with everything that is kept of them.
func show(spans []span) string {
	var parts []string
	for _, v := range spans {
		part := fmt.Sprintf("%c%d", rune(whole(v.columns[0])), v.first.received)
		if v.last.compare(v.first.receipt) != 0 {
			part += fmt.Sprintf("..%d", v.last.received)
		}
		if v.first.attrs[1] != v.first.received*10 || v.last.attrs[1] != v.last.received*10 {
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
		return x.compare(y.receipt)
	})
	var spans []span
	for _, r := range slices.Compact(sorted) {
		s, said := told(r)
		if n := len(spans); n > 0 && spans[n-1].same(said) {
			spans[n-1].last = s
			continue
		}
		spans = append(spans, span{value: said, first: s, last: s})
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
					if got := show(merge(spans, s, said, testRules)); got != want {
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
	if got, want := show(merge(spans, s, said, testRules)), "A1 B2 A3..5"; got != want {
		t.Errorf("after A3 came again: got %s, want %s", got, want)
	}
}

func TestMergeDoesNotChangeWhatItWasGiven(t *testing.T) {
	spans := mergeAll([]string{"A1", "A3"})
	for _, r := range []string{"B2", "A4", "A0", "A2", "B5"} {
		s, said := told(r)
		merge(spans, s, said, testRules)
		if got := show(spans); got != "A1..3" {
			t.Fatalf("after %s: %s", r, got)
		}
	}
}

func TestMergeFillsAConversionOnce(t *testing.T) {
	with := func(s string, base driver.Value) (seen, value) {
		r, said := told(s)
		r.attrs[0] = base
		return r, said
	}
	s, said := with("A1", nil)
	spans := merge(nil, s, said, testRules)
	for _, base := range []driver.Value{int64(7), int64(8), nil} {
		s, said := with("A1", base)
		spans = merge(spans, s, said, testRules)
		if spans[0].first.attrs[0] != int64(7) || spans[0].last.attrs[0] != int64(7) {
			t.Fatalf("after %v: %v", base, spans[0])
		}
	}
	s, said = with("A2", int64(9)) // another receipt's conversion is its own
	spans = merge(spans, s, said, testRules)
	if spans[0].first.attrs[0] != int64(7) || spans[0].last.attrs[0] != int64(9) {
		t.Fatalf("got %v", spans[0])
	}
}

func TestReceiptsOrder(t *testing.T) {
	in := []receipt{
		{received: 1, run: 9, source: "ecb", name: "2026", counter: 5},
		{received: 1, run: 2, source: "yahoo", name: "2026-1", counter: 9},
		{received: 1, run: 1, source: "yahoo", name: "2026-2", counter: 3},
		{received: 1, run: 1, source: "yahoo", name: "2026-2", counter: 4},
		{received: 2, run: 9, source: "ecb", name: "2026", counter: 1},
	}
	for i := range in {
		for j := range in {
			if got, want := in[i].compare(in[j]), cmp.Compare(i, j); got != want {
				t.Errorf("%v against %v: %d, want %d", in[i], in[j], got, want)
			}
		}
	}
}

func TestPackedAttributes(t *testing.T) {
	in := []driver.Value{nil, int64(-5), 6.4321, int64(1 << 62), 0.0}
	got, err := unpackAttrs(packAttrs(in), len(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(in, got); diff != "" {
		t.Error(diff)
	}
	packed := packAttrs(in)
	for n := range packed { // a damaged column is an error, never a panic
		if _, err := unpackAttrs(packed[:n], len(in)); err == nil {
			t.Errorf("%d of %d bytes were read without an error", n, len(packed))
		}
	}
	if _, err := unpackAttrs([]byte{9, 9, 9, 9, 9}, 5); err == nil {
		t.Error("an unknown tag was read without an error")
	}
}
