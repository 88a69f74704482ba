package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"kurs"
)

// The checks below say what is wrong with one text, "" when nothing is. What is
// said stands behind the text, so it does not repeat it.

// maxSymbol is how long a symbol may be, in bytes. Yahoo's longest names, those
// of options, have 21.
const maxSymbol = 64

// SymbolProblem says why text cannot be Yahoo's name of an instrument, "" when
// it can. Whether Yahoo knows it, only Yahoo can tell.
func SymbolProblem(text string) string { return symbolProblem(text) }

func symbolProblem(text string) string {
	switch {
	case strings.TrimSpace(text) == "":
		return "an empty symbol"
	case len(text) > maxSymbol:
		return fmt.Sprintf("longer than %d bytes: not a symbol", maxSymbol)
	case strings.Contains(text, ","):
		return "has a comma: write one symbol in each pair of quotes"
	case strings.TrimSpace(text) != text:
		return "has a space around it. Did you mean " + quote(strings.TrimSpace(text)) + "?"
	case strings.ContainsAny(text, " \t\u00a0"):
		return "has a space: not a symbol. Yahoo Finance shows the symbol in parentheses behind the name"
	}
	for _, r := range text {
		if r <= ' ' || r > '~' || strings.ContainsRune("\"'`;/\\?#%<>{}|", r) {
			return fmt.Sprintf("has %q, which no symbol has", r)
		}
	}
	return ""
}

// CurrencyProblem says why text is not an ISO 4217 code, "" when it is one.
func CurrencyProblem(text string) string { return currencyProblem(text) }

// minorUnitNames are what the units that are no currencies are called.
var minorUnitNames = map[string]string{
	"GBp": "pence", "GBX": "pence", "ZAc": "cents", "ILA": "agorot", "KWF": "fils",
}

func currencyProblem(text string) string {
	if currency.IsValid(text) {
		return ""
	}
	if code, _, ok := kurs.CurrencyOf(text); ok && code != text {
		return fmt.Sprintf("%s is a unit (%s); the currency is %s", text, minorUnitNames[text], code)
	}
	return "not an ISO 4217 code" + didYouMean(Nearest(text, currencyCodes()))
}

// currencyCodes are the ISO 4217 codes, those first that are meant more often
// than others that are equally near.
func currencyCodes() []string {
	return append([]string{"DKK", "EUR", "USD", "GBP"}, currency.GetCurrencyCodes()...)
}

func viaProblem(text string) string {
	if text == "auto" || text == "none" || currency.IsValid(text) {
		return ""
	}
	near := Nearest(text, append([]string{"auto", "none"}, currencyCodes()...))
	return `not "auto", "none" or an ISO 4217 code` + didYouMean(near)
}

var localeForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)

func localeProblem(text string) string {
	if localeForm.MatchString(text) {
		return ""
	}
	lang, region, _ := strings.Cut(strings.ReplaceAll(text, "_", "-"), "-")
	region, _, _ = strings.Cut(region, ".")
	mended := strings.TrimSuffix(strings.ToLower(lang)+"-"+strings.ToUpper(region), "-")
	if !localeForm.MatchString(mended) {
		mended = ""
	}
	return `not a locale, as "da-DK" or "en"` + didYouMean(mended)
}

// exchangeZones are suggested when a name is not known: the zones of the
// exchanges that Yahoo covers most of.
var exchangeZones = []string{
	"Europe/Copenhagen", "Europe/London", "Europe/Berlin", "Europe/Paris", "Europe/Stockholm", "Europe/Oslo",
	"Europe/Helsinki", "Europe/Amsterdam", "Europe/Brussels", "Europe/Madrid", "Europe/Rome", "Europe/Zurich",
	"Europe/Vienna", "Europe/Warsaw", "America/New_York", "America/Chicago", "America/Toronto",
	"America/Los_Angeles", "America/Sao_Paulo", "Asia/Tokyo", "Asia/Hong_Kong", "Asia/Shanghai", "Asia/Seoul",
	"Asia/Singapore", "Asia/Kolkata", "Australia/Sydney", "Atlantic/Reykjavik", "UTC",
}

func zoneProblem(text string) string {
	if _, err := time.LoadLocation(text); err == nil {
		return ""
	}
	near := Nearest(text, exchangeZones)
	for _, zone := range exchangeZones {
		if _, city, _ := strings.Cut(zone, "/"); near == "" && strings.EqualFold(city, text) {
			near = zone
		}
	}
	return `not a time zone, as "Europe/Copenhagen"` + didYouMean(near)
}

