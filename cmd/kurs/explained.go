package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"kurs"
)

// This file prints how a price or a bar came to be, from what was quoted to its
// value.

func printExplanation(w io.Writer, e *kurs.Explanation) error {
	p := &page{w: w}
	p.line("%s at %s%s", printable(e.Symbol), timeText(e.Time), sessionText(e.Session))
	p.renamed(e.Symbol, e.Instrument)
	p.line("")
	switch k := e.Kept; {
	case k != nil:
		p.item("quoted", "%s %s, received %s%s in %s", k.PriceNative, printable(k.Unit), timeText(k.ReceivedISO), originText(k.Origin), printable(k.Raw.String()))
		p.item("set aside", "%s", strings.TrimSuffix(string(k.Reason)+": "+printable(k.Detail), ": "))
		p.item("kept", "%s %s, times %s, by %s", e.PriceNative, printable(e.Unit), k.Factor, strings.TrimSuffix(printable(k.Author)+": "+printable(k.Comment), ": "))
	case e.CorrectedBy != "":
		p.item("corrected", "%s %s by %s: %s", e.PriceNative, printable(e.Unit), printable(e.CorrectedBy), printable(e.Correction))
	default:
		p.item("quoted", "%s %s%s", e.PriceNative, printable(e.Unit), approximateText(e.Approximate))
	}
	how := conversion{
		unit: e.Unit, native: e.CurrencyNative, base: e.CurrencyBase, factor: e.Factor, rate: e.FXRate, rateTime: e.FXTime, source: e.FXSource,
		at: e.Time, of: "price", rates: e.Rates, filled: e.FilledISO,
	}
	p.splits(e.SplitFactor)
	p.unit(&how)
	p.rate(&how)
	p.value(&how, e.PriceNative, e.PriceBase)
	p.receipt(e.ReceivedISO, e.SeenISO, e.Origin, e.Raw)
	if len(e.Versions) > 1 {
		p.versions(e.Versions)
	}
	return p.err
}

func printBarExplanation(w io.Writer, e *kurs.BarExplanation) error {
	p := &page{w: w}
	p.line("%s, the provider's bar of %s that begins at %s", printable(e.Symbol), printable(e.Interval), timeText(e.Time))
	p.renamed(e.Symbol, e.Instrument)
	p.line("")
	p.item("quoted", "open %s  high %s  low %s  close %s %s%s", orDash(e.OpenNative.String()), orDash(e.HighNative.String()), orDash(e.LowNative.String()), e.CloseNative,
		printable(e.Unit), approximateText(e.Approximate))
	if e.Rewritten {
		p.item("", "as it was told after a split, in the new shares: how it was before was not seen")
	}
	how := conversion{
		unit: e.Unit, native: e.CurrencyNative, base: e.CurrencyBase, factor: e.Factor, rate: e.FXRate, rateTime: e.FXTime, source: e.FXSource,
		at: endOf(&e.BarRow), of: "end of the bar", rates: e.Rates, filled: e.FilledISO,
	}
	p.splits(e.SplitFactor)
	p.unit(&how)
	p.rate(&how)
	p.value(&how, e.CloseNative, e.CloseBase)
	p.receipt(e.ReceivedISO, e.SeenISO, e.Origin, e.Raw)
	if len(e.Versions) > 1 {
		p.line("\n  versions, as they were received:")
		for i := range e.Versions {
			v := &e.Versions[i]
			split := ""
			if v.Rewritten {
				split = ", in the shares after a split"
			}
			p.line("  %s %s  close %s %s%s%s  %s", shownText(v.Shown), timeText(v.ReceivedISO), v.CloseNative, printable(v.Unit), originText(v.Origin), split,
				printable(v.Raw.String()))
		}
	}
	return p.err
}

// conversion is how something was converted.
type conversion struct {
	unit, native, base string
	factor, rate       kurs.Decimal
	rateTime           time.Time
	source             string
	at                 time.Time // that a rate was wanted of
	of                 string    // what has that time
	rates              []kurs.RateReceipt
	filled             time.Time
}

// page writes lines until one fails.
type page struct {
	w   io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *page) item(name, format string, args ...any) {
	p.line("  %-10s %s", name, fmt.Sprintf(format, args...))
}

