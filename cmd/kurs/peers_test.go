package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/sqlite"
)

// The tests of this file are mistakes that other programs made with money, each as
// its users told it. They go the whole way: messages as received, the rate book,
// the process stage's own steps, the database, and the views that a user reads.

// story is a database, and what happens to it message by message.
type story struct {
	*pipe
	*database
	worker *worker
	told   int
}

func newStory(t *testing.T) *story {
	t.Helper()
	p := newPipe()
	return &story{pipe: p, database: newDatabase(t), worker: p.worker(t)}
}

// store processes and stores what was said since the last time.
func (s *story) store() {
	s.Helper()
	for _, raw := range s.raws[s.told:] {
		s.worker.learn(raw.FX.Seq)
		s.write(s.worker.work(raw), s.worker.fill())
	}
	s.told = len(s.raws)
}

// want compares the rows of a query.
func (s *story) want(query string, want ...string) {
	s.Helper()
	if got := s.rows(query); !slices.Equal(got, want) {
		s.Errorf("%s:\ngot  %q\nwant %q", query, got, want)
	}
}

// tuesday is ten o'clock on a day on which everything is open.
var tuesday = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func quoteOf(symbol, value, unit string, at time.Time) kurs.Quote {
	return kurs.Quote{Symbol: symbol, Source: madeUp, Time: at, Session: kurs.SessionRegular, Value: kurs.MustDecimal(value), Unit: unit}
}

// quote says a price that is received a second after it was made.
func (s *story) quote(symbol, value, unit string, at time.Time, near ...kurs.Neighbour) {
	s.Helper()
	s.quoteAt(symbol, value, unit, at, at.Add(time.Second), near...)
}

func (s *story) quoteAt(symbol, value, unit string, at, received time.Time, near ...kurs.Neighbour) {
	s.Helper()
	s.say(madeUp, received, kurs.Observed{Quotes: []kurs.Quote{quoteOf(symbol, value, unit, at)}}, near...)
	s.store()
}

// TestAMissingRateIsNever1: neither without any rate, nor where there is one that
// is too old, nor over a weekend that is too long. wealthfolio 1143 (a rate of "1"
// on weekends), we-promise/sure PR 1440 (COALESCE(rate, 1): a Saturday's 100 euros
// are 100 dollars), ghostfolio (?? 1).
func TestAMissingRateIsNever1(t *testing.T) {
	s := newStory(t)
	s.quote("AAPL", "100", "USD", tuesday)
	s.quote("EURDKK=X", "7.46", "DKK", tuesday)
	s.quote("SAP.DE", "100", "EUR", tuesday.Add(11*time.Minute))
	s.quote("SAP.DE", "100", "EUR", tuesday.Add(4*24*time.Hour)) // Saturday
	s.want("SELECT symbol, price_native, fx_rate, price_base FROM v_quotes ORDER BY symbol, time", "AAPL|100||", "SAP.DE|100||", "SAP.DE|100||")
}

// TestAHoleIsNeverFilledWithALaterRate, at once or when it comes. monize 1390 (285
// days valued with a rate of the future), we-promise/sure PR 1827, ghostfolio
// (fills each hole from the newest day backwards), Portfolio Performance (before
// the first rate the first one).
func TestAHoleIsNeverFilledWithALaterRate(t *testing.T) {
	s := newStory(t)
	s.quote("DKK=X", "6.3", "DKK", tuesday.Add(-time.Hour))
	s.quote("AAPL", "100", "USD", tuesday)
	s.quote("DKK=X", "6.5", "DKK", tuesday.Add(time.Second))
	s.quote("DKK=X", "6.6", "DKK", tuesday.Add(time.Hour))
	s.want("SELECT price_base FROM v_quotes", "")
	s.quoteAt("DKK=X", "6.4", "DKK", tuesday.Add(-time.Minute), tuesday.Add(2*time.Hour)) // of its time, told later
	s.want("SELECT price_base, fx_rate, round(time - fx_time) FROM v_quotes", "640|6.4|60")
}

