package process

import (
	"fmt"
	"slices"
	"time"

	"kurs"
)

// This file sets bars aside that are probably wrong, and holds the neighbours
// that quotes and bars are compared with: what the raw message brings along, and
// what was accepted of it since. So the verdict depends on the message alone.

// neighbours are those of a message's symbols.
type neighbours struct {
	asked []string
	now   []kurs.Neighbour
	at    int // of the symbol that was asked for last: answers keep the order
}

func neighboursOf(raw kurs.Raw) neighbours {
	n := neighbours{asked: raw.Asked, now: slices.Clone(raw.Neighbours)}
	if len(n.now) != len(n.asked) {
		n.now = make([]kurs.Neighbour, len(n.asked))
	}
	return n
}

// index finds a symbol; -1 where it was not asked for.
func (n *neighbours) index(symbol string) int {
	for i := range 2 {
		if at := n.at + i; at < len(n.asked) && n.asked[at] == symbol {
			n.at = at
			return at
		}
	}
	i := slices.Index(n.asked, symbol)
	if i >= 0 {
		n.at = i
	}
	return i
}

func (n *neighbours) of(symbol string) kurs.Neighbour {
	if i := n.index(symbol); i >= 0 {
		return n.now[i]
	}
	return kurs.Neighbour{}
}

func (n *neighbours) set(symbol string, to kurs.Neighbour) {
	if i := n.index(symbol); i >= 0 {
		n.now[i] = to
	}
}

// bars converts the bars of a message, symbol by symbol, or sets them aside.
func (c *conversion) bars(all []kurs.Bar) {
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Symbol == all[0].Symbol {
			n++
		}
		c.barsOf(all[:n:n])
		all = all[n:]
	}
}

// barsOf walks the bars of one symbol away from what is known to be right, both
// ways in time: a bar that was accepted is the neighbour of the next. What is
// known is the message's neighbour; without one, the bar in the middle of all
// closes, which a few wrong ones cannot move.
func (c *conversion) barsOf(bars []kurs.Bar) {
	slices.SortStableFunc(bars, func(a, b kurs.Bar) int { return a.Start.Compare(b.Start) })
	anchor := c.near.of(bars[0].Symbol)
	if !anchor.Known() {
		anchor = middle(bars)
	}
	verdicts := make([]verdict, len(bars))
	first, _ := slices.BinarySearchFunc(bars, anchor.Time, func(b kurs.Bar, t time.Time) int { return b.Start.Compare(t) })
	near := anchor
	for i := first; i < len(bars); i++ {
		verdicts[i] = c.judge(&bars[i], &near)
	}
	near = anchor
	for i := first - 1; i >= 0; i-- {
		verdicts[i] = c.judge(&bars[i], &near)
	}
	for i := range bars {
		b := &bars[i]
		if v := verdicts[i]; v.reason != "" {
			c.aside(kurs.SetAside{
				Kind: kurs.AsideBar, Interval: b.Interval, Open: b.Open, High: b.High, Low: b.Low,
				Price: kurs.Price{Receipt: c.receipt(), Quote: kurs.Quote{
					Symbol: b.Symbol, Source: b.Source, Time: b.Start, Value: b.Close, Approximate: b.Approximate, Unit: b.Unit, Volume: b.Volume,
				}},
				Reason: v.reason, Detail: detail(v.reason, v.near, c.raw.Received),
			})
			continue
		}
		c.bar(*b)
	}
}

// verdict is why a bar was set aside, and next to what; no reason: it was not.
type verdict struct {
	reason kurs.Reason
	near   kurs.Neighbour
}

// judge holds a bar against its neighbour, and makes it the neighbour of the
// next where it is accepted.
func (c *conversion) judge(b *kurs.Bar, near *kurs.Neighbour) verdict {
	v := verdict{near: *near}
	switch {
	case !b.Close.Known():
		v.reason = kurs.ReasonValue
	case b.Start.Unix() <= 0:
		v.reason = kurs.ReasonTime
	case b.Start.Sub(c.raw.Received) > kurs.Ahead:
		v.reason = kurs.ReasonFuture
	}
	for _, value := range [4]kurs.Decimal{b.Close, b.Open, b.High, b.Low} {
		switch {
		case v.reason != "" || !value.Known():
		case value.Sign() <= 0:
			v.reason = kurs.ReasonSign
		case near.Doubt(b.Unit, value) == kurs.ReasonJump && c.splitBetween(b, *near):
		default:
			v.reason = near.Doubt(b.Unit, value)
		}
	}
	if v.reason == "" {
		*near = kurs.Neighbour{Unit: b.Unit, Value: b.Close, Time: b.Start}
	}
	return v
}

// splitBetween tells whether the message tells of a split between a bar and its
// neighbour that is about a hundredfold: then so is the jump.
func (c *conversion) splitBetween(b *kurs.Bar, near kurs.Neighbour) bool {
	from, to := near.Time, b.Start
	if to.Before(from) {
		from, to = to, from
	}
	return slices.ContainsFunc(c.seen.Events, func(e kurs.Event) bool {
		if e.Kind != kurs.EventSplit || e.Symbol != b.Symbol || e.Time.Before(from) || e.Time.After(to) {
			return false
		}
		unit := kurs.Neighbour{Value: e.Denominator}
		return unit.Doubt("", e.Numerator) == kurs.ReasonJump
	})
}

// middle is the bar whose close is in the middle of all; unknown where there is
// none.
func middle(bars []kurs.Bar) kurs.Neighbour {
	var sorted []*kurs.Bar
	for i := range bars {
		if bars[i].Close.Sign() > 0 {
			sorted = append(sorted, &bars[i])
		}
	}
	if len(sorted) == 0 {
		return kurs.Neighbour{}
	}
	slices.SortStableFunc(sorted, func(a, b *kurs.Bar) int { return a.Close.Cmp(b.Close) })
	b := sorted[len(sorted)/2]
	return kurs.Neighbour{Unit: b.Unit, Value: b.Close, Time: b.Start}
}

// detail is what a doubt rests on, for people.
func detail(reason kurs.Reason, near kurs.Neighbour, received time.Time) string {
	switch reason {
	case kurs.ReasonJump, kurs.ReasonUnit:
		return fmt.Sprintf("next to %s %s of %s", near.Value, near.Unit, near.Time.UTC().Format(time.RFC3339))
	case kurs.ReasonFuture:
		return "received " + received.UTC().Format(time.RFC3339)
	default:
		return ""
	}
}
