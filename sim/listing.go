package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// famous are the instruments that come first when only a number is asked for.
// The first dozen already bring most units, so a small market is a varied one.
// Prices and numbers of shares are roughly those of 2026.
func famous() []profile {
	quarterly := func(amount float64, months ...time.Month) payouts { return payouts{months: months, amount: amount} }
	apple := quarterly(0.26, time.February, time.May, time.August, time.November)
	apple.splits = []split{{"2020-08-31", 4, 1}, {"2014-06-09", 7, 1}}
	novo := quarterly(3.75, time.March, time.August)
	novo.splits = []split{{"2023-09-13", 2, 1}}
	nvidia := payouts{months: []time.Month{time.March, time.June, time.September, time.December}, amount: 0.01, splits: []split{{"2024-06-10", 10, 1}}}
	return []profile{
		{"AAPL", equity, nasdaq, "", 268.4, 14840, "Apple Inc.", "Apple Inc.", apple},
		{"NOVO-B.CO", equity, "CPH", "", 318.5, 3390, "NOVO NORDISK B A/S", "Novo Nordisk A/S", novo},
		{"VOD.L", equity, london, "", 88.42, 24300, "VODAFONE GROUP PLC ORD USD0.20 2", "Vodafone Group Public Limited Company", quarterly(2.02, time.June, time.November)},
		{"BTC-USD", crypto, cryptoVenue, "USD", 62480, 19.97, "Bitcoin USD", "Bitcoin USD", payouts{}},
		{"SAP.DE", equity, xetra, "", 221.35, 1166, "SAP SE", "SAP SE", quarterly(2.35, time.May)},
		{"VOLV-B.ST", equity, "STO", "", 262.7, 1588, "Volvo, AB ser. B", "AB Volvo (publ)", quarterly(8, time.April)},
		{"7203.T", equity, tokyo, "", 3012.5, 13033, "TOYOTA MOTOR CORP", "Toyota Motor Corporation", quarterly(45, time.March, time.September)},
		{"NPN.JO", equity, "JNB", "", 21150, 790, "Naspers Ltd", "Naspers Limited", payouts{}},
		{"TEVA.TA", equity, "TLV", "", 7512, 1147, "TEVA PHARMACEUTICAL", "Teva Pharmaceutical Industries Limited", payouts{}},
		{"NESN.SW", equity, "EBS", "", 79.68, 2571, "NESTLE N", "Nestlé S.A.", quarterly(3.05, time.April)},
		{"EQNR.OL", equity, "OSL", "", 241.3, 2557, "EQUINOR", "Equinor ASA", quarterly(3.7, time.February, time.May, time.August, time.November)},
		{"NBK.KW", equity, "KUW", "", 1012, 8740, "NATIONAL BANK OF KUWAIT", "National Bank of Kuwait S.A.K.P.", payouts{}},
		{"MSFT", equity, nasdaq, "", 512.8, 7433, "Microsoft Corporation", "Microsoft Corporation", quarterly(0.91, time.February, time.May, time.August, time.November)},
		{"^GSPC", index, indexVenue, "", 6712.4, 0, "S&P 500", "S&P 500", payouts{}},
		{"GC=F", future, futureVenue, "", 3982.1, 0, "Gold Dec 26", "", payouts{}},
		{"EMIM.L", etf, london, "", 3004.5, 0, "ISHARES PLC ISHARES CORE EM IMI", "iShares Core MSCI EM IMI UCITS ETF USD (Acc)", payouts{}},
		{"0P00008F5Y.L", fund, london, "GBP", 1.1275, 0, "0P00008F5Y.L", "L&G Cash Trust I Acc", payouts{}},
		{"0700.HK", equity, hongKong, "", 612.5, 9170, "TENCENT", "Tencent Holdings Limited", quarterly(4.5, time.May)},
		{"M&M.NS", equity, "NSI", "", 3421.6, 1243, "MAHINDRA & MAHINDRA LTD", "Mahindra & Mahindra Limited", payouts{}},
		{"MAERSK-B.CO", equity, "CPH", "", 12940, 15.8, "A.P. Møller - Mærsk B A/S", "A.P. Møller - Mærsk A/S", quarterly(1120, time.March)},
		{"ORSTED.CO", equity, "CPH", "", 118.35, 1321, "ORSTED A/S", "Ørsted A/S", payouts{}},
		{"AZN.L", equity, london, "", 12788, 1550, "ASTRAZENECA PLC ORD SHS $0.25", "AstraZeneca PLC", quarterly(76.6, time.February, time.August)},
		{"VUSA.L", etf, london, "GBP", 93.21, 0, "VANGUARD FUNDS PLC VANGUARD S&P", "Vanguard S&P 500 UCITS ETF", payouts{}},
		{"CSPX.L", etf, london, "USD", 712.6, 0, "ISHARES VII PLC ISHARES CORE S&P", "iShares Core S&P 500 UCITS ETF USD (Acc)", payouts{}},
		{"SPY", etf, arca, "", 669.3, 917, "SPDR S&P 500", "SPDR S&P 500 ETF Trust", quarterly(1.8, time.March, time.June, time.September, time.December)},
		{"BRK-B", equity, nyse, "", 498.2, 2157, "Berkshire Hathaway Inc. New", "Berkshire Hathaway Inc.", payouts{}},
		{"ETH-USD", crypto, cryptoVenue, "USD", 3120.4, 120.7, "Ethereum USD", "Ethereum USD", payouts{}},
		{"^OMXC25", index, "CPH", "", 1742.6, 0, "OMX Copenhagen 25 Index", "OMX Copenhagen 25 Index", payouts{}},
		{"NVDA", equity, nasdaq, "", 186.2, 24300, "NVIDIA Corporation", "NVIDIA Corporation", nvidia},
		{"GOOGL", equity, nasdaq, "", 281.5, 5820, "Alphabet Inc.", "Alphabet Inc.", quarterly(0.21, time.March, time.June, time.September, time.December)},
		{"DANSKE.CO", equity, "CPH", "", 291.4, 835, "Danske Bank A/S", "Danske Bank A/S", quarterly(28.7, time.March)},
		{"DSV.CO", equity, "CPH", "", 1402.5, 240, "DSV A/S", "DSV A/S", quarterly(7, time.March)},
		{"SHEL.L", equity, london, "", 2841.5, 5760, "SHELL PLC ORD EUR0.07", "Shell plc", quarterly(26, time.February, time.May, time.August, time.November)},
		{"ASML.AS", equity, "AMS", "", 892.3, 393, "ASML HOLDING", "ASML Holding N.V.", payouts{}},
		{"MC.PA", equity, "PAR", "", 612.1, 498, "LVMH", "LVMH Moët Hennessy - Louis Vuitton, Société Européenne", quarterly(6.5, time.April)},
		{"NOKIA.HE", equity, "HEL", "", 5.382, 5540, "Nokia Oyj", "Nokia Oyj", payouts{}},
		{"ENI.MI", equity, "MIL", "", 15.62, 3190, "ENI", "Eni S.p.A.", payouts{}},
		{"RY.TO", equity, "TOR", "", 203.7, 1408, "ROYAL BANK OF CANADA", "Royal Bank of Canada", quarterly(1.54, time.January, time.April, time.July, time.October)},
		{"BHP.AX", equity, "ASX", "", 43.27, 5076, "BHP GROUP FPO", "BHP Group Limited", payouts{}},
		{"SMSN.IL", equity, "IOB", "", 1621, 0, "SAMSUNG ELECTRONICS CO LTD SAMS", "Samsung Electronics Co., Ltd.", payouts{}},
		{"DOGE-USD", crypto, cryptoVenue, "USD", 0.1623, 151000, "Dogecoin USD", "Dogecoin USD", payouts{}},
		{"QQQ", etf, nasdaq, "", 601.2, 393, "Invesco QQQ Trust, Series 1", "Invesco QQQ Trust", payouts{}},
	}
}

