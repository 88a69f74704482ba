package sim

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxQuotes is how many symbols one quote request may name. Yahoo tells no
// limit; clients have seen a few hundred pass.
const maxQuotes = 1000

// unasked are the fields that come whatever fields= says. Currency is not among
// them (recorded: TSLA, fields=symbol).
const unasked = "language region quoteType quoteSourceName triggerable customPriceAlertConfidence marketState fullExchangeName " +
	"sourceInterval exchangeDataDelayedBy tradeable firstTradeDateMilliseconds priceHint exchange exchangeTimezoneName " +
	"exchangeTimezoneShortName gmtOffSetMilliseconds market esgPopulated symbol"

// quotes answers /v7/finance/quote. What is unknown is silently left out, and a
// pair asked for under two names comes once.
func (a *answer) quotes() {
	query := a.r.URL.Query()
	if !a.authorized(query.Get("crumb")) {
		return
	}
	symbols, ok := a.list(query.Get("symbols"), "finance", maxQuotes)
	if !ok {
		return
	}
	o := object{b: append(a.body[:0], `{"quoteResponse":{"result":[`...), formatted: query.Get("formatted") == "true"}
	if fields := query.Get("fields"); fields != "" {
		o.only = make(map[string]bool)
		for _, f := range append(strings.Split(fields, ","), strings.Fields(unasked)...) {
			o.only[strings.TrimSpace(f)] = true
		}
	}
	for i, in := range a.meant(symbols) {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		if a.x.isDelisted(in) {
			a.stub(&o, in)
			continue
		}
		a.quote(&o, in)
	}
	a.body = append(o.b, `],"error":null}}`...)
	a.send(200, jsonType, "public, max-age=1, stale-while-revalidate=9")
}

// list splits a list of symbols, or refuses one that is empty or too long.
func (a *answer) list(text, envelope string, most int) (symbols []string, ok bool) {
	if text == "" {
		a.fail(envelope, badRequest("Missing required query parameter=symbols"))
		return nil, false
	}
	symbols = strings.Split(text, ",")
	if len(symbols) > most {
		a.fail(envelope, badRequest("Too many symbols: at most "+strconv.Itoa(most)))
		return nil, false
	}
	return symbols, true
}

// quoting is one quote being written.
type quoting struct {
	*object
	a  *answer
	in *instrument
	m  *moment
	f  dayFacts
	p  price // the last regular one
}

// quote writes one quote, its fields in the groups that recorded answers have.
func (a *answer) quote(o *object, in *instrument) {
	m := a.momentOf(in)
	q := quoting{object: o, a: a, in: in, m: m, f: in.factsAt(m), p: a.x.told(in, in.path.at(m.regular), m.regular, a.now)}
	o.hint = in.hint
	o.begin()
	q.listing()
	q.regular()
	q.extended()
	q.book()
	q.year()
	switch in.kind {
	case equity, etf:
		q.company()
	case crypto:
		q.coin()
	case future:
		q.contract()
	case fund, index, currency:
	}
	q.averages()
	q.text("symbol", in.symbol)
	o.end()
}

// listing is who it is and where it trades.
func (q *quoting) listing() {
	in, v := q.in, q.in.venue
	q.raw("language", `"en-US"`)
	q.raw("region", `"US"`)
	q.text("quoteType", in.kind.quoteType())
	q.text("typeDisp", in.kind.typeDisp())
	q.text("quoteSourceName", q.source())
	confident := in.kind == currency || in.kind == crypto || v.extended
	q.boolean("triggerable", confident)
	q.text("customPriceAlertConfidence", map[bool]string{true: "HIGH", false: "LOW"}[confident])
	q.text("currency", q.a.x.unitTold(in, q.a.now))
	q.text("exchange", v.code)
	q.text("fullExchangeName", v.name)
	q.text("exchangeTimezoneName", v.zone)
	q.text("exchangeTimezoneShortName", q.m.zone)
	q.plain("gmtOffSetMilliseconds", int64(q.m.offset)*1000)
	q.text("market", v.market)
	q.boolean("esgPopulated", false)
	q.text("marketState", q.m.state)
	q.text("shortName", in.short)
	if in.long != "" {
		q.text("longName", in.long)
	}
	if q.key("messageBoardId") {
		q.b = append(strconv.AppendUint(append(q.b, `"finmb_`...), in.key%900_000_000, 10), '"')
	}
	q.raw("corporateActions", "[]")
	q.boolean("hasPrePostMarketData", v.extended)
	q.plain("firstTradeDateMilliseconds", in.firstTrade*1000)
	q.plain("priceHint", int64(in.hint))
	q.plain("sourceInterval", 15)
	q.plain("exchangeDataDelayedBy", 0)
	q.boolean("tradeable", false)
	q.boolean("cryptoTradeable", false)
}

