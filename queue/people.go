package queue

import (
	"kurs"
	"kurs/queue/pb"
)

// This file is the part of a batch that people have a say in: what was set
// aside, what they decided of it, corrections and aliases. There are few of them.

func (e *encoder) people(b kurs.Batch) {
	if len(b.SetAside) > 0 {
		e.out.SetAside = e.setAside(b.SetAside)
	}
	if len(b.Decisions) > 0 {
		m := &pb.Decisions{Factor: &pb.Decimals{}}
		of := make([]kurs.SetAside, len(b.Decisions))
		for i := range b.Decisions {
			v := &b.Decisions[i]
			of[i] = v.Of
			m.Action = append(m.Action, e.str(string(v.Action)))
			column(m.Factor, v.Factor)
			m.Author = append(m.Author, e.str(v.Author))
			m.Comment = append(m.Comment, e.str(v.Comment))
			m.Receipt = append(m.Receipt, e.receipt(v.Receipt))
		}
		m.Of = e.setAside(of)
		e.out.Decisions = m
	}
	if len(b.Corrections) > 0 {
		m := &pb.Corrections{}
		prices := make([]kurs.Price, len(b.Corrections))
		for i := range b.Corrections {
			v := &b.Corrections[i]
			prices[i] = v.Price
			m.Author = append(m.Author, e.str(v.Author))
			m.Reason = append(m.Reason, e.str(v.Reason))
			m.Undo = append(m.Undo, v.Undo)
		}
		m.Prices = e.prices(prices)
		e.out.Corrections = m
	}
	if len(b.Aliases) > 0 {
		m := &pb.Aliases{}
		for _, v := range b.Aliases {
			m.Symbol = append(m.Symbol, e.str(v.Symbol))
			m.Was = append(m.Was, e.str(v.Was))
			m.FromMs = append(m.FromMs, millis(v.From))
			m.UntilMs = append(m.UntilMs, millis(v.Until))
			m.Removed = append(m.Removed, v.Removed)
			m.Author = append(m.Author, e.str(v.Author))
			m.Receipt = append(m.Receipt, e.receipt(v.Receipt))
		}
		e.out.Aliases = m
	}
}

func (e *encoder) setAside(all []kurs.SetAside) *pb.SetAside {
	m := &pb.SetAside{Open: &pb.Decimals{}, High: &pb.Decimals{}, Low: &pb.Decimals{}}
	prices := make([]kurs.Price, len(all))
	for i := range all {
		v := &all[i]
		prices[i] = v.Price
		m.Kind = append(m.Kind, e.str(string(v.Kind)))
		m.Interval = append(m.Interval, e.str(v.Interval))
		column(m.Open, v.Open)
		column(m.High, v.High)
		column(m.Low, v.Low)
		m.Reason = append(m.Reason, e.str(string(v.Reason)))
		m.Detail = append(m.Detail, e.str(v.Detail))
	}
	m.Prices = e.prices(prices)
	return m
}

func (d *decoder) setAside(m *pb.SetAside, base string) []kurs.SetAside {
	var out []kurs.SetAside
	for i, p := range d.prices(m.GetPrices(), base) {
		out = append(out, kurs.SetAside{
			Kind:     kurs.AsideKind(d.str(at(m.GetKind(), i))),
			Price:    p,
			Interval: d.str(at(m.GetInterval(), i)),
			Open:     d.dec(m.GetOpen(), i),
			High:     d.dec(m.GetHigh(), i),
			Low:      d.dec(m.GetLow(), i),
			Reason:   kurs.Reason(d.str(at(m.GetReason(), i))),
			Detail:   d.str(at(m.GetDetail(), i)),
		})
	}
	return out
}

func (d *decoder) decisions(m *pb.Decisions, base string) []kurs.Decision {
	var out []kurs.Decision
	for i, of := range d.setAside(m.GetOf(), base) {
		out = append(out, kurs.Decision{
			Of:      of,
			Action:  kurs.Action(d.str(at(m.GetAction(), i))),
			Factor:  d.dec(m.GetFactor(), i),
			Author:  d.str(at(m.GetAuthor(), i)),
			Comment: d.str(at(m.GetComment(), i)),
			Receipt: d.receipt(at(m.GetReceipt(), i)),
		})
	}
	return out
}

func (d *decoder) corrections(m *pb.Corrections, base string) []kurs.Correction {
	var out []kurs.Correction
	for i, p := range d.prices(m.GetPrices(), base) {
		out = append(out, kurs.Correction{
			Price:  p,
			Author: d.str(at(m.GetAuthor(), i)),
			Reason: d.str(at(m.GetReason(), i)),
			Undo:   at(m.GetUndo(), i),
		})
	}
	return out
}

func (d *decoder) aliases(m *pb.Aliases) []kurs.Alias {
	var out []kurs.Alias
	for i := range m.GetSymbol() {
		out = append(out, kurs.Alias{
			Symbol:  d.str(m.GetSymbol()[i]),
			Was:     d.str(at(m.GetWas(), i)),
			From:    fromMillis(at(m.GetFromMs(), i)),
			Until:   fromMillis(at(m.GetUntilMs(), i)),
			Removed: at(m.GetRemoved(), i),
			Author:  d.str(at(m.GetAuthor(), i)),
			Receipt: d.receipt(at(m.GetReceipt(), i)),
		})
	}
	return out
}

// encodeNeighbours writes the neighbours that a raw message brings along.
func encodeNeighbours(all []kurs.Neighbour) *pb.Neighbours {
	if len(all) == 0 {
		return nil
	}
	m := &pb.Neighbours{Value: &pb.Decimals{}}
	for _, n := range all {
		m.Unit = append(m.Unit, n.Unit)
		column(m.Value, n.Value)
		m.TimeMs = append(m.TimeMs, millis(n.Time))
	}
	return m
}

func decodeNeighbours(m *pb.Neighbours) ([]kurs.Neighbour, error) {
	d := decoder{}
	var out []kurs.Neighbour
	for i := range m.GetUnit() {
		out = append(out, kurs.Neighbour{
			Unit: m.GetUnit()[i], Value: d.dec(m.GetValue(), i), Time: fromMillis(at(m.GetTimeMs(), i)),
		})
	}
	return out, d.wrong
}