// crowd is how made-up listings are spread over the venues: drawn from it, each
// name as likely as it is frequent.
const crowd = "NMS NMS NMS NMS NMS NMS NYQ NYQ NYQ NYQ NYQ NYQ LSE LSE LSE LSE CPH CPH CPH CPH STO STO STO OSL OSL HEL " +
	"GER GER GER FRA PAR PAR AMS BRU MCE MIL VIE EBS EBS WSE TOR TOR SAO MEX JNB TLV KUW SAU JPX JPX HKG ASX NSI BSE SES KSC CCC CCC"

// list fills the market with n instruments: the famous ones, then made-up ones.
func (x *Exchange) list(n int) error {
	for _, p := range x.famous[:min(n, len(x.famous))] {
		if err := x.add(x.newInstrument(p)); err != nil {
			return err
		}
	}
	venues := strings.Fields(crowd)
	for i := 0; len(x.instruments) < n; i++ {
		symbol, quoted := x.madeUpSymbol(i, venues)
		if _, taken := x.bySymbol[symbol]; taken {
			continue
		}
		p := x.guess(symbol)
		if quoted != "" {
			p.unit = quoted
			p.level = levelOf(p.kind, quoted, x.venues[p.venue], hash(x.seed, "guess", symbol))
		}
		if err := x.add(x.newInstrument(p)); err != nil {
			return err
		}
	}
	return nil
}

