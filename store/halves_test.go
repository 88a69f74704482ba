package store

import (
	"reflect"
	"testing"

	"kurs"
)

// TestHalvesLoseNothing: whatever kinds of rows a batch has, the parts that it is
// split into have each of them once. A kind that is new is in this test by itself.
func TestHalvesLoseNothing(t *testing.T) {
	const each = 3
	var whole kurs.Batch
	v := reflect.ValueOf(&whole).Elem()
	kinds := 0
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && v.Type().Field(i).Name != "Raws" {
			f.Set(reflect.MakeSlice(f.Type(), each, each))
			kinds++
		}
	}
	whole.Raws = make([]kurs.RawID, 2)
	if whole.Rows() != kinds*each {
		t.Fatalf("Rows counts %d of %d rows of %d kinds", whole.Rows(), kinds*each, kinds)
	}
	found := map[string]int{}
	var split func(b kurs.Batch)
	split = func(b kurs.Batch) {
		if len(b.Raws) != len(whole.Raws) {
			t.Errorf("a part accounts for %d receipts", len(b.Raws))
		}
		if b.Rows() > 1 {
			for _, half := range halves(b) {
				if half.Rows() >= b.Rows() {
					t.Fatalf("a half has %d of %d rows", half.Rows(), b.Rows())
				}
				split(half)
			}
			return
		}
		v := reflect.ValueOf(b)
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Slice && v.Type().Field(i).Name != "Raws" {
				found[v.Type().Field(i).Name] += f.Len()
			}
		}
	}
	split(whole)
	for name, n := range found {
		if n != each {
			t.Errorf("%s: %d of %d rows are left", name, n, each)
		}
	}
}
