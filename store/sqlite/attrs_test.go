package sqlite

import (
	"database/sql/driver"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPackedAttributes(t *testing.T) {
	in := []driver.Value{nil, int64(-5), 6.4321, int64(1 << 62), 0.0}
	got, err := unpackAttrs(packAttrs(in), len(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, got); diff != "" {
		t.Error(diff)
	}
	packed := packAttrs(in)
	for n := range packed { // a damaged column is an error, never a panic
		if _, err := unpackAttrs(packed[:n], len(in)); err == nil {
			t.Errorf("%d of %d bytes were read without an error", n, len(packed))
		}
	}
	if _, err := unpackAttrs([]byte{9, 9, 9, 9, 9}, 5); err == nil {
		t.Error("an unknown tag was read without an error")
	}
}
