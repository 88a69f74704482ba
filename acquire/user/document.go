package user

import (
	"time"

	"kurs"
)

// This file is the document as it is written; docs/formats.md describes it. Names
// are only added to.

// version is that of the documents that are written.
const version = 1

type document struct {
	Version     int          `json:"version"`
	Decisions   []decision   `json:"decisions,omitempty"`
	Corrections []correction `json:"corrections,omitempty"`
	Aliases     []alias      `json:"aliases,omitempty"`
}

type decision struct {
	Of      aside           `json:"of"`
	Action  kurs.Action     `json:"action"`
	Factor  kurs.Decimal    `json:"factor,omitzero"`
	Near    *kurs.Neighbour `json:"near,omitempty"`
	Author  string          `json:"author"`
	Comment string          `json:"comment,omitempty"`
}

type aside struct {
	Kind     kurs.AsideKind `json:"kind"`
	Price    price          `json:"price"`
	Interval string         `json:"interval,omitempty"`
	Open     kurs.Decimal   `json:"open,omitzero"`
	High     kurs.Decimal   `json:"high,omitzero"`
	Low      kurs.Decimal   `json:"low,omitzero"`
	Reason   kurs.Reason    `json:"reason"`
	Detail   string         `json:"detail,omitempty"`
	Received time.Time      `json:"received"`
	Raw      kurs.RawID     `json:"raw"`
	Origin   kurs.Origin    `json:"origin,omitempty"`
}

type price struct {
	Symbol      string       `json:"symbol"`
	Source      string       `json:"source"`
	Time        time.Time    `json:"time,omitzero"`
	Session     kurs.Session `json:"session,omitempty"`
	Value       kurs.Decimal `json:"value,omitzero"`
	Unit        string       `json:"unit,omitempty"`
	Approximate bool         `json:"approximate,omitempty"`
	Bid         kurs.Decimal `json:"bid,omitzero"`
	Ask         kurs.Decimal `json:"ask,omitzero"`
	Volume      *int64       `json:"volume,omitempty"`
	Conversion  *conversion  `json:"conversion,omitempty"`
}

// conversion is that of a price whose rate is known: without one process looks
// for it.
type conversion struct {
	Currency string       `json:"currency"`
	Factor   kurs.Decimal `json:"factor"`
	To       string       `json:"to"`
	Rate     kurs.Decimal `json:"rate"`
	Time     time.Time    `json:"time,omitzero"`
	Source   string       `json:"source,omitempty"`
}

type correction struct {
	Price  price  `json:"price"`
	Author string `json:"author"`
	Reason string `json:"reason"`
	Undo   bool   `json:"undo,omitempty"`
}

type alias struct {
	Symbol  string    `json:"symbol"`
	Was     string    `json:"was"`
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Removed bool      `json:"removed,omitempty"`
	Author  string    `json:"author"`
}

func priceFrom(p *kurs.Price) price {
	out := price{
		Symbol: p.Symbol, Source: p.Source, Time: moment(p.Time), Session: p.Session, Value: p.Value, Unit: p.Unit,
		Approximate: p.Approximate, Bid: p.Bid, Ask: p.Ask,
	}
	if p.Volume.Known {
		out.Volume = &p.Volume.N
	}
	if p.Rate.Known() {
		out.Conversion = &conversion{
			Currency: p.Currency, Factor: p.Factor, To: p.BaseCurrency, Rate: p.Rate.Value, Time: moment(p.Rate.Time), Source: p.Rate.Source,
		}
	}
	return out
}

func (p price) price() kurs.Price {
	out := kurs.Price{Quote: kurs.Quote{
		Symbol: p.Symbol, Source: p.Source, Time: moment(p.Time), Session: p.Session, Value: p.Value, Unit: p.Unit,
		Approximate: p.Approximate, Bid: p.Bid, Ask: p.Ask,
	}}
	if p.Volume != nil {
		out.Volume = kurs.Volume{N: *p.Volume, Known: true}
	}
	if c := p.Conversion; c != nil {
		out.Conversion = kurs.Conversion{
			Currency: c.Currency, Factor: c.Factor, BaseCurrency: c.To,
			Rate: kurs.Rate{Pair: kurs.Pair{From: c.Currency, To: c.To}, Value: c.Rate, Time: moment(c.Time), Source: c.Source},
		}
	}
	return out
}

func asideFrom(s *kurs.SetAside) aside {
	return aside{
		Kind: s.Kind, Price: priceFrom(&s.Price), Interval: s.Interval, Open: s.Open, High: s.High, Low: s.Low,
		Reason: s.Reason, Detail: s.Detail, Received: moment(s.Received), Raw: s.Raw, Origin: s.Origin,
	}
}

func (a aside) setAside() kurs.SetAside {
	out := kurs.SetAside{
		Kind: a.Kind, Price: a.Price.price(), Interval: a.Interval, Open: a.Open, High: a.High, Low: a.Low,
		Reason: a.Reason, Detail: a.Detail,
	}
	out.Receipt = kurs.Receipt{Received: moment(a.Received), Raw: a.Raw, Origin: a.Origin}
	return out
}

// moment is a time as it is kept: UTC, whole milliseconds; zero stays zero.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}
