package wire

import (
	"bytes"

	"kurs"
)

// names keeps the short texts that answers repeat (currencies, exchanges, time
// zones), so that two hundred quotes in USD share one string. It has a fixed
// number of places; a text whose place is taken displaces the other.
type names [128]string

const maxName = 32 // bytes: "America/Argentina/Buenos_Aires" fits

func (n *names) share(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxName {
		return string(b)
	}
	h := uint(len(b))
	for _, c := range b {
		h = h*31 + uint(c)
	}
	place := &n[h%uint(len(n))]
	if *place != string(b) {
		*place = string(b)
	}
	return *place
}

// kindOf translates quoteType and instrumentType. NONE is what Yahoo says of a
// symbol that it has forgotten: not known.
func kindOf(quoteType string) kurs.InstrumentKind {
	switch quoteType {
	case "", "NONE":
		return ""
	case "EQUITY":
		return kurs.KindEquity
	case "ETF":
		return kurs.KindETF
	case "INDEX":
		return kurs.KindIndex
	case "CURRENCY":
		return kurs.KindCurrency
	case "CRYPTOCURRENCY":
		return kurs.KindCryptocurrency
	case "FUTURE":
		return kurs.KindFuture
	case "MUTUALFUND", "MONEYMARKET":
		return kurs.KindFund
	case "OPTION":
		return kurs.KindOption
	}
	return kurs.KindOther
}

// nameOf prefers the name that is written out; the short one is often in
// capitals and cut ("ISHARES PLC ISHARES CORE EM IMI").
func nameOf(long, short []byte) string {
	if long = bytes.TrimSpace(long); len(long) > 0 {
		return string(long)
	}
	return string(bytes.TrimSpace(short))
}
