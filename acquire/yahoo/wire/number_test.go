package wire

import (
	"encoding/csv"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kurs"
	"kurs/internal/testkit"
)

func TestNumbers(t *testing.T) {
	tests := []struct {
		name, token     string
		quoted, widened string // with " ~" where approximate
	}{
		{"integer", "665", "665", "665"},
		{"zero", "0", "0", "0"},
		{"zero with a point", "0.0", "0", "0"},
		{"negative", "-37.63", "-37.63", "-37.63"},
		{"exponent", "1.012e3", "1012", "1012"},
		{"widened float32", "189.9499969482422", "189.95", "189.95"},
		{"widened, 16 digits", "134.38999938964844", "134.39", "134.39"},
		{"widened, below one", "0.043230000883340836", "0.04323", "0.04323"},
		{"widened, 15 digits", "64.6155014038086", "64.6155", "64.6155"},
		{"widened, 14 digits: only a chart's is restored", "7308.2001953125", "7308.2001953125", "7308.2"},
		{"widened, digits lost", "7344.88427734375", "7344.8843 ~", "7344.8843 ~"},
		{"rounded by somebody", "134.39", "134.39", "134.39"},
		{"shortest float32 of 8 digits", "1.0489877", "1.0489877 ~", "1.0489877"},
		{"shortest float32 of 8 digits, crypto", "35532.117", "35532.117 ~", "35532.117"},
		{"8 digits that are no float32", "97208.1701", "97208.1701", "97208.1701"},
		{"7 digits are never approximate", "97208.17", "97208.17", "97208.17"},
		{"a double of 15 digits", "1234567890.12345", "1234567890.12345", "1234567890.12345"},
		{"a double of 17 digits", "0.30000000000000004", "0.30000000000000004 ~", "0.30000000000000004 ~"},
		{"more digits than a binary64", "1.00000000000000000000000001", "1", "1"},
		{"more than 18 digits that are a float32", "0.100000001490116119384765625", "0.1", "0.1"},
		{"a large float32", "16777216", "16777216 ~", "16777216 ~"},
		{"beyond binary64", "1e400", "", ""},
		{"below binary64", "1e-400", "", ""},
		{"not sent", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var token []byte
			if tt.token != "" {
				token = []byte(tt.token)
			}
			if got := show(quoted(token)); got != tt.quoted {
				t.Errorf("quoted: got %q, want %q", got, tt.quoted)
			}
			if got := show(widened(token)); got != tt.widened {
				t.Errorf("widened: got %q, want %q", got, tt.widened)
			}
		})
	}
}

func show(v value) string {
	if v.approximate {
		return v.String() + " ~"
	}
	return v.String()
}

// Prices of up to 7 digits survive the way through float32, whichever way they
// are printed; this is where the line of "approximate" is drawn.
func TestPricesSurviveFloat32(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		digits := 1 + random.IntN(7)
		price, err := kurs.NewDecimal(1+random.Int64N(int64(math.Pow10(digits))-1), -random.IntN(8))
		if err != nil {
			t.Fatal(err)
		}
		narrow, err := strconv.ParseFloat(price.String(), 32)
		if err != nil {
			t.Fatal(err)
		}
		chart := strconv.AppendFloat(nil, narrow, 'f', -1, 64)
		quote := strconv.AppendFloat(nil, narrow, 'f', -1, 32)
		for _, v := range []value{widened(chart), quoted(quote), fromFloat32(float32(narrow))} {
			if v.Decimal != price || v.approximate {
				t.Fatalf("%s became %s (chart %s, quote %s)", price, show(v), chart, quote)
			}
		}
	}
}

// An approximate price is still the float32 that Yahoo has.
func TestApproximatePricesAreTheFloat32(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		narrow := math.Float32frombits(random.Uint32())
		if f := math.Abs(float64(narrow)); !(f > 1e-30 && f < 1e30) {
			continue
		}
		v := widened(strconv.AppendFloat(nil, float64(narrow), 'g', -1, 64))
		back, err := strconv.ParseFloat(v.String(), 32)
		if err != nil || float32(back) != narrow {
			t.Fatalf("%v became %s: %v", narrow, v, err)
		}
		// Exact is what no other decimal of as many digits shares its float32 with.
		coef, exp := v.Parts()
		shared := v.Digits() > 7
		for _, beside := range []int64{-1, 1} {
			other, err := kurs.NewDecimal(coef+beside, exp)
			if err != nil {
				t.Fatal(err)
			}
			if near, err := strconv.ParseFloat(other.String(), 32); err == nil && float32(near) == narrow {
				shared = true
			}
		}
		if shared && !v.approximate || v.approximate && v.Digits() < 7 {
			t.Fatalf("%s: approximate is %v", v, v.approximate)
		}
	}
}

func TestWhole(t *testing.T) {
	tests := []struct {
		token string
		want  int64
		ok    bool
	}{
		{"0", 0, true},
		{"-5", -5, true},
		{"28000000000", 28_000_000_000, true},
		{"3.502036992E10", 35_020_369_920, true},
		{"12.9", 12, true},
		{"1e-300", 0, true},
		{"1e18", 1_000_000_000_000_000_000, true},
		{"1e19", 0, false},
		{"-1e19", 0, false},
		{"1e300", 0, false},
		{"1234567890123456789", 0, false}, // 19 digits
	}
	for _, tt := range tests {
		if got, ok := whole([]byte(tt.token)); got != tt.want || ok != tt.ok {
			t.Errorf("%s: got %d, %v", tt.token, got, ok)
		}
	}
	if _, ok := whole(nil); ok {
		t.Error("a number that is not there is known")
	}
}

func TestTimes(t *testing.T) {
	if got, want := seconds([]byte("1763975701")), time.Date(2025, 11, 24, 9, 15, 1, 0, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := milliseconds(1763975701250), time.Date(2025, 11, 24, 9, 15, 1, 250e6, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, token := range []string{"0", "-1", "253402300800", "1e17"} {
		if got := seconds([]byte(token)); !got.IsZero() {
			t.Errorf("%s is %v", token, got)
		}
	}
	for _, ms := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
		if got := milliseconds(ms); !got.IsZero() {
			t.Errorf("%d ms is %v", ms, got)
		}
	}
}

// TestRecordedBars restores a week of recorded 1-minute bars, of which 96 % carry
// the tail of a widened float32. US shares trade in ten-thousandths of a dollar
// at most, so no restored price may have more decimals.
func TestRecordedBars(t *testing.T) {
	file := filepath.Join(testkit.Recorded(t), "yahoo", "bars", "zj-AAPL-1m.csv")
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("no recorded bars: %v", err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	if _, err := r.Read(); err != nil {
		t.Fatal(err)
	}
	prices, tails := 0, 0
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range row[1:5] {
			v := widened([]byte(token))
			if _, exp := v.Parts(); !v.Known() || exp < -4 || v.approximate {
				t.Errorf("%s became %s", token, show(v))
			}
			prices++
			if len(token) > 12 {
				tails++
			}
		}
	}
	if prices < 10_000 || tails < prices/2 {
		t.Errorf("%d prices, %d of them with a tail: not the file that was meant", prices, tails)
	}
}
