package parquet

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"kurs"
)

// rows are the rows of groups, by kind, in the order in which they came.
type rows struct {
	*decimals

	quotes  []entry[quoteRow]
	bars    []entry[barRow]
	rates   []entry[rateRow]
	events  []entry[eventRow]
	gaps    []entry[gapRow]
	asides  []entry[asideRow]
	aliases []entry[aliasRow]

	instruments []kurs.Instrument
}

func (r *rows) len() int {
	return len(r.quotes) + len(r.bars) + len(r.rates) + len(r.events) + len(r.gaps) + len(r.asides) + len(r.aliases) + len(r.instruments)
}

// add makes rows of a group. What no file can keep is rejected; some rows may
// have been added then.
func (r *rows) add(group kurs.Group) error {
	quotes := 0
	for i := range group.Batches {
		quotes += len(group.Batches[i].Prices) + len(group.Batches[i].Fills)
	}
	r.quotes = slices.Grow(r.quotes, quotes)
	for i := range group.Batches {
		b := &group.Batches[i]
		for _, step := range []struct {
			name string
			do   func(*kurs.Batch) error
		}{
			{"quotes", r.addQuotes},
			{"bars", r.addBars},
			{"rates", r.addRates},
			{"events", r.addEvents},
			{"gaps", r.addGaps},
			{"fills", r.addFills},
			{"quarantine", r.addAsides},
			{"corrections", r.addCorrections},
			{"aliases", r.addAliases},
			{"instruments", r.addInstruments},
		} {
			if err := step.do(b); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
		}
	}
	return nil
}

func (r *rows) addQuotes(b *kurs.Batch) error {
	for i := range b.Prices {
		row, err := r.quote(&b.Prices[i])
		if err == nil && !b.Prices[i].Value.Known() {
			err = rejected("a value that is not known")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(b.Prices[i].Symbol), err)
		}
		r.quotes = append(r.quotes, entry[quoteRow]{row: row})
	}
	return nil
}

func (r *rows) quote(p *kurs.Price) (row quoteRow, err error) {
	if p.Symbol == "" {
		return row, rejected("a price without a symbol")
	}
	row = quoteRow{
		Symbol: p.Symbol, Native: r.column("price_native", p.Value), Unit: p.Unit, Base: r.column("price_base", p.Base),
		BaseCurrency: p.BaseCurrency, Bid: r.column("bid", p.Bid), Ask: r.column("ask", p.Ask), Volume: volume(p.Volume),
		Session: string(p.Session), Source: p.Source, Delay: p.Delay.Milliseconds(),
		Approximate: p.Approximate || p.Value.Digits() > kurs.Precision,
	}
	if row.Time, err = millis(p.Time); err != nil {
		return row, err
	}
	row.Currency, row.Factor, row.Rate, row.RateFrom = r.conversion(p.Conversion)
	if row.RateTime, err = rateTime(p.Rate); err != nil {
		return row, err
	}
	row.origin, err = originOf(p.Receipt)
	row.Outside = r.outside()
	return row, err
}

// conversion is how a native value became a base value, as columns.
func (r *rows) conversion(c kurs.Conversion) (currency string, factor, rate *fixed, from string) {
	return c.Currency, r.column("factor", c.Factor), r.column("fx_rate", c.Rate.Value), c.Rate.Source
}

// rateTime is the time of a rate. That of a currency to itself has none.
func rateTime(r kurs.Rate) (int64, error) {
	if !r.Known() || r.Time.IsZero() {
		return 0, nil
	}
	return millis(r.Time)
}

// originOf is a receipt as columns. Of a fixed rate nobody received, it is empty.
func originOf(r kurs.Receipt) (o origin, err error) {
	if r.Raw.Counter > math.MaxInt64 {
		return o, rejected("receipt %s: a counter beyond 2^63", r.Raw)
	}
	o = origin{Origin: string(r.Origin), RawSource: r.Raw.Source, RawRun: r.Raw.Run, Counter: int64(r.Raw.Counter)}
	o.Received, err = millis(r.Received)
	return o, err
}

func (r *rows) addBars(b *kurs.Batch) error {
	for i := range b.Bars {
		row, err := r.bar(&b.Bars[i])
		if err == nil && !b.Bars[i].Close.Known() {
			err = rejected("a value that is not known")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(b.Bars[i].Symbol), err)
		}
		r.bars = append(r.bars, entry[barRow]{row: row})
	}
	return nil
}

func (r *rows) bar(b *kurs.PricedBar) (row barRow, err error) {
	if b.Symbol == "" {
		return row, rejected("a bar without a symbol")
	}
	row = barRow{
		Symbol: b.Symbol, Interval: b.Interval,
		Open: r.column("open_native", b.Open), High: r.column("high_native", b.High), Low: r.column("low_native", b.Low),
		Close: r.column("close_native", b.Close), Unit: b.Unit,
		BaseOpen: r.column("open_base", b.BaseOpen), BaseHigh: r.column("high_base", b.BaseHigh),
		BaseLow: r.column("low_base", b.BaseLow), BaseClose: r.column("close_base", b.BaseClose),
		BaseCurrency: b.BaseCurrency, Volume: volume(b.Volume), Source: b.Source,
		Approximate: b.Approximate || max(b.Open.Digits(), b.High.Digits(), b.Low.Digits(), b.Close.Digits()) > kurs.Precision,
	}
	if row.Time, err = millis(b.Start); err != nil {
		return row, err
	}
	row.Currency, row.Factor, row.Rate, row.RateFrom = r.conversion(b.Conversion)
	if row.RateTime, err = rateTime(b.Rate); err != nil {
		return row, err
	}
	row.origin, err = originOf(b.Receipt)
	row.Outside = r.outside()
	return row, err
}