func webURLProblem(text string) string { return urlProblem(text, "http", "https") }
func socketURLProblem(text string) string {
	if text == "" {
		return ""
	}
	return urlProblem(text, "ws", "wss")
}

func endpointProblem(text string) string {
	if text == "" {
		return ""
	}
	return webURLProblem(text)
}

func bucketProblem(text string) string {
	if text == "" {
		return ""
	}
	if p := urlProblem(text, "s3"); p != "" {
		return p
	}
	if strings.Contains(text, "?") {
		return `has more than bucket and folder: endpoint and region are keys of their own`
	}
	return ""
}

func queueURLProblem(text string) string {
	if text == "" {
		return ""
	}
	for part := range strings.SplitSeq(text, ",") {
		if p := urlProblem(strings.TrimSpace(part), "nats", "tls", "ws", "wss"); p != "" {
			return p
		}
	}
	return ""
}

// urlProblem does not repeat the address: what is wrong with it may be that it
// holds a password.
func urlProblem(text string, schemes ...string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "not an address"
	case u.User != nil:
		return "must not hold a user name or password: logs and kurs config show would tell it"
	case !slices.Contains(schemes, u.Scheme) || u.Hostname() == "":
		return "must begin with " + strings.Join(schemes, ":// or ") + ":// and a host"
	case u.Fragment != "":
		return "has a fragment (#), which no server sees"
	}
	return ""
}

// ecbURLProblem takes an address for one where it has "://" in it; anything else
// is the path of a file.
func ecbURLProblem(text string) string {
	switch {
	case !strings.Contains(text, "://"):
		return pathProblem(text)
	case strings.HasPrefix(text, fileScheme):
		if !strings.HasPrefix(text, fileScheme+"/") {
			return "must be file:/// and the path of a file on this machine"
		}
		return pathProblem(text)
	}
	return urlProblem(text, "http", "https")
}

// fileScheme begins the address of a file.
const fileScheme = "file://"

func trimSlash(text string) string { return strings.TrimRight(text, "/") }

func pathProblem(text string) string {
	if strings.ContainsRune(text, 0) {
		return "has a zero byte, which no file name has"
	}
	return ""
}

// retentionProblem is what is wrong with how long something is kept; empty is for
// ever.
func retentionProblem(text string) string {
	const least, most = 24 * time.Hour, 36500 * 24 * time.Hour
	if text == "" {
		return ""
	}
	d, err := ParseDuration(text)
	switch {
	case err != nil:
		return err.Error() + `; "" is for ever`
	case d < least || d > most:
		return `must be from 1d to 36500d; "" is for ever`
	}
	return ""
}

// maxIdentifier is how long PostgreSQL lets a name be, in bytes.
const maxIdentifier = 63

func schemaProblem(text string) string {
	switch {
	case text == "":
		return "an empty name"
	case len(text) > maxIdentifier:
		return fmt.Sprintf("longer than %d bytes, which PostgreSQL cuts off", maxIdentifier)
	case strings.ContainsRune(text, 0):
		return "has a zero byte, which no name has"
	case strings.HasPrefix(text, "pg_") || text == "information_schema":
		return "belongs to PostgreSQL itself"
	}
	return ""
}

// didYouMean is the end of a sentence.
func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return ". Did you mean " + quote(near) + "?"
}

// leastYahooInterval is the shortest interval for Yahoo's own hosts.
const leastYahooInterval = 5 * time.Second

// maxYahooBatch is how many symbols Yahoo's own hosts are asked in one request.
const maxYahooBatch = 50

