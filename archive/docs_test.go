package archive

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheLineOfTheDocs reads the example of docs/formats.md, and writes it again.
func TestTheLineOfTheDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "formats.md"))
	if err != nil {
		t.Fatal(err)
	}
	const begin = `{"source":"yahoo","run":`
	_, rest, found := strings.Cut(string(text), "\n"+begin)
	if !found {
		t.Fatal("docs/formats.md shows no raw message")
	}
	example, _, _ := strings.Cut(begin+rest, "\n")
	decoder := json.NewDecoder(strings.NewReader(example))
	decoder.DisallowUnknownFields()
	var l line
	if err := decoder.Decode(&l); err != nil {
		t.Fatal(err)
	}
	raw := l.raw()
	var again bytes.Buffer
	if err := writeLine(&again, &raw); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(again.String()); got != example {
		t.Errorf("written again it is\n%s\nand not\n%s", got, example)
	}
}
