package reading_test

import (
	"testing"
	"time"

	"kurs"
	"kurs/reading"
)

func split(symbol string, at time.Time, numerator, denominator int64) kurs.Event {
	return kurs.Event{Kind: kurs.EventSplit, Symbol: symbol, Time: at, Numerator: kurs.Int(numerator), Denominator: kurs.Int(denominator)}
}

func TestSplits(t *testing.T) {
	var s reading.Splits
	for _, e := range []kurs.Event{
		split("A", noon, 4, 1), split("A", noon, 4, 1), // two answers tell of it
		split("A", noon.Add(48*time.Hour), 1, 3), // a reverse split
		{Kind: kurs.EventDividend, Symbol: "A", Time: noon.Add(time.Hour), Amount: kurs.Int(1)},
		{Kind: kurs.EventSplit, Symbol: "A", Time: noon.Add(72 * time.Hour)}, // that cannot be
	} {
		if err := s.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, symbol, instrument string
		at                       time.Time
		want, factor             string
	}{
		{"before both", "A", "", noon.Add(-time.Second), "75", "0.75"},
		{"at the first: in the new shares already", "A", "", noon, "300", "3"},
		{"after both", "A", "", noon.Add(49 * time.Hour), "100", ""},
		{"another's", "B", "", noon.Add(-time.Second), "100", ""},
		{"under an earlier name", "OLD", "A", noon.Add(-time.Second), "75", "0.75"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := row("USD", "100", c.at)
			r.Symbol, r.Instrument, r.Bid = c.symbol, c.instrument, kurs.Int(100)
			if err := s.Row(&r); err != nil {
				t.Fatal(err)
			}
			if r.PriceNative.String() != c.want || r.Bid.String() != c.want || r.SplitFactor.String() != c.factor || r.Ask.Known() {
				t.Errorf("got %s, bid %s, times %s; want %s times %s", r.PriceNative, r.Bid, r.SplitFactor, c.want, c.factor)
			}
		})
	}
}

// TestSplitsOfBars: one that the provider has rewritten counts in the shares of
// when it was received.
func TestSplitsOfBars(t *testing.T) {
	var s reading.Splits
	if err := s.Add(split("A", noon, 4, 1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(split("A", noon.Add(48*time.Hour), 2, 1)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		received  time.Time
		rewritten bool
		want      string
	}{
		{"as it was seen before both", noon.Add(-time.Minute), false, "12.5"},
		{"rewritten after the first", noon.Add(time.Hour), true, "50"},
		{"rewritten after both", noon.Add(49 * time.Hour), true, "100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := kurs.BarRow{Symbol: "A", Time: noon.Add(-time.Hour), ReceivedISO: c.received, Rewritten: c.rewritten, CloseNative: kurs.Int(100)}
			if err := s.Bar(&b); err != nil {
				t.Fatal(err)
			}
			if b.CloseNative.String() != c.want || b.OpenNative.Known() {
				t.Errorf("got %s, want %s", b.CloseNative, c.want)
			}
		})
	}
}
