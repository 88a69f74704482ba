package faults

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tables = `
CREATE TABLE v_fx (pair, symbol, time_ms, rate REAL, source, interval, received_iso);
CREATE TABLE v_bars (symbol, time_ms, interval, close_native REAL);
CREATE TABLE v_quotes (symbol, session, source, time_ms, price_native REAL, unit, currency_native, factor REAL,
	fx_rate REAL, fx_time REAL, fx_source, price_base REAL, currency_base, received_iso);
CREATE TABLE v_quarantine (symbol, kind, time REAL, interval, price_native REAL);
INSERT INTO v_quarantine VALUES ('NOVO', 'quote', 3.001, NULL, 31840);
INSERT INTO v_quarantine VALUES ('ERIC', 'bar', 60, '1m', 8050);
INSERT INTO v_quarantine VALUES ('GBPDKK=X', 'rate', 180, '1m', 861.0);
INSERT INTO v_quarantine VALUES ('NOVO', 'quote', NULL, NULL, 1);
INSERT INTO v_fx VALUES ('GBPDKK', 'GBPDKK=X', 1000, 8.6123, 'yahoo', NULL, '2026-11-24T09:00:00.000Z');
INSERT INTO v_fx VALUES ('GBPDKK', 'GBPDKK=X', 0, 8.6, 'yahoo', '1m', '2026-11-24T09:00:00.000Z');
INSERT INTO v_fx VALUES ('EURDKK', NULL, 1500, 7.4634, 'ecb', '1d', '2026-11-24T09:00:00.000Z');
INSERT INTO v_bars VALUES ('ERIC', 0, '1m', 80.5);
INSERT INTO v_quotes VALUES ('VOD.L', 'regular', 'yahoo', 2000, 88.42, 'GBp', 'GBP', 0.01, 8.6123, 1.0, 'yahoo', 7.61499566, 'DKK', '2026-11-24T09:00:10.000Z');
INSERT INTO v_quotes VALUES ('NOVO', 'regular', 'yahoo', 2000, 318.4, 'DKK', 'DKK', 1, 1, NULL, NULL, 318.4, 'DKK', '2026-11-24T09:00:10.000Z');
`

const lines = `GBPDKK=X,1000,8.6123,1
GBPDKK=X,0,8.60,1
EURDKK=X,1500,7.4634,1
ERIC,60000,80.5,2
NOVO,3001,31840,2
ERIC,120000,8050,2
GBPDKK=X,180000,861,2
VOD.L,2000,88.42,3
VOD.L,2000,88.42,4
NOVO,2000,318.4,4
`