func (r *rows) addRates(b *kurs.Batch) error {
	for i := range b.Rates {
		rate := &b.Rates[i]
		row := rateRow{
			Symbol: rate.Symbol, From: rate.From, To: rate.To, Value: r.column("rate", rate.Value), Interval: rate.Interval,
			Source: rate.Source, ValidFor: rate.ValidFor.Milliseconds(), Outside: r.outside(),
		}
		var err error
		if row.Time, err = millis(rate.Time); err == nil {
			row.origin, err = originOf(kurs.Receipt{Received: rate.Received, Raw: rate.Raw})
		}
		if err == nil && !rate.Known() {
			err = rejected("a value that is not known")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(rate.String()), err)
		}
		r.rates = append(r.rates, entry[rateRow]{row: row})
	}
	return nil
}

func (r *rows) addEvents(b *kurs.Batch) error {
	for i := range b.Events {
		e := &b.Events[i]
		if e.Symbol == "" {
			return rejected("an event without a symbol")
		}
		at, err := millis(e.Time)
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(e.Symbol), err)
		}
		r.events = append(r.events, entry[eventRow]{row: eventRow{
			Symbol: e.Symbol, Kind: string(e.Kind), Time: at, Amount: r.column("amount", e.Amount), Unit: e.Unit,
			Numerator: r.column("numerator", e.Numerator), Denominator: r.column("denominator", e.Denominator), Source: e.Source,
			Outside: r.outside(),
		}})
	}
	return nil
}

func (r *rows) addGaps(b *kurs.Batch) error {
	for i := range b.Gaps {
		g := &b.Gaps[i]
		row := gapRow{Symbol: g.Symbol, Reason: g.Reason, Source: g.Source}
		var err error
		if row.Time, err = millis(g.From); err == nil {
			row.To, err = millis(g.To)
		}
		if err == nil {
			row.origin, err = originOf(g.Receipt)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(g.Symbol), err)
		}
		r.gaps = append(r.gaps, entry[gapRow]{row: row})
	}
	return nil
}

// addFills makes rows of fills: the key and the receipt of a price, its rate and
// its base value, and no native value.
func (r *rows) addFills(b *kurs.Batch) error {
	for i := range b.Fills {
		if err := r.addFill(&b.Fills[i]); err != nil {
			return fmt.Errorf("%s: %w", quoted(b.Fills[i].Symbol), err)
		}
	}
	return nil
}

func (r *rows) addFill(f *kurs.Fill) error {
	if f.Interval == "" {
		row, err := r.quote(&kurs.Price{
			Quote:   kurs.Quote{Symbol: f.Symbol, Source: f.Source, Time: f.Time, Session: f.Session},
			Receipt: f.Receipt, Conversion: kurs.Conversion{Rate: f.Rate}, Base: f.Base,
		})
		if err == nil && !f.Base.Known() {
			err = rejected("a fill without a value")
		}
		r.quotes = append(r.quotes, entry[quoteRow]{row: row, role: seen})
		return err
	}
	row, err := r.bar(&kurs.PricedBar{
		Bar:     kurs.Bar{Symbol: f.Symbol, Source: f.Source, Start: f.Time, Interval: f.Interval},
		Receipt: f.Receipt, Conversion: kurs.Conversion{Rate: f.Rate},
		BaseOpen: f.BaseOpen, BaseHigh: f.BaseHigh, BaseLow: f.BaseLow, BaseClose: f.BaseClose,
	})
	if err == nil && !f.BaseClose.Known() {
		err = rejected("a fill without a value")
	}
	r.bars = append(r.bars, entry[barRow]{row: row, role: seen})
	return err
}

// addCorrections makes rows of what people say of prices. One that makes void
// what was corrected before has no value.
func (r *rows) addCorrections(b *kurs.Batch) error {
	for i := range b.Corrections {
		c := &b.Corrections[i]
		price := c.Price
		if c.Undo {
			price.Value, price.Base, price.Rate = kurs.Decimal{}, kurs.Decimal{}, kurs.Rate{}
		}
		row, err := r.quote(&price)
		if err == nil && !c.Undo && !c.Value.Known() {
			err = rejected("a value that is not known")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(c.Symbol), err)
		}
		if row.CorrectedBy, row.Correction = c.Author, c.Reason; row.CorrectedBy == "" {
			row.CorrectedBy = kurs.SourceUser // what tells a correction from a price
		}
		r.quotes = append(r.quotes, entry[quoteRow]{row: row, role: seen})
	}
	return nil
}

