package ledger

import "time"

// Daily hands on the last price of each day and symbol of those that it is given
// by symbol and time.
type Daily struct {
	Yield func(Price) error

	last Price
	held bool
}

// Add takes the next price.
func (d *Daily) Add(p Price) error {
	if d.held && (p.Symbol != d.last.Symbol || !sameDay(p.Time, d.last.Time)) {
		if err := d.Flush(); err != nil {
			return err
		}
	}
	d.last, d.held = p, true
	return nil
}

// Flush hands on the last one. It is called after the last price.
func (d *Daily) Flush() error {
	if !d.held {
		return nil
	}
	d.held = false
	return d.Yield(d.last)
}

func sameDay(a, b time.Time) bool {
	y, m, day := a.Date()
	y2, m2, day2 := b.Date()
	return y == y2 && m == m2 && day == day2
}
