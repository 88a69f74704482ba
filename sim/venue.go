package sim

import (
	"fmt"
	"time"
)

// venue is a place of trading: what it is called in Yahoo's answers, which
// symbols are its own, what it quotes in and when it is open.
type venue struct {
	code     string // "CPH"
	name     string // "Copenhagen"
	suffix   string // ".CO"; empty for the United States and for what has no suffix
	unit     string // as quoted: "GBp"
	currency string // that of the companies' own figures
	zone     string // IANA
	market   string // "dk_market"
	source   string // quoteSourceName
	company  string // how a made-up company's name ends
	week     [7]span
	before   int  // minutes of pre-market
	after    int  // minutes of post-market
	extended bool // there are prices before and after
	nonstop  bool // day bars begin at midnight, not at an opening

	always   bool // the simulator's hours are off: open all day, in UTC
	location *time.Location
}

// span is a day's session in minutes from local midnight; it may begin the
// evening before. An empty one is a day off.
type span struct{ open, close int }

func weekdays(open, closing int) [7]span {
	s := span{open, closing}
	return [7]span{time.Monday: s, time.Tuesday: s, time.Wednesday: s, time.Thursday: s, time.Friday: s}
}

func sundayToThursday(open, closing int) [7]span {
	s := span{open, closing}
	return [7]span{time.Sunday: s, time.Monday: s, time.Tuesday: s, time.Wednesday: s, time.Thursday: s}
}

func allWeek() [7]span {
	var w [7]span
	for d := range w {
		w[d] = span{0, 24 * 60}
	}
	return w
}

// fxWeek is Sunday 22:00 to Friday 22:00 London time, day by day; the Sunday
// evening belongs to Monday.
func fxWeek() [7]span {
	w := weekdays(0, 24*60)
	w[time.Monday].open = -2 * 60
	w[time.Friday].close = 22 * 60
	return w
}

func at(hour, minute int) int { return hour*60 + minute }

const (
	realtime = "Nasdaq Real Time Price"
	free     = "Free Realtime Quote"
	// delayed is what Yahoo calls foreign exchange and funds, though their delay is 0.
	delayed = "Delayed Quote"
)

// The venues that are named elsewhere in this package.
const (
	nasdaq, nyse, arca      = "NMS", "NYQ", "PCX"
	london, xetra           = "LSE", "GER"
	tokyo, hongKong         = "JPX", "HKG"
	cryptoVenue, fxVenue    = "CCC", "CCY"
	indexVenue, futureVenue = "SNP", "CMX"
)

