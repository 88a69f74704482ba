package config_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/config"
)

// leaves are the paths of all fields of a struct, by their JSON names.
func leaves(typ reflect.Type, prefix string) []string {
	var all []string
	for field := range typ.Fields() {
		path := prefix + field.Tag.Get("json")
		if field.Type.Kind() == reflect.Struct && field.Type != reflect.TypeFor[kurs.Decimal]() {
			all = append(all, leaves(field.Type, path+".")...)
		} else {
			all = append(all, path)
		}
	}
	return all
}

func TestEveryFieldHasAKey(t *testing.T) {
	var paths []string
	for _, k := range config.Keys() {
		paths = append(paths, k.Path)
	}
	fields := slices.DeleteFunc(leaves(reflect.TypeFor[config.Config](), ""), func(path string) bool {
		return strings.HasPrefix(path, "paths.")
	})
	slices.Sort(paths)
	slices.Sort(fields)
	if diff := cmp.Diff(fields, paths); diff != "" {
		t.Errorf("fields of Config and keys differ (-fields +keys):\n%s", diff)
	}
}

func TestEnvironmentNamesAreUnique(t *testing.T) {
	seen := map[string]string{"KURS_CONFIG": "--config", "KURS_DATA": "--data", "KURS_RECORDED": "tests"}
	for _, k := range config.Keys() {
		if other, twice := seen[k.Env()]; twice {
			t.Errorf("%s means %s and %s", k.Env(), other, k.Path)
		}
		seen[k.Env()] = k.Path
	}
}

func TestFlagNamesAreUnique(t *testing.T) {
	seen := map[string]bool{"config": true, "data": true, "output": true}
	for _, k := range config.Keys() {
		if k.Flag != "" && seen[k.Flag] {
			t.Errorf("--%s is there twice", k.Flag)
		}
		seen[k.Flag] = true
	}
}

// TestTableIsWellFormed: tables stand together and the top of the file comes
// first, or the sample file would not be TOML; ends of ranges can be read.
func TestTableIsWellFormed(t *testing.T) {
	var tables []string
	for _, k := range config.Keys() {
		if len(tables) == 0 || tables[len(tables)-1] != k.Table() {
			if slices.Contains(tables, k.Table()) {
				t.Errorf("%s is apart from the rest of its table", k.Path)
			}
			tables = append(tables, k.Table())
		}
		if k.Meaning == "" || strings.HasSuffix(k.Meaning, ".") || !isASCII(k.Meaning) {
			t.Errorf("meaning of %s: %q", k.Path, k.Meaning)
		}
		for _, end := range []string{k.Least, k.Most} {
			var err error
			switch k.Type() {
			case "duration":
				_, err = config.ParseDuration(end)
			case "size":
				_, err = config.ParseSize(end)
			}
			if end != "" && err != nil {
				t.Errorf("%s: end of the range: %v", k.Path, err)
			}
		}
		if (k.Unit != "") != (k.Type() == "number") {
			t.Errorf("%s is a %s and has the unit %q", k.Path, k.Type(), k.Unit)
		}
	}
	if tables[0] != "" {
		t.Error("the first keys are not those of the top of the file")
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}

var example = map[string]string{"symbols": "NOVO-B.CO, AAPL, VOD.L, BTC-USD", "currency": "DKK"}

func TestExampleFile(t *testing.T) {
	golden(t, "../examples/kurs.toml", config.Sample(example))
	if _, _, err := config.Load(input(t, "../examples/kurs.toml")); err != nil {
		t.Error(err)
	}
}

func TestDocs(t *testing.T) { golden(t, "../docs/config.md", config.Docs()) }

// TestSampleShowsTheDefaults takes away every "#" in front of a key: the file
// must be one that sets everything and changes nothing.
func TestSampleShowsTheDefaults(t *testing.T) {
	plain, _, err := config.Load(input(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#(\w)`).ReplaceAllString(config.Sample(nil), "$1")
	full, origins, err := config.Load(input(t, write(t, text)))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if n := origins.Count(config.FromFile); n != len(config.Keys()) {
		t.Errorf("%d keys set, want all %d", n, len(config.Keys()))
	}
	plain.Paths, full.Paths = config.Paths{}, config.Paths{}
	if diff := cmp.Diff(plain, full, exactly); diff != "" {
		t.Errorf("the sample's values are not the defaults:\n%s", diff)
	}
}

func TestSampleOfHostileText(t *testing.T) {
	file := write(t, config.Sample(map[string]string{"log.file": "a\"b\\c\td\x7f", "symbols": "A&B"}))
	c, _, err := config.Load(input(t, file))
	if err != nil {
		text, _ := os.ReadFile(file)
		t.Fatalf("%v\n%s", err, text)
	}
	if c.Log.File != "a\"b\\c\td\x7f" {
		t.Errorf("log.file = %q", c.Log.File)
	}
}
