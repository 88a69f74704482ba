package wire

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kurs"
	"kurs/internal/testkit"
)

// ways are the ways that a price takes through a float32 into a value: widened in a
// chart or spark, printed in a quote, as four bytes in the stream.
func ways(t *testing.T, price kurs.Decimal) [3]value {
	t.Helper()
	narrow, err := strconv.ParseFloat(price.String(), 32)
	if err != nil {
		t.Fatal(err)
	}
	return [3]value{
		widened(strconv.AppendFloat(nil, narrow, 'f', -1, 64)), quoted(strconv.AppendFloat(nil, narrow, 'f', -1, 32)), fromFloat32(float32(narrow)),
	}
}

// TestWhatIsNotMarkedIsExact: every price of 6 digits comes back from a float32 to
// the last digit, by every way. So does every one of 7 digits in nearly all
// decades, and nothing is marked; in the few where a float32 is coarser than 7
// digits, as just below 0.001, what still has 7 of them and may be another is.
//
// Each decade is tried at random, and thickly on both sides of every power of two,
// where the floats become coarser and where it goes wrong first.
func TestWhatIsNotMarkedIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for decade := -9; decade <= 12; decade++ { // of the leading digit
		coarse := decade == -7 || decade == -4 || decade >= 9 && decade%3 == 0
		marked := 0
		try := func(coef int64) {
			if coef < 1_000_000 || coef > 9_999_999 {
				return
			}
			for _, c := range []int64{coef, coef / 10 * 10} {
				price, err := kurs.NewDecimal(c, decade-6)
				if err != nil {
					t.Fatal(err)
				}
				for way, v := range ways(t, price) {
					switch lost := v.Decimal != price; {
					case v.approximate && price.Digits() == 7 && coarse:
						marked++
					case v.approximate:
						t.Fatalf("%s is marked by the way %d", v, way)
					case lost && (!coarse || price.Digits() < 7 || v.Digits() == 7):
						t.Fatalf("%s became %s by the way %d, and is not marked", price, v, way)
					}
				}
			}
		}
		for range 10_000 {
			try(1_000_000 + random.Int64N(9_000_000))
		}
		low := math.Pow10(decade)
		for e := math.Ceil(math.Log2(low)); math.Exp2(e) < 10*low; e++ {
			edge := int64(math.Exp2(e) / low * 1e6)
			for i := int64(-1000); i < 1000; i++ {
				try(edge + i)
			}
		}
		if (marked > 0) != coarse {
			t.Errorf("%d prices from 1e%d on are marked", marked, decade)
		}
	}
}

// TestEveryPriceBelowAHundredThousand of two decimals is exact, and so is every one
// of three below ten thousand and of four below a thousand.
func TestEveryPriceBelowAHundredThousand(t *testing.T) {
	step := int64(1)
	if testing.Short() {
		step = 97
	}
	for decimals := 2; decimals <= 4; decimals++ {
		for coef := int64(1); coef < 10_000_000; coef += step * 7 {
			price, err := kurs.NewDecimal(coef, -decimals)
			if err != nil {
				t.Fatal(err)
			}
			if v := fromFloat32(float32(price.Float64())); v.Decimal != price || v.approximate {
				t.Fatalf("%s became %s", price, show(v))
			}
		}
	}
}

// TestFromEightDigitsOnTheInformationIsGone, and the price is marked: a decade
// above, two thirds of all prices come back as another.
func TestFromEightDigitsOnTheInformationIsGone(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for decimals := 2; decimals <= 4; decimals++ {
		wrong, n := 0, 50_000
		for range n {
			price, err := kurs.NewDecimal(10_000_000+random.Int64N(90_000_000), -decimals)
			if err != nil {
				t.Fatal(err)
			}
			if price.Digits() < 8 {
				continue
			}
			v := fromFloat32(float32(price.Float64()))
			if v.Decimal != price {
				wrong++
			}
			if v.Digits() >= 8 && !v.approximate {
				t.Fatalf("%s became %s, which is not marked", price, v)
			}
		}
		if share := float64(wrong) / float64(n); share < 0.5 || share > 0.8 {
			t.Errorf("%d decimals: %.1f %% are wrong", decimals, 100*share)
		}
	}
}

