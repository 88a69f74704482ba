package reading_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/reading"
)

// price is a row of "15:30:00 189.95 1216.25 [volume [unit]]"; a dash is unknown.
func price(t *testing.T, day time.Time, line string) kurs.Row {
	t.Helper()
	fields := strings.Fields(line)
	at, err := time.Parse(time.TimeOnly, fields[0])
	if err != nil {
		t.Fatal(err)
	}
	r := kurs.Row{
		Symbol: "A", Time: day.Add(time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second),
		PriceNative: kurs.MustDecimal(fields[1]), Unit: "USD", CurrencyNative: "USD", Factor: kurs.Int(1), CurrencyBase: "DKK",
		Session: kurs.SessionRegular,
	}
	r.ReceivedISO = r.Time
	if fields[2] != "-" {
		r.PriceBase = kurs.MustDecimal(fields[2])
	}
	if len(fields) > 3 {
		var n int64
		if _, err := fmt.Sscan(fields[3], &n); err != nil {
			t.Fatal(err)
		}
		r.Volume = &n
	}
	if len(fields) > 4 {
		r.Unit, r.CurrencyNative = fields[4], "GBP"
		if r.Unit == "GBp" {
			r.Factor = kurs.MustDecimal("0.01")
		}
	}
	return r
}

func text(b kurs.BarRow) string {
	volume := "-"
	if b.Volume != nil {
		volume = strconv.FormatInt(*b.Volume, 10)
	}
	out := fmt.Sprintf("%s %s %s/%s/%s/%s %s/%s/%s/%s %s of %d", b.Time.Format("02 15:04"), b.Unit, b.OpenNative, b.HighNative, b.LowNative, b.CloseNative,
		b.OpenBase, b.HighBase, b.LowBase, b.CloseBase, volume, b.Prices)
	if b.Unfinished {
		out += " unfinished"
	}
	return out
}

var tuesday = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func TestBars(t *testing.T) {
	for _, c := range []struct {
		name, interval, zone string
		prices               []string
		want                 []string
	}{
		{
			"the highest in the currency is another moment's", "1m", "UTC",
			[]string{"15:30:00 10 65", "15:30:20 11 66", "15:30:40 10.5 67", "15:31:00 10 64"},
			[]string{"24 15:30 USD 10/11/10/10.5 65/67/65/67 - of 3", "24 15:31 USD 10/10/10/10 64/64/64/64 - of 1"},
		},
		{
			"a price that waits for a rate", "5m", "UTC",
			[]string{"15:30:00 10 65", "15:31:00 9 -", "15:35:00 9 63"},
			[]string{"24 15:30 USD 10/10/9/9 /// - of 2", "24 15:35 USD 9/9/9/9 63/63/63/63 - of 1"},
		},
		{
			"volume is what was traded meanwhile", "1m", "UTC",
			[]string{"15:30:00 10 65 1000", "15:30:30 10 65 1500", "15:31:10 10 65 1500", "15:31:50 10 65 1700", "15:32:00 10 65"},
			[]string{"24 15:30 USD 10/10/10/10 65/65/65/65 - of 2", "24 15:31 USD 10/10/10/10 65/65/65/65 200 of 2", "24 15:32 USD 10/10/10/10 65/65/65/65 0 of 1"},
		},
		{
			"a day is the exchange's", "1d", "Asia/Tokyo", // 00:00 in Tokyo is 15:00 in UTC
			[]string{"01:00:00 10 65 500", "14:59:59 12 70 900", "15:00:00 11 66 30"},
			[]string{"23 15:00 USD 10/12/10/12 65/70/65/70 900 of 2", "24 15:00 USD 11/11/11/11 66/66/66/66 30 of 1 unfinished"},
		},
		{
			"pence and pounds in one bar", "1h", "UTC",
			[]string{"09:00:00 72.5 6.2 5 GBp", "09:10:00 0.73 6.3 9 GBP", "09:20:00 71 6.1 9 GBp"},
			[]string{"24 09:00 GBP 0.725/0.73/0.71/0.71 6.2/6.3/6.1/6.1 - of 3"},
		},
		{"nothing", "1mo", "UTC", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			interval, err := reading.ParseInterval(c.interval)
			if err != nil {
				t.Fatal(err)
			}
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			b := reading.Builder{Interval: interval, Zone: zone, Now: tuesday.Add(24 * time.Hour), Yield: func(b kurs.BarRow) error {
				got = append(got, text(b))
				return nil
			}}
			for _, line := range c.prices {
				if err := b.Add(price(t, tuesday, line)); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Flush(); err != nil {
				t.Fatal(err)
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestWeeksAndMonths also goes over a change of the clocks: the last Sunday of
// October has 25 hours in Copenhagen.
func TestWeeksAndMonths(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		interval string
		want     string
	}{
		{"1d", "2026-10-23T22:00 2026-10-24T22:00 2026-10-25T23:00 2026-10-30T23:00 2026-10-31T23:00"},
		{"1wk", "2026-10-18T22:00 2026-10-25T23:00"},
		{"1mo", "2026-09-30T22:00 2026-10-31T23:00"},
	} {
		interval, err := reading.ParseInterval(c.interval)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		b := reading.Builder{Interval: interval, Zone: zone, Yield: func(b kurs.BarRow) error {
			got = append(got, b.Time.Format("2006-01-02T15:04"))
			return nil
		}}
		for _, at := range []string{"2026-10-24T12:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z", "2026-10-31T12:00:00Z", "2026-10-31T23:30:00Z"} {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Add(kurs.Row{Symbol: "A", Time: when, PriceNative: kurs.Int(1)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Flush(); err != nil {
			t.Fatal(err)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s, want %s", c.interval, s, c.want)
		}
	}
	if _, err := reading.ParseInterval("7m"); err == nil {
		t.Error("7m is taken for an interval")
	}
}

// TestADayThatBeginsAtOne: clocks go forward at midnight in Santiago.
func TestADayThatBeginsAtOne(t *testing.T) {
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	interval, err := reading.ParseInterval("1d")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	b := reading.Builder{Interval: interval, Zone: zone, Yield: func(b kurs.BarRow) error {
		got = append(got, b.Time.Format("02T15:04")+" "+strconv.FormatInt(b.Prices, 10))
		return nil
	}}
	for _, at := range []string{"2026-09-06T03:00:00Z", "2026-09-06T03:30:00Z", "2026-09-06T04:00:00Z", "2026-09-06T12:00:00Z", "2026-09-07T02:59:59Z"} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(kurs.Row{Symbol: "A", Time: when, PriceNative: kurs.Int(1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(got, ", "); s != "05T04:00 2, 06T04:00 3" {
		t.Errorf("got %s", s)
	}
}

// TestVolumeOfBarsOfTwoCurrencies: each has what was traded while it was made.
func TestVolumeOfBarsOfTwoCurrencies(t *testing.T) {
	interval, err := reading.ParseInterval("1h")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	b := reading.Builder{Interval: interval, Yield: func(b kurs.BarRow) error {
		got = append(got, text(b))
		return nil
	}}
	for _, line := range []string{"08:00:00 1 1 100", "09:00:00 1 1 100", "09:10:00 1 1 200", "09:20:00 1 1 250 GBP", "09:30:00 1 1 300 GBP"} {
		if err := b.Add(price(t, tuesday, line)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || !strings.Contains(got[1], " 100 of 2") || !strings.Contains(got[2], " 100 of 2") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}
