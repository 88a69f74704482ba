package process

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kurs"
	"kurs/process/fx"
)

// Pending is a price or a bar that waits for a rate: what names it, and what its
// base value is computed from.
type Pending struct {
	Symbol   string       `json:"symbol"`
	Source   string       `json:"source"`
	Time     time.Time    `json:"time"` // of the quote, or the start of the bar
	Session  kurs.Session `json:"session,omitempty"`
	Interval string       `json:"interval,omitempty"` // of a bar
	Received time.Time    `json:"received"`
	Raw      kurs.RawID   `json:"raw"`
	Currency string       `json:"currency"`
	Factor   kurs.Decimal `json:"factor"`
	At       time.Time    `json:"at"` // the time that a rate is wanted of
	Value    kurs.Decimal `json:"value"`
	Open     kurs.Decimal `json:"open,omitzero"`
	High     kurs.Decimal `json:"high,omitzero"`
	Low      kurs.Decimal `json:"low,omitzero"`
}

// Fill gives the price the first rate of the book that fits and that was learned
// after the position that the price was received at; ok is false while there is none. An error says that no rate
// can give it a value in the base currency.
func (p *Pending) Fill(book *fx.Book, base string, known uint64) (fill kurs.Fill, ok bool, err error) {
	rate, pos, ok := book.FirstAfter(kurs.Pair{From: p.Currency, To: base}, p.At, known, known)
	if !ok {
		return kurs.Fill{}, false, nil
	}
	// The value is known since the rate was usable for the price: that may be later
	// than the rate's own reception, where it stands in for another.
	for _, at := range []time.Time{p.Received, book.Clock(pos)} {
		if at.After(rate.Received) {
			rate.Received = at
		}
	}
	fill, err = p.fill(rate)
	return fill, true, err
}

// fill is the message that gives the price its rate.
func (p *Pending) fill(rate kurs.Rate) (kurs.Fill, error) {
	f := kurs.Fill{
		Symbol: p.Symbol, Source: p.Source, Time: p.Time, Session: p.Session, Interval: p.Interval,
		Receipt: kurs.Receipt{Received: p.Received, Raw: p.Raw}, Rate: rate,
	}
	if p.Interval == "" {
		var err error
		f.Base, err = kurs.Convert(p.Value, p.Factor, rate.Value)
		return f, err
	}
	base, err := convertBar([4]kurs.Decimal{p.Open, p.High, p.Low, p.Value}, p.Factor, rate.Value)
	f.BaseOpen, f.BaseHigh, f.BaseLow, f.BaseClose = base[0], base[1], base[2], base[3]
	return f, err
}

// waiting is a message of the stream unpriced: prices of one currency that came
// in one answer. After is the place in the stream rates up to which no rate fits.
type waiting struct {
	After  uint64    `json:"after"`
	Prices []Pending `json:"prices"`
}

// byCurrency sorts what waits into one message a currency.
func byCurrency(pending []Pending, after uint64) map[string]*waiting {
	out := map[string]*waiting{}
	for _, p := range pending {
		w := out[p.Currency]
		if w == nil {
			w = &waiting{After: after}
			out[p.Currency] = w
		}
		w.Prices = append(w.Prices, p)
	}
	return out
}

func (w *waiting) encode() ([]byte, error) {
	data, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("encode prices that wait: %w", err)
	}
	return data, nil
}

func decodeWaiting(data []byte) (waiting, error) {
	var w waiting
	if err := json.Unmarshal(data, &w); err != nil {
		return waiting{}, fmt.Errorf("%w: prices that wait for a rate: %w", kurs.ErrRejected, err)
	}
	if len(w.Prices) == 0 {
		return waiting{}, fmt.Errorf("%w: a message without prices", kurs.ErrRejected)
	}
	return w, nil
}

// received is when the first of the prices came.
func (w *waiting) received() time.Time {
	first := w.Prices[0].Received
	for i := range w.Prices {
		if at := w.Prices[i].Received; at.Before(first) {
			first = at
		}
	}
	return first
}

// times are the different times that rates are wanted of, in order.
func (w *waiting) times() []int64 {
	out := make([]int64, len(w.Prices))
	for i := range w.Prices {
		out[i] = w.Prices[i].At.UnixNano()
	}
	slices.Sort(out)
	return slices.Compact(out)
}