func (q *quoting) source() string {
	if q.in.kind == fund {
		return delayed
	}
	return q.in.venue.source
}

// shown is a time as formatted=true has it: 4:00PM EST.
func (q *quoting) shown(t int64) string {
	return time.Unix(t, 0).In(q.in.venue.location).Format("3:04PM MST")
}

// regular is the session's price and what it did today. The price is handed out
// only where its time is.
func (q *quoting) regular() {
	p, previous := q.p.float32(), q.f.previous.float32()
	has := q.wants("regularMarketPrice")
	q.amount("regularMarketPrice", p)
	q.stamp("regularMarketTime", q.m.regular, q.shown)
	if has && q.wants("regularMarketTime") {
		q.a.hand(q.in, q.m.regular, q.p)
	}
	q.amount("regularMarketChange", p-previous)
	q.percent("regularMarketChangePercent", (p-previous)/previous*100)
	q.amount("regularMarketPreviousClose", previous)
	if q.in.kind == fund {
		return
	}
	low, high := q.in.dayRange(&q.f, q.m.regular)
	q.amount("regularMarketOpen", q.f.opened.float32())
	q.amount("regularMarketDayHigh", high.float32())
	q.amount("regularMarketDayLow", low.float32())
	q.between("regularMarketDayRange", low, high)
	q.count("regularMarketVolume", q.in.volumeAt(q.m.last, q.m.regular))
}

// wants tells whether a field was asked for.
func (q *quoting) wants(name string) bool { return q.only == nil || q.only[name] }

// between is a range as text: "267.11 - 271.41".
func (q *quoting) between(name string, low, high price) {
	if !q.key(name) {
		return
	}
	b := appendFloat32(append(q.b, '"'), low.float32())
	b = appendFloat32(append(b, " - "...), high.float32())
	q.b = append(b, '"')
}

// extended is the price before or after the regular session.
func (q *quoting) extended() {
	name, t := "preMarket", q.m.pre
	if q.m.post != 0 {
		name, t = "postMarket", q.m.post
	}
	if t == 0 || q.in.kind == index || q.in.kind == fund {
		return
	}
	exact := q.a.x.told(q.in, q.in.path.at(t), t, q.a.now)
	p, last := exact.float32(), q.p.float32()
	q.amount(name+"Price", p)
	q.stamp(name+"Time", t, q.shown)
	if q.wants(name+"Price") && q.wants(name+"Time") {
		q.a.hand(q.in, t, exact)
	}
	q.amount(name+"Change", p-last)
	q.percent(name+"ChangePercent", (p-last)/last*100)
}

// book is bid and ask: 0 while closed and for an index. Currency pairs have them
// the wrong way round (recorded), coins and funds have none.
func (q *quoting) book() {
	in := q.in
	if in.kind == crypto || in.kind == fund {
		return
	}
	bid, ask := float32(0), float32(0)
	sizes := int64(0)
	switch {
	case in.kind == currency:
		bid = q.p.float32()
		ask = in.path.round(in.path.log(q.m.regular, 0) - 0.00007).float32()
	case in.kind != index && q.m.open():
		bid = price{max(1, q.p.coef-1), q.p.decimals}.float32()
		ask = price{q.p.coef + 1, q.p.decimals}.float32()
		sizes = int64(1 + mix(in.key^uint64(q.m.now))%20) //nolint:gosec // below 21
	}
	q.amount("bid", bid)
	q.amount("ask", ask)
	q.count("bidSize", sizes)
	q.count("askSize", sizes/2)
}

// year is the 52 weeks and the usual volumes.
func (q *quoting) year() {
	p := q.p.float32()
	low, high := q.f.yearLow.float32(), q.f.yearHigh.float32()
	ago := q.f.yearAgo.float32()
	q.amount("fiftyTwoWeekLowChange", p-low)
	q.fraction("fiftyTwoWeekLowChangePercent", (p-low)/low)
	q.between("fiftyTwoWeekRange", q.f.yearLow, q.f.yearHigh)
	q.amount("fiftyTwoWeekHighChange", p-high)
	q.fraction("fiftyTwoWeekHighChangePercent", (p-high)/high)
	q.amount("fiftyTwoWeekLow", low)
	q.amount("fiftyTwoWeekHigh", high)
	q.percent("fiftyTwoWeekChangePercent", (p-ago)/ago*100)
	if q.in.kind == currency || q.in.kind == fund {
		q.count("averageDailyVolume3Month", 0)
		q.count("averageDailyVolume10Day", 0)
		return
	}
	q.count("averageDailyVolume3Month", int64(q.f.volume3M))
	q.count("averageDailyVolume10Day", int64(q.f.volume10Day))
}

