package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"kurs"
)

// This file reads rates that the user wrote down, in their short form:
// "USDDKK=6.43@2026-01-01". A table [[fx.fixed]] is brought into it first.

// fixedRate reads the short form; what is wrong with it is said in words.
func fixedRate(text string) (r FixedRate, problem string) {
	pair, rest, ok := strings.Cut(text, "=")
	if !ok {
		return r, `must be as "USDDKK=6.43" or "USDDKK=6.43@2026-01-01"`
	}
	rate, from, dated := strings.Cut(rest, "@")
	r.Pair = kurs.Pair{From: pair[:min(3, len(pair))], To: pair[min(3, len(pair)):]}
	if problem = pairProblem(pair); problem != "" {
		return r, problem
	}
	if r.Rate, problem = rateOf(rate); problem != "" {
		return r, problem
	}
	if dated {
		r.From, problem = fromOf(from)
	}
	return r, problem
}

func fixedProblem(text string) string {
	_, problem := fixedRate(text)
	return problem
}

// canonicalFixed is the form that is kept of a text that is right.
func canonicalFixed(text string) string {
	r, problem := fixedRate(text)
	if problem != "" {
		return text
	}
	short := r.Pair.String() + "=" + r.Rate.String()
	switch {
	case r.From.IsZero():
		return short
	case r.From.Equal(r.From.Truncate(24 * time.Hour)):
		return short + "@" + r.From.Format(time.DateOnly)
	}
	return short + "@" + r.From.Format(time.RFC3339Nano)
}

func pairProblem(text string) string {
	if len(text) != 6 {
		return fmt.Sprintf(`%.20q is no pair of currencies, as "USDDKK"`, text)
	}
	for _, code := range []string{text[:3], text[3:]} {
		if !currency.IsValid(code) {
			return fmt.Sprintf("%q in %q is not an ISO 4217 code", code, text) + didYouMean(Nearest(code, currencyCodes()))
		}
	}
	if text[:3] == text[3:] {
		return "a currency has no rate to itself"
	}
	return ""
}

// rateOf reads a rate with all its digits, also as TOML writes numbers: 1_000.5.
func rateOf(text string) (kurs.Decimal, string) {
	d, err := parseDecimal(text)
	switch {
	case err != nil:
		return d, err.Error()
	case d.Sign() <= 0:
		return d, "a rate is above 0"
	case d.Digits() > kurs.Precision:
		return d, fmt.Sprintf("a rate has at most %d digits", kurs.Precision)
	}
	return d, ""
}

// fromOf reads a date, which means its begin in UTC, or a time with its zone.
func fromOf(text string) (time.Time, string) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 1800 && at.Year() < 2200 {
			return at.UTC(), ""
		}
	}
	return time.Time{}, `from must be a date or a time with its zone, as "2026-01-01" or "2026-01-01T08:00:00Z"`
}

// setFixed takes rates that are right; a pair has one rate from one time on.
func setFixed(to *[]FixedRate, texts []string) []flaw {
	var flaws []flaw
	all := make([]FixedRate, 0, len(texts))
	type begin struct {
		pair kurs.Pair
		from time.Time
	}
	seen := map[begin]bool{}
	for i, text := range texts {
		r, problem := fixedRate(text)
		at := begin{r.Pair, r.From}
		if problem == "" && seen[at] {
			problem = "there is a rate of " + r.Pair.String() + " from the same time on before"
		}
		if problem != "" {
			flaws = append(flaws, flaw{i, problem})
			continue
		}
		seen[at] = true
		all = append(all, r)
	}
	if len(flaws) == 0 {
		*to = all
	}
	return flaws
}

var errDecimal = errors.New(`not a number: write "6.43"`)

// parseDecimal keeps every digit: no binary float is in between.
func parseDecimal(text string) (kurs.Decimal, error) {
	plain := strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	d, err := kurs.ParseDecimal(plain)
	if err != nil || !d.Known() {
		return kurs.Decimal{}, errDecimal
	}
	return d, nil
}

// parseFraction reads a part of something: "0.1", or "10%".
func parseFraction(text string) (kurs.Decimal, error) {
	number, percent := strings.CutSuffix(text, "%")
	d, err := parseDecimal(strings.TrimSpace(number))
	if err == nil && percent {
		d, err = d.Mul(kurs.MustDecimal("0.01"))
	}
	if err != nil {
		return kurs.Decimal{}, errors.New(`not a part of something: write "0.1" or "10%"`)
	}
	return d, nil
}

func canonicalFraction(text string) string {
	d, err := parseFraction(text)
	if err != nil {
		return text
	}
	return d.String()
}
