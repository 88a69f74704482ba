package sim

import (
	"slices"
	"strconv"
	"strings"
)

// maxHits is how many quotes a search gives, whatever is asked for.
const maxHits = 7

func upper(s string) string { return strings.ToUpper(s) }

// search answers /v1/finance/search: a symbol as it is, symbols that begin like
// it, pairs of currencies, then names. It needs no session and has no news.
func (a *answer) search() {
	values := a.r.URL.Query()
	text := strings.TrimSpace(values.Get("q"))
	if text == "" {
		a.fail("finance", badRequest("Missing required query parameter=q"))
		return
	}
	limit := maxHits
	if n, err := strconv.Atoi(values.Get("quotesCount")); err == nil {
		limit = max(0, min(n, maxHits))
	}
	hits := a.x.find(upper(text), limit)
	o := object{b: append(a.body[:0], `{"explains":[],"count":`...)}
	o.b = strconv.AppendInt(o.b, int64(len(hits)), 10)
	o.b = append(o.b, `,"quotes":[`...)
	for i, in := range hits {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.begin()
		o.text("exchange", in.venue.code)
		o.text("shortname", in.short)
		o.text("quoteType", in.kind.quoteType())
		o.text("symbol", in.symbol)
		o.text("index", "quotes")
		o.raw("score", strconv.Itoa(30000-1000*i)+".0")
		o.text("typeDisp", in.kind.typeDisp())
		if in.long != "" {
			o.text("longname", in.long)
		}
		o.text("exchDisp", in.venue.name)
		o.boolean("isYahooFinance", true)
		o.end()
	}
	a.body = append(o.b, `],"news":[],"nav":[],"lists":[],"researchReports":[],"screenerFieldResults":[],"totalTime":20,`+
		`"timeTakenForQuotes":10,"timeTakenForNews":0,"timeTakenForAlgowatchlist":0,"timeTakenForPredefinedScreener":0,`+
		`"timeTakenForCrunchbase":0,"timeTakenForNav":0,"timeTakenForResearchReports":0,"timeTakenForScreenerField":0,`+
		`"timeTakenForCulturalAssets":0,"timeTakenForSearchLists":0}`...)
	a.send(200, jsonType, "public, max-age=600, stale-while-revalidate=180")
}

// find gives up to limit instruments for a text in upper case, best first.
func (x *Exchange) find(text string, limit int) []*instrument {
	var hits []*instrument
	add := func(in *instrument, ok bool) {
		if ok && len(hits) < limit && !slices.Contains(hits, in) {
			hits = append(hits, in)
		}
	}
	add(x.lookup(text))
	for _, in := range x.instruments {
		add(in, strings.HasPrefix(in.symbol, text))
	}
	if pair := strings.NewReplacer("/", "", "=X", "").Replace(text); len(pair) == 3 || len(pair) == 6 {
		for _, code := range append([]string{""}, currencyCodes()...) {
			if len(pair)+len(code) == 6 {
				add(x.pair(pair + code + "=X"))
			}
		}
	}
	for i, in := range x.instruments {
		add(in, strings.Contains(x.names[i], text))
	}
	return hits
}