// madeUpSymbol is the i-th symbol that nobody has heard of. No two are equal.
func (x *Exchange) madeUpSymbol(i int, venues []string) (symbol, quoted string) {
	key := hash(x.seed, "listing", strconv.Itoa(i))
	v := x.venues[venues[int(unit(key)*float64(len(venues)))]]
	const letters = 26 * 26 * 26 * 26
	n := (i*10007 + 4321) % letters // 10007 has no factor of 26: a different one for each i
	name := []byte{byte('A' + n/(26*26*26)), byte('A' + n/(26*26)%26), byte('A' + n/26%26), byte('A' + n%26)}
	draw := unit(mix(key))
	switch {
	case v.code == cryptoVenue:
		return string(name) + "-USD", ""
	case v.code == tokyo || v.code == hongKong:
		return fmt.Sprintf("%04d%s", 1000+i, v.suffix), ""
	case v.code == london && draw < 0.1:
		return string(name) + v.suffix, "GBP"
	case v.code == london && draw < 0.2:
		return string(name) + v.suffix, "USD"
	case v.code == nyse && draw < 0.05:
		return "^" + string(name), ""
	case (v.code == "STO" || v.code == "CPH") && draw < 0.3:
		return string(name) + "-B" + v.suffix, ""
	}
	return string(name) + v.suffix, ""
}

// The words that companies' names are made of.
const (
	firstWords  = "Nordhavn Alba Meridian Kestrel Borealis Vega Aurelia Ostara Linden Falken Sirius Tamarind Cobalt Harbour Juniper Solvang Argent Polaris Rosen Verdant Halden Isola Merlin Onyx"
	secondWords = "Shipping Energy Pharma Software Foods Steel Robotics Bank Insurance Marine Wind Textiles Optics Mining Media Logistics Genetics Semiconductors Hotels Paper"
)

func madeUpName(k kind, v *venue, base string, key uint64) (short, long string) {
	pick := func(words string, h uint64) string {
		w := strings.Fields(words)
		return w[int(unit(h)*float64(len(w)))]
	}
	first, second := pick(firstWords, mix(key^11)), pick(secondWords, mix(key^12))
	switch k {
	case crypto:
		return base + " USD", base + " USD"
	case index:
		name := first + " " + second + " Index"
		return name, name
	case future:
		return base + " Dec 26", ""
	case fund:
		return base, first + " " + second + " Fund"
	case etf, equity, currency:
	}
	long = first + " " + second + " " + v.company
	return strings.ToUpper(first + " " + second), long
}