// averages are those of the prices.
func (q *quoting) averages() {
	p := q.p.float32()
	q.amount("fiftyDayAverage", q.f.fiftyDay)
	q.amount("fiftyDayAverageChange", p-q.f.fiftyDay)
	q.fraction("fiftyDayAverageChangePercent", (p-q.f.fiftyDay)/q.f.fiftyDay)
	q.amount("twoHundredDayAverage", q.f.twoHundred)
	q.amount("twoHundredDayAverageChange", p-q.f.twoHundred)
	q.fraction("twoHundredDayAverageChangePercent", (p-q.f.twoHundred)/q.f.twoHundred)
}

// company is a share's own figures. They are in the currency even where the
// price is in pence, and Yahoo divides one by the other all the same (recorded:
// OCDO.L, priceToBook 1806).
func (q *quoting) company() {
	in := q.in
	quoted := q.p.float64()
	major := quoted * in.factor()
	q.text("financialCurrency", in.venue.currency)
	q.count("marketCap", int64(math.Round(major*in.shares)))
	q.count("sharesOutstanding", int64(in.shares))
	q.amount("bookValue", float32(in.book))
	q.amount("priceToBook", float32(quoted/in.book))
	q.amount("epsTrailingTwelveMonths", float32(in.eps))
	q.amount("trailingPE", float32(major/in.eps))
	q.amount("trailingAnnualDividendRate", float32(round3(major*in.yield)))
	q.fraction("trailingAnnualDividendYield", float32(in.yield))
	if in.kind == etf {
		q.percent("ytdReturn", float32(round3(20*unit(mix(in.key^20))-5)))
		q.percent("trailingThreeMonthReturns", float32(round3(10*unit(mix(in.key^21))-3)))
		q.amount("netExpenseRatio", float32(0.03+math.Round(unit(mix(in.key^22))*60)/100))
		return
	}
	q.amount("epsForward", float32(round3(in.eps*1.12)))
	q.amount("forwardPE", float32(major/round3(in.eps*1.12)))
	q.amount("epsCurrentYear", float32(round3(in.eps*1.05)))
	q.amount("priceEpsCurrentYear", float32(major/round3(in.eps*1.05)))
	rating := 1 + unit(mix(in.key^23))*2
	if q.key("averageAnalystRating") {
		q.b = strconv.AppendFloat(append(q.b, '"'), rating, 'f', 1, 64)
		q.b = append(append(q.b, " - "...), map[bool]string{true: "Buy", false: "Hold"}[rating < 2.5]...)
		q.b = append(q.b, '"')
	}
	quarter := q.m.last.date - q.m.last.date%91
	q.stamp("dividendDate", (quarter+20)*day, q.shown)
	q.stamp("earningsTimestamp", (quarter+75)*day+73800, q.shown)
	q.stamp("earningsTimestampStart", (quarter+75)*day+73800, q.shown)
	q.stamp("earningsTimestampEnd", (quarter+75)*day+73800, q.shown)
	q.boolean("isEarningsDateEstimate", false)
	if in.venue.extended {
		name, _, _ := strings.Cut(in.long, " ")
		q.text("displayName", strings.TrimRight(name, ",."))
	}
}

// coin is what a cryptocurrency has besides.
func (q *quoting) coin() {
	in := q.in
	from, _, _ := strings.Cut(in.symbol, "-")
	q.count("marketCap", int64(math.Round(q.p.float64()*in.shares)))
	q.count("circulatingSupply", int64(in.shares))
	q.text("lastMarket", "CoinMarketCap")
	q.count("volume24Hr", int64(q.f.volume10Day))
	q.count("volumeAllCurrencies", int64(q.f.volume10Day))
	q.text("fromCurrency", from)
	q.text("toCurrency", in.unit+"=X")
	q.text("coinImageUrl", "https://s.yimg.com/uc/fin/img/reports-thumbnails/1.png")
	q.text("startDate", time.Unix(in.firstTrade, 0).UTC().Format(time.DateOnly))
}

// contract is what a future has besides.
func (q *quoting) contract() {
	expires := (q.m.last.date - q.m.last.date%91 + 91) * day
	head := strings.TrimSuffix(q.in.symbol, "=F")
	underlying := head + "Z26.CMX"
	q.text("headSymbolAsString", q.in.symbol)
	q.boolean("contractSymbol", false)
	q.text("underlyingSymbol", underlying)
	q.text("underlyingExchangeSymbol", underlying)
	q.count("openInterest", int64(q.in.volume*3))
	q.stamp("expireDate", expires, q.shown)
	q.text("expireIsoDate", time.Unix(expires, 0).UTC().Format(time.RFC3339))
}
