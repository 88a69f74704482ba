package yahoo

import (
	"context"
	"errors"
	"time"

	"kurs"
)

// How far back rates are asked for. Yahoo gives minutes of at most eight days in
// a call (once seven), and days without end; kurs does not value prices that are
// older than a year with rates of their time.
const (
	minutesReach = 7 * 24 * time.Hour
	daysReach    = 365 * 24 * time.Hour
	daysMargin   = 7 * 24 * time.Hour // before the price: a rate of the last day of business, over any holidays
)

// A history is what to ask of a pair's past, so that prices that were made before
// its first rate was received get one of their time.
type history struct {
	pair    kurs.Pair
	oldest  time.Time // price that needs it
	minutes time.Time // bars of a minute from here until to; zero: none
	to      time.Time
	days    time.Time // bars of a day from here until to; zero: none, unless there are no minutes
}

// newHistory is what prices since oldest need: minutes from maxAge before it, as
// far back as there are, and days for what is older.
func newHistory(pair kurs.Pair, oldest time.Time, maxAge time.Duration, now time.Time) history {
	h := history{pair: pair, oldest: oldest, to: now}
	h.minutes = oldest.Add(-maxAge)
	if reach := now.Add(-minutesReach); h.minutes.Before(reach) {
		h.minutes = reach
		h.days = daysFor(oldest, now)
	}
	if last := now.Add(-time.Minute); h.minutes.After(last) {
		h.minutes = last // a price from the future: the span may not be empty
	}
	return h
}

func daysFor(oldest, now time.Time) time.Time {
	from := oldest.Add(-daysMargin)
	if reach := now.Add(-daysReach); from.Before(reach) {
		return reach
	}
	return from
}

// past asks for a history. It returns trouble as a *trouble, after which it may
// be called again and goes on where it was.
func (c *Client) past(ctx context.Context, h *history, hear hear) error {
	if !h.minutes.IsZero() {
		found, err := c.pastChart(ctx, h.pair, "1m", h.minutes, h.to, hear)
		if err != nil {
			return err
		}
		if !found && h.days.IsZero() { // a weekend, say
			h.days = daysFor(h.oldest, h.to)
		}
		h.minutes = time.Time{}
	}
	if !h.days.IsZero() {
		if _, err := c.pastChart(ctx, h.pair, "1d", h.days, h.to, hear); err != nil {
			return err
		}
	}
	return nil
}

// pastChart asks for the bars of a pair and tells whether there were any. That
// there are none, in Yahoo's words or without, is an answer.
func (c *Client) pastChart(
	ctx context.Context, pair kurs.Pair, interval string, from, to time.Time, hear hear,
) (found bool, err error) {
	symbol := pair.Symbol()
	q := question{
		request:  request{url: chartURL(c.cfg.QueryURL, symbol, interval, from, to)},
		endpoint: kurs.EndpointChart, symbols: []string{symbol},
	}
	a, err := c.ask(ctx, q)
	if err != nil {
		return false, err
	}
	if err := c.hearOdd(q, a, &round{}, hear); err != nil {
		return false, err
	}
	switch a.verdict {
	case said:
		return len(a.seen.Bars) > 0, hear(a.raw(q, nil), kurs.CarriesRates, a.seen)
	case refused:
		return false, nil
	case denied, tooLong, failed, garbled: // a chart is never denied or too long
	}
	return false, a.trouble
}

// insistPast asks for a history, with a second try where there was trouble.
func (c *Client) insistPast(ctx context.Context, h *history, hear hear) error {
	for tries := 1; ; tries++ {
		err := c.past(ctx, h, hear)
		var t *trouble
		if !errors.As(err, &t) {
			return err
		}
		if err := c.again(ctx, tries, t); err != nil {
			return err
		}
	}
}
