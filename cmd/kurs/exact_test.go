package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/ecb/wire"
	"kurs/internal/testkit"
	"kurs/process/fx"
)

// exactConversions is how many are computed twice.
const exactConversions = 100_000

// TestECBAgainstExactArithmetic converts random amounts on random days of the real
// history of the European Central Bank, and has testdata/exact.py compute each
// again: a script that reads the same file by itself and knows fractions alone.
func TestECBAgainstExactArithmetic(t *testing.T) {
	history := filepath.Join(testkit.Recorded(t), "fx", "eurofxref-hist.csv")
	body, err := os.ReadFile(history)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the recorded history of the European Central Bank is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	testkit.Require(t, "python3", err == nil, "not on the path")

	book, currencies := bookOf(t, body)
	lines := filepath.Join(t.TempDir(), "conversions.csv")
	missing := convertAtRandom(t, book, currencies, lines)
	said := recompute(t, python, history, lines)
	if want := fmt.Sprintf("%d conversions, %d without a rate, 0 differences\n", exactConversions, missing); said != want {
		t.Errorf("%swant %s", said, want)
	}
	t.Log(strings.TrimSpace(said))
	if missing < exactConversions/100 || missing > exactConversions/2 {
		t.Errorf("%d conversions without a rate: too few or too many to be a test of both", missing)
	}

	// A difference in the last digit of one line is seen.
	text, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.SplitAfter(string(text), "\n")
	i := slices.IndexFunc(all, func(line string) bool { return strings.Contains(line, "via") })
	all[i] = strings.TrimSuffix(all[i], "\n") + "1\n"
	if err := os.WriteFile(lines, []byte(strings.Join(all[:i+1], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := recompute(t, python, history, lines); !strings.Contains(said, " 1 differences") {
		t.Errorf("a digit was added, and the script says %s", said)
	}
}

// recompute runs the script. It ends with 1 where something differs.
func recompute(t *testing.T, python, history, lines string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "exact.py"), history, lines).CombinedOutput()
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && (!failed || exit.ExitCode() != 1) {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// bookOf is a rate book that was told of a whole history, as a run is told of it:
// a year a message. In 27 years rates have moved far, so that none is doubted for
// that here.
func bookOf(t *testing.T, body []byte) (*fx.Book, []string) {
	t.Helper()
	parts, err := wire.Split(body)
	if err != nil {
		t.Fatal(err)
	}
	book := fx.New()
	book.SetPolicy(1, fx.Policy{Sources: []string{wire.Source}, MaxJump: kurs.MustDecimal("1000")})
	currencies := []string{"EUR"}
	received := time.Date(2026, 4, 14, 9, 0, 0, 0, time.UTC)
	for i, p := range parts {
		raw := kurs.Raw{ID: kurs.RawID{Source: wire.Source, Counter: uint64(i)}, Source: wire.Source, Received: received, Body: p.Body}
		seen, err := wire.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		rates, refused := fx.RatesOf(seen, raw)
		book.Learn(uint64(i)+2, rates)
		if doubts := book.Doubts(raw.ID); len(refused)+len(doubts) > 0 {
			t.Fatalf("%d: refused %v, doubted %v", p.Year, refused, doubts)
		}
		for _, r := range rates {
			if !slices.Contains(currencies, r.To) {
				currencies = append(currencies, r.To)
			}
		}
	}
	return book, currencies
}

// convertAtRandom writes a line a conversion, and returns how many had no rate.
func convertAtRandom(t *testing.T, book *fx.Book, currencies []string, name string) (missing int) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(file)
	units := append([]string{"GBp", "ZAc", "ILA"}, currencies...)
	draw := rand.New(rand.NewPCG(20261125, 4))
	first := time.Date(1998, 12, 28, 0, 0, 0, 0, time.UTC)
	days := int(time.Date(2026, 4, 24, 0, 0, 0, 0, time.UTC).Sub(first) / (24 * time.Hour))
	for n := 0; n < exactConversions; {
		unit, to := units[draw.IntN(len(units))], currencies[draw.IntN(len(currencies))]
		if draw.IntN(2) == 0 { // half of them among those that there always were
			unit, to = []string{"EUR", "USD", "GBp", "JPY", "DKK", "ZAc"}[draw.IntN(6)], []string{"DKK", "EUR", "SEK", "USD"}[draw.IntN(4)]
		}
		currency, factor, ok := kurs.CurrencyOf(unit)
		if !ok || currency == to {
			continue
		}
		n++
		at := first.AddDate(0, 0, draw.IntN(days))
		if draw.IntN(4) == 0 { // around the time at which rates begin to hold
			at = at.Add(time.Duration(14+draw.IntN(2))*time.Hour + time.Duration(draw.IntN(3)-1))
		} else {
			at = at.Add(time.Duration(draw.Int64N(int64(24 * time.Hour))))
		}
		amount, err := kurs.NewDecimal(draw.Int64N(1_000_000_000_000_000)>>draw.IntN(48)-int64(draw.IntN(2)), draw.IntN(12)-9)
		if err != nil {
			t.Fatal(err)
		}
		rate, known := book.AsOf(kurs.Pair{From: currency, To: to}, at, book.Pos())
		fmt.Fprintf(w, "%s,%s,%s,%s,", unit, to, at.Format(time.RFC3339Nano), amount)
		if !known {
			missing++
			fmt.Fprintln(w, ",,,")
			continue
		}
		base, err := kurs.Convert(amount, factor, rate.Value)
		if err != nil {
			t.Fatalf("%s %s at %s: %v", amount, unit, rate.Value, err)
		}
		fmt.Fprintf(w, "%s,%s,%s,%s\n", rate.Value, rate.Time.Format(time.RFC3339Nano), rate.Source, base)
	}
	if err := errors.Join(w.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return missing
}
