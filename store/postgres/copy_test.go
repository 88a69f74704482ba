package postgres

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestNothingIsReadOfWhatWasTakenBack(t *testing.T) {
	r := &lent{from: strings.NewReader("ab")}
	p := make([]byte, 1)
	if n, err := r.Read(p); n != 1 || err != nil || p[0] != 'a' {
		t.Errorf("got %d, %v, %q", n, err, p)
	}
	r.takeBack()
	if n, err := r.Read(p); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %d, %v", n, err)
	}
}
