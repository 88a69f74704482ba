package position_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kurs"
	"kurs/store/position"
)

func TestAFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "folder", "a.position")
	before := kurs.StreamPos{Epoch: "e", Seq: 1}
	got := before
	if err := position.Read(name, &got); err != nil || got != before {
		t.Errorf("no file: %v, %v", got, err)
	}
	for _, want := range []kurs.StreamPos{{Epoch: "e", Seq: 1 << 60}, {Epoch: "f"}} {
		if err := position.Write(name, want); err != nil {
			t.Fatal(err)
		}
		if err := position.Read(name, &got); err != nil || got != want {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	if err := os.WriteFile(name, []byte(`{"epoch":"e"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := position.Read(name, &got); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("half a file: %v", err)
	}
}

func TestAFileInTheWay(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "a.position")
	if err := position.Write(name, 1); err == nil {
		t.Error("written below a file")
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	// The name is taken by a folder: nothing is left beside it.
	if err := os.MkdirAll(filepath.Join(name, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := position.Write(name, 1); err == nil {
		t.Error("a folder was replaced")
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
}
