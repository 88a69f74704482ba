package kurs

import "time"

// A Neighbour is the price next to an observation that is held to be right: the
// unit and the value that a later one is compared with. The zero value is that
// nothing is known.
type Neighbour struct {
	Unit  string    `json:"unit,omitempty"`
	Value Decimal   `json:"value"` // in Unit
	Time  time.Time `json:"time"`
}

// Known tells whether there is a neighbour.
func (n Neighbour) Known() bool { return n.Value.Known() }

// The jump that no market makes and a mistaken unit does: about a hundredfold,
// pence read as pounds or the other way round.
var (
	jumpLeast = Int(90)
	jumpMost  = Int(110)
)

// Ahead is how far a price's own time may be after its reception: clocks differ.
const Ahead = 5 * time.Minute

// Doubt says why a value in a unit next to n is probably wrong; nothing where it
// may well be right.
func (n Neighbour) Doubt(unit string, value Decimal) Reason {
	switch {
	case !n.Known():
		return ""
	case n.Unit != "" && unit != "" && unit != n.Unit:
		return ReasonUnit
	case hundredfold(value, n.Value), hundredfold(n.Value, value):
		return ReasonJump
	}
	return ""
}

// hundredfold tells whether a is 90 to 110 times b.
func hundredfold(a, b Decimal) bool {
	ratio, err := a.Quo(b)
	return err == nil && ratio.Cmp(jumpLeast) >= 0 && ratio.Cmp(jumpMost) <= 0
}

// DoubtQuote says why a quote that was received at a time is probably wrong;
// nothing where it may well be right. It depends on nothing but its arguments, so
// that whoever asks, in whatever process, says the same.
func (n Neighbour) DoubtQuote(q *Quote, received time.Time) Reason {
	switch {
	case !q.Value.Known():
		return ReasonValue
	case q.Value.Sign() <= 0:
		return ReasonSign
	case q.Time.Unix() <= 0: // the zero time too
		return ReasonTime
	case q.Time.Sub(received) > Ahead:
		return ReasonFuture
	}
	return n.Doubt(q.Unit, q.Value)
}

// Next is the neighbour of what follows a quote that was not doubted.
func (n Neighbour) Next(q *Quote) Neighbour {
	if q.Time.Before(n.Time) {
		return n
	}
	unit := q.Unit
	if unit == "" {
		unit = n.Unit
	}
	return Neighbour{Unit: unit, Value: q.Value, Time: q.Time}
}
