package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/sim"
)

// contents are all rows of all views, to the last digit, in an order of their own.
// What numbers rows have is a matter of when they came, and so is not in it.
func (d *database) contents() map[string][]string {
	d.Helper()
	out := map[string][]string{}
	for _, view := range []string{"v_quotes", "v_bars", "v_fx", "v_versions", "v_bar_versions", "v_quarantine", "v_instruments", "v_events"} {
		columns := d.rows("SELECT name FROM pragma_table_info(?) WHERE name <> 'id'", view)
		list := ""
		for i, c := range columns {
			if i > 0 {
				list += ", "
			}
			list += `"` + c + `"`
		}
		rows := d.rows("SELECT " + list + " FROM " + view)
		slices.Sort(rows)
		out[view] = rows
	}
	return out
}

// afternoon is two hours at the exchange, with everything odd that it can do, and
// prices that are corrected.
func afternoon(t *testing.T) *trading {
	t.Helper()
	day := newTrading(21)
	day.faults = sim.Faults{Correct: 0.1, Stale: 0.1, Duplicate: 0.1}
	synctest.Test(t, func(t *testing.T) {
		day.record(t, yahoo.ModePoll, []string{"2026-11-20 15:00", "2026-11-20 17:00"})
	})
	return day
}

// TestTheOrderOfProcessingChangesNothing: several workers take messages in
// whatever order, some of them twice, with books that are ahead by more or less;
// one dies, and its successor begins with a snapshot of the book; transactions are
// cut anywhere, and written again after a crash. What is stored in the end is the
// same to the last digit.
func TestTheOrderOfProcessingChangesNothing(t *testing.T) {
	day := afternoon(t)
	inOrder := newDatabase(t)
	w := day.worker(t)
	inOrder.write(w.all()...)
	want := inOrder.contents()
	for view, rows := range want {
		t.Logf("%s: %d rows", view, len(rows))
		if len(rows) == 0 && view != "v_events" {
			t.Errorf("%s is empty", view)
		}
	}
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			got := newDatabase(t)
			day.shuffled(t, seed, got)
			if diff := cmp.Diff(want, got.contents()); diff != "" {
				t.Errorf("-in order +shuffled:\n%.4000s", diff)
			}
		})
	}
}

// shuffled processes and stores everything in an order that the seed draws.
func (p *pipe) shuffled(t *testing.T, seed uint64, into *database) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	reach := []int{4, 40, len(p.raws)}[seed%3] // how far apart what is worked on at the same time is
	workers := []*worker{p.worker(t), p.worker(t), p.worker(t)}
	todo := make([]int, len(p.raws))
	for i := range todo {
		todo[i] = i
	}
	var ready []kurs.Batch
	store := func() {
		if len(ready) == 0 {
			return
		}
		into.write(ready...)
		if r.IntN(4) == 0 { // nobody knows whether the commit was made
			into.at -= uint64(len(ready))
			into.write(ready...)
		}
		ready = nil
	}
	for len(todo) > 0 {
		w := workers[r.IntN(len(workers))]
		at := r.IntN(min(reach, len(todo)))
		raw := p.raws[todo[at]]
		if r.IntN(10) > 0 { // else it is not acknowledged, and comes again
			todo = slices.Delete(todo, at, at+1)
		}
		ahead := uint64(r.IntN(8) * r.IntN(8))
		w.learn(min(raw.FX.Seq+ahead, p.last()))
		ready = append(ready, w.work(raw))
		switch r.IntN(30) {
		case 0:
			w.restart()
		case 1, 2, 3:
			ready = append(ready, w.fill())
		case 4, 5:
			store()
		}
	}
	for _, w := range workers {
		w.learn(p.last())
		ready = append(ready, w.fill())
		store()
	}
}
