package wire

import "kurs"

// hits reads the "quotes" of a search answer and tells whether it was a list.
// Entries that are no instruments (isYahooFinance false: companies without a
// listing) have no symbol and are left out.
func (d *decoder) hits() bool {
	if d.next() != '[' {
		return false
	}
	for range d.elements() {
		d.hit()
	}
	return true
}

func (d *decoder) hit() {
	var symbol, kind, exchange, short, long []byte
	for key := range d.members() {
		switch string(key) {
		case "symbol":
			d.firstText(&symbol)
		case "quoteType":
			d.firstText(&kind)
		case "exchange":
			d.firstText(&exchange)
		case "shortname":
			d.firstText(&short)
		case "longname":
			d.firstText(&long)
		}
	}
	name := canonical(symbol)
	if d.failed() || name == "" {
		return
	}
	d.out.Found = append(d.out.Found, kurs.SearchHit{
		Symbol: name, Name: nameOf(long, short), Exchange: d.names.share(exchange), Kind: kindOf(d.names.share(kind)),
	})
}
