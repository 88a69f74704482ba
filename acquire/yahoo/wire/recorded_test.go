package wire

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/internal/testkit"
)

// recorded is what a person reads in a recorded answer.
type recorded struct {
	quotes      []string // symbol, time, session, price, unit
	instruments int
	bars        int
	first, last string // bars: start, interval, open, high, low, close, volume, unit
	events      []string
	found       []string
	failure     string
}

// recordedAnswers are the expectations, as the files themselves have it.
var recordedAnswers = map[string]recorded{
	"quote/iprak-batch-mixed.json": {instruments: 8, quotes: []string{
		"0P00008F5Y.L 2025-08-15T00:00:00Z regular 1.1275 GBP",
		"GBPUSD=X 2025-08-15T21:29:39Z regular 1.355436 USD",
		"BABA 2025-08-15T20:00:02Z regular 121.26 USD", "BABA 2025-08-15T23:59:39Z post 121.17 USD",
		"^SSMI 2025-08-15T15:30:01Z regular 12074.33 CHF",
		"ADYEN.AS 2025-08-15T15:39:26Z regular 1396.4 EUR",
		"AAPL 2025-08-15T20:00:01Z regular 231.59 USD", "AAPL 2025-08-15T23:59:58Z post 231.18 USD",
		"EMIM.L 2025-08-15T15:28:43Z regular 3004.5 GBp",
	}},
	"quote/nyf-2021-quote-OCDO.L.json":           {instruments: 1, quotes: []string{"OCDO.L 2021-02-05T16:35:01Z regular 2808 GBp"}},
	"quote/nyf-2021-quote-QQQ-10am.json":         {instruments: 1, quotes: []string{"QQQ 2021-02-12T21:00:02Z regular 336.45 USD", "QQQ 2021-02-16T10:40:56Z pre 338 USD"}},
	"quote/nyf-v2-quote-ADH.json":                {instruments: 1},
	"quote/nyf-v2-quote-APS.AX.json":             {instruments: 1, quotes: []string{"APS.AX 2022-05-02T06:10:26Z regular 0.17 AUD"}},
	"quote/nyf-v2-quote-BTC-USD.json":            {instruments: 1, quotes: []string{"BTC-USD 2022-02-24T08:53:00Z regular 35532.117 USD ~"}},
	"quote/nyf-v2-quote-EURUSD_X.json":           {instruments: 1, quotes: []string{"EURUSD=X 2022-02-24T08:57:36Z regular 1.1244799 USD ~"}},
	"quote/nyf-v2-quote-GC_F.json":               {instruments: 1, quotes: []string{"GC=F 2022-04-27T13:00:23Z regular 1897.2 USD"}},
	"quote/nyf-v2-quote-ORSTED.CO.json":          {instruments: 1, quotes: []string{"ORSTED.CO 2022-02-24T08:57:36Z regular 663.8 DKK"}},
	"quote/nyf-v2-quote-idx-VXAPL.json":          {instruments: 1, quotes: []string{"^VXAPL 2022-02-23T20:59:52Z regular 37.52 USD"}},
	"quote/nyf-v2-quoteCombine-NONEXIST.json":    {},
	"quote/nyf-v2-quote-TSLA-fields-symbol.json": {instruments: 1},
	"quote/nyf-v2-quote-AAPL-BABA.json": {instruments: 2, quotes: []string{
		"AAPL 2022-02-23T21:00:02Z regular 160.07 USD", "AAPL 2022-02-24T00:59:56Z post 159.22 USD",
		"BABA 2022-02-23T21:01:55Z regular 109.72 USD", "BABA 2022-02-24T00:59:57Z post 109.32 USD",
	}},
	"quote/nyf-v2-quoteCombine-AAPL-NONEXIST.json": {instruments: 1, quotes: []string{
		"AAPL 2022-02-23T21:00:02Z regular 160.07 USD", "AAPL 2022-02-24T10:16:17Z pre 155.82 USD",
	}},
	"quote/yfrs-quote_v7_AAPL-MSFT.json": {instruments: 2, quotes: []string{
		"AAPL 2025-10-29T20:00:01Z regular 269.7 USD", "AAPL 2025-10-29T23:59:56Z post 270.75 USD",
		"MSFT 2025-10-29T20:00:01Z regular 541.55 USD", "MSFT 2025-10-29T23:59:59Z post 520 USD",
	}},

	"chart/nyf-v2-chart-AAPL-2024-10-02-to-2024-10-03-includePrePost-false-interval-1m.json": {
		instruments: 1, bars: 389, // 390 minutes of the session, one of them null, and the live element
		first:  "2024-10-02T13:30:00Z 1m 225.89 226.11 225.42 225.7 1205461 USD",
		last:   "2024-10-02T19:59:00Z 1m 226.86 226.9601 226.6901 226.81 546314 USD",
		quotes: []string{"AAPL 2024-10-03T20:00:01Z regular 225.67 USD"},
	},
	"chart/nyf-v2-chart-BEKE-2020-01-01-to-2020-01-03.json":              {failure: `not_found "Data doesn't exist for startDate = 1577836800, endDate = 1578009600" (Bad Request)`},
	"chart/nyf-v2-historical-via-chart-SI-2020-01-01-to-2020-01-03.json": {failure: `not_found "No data found, symbol may be delisted" (Not Found)`},
	"chart/nyf-v2-chart-TSLA-2021-11-22-to-2021-11-23-interval-30m.json": {
		instruments: 1, bars: 30,
		first: "2021-11-22T09:00:00Z 30m 1148.51 1168.8 1147 1168.7 0 USD",
		last:  "2021-11-22T23:30:00Z 30m 1155.19 1159 1153.33 1156.49 0 USD",
	},
	"chart/nyf-v3-chart-AAPL-2020-08-31-to-2020-11-07.json": {
		instruments: 1, bars: 49,
		first:  "2020-08-31T13:30:00Z 1d 127.58 131 126 129.04 225702700 USD",
		last:   "2020-11-06T14:30:00Z 1d 118.32 119.2 116.13 118.69 114457900 USD",
		events: []string{"dividend 2020-11-06T14:30:00Z 0.205 USD :", "split 2020-08-31T13:30:00Z   4:1"},
	},
	"chart/nyf-v3-chart-AAPL-2025-02-01-to-2025-02-02-includePrePost-false-interval-1m.json": {instruments: 1},
	"chart/nyf-v3-chart-BTC-USD-2020-01-01-to-2020-01-03.json": {
		instruments: 1, bars: 3,
		first: "2020-01-01T00:00:00Z 1d 7194.892 7254.3306 7174.9443 7200.1743 18565664997 USD ~",
		last:  "2020-01-03T00:00:00Z 1d 6984.4287 7413.7153 6914.996 7344.8843 28111481032 USD ~",
	},
	"chart/nyf-v3-chart-EURUSD_X-2020-01-01-to-2020-01-03.json": {
		instruments: 1, bars: 3,
		first: "2020-01-01T00:00:00Z 1d 1.1220826 1.1228385 1.1159469 1.1220826 0 USD ~",
		last:  "2020-01-03T00:00:00Z 1d 1.1170813 1.118068 1.1125698 1.1171438 0 USD ~",
	},
	"chart/nyf-v3-chart-OCDO.L-2020-01-01-to-2020-01-03.json": {
		instruments: 1, bars: 1,
		first: "2020-01-02T08:00:00Z 1d 1279.5 1286.57 1258 1259.5 728520 GBp",
		last:  "2020-01-02T08:00:00Z 1d 1279.5 1286.57 1258 1259.5 728520 GBp",
	},
	"chart/nyf-v3-chart-ORSTED.CO-2020-01-01-to-2020-01-03.json": {
		instruments: 1, bars: 1,
		first: "2020-01-02T08:00:00Z 1d 685.8 688.4 677.2 681 340491 DKK",
		last:  "2020-01-02T08:00:00Z 1d 685.8 688.4 677.2 681 340491 DKK",
	},
	"chart/pp-MUV2.DE-2020.json": { // closes alone; one of 124 is null
		instruments: 1, bars: 123,
		first: "2017-11-27T08:00:00Z 1d    188.55 - EUR",
		last:  "2018-05-25T07:00:00Z 1d    188.3 - EUR",
	},
	"chart/pricehist-INR_X-with-null.json": {
		instruments: 1, bars: 3,
		first: "2017-07-09T23:00:00Z 1d 64.6155 64.6155 64.41 64.6117 0 INR",
		last:  "2017-07-12T23:00:00Z 1d 64.468 64.4842 64.34 64.365 0 INR",
	},
	"chart/scheb-noData.json": {instruments: 1},
	"chart/yfrs-history_chart_AAPL.json": {
		instruments: 1, bars: 126,
		first:  "2025-04-30T13:30:00Z 1d 209.3 213.58 206.67 212.5 52286500 USD",
		last:   "2025-10-28T13:30:00Z 1d 268.99 269.89 268.15 269 41534800 USD",
		events: []string{"dividend 2025-05-12T13:30:00Z 0.26 USD :", "dividend 2025-08-11T13:30:00Z 0.26 USD :"},
		quotes: []string{"AAPL 2025-10-29T20:00:01Z regular 269.7 USD"},
	},

	"errors/any-429-edge.txt":                  {failure: `rate_limit "Edge: Too Many Requests" (Too Many Requests)`},
	"errors/quote-400-missing-symbols.json":    {failure: `other "Missing required query parameter=symbols" (Bad Request)`},
	"errors/quote-401-invalid-crumb-2023.json": {failure: `unauthorized "Invalid Crumb" (Unauthorized)`},
	"errors/quote-401-no-access-2026.json":     {failure: `unauthorized "User is unable to access this feature - https://bit.ly/yahoo-finance-api-feedback" (Unauthorized)`},

	"quotesummary/nyf-v2-quoteSummary-assetProfile-ADH.json": {failure: `not_found "No fundamentals data found for any of the summaryTypes=assetProfile" (Not Found)`},
	"quotesummary/nyf-v2-quoteSummary-price-EURUSD_X.json":   {instruments: 1, quotes: []string{"EURUSD=X 2021-04-07T21:33:21Z regular 1.1870846 USD ~"}},

	"search/nyf-v2-search-noOpts.json":    {failure: `other "Missing required query parameter=q" (Bad Request)`},
	"search/nyf-v3-search-EUR.json":       {found: []string{"EURUSD=X EUR/USD", "EURHUF=X EUR/HUF", "EURCHF=X EUR/CHF", "GBPEUR=X GBP/EUR", "EURRUB=X EUR/RUB"}},
	"search/nyf-v3-search-ORSTED.CO.json": {found: []string{"ORSTED.CO Ørsted A/S"}},

	"spark/bradjacobs-v7-AAPL-5d.json": {
		instruments: 1, bars: 5,
		first: "2021-04-27T13:30:00Z 1d    134.39 - USD",
		last:  "2021-05-03T13:30:00Z 1d    132.54 - USD",
	},

	"stream/pb-AAPL-premarket-2026-05.b64": {instruments: 1, quotes: []string{"AAPL 2026-05-22T08:10:22Z pre 305.76 "}},
	"stream/pb-BTC-USD-2025-01.b64":        {instruments: 1, quotes: []string{"BTC-USD 2025-01-10T11:39:00Z regular 94745.08 USD"}},
	"stream/pb-EURUSD_X-2026-08.b64":       {instruments: 1, quotes: []string{"EURUSD=X 2026-08-13T12:03:09Z regular 1.15327 "}},
	"stream/pb-JPY_X-2026-08.b64":          {instruments: 1, quotes: []string{"JPY=X 2026-08-13T12:03:10Z regular 159.355 "}},
	"stream/v1-KRW_X-2024-bid-ask.b64":     {instruments: 1, quotes: []string{"KRW=X 2024-05-16T14:53:09Z regular 1346.86 "}},
	"stream/v1-MSFT-2020-1.b64":            {instruments: 1, quotes: []string{"MSFT 2020-05-15T15:05:23Z regular 177.29 "}},
	"stream/v1-MSFT-2020-2.b64":            {instruments: 1, quotes: []string{"MSFT 2020-05-15T15:00:09Z regular 177.42 "}},
	"stream/v2-DKNG-2026-09.json":          {instruments: 1, quotes: []string{"DKNG 2026-09-02T19:27:09Z regular 24.535 "}},
}

