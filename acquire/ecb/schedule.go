package ecb

import "time"

// When there can be something new: the bank publishes on working days at about
// 16:00 in Frankfurt, "usually", and not on its holidays, of which nothing is
// known here.
const (
	published = 16*time.Hour + 5*time.Minute // of the day
	soon      = 10 * time.Minute             // between two questions while it is late
	lateFor   = 2 * time.Hour
	seldom    = 3 * time.Hour // afterwards
)

// nextAsk is when to ask again where the newest rates are of a time.
func nextAsk(now, newest time.Time) time.Time {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		zone = time.FixedZone("CET", 3600) // it is linked in; an hour early or late would do no harm
	}
	due := now.In(zone)
	due = publishedOn(due)
	for due.After(now) || weekend(due) {
		due = publishedOn(due.AddDate(0, 0, -1))
	}
	next := publishedOn(due.AddDate(0, 0, 1))
	for weekend(next) {
		next = publishedOn(next.AddDate(0, 0, 1))
	}
	next = next.Add(jitter(soon))
	if sameDay(newest.In(zone), due) || newest.After(due) {
		return next
	}
	wait := soon + jitter(soon)
	if now.Sub(due) > lateFor {
		wait = seldom + jitter(time.Hour)
	}
	if again := now.Add(wait); again.Before(next) {
		return again
	}
	return next
}

// publishedOn is when the rates of the day that t is in are there.
func publishedOn(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, int(published/time.Minute), 0, 0, t.Location())
}

func sameDay(a, b time.Time) bool {
	return a.Year() == b.Year() && a.YearDay() == b.YearDay()
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// workingDays is how many there are after a, up to b. Both are times of rates,
// whose day is the same in UTC. It stops counting at ten.
func workingDays(a, b time.Time) int {
	n := 0
	for a = a.AddDate(0, 0, 1); n < 10 && (a.Before(b) || sameDay(a.UTC(), b.UTC())); a = a.AddDate(0, 0, 1) {
		if !weekend(a) {
			n++
		}
	}
	return n
}
