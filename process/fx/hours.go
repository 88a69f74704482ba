package fx

import "time"

// The currency market is closed from Friday 22:00 to Sunday 22:00 in London:
// the week of trading runs from Monday morning in Wellington to Friday evening in
// New York, and Yahoo's rates stand still about half an hour around these times
// (last stamp of a recorded Friday: 21:29:39 UTC in summer). Bank holidays are
// not counted as closed: rates are made on most of them, and where one stands
// still prices wait for the next.

// closedBetween is how much of the time between from and to, in Unix
// nanoseconds, the currency market was closed.
func closedBetween(from, to int64) int64 {
	var closed int64
	for friday := fridayBefore(from); ; friday += 7 {
		closes, opens := tenInTheEvening(friday), tenInTheEvening(friday+2)
		if closes >= to {
			return closed
		}
		if start, end := max(closes, from), min(opens, to); end > start {
			closed += end - start
		}
	}
}

const nanosADay = int64(24 * time.Hour)

// fridayBefore is the last Friday that is not after the day of t, as a number of
// days since 1970-01-01, which was a Thursday.
func fridayBefore(t int64) int64 {
	day := t / nanosADay
	if t < day*nanosADay {
		day--
	}
	since := (day - 1) % 7
	if since < 0 {
		since += 7
	}
	return day - since
}

// tenInTheEvening is 22:00 in London of a day.
func tenInTheEvening(day int64) int64 {
	t := day*nanosADay + int64(22*time.Hour)
	if summerInLondon(day) {
		t -= int64(time.Hour)
	}
	return t
}

// summerInLondon tells whether British Summer Time holds on the evening of a
// day: from the last Sunday of March to the day before the last Sunday of
// October, the rule since 1996 (The Summer Time Order 1997). It is written out
// here because the machine's time zone database may be missing or another
// edition, and workers must agree.
func summerInLondon(day int64) bool {
	date := time.Unix(day*24*60*60, 0).UTC()
	lastSunday := func(m time.Month) int { // both months have 31 days
		last := time.Date(date.Year(), m, 31, 0, 0, 0, 0, time.UTC)
		return 31 - int(last.Weekday())
	}
	switch m := date.Month(); m {
	case time.March:
		return date.Day() >= lastSunday(m)
	case time.October:
		return date.Day() < lastSunday(m)
	default:
		return m > time.March && m < time.October
	}
}
