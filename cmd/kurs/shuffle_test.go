package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/process"
	"kurs/queue"
	"kurs/queue/queuetest"
	"kurs/sim"
)

// contents are all rows of all views, to the last digit, in an order of their own.
// What numbers rows have is a matter of when they came, and how old they are one of
// when they are read; neither is in it.
func (d *database) contents() map[string][]string {
	d.Helper()
	out := map[string][]string{}
	for _, view := range []string{"v_quotes", "v_bars", "v_fx", "v_versions", "v_bar_versions", "v_quarantine", "v_instruments", "v_events", "v_aliases", "v_latest"} {
		columns := d.rows("SELECT name FROM pragma_table_info(?) WHERE name NOT IN ('id', 'age')", view)
		rows := d.rows(`SELECT "` + strings.Join(columns, `", "`) + `" FROM ` + view)
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
	for _, c := range []struct {
		name  string
		pipe  *pipe
		seeds uint64
		views []string // that are not empty
	}{
		{"an afternoon at the exchange", afternoon(t).pipe, 6, []string{"v_quotes", "v_bars", "v_fx", "v_versions", "v_quarantine", "v_instruments"}},
		{"corrections, and people who have a say", quarrels(t), 24, []string{"v_quotes", "v_bars", "v_fx", "v_versions", "v_bar_versions", "v_quarantine", "v_aliases"}},
	} {
		inOrder := newDatabase(t)
		inOrder.write(c.pipe.worker(t).all()...)
		want := inOrder.contents()
		for _, view := range c.views {
			if len(want[view]) == 0 {
				t.Errorf("%s: %s is empty", c.name, view)
			}
		}
		for seed := range c.seeds {
			t.Run(fmt.Sprint(c.name, " ", seed), func(t *testing.T) {
				got := newDatabase(t)
				c.pipe.shuffled(t, seed, got)
				if diff := cmp.Diff(want, got.contents()); diff != "" {
					t.Errorf("-in order +shuffled:\n%.4000s", diff)
				}
			})
		}
	}
}

// quarrels are messages that contradict each other: prices that are corrected and
// corrected back, exact and approximate, in units that change and in currencies
// whose rates come late, move too far or are corrected; and people who decide,
// correct, change their minds, and rename.
//
// Of one price there are three receipts at most: of more than that the store
// keeps the first and the last (see store/sqlite), which is where the order can
// show.
func quarrels(t *testing.T) *pipe {
	t.Helper()
	p := newPipe()
	w := p.worker(t)
	r := rand.New(rand.NewPCG(7, 7))
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	receipts := map[string]int{}
	some := func(key string) bool {
		receipts[key]++
		return receipts[key] <= 3
	}
	var aside []kurs.SetAside
	for i := range 600 {
		received := noon.Add(time.Duration(i/2) * time.Second) // two at a time
		at := noon.Add(time.Duration(i/60*60-r.IntN(60)) * time.Second)
		near := kurs.Neighbour{Unit: "GBp", Value: kurs.Int(100), Time: at}
		symbol := pick("A", "B", "C")
		q := kurs.Quote{
			Symbol: symbol, Source: madeUp, Time: at, Session: kurs.SessionRegular, Unit: "GBp", Value: kurs.MustDecimal(pick("100.12345", "100.12346", "101")),
			Bid: kurs.Int(int64(r.IntN(99) + 1)), Volume: kurs.Volume{N: int64(r.IntN(5)), Known: true},
		}
		switch r.IntN(12) {
		case 0: // it has to wait for its rate, perhaps for ever
			q.Unit, near.Unit, q.Symbol = "JPY", "JPY", "J"+symbol
		case 1:
			q.Value = kurs.Int(10_000)
		case 2:
			q.Unit = "GBP"
		case 3:
			q.Value, q.Approximate = kurs.MustDecimal("100.123456"), true
		case 4, 5:
			pair := pick("GBPDKK=X", "USDJPY=X", "DKK=X")
			value := map[string]string{"GBPDKK=X": pick("8.5", "8.51", "8.52", "85"), "USDJPY=X": "155.1", "DKK=X": pick("6.4", "6.41")}[pair]
			if q = (kurs.Quote{Symbol: pair, Source: madeUp, Time: at, Value: kurs.MustDecimal(value)}); r.IntN(3) > 0 {
				q.Time = at.Truncate(time.Minute)
			}
		case 6:
			b := kurs.Bar{
				Symbol: symbol, Source: madeUp, Start: at.Truncate(time.Minute).Add(-time.Minute), Interval: "1m", Unit: "GBp",
				Open: kurs.Int(100), Close: kurs.MustDecimal(pick("100", "101", "10100")),
			}
			if some(fmt.Sprint("bar", b.Symbol, b.Start)) {
				p.say(madeUp, received, kurs.Observed{Bars: []kurs.Bar{b}}, near)
			}
			continue
		case 7:
			if n := len(aside); n > 0 { // each once: a person does not decide of it again
				of := aside[n-1]
				aside = aside[:n-1]
				p.say(kurs.SourceUser, received, kurs.Observed{Decisions: []kurs.Decision{{
					Of: of, Action: kurs.Action(pick(string(kurs.ActionKeep), string(kurs.ActionDrop))),
					Factor: kurs.MustDecimal(pick("1", "0.01")), Author: pick("anna", "bo"),
				}}})
			}
			continue
		case 8:
			of := kurs.Price{Quote: q}
			of.Value, of.Bid = kurs.MustDecimal(pick("99", "98")), kurs.Decimal{}
			p.say(kurs.SourceUser, received, kurs.Observed{Corrections: []kurs.Correction{{Price: of, Author: pick("anna", "bo"), Reason: "typo", Undo: r.IntN(3) == 0}}})
			continue
		case 9:
			p.say(kurs.SourceUser, received, kurs.Observed{Aliases: []kurs.Alias{{Symbol: "A", Was: "B", From: noon.Add(time.Duration(r.IntN(3)) * time.Hour), Removed: r.IntN(3) == 0, Author: pick("anna", "bo")}}})
			continue
		}
		if !some(fmt.Sprint(q.Symbol, q.Time)) {
			continue
		}
		if q.Session == "" {
			near = kurs.Neighbour{}
		}
		p.say(madeUp, received, kurs.Observed{Quotes: []kurs.Quote{q}}, near)
		w.learn(p.last())
		aside = append(aside, w.work(p.raws[len(p.raws)-1]).SetAside...)
	}
	return p
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

// TestSeveralProcessesStoreTheSame as one worker: two of them on a real broker, of
// which one is stopped in the middle, and another takes its place.
func TestSeveralProcessesStoreTheSame(t *testing.T) {
	for name, p := range map[string]*pipe{"an afternoon at the exchange": afternoon(t).pipe, "corrections": quarrels(t)} {
		t.Run(name, func(t *testing.T) {
			inOrder, got := newDatabase(t), newDatabase(t)
			inOrder.write(p.worker(t).all()...)
			q := queuetest.Start(t, 256<<20)
			p.put(t, q)
			p.processTogether(t, q)
			reader, err := q.ReadPriced(t.Context(), "test", kurs.StreamPos{})
			if err != nil {
				t.Fatal(err)
			}
			end, _, ok, err := q.Mark(t.Context(), "r", queue.MarkProcessed)
			if err != nil || !ok {
				t.Fatalf("no end: %v", err)
			}
			for reader.Position().Seq < end {
				batches, err := reader.Next(t.Context(), 50*time.Millisecond)
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range batches {
					if b.Wrong != nil {
						t.Fatal(b.Wrong)
					}
					got.write(b.Batch)
				}
			}
			if diff := cmp.Diff(inOrder.contents(), got.contents()); diff != "" {
				t.Errorf("-one worker +several processes:\n%.4000s", diff)
			}
		})
	}
}

// put puts everything on the streams of a broker, as the stage acquire does.
func (p *pipe) put(t *testing.T, q *queue.Queue) {
	t.Helper()
	policy, err := json.Marshal(p.policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.PutPolicy(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	state, err := q.RatesState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, rates := kurs.StreamPos{Epoch: state.Epoch, Seq: state.Last}, p.rates
	var last uint64
	for _, raw := range p.raws {
		raw.FX = kurs.StreamPos{}
		if len(rates) > 0 && rates[0].ID == raw.ID {
			if at.Seq, err = q.PutRates(t.Context(), raw); err != nil {
				t.Fatal(err)
			}
			rates = rates[1:]
		}
		raw.FX = at
		if last, err = q.PutRaw(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.PutMark(t.Context(), "r", queue.MarkAcquired, last, uint64(len(p.raws))); err != nil {
		t.Fatal(err)
	}
}

// processTogether has two processes work until everything is done; a third comes
// for one of them that is stopped.
func (p *pipe) processTogether(t *testing.T, q *queue.Queue) {
	t.Helper()
	run := func(ctx context.Context, holder string, group *sync.WaitGroup) {
		group.Go(func() {
			decode := map[string]kurs.Decode{wire.Source: wire.Decode, madeUp: p.saidBy, kurs.SourceUser: p.saidBy}
			c := process.Config{Run: "r", Holder: holder, Workers: 2, Base: p.base, Decode: decode, Policy: p.policy}
			if err := process.Run(ctx, c, q, queue.NewMeter(holder), slog.New(slog.DiscardHandler)); err != nil {
				t.Errorf("%s: %v", holder, err)
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	short, stop := context.WithCancel(ctx)
	defer stop()
	var stopped, others sync.WaitGroup
	run(short, "first", &stopped)
	run(ctx, "second", &others)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		state, err := q.RawState(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if state.Messages < uint64(len(p.raws))/2 {
			break
		}
		<-tick.C
	}
	stop()
	stopped.Wait()
	run(ctx, "third", &others)
	others.Wait()
	if ctx.Err() != nil {
		t.Fatal("it was not done in a minute")
	}
}
