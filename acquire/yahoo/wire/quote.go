package wire

import (
	"time"

	"kurs"
)

// quoteFields are the wanted ones of the 86 or so fields of a quote, as sent.
// They are also those of quoteSummary's module "price".
type quoteFields struct {
	symbol, kind, exchange, currency, zone, short, long []byte
	price, at, prePrice, preAt, postPrice, postAt       []byte
	bid, ask, volume, delay                             []byte
}

// summary reads one result of quoteSummary, of whose modules "price" has prices.
func (d *decoder) summary() {
	for key := range d.members() {
		if string(key) == "price" {
			d.quote()
		}
	}
}

// quote reads one result of a quote answer: an instrument, and up to three
// quotes of it.
//
// The regular price is of the regular session whatever the market's state now.
// Pre- and post-market prices are quotes of their own. Bid, ask and volume go
// with the regular price, as Yahoo sends them; a bid or ask of 0 is unknown, and
// a bid above the ask is passed on (Yahoo has such for currencies). A price
// without a time, or a time without a price, is no quote: stubs of dead symbols
// (quoteType NONE, exchange YHD) have neither or only one. A price that is sent
// and is no number (NaN) is spoiled.
func (d *decoder) quote() {
	var f quoteFields
	for key := range d.members() {
		d.quoteField(&f, key)
	}
	symbol := canonical(f.symbol)
	if d.failed() || symbol == "" {
		return
	}
	kind := kindOf(d.names.share(f.kind))
	unit := d.names.share(f.currency)
	d.instrument(kurs.Instrument{
		Symbol: symbol, Source: Source, Name: nameOf(f.long, f.short), Kind: kind,
		Exchange: d.names.share(f.exchange), Unit: unit, TimeZone: d.names.share(f.zone),
	})
	var delay time.Duration
	if minutes, ok := whole(f.delay); ok && minutes > 0 && minutes < maxDelay {
		delay = time.Duration(minutes) * time.Minute
	}
	say := func(price, at []byte, session kurs.Session, more kurs.Quote) {
		v, t := quoted(price), seconds(at)
		if price == nil || t.IsZero() {
			return
		}
		more.Symbol, more.Source, more.Unit, more.Delay = symbol, Source, unit, delay
		more.Time, more.Session, more.Value, more.Approximate = t, session, v.Decimal, v.approximate
		if !v.Known() {
			d.out.Spoiled = append(d.out.Spoiled, spoiled(kurs.AsideQuote, more, price))
			return
		}
		d.out.Quotes = append(d.out.Quotes, more)
	}
	say(f.price, f.at, kurs.SessionRegular, kurs.Quote{
		Bid: quoted(f.bid).positive(), Ask: quoted(f.ask).positive(), Volume: volume(f.volume),
	})
	say(f.prePrice, f.preAt, kurs.SessionPre, kurs.Quote{})
	say(f.postPrice, f.postAt, kurs.SessionPost, kurs.Quote{})
}

// spoiled is a price that is there and no number that can be kept. What was sent
// instead is said in a few letters.
func spoiled(kind kurs.AsideKind, q kurs.Quote, token []byte) kurs.SetAside {
	const most = 40
	return kurs.SetAside{
		Kind: kind, Price: kurs.Price{Quote: q}, Reason: kurs.ReasonValue,
		Detail: "sent was " + string(token[:min(len(token), most)]),
	}
}

// maxDelay bounds a delay, in minutes: no exchange is late by a day.
const maxDelay = 24 * 60

// quoteField reads a member that is wanted. Of two with one name the first that
// has a value counts.
func (d *decoder) quoteField(f *quoteFields, key []byte) {
	switch string(key) {
	case "symbol":
		d.firstText(&f.symbol)
	case "quoteType":
		d.firstText(&f.kind)
	case "exchange":
		d.firstText(&f.exchange)
	case "currency":
		d.firstText(&f.currency)
	case "exchangeTimezoneName":
		d.firstText(&f.zone)
	case "shortName":
		d.firstText(&f.short)
	case "longName":
		d.firstText(&f.long)
	case "regularMarketPrice":
		d.firstToken(&f.price)
	case "regularMarketTime":
		d.firstToken(&f.at)
	case "preMarketPrice":
		d.firstToken(&f.prePrice)
	case "preMarketTime":
		d.firstToken(&f.preAt)
	case "postMarketPrice":
		d.firstToken(&f.postPrice)
	case "postMarketTime":
		d.firstToken(&f.postAt)
	case "bid":
		d.firstToken(&f.bid)
	case "ask":
		d.firstToken(&f.ask)
	case "regularMarketVolume":
		d.firstToken(&f.volume)
	case "exchangeDataDelayedBy":
		d.firstToken(&f.delay)
	}
}

func (d *decoder) firstText(into *[]byte) {
	if *into == nil {
		*into = d.text()
	}
}

func (d *decoder) firstToken(into *[]byte) {
	if *into == nil {
		*into = d.token()
	}
}

// instrument and room for as many as were asked for.
func (d *decoder) instrument(i kurs.Instrument) {
	if d.out.Instruments == nil {
		d.out.Instruments = make([]kurs.Instrument, 0, min(max(len(d.asked), 1), maxRoom))
	}
	d.out.Instruments = append(d.out.Instruments, i)
}

const maxRoom = 512 // of a slice that is made before its content is seen

func canonical(symbol []byte) string { return kurs.CanonicalSymbol(string(symbol)) }
