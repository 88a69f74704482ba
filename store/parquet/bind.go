package parquet

import "kurs"

// This file is the only one of the package that may name a binary float: some
// prices come as a float32 (see versions).

// sameFloat32 tells whether two values are the same in float32.
func sameFloat32(a, b kurs.Decimal) bool {
	return a.Known() && b.Known() && float32(a.Float64()) == float32(b.Float64())
}
