package sim

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// kind is the sort of an instrument.
type kind int

const (
	equity kind = iota
	etf
	fund
	index
	currency
	crypto
	future
)

// quoteType is Yahoo's name of the kind.
func (k kind) quoteType() string {
	return [...]string{"EQUITY", "ETF", "MUTUALFUND", "INDEX", "CURRENCY", "CRYPTOCURRENCY", "FUTURE"}[k]
}

// typeDisp is its name for people.
func (k kind) typeDisp() string {
	return [...]string{"Equity", "ETF", "Fund", "Index", "Currency", "Cryptocurrency", "Futures"}[k]
}

// instrument is what has a price.
type instrument struct {
	symbol string // canonical
	kind   kind
	venue  *venue
	unit   string // as quoted
	short  string
	long   string
	path   path
	hint   int // decimals that a page would show

	firstTrade int64
	shares     float64 // outstanding
	eps        float64 // a year, in the company's currency
	book       float64 // book value a share, in the company's currency
	yield      float64 // dividend a year / price
	volume     float64 // traded on a usual day
	payouts    payouts
	key        uint64 // of its numbers that are not prices

	facts atomic.Pointer[dayFacts] // remembered, never more than can be worked out again
}

// payouts are what a company gave out: a dividend in each of some months, and
// splits. Prices are those after all splits, as Yahoo's are.
type payouts struct {
	months []time.Month
	amount float64
	splits []split
}

type split struct {
	date                   string // of the session, YYYY-MM-DD
	numerator, denominator int
}

// factor turns a price as quoted into the company's currency.
func (in *instrument) factor() float64 {
	if in.unit == in.venue.currency {
		return 1
	}
	switch in.unit {
	case "GBp", "ZAc", "ILA":
		return 0.01
	case "KWF":
		return 0.001
	}
	return 1
}

// metaDecimals is how many decimals a chart's meta is rounded to: 4 for foreign
// exchange (recorded), for shares 3 (seen at a hint of 2) or the hint.
func (in *instrument) metaDecimals() int {
	if in.kind == currency {
		return 4
	}
	return max(3, in.hint)
}

// profile is what is known of an instrument before its numbers are drawn.
type profile struct {
	symbol      string
	kind        kind
	venue       string // code
	unit        string // empty: the venue's
	level       float64
	shares      float64 // millions; 0: drawn
	short, long string
	payouts     payouts
}

// newInstrument draws what a profile leaves open.
func (x *Exchange) newInstrument(p profile) *instrument {
	key := hash(x.seed, "instrument", p.symbol)
	v := x.venues[p.venue]
	in := &instrument{
		symbol: p.symbol, kind: p.kind, venue: v, unit: p.unit, short: p.short, long: p.long,
		payouts: p.payouts, key: key, shares: p.shares * 1e6,
	}
	if in.unit == "" {
		in.unit = v.unit
	}
	scale := 1.0
	switch p.kind {
	case crypto:
		scale = 1.5
	case index, fund:
		scale = 0.6
	case equity, etf, currency, future:
	}
	in.path = newPath(p.level, []part{{key: key, scale: scale}}, decimalsOf(p))
	in.hint = max(2, in.path.decimals)
	if in.path.decimals == 3 {
		in.hint = 2 // recorded: a share at 19.948 has hint 2
	}
	if in.shares == 0 {
		in.shares = math.Round(2e7 * math.Exp(unit(mix(key^1))*6))
	}
	price := p.level * in.factor()
	in.eps = round3(price / (12 + 20*unit(mix(key^2))))
	in.book = round3(price / (1 + 6*unit(mix(key^3))))
	in.yield = 0.005 + 0.04*unit(mix(key^4))
	in.volume = math.Round(in.shares * (0.001 + 0.004*unit(mix(key^5))))
	if p.kind == crypto {
		in.volume = math.Round(2e10 * math.Pow(unit(mix(key^5)), 4))
	}
	in.firstTrade = firstTradeOf(in)
	return in
}

// decimalsOf is the size of a price's tick. The limit of 7 digits comes later.
func decimalsOf(p profile) int {
	switch {
	case p.unit == "JPY", p.unit == "KRW", p.venue == tokyo:
		return 1
	case p.venue == xetra && p.level < 50:
		return 3
	case p.level >= 1.5:
		return 2
	case p.level >= 0.02:
		return 4
	}
	return 7
}

