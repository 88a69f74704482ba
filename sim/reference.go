package sim

import (
	"net/http"
	"time"
)

// The euro reference rates, in the form and under the paths of the European
// Central Bank: what the exchange itself has at 16:00 in Frankfurt of each working
// day. Holidays are not known.

const (
	referencePath  = "/stats/eurofxref/"
	referenceDaily = referencePath + "eurofxref-daily.xml"
	referenceDays  = referencePath + "eurofxref-hist-90d.xml"
)

// referenceCurrencies are those that the bank publishes rates of, in its order.
var referenceCurrencies = [...]string{
	"USD", "JPY", "CZK", "DKK", "GBP", "HUF", "PLN", "RON", "SEK", "CHF", "ISK", "NOK", "TRY", "AUD", "BRL",
	"CAD", "CNY", "HKD", "IDR", "ILS", "INR", "KRW", "MXN", "MYR", "NZD", "PHP", "SGD", "THB", "ZAR",
}

// reference answers with the rates of the last day, or of those of 90 days.
func (a *answer) reference() {
	since := 0
	if a.r.URL.Path == referenceDays {
		since = 90
	}
	days, err := referenceTimes(a.now, since)
	if err != nil {
		a.fail("finance", problem{http.StatusInternalServerError, "Internal Server Error", err.Error()})
		return
	}
	tag := `"` + days[0].Format(time.DateOnly) + `"`
	a.w.Header().Set("ETag", tag)
	if a.r.Header.Get("If-None-Match") == tag {
		a.w.WriteHeader(http.StatusNotModified)
		return
	}
	b := append(a.body[:0], `<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" `+
		`xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><gesmes:subject>Reference rates</gesmes:subject>`+
		`<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender><Cube>`...)
	for _, day := range days {
		b = append(append(append(b, `<Cube time="`...), day.Format(time.DateOnly)...), `">`...)
		for _, currency := range referenceCurrencies {
			in, ok := a.x.pair("EUR" + currency + "=X")
			if !ok {
				continue
			}
			rate := a.x.told(in, in.path.at(day.Unix()), day.Unix(), a.now)
			b = append(append(append(b, `<Cube currency="`...), currency...), `" rate="`...)
			b = append(rate.appendExact(b), `"/>`...)
			a.hand(in, day.Unix(), rate)
		}
		b = append(b, `</Cube>`...)
	}
	a.body = append(b, `</Cube></gesmes:Envelope>`...)
	a.send(http.StatusOK, "text/xml", "max-age=60")
}

// referenceTimes are the times of the rates that were published, the newest first:
// of the last one, or of all since so many days ago.
func referenceTimes(now int64, since int) ([]time.Time, error) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, err
	}
	at := time.Unix(now, 0).In(zone)
	var times []time.Time
	for back := 0; back <= since || len(times) == 0; back++ {
		t := time.Date(at.Year(), at.Month(), at.Day()-back, 16, 0, 0, 0, zone)
		if t.Unix() <= now && t.Weekday() != time.Saturday && t.Weekday() != time.Sunday {
			times = append(times, t)
		}
	}
	return times, nil
}