func (p *page) renamed(symbol, instrument string) {
	if instrument != "" {
		p.line("%s goes by the name of %s", printable(symbol), printable(instrument))
	}
}

func (p *page) splits(factor kurs.Decimal) {
	if factor.Known() {
		p.item("splits", "all values are times %s for splits since", factor)
	}
}

func (p *page) unit(c *conversion) {
	switch {
	case c.native == "":
		p.item("unit", "the provider did not say it, so there is nothing to convert")
	case c.unit != c.native:
		p.item("unit", "1 %s is %s %s", printable(c.unit), c.factor, c.native)
	}
}

func (p *page) rate(c *conversion) {
	switch {
	case c.native == "" || c.native == c.base:
		return
	case !c.rate.Known():
		p.item("rate", "no %s%s rate of that time: kurs fx %s%s --at %s tells why", c.native, c.base, c.native, c.base, timeText(c.at))
		return
	}
	p.item("rate", "%s%s %s as of %s, %s before the %s, from %s", c.native, c.base, c.rate, timeText(c.rateTime), ageText(c.at.Sub(c.rateTime)), c.of,
		printable(c.source))
	for _, l := range c.rates {
		how := ""
		if l.Inverse {
			how = ", read the other way round"
		}
		if l.Interval != "" {
			how += ", the end of a bar of " + printable(l.Interval)
		}
		if !l.ReceivedISO.IsZero() {
			how += ", received " + timeText(l.ReceivedISO)
		}
		if l.Raw != nil {
			how += " in " + printable(l.Raw.String())
		}
		p.item("", "%s %s of %s from %s%s", l.Pair, l.Rate, timeText(l.Time), printable(l.Source), how)
	}
	if !c.filled.IsZero() {
		p.item("", "it came later than the price: %s", timeText(c.filled))
	}
}

func (p *page) value(c *conversion, native, base kurs.Decimal) {
	if !base.Known() {
		p.item("value", "empty, until a rate of that time is known")
		return
	}
	factors := []string{native.String()}
	if c.factor != kurs.Int(1) {
		factors = append(factors, c.factor.String())
	}
	if c.native != c.base {
		factors = append(factors, c.rate.String())
	}
	if len(factors) == 1 {
		p.item("value", "%s %s, as quoted", base, c.base)
		return
	}
	p.item("value", "%s %s = %s, rounded once to %d digits", base, c.base, strings.Join(factors, " x "), kurs.Precision)
}

func (p *page) receipt(received, seen time.Time, origin kurs.Origin, raw kurs.RawID) {
	again := ""
	if seen.After(received) {
		again = ", last seen so " + timeText(seen)
	}
	p.item("received", "%s%s%s", timeText(received), originText(origin), again)
	p.item("message", "%s   (--raw prints it)", printable(raw.String()))
}

// versions prints what else was said of a price.
func (p *page) versions(all []kurs.Version) {
	p.line("\n  versions, as they were received:")
	for i := range all {
		v := &all[i]
		what := fmt.Sprintf("%s %s", v.PriceNative, printable(v.Unit))
		if !v.PriceNative.Known() {
			what = "correction taken back"
		}
		if v.Approximate {
			what = "~" + what
		}
		by := originText(v.Origin)
		if v.CorrectedBy != "" {
			by = fmt.Sprintf(" by %s: %s", printable(v.CorrectedBy), printable(v.Correction))
		}
		if v.Withdrawn {
			by = " kept, and taken back later"
		}
		p.line("  %s %s  %s%s  %s", shownText(v.Shown), timeText(v.ReceivedISO), what, by, printable(v.Raw.String()))
	}
}

func shownText(shown bool) string {
	if shown {
		return ">"
	}
	return " "
}

func approximateText(approximate bool) string {
	if approximate {
		return "   approximate: the provider sends more digits than its format holds"
	}
	return ""
}

func originText(o kurs.Origin) string {
	if o == "" {
		return ""
	}
	return " by " + string(o)
}

func sessionText(s kurs.Session) string {
	if s == "" {
		return ""
	}
	return ", " + printable(string(s)) + " session"
}
