package kurs_test

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// row says which folders of ours a folder may import. Every folder but the
// vocabulary itself may also import the root (written ".") and fault.
type row struct {
	folder string
	may    []string // "*" is everybody
	tests  []string // besides, in its tests: testkit is open to all of them
}

// layout is the whole program, in the order in which data flows. Stages meet
// only through queue, an adapter knows only the words of package kurs, and only
// cmd/kurs knows everybody. A new folder gets a row here and a line in
// ARCHITECTURE.md.
func layout() []row {
	return []row{
		{folder: "."},
		{folder: "fault"},
		{folder: "rowtext"},

		{folder: "acquire", may: []string{"queue"}, tests: []string{"queue/queuetest"}},
		{folder: "acquire/yahoo", may: []string{"acquire/yahoo/wire"}, tests: []string{"sim"}},
		{folder: "acquire/yahoo/wire"},
		{folder: "acquire/user"},
		{folder: "acquire/ecb", may: []string{"acquire/ecb/wire"}},
		{folder: "acquire/ecb/wire"},
		{folder: "process", may: []string{"queue", "process/fx"}, tests: []string{"queue/queuetest"}},
		{folder: "process/fx"},
		{folder: "store", may: []string{"queue"}, tests: []string{"queue/queuetest"}},
		{folder: "store/versions"},
		{folder: "store/sqlite", may: []string{"store/versions"}, tests: []string{"store/storetest"}},
		{folder: "store/postgres", may: []string{"store/versions"}, tests: []string{"store/storetest", "store/postgres/pgtest"}},
		{folder: "store/postgres/pgtest", may: []string{"internal/testkit"}},
		{folder: "store/parquet", may: []string{"export/columns"}, tests: []string{"store/storetest", "sim", "acquire/yahoo/wire"}},
		{folder: "store/stdout", may: []string{"rowtext", "store/position"}, tests: []string{"store/storetest"}},
		{folder: "store/lines", may: []string{"rowtext", "store/position"}, tests: []string{"store/storetest"}},
		{folder: "store/position"},
		{folder: "store/storetest"},

		{folder: "archive"},
		{folder: "reading", may: []string{"process/fx"}},

		{folder: "export/columns"},
		{folder: "export/parquet", may: []string{"export/columns"}},
		{folder: "export/arrow", may: []string{"export/columns"}},
		{folder: "export/ledger"},

		{folder: "queue", may: []string{"queue/pb"}},
		{folder: "queue/pb"},
		{folder: "queue/queuetest", may: []string{"queue"}},
		{folder: "config"},
		{folder: "logs"},
		{folder: "supervise", may: []string{"config", "queue"}},
		{folder: "sim"},

		{folder: "cmd/kurs", may: []string{"*"}},
		{folder: "faults", tests: []string{"fault"}},
		{folder: "internal/corpus"},
		{folder: "internal/testkit"},
		{folder: "internal/testsummary"},
	}
}

// owners says which folders may import an outside module: where it is replaced
// one day, only they change.
func owners() map[string][]string {
	return map[string][]string{
		"github.com/nats-io":              {"queue"},
		"google.golang.org/protobuf":      {"queue", "queue/pb", "acquire/yahoo/wire", "sim"}, // sim: protowire alone, to write frames
		"github.com/coder/websocket":      {"acquire/yahoo", "sim"},
		"golang.org/x/net":                {"acquire/yahoo"},
		"github.com/minio":                {"store/parquet"},
		"modernc.org":                     {"store/sqlite", "faults"}, // faults checks the file behind the program's back
		"github.com/jackc":                {"store/postgres", "store/postgres/pgtest"},
		"github.com/pelletier/go-toml":    {"config"},
		"github.com/spf13":                {"cmd/kurs"},
		"github.com/DeRuina/timberjack":   {"logs"},
		"github.com/lmittmann/tint":       {"logs"},
		"github.com/klauspost/compress":   {"archive", "store/lines"},
		"github.com/gofrs/flock":          {"supervise", "acquire/yahoo", "store/lines", "store/parquet"},
		"github.com/parquet-go":           {"export/parquet", "store/parquet"},
		"github.com/apache/arrow-go":      {"export/arrow"},
		"github.com/rogpeppe/go-internal": {"cmd/kurs"},
	}
}

