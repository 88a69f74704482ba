package wire

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"kurs"
)

// frames reads one frame of the stream, or several with white space between
// them, of either version:
//
//	1: the base64 of one protobuf message
//	2: {"type":"pricing","message":"<base64>"}
//
// Frames of other types say nothing.
func (d *decoder) frames() error {
	n := 0
	for ; d.next() != 0 || d.i < len(d.b); n++ {
		at := d.i
		text, wanted := d.frame()
		if d.failed() {
			return d.mistake()
		}
		if !wanted {
			continue
		}
		message, ok := d.unbase(text)
		if !ok {
			return refused(d.b, at, "a stream frame that is no base64")
		}
		p, ok := readPricing(message)
		if !ok {
			return refused(d.b, at, "a stream frame that is no protobuf message")
		}
		d.pricing(p)
	}
	if n == 0 {
		return refused(d.b, 0, "the frame is empty")
	}
	return nil
}

// frame reads the next frame up to its base64; wanted is false for one that
// carries no prices.
func (d *decoder) frame() (text []byte, wanted bool) {
	if d.b[d.i] != '{' {
		end := bytes.IndexAny(d.b[d.i:], " \t\r\n")
		if end < 0 {
			end = len(d.b) - d.i
		}
		text = d.b[d.i : d.i+end]
		d.i += end
		return text, true
	}
	at := d.i
	var kind, message []byte
	for key := range d.members() {
		switch string(key) {
		case "type":
			d.firstText(&kind)
		case "message":
			d.firstText(&message)
		}
	}
	if kind == nil && message == nil {
		d.fail(at, `not a stream frame: "type" and "message" expected`)
	}
	if string(kind) != "pricing" {
		return nil, false
	}
	if message == nil {
		d.fail(at, "a stream frame without a message")
	}
	return message, true
}

// unbase decodes base64 into the decoder's own buffer.
func (d *decoder) unbase(text []byte) ([]byte, bool) {
	if need := base64.StdEncoding.DecodedLen(len(text)); cap(d.frameBuf) < need {
		d.frameBuf = make([]byte, need)
	}
	buf := d.frameBuf[:cap(d.frameBuf)]
	n, err := base64.StdEncoding.Decode(buf, text)
	return buf[:n], err == nil
}

// pricing is what is wanted of a PricingData message. Names, numbers and types
// of its fields are those of Yahoo's own page script (finStreamer) and of
// yfinance's pricing.proto. A number of a field that was not sent is unknown; 0
// that was sent is 0.
type pricing struct {
	id, currency, exchange, name []byte
	price, bid, ask              float32 // bid, ask NaN: not sent
	priced                       bool    // price was sent
	at                           int64   // milliseconds
	volume                       int64   // -1: not sent
	kind, hours                  uint64  // notSent
}

const notSent = math.MaxUint64 // an enum that no frame can have: they are int32

// The fields of PricingData that are read.
const (
	fieldID        = 1  // string
	fieldPrice     = 2  // float
	fieldTime      = 3  // sint64, Unix milliseconds
	fieldCurrency  = 4  // string; hardly ever sent but for crypto
	fieldExchange  = 5  // string
	fieldKind      = 6  // enum
	fieldHours     = 7  // enum
	fieldDayVolume = 9  // sint64
	fieldShortName = 13 // string
	fieldBid       = 23 // float
	fieldAsk       = 25 // float
)

// readPricing reads a message; false where it is none. Fields that are unknown,
// or known with another type, are stepped over: frames of 2026 have the new
// fields 46 and 47. Of a field that comes twice the last counts, as Protocol
// Buffers have it.
func readPricing(b []byte) (pricing, bool) {
	nan := float32(math.NaN())
	p := pricing{price: nan, bid: nan, ask: nan, volume: -1, kind: notSent, hours: notSent}
	for len(b) > 0 {
		number, wire, n := protowire.ConsumeTag(b)
		if n < 0 {
			return p, false
		}
		b = b[n:]
		switch wire {
		case protowire.BytesType:
			v, size := protowire.ConsumeBytes(b)
			n = size
			p.setBytes(int(number), v)
		case protowire.Fixed32Type:
			v, size := protowire.ConsumeFixed32(b)
			n = size
			p.setFloat(int(number), math.Float32frombits(v))
		case protowire.VarintType:
			v, size := protowire.ConsumeVarint(b)
			n = size
			p.setVarint(int(number), v)
		default:
			n = protowire.ConsumeFieldValue(number, wire, b)
		}
		if n < 0 {
			return p, false
		}
		b = b[n:]
	}
	return p, true
}