// checked checks the tables above after some SQL, with a ledger.
func checked(t *testing.T, change, ledger string, o Options) *Report {
	t.Helper()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "kurs.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), tables+change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "ledger.csv")
	if err := os.WriteFile(name, []byte(ledger), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), name, filepath.Join(dir, "kurs.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatAgreesIsRight(t *testing.T) {
	r := checked(t, "", lines, Options{})
	if !r.OK() || r.Aside != 3 || r.Lines != 10 || r.Distinct != 9 || r.Quotes != 2 || r.Rates != 3 || r.Bars != 1 || r.Lost != 0 {
		t.Error(r)
	}
	if r := checked(t, "", lines+"VOD.L,30", Options{}); !r.OK() || !r.Cut {
		t.Errorf("a last line that is cut off: %s", r)
	}
}

// TestEveryKindOfWrongIsSeen plants each: a checker that cannot fail checks
// nothing.
func TestEveryKindOfWrongIsSeen(t *testing.T) {
	for _, c := range []struct {
		name, change, more, want string
		options                  Options
	}{
		{"lost", "", "VOD.L,3000,88,5\n", "is not stored", Options{}},
		{"more lost than may be", "", "A,1,1,5\nA,2,1,6\n", "is not stored", Options{MayLose: 1}},
		{"made up", "UPDATE v_quotes SET time_ms = 2001 WHERE symbol = 'NOVO'", "", "never handed out", Options{MayLose: 9}},
		{"another price", "UPDATE v_quotes SET price_native = 318.5, price_base = 318.5 WHERE symbol = 'NOVO'", "", "handed out was 318.4", Options{MayLose: 9}},
		{"doubled", "INSERT INTO v_quotes SELECT * FROM v_quotes WHERE symbol = 'NOVO'", "", "in v_quotes twice", Options{}},
		{"a rate doubled", "INSERT INTO v_fx SELECT * FROM v_fx WHERE time_ms = 1000", "", "in v_fx twice", Options{}},
		{"a reference rate that was not told", "UPDATE v_fx SET rate = 7.4635 WHERE source = 'ecb'", "", "handed out was 7.4634", Options{MayLose: 9}},
		{"another was set aside", "UPDATE v_quarantine SET price_native = 31841 WHERE kind = 'quote'", "", "31841 in v_quarantine, handed out was 31840", Options{MayLose: 9}},
		{"what was set aside is gone", "DELETE FROM v_quarantine WHERE kind = 'bar'", "", "ERIC at 120000: 8050 was handed out", Options{}},
		{"a reference rate lost", "DELETE FROM v_fx WHERE source = 'ecb'", "", "EURDKK=X at 1500: 7.4634 was handed out", Options{}},
		{"off by one in the last digit", "UPDATE v_quotes SET price_base = 7.61499566000001 WHERE symbol = 'VOD.L'", "", "stored is 7.61499566000001", Options{}},
		{"pence taken for pounds", "UPDATE v_quotes SET factor = 1, price_base = 761.499566 WHERE symbol = 'VOD.L'", "", "factor 1", Options{}},
		{"another currency", "UPDATE v_quotes SET currency_native = 'USD' WHERE symbol = 'VOD.L'", "", "currency \"USD\"", Options{}},
		{"a rate that nobody knows", "UPDATE v_quotes SET fx_rate = 8.6124, price_base = 7.61508408 WHERE symbol = 'VOD.L'", "", "there is no rate 8.6124", Options{}},
		{"a rate from after the price", "UPDATE v_quotes SET fx_time = 2.001 WHERE symbol = 'VOD.L'", "", "after the price", Options{}},
		{"a rate without a time", "UPDATE v_quotes SET fx_time = NULL WHERE symbol = 'VOD.L'", "", "has no time", Options{}},
		{"an older rate than was known", "UPDATE v_quotes SET fx_time = 0, fx_rate = 8.6, price_base = 7.60412 WHERE symbol = 'VOD.L'", "", "was known", Options{}},
		{"a rate where there is nothing to convert", "UPDATE v_quotes SET fx_time = 1 WHERE symbol = 'NOVO'", "", "nothing was to be converted", Options{}},
		{"no base value", "UPDATE v_quotes SET price_base = NULL WHERE symbol = 'VOD.L'", "", "no base value", Options{}},
		{"an exchange with two prices", "", "NOVO,2000,318.5,9\n", "the exchange itself", Options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := checked(t, c.change, lines+c.more, c.options)
			if r.OK() || !strings.Contains(r.String(), c.want) {
				t.Errorf("want %q, got %s", c.want, r)
			}
		})
	}
	if r := checked(t, "UPDATE v_quotes SET price_base = NULL WHERE symbol = 'VOD.L'", lines+"A,1,1,5\n", Options{AllowUnfilled: true, MayLose: 1}); !r.OK() || r.Unfilled != 1 || r.Lost != 1 {
		t.Errorf("what may be: %s", r)
	}
}

// TestFramesInDoubt: what may never have been read may be missing, and may not be
// wrong; told again for sure, it may not be missing either.
func TestFramesInDoubt(t *testing.T) {
	if r := checked(t, "", lines+"A,1,1,5?\nNOVO,2000,318.4,5?\n", Options{}); !r.OK() || r.Doubtful != 1 || r.Lost != 0 {
		t.Error(r)
	}
	for _, more := range []string{"A,1,1,5?\nA,1,1,6\n", "A,1,1,6\nA,1,1,5?\n", "NOVO,2000,318.5,5?\n"} {
		if r := checked(t, "", lines+more, Options{}); r.OK() {
			t.Errorf("%q: %s", more, r)
		}
	}
}

func TestUnreadable(t *testing.T) {
	for _, ledger := range []string{"a,b\n", "A,x,1,1\n", "A,1,x,1\n", "A,1,1,x\n"} {
		name := filepath.Join(t.TempDir(), "ledger.csv")
		if err := os.WriteFile(name, []byte(ledger), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), name, filepath.Join(t.TempDir(), "none.db"), Options{}); err == nil {
			t.Errorf("%q was read", ledger)
		}
	}
}

func TestRound15(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "1.5": "1.5", "-7.61499566": "-7.61499566",
		"1234567890123445": "1234567890123440", "1234567890123455": "1234567890123460", // halves go to the even one
		"0.00000123456789012345649": "0.00000123456789012346", "9999999999999999": "10000000000000000",
	} {
		if got := round15(exact(in)); got.Cmp(exact(want)) != 0 {
			t.Errorf("%s: %s, want %s", in, got.FloatString(25), want)
		}
	}
}