// TestDoublesStay: what was a binary64 at Yahoo is what it was.
func TestDoublesStay(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 100_000 {
		price, err := kurs.NewDecimal(1+random.Int64N(99_999_999_999_999), -random.IntN(9))
		if err != nil {
			t.Fatal(err)
		}
		token := strconv.AppendFloat(nil, price.Float64(), 'f', -1, 64)
		if v := quoted(token); v.Decimal != price {
			t.Fatalf("quote: %s became %s", token, v)
		}
		if f := price.Float64(); float64(float32(f)) == f {
			continue // restored, to the same digits or fewer
		}
		if v := widened(token); v.Decimal != price || v.approximate {
			t.Fatalf("chart: %s became %s", token, show(v))
		}
	}
}

// TestRecordedBarsOfAllKinds: what others recorded of Yahoo's charts has as many
// decimals as the instrument trades at once its tails are gone, and what is a
// double to the last bit stays.
func TestRecordedBarsOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		file        string
		decimals    int // at most
		approximate bool
	}{
		{"zj-AAPL-1m.csv", 4, false},
		{"zj-NVO-1m.csv", 6, true}, // has averages, which end nowhere
		{"zj-SPY-1m.csv", 4, false},
		{"yf-AET-L-1d-100x-error.csv", 4, false},
		{"yf-ASAI-L-1h-bad-unit.csv", 15, false}, // its recorder cut some to 15 digits: no float32 any more
		{"ra-EURUSD_X-1m.csv", 5, false},         // rounded by who recorded them
		{"ra-USDJPY_X-1m.csv", 5, false},
		{"zj-BTC-USD-1m.csv", 12, true}, // doubles of up to 17 digits, none of them a float32
	} {
		t.Run(c.file, func(t *testing.T) {
			prices := 0
			for _, token := range recordedPrices(t, c.file) {
				prices++
				v := widened([]byte(token))
				if _, exp := v.Parts(); !v.Known() || -exp > c.decimals || v.approximate && !c.approximate {
					t.Fatalf("%s became %s", token, show(v))
				}
				f, err := strconv.ParseFloat(token, 64)
				if err != nil {
					t.Fatal(err)
				}
				if float64(float32(f)) == f {
					if back, err := strconv.ParseFloat(v.String(), 32); err != nil || back != f {
						t.Fatalf("%s became %s, which is another float32", token, v)
					}
				} else if v.Float64() != f {
					t.Fatalf("%s became %s, which is another double", token, v)
				}
			}
			if prices < 80 {
				t.Errorf("%d prices", prices)
			}
		})
	}
}

// recordedPrices are the opens, highs, lows and closes of a file, as written there.
func recordedPrices(t *testing.T, name string) (tokens []string) {
	t.Helper()
	file, err := os.Open(filepath.Join(testkit.Recorded(t), "yahoo", "bars", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // it was only read
	r := csv.NewReader(file)
	head, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return tokens
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, column := range head {
			switch column {
			case "Open", "High", "Low", "Close":
				tokens = append(tokens, line[i])
			}
		}
	}
}

// TestARatesChartIsNotReadFromItsMeta: regularMarketPrice is rounded there, of a
// currency pair to 4 decimals, and never stands in for a close.
func TestARatesChartIsNotReadFromItsMeta(t *testing.T) {
	widen := func(f float32) string { return strconv.FormatFloat(float64(f), 'f', -1, 64) }
	for _, c := range []struct{ kind, live, want string }{
		{"CURRENCY", widen(6.430123), "6.430123"},
		{"CURRENCY", "null", ""},
		{"EQUITY", "null", "6.4301"},
	} {
		body := fmt.Sprintf(`{"chart":{"result":[{"meta":{"currency":"DKK","symbol":"DKK=X","instrumentType":%q,"regularMarketTime":1795514403,
			"regularMarketPrice":6.4301,"dataGranularity":"1m"},"timestamp":[1795514340,1795514403],
			"indicators":{"quote":[{"close":[%s,%s]}]}}],"error":null}}`, c.kind, widen(6.429804), c.live)
		seen, err := Decode(kurs.Raw{Endpoint: kurs.EndpointChart, Body: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if len(seen.Quotes) > 0 {
			got = seen.Quotes[0].Value.String()
		}
		if got != c.want || len(seen.Quotes) > 1 || len(seen.Bars) != 1 || seen.Bars[0].Close.String() != "6.429804" {
			t.Errorf("%s of %s: quote %q, want %q; bars %+v", c.kind, c.live, got, c.want, seen.Bars)
		}
	}
}