// TestTheNearestRateByClockIsNotTaken where it is a later one. GnuCash PR 1493
// (the nearest by the clock, of the wrong day).
func TestTheNearestRateByClockIsNotTaken(t *testing.T) {
	s := newStory(t)
	s.quote("DKK=X", "6.3", "DKK", tuesday.Add(-9*time.Minute))
	s.quote("DKK=X", "6.5", "DKK", tuesday.Add(time.Second))
	s.quoteAt("AAPL", "100", "USD", tuesday, tuesday.Add(time.Minute))
	s.want("SELECT price_base, fx_rate FROM v_quotes", "630|6.3")
}

// TestAnAmountIsNeverLeftUnconvertedUnderTheNewCurrencysName: in no view and in no
// row that is exported. we-promise/sure PR 1818 (the raw price where conversion
// fails), suivi-bourse 666 (sums euros and dollars), achannarasappa/ticker.
func TestAnAmountIsNeverLeftUnconvertedUnderTheNewCurrencysName(t *testing.T) {
	s := newStory(t)
	s.quote("AAPL", "100", "USD", tuesday)
	s.quote("X", "100", "", tuesday) // of a unit that nobody told
	s.want("SELECT count(*), count(price_base), count(fx_rate) FROM v_quotes WHERE currency_base = 'DKK'", "2|0|0")
	s.want("SELECT count(*), count(price_base) FROM v_latest", "2|0")
	r, err := sqlite.OpenReader(t.Context(), s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	err = r.Quotes(t.Context(), sqlite.Filter{}, func(row kurs.Row) error {
		text, err := json.Marshal(row)
		if row.PriceBase.Known() || strings.Contains(string(text), "price_base") {
			t.Errorf("exported: %s", text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOneDuplicateDoesNotDropTheBatch: of 500 prices of which one is stored
// already, 499 are new. cryptofeed backends/postgres.py (a unique violation ends
// the batch, silently).
func TestOneDuplicateDoesNotDropTheBatch(t *testing.T) {
	s := newStory(t)
	s.quote("S250", "2.5", "DKK", tuesday)
	var all []kurs.Quote
	for i := range 500 {
		all = append(all, quoteOf(fmt.Sprintf("S%03d", i), "2.5", "DKK", tuesday))
	}
	all[7] = all[6] // and one that is twice in the batch itself
	s.say(madeUp, tuesday.Add(time.Minute), kurs.Observed{Quotes: all})
	s.store()
	s.want("SELECT count(*), count(DISTINCT symbol) FROM v_quotes", "499|499")
	s.want("SELECT count(*) FROM v_versions", "499")
}

// TestARepairNeverChangesTheUnit: a price that a person repairs is in the unit that
// it came in, and stays as it came beside it; without a person nothing is repaired.
// yfinance 2866 (the repair itself turned pence into pounds), wealthfolio 639.
func TestARepairNeverChangesTheUnit(t *testing.T) {
	s := newStory(t)
	pence := kurs.Neighbour{Unit: "GBp", Value: kurs.MustDecimal("88.4"), Time: tuesday}
	s.quote("GBPDKK=X", "8.5", "DKK", tuesday)
	s.quote("VOD.L", "0.884", "GBp", tuesday, pence)
	s.quote("VOD.L", "0.885", "GBP", tuesday.Add(time.Minute), pence)
	s.want("SELECT count(*) FROM v_quotes", "0")
	s.want("SELECT price_native, unit, reason, state FROM v_quarantine ORDER BY time", "0.884|GBp|hundredfold|waiting", "0.885|GBP|unit changed|waiting")
	for _, b := range slices.Clone(s.raws) {
		if seen := s.said[string(b.Body)]; len(seen.Quotes) > 0 && seen.Quotes[0].Symbol == "VOD.L" && seen.Quotes[0].Unit == "GBp" {
			of := s.worker.work(b).SetAside[0]
			s.say(kurs.SourceUser, tuesday.Add(time.Hour), kurs.Observed{Decisions: []kurs.Decision{{
				Of: of, Action: kurs.ActionKeep, Factor: kurs.Int(100), Author: "anna", Comment: "pounds",
			}}})
		}
	}
	s.store()
	s.want("SELECT price_native, unit, factor, price_base FROM v_quotes", "88.4|GBp|0.01|7.514")
	s.want("SELECT price_native, unit, state, factor, author FROM v_quarantine ORDER BY time", "0.884|GBp|kept|100|anna", "0.885|GBP|waiting||")
}

// chart is a chart as Yahoo answers it.
func (s *story) chart(received time.Time, symbol, unit, zone, interval string, near kurs.Neighbour, bars [][5]float64) {
	s.Helper()
	var times []int64
	columns := [4][]float64{}
	for _, b := range bars {
		times = append(times, int64(b[0]))
		for i := range columns {
			columns[i] = append(columns[i], b[i+1])
		}
	}
	body, err := json.Marshal(map[string]any{"chart": map[string]any{"error": nil, "result": []any{map[string]any{
		"meta": map[string]any{
			"symbol": symbol, "currency": unit, "instrumentType": "EQUITY", "exchangeName": "XXX", "exchangeTimezoneName": zone, "dataGranularity": interval,
		},
		"timestamp":  times,
		"indicators": map[string]any{"quote": []any{map[string]any{"open": columns[0], "high": columns[1], "low": columns[2], "close": columns[3]}}},
	}}}})
	if err != nil {
		s.Fatal(err)
	}
	raw := kurs.Raw{Endpoint: kurs.EndpointChart, Asked: []string{symbol}, Received: received, Body: body}
	if near.Known() {
		raw.Neighbours = []kurs.Neighbour{near}
	}
	if err := s.emit(s.Context(), raw, kurs.CarriesPrices); err != nil {
		s.Fatal(err)
	}
	s.store()
}

// stamp is a time as a chart has it.
func stamp(t time.Time) float64 { return float64(t.Unix()) }

// TestACloseBeforeTheCloseIsNoFinalBar: a day that is not over has no bar yet.
// yahooquery 36 (a "close" before the close), yfinance-cache 101.
func TestACloseBeforeTheCloseIsNoFinalBar(t *testing.T) {
	s := newStory(t)
	day := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	before := [5]float64{stamp(day.AddDate(0, 0, -1)), 310, 312, 309, 311}
	s.chart(day.Add(4*time.Hour), "NOVO-B.CO", "DKK", "Europe/Copenhagen", "1d", kurs.Neighbour{}, [][5]float64{before, {stamp(day), 311, 313, 311, 313}})
	s.want("SELECT time_iso, close_native FROM v_bars", "2026-11-23T08:00:00.000Z|311")
	s.chart(day.Add(24*time.Hour), "NOVO-B.CO", "DKK", "Europe/Copenhagen", "1d", kurs.Neighbour{}, [][5]float64{before, {stamp(day), 311, 314, 309, 310}})
	s.want("SELECT time_iso, close_native FROM v_bars ORDER BY time", "2026-11-23T08:00:00.000Z|311", "2026-11-24T08:00:00.000Z|310")
	s.want("SELECT count(*) FROM v_bar_versions", "2")
}

// TestTheDayIsTheExchangesDay: the instant of a session's bar and the exchange's
// zone are stored, so that the day is neither UTC's nor the reader's. suivi-bourse
// 1013 (every close a day early, exact to the cent), beanprice 46, yahooquery 128.
func TestTheDayIsTheExchangesDay(t *testing.T) {
	for _, c := range []struct{ symbol, zone, opens, day string }{
		{"BHP.AX", "Australia/Sydney", "2026-11-23T23:00:00Z", "2026-11-24"},
		{"7203.T", "Asia/Tokyo", "2026-11-24T00:00:00Z", "2026-11-24"},
		{"AAPL", "America/New_York", "2026-11-24T14:30:00Z", "2026-11-24"},
		{"NOVO-B.CO", "Europe/Copenhagen", "2026-10-23T07:00:00Z", "2026-10-23"}, // the last day of summer time
		{"DSV.CO", "Europe/Copenhagen", "2026-10-26T08:00:00Z", "2026-10-26"},    // the first of winter
	} {
		s := newStory(t)
		opens, err := time.Parse(time.RFC3339, c.opens)
		if err != nil {
			t.Fatal(err)
		}
		s.chart(opens.AddDate(0, 0, 2), c.symbol, "DKK", c.zone, "1d", kurs.Neighbour{}, [][5]float64{{stamp(opens), 5, 5, 5, 5}})
		rows := s.rows("SELECT time_iso, time_zone FROM v_bars JOIN v_instruments USING (symbol)")
		if len(rows) != 1 {
			t.Fatalf("%s: %d bars", c.symbol, len(rows))
		}
		iso, zone, _ := strings.Cut(rows[0], "|")
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339Nano, iso)
		if err != nil || !at.Equal(opens) || at.In(location).Format(time.DateOnly) != c.day {
			t.Errorf("%s: %s in %s is not %s, %v", c.symbol, iso, zone, c.day, err)
		}
	}
}

// TestSplitsDoNotCutTheStoredHistory: a provider that counts the past in new shares
// does not rewrite ours; both are kept. Equibles 2879, pySecMaster 6.
func TestSplitsDoNotCutTheStoredHistory(t *testing.T) {
	s := newStory(t)
	day := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	bar := func(value string) kurs.Bar {
		return kurs.Bar{Symbol: "DSV.CO", Source: madeUp, Start: day, Interval: "1d", Unit: "DKK", Close: kurs.MustDecimal(value)}
	}
	s.say(madeUp, day.AddDate(0, 0, 2), kurs.Observed{Bars: []kurs.Bar{bar("1400")}})
	s.say(madeUp, day.AddDate(0, 0, 6), kurs.Observed{Bars: []kurs.Bar{bar("350")}, Events: []kurs.Event{{
		Kind: kurs.EventSplit, Symbol: "DSV.CO", Source: madeUp, Time: day.AddDate(0, 0, 5), Numerator: kurs.Int(4), Denominator: kurs.Int(1),
	}}})
	s.store()
	s.want("SELECT close_native, rewritten FROM v_bars", "1400|0")
	s.want("SELECT close_native, shown, rewritten FROM v_bar_versions ORDER BY received_iso", "1400|1|0", "350|0|1")
}

// TestACorrectionOutlivesARefresh, and what the provider says meanwhile is kept
// beside it; taken back, that shows. hoard 97, ghostfolio 2965.
func TestACorrectionOutlivesARefresh(t *testing.T) {
	s := newStory(t)
	right := kurs.Price{Quote: quoteOf("DSV.CO", "1402.5", "DKK", tuesday)}
	s.quote("DSV.CO", "1420.5", "DKK", tuesday)
	s.say(kurs.SourceUser, tuesday.Add(time.Hour), kurs.Observed{Corrections: []kurs.Correction{{Price: right, Author: "anna", Reason: "digits swapped"}}})
	for i, refresh := range []string{"1420.5", "1421", "1420.5"} {
		s.quoteAt("DSV.CO", refresh, "DKK", tuesday, tuesday.Add(time.Duration(i+2)*time.Hour))
		s.want("SELECT price_native, price_base, corrected_by, correction FROM v_quotes", "1402.5|1402.5|anna|digits swapped")
	}
	s.want("SELECT price_native, origin, shown FROM v_versions ORDER BY received_iso", "1420.5|poll|0", "1402.5|correction|1", "1421|poll|0", "1420.5|poll|0")
	right.Value = kurs.Decimal{}
	s.say(kurs.SourceUser, tuesday.Add(9*time.Hour), kurs.Observed{Corrections: []kurs.Correction{{Price: right, Author: "anna", Undo: true}}})
	s.store()
	s.want("SELECT price_native, price_base, corrected_by FROM v_quotes", "1420.5|1420.5|")
}

// TestARenamedSymbolHasOneHistory, under either name. ghostfolio 6605, paisa 152.
func TestARenamedSymbolHasOneHistory(t *testing.T) {
	s := newStory(t)
	renamed := tuesday.AddDate(0, 0, -7)
	s.quote("FB", "2", "DKK", renamed.Add(-time.Hour))
	s.quote("META", "3", "DKK", renamed.Add(time.Hour))
	s.say(kurs.SourceUser, tuesday, kurs.Observed{Aliases: []kurs.Alias{{Symbol: "META", Was: "FB", Until: renamed, Author: "anna"}}})
	s.store()
	s.want("SELECT symbol, instrument, price_native FROM v_quotes ORDER BY time", "FB|META|2", "META|META|3")
	s.history("META", "2", "3")
}

// history is what a user gets who asks for a symbol's prices.
func (s *story) history(symbol string, want ...string) {
	s.Helper()
	r, err := sqlite.OpenReader(s.Context(), s.path)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = r.Close() }() // it was only read
	var got []string
	err = r.Quotes(s.Context(), sqlite.Filter{Symbols: []string{symbol}}, func(row kurs.Row) error {
		got = append(got, row.PriceNative.String())
		return nil
	})
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		s.Errorf("history of %s: %q, want %q, %v", symbol, got, want, err)
	}
}

// TestARecycledSymbolIsTwoInstruments: who gets a symbol after another has left it
// does not get the other's past. polygon 64, IEX 479.
func TestARecycledSymbolIsTwoInstruments(t *testing.T) {
	s := newStory(t)
	left, taken := tuesday.AddDate(0, 0, -7), tuesday.AddDate(0, 0, -3)
	s.quote("FB", "2", "DKK", left.Add(-time.Hour))
	s.quote("META", "3", "DKK", left.Add(time.Hour))
	s.say(kurs.SourceUser, left.Add(2*time.Hour), kurs.Observed{Aliases: []kurs.Alias{{Symbol: "META", Was: "FB", Until: left, Author: "anna"}}})
	s.quote("FB", "90", "DKK", taken) // an ETF, say
	s.want("SELECT symbol, instrument, price_native FROM v_quotes ORDER BY time", "FB|META|2", "META|META|3", "FB|FB|90")
	s.history("META", "2", "3")
	s.history("FB", "90")
}

// TestRecordedMistakesOfUnits: what Yahoo answered, as yfinance recorded it for its
// own repair. Every bar that is wrong is set aside, and no right one is.
func TestRecordedMistakesOfUnits(t *testing.T) {
	for _, c := range []struct {
		file, symbol, interval string
		near                   kurs.Neighbour
		right                  func(c string) bool
		bars, aside            int
	}{
		{ // Afentra cost 14.55 pence; most days are told in pounds, which only who knows the price can see
			"yf-AET-L-1d-100x-error.csv", "AET.L", "1d",
			kurs.Neighbour{Unit: "GBp", Value: kurs.MustDecimal("14.55"), Time: time.Date(2022, 6, 7, 8, 0, 0, 0, time.UTC)},
			func(c string) bool { return strings.HasPrefix(c, "14.55") }, 23, 14,
		},
		{ // one hour ends in pounds that began in pence; the other hours tell
			"yf-ASAI-L-1h-bad-unit.csv", "ASAI.L", "1h",
			kurs.Neighbour{},
			func(c string) bool { return !strings.HasPrefix(c, "0.6") }, 20, 1,
		},
	} {
		t.Run(c.symbol, func(t *testing.T) {
			file, err := os.Open(filepath.Join(testkit.Recorded(t), "yahoo", "bars", c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = file.Close() }() // it was only read
			lines, err := csv.NewReader(file).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			var bars [][5]float64
			want := map[bool][]string{}
			for _, line := range lines[1:] {
				at, err := time.Parse("2006-01-02 15:04:05-07:00", line[0])
				if err != nil {
					t.Fatal(err)
				}
				bar := [5]float64{stamp(at)}
				for i := range 4 {
					if bar[i+1], err = strconv.ParseFloat(line[i+1], 64); err != nil {
						t.Fatal(err)
					}
				}
				bars = append(bars, bar)
				want[c.right(line[4])] = append(want[c.right(line[4])], at.UTC().Format("2006-01-02T15:04:05.000Z"))
			}
			slices.SortFunc(bars, func(a, b [5]float64) int { return int(a[0] - b[0]) })
			slices.Sort(want[true])
			slices.Sort(want[false])
			if len(bars) != c.bars || len(want[false]) != c.aside {
				t.Fatalf("%d bars, %d of them wrong: not the file that was meant", len(bars), len(want[false]))
			}
			s := newStory(t)
			s.chart(tuesday, c.symbol, "GBp", "Europe/London", c.interval, c.near, bars)
			s.want("SELECT time_iso FROM v_bars ORDER BY time", want[true]...)
			s.want("SELECT time_iso FROM v_quarantine WHERE reason = 'hundredfold' AND state = 'waiting' ORDER BY time", want[false]...)
			s.want("SELECT count(*) FROM v_quarantine", strconv.Itoa(c.aside))
		})
	}
}
