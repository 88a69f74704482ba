package parquet

import (
	"kurs"
	"kurs/store/storetest"
)

// words are what people say, as a dataset has it.
type words struct {
	base    string
	asides  []storetest.Aside
	said    []storetest.Said
	last    quoteRow // the correction that came before
	aliases []kurs.Alias
}

// correction notes one; those of a price come one after another, the newest last.
func (w *words) correction(as role, r *quoteRow) {
	if as != seen || r.CorrectedBy == "" {
		return
	}
	if n := len(w.said); n > 0 && quoteKind().key(&w.last, r) == 0 {
		w.said[n-1].Holds = false
	}
	w.last = *r
	native := value(r.Native, r.Outside, "price_native")
	w.said = append(w.said, storetest.Said{
		Symbol: r.Symbol, Value: native, Base: value(r.Base, r.Outside, "price_base"), Author: r.CorrectedBy, Reason: r.Correction,
		Received: moment(r.Received), Holds: native.Known(),
	})
}

func (w *words) aside(as role, r *asideRow) {
	if as != shown {
		return
	}
	a := storetest.Aside{
		State: r.State, Factor: value(r.By, r.Outside, "decided_factor"), Author: r.Author, Comment: r.Comment, Decided: moment(r.Decided),
	}
	a.Kind, a.Reason, a.Detail, a.Interval = kurs.AsideKind(r.Kind), kurs.Reason(r.Reason), r.Detail, r.Interval
	a.Open, a.High, a.Low = value(r.Open, r.Outside, "open_native"), value(r.High, r.Outside, "high_native"), value(r.Low, r.Outside, "low_native")
	a.Quote = kurs.Quote{
		Symbol: r.Symbol, Source: r.Source, Time: moment(r.Time), Session: kurs.Session(r.Session), Unit: r.Unit, Approximate: r.Approximate,
		Value: value(r.Native, r.Outside, "price_native"), Bid: value(r.Bid, r.Outside, "bid"), Ask: value(r.Ask, r.Outside, "ask"),
	}
	if r.Volume != nil {
		a.Volume = kurs.Volume{N: *r.Volume, Known: true}
	}
	a.Receipt = kurs.Receipt{Received: moment(r.Received), Origin: kurs.Origin(r.Origin), Raw: kurs.RawID{
		Source: r.RawSource, Run: r.RawRun, Counter: uint64(r.Counter),
	}}
	a.Conversion = kurs.Conversion{Currency: r.Currency, Factor: value(r.Factor, r.Outside, "factor"), BaseCurrency: w.base}
	if rate := value(r.Rate, r.Outside, "fx_rate"); rate.Known() {
		a.Rate = kurs.Rate{Pair: kurs.Pair{From: r.Currency, To: w.base}, Value: rate, Time: moment(r.RateTime), Source: r.RateFrom}
	}
	w.asides = append(w.asides, a)
}

func (w *words) alias(_ role, r *aliasRow) {
	w.aliases = append(w.aliases, kurs.Alias{
		Symbol: r.Symbol, Was: r.Was, From: moment(r.From), Until: moment(r.Until), Removed: r.Removed, Author: r.Author,
		Receipt: kurs.Receipt{Received: moment(r.Received), Raw: kurs.RawID{Source: r.RawSource, Run: r.RawRun, Counter: uint64(r.Counter)}},
	})
}

// add puts them into a dump, with what follows from the aliases.
func (w *words) add(d *storetest.Dump) {
	d.SetAside, d.Said = w.asides, w.said
	d.Aliases = kurs.Renames(w.aliases)
	for i := range d.Aliases {
		d.Aliases[i].Receipt = kurs.Receipt{}
	}
	for _, rows := range [][]kurs.Row{d.Quotes, d.Superseded, d.Latest} {
		for i := range rows {
			for _, a := range d.Aliases {
				if r := &rows[i]; a.Was == r.Symbol && !r.Time.Before(a.From) && (a.Until.IsZero() || r.Time.Before(a.Until)) {
					r.Instrument = a.Symbol
				}
			}
		}
	}
}
