package sim

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxSpark is the hard cap of symbols in one spark: one more and the whole call
// is refused.
const maxSpark = 20

// spark answers both versions: the closes of several symbols. What is unknown is
// left out. Version 8 has no currency and no meta.
func (a *answer) spark() {
	values := a.r.URL.Query()
	symbols, ok := a.list(values.Get("symbols"), "spark", maxSpark)
	if !ok {
		return
	}
	if values.Get("interval") == "" && (values.Get("range") == "" || values.Get("range") == "1d") {
		values.Set("interval", "5m")
	}
	v8 := strings.HasPrefix(a.r.URL.Path, "/v8/")
	b := append(a.body[:0], map[bool]string{true: `{`, false: `{"spark":{"result":[`}[v8]...)
	for i, in := range slices.DeleteFunc(a.meant(symbols), a.x.isDelisted) {
		if i > 0 {
			b = append(b, ',')
		}
		var p *problem
		if b, p = a.appendSpark(b, in, values, v8); p != nil {
			a.fail("spark", *p)
			return
		}
	}
	a.body = append(b, map[bool]string{true: `}`, false: `],"error":null}}`}[v8]...)
	a.send(200, jsonType, "public, max-age=10, stale-while-revalidate=20")
}

func (a *answer) appendSpark(b []byte, in *instrument, values url.Values, v8 bool) ([]byte, *problem) {
	m := a.moment(in.venue)
	q, p := parseChart(values, in, m)
	if p != nil {
		return b, p
	}
	bars := a.bars(in, &q, m)
	stamps := func(b []byte) []byte {
		return appendEach(b, bars, func(b []byte, x *bar) []byte { return strconv.AppendInt(b, x.start, 10) })
	}
	closes := func(b []byte) []byte { // shortest, where a chart's are widened (recorded)
		return appendEach(b, bars, func(b []byte, x *bar) []byte {
			if x.null {
				return append(b, "null"...)
			}
			return appendFloat32(b, x.close.float32())
		})
	}
	if !v8 {
		b = appendString(append(b, `{"symbol":`...), in.symbol)
		b = a.appendMeta(append(b, `,"response":[{"meta":`...), in, m, &q, bars)
		b = stamps(append(b, `,"timestamp":`...))
		return append(closes(append(b, `,"indicators":{"quote":[{"close":`...)), `}]}}]}`...), nil
	}
	b = appendString(b, in.symbol)
	b = appendString(append(b, `:{"symbol":`...), in.symbol)
	b = stamps(append(b, `,"timestamp":`...))
	b = closes(append(b, `,"close":`...))
	first := q.p1
	if len(bars) > 0 {
		first = bars[0].start
	}
	before := in.path.at(in.venue.sessionBefore(in.venue.dateOf(first)).close)
	b = appendRounded(append(b, `,"chartPreviousClose":`...), before.float64(), in.metaDecimals())
	b = strconv.AppendInt(append(b, `,"previousClose":null,"start":null,"end":null,"dataGranularity":`...), sessionSeconds(q.step), 10)
	return append(b, '}'), nil
}

// sessionSeconds is the length of a bar as version 8 tells it; a day for longer ones.
func sessionSeconds(step int64) int64 {
	if step == 0 {
		return day
	}
	return step
}
