package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/config"
)

func findNovo(_ context.Context, query string) ([]kurs.SearchHit, error) {
	switch query {
	case "novo nordisk":
		return []kurs.SearchHit{
			{Symbol: "NOVO-B.CO", Name: "Novo Nordisk B", Exchange: "CPH", Kind: kurs.KindEquity},
			{Symbol: "bad name"},
			{Symbol: "NVO", Name: "Novo \x1b[31mNordisk ADR", Exchange: "NYQ", Kind: kurs.KindEquity},
		}, nil
	case "vod.l":
		return []kurs.SearchHit{{Symbol: "VOD.L"}}, nil
	case "down":
		return nil, errors.New("no such host")
	}
	return nil, nil
}

func TestQuestions(t *testing.T) {
	tests := []struct {
		name  string
		find  symbolFinder
		typed string
		want  []string
		says  []string
	}{
		{name: "none", typed: "\n"},
		{name: "symbols", typed: "AAPL,VOD.L , ,AAPL\n", want: []string{"AAPL", "VOD.L"}},
		{name: "no line break at the end", typed: "AAPL", want: []string{"AAPL"}},
		{name: "lower case, nothing to look it up with", typed: "aapl,usddkk=x\n", want: []string{"AAPL", "DKK=X"}},
		{
			name: "name, first offer", find: findNovo, typed: "novo nordisk, AAPL\n\n", want: []string{"NOVO-B.CO", "AAPL"},
			says: []string{
				"  \"novo nordisk\" is not a symbol. Which one?\n    1  NOVO-B.CO  Novo Nordisk B        CPH  equity\n" +
					"    2  NVO        Novo [31mNordisk ADR  NYQ  equity\n  Choose, 0 is none [1]: ",
			},
		},
		{
			name: "name, another offer after slips", find: findNovo, typed: "novo nordisk\n7\nx\n2\n", want: []string{"NVO"},
			says: []string{"a number from 0 to 2"},
		},
		{name: "name, none of them", find: findNovo, typed: "novo nordisk\n0\n"},
		{name: "lower case that the search knows", find: findNovo, typed: "vod.l\n", want: []string{"VOD.L"}},
		{
			name: "name that is not found, then a symbol", find: findNovo, typed: "nonsense inc\nMSFT\n", want: []string{"MSFT"},
			says: []string{`nothing is found for "nonsense inc"`, `Symbol for "nonsense inc" (empty: none): `},
		},
		{name: "not found, insisted on", find: findNovo, typed: "xyz\nxyz\n", want: []string{"XYZ"}},
		{name: "not found, given up", find: findNovo, typed: "xyz\n\n"},
		{
			name: "search that fails", find: findNovo, typed: "down\nDOWN\n", want: []string{"DOWN"},
			says: []string{`"down" cannot be looked up: no such host`},
		},
		{
			name: "name, nothing to look it up with", typed: "novo nordisk\nNOVO-B.CO\n", want: []string{"NOVO-B.CO"},
			says: []string{`"novo nordisk": has a space`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var said strings.Builder
			q := newQuestions(streams{in: strings.NewReader(tt.typed), err: &said}, tt.find)
			got, err := q.symbols(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("symbols (-want +got):\n%s", diff)
			}
			for _, s := range tt.says {
				if !strings.Contains(said.String(), s) {
					t.Errorf("does not say %q:\n%s", s, said.String())
				}
			}
		})
	}
}

func TestNoAnswerWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kurs.toml")
	var out, said strings.Builder
	for _, typed := range []string{"", "EUR\n", "EUR\nnovo nordisk\n"} {
		r := initRun{std: streams{in: strings.NewReader(typed), out: &out, err: &said}, find: findNovo, ask: true, currency: "DKK"}
		r.file = path
		err := r.run(t.Context(), false, false)
		if kurs.ExitCodeOf(err) != kurs.ExitUsage {
			t.Errorf("after %q: error = %v", typed, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("after %q a file was written", typed)
		}
	}
}

func TestWriteConfigKeepsLinks(t *testing.T) {
	dir := t.TempDir()
	original, link := filepath.Join(dir, "dotfiles.toml"), filepath.Join(dir, "kurs.toml")
	if err := os.WriteFile(original, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(original, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if _, err := writeConfig(link, "new", false); !errors.Is(err, os.ErrExist) {
		t.Errorf("without force: %v", err)
	}
	kept, err := writeConfig(link, "new", true)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{link: "new", original: "new", kept: "old"} {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
	if target, err := os.Readlink(link); err != nil || target != original {
		t.Errorf("the link is gone: %s, %v", target, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".kurs-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDiskForecast(t *testing.T) {
	c, _, err := config.Load(config.Input{
		DataDir: t.TempDir(), Flags: map[string]string{"symbols": "AAPL,VOD.L,BTC-USD,NOVO-B.CO"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const head = "Disk: at most about 1.6 MB a day (4 symbols every 15s, about 70 bytes a price)"
	for want, free := range map[string]func(string) (uint64, error){
		head: func(string) (uint64, error) { return 0, errors.ErrUnsupported },
		head + ";\n      41.2 GB are free there, enough for more than 10 years": func(string) (uint64, error) { return 41_200_000_000, nil },
		head + ";\n      1.5 GB are free there, enough for 597 days":            func(string) (uint64, error) { return 1_500_000_000, nil },
		head + ";\n      512 MB are free there, less than store.min_free: kurs run will wait for space": func(string) (uint64, error) {
			return 512_000_000, nil
		},
	} {
		if got := diskForecast(c, free); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1_612_800: "1.6 MB", 123_456_789: "123 MB",
		41_200_000_000: "41.2 GB", 1 << 63: "1.1 EB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d bytes are written %q, want %q", n, got, want)
		}
	}
}

func TestFreeSpace(t *testing.T) {
	if n, err := freeSpace(t.TempDir()); !errors.Is(err, errors.ErrUnsupported) && (err != nil || n == 0) {
		t.Errorf("free space of a directory that was just made: %d, %v", n, err)
	}
	if _, err := freeSpace(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a directory that is not there")
	}
}