func (r *rows) addAsides(b *kurs.Batch) error {
	for i := range b.SetAside {
		row, err := r.aside(&b.SetAside[i])
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(b.SetAside[i].Symbol), err)
		}
		r.asides = append(r.asides, entry[asideRow]{row: row})
	}
	for i := range b.Decisions {
		d := &b.Decisions[i]
		row, err := r.aside(&d.Of)
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(d.Of.Symbol), err)
		}
		decided, err := originOf(d.Receipt)
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(d.Of.Symbol), err)
		}
		row.State, row.By, row.Author, row.Comment = string(d.Action), r.column("decided_factor", d.Factor), d.Author, d.Comment
		row.Decided, row.DecidedRun, row.DecidedAt = decided.Received, decided.RawSource+"/"+decided.RawRun, decided.Counter
		if more := r.outside(); more != "" {
			row.Outside = row.Outside.Take(more, "decided_factor")
		}
		r.asides = append(r.asides, entry[asideRow]{row: row, role: seen})
		if err := r.addDecision(d); err != nil {
			return fmt.Errorf("%s: %w", quoted(d.Of.Symbol), err)
		}
	}
	return nil
}

// addDecision makes a row beside the price or bar that was set aside: with its key
// and value, and the receipt of the decision, which is that of the price it makes.
func (r *rows) addDecision(d *kurs.Decision) error {
	of := &d.Of
	if of.Time.IsZero() {
		return nil // there is no such price
	}
	switch of.Kind {
	case kurs.AsideQuote:
		row, err := r.quote(&kurs.Price{
			Quote:   kurs.Quote{Symbol: of.Symbol, Source: of.Source, Time: of.Time, Session: of.Session, Value: of.Value, Unit: of.Unit},
			Receipt: d.Receipt,
		})
		row.Decision = string(d.Action)
		r.quotes = append(r.quotes, entry[quoteRow]{row: row, role: seen})
		return err
	case kurs.AsideBar:
		row, err := r.bar(&kurs.PricedBar{
			Bar:     kurs.Bar{Symbol: of.Symbol, Source: of.Source, Start: of.Time, Interval: of.Interval, Close: of.Value, Unit: of.Unit},
			Receipt: d.Receipt,
		})
		row.Decision = string(d.Action)
		r.bars = append(r.bars, entry[barRow]{row: row, role: seen})
		return err
	case kurs.AsideRate: // prices were converted with it, so it stays
	}
	return nil
}

// waiting is the state of an observation of which nothing is decided.
const waiting = "waiting"

func (r *rows) aside(a *kurs.SetAside) (row asideRow, err error) {
	if a.Symbol == "" {
		return row, rejected("an observation without a symbol")
	}
	row = asideRow{
		Kind: string(a.Kind), Symbol: a.Symbol, Interval: a.Interval, Native: r.column("price_native", a.Value), Unit: a.Unit,
		Open: r.column("open_native", a.Open), High: r.column("high_native", a.High), Low: r.column("low_native", a.Low),
		Bid: r.column("bid", a.Bid), Ask: r.column("ask", a.Ask), Volume: volume(a.Volume),
		Reason: string(a.Reason), Detail: a.Detail, Session: string(a.Session), Source: a.Source,
		Approximate: a.Approximate, State: waiting,
	}
	if !a.Time.IsZero() { // that it has no time may be what is wrong with it
		if row.Time, err = millis(a.Time); err != nil {
			return row, err
		}
	}
	row.Currency, row.Factor, row.Rate, row.RateFrom = r.conversion(a.Conversion)
	if row.RateTime, err = rateTime(a.Rate); err != nil {
		return row, err
	}
	row.origin, err = originOf(a.Receipt)
	row.Outside = r.outside()
	return row, err
}

func (r *rows) addAliases(b *kurs.Batch) error {
	for i := range b.Aliases {
		a := &b.Aliases[i]
		if a.Symbol == "" || a.Was == "" || a.Symbol == a.Was {
			return rejected("an alias that is none")
		}
		row := aliasRow{Symbol: a.Symbol, Was: a.Was, Removed: a.Removed, Author: a.Author}
		var err error
		if !a.From.IsZero() {
			row.From, err = millis(a.From)
		}
		if err == nil && !a.Until.IsZero() {
			row.Until, err = millis(a.Until)
		}
		if err == nil {
			row.origin, err = originOf(a.Receipt)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", quoted(a.Symbol), err)
		}
		r.aliases = append(r.aliases, entry[aliasRow]{row: row})
	}
	return nil
}

func (r *rows) addInstruments(b *kurs.Batch) error {
	for _, i := range b.Instruments {
		if i.Symbol == "" {
			return rejected("an instrument without a symbol")
		}
		r.instruments = append(r.instruments, i)
	}
	return nil
}

// quoted is a name as errors show it: whatever bytes it has, on one line and not
// long.
func quoted(name string) string {
	const most = 40
	if len(name) > most {
		return strconv.Quote(name[:most]) + "..."
	}
	return strconv.Quote(name)
}
