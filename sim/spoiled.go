package sim

// This file is the faults of what is told, where misbehave.go has those of how.

// meant are the instruments that a list of symbols means, each once, without
// those that are unknown. Faults leave some out, name some twice, and mix them.
func (a *answer) meant(symbols []string) []*instrument {
	f := a.x.faults.Load()
	out := make([]*instrument, 0, len(symbols))
	seen := make(map[*instrument]bool, len(symbols))
	for i, s := range symbols {
		in, ok := a.lookup(s)
		if !ok || seen[in] {
			continue
		}
		seen[in] = true
		of := a.number<<16 ^ uint64(i)
		if a.x.chance(f.Missing, "missing", of) {
			continue
		}
		out = append(out, in)
		if a.x.chance(f.Duplicate, "duplicate", of) {
			out = append(out, in)
		}
	}
	if a.x.chance(f.Shuffle, "shuffle", a.number) {
		for i := len(out) - 1; i > 0; i-- {
			j := a.x.drawn(i+1, "place", a.number<<16^uint64(i))
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// momentOf reads the clock for an instrument: by a fault, as it was some time ago.
func (a *answer) momentOf(in *instrument) *moment {
	of := a.number<<24 ^ in.key
	if !a.x.chance(a.x.faults.Load().Stale, "stale", of) {
		return a.moment(in.venue)
	}
	m := in.venue.momentAt(a.now - int64(10+a.x.drawn(590, "age", of)))
	return &m
}

// bars are those of an instrument as they are told, and hands them out.
func (a *answer) bars(in *instrument, q *chartQuery, m *moment) []bar {
	bars := in.series(q, m)
	f := a.x.faults.Load()
	for i := range bars {
		b := &bars[i]
		if f.Nulls > 0 && !b.live && a.x.chance(f.Nulls, "null", in.key^uint64(b.start)) { //nolint:gosec // only bits
			b.null = true
			continue
		}
		if wrong := a.x.told(in, b.close, b.end, a.now); wrong != b.close {
			times := wrong.float64() / b.close.float64()
			b.close = wrong
			for _, p := range []*price{&b.open, &b.high, &b.low} { // all of it is in another unit
				switch {
				case times > 2:
					*p = p.hundredfold()
				case times < 0.5:
					p.decimals += 2
				}
			}
		}
		a.hand(in, b.end, b.close)
	}
	return bars
}

// isDelisted tells whether a fault has made a symbol one that Yahoo still knows,
// and has no price of. Pairs stay.
func (x *Exchange) isDelisted(in *instrument) bool {
	return in.kind != currency && x.chance(x.faults.Load().Delisted, "delisted", in.key)
}

// stub is what is left of a delisted instrument in a quote: of type NONE, or of a
// fund at "YHD" (both recorded).
func (*answer) stub(o *object, in *instrument) {
	o.begin()
	o.raw("language", `"en-US"`)
	o.raw("region", `"US"`)
	if in.key%2 == 0 {
		o.text("quoteType", "NONE")
	} else {
		o.text("quoteType", "MUTUALFUND")
		o.text("exchange", "YHD")
		o.text("fullExchangeName", "YHD")
		o.text("market", "us_market")
		o.text("shortName", in.short)
	}
	o.boolean("triggerable", false)
	o.boolean("tradeable", false)
	o.text("symbol", in.symbol)
	o.end()
}

// deadStamp is the time that Yahoo tells of all of them: 28 June 2019 (recorded).
const deadStamp = 1561759658

// deadChart is the chart of a delisted instrument: of status 200, without prices.
func (a *answer) deadChart(in *instrument) {
	o := object{b: append(a.body[:0], `{"chart":{"result":[{"meta":`...)}
	o.begin()
	o.raw("currency", "null")
	o.text("symbol", in.symbol)
	o.text("exchangeName", "YHD")
	o.text("instrumentType", "MUTUALFUND")
	o.raw("firstTradeDate", "null")
	o.plain("regularMarketTime", deadStamp)
	o.plain("gmtoffset", -18000)
	o.text("timezone", "EST")
	o.text("exchangeTimezoneName", "America/New_York")
	o.plain("priceHint", 2)
	o.text("dataGranularity", "1d")
	o.text("range", "")
	o.b = append(append(o.b, ','), validRanges...)
	o.end()
	a.body = append(o.b, `,"indicators":{"quote":[{}],"adjclose":[{}]}}],"error":null}}`...)
	a.send(200, jsonType, "public, max-age=10, stale-while-revalidate=20")
}
