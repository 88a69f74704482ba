package sim

import (
	"encoding/base64"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// hours of a frame: the enum market_hours. 0 is written, too (recorded).
const (
	preHours     = 0
	regularHours = 1
	postHours    = 2
)

// frameType is the enum quote_type of a frame.
func (k kind) frameType() uint64 {
	return [...]uint64{8, 20, 11, 9, 14, 41, 18}[k]
}

// pricing is one PricingData message: its fields are those that recorded frames
// have, with their numbers and types from Yahoo's own page script.
type pricing struct {
	in     *instrument
	at     int64 // s
	price  price
	hours  uint64
	before price // the close that changes are told from
	volume int64
	full   bool // the day's volume comes too, which it does not in every frame
}

func appendFloatField(b []byte, field protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), math.Float32bits(v))
}

func appendTextField(b []byte, field protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), text)
}

func appendSigned(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), protowire.EncodeZigZag(v))
}

func appendEnum(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

// appendTo writes the message. Only coins tell their currency; fields 46 and 47,
// the change once more, are of 2026.
func (p *pricing) appendTo(b []byte) []byte {
	last, before := p.price.float32(), p.before.float32()
	change := last - before
	percent := change / before * 100
	b = appendTextField(b, 1, p.in.symbol)
	b = appendFloatField(b, 2, last)
	b = appendSigned(b, 3, p.at*1000)
	if p.in.kind == crypto {
		b = appendTextField(b, 4, p.in.unit)
	}
	b = appendTextField(b, 5, p.in.venue.code)
	b = appendEnum(b, 6, p.in.kind.frameType())
	b = appendEnum(b, 7, p.hours)
	b = appendFloatField(b, 8, percent)
	if p.full && p.volume > 0 {
		b = appendSigned(b, 9, p.volume)
	}
	b = appendFloatField(b, 12, change)
	if p.in.kind == crypto {
		b = appendTextField(b, 13, p.in.short)
		b = appendSigned(b, 28, p.volume)
		b = appendTextField(b, 30, p.in.symbol[:len(p.in.symbol)-4])
		b = appendTextField(b, 31, "CoinMarketCap")
		b = protowire.AppendFixed64(protowire.AppendTag(b, 32, protowire.Fixed64Type), math.Float64bits(p.in.shares))
	}
	b = appendSigned(b, 27, int64(p.in.hint))
	b = appendFloatField(b, 46, change)
	return appendFloatField(b, 47, percent)
}

// appendFrame writes a message as a frame of the stream has it.
func appendFrame(b, message []byte, version2 bool) []byte {
	if !version2 {
		return base64.StdEncoding.AppendEncode(b, message)
	}
	b = append(b, `{"type":"pricing","message":"`...)
	b = base64.StdEncoding.AppendEncode(b, message)
	return append(b, '"', '}')
}
