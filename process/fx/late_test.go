package fx_test

import (
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
)

// TestABookDoubtsTheSameAfterARestart: what was forgotten is no neighbour of a rate
// that comes late, whether it was swept out of memory already or not.
func TestABookDoubtsTheSameAfterARestart(t *testing.T) {
	book := fx.New()
	book.SetPolicy(1, fx.DefaultPolicy())
	const hours = 30 * 24
	value := func(hour int) string { return kurs.Int(int64(100 + 40*(hour%2))).String() } // 100 or 140, an hour each
	tell := func(b *fx.Book, hour int) {
		r := rate(uint64(hour)+2, "GBP", "DKK", value(hour), tuesday.Add(time.Duration(hour)*time.Hour))
		r.Kept = true
		b.Learn(uint64(hour)+2, []kurs.Rate{r})
	}
	for hour := range hours {
		tell(book, hour)
	}
	snapshot, err := book.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := fx.New()
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	tell(book, hours)
	tell(restored, hours)
	doubted := 0
	for i := range hours {
		pos, at := uint64(hours+3+i), tuesday.Add(time.Duration(i)*time.Hour+30*time.Minute)
		r := rate(pos, "GBP", "DKK", "100", at)
		r.Received = tuesday.Add((hours + 1) * time.Hour)
		book.Learn(pos, []kurs.Rate{r})
		restored.Learn(pos, []kurs.Rate{r})
		one, other := book.Doubts(r.Raw), restored.Doubts(r.Raw)
		if len(one) != len(other) || len(one) == 1 && one[0] != other[0] {
			t.Fatalf("%s: one book says %v, the other %v", at, one, other)
		}
		doubted += len(one)
	}
	if doubted == 0 || doubted == hours {
		t.Errorf("%d of %d were doubted, so this test shows nothing", doubted, hours)
	}
}