// venues is the list of all of them. Holidays are not simulated.
func venues() []venue {
	ny := weekdays(at(9, 30), at(16, 0))
	eu := weekdays(at(9, 0), at(17, 30))
	return []venue{
		us(nasdaq, "NasdaqGS", ny), us(nyse, "NYSE", ny), us(arca, "NYSEArca", ny),
		{code: indexVenue, name: "SNP", unit: "USD", currency: "USD", zone: "America/New_York", market: "us_market", source: free, week: ny},
		{code: futureVenue, name: "COMEX", unit: "USD", currency: "USD", zone: "America/New_York", market: "us24_market", source: delayed, week: weekdays(-6*60, 17*60), nonstop: true},
		{code: cryptoVenue, name: "CCC", unit: "USD", zone: "UTC", market: "ccc_market", source: "CoinMarketCap", week: allWeek(), nonstop: true},
		{code: fxVenue, name: "CCY", zone: "Europe/London", market: "ccy_market", source: delayed, week: fxWeek(), nonstop: true},
		{code: london, name: "LSE", suffix: ".L", unit: "GBp", currency: "GBP", zone: "Europe/London", market: "gb_market", source: free, company: "plc", week: weekdays(at(8, 0), at(16, 30)), before: 45, after: 45},
		{code: "IOB", name: "IOB", suffix: ".IL", unit: "USD", currency: "USD", zone: "Europe/London", market: "gb_market", source: free, company: "GDR", week: weekdays(at(8, 0), at(16, 30))},
		local("CPH", "Copenhagen", ".CO", "DKK", "Europe/Copenhagen", "dk_market", "A/S", weekdays(at(9, 0), at(17, 0))),
		local("STO", "Stockholm", ".ST", "SEK", "Europe/Stockholm", "se_market", "AB (publ)", eu),
		local("OSL", "Oslo", ".OL", "NOK", "Europe/Oslo", "no_market", "ASA", weekdays(at(9, 0), at(16, 20))),
		local("HEL", "Helsinki", ".HE", "EUR", "Europe/Helsinki", "fi_market", "Oyj", weekdays(at(10, 0), at(18, 30))),
		local(xetra, "XETRA", ".DE", "EUR", "Europe/Berlin", "de_market", "AG", eu),
		local("FRA", "Frankfurt", ".F", "EUR", "Europe/Berlin", "de_market", "SE", weekdays(at(8, 0), at(22, 0))),
		local("PAR", "Paris", ".PA", "EUR", "Europe/Paris", "fr_market", "SA", eu),
		local("AMS", "Amsterdam", ".AS", "EUR", "Europe/Amsterdam", "nl_market", "N.V.", eu),
		local("BRU", "Brussels", ".BR", "EUR", "Europe/Brussels", "be_market", "SA/NV", eu),
		local("MCE", "MCE", ".MC", "EUR", "Europe/Madrid", "es_market", "S.A.", eu),
		local("MIL", "Milan", ".MI", "EUR", "Europe/Rome", "it_market", "S.p.A.", eu),
		local("VIE", "Vienna", ".VI", "EUR", "Europe/Vienna", "at_market", "AG", eu),
		local("EBS", "Swiss", ".SW", "CHF", "Europe/Zurich", "ch_market", "AG", eu),
		local("WSE", "Warsaw", ".WA", "PLN", "Europe/Warsaw", "pl_market", "S.A.", weekdays(at(9, 0), at(17, 0))),
		local("TOR", "Toronto", ".TO", "CAD", "America/Toronto", "ca_market", "Corp.", ny),
		local("SAO", "São Paulo", ".SA", "BRL", "America/Sao_Paulo", "br_market", "S.A.", weekdays(at(10, 0), at(17, 0))),
		local("MEX", "Mexico", ".MX", "MXN", "America/Mexico_City", "mx_market", "S.A.B.", weekdays(at(8, 30), at(15, 0))),
		minor("JNB", "Johannesburg", ".JO", "ZAc", "ZAR", "Africa/Johannesburg", "za_market", "Limited", weekdays(at(9, 0), at(17, 0))),
		minor("TLV", "Tel Aviv", ".TA", "ILA", "ILS", "Asia/Jerusalem", "il_market", "Ltd.", weekdays(at(10, 0), at(17, 15))),
		minor("KUW", "Kuwait", ".KW", "KWF", "KWD", "Asia/Kuwait", "kw_market", "K.S.C.P.", sundayToThursday(at(9, 0), at(12, 40))),
		local("SAU", "Saudi", ".SR", "SAR", "Asia/Riyadh", "sr_market", "Company", sundayToThursday(at(10, 0), at(15, 0))),
		local(tokyo, "Tokyo", ".T", "JPY", "Asia/Tokyo", "jp_market", "Corporation", weekdays(at(9, 0), at(15, 30))),
		local(hongKong, "HKSE", ".HK", "HKD", "Asia/Hong_Kong", "hk_market", "Holdings Limited", weekdays(at(9, 30), at(16, 0))),
		local("ASX", "ASX", ".AX", "AUD", "Australia/Sydney", "au_market", "Limited", weekdays(at(10, 0), at(16, 0))),
		local("NSI", "NSE", ".NS", "INR", "Asia/Kolkata", "in_market", "Limited", weekdays(at(9, 15), at(15, 30))),
		local("BSE", "BSE", ".BO", "INR", "Asia/Kolkata", "in_market", "Limited", weekdays(at(9, 15), at(15, 30))),
		local("SES", "SES", ".SI", "SGD", "Asia/Singapore", "sg_market", "Ltd", weekdays(at(9, 0), at(17, 0))),
		local("KSC", "KSE", ".KS", "KRW", "Asia/Seoul", "kr_market", "Co., Ltd.", weekdays(at(9, 0), at(15, 30))),
	}
}

func us(code, name string, week [7]span) venue {
	return venue{
		code: code, name: name, unit: "USD", currency: "USD", zone: "America/New_York", market: "us_market",
		source: realtime, company: "Inc.", week: week, before: 330, after: 240, extended: true,
	}
}

func local(code, name, suffix, currency, zone, market, company string, week [7]span) venue {
	return minor(code, name, suffix, currency, currency, zone, market, company, week)
}

func minor(code, name, suffix, quoted, currency, zone, market, company string, week [7]span) venue {
	return venue{
		code: code, name: name, suffix: suffix, unit: quoted, currency: currency, zone: zone, market: market,
		source: free, company: company, week: week,
	}
}

// openVenues resolves the time zones. With hours off every venue is open every
// day, all day, in UTC.
func openVenues(hours bool) (map[string]*venue, error) {
	table := venues()
	out := make(map[string]*venue, len(table))
	for i := range table {
		v := &table[i]
		location, err := time.LoadLocation(v.zone)
		if err != nil {
			return nil, fmt.Errorf("time zone of %s: %w", v.name, err)
		}
		v.location, v.always = location, !hours
		out[v.code] = v
	}
	return out, nil
}