func TestLayout(t *testing.T) {
	tree := os.DirFS(".")
	for _, wrong := range violations(t, tree) {
		t.Error(wrong)
	}
	for _, r := range layout() {
		if files, err := fs.Glob(tree, path.Join(r.folder, "*.go")); err != nil || len(files) == 0 {
			t.Errorf("%s: has a row in layout_test.go, and no Go files", r.folder)
		}
	}
}

// TestLayoutSeesWhatIsPlanted breaks each rule once: a check that cannot fail
// checks nothing.
func TestLayoutSeesWhatIsPlanted(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		want             []string
	}{
		{"a stage on the queue", "store/run.go", `package store; import ("kurs"; "kurs/fault"; "kurs/queue")`, nil},
		{"the command", "cmd/kurs/main.go", `package main; import ("github.com/spf13/cobra"; "kurs/store/sqlite")`, nil},
		{"a test with its kit", "process/x_test.go", `package process; import ("testing"; "kurs/internal/testkit")`, nil},
		{"a test with the suite", "store/sqlite/x_test.go", `package sqlite; import "kurs/store/storetest"`, nil},
		{"what is not ours to check", "process/testdata/x.go", `package x; import "kurs/store"`, nil},

		{
			"a stage that knows another", "store/run.go", `package store; import "kurs/process"`,
			[]string{"store/run.go: store may not import process"},
		},
		{
			"hidden behind a build tag", "store/run.go", "//go:build faults\n\npackage store; import _ \"kurs/process\"",
			[]string{"store/run.go: store may not import process"},
		},
		{
			"an adapter that knows the queue", "store/sqlite/db.go", `package sqlite; import "kurs/queue"`,
			[]string{"store/sqlite/db.go: store/sqlite may not import queue"},
		},
		{
			"an adapter that knows its neighbour", "acquire/yahoo/x_test.go", `package yahoo; import "kurs/store/sqlite"`,
			[]string{"acquire/yahoo/x_test.go: acquire/yahoo may not import store/sqlite"},
		},
		{
			"a vocabulary that knows the program", "price.go", `package kurs; import "kurs/fault"`,
			[]string{"price.go: . may not import fault"},
		},
		{
			"a test kit outside of tests", "config/config.go", `package config; import "kurs/internal/testkit"`,
			[]string{"config/config.go: config may not import internal/testkit"},
		},
		{
			"another's outside module", "process/run.go", `package process; import "github.com/nats-io/nats.go/jetstream"`,
			[]string{"process/run.go: only queue may import github.com/nats-io/nats.go/jetstream"},
		},
		{
			"a folder that nobody placed", "util/util.go", `package util`,
			[]string{"util: has no row in layout_test.go", "util: is not in ARCHITECTURE.md"},
		},
		{"a module apart that nobody described", "bench/go.mod", `module bench`, []string{"bench: is not in ARCHITECTURE.md"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var words strings.Builder
			for _, r := range layout() {
				fmt.Fprintf(&words, "`%s/` does its part\n", r.folder)
			}
			tree := fstest.MapFS{
				"go.mod":          {Data: []byte("module kurs")},
				"ARCHITECTURE.md": {Data: []byte(words.String())},
				"doc.go":          {Data: []byte("package kurs")},
				c.file:            {Data: []byte(c.text)},
			}
			if diff := cmp.Diff(c.want, violations(t, tree)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// violations walks the tree and reads the imports of every Go file itself: what
// `go list` printed would be served from the test cache after a change.
func violations(t *testing.T, tree fs.FS) []string {
	t.Helper()
	architecture, err := fs.ReadFile(tree, "ARCHITECTURE.md")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	var wrong []string
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			if strings.HasSuffix(name, ".go") {
				found, err := importViolations(tree, name)
				wrong = append(wrong, found...)
				return err
			}
			return nil
		case name != "." && (entry.Name()[0] == '.' || entry.Name() == "testdata"):
			return fs.SkipDir
		}
		goFiles, err := fs.Glob(tree, path.Join(name, "*.go"))
		if err != nil {
			return err
		}
		_, err = fs.Stat(tree, path.Join(name, "go.mod"))
		apart := err == nil && name != "." // a module of its own
		if len(goFiles) > 0 && !apart && rowOf(name) == nil {
			wrong = append(wrong, name+": has no row in layout_test.go")
		}
		if (len(goFiles) > 0 || apart) && name != "." && !mentions(architecture, name) {
			wrong = append(wrong, name+": is not in ARCHITECTURE.md")
		}
		if apart {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return wrong
}

func importViolations(tree fs.FS, name string) ([]string, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var wrong []string
	folder := path.Dir(name)
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		ours, isOurs := folderOf(imported)
		if isOurs && !mayImport(folder, ours, strings.HasSuffix(name, "_test.go")) {
			wrong = append(wrong, fmt.Sprintf("%s: %s may not import %s", name, folder, ours))
		}
		for module, folders := range owners() {
			if within(imported, module) && !slices.Contains(folders, folder) {
				wrong = append(wrong, fmt.Sprintf("%s: only %s may import %s", name, strings.Join(folders, ", "), imported))
			}
		}
	}
	return wrong, nil
}

// folderOf returns the folder of an import path of ours, "." for the root.
func folderOf(imported string) (string, bool) {
	if imported == "kurs" {
		return ".", true
	}
	return strings.CutPrefix(imported, "kurs/")
}

// within tells whether an import path is the module or one of its packages; a
// major version in the path belongs to the module.
func within(imported, module string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

func rowOf(folder string) *row {
	rows := layout()
	i := slices.IndexFunc(rows, func(r row) bool { return r.folder == folder })
	if i < 0 {
		return nil
	}
	return &rows[i]
}

func mayImport(folder, imported string, inTest bool) bool {
	if imported == folder { // a test from outside imports what it tests
		return true
	}
	if inTest && imported == "internal/testkit" {
		return true
	}
	if folder != "." && folder != "fault" && folder != "queue/pb" && (imported == "." || imported == "fault") {
		return true
	}
	r := rowOf(folder)
	if r == nil {
		return true // reported once, for the folder
	}
	return slices.Contains(r.may, "*") || slices.Contains(r.may, imported) || inTest && slices.Contains(r.tests, imported)
}

// mentions tells whether the page names the folder: by its whole path, not as
// the beginning of another.
func mentions(page []byte, folder string) bool {
	return regexp.MustCompile(`(^|[^\w/.-])` + regexp.QuoteMeta(folder) + `/?([^\w/-]|$)`).Match(page)
}

// TestDependenciesPage keeps docs/dependencies.md and go.mod together: each
// module that we import has a row with the version in use, and no row tells of
// another.
func TestDependenciesPage(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	required := map[string]string{} // version by path
	direct := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) (v\S+)( // indirect)?$`).FindAllStringSubmatch(read("go.mod"), -1) {
		required[m[1]] = m[2]
		if m[3] == "" {
			direct[m[1]] = m[2]
		}
	}
	described := map[string]string{}
	page := read("docs/dependencies.md")
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v\\S+) \\|").FindAllStringSubmatch(page, -1) {
		described[m[1]] = m[2]
		if required[m[1]] != m[2] {
			t.Errorf("docs/dependencies.md: has %s %s, go.mod %q", m[1], m[2], required[m[1]])
		}
	}
	if len(described) == 0 {
		t.Error("docs/dependencies.md: no row could be read")
	}
	for module, version := range direct {
		if described[module] == "" {
			t.Errorf("docs/dependencies.md: no row for %s %s", module, version)
		}
	}
}
