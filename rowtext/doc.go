// Package rowtext is how prices and bars are written as text: a line of JSON, a
// record of CSV, in the columns of [kurs.Row] and [kurs.BarRow]. All that kurs
// writes for other programs to read comes through here, so that it looks the same
// wherever it is written to.
//
// It must not know who writes, where to, or who reads.
package rowtext
