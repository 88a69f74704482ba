package queue

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"kurs"
	"kurs/queue/pb"
)

// errMessage says that the bytes are no message of kurs, or of a newer one.
var errMessage = errors.New("not a message that this kurs understands")

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: %w: "+format, append([]any{kurs.ErrRejected, errMessage}, args...)...)
}

func checkVersion(v uint32) error {
	if v == 0 || v > messageVersion {
		return rejected("version %d, this kurs knows up to %d", v, messageVersion)
	}
	return nil
}

func decodeRaw(data []byte) (kurs.Raw, error) {
	var m pb.Raw
	if err := proto.Unmarshal(data, &m); err != nil {
		return kurs.Raw{}, rejected("%w", err)
	}
	if err := checkVersion(m.GetVersion()); err != nil {
		return kurs.Raw{}, err
	}
	neighbours, err := decodeNeighbours(m.GetNeighbours())
	if err != nil {
		return kurs.Raw{}, err
	}
	return kurs.Raw{
		ID:         kurs.RawID{Source: m.GetSource(), Run: m.GetRun(), Counter: m.GetCounter()},
		Source:     m.GetSource(),
		Endpoint:   kurs.Endpoint(m.GetEndpoint()),
		Asked:      m.GetAsked(),
		Listed:     m.GetListed(),
		Units:      m.GetUnits(),
		Neighbours: neighbours,
		Received:   fromMillis(m.GetReceivedMs()),
		FX:         kurs.StreamPos{Epoch: m.GetFxEpoch(), Seq: m.GetFxSeq()},
		Body:       m.GetBody(),
	}, nil
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// decoder reads the tables of a batch. A message comes from the broker's disk,
// so every index is checked; the first mistake is kept and all else is void.
type decoder struct {
	in    *pb.Batch
	used  []kurs.Rate
	wrong error
}

func decodeBatch(data []byte) (kurs.Batch, error) {
	var m pb.Batch
	if err := proto.Unmarshal(data, &m); err != nil {
		return kurs.Batch{}, rejected("%w", err)
	}
	if err := checkVersion(m.GetVersion()); err != nil {
		return kurs.Batch{}, err
	}
	d := &decoder{in: &m}
	d.used = d.rates(m.GetUsedRates())
	b := kurs.Batch{BaseCurrency: d.str(m.GetBaseCurrency())}
	for _, i := range m.GetRaws() {
		b.Raws = append(b.Raws, d.receipt(i).Raw)
	}
	b.Prices = d.prices(m.GetPrices(), b.BaseCurrency)
	b.Bars = d.bars(m.GetBars(), b.BaseCurrency)
	b.Rates = d.rates(m.GetRates())
	b.Events = d.events(m.GetEvents())
	b.Instruments = d.instruments(m.GetInstruments())
	b.Fills = d.fills(m.GetFills())
	b.Gaps = d.gaps(m.GetGaps())
	b.SetAside = d.setAside(m.GetSetAside(), b.BaseCurrency)
	b.Decisions = d.decisions(m.GetDecisions(), b.BaseCurrency)
	b.Corrections = d.corrections(m.GetCorrections(), b.BaseCurrency)
	b.Aliases = d.aliases(m.GetAliases())
	if d.wrong != nil {
		return kurs.Batch{}, d.wrong
	}
	return b, nil
}

func (d *decoder) fail(what string, i uint32) {
	if d.wrong == nil {
		d.wrong = rejected("%s %d is not in its table", what, i)
	}
}

func (d *decoder) str(i uint32) string {
	if i == 0 {
		return ""
	}
	if int64(i) > int64(len(d.in.GetText())) {
		d.fail("text", i)
		return ""
	}
	return d.in.GetText()[i-1]
}

func (d *decoder) receipt(i uint32) kurs.Receipt {
	if i == 0 {
		return kurs.Receipt{}
	}
	if int64(i) > int64(len(d.in.GetReceipts())) {
		d.fail("receipt", i)
		return kurs.Receipt{}
	}
	m := d.in.GetReceipts()[i-1]
	return kurs.Receipt{
		Received: fromMillis(m.GetReceivedMs()),
		Raw:      kurs.RawID{Source: d.str(m.GetSource()), Run: d.str(m.GetRun()), Counter: m.GetCounter()},
		Origin:   kurs.Origin(d.str(m.GetOrigin())),
	}
}

func (d *decoder) rate(i uint32) kurs.Rate {
	if i == 0 {
		return kurs.Rate{}
	}
	if int64(i) > int64(len(d.used)) {
		d.fail("rate", i)
		return kurs.Rate{}
	}
	return d.used[i-1]
}

// at reads entry i of a column; one that is too short is zeros.
func at[T any](column []T, i int) T {
	if i < len(column) {
		return column[i]
	}
	var zero T
	return zero
}

func (d *decoder) dec(c *pb.Decimals, i int) kurs.Decimal {
	if i >= len(c.GetCoef()) || i >= len(c.GetExp()) || c.GetExp()[i] == unknownExp {
		return kurs.Decimal{}
	}
	v, err := kurs.NewDecimal(c.GetCoef()[i], int(c.GetExp()[i]))
	if err != nil && d.wrong == nil {
		d.wrong = rejected("%w", err)
	}
	return v
}

func volumeOf(n int64) kurs.Volume {
	if n < 0 {
		return kurs.Volume{}
	}
	return kurs.Volume{N: n, Known: true}
}

func (d *decoder) prices(m *pb.Prices, base string) []kurs.Price {
	n := len(m.GetSymbol())
	if n == 0 {
		return nil
	}
	out := make([]kurs.Price, n)
	for i := range out {
		p := &out[i]
		p.Symbol = d.str(m.GetSymbol()[i])
		p.Source = d.str(at(m.GetSource(), i))
		p.Time = time.UnixMilli(at(m.GetTimeMs(), i)).UTC()
		p.Session = kurs.Session(d.str(at(m.GetSession(), i)))
		p.Value = d.dec(m.GetValue(), i)
		p.Unit = d.str(at(m.GetUnit(), i))
		p.Approximate = at(m.GetApproximate(), i)
		p.Bid = d.dec(m.GetBid(), i)
		p.Ask = d.dec(m.GetAsk(), i)
		p.Volume = volumeOf(at(m.GetVolume(), i))
		p.Delay = time.Duration(at(m.GetDelayMs(), i)) * time.Millisecond
		p.Receipt = d.receipt(at(m.GetReceipt(), i))
		p.Currency = d.str(at(m.GetCurrency(), i))
		p.Factor = d.dec(m.GetFactor(), i)
		p.Rate = d.rate(at(m.GetRate(), i))
		p.BaseCurrency = base
		p.Base = d.dec(m.GetBase(), i)
	}
	return out
}

func (d *decoder) bars(m *pb.Bars, base string) []kurs.PricedBar {
	n := len(m.GetSymbol())
	if n == 0 {
		return nil
	}
	out := make([]kurs.PricedBar, n)
	for i := range out {
		b := &out[i]
		b.Symbol = d.str(m.GetSymbol()[i])
		b.Source = d.str(at(m.GetSource(), i))
		b.Start = time.UnixMilli(at(m.GetStartMs(), i)).UTC()
		b.Interval = d.str(at(m.GetInterval(), i))
		b.Open = d.dec(m.GetOpen(), i)
		b.High = d.dec(m.GetHigh(), i)
		b.Low = d.dec(m.GetLow(), i)
		b.Close = d.dec(m.GetClose(), i)
		b.Approximate = at(m.GetApproximate(), i)
		b.Volume = volumeOf(at(m.GetVolume(), i))
		b.Unit = d.str(at(m.GetUnit(), i))
		b.Receipt = d.receipt(at(m.GetReceipt(), i))
		b.Currency = d.str(at(m.GetCurrency(), i))
		b.Factor = d.dec(m.GetFactor(), i)
		b.Rate = d.rate(at(m.GetRate(), i))
		b.BaseCurrency = base
		b.BaseOpen = d.dec(m.GetBaseOpen(), i)
		b.BaseHigh = d.dec(m.GetBaseHigh(), i)
		b.BaseLow = d.dec(m.GetBaseLow(), i)
		b.BaseClose = d.dec(m.GetBaseClose(), i)
	}
	return out
}

func (d *decoder) rates(m *pb.Rates) []kurs.Rate {
	n := len(m.GetFrom())
	if n == 0 {
		return nil
	}
	out := make([]kurs.Rate, n)
	for i := range out {
		r := d.receipt(at(m.GetReceipt(), i))
		out[i] = kurs.Rate{
			Pair:     kurs.Pair{From: d.str(m.GetFrom()[i]), To: d.str(at(m.GetTo(), i))},
			Value:    d.dec(m.GetValue(), i),
			Time:     fromMillis(at(m.GetTimeMs(), i)),
			Source:   d.str(at(m.GetSource(), i)),
			Symbol:   d.str(at(m.GetSymbol(), i)),
			Interval: d.str(at(m.GetInterval(), i)),
			ValidFor: time.Duration(at(m.GetValidForMs(), i)) * time.Millisecond,
			Received: r.Received,
			Raw:      r.Raw,
			Kept:     at(m.GetKept(), i),
			Legs:     [2]kurs.Leg{d.leg(m.GetFirstLeg(), i), d.leg(m.GetSecondLeg(), i)},
		}
	}
	return out
}

func (d *decoder) leg(m *pb.Legs, i int) kurs.Leg {
	l := kurs.Leg{
		Pair:    kurs.Pair{From: d.str(at(m.GetFrom(), i)), To: d.str(at(m.GetTo(), i))},
		Value:   d.dec(m.GetValue(), i),
		Time:    fromMillis(at(m.GetTimeMs(), i)),
		Inverse: at(m.GetInverse(), i),
	}
	if !l.Known() {
		return kurs.Leg{}
	}
	return l
}

func (d *decoder) events(m *pb.Events) []kurs.Event {
	var out []kurs.Event
	for i := range m.GetSymbol() {
		out = append(out, kurs.Event{
			Kind:        kurs.EventKind(d.str(at(m.GetKind(), i))),
			Symbol:      d.str(m.GetSymbol()[i]),
			Source:      d.str(at(m.GetSource(), i)),
			Time:        time.UnixMilli(at(m.GetTimeMs(), i)).UTC(),
			Amount:      d.dec(m.GetAmount(), i),
			Unit:        d.str(at(m.GetUnit(), i)),
			Numerator:   d.dec(m.GetNumerator(), i),
			Denominator: d.dec(m.GetDenominator(), i),
		})
	}
	return out
}

func (d *decoder) instruments(m *pb.Instruments) []kurs.Instrument {
	var out []kurs.Instrument
	for i := range m.GetSymbol() {
		out = append(out, kurs.Instrument{
			Symbol:   d.str(m.GetSymbol()[i]),
			Source:   d.str(at(m.GetSource(), i)),
			Name:     d.str(at(m.GetName(), i)),
			Kind:     kurs.InstrumentKind(d.str(at(m.GetKind(), i))),
			Exchange: d.str(at(m.GetExchange(), i)),
			Unit:     d.str(at(m.GetUnit(), i)),
			TimeZone: d.str(at(m.GetTimeZone(), i)),
		})
	}
	return out
}

func (d *decoder) fills(m *pb.Fills) []kurs.Fill {
	var out []kurs.Fill
	for i := range m.GetSymbol() {
		out = append(out, kurs.Fill{
			Symbol:    d.str(m.GetSymbol()[i]),
			Source:    d.str(at(m.GetSource(), i)),
			Time:      time.UnixMilli(at(m.GetTimeMs(), i)).UTC(),
			Session:   kurs.Session(d.str(at(m.GetSession(), i))),
			Interval:  d.str(at(m.GetInterval(), i)),
			Receipt:   d.receipt(at(m.GetReceipt(), i)),
			Rate:      d.rate(at(m.GetRate(), i)),
			Base:      d.dec(m.GetBase(), i),
			BaseOpen:  d.dec(m.GetBaseOpen(), i),
			BaseHigh:  d.dec(m.GetBaseHigh(), i),
			BaseLow:   d.dec(m.GetBaseLow(), i),
			BaseClose: d.dec(m.GetBaseClose(), i),
		})
	}
	return out
}

func (d *decoder) gaps(m *pb.Gaps) []kurs.Gap {
	var out []kurs.Gap
	for i := range m.GetSymbol() {
		out = append(out, kurs.Gap{
			Symbol:  d.str(m.GetSymbol()[i]),
			Source:  d.str(at(m.GetSource(), i)),
			From:    time.UnixMilli(at(m.GetFromMs(), i)).UTC(),
			To:      time.UnixMilli(at(m.GetToMs(), i)).UTC(),
			Reason:  d.str(at(m.GetReason(), i)),
			Receipt: d.receipt(at(m.GetReceipt(), i)),
		})
	}
	return out
}
