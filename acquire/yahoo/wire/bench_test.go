package wire_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// quoteDocument is a v7 quote answer of n symbols with the 86 fields that an
// American share has.
func quoteDocument(n int) ([]byte, []string) {
	var (
		b     strings.Builder
		asked []string
	)
	b.WriteString(`{"quoteResponse":{"result":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		symbol := fmt.Sprintf("SYM%d", i)
		asked = append(asked, symbol)
		price := fmt.Sprintf("%d.%02d", 10+i*7, i%100)
		fmt.Fprintf(&b, `{"language":"en-US","region":"US","quoteType":"EQUITY","typeDisp":"Equity","quoteSourceName":"Nasdaq Real Time Price",`+
			`"triggerable":true,"customPriceAlertConfidence":"HIGH","currency":"USD","marketState":"REGULAR","exchange":"NMS",`+
			`"shortName":"Company %d, Inc.","longName":"Company Number %d Incorporated","corporateActions":[],"messageBoardId":"finmb_24937",`+
			`"exchangeTimezoneName":"America/New_York","exchangeTimezoneShortName":"EST","gmtOffSetMilliseconds":-18000000,"market":"us_market","esgPopulated":false,`, i, i)
		for f := range 44 {
			fmt.Fprintf(&b, `"fiftyTwoWeekSomethingNumber%02d":%d.%d,`, f, 100+f*i, 12345+i)
		}
		for f := range 12 {
			fmt.Fprintf(&b, `"earningsTimestampOfKind%02d":%d,`, f, 1761768000+f)
		}
		fmt.Fprintf(&b, `"hasPrePostMarketData":true,"firstTradeDateMilliseconds":345479400000,"priceHint":2,"regularMarketChange":3.25,`+
			`"regularMarketPrice":%s,"regularMarketTime":1761768001,"regularMarketDayRange":"267.11 - 271.41","bid":%s,"ask":%s,"regularMarketVolume":43332154,`+
			`"exchangeDataDelayedBy":0,"sourceInterval":15,"tradeable":false,"cryptoTradeable":false,"displayName":"Company","averageAnalystRating":"2.0 - Buy",`+
			`"fullExchangeName":"NasdaqGS","financialCurrency":"USD","symbol":%q}`, price, price, price, symbol)
	}
	b.WriteString(`],"error":null}}`)
	return []byte(b.String()), asked
}

func BenchmarkDecodeQuote200(b *testing.B) {
	const n = 200
	body, asked := quoteDocument(n)
	raw := kurs.Raw{Endpoint: kurs.EndpointQuote, Asked: asked, Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		o, err := wire.Decode(raw)
		if err != nil || len(o.Quotes) != n {
			b.Fatal(len(o.Quotes), err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "quotes/s")
}

// chartDocument is a day of 1-minute bars, with the tails of widened float32.
func chartDocument(n int) []byte {
	column := func(value func(i int) string) string {
		values := make([]string, n)
		for i := range values {
			values[i] = value(i)
		}
		return strings.Join(values, ",")
	}
	price := func(i int) string { return fmt.Sprint(float64(float32(225) + float32(i)/100)) }
	return fmt.Appendf(nil, `{"chart":{"result":[{"meta":{"currency":"USD","symbol":"AAPL","exchangeName":"NMS","instrumentType":"EQUITY",`+
		`"regularMarketTime":1761768001,"regularMarketPrice":225.67,"exchangeTimezoneName":"America/New_York","gmtoffset":-14400,"dataGranularity":"1m"},`+
		`"timestamp":[%s],"indicators":{"quote":[{"open":[%[2]s],"high":[%[2]s],"low":[%[2]s],"close":[%[2]s],"volume":[%[3]s]}]}}],"error":null}}`,
		column(func(i int) string { return strconv.Itoa(1761744600 + 60*i) }), column(price), column(func(i int) string { return strconv.Itoa(1000 * i) }))
}

func BenchmarkDecodeChart(b *testing.B) {
	const n = 390
	body := chartDocument(n)
	raw := kurs.Raw{Endpoint: kurs.EndpointChart, Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		o, err := wire.Decode(raw)
		if err != nil || len(o.Bars) != n {
			b.Fatal(len(o.Bars), err)
		}
	}
	b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "bars/s")
}

// message builds one PricingData message; fields that are nil are not written.
type message struct {
	id, currency, exchange, name string
	price, bid, ask              *float32
	ms                           int64
	kind, hours                  *uint64
	volume                       *int64
	more                         []byte
}

func (m message) bytes() []byte {
	var b []byte
	text := func(field protowire.Number, s string) {
		if s != "" {
			b = protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
		}
	}
	float := func(field protowire.Number, f *float32) {
		if f != nil {
			b = protowire.AppendFixed32(protowire.AppendTag(b, field, protowire.Fixed32Type), math.Float32bits(*f))
		}
	}
	varint := func(field protowire.Number, v *uint64) {
		if v != nil {
			b = protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), *v)
		}
	}
	text(1, m.id)
	float(2, m.price)
	if m.ms != 0 {
		varint(3, new(protowire.EncodeZigZag(m.ms)))
	}
	text(4, m.currency)
	text(5, m.exchange)
	varint(6, m.kind)
	varint(7, m.hours)
	if m.volume != nil {
		varint(9, new(protowire.EncodeZigZag(*m.volume)))
	}
	text(13, m.name)
	float(23, m.bid)
	float(25, m.ask)
	return append(b, m.more...)
}

func (m message) v1() string { return base64.StdEncoding.EncodeToString(m.bytes()) }

func (m message) v2() string { return `{"type":"pricing","message":"` + m.v1() + `"}` }

// share is what a frame of a share looks like.
func share() message {
	return message{
		id: "DKNG", price: new(float32(24.535)), ms: 1788375629000, exchange: "NMS",
		kind: new(uint64(8)), hours: new(uint64(1)), volume: new(int64(6719763)),
	}
}

func BenchmarkDecodeStreamV1(b *testing.B) { benchmarkFrame(b, share().v1()) }

func BenchmarkDecodeStreamV2(b *testing.B) { benchmarkFrame(b, share().v2()) }

func benchmarkFrame(b *testing.B, frame string) {
	b.Helper()
	raw := kurs.Raw{Endpoint: kurs.EndpointStream, Body: []byte(frame)}
	b.ReportAllocs()
	for b.Loop() {
		o, err := wire.Decode(raw)
		if err != nil || len(o.Quotes) != 1 {
			b.Fatal(len(o.Quotes), err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
