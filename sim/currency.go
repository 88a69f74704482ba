package sim

import (
	"math"
	"strings"
)

// money is a currency: what one is worth in dollars, roughly as in 2026, and
// what it is pegged to.
type money struct {
	code   string
	usd    float64 // dollars for one; 0 where it is pegged
	anchor string  // pegged to this one
	rate   float64 // how many of it are one of the anchor
}

// The movement of a currency beside a share's, and of a peg within its band:
// EUR/DKK stays between 7.454 and 7.474.
const (
	floatScale = 0.2
	pegScale   = 0.005
)

var monies = [...]money{
	{code: "USD", usd: 1},
	{code: "EUR", usd: 1.1634},
	{code: "GBP", usd: 1.3127},
	{code: "DKK", anchor: "EUR", rate: 7.464},
	{code: "SEK", usd: 0.1058},
	{code: "NOK", usd: 0.0986},
	{code: "CHF", usd: 1.2437},
	{code: "JPY", usd: 0.006412},
	{code: "ZAR", usd: 0.0581},
	{code: "ILS", usd: 0.3068},
	{code: "KWD", anchor: "USD", rate: 0.3071},
	{code: "INR", usd: 0.01123},
	{code: "HKD", anchor: "USD", rate: 7.785},
	{code: "AUD", usd: 0.6512},
	{code: "CAD", usd: 0.7124},
	{code: "NZD", usd: 0.5683},
	{code: "CNY", usd: 0.1406},
	{code: "SGD", usd: 0.7691},
	{code: "KRW", usd: 0.000684},
	{code: "TWD", usd: 0.0321},
	{code: "THB", usd: 0.0308},
	{code: "IDR", usd: 0.00006},
	{code: "MYR", usd: 0.2412},
	{code: "PHP", usd: 0.0170},
	{code: "PLN", usd: 0.2748},
	{code: "CZK", usd: 0.0481},
	{code: "HUF", usd: 0.00303},
	{code: "RON", usd: 0.2286},
	{code: "ISK", usd: 0.00786},
	{code: "TRY", usd: 0.0236},
	{code: "BRL", usd: 0.1868},
	{code: "MXN", usd: 0.0543},
	{code: "CLP", usd: 0.00106},
	{code: "EGP", usd: 0.0211},
	{code: "SAR", anchor: "USD", rate: 3.7502},
	{code: "AED", anchor: "USD", rate: 3.6728},
}

func currencyCodes() []string {
	codes := make([]string, len(monies))
	for i, m := range monies {
		codes[i] = m.code
	}
	return codes
}

// usdValue is what one of a currency is worth in dollars in the middle of its
// way, or 0 for one that is not known.
func usdValue(code string) float64 {
	for _, m := range monies {
		switch {
		case m.code != code:
		case m.anchor != "":
			return usdValue(m.anchor) / m.rate
		default:
			return m.usd
		}
	}
	return 0
}

// legs are the parts that move a currency against the dollar.
func (x *Exchange) legs(code string, sign float64) []part {
	for _, m := range monies {
		if m.code != code || code == "USD" {
			continue
		}
		own := part{key: hash(x.seed, "currency", code), scale: sign * floatScale}
		if m.anchor == "" {
			return []part{own}
		}
		own.scale = sign * pegScale
		return append(x.legs(m.anchor, sign), own)
	}
	return nil
}

// pair is the instrument of a currency pair under its short or long name. All
// pairs are made of the same legs, so crosses agree with each other.
func (x *Exchange) pair(symbol string) (*instrument, bool) {
	symbol = canonical(symbol)
	name, ok := strings.CutSuffix(symbol, "=X")
	if ok && len(name) == 3 {
		name = "USD" + name
	}
	if !ok || len(name) != 6 {
		return nil, false
	}
	x.pairsMu.Lock()
	defer x.pairsMu.Unlock()
	if in, found := x.pairs[symbol]; found {
		return in, true
	}
	from, to := name[:3], name[3:]
	a, b := usdValue(from), usdValue(to)
	if from == to || a == 0 || b == 0 {
		return nil, false
	}
	in := &instrument{
		symbol: symbol, kind: currency, venue: x.venues[fxVenue], unit: to, short: from + "/" + to, long: from + "/" + to,
		hint: 4, firstTrade: 852076800, key: hash(x.seed, "pair", symbol), // 1997; see firstTradeOf
	}
	level := a / b
	digits := maxDigits - 1 - int(math.Floor(math.Log10(level)))
	in.path = newPath(level, cancel(append(x.legs(from, 1), x.legs(to, -1)...)), digits)
	x.pairs[symbol] = in
	return in, true
}

// cancel takes out a leg that both currencies have: the krone's is the euro's
// and a little.
func cancel(parts []part) []part {
	var out []part
	for _, p := range parts {
		merged := false
		for i := range out {
			if out[i].key == p.key {
				out[i].scale += p.scale
				merged = true
			}
		}
		if !merged {
			out = append(out, p)
		}
	}
	kept := out[:0]
	for _, p := range out {
		if p.scale != 0 {
			kept = append(kept, p)
		}
	}
	return kept
}
