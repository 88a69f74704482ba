package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"kurs"
	"kurs/internal/testkit"
)

func TestParseManifest(t *testing.T) {
	const good = `{"format":1,"base_currency":"DKK","commit":12,"journal":9,"position":{"epoch":"e","seq":5},` +
		`"files":{"quotes/date=2026-11-24":["0000000012-00","0000000003c0000000007-01"],"instruments":["0000000002-00"]}}`
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"as it is written", "", "", nil},
		{"newer", `"format":1`, `"format":2`, kurs.ErrNewerFormat},
		{"no format", `"format":1,`, ``, ErrManifest},
		{"no currency", `"DKK"`, `""`, ErrManifest},
		{"a commit before the first", `"commit":12`, `"commit":-1`, ErrManifest},
		{"a journal that is to come", `"journal":9`, `"journal":13`, ErrManifest},
		{"a folder above", `quotes/date=2026-11-24`, `../quotes/date=2026-11-24`, ErrManifest},
		{"a folder of another", `quotes/date=2026-11-24`, `quotes`, ErrManifest},
		{"a file above", `0000000012-00`, `../../0000000012-00`, ErrManifest},
		{"a file of another", `0000000012-00`, `mine`, ErrManifest},
		{"cut", `]}}`, `]`, ErrManifest},
		{"something follows", `]}}`, `]}}{}`, ErrManifest},
		{"no object", good, `[]`, ErrManifest},
		{"nothing", good, ``, ErrManifest},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseManifest([]byte(strings.Replace(good, c.old, c.new, 1)))
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// FuzzManifest: whatever is read is an error, or names files of the dataset alone,
// and can be written again.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"format":1,"base_currency":"DKK","commit":1,"files":{"quotes/date=2026-11-24":["0000000001-00"]}}`))
	f.Add([]byte(`{"format":1,"base_currency":"DKK","files":{"instruments":["0000000003c0000000007-0100"]}}`))
	testkit.Corpus(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseManifest(text)
		if err != nil {
			return
		}
		var all []string
		for folder := range m.Files {
			all = append(all, m.in(folder)...)
		}
		for _, name := range all {
			if !filepath.IsLocal(filepath.FromSlash(name)) || !m.has(name) || orderOf(name) == "" {
				t.Errorf("file %q", name)
			}
		}
		if left := m.with(all, nil).Files; len(m.with(all, nil).Files) > len(m.Files) {
			t.Errorf("files %v", left)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseManifest(again); err != nil {
			t.Error(err)
		}
	})
}

func TestDays(t *testing.T) {
	m := manifest{}.with(nil, []string{
		"quotes/date=2026-11-24/0000000001-00.parquet", "quotes_seen/date=2026-11-24/0000000002-00.parquet",
		"quotes/date=2026-11-23/0000000001c0000000003-00.parquet", "bars/date=2026-11-22/0000000001-00.parquet",
		"instruments/0000000001-00.parquet",
	})
	if got, want := fmt.Sprint(m.days("quotes")), "[{2026-11-23 0} {2026-11-24 2}]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := m.with([]string{"quotes/date=2026-11-23/0000000001c0000000003-00.parquet"}, nil); len(got.days("quotes")) != 1 || len(m.days("quotes")) != 2 {
		t.Errorf("got %v of %v", got, m)
	}
}
