// Package reading is what people want of stored prices that is not stored: their
// values in another currency, with splits applied, as bars of any interval. It
// changes nothing of what is stored, and is a function of it: the same rows and
// rates give the same answer on every machine.
//
// It must not know any store, command or page: rates come through an interface of
// one method, rows are handed in.
package reading