// firstTradeOf is the opening of some day between 1985 and 1998, of coins too:
// then everything has a past at the start of a synctest bubble, in 2000.
func firstTradeOf(in *instrument) int64 {
	const from, to = 5479, 10500 // dates, in days since 1970
	return in.venue.sessionAfter(from + int64(unit(mix(in.key^6))*(to-from))).stamp
}

func round3(f float64) float64 { return math.Round(f*1000) / 1000 }

// maxSymbol is the longest symbol that a list may name; Yahoo's longest, options,
// have 21 characters.
const maxSymbol = 32

// canonical is the one name of an instrument: upper case, and pairs from the
// dollar under their short name, which is how Yahoo answers for both.
func canonical(symbol string) string {
	symbol = strings.ToUpper(strings.TrimSpace(symbol))
	if len(symbol) == 8 && strings.HasPrefix(symbol, "USD") && strings.HasSuffix(symbol, "=X") {
		return symbol[3:]
	}
	return symbol
}

func validSymbol(s string) bool {
	if s == "" || len(s) > maxSymbol {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(".^=&-", rune(c)) {
			return false
		}
	}
	return true
}

// listed makes the instrument of a symbol that somebody asked to exist.
func (x *Exchange) listed(symbol string) (*instrument, error) {
	if !validSymbol(symbol) {
		return nil, fmt.Errorf("%q is not a symbol: letters, digits and . ^ = & - only, at most %d", symbol, maxSymbol)
	}
	if strings.HasSuffix(symbol, "=X") {
		if in, ok := x.pair(symbol); ok {
			return in, nil
		}
		return nil, fmt.Errorf("%q is not a pair of two currencies that the simulator knows (%s)", symbol, strings.Join(currencyCodes(), " "))
	}
	for _, p := range x.famous {
		if p.symbol == symbol {
			return x.newInstrument(p), nil
		}
	}
	return x.newInstrument(x.guess(symbol)), nil
}

// guess makes up what a symbol stands for from its form, as people read it.
func (x *Exchange) guess(symbol string) profile {
	p := profile{symbol: symbol, kind: equity, venue: nasdaq}
	base := symbol
	switch dash := strings.LastIndexByte(symbol, '-'); {
	case strings.HasPrefix(symbol, "^"):
		p.kind, p.venue = index, indexVenue
	case strings.HasSuffix(symbol, "=F"):
		p.kind, p.venue = future, futureVenue
		base = strings.TrimSuffix(symbol, "=F")
	case dash > 0 && dash+4 == len(symbol) && usdValue(symbol[dash+1:]) > 0:
		p.kind, p.venue, p.unit = crypto, cryptoVenue, symbol[dash+1:]
		base = symbol[:dash]
	default:
		if dot := strings.LastIndexByte(symbol, '.'); dot > 0 {
			for code, v := range x.venues {
				if v.suffix == symbol[dot:] {
					p.venue, base = code, symbol[:dot]
				}
			}
		}
		if strings.HasPrefix(symbol, "0P") {
			p.kind = fund
		}
	}
	v := x.venues[p.venue]
	key := hash(x.seed, "guess", symbol)
	p.level = levelOf(p.kind, p.unit, v, key)
	p.short, p.long = madeUpName(p.kind, v, base, key)
	return p
}

// levelOf draws a price that one would believe, in the unit quoted.
func levelOf(k kind, quoted string, v *venue, key uint64) float64 {
	low, high := 8.0, 600.0 // US dollars
	switch k {
	case index:
		low, high = 400, 22000
	case crypto:
		low, high = 0.02, 3000
	case future:
		low, high = 20, 2500
	case fund:
		low, high = 1, 200
	case equity, etf, currency:
	}
	level := low * math.Pow(high/low, unit(mix(key^7)))
	if k == index {
		return level
	}
	if quoted == "" {
		quoted = v.unit
	}
	switch quoted { // how many of the unit are a dollar, roughly
	case "GBp", "ZAc", "ILA", "JPY", "KWF":
		level *= map[string]float64{"GBp": 6, "ZAc": 120, "ILA": 30, "JPY": 22, "KWF": 3}[quoted]
	default:
		if usd := usdValue(quoted); usd > 0 && usd < 0.5 {
			level *= math.Sqrt(1 / usd)
		}
	}
	return level
}