func (p *pricing) setBytes(field int, v []byte) {
	switch field {
	case fieldID:
		p.id = v
	case fieldCurrency:
		p.currency = v
	case fieldExchange:
		p.exchange = v
	case fieldShortName:
		p.name = v
	}
}

func (p *pricing) setFloat(field int, v float32) {
	switch field {
	case fieldPrice:
		p.price, p.priced = v, true
	case fieldBid:
		p.bid = v
	case fieldAsk:
		p.ask = v
	}
}

// setVarint: sint64 is zig-zag coded, an enum is not. Read without that, a time
// would lie in the year 2083.
func (p *pricing) setVarint(field int, v uint64) {
	switch field {
	case fieldTime:
		p.at = protowire.DecodeZigZag(v)
	case fieldDayVolume:
		p.volume = protowire.DecodeZigZag(v)
	case fieldKind:
		p.kind = v
	case fieldHours:
		p.hours = v
	}
}

// pricing says the quote of a frame. A heartbeat is none, nor is a frame without
// a symbol, a price or a time; a price that is no number (NaN) is spoiled.
// The unit is empty unless the frame names the
// currency: Yahoo sends it for crypto alone.
func (d *decoder) pricing(p pricing) {
	symbol := canonical(validUTF8(p.id))
	value := fromFloat32(p.price)
	at := milliseconds(p.at)
	if p.kind == heartbeat || symbol == "" || !p.priced || at.IsZero() {
		return
	}
	unit := d.names.share(validUTF8(p.currency))
	if value.Known() {
		d.instrument(kurs.Instrument{
			Symbol: symbol, Source: Source, Name: nameOf(nil, validUTF8(p.name)), Kind: streamKind(p.kind),
			Exchange: d.names.share(validUTF8(p.exchange)), Unit: unit,
		})
	}
	q := kurs.Quote{
		Symbol: symbol, Source: Source, Time: at, Session: streamSession(p.hours),
		Value: value.Decimal, Approximate: value.approximate, Unit: unit,
		Bid: fromFloat32(p.bid).positive(), Ask: fromFloat32(p.ask).positive(),
	}
	if p.volume >= 0 {
		q.Volume = kurs.Volume{N: p.volume, Known: true}
	}
	if !value.Known() {
		d.out.Spoiled = append(d.out.Spoiled, spoiled(kurs.AsideQuote, q, strconv.AppendFloat(nil, float64(p.price), 'g', -1, 32)))
		return
	}
	d.out.Quotes = append(d.out.Quotes, q)
}

const heartbeat = 7 // quote_type HEARTBEAT

// streamKind translates the enum quote_type.
func streamKind(n uint64) kurs.InstrumentKind {
	switch n {
	case notSent, 0: // 0 is NONE
		return ""
	case 8:
		return kurs.KindEquity
	case 9:
		return kurs.KindIndex
	case 11, 12: // MUTUALFUND, MONEYMARKET
		return kurs.KindFund
	case 13:
		return kurs.KindOption
	case 14:
		return kurs.KindCurrency
	case 18:
		return kurs.KindFuture
	case 20:
		return kurs.KindETF
	case 41:
		return kurs.KindCryptocurrency
	}
	return kurs.KindOther
}

// streamSession translates the enum market_hours. 0, PRE_MARKET, is written
// explicitly, so a frame without the field is not of the pre-market; most
// instruments have no other session than the regular one. EXTENDED_HOURS_MARKET
// does not say on which side of the session it is; it is taken as after it,
// since the one thing known is that the price is no regular one and a close must
// not be overwritten. So is what Yahoo may add.
func streamSession(n uint64) kurs.Session {
	switch n {
	case 0:
		return kurs.SessionPre
	case 1, notSent:
		return kurs.SessionRegular
	}
	return kurs.SessionPost
}