// checkTogether looks at what one setting alone cannot tell.
func (l *loader) checkTogether() {
	c := &l.cfg
	y := &c.Source.Yahoo
	if len(c.Store.Use) == 0 {
		l.bad("store.use", `name one store at least: ["sqlite"]`)
	}
	if len(c.FX.Source) == 0 {
		l.bad("fx.source", `name one source at least: ["yahoo", "ecb"]`)
	}
	if c.Store.Postgres.DSN != "" && c.Store.Postgres.DSNFile != "" {
		l.bad("store.postgres.dsn_file", "is set, and store.postgres.dsn as well: which one is meant?")
	}
	if p := &c.Store.Parquet; (p.AccessKey == "") != (p.SecretKeyFile == "") {
		l.bad("store.parquet.access_key", "is set together with store.parquet.secret_key_file, or neither is")
	}
	if !y.OwnHosts() {
		if l.origin("source.yahoo.max_per_minute").Kind == FromDefault {
			y.MaxPerMinute = 0
			l.retext("source.yahoo.max_per_minute", "0")
		}
		return
	}
	if y.Interval < leastYahooInterval {
		l.bad("source.yahoo.interval", "must be 5s or more (source.yahoo.interval); Yahoo answers 429 below that")
	}
	if c.FX.Interval < leastYahooInterval {
		l.bad("fx.interval", "must be 5s or more (fx.interval); Yahoo answers 429 below that")
	}
	if y.Batch > maxYahooBatch {
		l.bad("source.yahoo.batch", "must be 1 to 50 (source.yahoo.batch) for Yahoo's own hosts")
	}
	if y.MaxPerMinute == 0 {
		l.bad("source.yahoo.max_per_minute", "must be 1 or more (source.yahoo.max_per_minute) for Yahoo's own hosts")
	}
}

// warnTogether says what works but is hardly meant. It runs on a valid config.
func (l *loader) warnTogether() {
	c := &l.cfg
	if c.FX.Interval > c.FX.MaxAge {
		l.warn(Warning{Text: fmt.Sprintf("fx.interval (%s) is longer than fx.max_age (%s): between two rates prices wait for their value in %s",
			FormatDuration(c.FX.Interval), FormatDuration(c.FX.MaxAge), c.Currency)})
	}
	if c.FX.MaxAgeClosed < c.FX.MaxAge {
		l.warn(Warning{Text: fmt.Sprintf("fx.max_age_closed (%s) is shorter than fx.max_age (%s)",
			FormatDuration(c.FX.MaxAgeClosed), FormatDuration(c.FX.MaxAge))})
	}
	if len(c.FX.Fixed) > 0 && !slices.Contains(c.FX.Source, "fixed") {
		l.warn(Warning{Text: `fx.fixed is not used: fx.source does not list "fixed"`})
	}
	if r := c.Store.Retention; r.Quotes+r.Bars+r.Rates != "" {
		for _, keeps := range []struct{ store, how string }{
			{"postgres", "docs/postgres.md tells how to drop a month"}, {"parquet", "docs/formats.md tells how to be rid of old days"},
		} {
			if slices.Contains(c.Store.Use, keeps.store) {
				l.warn(Warning{Pace: true, Text: fmt.Sprintf(`store.retention is for the store "sqlite" alone: %q keeps everything; %s`, keeps.store, keeps.how)})
			}
		}
	}
	if c.Source.Yahoo.OwnHosts() && c.Source.Yahoo.Interval < 2*leastYahooInterval {
		l.warn(Warning{Pace: true, Text: fmt.Sprintf("source.yahoo.interval (%s) is short: Yahoo may answer 429 below 10s",
			FormatDuration(c.Source.Yahoo.Interval))})
	}
	if text := c.tooFast(); text != "" {
		l.warn(Warning{Pace: true, Text: text})
	}
}

// tooFast tells when the interval asks for more requests than the budget has,
// and which interval would fit. All pairs together are one request.
func (c Config) tooFast() string {
	y := c.Source.Yahoo
	if y.MaxPerMinute == 0 || len(c.Symbols) == 0 {
		return ""
	}
	round := (len(c.Symbols) + y.Batch - 1) / y.Batch
	fx := ceilDiv(time.Minute, c.FX.Interval)
	prices := ceilDiv(time.Duration(round)*time.Minute, y.Interval)
	if prices+fx <= y.MaxPerMinute {
		return ""
	}
	const raise = "raise source.yahoo.max_per_minute"
	text := fmt.Sprintf("%s every %s and their rates need %d requests a minute, source.yahoo.max_per_minute is %d, so prices come later than asked: ",
		count(len(c.Symbols), "symbol"), FormatDuration(y.Interval), prices+fx, y.MaxPerMinute)
	left := y.MaxPerMinute - fx
	if left <= 0 {
		return text + raise + " or fx.interval"
	}
	fits := time.Duration(ceilDiv(time.Duration(round)*time.Minute, time.Duration(left)*time.Second)) * time.Second
	return text + fmt.Sprintf("interval = %q would fit", FormatDuration(fits))
}

// ceilDiv is a / b, rounded up.
func ceilDiv(a, b time.Duration) int { return int((a + b - 1) / b) }
