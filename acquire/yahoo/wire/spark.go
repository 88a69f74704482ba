package wire

import "kurs"

// sparkV7 reads one result of v7/finance/spark: {"symbol","response":[{...}]},
// each response a chart with closes alone.
func (d *decoder) sparkV7() {
	symbol := ""
	for key := range d.members() {
		switch string(key) {
		case "symbol":
			symbol = canonical(d.text())
		case "response":
			for range d.elements() {
				d.series(symbol)
			}
		}
	}
}

// sparkV8 reads one member of v8/finance/spark, an object keyed by symbol, and
// tells whether it was one: {"symbol","timestamp":[...],"close":[...],
// "dataGranularity":300,...}. It has no currency, so units stay empty.
func (d *decoder) sparkV8(name []byte) (found bool) {
	var (
		m meta
		c columns
	)
	symbol := canonical(d.unescape(name, d.i))
	for key := range d.members() {
		switch string(key) {
		case "symbol":
			d.firstText(&m.symbol)
		case "timestamp":
			d.column(&c.time)
			found = true
		case "close":
			d.column(&c.close)
			found = true
		case "dataGranularity":
			m.interval = d.interval()
		}
	}
	if s := canonical(m.symbol); s != "" {
		symbol = s
	}
	if d.failed() || !found || symbol == "" {
		return false
	}
	d.instrument(kurs.Instrument{Symbol: symbol, Source: Source})
	d.elementsOf(&m, &c, symbol, "")
	return true
}
