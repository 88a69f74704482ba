package sim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// period is the length of a bar: seconds within a session, or a calendar unit.
type period struct {
	name     string
	step     int64  // s; 0 for a day and longer
	lookBack int64  // days before now in which a request must start; 0: any
	reported string // dataGranularity; Yahoo knows 60m as 1h
}

// The intervals with their limits are those that Yahoo's own error lists.
func periods() []period {
	return []period{
		{"1m", 60, 30, "1m"},
		{"2m", 120, 60, "2m"},
		{"5m", 300, 60, "5m"},
		{"15m", 900, 60, "15m"},
		{"30m", 1800, 60, "30m"},
		{"60m", 3600, 730, "1h"},
		{"90m", 5400, 60, "90m"},
		{"1h", 3600, 730, "1h"},
		{"4h", 14400, 730, "4h"},
		{"1d", 0, 0, "1d"},
		{"5d", 0, 0, "5d"},
		{"1wk", 0, 0, "1wk"},
		{"1mo", 0, 0, "1mo"},
		{"3mo", 0, 0, "3mo"},
	}
}

// minuteSpan is how much of 1-minute bars one call may ask for: 8 days, exactly
// 8 included.
const minuteSpan = 8 * day

const ranges = `["1d","5d","1mo","3mo","6mo","1y","2y","5y","10y","ytd","max"]`

// chartQuery is what a chart is asked for.
type chartQuery struct {
	period
	p1, p2  int64  // start inclusive, end exclusive
	span    string // range=; empty with period1 and period2
	prePost bool
	events  string
}

// parseChart reads the parameters. With none at all they mean a day of minutes.
func parseChart(values url.Values, in *instrument, m *moment) (chartQuery, *problem) {
	q := chartQuery{span: values.Get("range"), events: values.Get("events")}
	q.prePost = strings.EqualFold(values.Get("includePrePost"), "true") // Python sends True
	dated := values.Has("period1") || values.Has("period2")
	if dated {
		q.span = ""
	} else if q.span == "" {
		q.span = "1d"
	}
	interval := values.Get("interval")
	if interval == "" {
		interval = map[bool]string{true: "1m", false: "1d"}[q.span == "1d"]
	}
	all := periods()
	i := slices.IndexFunc(all, func(p period) bool { return p.name == interval })
	if i < 0 {
		names := make([]string, len(all))
		for i, p := range all {
			names[i] = p.name
		}
		p := badRequest(fmt.Sprintf("Invalid input - interval=%s is not supported. Valid intervals: [%s]", interval, strings.Join(names, ", ")))
		return q, &p
	}
	q.period = all[i]
	if p := q.dates(values, in, m, dated); p != nil {
		return q, p
	}
	return q, q.limits(in, m)
}

func (q *chartQuery) dates(values url.Values, in *instrument, m *moment, dated bool) *problem {
	if !dated {
		start, ok := startOf(q.span, q.prePost, in, m)
		if !ok {
			p := badRequest(fmt.Sprintf("Invalid input - range=%s is not supported. Valid ranges: %s", q.span, strings.ReplaceAll(ranges, `"`, "")))
			return &p
		}
		q.p1, q.p2 = start, m.now+1
		return nil
	}
	q.p1, q.p2 = in.firstTrade, m.now+1
	for name, to := range map[string]*int64{"period1": &q.p1, "period2": &q.p2} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v > maxTime || v < -maxTime {
			p := badRequest(fmt.Sprintf("Invalid input - %s=%s is not a Unix timestamp", name, text))
			return &p
		}
		*to = v
	}
	if q.p1 > q.p2 {
		p := badRequest(fmt.Sprintf("Invalid input - start date cannot be after end date. startDate = %d, endDate = %d", q.p1, q.p2))
		return &p
	}
	return nil
}

// maxTime is the last second that the market has prices for.
const maxTime = 1<<32 - 1

// limits refuses what Yahoo would, in its words. A range in days is counted in
// sessions (60d of 5m bars passes), other ranges may begin at a midnight before.
func (q *chartQuery) limits(in *instrument, m *moment) *problem {
	refuse := func(why string) *problem {
		return &problem{
			http.StatusUnprocessableEntity, "Unprocessable Entity",
			fmt.Sprintf("%s data not available for startTime=%d and endTime=%d. %s", q.reported, q.p1, q.p2, why),
		}
	}
	asked, earliest := q.p2-q.p1, m.now-q.lookBack*day
	if q.span != "" {
		asked--             // the second that a range ends with is no more
		earliest -= 2 * day // 2y may be 731 days, and begins at midnight
		if n, err := strconv.Atoi(strings.TrimSuffix(q.span, "d")); err == nil {
			asked = int64(n) * day
			if int64(n) <= q.lookBack {
				earliest = 0
			}
		}
	}
	switch {
	case q.span == "" && (q.p2 <= in.firstTrade || q.p1 > m.now):
		p := badRequest(fmt.Sprintf("Data doesn't exist for startDate = %d, endDate = %d", q.p1, q.p2))
		return &p
	case q.name == "1m" && asked > minuteSpan:
		return refuse("Only 8 days worth of 1m granularity data are allowed to be fetched per request.")
	case q.lookBack > 0 && q.p1 < earliest:
		return refuse(fmt.Sprintf("The requested range must be within the last %d days.", q.lookBack))
	}
	q.p1 = max(q.p1, in.firstTrade)
	return nil
}

// startOf is where a range begins: days are counted in sessions, the rest in the
// calendar.
func startOf(span string, prePost bool, in *instrument, m *moment) (int64, bool) {
	v := in.venue
	first := m.last
	if m.state == statePre {
		first = m.current
	}
	y, mo, d := civil(first.date)
	midnight := func(y int, mo time.Month, d int) int64 {
		return v.wall(time.Date(y, mo, d, 0, 0, 0, 0, time.UTC).Unix()/day, 0)
	}
	switch span {
	case "ytd":
		return midnight(y, time.January, 1), true
	case "max":
		return in.firstTrade, true
	}
	number := strings.TrimRight(span, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 1000 {
		return 0, false
	}
	switch span[len(number):] {
	case "d":
		for range n - 1 {
			first = v.sessionBefore(first.date)
		}
		if prePost && v.extended {
			return first.pre, true
		}
		return min(first.stamp, first.open), true
	case "wk":
		return midnight(y, mo, d-7*n), true
	case "mo":
		return midnight(y, mo-time.Month(n), d), true
	case "y":
		return midnight(y-min(n, 200), mo, d), true
	}
	return 0, false
}

// civil names a local date.
func civil(date int64) (year int, month time.Month, dayOfMonth int) {
	return time.Unix(date*day, 0).UTC().Date()
}
