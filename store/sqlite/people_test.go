package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"kurs"
	"kurs/store/sqlite"
)

// TestWhatIsSetAsideAgainIsAsItCameFirst, whatever came first here, to every detail:
// a price that is kept is made of these.
func TestWhatIsSetAsideAgainIsAsItCameFirst(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	aside := func(source string, received time.Time, counter uint64) kurs.SetAside {
		return kurs.SetAside{Kind: kurs.AsideQuote, Reason: kurs.ReasonJump, Detail: source, Price: kurs.Price{
			Quote: kurs.Quote{
				Symbol: "VOD.L", Source: "yahoo", Time: noon, Session: kurs.SessionRegular, Value: kurs.Int(8842), Unit: "GBp",
				Bid: kurs.Int(int64(counter)), Volume: kurs.Volume{N: int64(counter), Known: true},
			},
			Receipt: kurs.Receipt{Received: received, Raw: kurs.RawID{Source: source, Run: "r", Counter: counter}},
			Conversion: kurs.Conversion{Currency: "GBP", Factor: kurs.MustDecimal("0.01"), BaseCurrency: "DKK", Rate: kurs.Rate{
				Pair: kurs.Pair{From: "GBP", To: "DKK"}, Value: kurs.Int(int64(counter)), Time: noon, Source: "yahoo",
			}},
		}}
	}
	first, others := aside("a", noon, 7), []kurs.SetAside{aside("a", noon, 8), aside("b", noon, 6), aside("a", noon.Add(time.Second), 5)}
	for i, other := range others {
		for _, order := range [][]kurs.SetAside{{first, other}, {other, first}, {other, first, other}} {
			path := filepath.Join(t.TempDir(), "kurs.db")
			s := open(t, path)
			for _, a := range order {
				batch := kurs.Batch{Raws: []kurs.RawID{a.Raw}, BaseCurrency: "DKK", SetAside: []kurs.SetAside{a}}
				if err := s.Write(t.Context(), kurs.Group{Batches: []kurs.Batch{batch}}); err != nil {
					t.Fatal(err)
				}
			}
			rows := 0
			err := sqlite.QueryAll(t.Context(), path, map[string]func(sqlite.Columns){
				"SELECT bid, volume, fx_rate, counter, detail FROM quarantine": func(c sqlite.Columns) {
					rows++
					if c.Decimal(0) != kurs.Int(7) || c.Volume(1).N != 7 || c.Decimal(2) != kurs.Int(7) || c.Volume(3).N != 7 || c.Text(4) != "a" {
						t.Errorf("%d: %s %d %s %d %s", i, c.Decimal(0), c.Volume(1).N, c.Decimal(2), c.Volume(3).N, c.Text(4))
					}
				},
			})
			if err != nil || rows != 1 {
				t.Errorf("%d rows, %v", rows, err)
			}
		}
	}
}
