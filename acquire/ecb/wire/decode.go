package wire

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // a bare machine knows Berlin too

	"kurs"
)

// Source is the name under which everything decoded here is observed.
const Source = "ecb"

// MaxBody is the size of the largest file that is read, as sent and as unpacked.
// The bank's largest, the XML of all days since 1999, has about seven megabytes.
const MaxBody = 32 << 20

// Interval is what the rates are observed as: one a day.
const Interval = "1d"

// What a file may hold at most: the bank's own has some 7,000 days of 41
// currencies, and one more each working day.
const (
	mostCurrencies = 200
	mostRates      = 500_000
)

// Decode reads one file, whatever its form. It is a [kurs.Decode].
//
// A rate says what a euro was worth in a currency at 16:00 in Berlin of its day,
// with the digits that were published. Rates come in the order of their days, the
// oldest first, so that each has its neighbour before it. A currency that was not
// quoted on a day (N/A) has no rate then; a rate that is no number is in
// Observed.Spoiled.
//
// What is none of the bank's files, or one that was cut off, or that tells two
// rates of one currency and day, is an error that wraps [kurs.ErrRejected]; then
// nothing is observed. The body is not changed, and nothing that is returned
// refers to it.
func Decode(raw kurs.Raw) (kurs.Observed, error) {
	d, err := read(raw.Body)
	if err != nil {
		return kurs.Observed{}, fmt.Errorf("decode ecb: %w", err)
	}
	var out kurs.Observed
	out.Rates = make([]kurs.Rate, 0, d.rates)
	for _, one := range d.days {
		for _, q := range one.quotes {
			pair := kurs.Pair{From: "EUR", To: q.currency}
			value, err := kurs.ParseDecimal(q.rate)
			if err != nil {
				out.Spoiled = append(out.Spoiled, spoiled(pair, one.at, q.rate))
				continue
			}
			out.Rates = append(out.Rates, kurs.Rate{Pair: pair, Value: value, Time: one.at, Source: Source, Interval: Interval})
		}
	}
	return out, nil
}

// spoiled is a rate that is there and no number.
func spoiled(pair kurs.Pair, at time.Time, text string) kurs.SetAside {
	return kurs.SetAside{
		Kind: kurs.AsideRate, Interval: Interval, Reason: kurs.ReasonValue, Detail: fmt.Sprintf("%.40q", text),
		Price: kurs.Price{Quote: kurs.Quote{Symbol: pair.Symbol(), Source: Source, Time: at, Unit: pair.To}},
	}
}

// document is a file, taken apart.
type document struct {
	head, tail []byte // what stands around the days; of a CSV its first line
	days       []day  // in the order of their dates, each once
	rates      int    // in all of them
}

// day is what was published of one.
type day struct {
	at     time.Time // 16:00 in Berlin
	date   string    // 2026-04-13
	text   []byte    // as it stands in the file
	quotes []quote
}

// quote is a currency and its rate as written.
type quote struct{ currency, rate string }

// read takes any of the forms apart.
func read(body []byte) (*document, error) {
	if len(body) > MaxBody {
		return nil, refuse("%d bytes, more than the %d that are read", len(body), MaxBody)
	}
	if bytes.HasPrefix(body, []byte("PK\x03\x04")) {
		var err error
		if body, err = unzip(body); err != nil {
			return nil, err
		}
	}
	text := bytes.TrimPrefix(body, []byte("\uFEFF"))
	d := &document{}
	var err error
	switch start := bytes.TrimLeft(text, " \t\r\n"); {
	case len(start) == 0:
		return nil, refuse("the file is empty")
	case start[0] == '<':
		err = d.readXML(text)
	case bytes.HasPrefix(start, []byte("Date")):
		err = d.readCSV(text)
	default:
		return nil, refuse("not a file of reference rates: it begins with %.20q", start)
	}
	if err != nil {
		return nil, err
	}
	return d, d.inOrder()
}

// inOrder sorts the days. One that is there twice with the same rates counts once.
func (d *document) inOrder() error {
	if len(d.days) == 0 {
		return refuse("there is no day in it")
	}
	slices.SortStableFunc(d.days, func(a, b day) int { return a.at.Compare(b.at) })
	kept := d.days[:1]
	for _, one := range d.days[1:] {
		last := &kept[len(kept)-1]
		switch {
		case !one.at.Equal(last.at):
			kept = append(kept, one)
		case !slices.Equal(one.quotes, last.quotes):
			return refuse("%s is there twice, with different rates", one.date)
		}
	}
	d.days = kept
	return nil
}

// add begins a day.
func (d *document) add(date string, layouts ...string) error {
	var when time.Time
	err := fmt.Errorf("%w: no date", kurs.ErrRejected)
	for _, layout := range layouts {
		if when, err = time.Parse(layout, date); err == nil {
			break
		}
	}
	if err != nil || when.Year() < 1999 || when.Year() > 2199 { // the euro began in 1999
		return refuse("%.40q is no date of a euro rate", date)
	}
	zone, err := berlin()
	if err != nil {
		return err
	}
	at := time.Date(when.Year(), when.Month(), when.Day(), 16, 0, 0, 0, zone).UTC()
	d.days = append(d.days, day{at: at, date: when.Format(time.DateOnly)})
	return nil
}

// quote adds a rate to the last day.
func (d *document) quote(currency, rate string) error {
	one := &d.days[len(d.days)-1]
	switch {
	case !kurs.LooksLikeCurrency(currency) || currency == "EUR":
		return refuse("%s: %.40q is no currency that a euro has a rate in", one.date, currency)
	case len(one.quotes) == mostCurrencies:
		return refuse("%s: more than %d currencies", one.date, mostCurrencies)
	case rate == "N/A":
		return nil
	}
	if slices.ContainsFunc(one.quotes, func(q quote) bool { return q.currency == currency }) {
		return refuse("%s: %s is there twice", one.date, currency)
	}
	if d.rates++; d.rates > mostRates {
		return refuse("more than %d rates", mostRates)
	}
	one.quotes = append(one.quotes, quote{currency, rate})
	return nil
}

// berlin is where the bank's day has its 16:00: Frankfurt has Berlin's time.
var berlin = sync.OnceValues(func() (*time.Location, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("%w: the time zone of the rates is not known: %w", kurs.ErrRejected, err)
	}
	return zone, nil
})

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", kurs.ErrRejected, fmt.Sprintf(format, args...))
}