// TestRecorded decodes every recorded answer. One without an expectation here
// must at least be understood.
func TestRecorded(t *testing.T) {
	folder := filepath.Join(testkit.Recorded(t), "yahoo")
	seen := 0
	for _, kind := range []string{"quote", "chart", "search", "errors", "quotesummary", "spark", "stream"} {
		err := filepath.WalkDir(filepath.Join(folder, kind), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			seen++
			name := kind + "/" + filepath.Base(path)
			t.Run(name, func(t *testing.T) { checkRecorded(t, path, name) })
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen < len(recordedAnswers) {
		t.Errorf("%d files found, fewer than the %d that are known", seen, len(recordedAnswers))
	}
}

func checkRecorded(t *testing.T, path, name string) {
	t.Helper()
	body := recordedBody(t, path)
	endpoint, err := Guess(body)
	if err != nil {
		t.Fatal(err)
	}
	o, err := Decode(kurs.Raw{Endpoint: endpoint, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	want, known := recordedAnswers[name]
	if !known {
		t.Logf("understood, not compared: %d quotes, %d bars", len(o.Quotes), len(o.Bars))
		return
	}
	if diff := cmp.Diff(want, read(o), cmp.AllowUnexported(recorded{})); diff != "" {
		t.Error(diff)
	}
}

func read(o kurs.Observed) recorded {
	r := recorded{instruments: len(o.Instruments), bars: len(o.Bars)}
	for _, q := range o.Quotes {
		r.quotes = append(r.quotes, fmt.Sprintf("%s %s %s %s %s", q.Symbol, q.Time.Format(time.RFC3339), q.Session, q.Value, q.Unit)+tilde(q.Approximate))
	}
	line := func(b kurs.Bar) string {
		volume := "-"
		if b.Volume.Known {
			volume = strconv.FormatInt(b.Volume.N, 10)
		}
		return fmt.Sprintf("%s %s %s %s %s %s %s %s", b.Start.Format(time.RFC3339), b.Interval, b.Open, b.High, b.Low, b.Close, volume, b.Unit) + tilde(b.Approximate)
	}
	if n := len(o.Bars); n > 0 {
		r.first, r.last = line(o.Bars[0]), line(o.Bars[n-1])
	}
	for _, e := range o.Events {
		r.events = append(r.events, fmt.Sprintf("%s %s %s %s %s:%s", e.Kind, e.Time.Format(time.RFC3339), e.Amount, e.Unit, e.Numerator, e.Denominator))
	}
	for _, f := range o.Found {
		r.found = append(r.found, f.Symbol+" "+f.Name)
	}
	if o.Failure != nil {
		r.failure = fmt.Sprintf("%s %v", o.Failure.Kind, o.Failure)
	}
	return r
}

func tilde(approximate bool) string {
	if approximate {
		return " ~"
	}
	return ""
}

// recordedBody takes the answer out of a recorder's envelope, where it is in one.
func recordedBody(tb testing.TB, path string) []byte {
	tb.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var envelope struct {
		Response struct {
			BodyJSON       json.RawMessage `json:"bodyJson"`
			Body, BodyText *string
		}
	}
	if !strings.HasPrefix(filepath.Base(path), "nyf-") {
		return content
	}
	if err := json.Unmarshal(content, &envelope); err != nil {
		tb.Fatal(err)
	}
	switch r := envelope.Response; {
	case r.BodyJSON != nil:
		return r.BodyJSON
	case r.Body != nil:
		return []byte(*r.Body)
	case r.BodyText != nil:
		return []byte(*r.BodyText)
	}
	tb.Fatal("an envelope without a body")
	return nil
}
