package wire_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/acquire/ecb/wire"
	"kurs/internal/testkit"
)

// TestGolden decodes each form as it is published; testdata has one of each.
func TestGolden(t *testing.T) {
	for _, name := range []string{"daily.xml", "hist-90d.xml", "daily.csv", "hist.csv"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join("testdata", name)
			body := read(t, file)
			before := string(body)
			seen, err := wire.Decode(kurs.Raw{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			if string(body) != before {
				t.Error("the body was changed")
			}
			clear(body) // what is observed must not refer to it
			testkit.Golden(t, file+".golden", []byte(render(seen)))
			if strings.HasSuffix(name, ".csv") {
				packed, err := wire.Decode(kurs.Raw{Body: archive(t, "eurofxref.csv", before)})
				if err != nil || render(packed) != render(seen) {
					t.Errorf("in an archive: %v\n%s", err, render(packed))
				}
			}
		})
	}
}

func read(tb testing.TB, file string) []byte {
	tb.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

// archive packs one file.
func archive(tb testing.TB, name, content string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// render writes what is observed one thing a line.
func render(o kurs.Observed) string {
	var b strings.Builder
	for _, r := range o.Rates {
		fmt.Fprintf(&b, "%s %s %s %s %s %q\n", r.Time.Format(time.RFC3339), r.Pair, r.Value, r.Source, r.Interval, r.Symbol)
	}
	for _, s := range o.Spoiled {
		fmt.Fprintf(&b, "%s %s %s: %s %s\n", s.Time.Format(time.RFC3339), s.Kind, s.Symbol, s.Reason, s.Detail)
	}
	return b.String()
}

// TestRecorded decodes the bank's own files, whole: what they hold was counted by
// other means.
func TestRecorded(t *testing.T) {
	dir := filepath.Join(testkit.Recorded(t), "fx")
	for _, c := range []struct {
		name        string
		rates       int
		first, last string
	}{
		{"eurofxref-daily.csv", 29, "2026-04-13T14:00:00Z EURUSD 1.1684", "2026-04-13T14:00:00Z EURZAR 19.3849"},
		{"eurofxref-hist.csv", 217555, "1999-01-04T15:00:00Z EURUSD 1.1789", "2026-04-13T14:00:00Z EURZAR 19.3849"},
		{"eurofxref-hist.zip", 217555, "1999-01-04T15:00:00Z EURUSD 1.1789", "2026-04-13T14:00:00Z EURZAR 19.3849"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := read(t, filepath.Join(dir, c.name))
			seen, err := wire.Decode(kurs.Raw{Body: body})
			if err != nil {
				t.Fatal(err)
			}
			line := func(r kurs.Rate) string { return fmt.Sprintf("%s %s %s", r.Time.Format(time.RFC3339), r.Pair, r.Value) }
			n := len(seen.Rates)
			if n != c.rates || len(seen.Spoiled) != 0 || line(seen.Rates[0]) != c.first || line(seen.Rates[n-1]) != c.last {
				t.Errorf("%d rates from %s to %s, %d spoiled", n, line(seen.Rates[0]), line(seen.Rates[n-1]), len(seen.Spoiled))
			}
			whole(t, body, seen)
		})
	}
}

// whole checks that the parts of a file say what the file says.
func whole(t *testing.T, body []byte, seen kurs.Observed) {
	t.Helper()
	parts, err := wire.Split(body)
	if err != nil {
		t.Fatal(err)
	}
	var all kurs.Observed
	for i, p := range parts {
		one, err := wire.Decode(kurs.Raw{Body: p.Body})
		if err != nil {
			t.Fatalf("%d: %v", p.Year, err)
		}
		if i > 0 && p.Year <= parts[i-1].Year {
			t.Errorf("%d comes after %d", p.Year, parts[i-1].Year)
		}
		all.Rates = append(all.Rates, one.Rates...)
		all.Spoiled = append(all.Spoiled, one.Spoiled...)
		for _, r := range one.Rates {
			if r.Time.Year() != p.Year || r.Time.After(p.Newest) {
				t.Errorf("%s is in the part of %d, whose newest is of %s", r.Time, p.Year, p.Newest)
			}
		}
	}
	if render(all) != render(seen) {
		t.Errorf("the parts say something else than the whole:\n%s\n%s", render(all), render(seen))
	}
}

// TestParts: a file of several years becomes one a year, each of the same form.
func TestParts(t *testing.T) {
	for name, want := range map[string]int{"daily.xml": 1, "hist-90d.xml": 2, "daily.csv": 1, "hist.csv": 3} {
		body := read(t, filepath.Join("testdata", name))
		seen, err := wire.Decode(kurs.Raw{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		whole(t, body, seen)
		if parts, err := wire.Split(body); err != nil || len(parts) != want {
			t.Errorf("%s: %d parts, %v", name, len(parts), err)
		}
	}
	// A last line without an end is a line all the same.
	parts, err := wire.Split([]byte("Date,USD,\n2026-01-05,1.2,\n2026-01-06,1.1,"))
	if err != nil || len(parts) != 1 || string(parts[0].Body) != "Date,USD,\n2026-01-06,1.1,\n2026-01-05,1.2,\n" {
		t.Errorf("%+v, %v", parts, err)
	}
}

const envelope = `<gesmes:Envelope xmlns:gesmes="x"><Cube>%s</Cube></gesmes:Envelope>`

// TestWhatIsRefused: nothing of such a file is taken.
func TestWhatIsRefused(t *testing.T) {
	bomb := archive(t, "eurofxref.csv", "Date,USD,\n"+strings.Repeat(" \n", 32<<20))
	whole := archive(t, "eurofxref.csv", "Date,USD,\n2026-01-05,1.2,\n")
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", "the file is empty"},
		{"blanks", " \r\n", "the file is empty"},
		{"a page", "<!DOCTYPE html><html><body>Sorry</body></html>", "declares a document type"},
		{"a page without a type", "<html><body>Sorry</body></html>", "not a file of reference rates: it begins with <html>"},
		{"JSON", `{"error":1}`, "not a file of reference rates"},
		{"no day", fmt.Sprintf(envelope, ""), "there is no day"},
		{"a head alone", "Date,USD,\n", "there is no day"},
		{"cut XML", `<Envelope><Cube><Cube time="2026-01-05"><Cube currency="USD" rate="1.2"/>`, "unexpected EOF"},
		{"a line cut off", "Date,USD,DKK,\n2026-01-05,1.2,7.4", "line 2 has 3 parts, the head has 4"},
		{"a cut archive", string(whole[:len(whole)-10]), "the archive cannot be read"},
		{"another archive", string(archive(t, "readme.txt", "x")), "no CSV file is in the archive"},
		{"a bomb", string(bomb), "are packed in"},
		{"entities", `<!DOCTYPE x [<!ENTITY a "aaaa">]><Envelope><Cube>&a;</Cube></Envelope>`, "declares a document type"},
		{"an entity of nobody", `<Envelope><Cube>&a;</Cube></Envelope>`, "invalid character entity"},
		{"too deep", strings.Repeat("<Envelope>", 9), "more than 8 deep"},
		{"a rate without a day", fmt.Sprintf(envelope, `<Cube currency="USD" rate="1"/>`), "a rate without a day"},
		{"no date", fmt.Sprintf(envelope, `<Cube time="today"><Cube currency="USD" rate="1"/></Cube>`), `"today" is no date`},
		{"before the euro", "Date,USD,\n1998-12-31,1.2,\n", "is no date of a euro rate"},
		{"no currency", "Date,usd,\n2026-01-05,1.2,\n", `"usd" is no currency`},
		{"the euro itself", "Date,EUR,\n2026-01-05,1,\n", `"EUR" is no currency`},
		{"a currency twice", "Date,USD,USD,\n2026-01-05,1.2,1.3,\n", "USD is there twice"},
		{"a day twice", "Date,USD,\n2026-01-05,1.2,\n2026-01-05,1.3,\n", "2026-01-05 is there twice, with different rates"},
		{"too long", "Date," + strings.Repeat(" ", wire.MaxBody), "more than the"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen, err := wire.Decode(kurs.Raw{Body: []byte(c.body)})
			if !errors.Is(err, kurs.ErrRejected) || !strings.Contains(err.Error(), c.want) || len(seen.Rates) > 0 {
				t.Errorf("%d rates, error %v, want %q", len(seen.Rates), err, c.want)
			}
			if _, err := wire.Split([]byte(c.body)); !errors.Is(err, kurs.ErrRejected) {
				t.Errorf("Split: %v", err)
			}
		})
	}
}

// TestWhatIsPassedOn: the decoder does not judge, and loses nothing.
func TestWhatIsPassedOn(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"no number", "Date,USD,DKK,\n2026-01-05,NaN,7.4,\n", "2026-01-05T15:00:00Z EURDKK 7.4 ecb 1d \"\"\n2026-01-05T15:00:00Z rate EURUSD=X: not a number \"NaN\"\n"},
		{"below zero", "Date,USD,\n2026-01-05,-1.2,\n", "2026-01-05T15:00:00Z EURUSD -1.2 ecb 1d \"\"\n"},
		{"to come", "Date,USD,\n2099-07-01,1.2,\n", "2099-07-01T14:00:00Z EURUSD 1.2 ecb 1d \"\"\n"},
		{"a day twice, the same", "Date,USD,\n2026-01-05,1.2,\n2026-01-05,1.2,\n", "2026-01-05T15:00:00Z EURUSD 1.2 ecb 1d \"\"\n"},
		{"a mark and other ends of lines", "\uFEFFDate,USD,\r\n2026-01-05,1.2,\r\n", "2026-01-05T15:00:00Z EURUSD 1.2 ecb 1d \"\"\n"},
		{"no comma at the end", "Date,USD\n2026-01-05,1.2\n", "2026-01-05T15:00:00Z EURUSD 1.2 ecb 1d \"\"\n"},
		{"digits as they are", "Date,USD,\n2026-01-05,1.20000000000000001,\n", "2026-01-05T15:00:00Z EURUSD 1.20000000000000001 ecb 1d \"\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen, err := wire.Decode(kurs.Raw{Body: []byte(c.body)})
			if err != nil || render(seen) != c.want {
				t.Errorf("%v\n%swant\n%s", err, render(seen), c.want)
			}
		})
	}
}

// FuzzDecode: whatever is sent, no panic, and the parts say what the whole says.
func FuzzDecode(f *testing.F) {
	testkit.Corpus(f)
	for _, name := range []string{"daily.xml", "hist-90d.xml", "daily.csv", "hist.csv"} {
		f.Add(read(f, filepath.Join("testdata", name)))
	}
	f.Add(archive(f, "eurofxref.csv", "Date,USD,\n2026-01-05,1.2,\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		seen, err := wire.Decode(kurs.Raw{Body: body})
		if err != nil {
			if !errors.Is(err, kurs.ErrRejected) {
				t.Errorf("not a rejection: %v", err)
			}
			return
		}
		for i, r := range seen.Rates {
			if r.From != "EUR" || !kurs.LooksLikeCurrency(r.To) || !r.Value.Known() || r.Time.Location() != time.UTC ||
				i > 0 && r.Time.Before(seen.Rates[i-1].Time) {
				t.Errorf("rate %d: %+v", i, r)
			}
		}
		whole(t, body, seen)
	})
}
