package ledger_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kurs"
	"kurs/export/ledger"
	"kurs/internal/testkit"
)

// program is one that reads what is written here, or the test is left out.
func program(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	testkit.Require(t, name, err == nil, "not on the path (apt-get install "+pkg+")")
	return path
}

func price(symbol, value string, at time.Time) ledger.Price {
	return ledger.Price{Symbol: symbol, Time: at, Value: kurs.MustDecimal(value), Currency: "DKK"}
}

var monday = time.Date(2026, 11, 23, 9, 5, 7, 0, time.UTC)

func hledger(t *testing.T, times bool, prices ...ledger.Price) string {
	t.Helper()
	var b bytes.Buffer
	w, err := ledger.NewHledger(&b, times)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, prices)
	return b.String()
}

func beancount(t *testing.T, prices ...ledger.Price) string {
	t.Helper()
	var b bytes.Buffer
	w, err := ledger.NewBeancount(&b)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, prices)
	return b.String()
}

func write(t *testing.T, w *ledger.Writer, prices []ledger.Price) {
	t.Helper()
	for _, p := range prices {
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLines(t *testing.T) {
	prices := []ledger.Price{
		price("AAPL", "1712.33563", monday), price("NOVO-B.CO", "326.4", monday), price("^GSPC", "0.000000000000001", monday),
		price("a\";\n", "-1.5", monday), price("a\";\n", "99999999999999", monday.AddDate(0, 0, 1)),
	}
	const wantHledger = `; prices of kurs
decimal-mark .
P 2026-11-23 AAPL 1712.33563 DKK
P 2026-11-23 "NOVO-B.CO" 326.4 DKK
P 2026-11-23 "^GSPC" 0.000000000000001 DKK
; "a%22%3B%0A" is "a\";\n"
P 2026-11-23 "a%22%3B%0A" -1.5 DKK
P 2026-11-24 "a%22%3B%0A" 99999999999999 DKK
`
	if diff := cmp.Diff(wantHledger, hledger(t, false, prices...)); diff != "" {
		t.Errorf("hledger: -want +got:\n%s", diff)
	}
	if got := hledger(t, true, prices[0]); !strings.HasSuffix(got, "P 2026-11-23 09:05:07 AAPL 1712.33563 DKK\n") {
		t.Errorf("with times: %s", got)
	}
	const wantBeancount = `; prices of kurs
2026-11-23 price AAPL 1712.33563 DKK
2026-11-23 price NOVO-B.CO 326.4 DKK
; X-_5EGSPC is ^GSPC
2026-11-23 price X-_5EGSPC 0.000000000000001 DKK
; X-_61_22_3B_0A is "a\";\n"
2026-11-23 price X-_61_22_3B_0A -1.5 DKK
2026-11-24 price X-_61_22_3B_0A 99999999999999 DKK
`
	got := beancount(t, prices...)
	if diff := cmp.Diff(wantBeancount, got); diff != "" {
		t.Errorf("beancount: -want +got:\n%s", diff)
	}
	lines := 0
	for line := range strings.Lines(got + wantHledger) {
		if ledger.IsPrice([]byte(line)) {
			lines++
		}
	}
	if lines != 2*len(prices) {
		t.Errorf("%d price lines, want %d", lines, 2*len(prices))
	}
}

func TestWhatIsNoLine(t *testing.T) {
	w, err := ledger.NewBeancount(&bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]ledger.Price{
		"no value":               {Symbol: "A", Currency: "DKK"},
		"no currency":            {Symbol: "A", Value: kurs.Int(1)},
		"a line in the currency": {Symbol: "A", Value: kurs.Int(1), Currency: "DKK\n"},
	} {
		if err := w.Write(p); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestBeancountName(t *testing.T) {
	for symbol, want := range map[string]string{
		"NOVO-B.CO": "NOVO-B.CO", "BTC-USD": "BTC-USD", "T": "X-T", "7203.T": "X-7203.T", "EURDKK=X": "X-EURDKK_3DX", "X-T": "X-X-T", "TRUE": "X-TRUE",
		"A-": "X-A_2D", "ABCDEFGHIJKLMNOPQRSTUVWX": "ABCDEFGHIJKLMNOPQRSTUVWX", "ABCDEFGHIJKLMNOPQRSTUVWXY": "X-ABCDEFGH__61B692ADDEF7", "": "X-__E3B0C44298FC",
	} {
		if got := ledger.BeancountName(symbol); got != want {
			t.Errorf("%q: %s, want %s", symbol, got, want)
		}
	}
}

// symbols are of characters that are dangerous somewhere, and of all others.
func symbols() *rapid.Generator[string] {
	return rapid.OneOf(rapid.StringMatching(`[A-Z0-9.X_%"; ^=-]{0,30}`), rapid.String())
}

// TestNamesAreNeverShared: what is another symbol is another commodity.
func TestNamesAreNeverShared(t *testing.T) {
	byName := map[string]string{}
	rapid.Check(t, func(r *rapid.T) {
		symbol := symbols().Draw(r, "symbol")
		for form, name := range map[string]string{"hledger": ledger.HledgerName(symbol), "beancount": ledger.BeancountName(symbol)} {
			if other, ok := byName[form+name]; ok && other != symbol {
				r.Fatalf("%s: %q and %q are both %s", form, symbol, other, name)
			}
			byName[form+name] = symbol
		}
	})
}

// TestHledgerReadsEveryName asks the real hledger, and values a portfolio.
func TestHledgerReadsEveryName(t *testing.T) {
	path := program(t, "hledger", "hledger")
	var prices []ledger.Price
	for i, symbol := range drawn() {
		prices = append(prices, price(symbol, kurs.Int(int64(i+2)).String()+".123456789", monday))
	}
	prices = append(prices, price("NOVO-B.CO", "326.123", monday), price("NOVO-B.CO", "330.5", monday.AddDate(0, 0, 1)))
	journal := filepath.Join(t.TempDir(), "prices.journal")
	if err := os.WriteFile(journal, []byte(hledger(t, false, prices...)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := output(t, path, "-f", journal, "prices"); strings.Count(out, "\n") != len(prices) {
		t.Errorf("%d prices, want %d:\n%s", strings.Count(out, "\n"), len(prices), out)
	}
	book := filepath.Join(filepath.Dir(journal), "book.journal")
	const text = "include prices.journal\n\n2026-11-20 bought\n  assets:depot   10 \"NOVO-B.CO\"\n  equity\n"
	if err := os.WriteFile(book, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for end, want := range map[string]string{"2026-11-23": "3261.230000000 DKK", "2026-11-24": "3305.000000000 DKK"} {
		if out := output(t, path, "-f", book, "balance", "assets", "--value="+end+",DKK"); !strings.Contains(out, want) {
			t.Errorf("at %s, want %s:\n%s", end, want, out)
		}
	}
}

// TestBeancountReadsEveryName asks the real bean-check, also whether a price that
// a book asks for is there.
func TestBeancountReadsEveryName(t *testing.T) {
	check := program(t, "bean-check", "beancount")
	var prices []ledger.Price
	for i, symbol := range drawn() {
		prices = append(prices, price(symbol, kurs.Int(int64(i+2)).String()+".123456789", monday))
	}
	prices = append(prices, price("7203.T", "123.45", monday))
	dir := t.TempDir()
	file := filepath.Join(dir, "prices.beancount")
	if err := os.WriteFile(file, []byte(beancount(t, prices...)), 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, check, file)
	book := filepath.Join(dir, "book.beancount")
	const text = "include \"prices.beancount\"\n2026-01-01 open Assets:Depot\n2026-01-01 open Assets:Cash\n" +
		"2026-11-20 * \"bought\"\n  Assets:Depot  10 X-7203.T {100 DKK}\n  Assets:Cash\n2026-11-24 balance Assets:Depot 10 X-7203.T\n"
	if err := os.WriteFile(book, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output(t, check, book)
	query := program(t, "bean-query", "beancount")
	if out := output(t, query, book, "SELECT account, value(sum(position), 2026-11-24) WHERE account = 'Assets:Depot' GROUP BY account"); strings.Join(strings.Fields(out)[len(strings.Fields(out))-3:], " ") != "Assets:Depot 1234.50 DKK" {
		t.Errorf("the value of the depot:\n%s", out)
	}
}

// drawn are symbols of every kind, the same in every run.
func drawn() []string {
	seen := map[string]bool{}
	out := []string{"T", "TRUE", "7203.T", "^GSPC", "EURDKK=X", "BRK-B", "=1+1", "a;b", `"`, "Ørsted", "\xff", "P", "kr.", "1 DKK"}
	for _, s := range out {
		seen[s] = true
	}
	for seed := range 200 {
		if s := symbols().Example(seed); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestDaily(t *testing.T) {
	var got []string
	d := ledger.Daily{Yield: func(p ledger.Price) error {
		got = append(got, p.Symbol+" "+p.Time.Format(time.DateOnly)+" "+p.Value.String())
		return nil
	}}
	tokyo := time.FixedZone("", 9*3600)
	late := time.Date(2026, 11, 23, 15, 30, 0, 0, time.UTC) // the 24th in Tokyo
	for _, p := range []ledger.Price{
		price("A", "1", monday), price("A", "2", monday.Add(time.Hour)), price("A", "3", monday.AddDate(0, 0, 1)),
		price("B", "4", monday.AddDate(0, 0, 1)), price("C", "5", late.Add(-time.Hour).In(tokyo)), price("C", "6", late.In(tokyo)),
	} {
		if err := d.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Flush(); err != nil {
		t.Fatal(err)
	}
	want := []string{"A 2026-11-23 2", "A 2026-11-24 3", "B 2026-11-24 4", "C 2026-11-23 5", "C 2026-11-24 6"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
