package sim

import "time"

// session is one day's trading at a venue, in Unix seconds. Regular prices are
// of [open, close]; where a venue has them, earlier ones of [pre, open) and later
// ones of (close, post].
type session struct {
	date                   int64 // local days since 1970
	stamp                  int64 // the time that the day's bar carries
	pre, open, close, post int64
}

// dateOf is the local date of an instant, in days since 1970.
func (v *venue) dateOf(t int64) int64 {
	return floorDiv(t+int64(v.offset(t)), day)
}

// offset is how many seconds the venue's clock is ahead of UTC. Without hours
// the days are those of UTC, whatever the clock on the wall says.
func (v *venue) offset(t int64) int {
	if v.always {
		return 0
	}
	_, offset := time.Unix(t, 0).In(v.location).Zone()
	return offset
}

// sessionOn is the session of a local date, if there is one.
func (v *venue) sessionOn(date int64) (session, bool) {
	if v.always {
		start := date * day
		return session{date: date, stamp: start, pre: start, open: start, close: start + day, post: start + day}, true
	}
	s := v.week[floorMod(date+4, 7)] // 1 January 1970 was a Thursday
	if s == (span{}) {
		return session{}, false
	}
	out := session{date: date, open: v.wall(date, s.open), close: v.wall(date, s.close)}
	out.pre, out.post = v.wall(date, s.open-v.before), v.wall(date, s.close+v.after)
	out.stamp = out.open
	if v.nonstop {
		out.stamp = v.wall(date, 0)
	}
	return out, true
}

// wall is the instant at which the clock on the venue's wall shows so many
// minutes since the midnight of a date.
func (v *venue) wall(date int64, minutes int) int64 {
	if v.always {
		return date*day + int64(minutes)*60
	}
	return time.Date(1970, time.January, 1+int(date), 0, minutes, 0, 0, v.location).Unix()
}

// sessionAfter is the first session on a date or later. Every venue is open once
// a week.
func (v *venue) sessionAfter(date int64) session {
	for {
		if s, ok := v.sessionOn(date); ok {
			return s
		}
		date++
	}
}

// sessionBefore is the last session before a date.
func (v *venue) sessionBefore(date int64) session {
	for {
		date--
		if s, ok := v.sessionOn(date); ok {
			return s
		}
	}
}

// moment is what a venue's clock says at an instant.
type moment struct {
	now     int64
	state   string  // marketState
	regular int64   // time of the last regular price
	pre     int64   // time of the last pre-market price, or 0
	post    int64   // time of the last post-market price, or 0
	last    session // the one that regular is of
	before  session // the one before that
	current session // today's, or the next one
	offset  int     // of the wall's clock, s
	zone    string  // its short name
}

func (m *moment) open() bool { return m.state == stateRegular }

// Yahoo's market states.
const (
	statePrePre   = "PREPRE"
	statePre      = "PRE"
	stateRegular  = "REGULAR"
	statePost     = "POST"
	statePostPost = "POSTPOST"
	stateClosed   = "CLOSED"
)

// momentAt reads the clock of a venue.
func (v *venue) momentAt(now int64) moment {
	m := moment{now: now}
	m.zone, m.offset = time.Unix(now, 0).In(v.location).Zone()
	today := v.dateOf(now)
	m.last = v.sessionBefore(today + 2) // an evening may belong to tomorrow
	for m.last.open > now {
		m.last = v.sessionBefore(m.last.date)
	}
	m.before = v.sessionBefore(m.last.date)
	m.regular = min(now, m.last.close)
	m.current = v.sessionAfter(max(today, m.last.date))
	m.state = v.stateAt(&m, today)
	if v.extended {
		switch m.state {
		case statePre:
			m.pre = now
		case stateRegular:
		default:
			if after := min(now, m.last.post); after > m.last.close {
				m.post = after
			}
		}
	}
	return m
}

func (v *venue) stateAt(m *moment, today int64) string {
	switch {
	case m.last.open <= m.now && m.now < m.last.close:
		return stateRegular
	case v.nonstop:
		return stateClosed
	case m.last.date == today && v.extended && m.now < m.last.post:
		return statePost
	case m.last.date == today:
		return statePostPost
	case m.current.date != today:
		return stateClosed
	case v.extended && m.now >= m.current.pre:
		return statePre
	}
	return statePrePre
}

func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }
