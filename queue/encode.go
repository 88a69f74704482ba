package queue

import (
	"time"

	"google.golang.org/protobuf/proto"

	"kurs"
	"kurs/queue/pb"
)

// messageVersion is written into every message. A reader that meets a newer
// one refuses it: it becomes a dead letter, never a guess.
const messageVersion = 1

// unknownExp is the exponent that says that a decimal is not known.
const unknownExp = 32767

func encodeRaw(r kurs.Raw) ([]byte, error) {
	return proto.Marshal(&pb.Raw{
		Version:    messageVersion,
		Source:     r.Source,
		Run:        r.ID.Run,
		Counter:    r.ID.Counter,
		Endpoint:   string(r.Endpoint),
		Asked:      r.Asked,
		Listed:     r.Listed,
		Units:      r.Units,
		Neighbours: encodeNeighbours(r.Neighbours),
		ReceivedMs: r.Received.UnixMilli(),
		FxEpoch:    r.FX.Epoch,
		FxSeq:      r.FX.Seq,
		Body:       r.Body,
	})
}

// encoder builds the tables that the rows of a batch refer to.
type encoder struct {
	text      map[string]uint32
	receipts  map[kurs.Receipt]uint32
	rates     map[rateKey]uint32
	out       *pb.Batch
	used      ratesColumns
	lastText  string
	lastIndex uint32
}

// rateKey tells used rates apart; kurs.Rate holds times, which compare by
// location as well, so the key has plain numbers.
type rateKey struct {
	pair     kurs.Pair
	value    kurs.Decimal
	time     int64
	source   string
	symbol   string
	interval string
	legs     [2]legKey
}

type legKey struct {
	pair    kurs.Pair
	value   kurs.Decimal
	time    int64
	inverse bool
}

func keyOf(r kurs.Rate) rateKey {
	k := rateKey{pair: r.Pair, value: r.Value, time: millis(r.Time), source: r.Source, symbol: r.Symbol, interval: r.Interval}
	for i, l := range r.Legs {
		k.legs[i] = legKey{l.Pair, l.Value, millis(l.Time), l.Inverse}
	}
	return k
}

func encodeBatch(b kurs.Batch) ([]byte, error) {
	e := &encoder{
		text:     map[string]uint32{},
		receipts: map[kurs.Receipt]uint32{},
		rates:    map[rateKey]uint32{},
		out:      &pb.Batch{Version: messageVersion},
	}
	o := e.out
	for _, id := range b.Raws {
		o.Raws = append(o.Raws, e.receipt(kurs.Receipt{Raw: id}))
	}
	o.BaseCurrency = e.str(b.BaseCurrency)
	if len(b.Prices) > 0 {
		o.Prices = e.prices(b.Prices)
	}
	if len(b.Bars) > 0 {
		o.Bars = e.bars(b.Bars)
	}
	if len(b.Rates) > 0 {
		var c ratesColumns
		for _, r := range b.Rates {
			c.add(e, r)
		}
		o.Rates = c.m
	}
	e.small(b)
	e.people(b)
	if len(b.Fills) > 0 {
		o.Fills = e.fills(b.Fills)
	}
	if len(e.rates) > 0 {
		o.UsedRates = e.used.m
	}
	return proto.Marshal(o)
}

// str returns the index of s in the table of texts, from 1; "" is 0.
func (e *encoder) str(s string) uint32 {
	if s == "" {
		return 0
	}
	if s == e.lastText {
		return e.lastIndex
	}
	i, ok := e.text[s]
	if !ok {
		e.out.Text = append(e.out.Text, s)
		i = uint32(len(e.out.Text)) //nolint:gosec // a message is at most 8 MiB
		e.text[s] = i
	}
	e.lastText, e.lastIndex = s, i
	return i
}

func (e *encoder) receipt(r kurs.Receipt) uint32 {
	r.Received = r.Received.UTC()
	if i, ok := e.receipts[r]; ok {
		return i
	}
	m := &pb.Receipt{Source: e.str(r.Raw.Source), Run: e.str(r.Raw.Run), Counter: r.Raw.Counter, Origin: e.str(string(r.Origin))}
	if !r.Received.IsZero() {
		m.ReceivedMs = r.Received.UnixMilli()
	}
	e.out.Receipts = append(e.out.Receipts, m)
	i := uint32(len(e.out.Receipts)) //nolint:gosec // as above
	e.receipts[r] = i
	return i
}

// rate returns the index of a used rate, from 1; an unknown rate is 0.
func (e *encoder) rate(r kurs.Rate) uint32 {
	if !r.Known() {
		return 0
	}
	key := keyOf(r)
	if i, ok := e.rates[key]; ok {
		return i
	}
	e.used.add(e, r)
	i := uint32(len(e.rates) + 1) //nolint:gosec // as above
	e.rates[key] = i
	return i
}

// millis is the Unix time in milliseconds; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// column appends one decimal.
func column(c *pb.Decimals, d kurs.Decimal) {
	if !d.Known() {
		c.Coef, c.Exp = append(c.Coef, 0), append(c.Exp, unknownExp)
		return
	}
	coef, exp := d.Parts()
	c.Coef, c.Exp = append(c.Coef, coef), append(c.Exp, int32(exp)) //nolint:gosec // within 400
}

func volume(v kurs.Volume) int64 {
	if !v.Known {
		return -1
	}
	return v.N
}

func (e *encoder) prices(prices []kurs.Price) *pb.Prices {
	n := len(prices)
	decimals := func() *pb.Decimals {
		return &pb.Decimals{Coef: make([]int64, 0, n), Exp: make([]int32, 0, n)}
	}
	m := &pb.Prices{Value: decimals(), Bid: decimals(), Ask: decimals(), Factor: decimals(), Base: decimals()}
	for i := range prices {
		p := &prices[i]
		m.Symbol = append(m.Symbol, e.str(p.Symbol))
		m.Source = append(m.Source, e.str(p.Source))
		m.TimeMs = append(m.TimeMs, p.Time.UnixMilli())
		m.Session = append(m.Session, e.str(string(p.Session)))
		column(m.Value, p.Value)
		m.Unit = append(m.Unit, e.str(p.Unit))
		m.Approximate = append(m.Approximate, p.Approximate)
		column(m.Bid, p.Bid)
		column(m.Ask, p.Ask)
		m.Volume = append(m.Volume, volume(p.Volume))
		m.DelayMs = append(m.DelayMs, p.Delay.Milliseconds())
		m.Currency = append(m.Currency, e.str(p.Currency))
		column(m.Factor, p.Factor)
		m.Rate = append(m.Rate, e.rate(p.Rate))
		column(m.Base, p.Base)
		m.Receipt = append(m.Receipt, e.receipt(p.Receipt))
	}
	return m
}

func (e *encoder) bars(bars []kurs.PricedBar) *pb.Bars {
	m := &pb.Bars{
		Open: &pb.Decimals{}, High: &pb.Decimals{}, Low: &pb.Decimals{}, Close: &pb.Decimals{}, Factor: &pb.Decimals{},
		BaseOpen: &pb.Decimals{}, BaseHigh: &pb.Decimals{}, BaseLow: &pb.Decimals{}, BaseClose: &pb.Decimals{},
	}
	for i := range bars {
		b := &bars[i]
		m.Symbol = append(m.Symbol, e.str(b.Symbol))
		m.Source = append(m.Source, e.str(b.Source))
		m.StartMs = append(m.StartMs, b.Start.UnixMilli())
		m.Interval = append(m.Interval, e.str(b.Interval))
		column(m.Open, b.Open)
		column(m.High, b.High)
		column(m.Low, b.Low)
		column(m.Close, b.Close)
		m.Approximate = append(m.Approximate, b.Approximate)
		m.Volume = append(m.Volume, volume(b.Volume))
		m.Unit = append(m.Unit, e.str(b.Unit))
		m.Currency = append(m.Currency, e.str(b.Currency))
		column(m.Factor, b.Factor)
		m.Rate = append(m.Rate, e.rate(b.Rate))
		column(m.BaseOpen, b.BaseOpen)
		column(m.BaseHigh, b.BaseHigh)
		column(m.BaseLow, b.BaseLow)
		column(m.BaseClose, b.BaseClose)
		m.Receipt = append(m.Receipt, e.receipt(b.Receipt))
	}
	return m
}

// ratesColumns is the table of rates while it is built.
type ratesColumns struct{ m *pb.Rates }

func (c *ratesColumns) add(e *encoder, r kurs.Rate) {
	if c.m == nil {
		c.m = &pb.Rates{
			Value: &pb.Decimals{}, FirstLeg: &pb.Legs{Value: &pb.Decimals{}}, SecondLeg: &pb.Legs{Value: &pb.Decimals{}},
		}
	}
	m := c.m
	m.From = append(m.From, e.str(r.From))
	m.To = append(m.To, e.str(r.To))
	column(m.Value, r.Value)
	m.TimeMs = append(m.TimeMs, millis(r.Time))
	m.Source = append(m.Source, e.str(r.Source))
	m.Symbol = append(m.Symbol, e.str(r.Symbol))
	m.Interval = append(m.Interval, e.str(r.Interval))
	m.ValidForMs = append(m.ValidForMs, r.ValidFor.Milliseconds())
	m.Receipt = append(m.Receipt, e.receipt(kurs.Receipt{Received: r.Received, Raw: r.Raw}))
	m.Kept = append(m.Kept, r.Kept)
	for i, legs := range [2]*pb.Legs{m.GetFirstLeg(), m.GetSecondLeg()} {
		l := r.Legs[i]
		legs.From = append(legs.From, e.str(l.From))
		legs.To = append(legs.To, e.str(l.To))
		column(legs.Value, l.Value)
		legs.TimeMs = append(legs.TimeMs, millis(l.Time))
		legs.Inverse = append(legs.Inverse, l.Inverse)
	}
}

// small adds the tables of which there are few rows.
func (e *encoder) small(b kurs.Batch) {
	if len(b.Events) > 0 {
		m := &pb.Events{Amount: &pb.Decimals{}, Numerator: &pb.Decimals{}, Denominator: &pb.Decimals{}}
		for _, v := range b.Events {
			m.Kind = append(m.Kind, e.str(string(v.Kind)))
			m.Symbol = append(m.Symbol, e.str(v.Symbol))
			m.Source = append(m.Source, e.str(v.Source))
			m.TimeMs = append(m.TimeMs, v.Time.UnixMilli())
			column(m.Amount, v.Amount)
			m.Unit = append(m.Unit, e.str(v.Unit))
			column(m.Numerator, v.Numerator)
			column(m.Denominator, v.Denominator)
		}
		e.out.Events = m
	}
	if len(b.Instruments) > 0 {
		m := &pb.Instruments{}
		for _, v := range b.Instruments {
			m.Symbol = append(m.Symbol, e.str(v.Symbol))
			m.Source = append(m.Source, e.str(v.Source))
			m.Name = append(m.Name, e.str(v.Name))
			m.Kind = append(m.Kind, e.str(string(v.Kind)))
			m.Exchange = append(m.Exchange, e.str(v.Exchange))
			m.Unit = append(m.Unit, e.str(v.Unit))
			m.TimeZone = append(m.TimeZone, e.str(v.TimeZone))
		}
		e.out.Instruments = m
	}
	if len(b.Gaps) > 0 {
		m := &pb.Gaps{}
		for _, v := range b.Gaps {
			m.Symbol = append(m.Symbol, e.str(v.Symbol))
			m.Source = append(m.Source, e.str(v.Source))
			m.FromMs = append(m.FromMs, v.From.UnixMilli())
			m.ToMs = append(m.ToMs, v.To.UnixMilli())
			m.Reason = append(m.Reason, e.str(v.Reason))
			m.Receipt = append(m.Receipt, e.receipt(v.Receipt))
		}
		e.out.Gaps = m
	}
}

func (e *encoder) fills(fills []kurs.Fill) *pb.Fills {
	m := &pb.Fills{
		Base: &pb.Decimals{}, BaseOpen: &pb.Decimals{}, BaseHigh: &pb.Decimals{},
		BaseLow: &pb.Decimals{}, BaseClose: &pb.Decimals{},
	}
	for i := range fills {
		f := &fills[i]
		m.Symbol = append(m.Symbol, e.str(f.Symbol))
		m.Source = append(m.Source, e.str(f.Source))
		m.TimeMs = append(m.TimeMs, f.Time.UnixMilli())
		m.Session = append(m.Session, e.str(string(f.Session)))
		m.Interval = append(m.Interval, e.str(f.Interval))
		m.Receipt = append(m.Receipt, e.receipt(f.Receipt))
		m.Rate = append(m.Rate, e.rate(f.Rate))
		column(m.Base, f.Base)
		column(m.BaseOpen, f.BaseOpen)
		column(m.BaseHigh, f.BaseHigh)
		column(m.BaseLow, f.BaseLow)
		column(m.BaseClose, f.BaseClose)
	}
	return m
}
