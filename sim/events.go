package sim

import (
	"strconv"
	"strings"
	"time"
)

// dividend is one payout, on the day from which a buyer no longer gets it.
type dividend struct {
	session session
	amount  float32
}

// dividends are those with a session in [from, to): always of the first session
// from the 10th of a month on.
func (in *instrument) dividends(from, to int64) []dividend {
	if len(in.payouts.months) == 0 {
		return nil
	}
	var out []dividend
	first, _, _ := civil(in.venue.dateOf(from))
	last, _, _ := civil(in.venue.dateOf(to))
	for year := first; year <= last; year++ {
		for _, month := range in.payouts.months {
			date := time.Date(year, month, 10, 0, 0, 0, 0, time.UTC).Unix() / day
			if s := in.venue.sessionAfter(date); s.stamp >= from && s.stamp < to {
				out = append(out, dividend{s, float32(in.payouts.amount)})
			}
		}
	}
	return out
}

// appendEvents writes the events that were asked for, if there are any.
// Clients join their names with '|' or ','.
func appendEvents(b []byte, in *instrument, m *moment, q *chartQuery) []byte {
	to := min(q.p2, m.now+1)
	start := len(b)
	b = append(b, `,"events":{`...)
	empty := len(b)
	if strings.Contains(q.events, "div") {
		for i, d := range in.dividends(q.p1, to) {
			b = append(b, [2]string{`,"`, `"dividends":{"`}[boolIndex(i == 0)]...)
			b = strconv.AppendInt(b, d.session.stamp, 10)
			b = appendFloat32(append(b, `":{"amount":`...), d.amount)
			b = strconv.AppendInt(append(b, `,"date":`...), d.session.stamp, 10)
			b = append(b, '}')
		}
		if len(b) > empty {
			b = append(b, '}')
		}
	}
	if strings.Contains(q.events, "split") {
		b = appendSplits(b, in, q.p1, to, len(b) > empty)
	}
	if len(b) == empty {
		return b[:start]
	}
	return append(b, '}')
}

func appendSplits(b []byte, in *instrument, from, to int64, more bool) []byte {
	none := true
	for _, s := range in.payouts.splits {
		date, err := time.Parse(time.DateOnly, s.date)
		if err != nil {
			continue // cannot be: the list is a constant
		}
		at := in.venue.sessionAfter(date.Unix() / day).stamp
		if at < from || at >= to {
			continue
		}
		if none {
			b = append(b, [2]string{`"splits":{`, `,"splits":{`}[boolIndex(more)]...)
		} else {
			b = append(b, ',')
		}
		none = false
		stamp := strconv.FormatInt(at, 10)
		numerator, denominator := strconv.Itoa(s.numerator), strconv.Itoa(s.denominator)
		b = append(b, `"`+stamp+`":{"date":`+stamp+`,"numerator":`+numerator+`,"denominator":`+denominator+
			`,"splitRatio":"`+numerator+`:`+denominator+`"}`...)
	}
	if none {
		return b
	}
	return append(b, '}')
}

func boolIndex(v bool) int {
	if v {
		return 1
	}
	return 0
}

// appendAdjusted writes the closes less the dividends paid since. Prices know no
// splits: they are those after all of them.
func appendAdjusted(b []byte, in *instrument, m *moment, bars []bar) []byte {
	paid := in.dividends(bars[0].start, m.now+1)
	factors := make([]float64, len(bars))
	factor, next := 1.0, len(paid)-1
	for i := len(bars) - 1; i >= 0; i-- {
		for ; next >= 0 && paid[next].session.stamp > bars[i].start; next-- {
			before := in.path.at(in.venue.sessionBefore(paid[next].session.date).close)
			factor *= 1 - float64(paid[next].amount)/before.float64()
		}
		factors[i] = factor
	}
	i := -1
	return appendEach(b, bars, func(b []byte, x *bar) []byte {
		i++
		return appendWide(b, float32(x.close.float64()*factors[i]))
	})
}
