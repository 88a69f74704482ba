// Package clients runs clients of Yahoo Finance that were written by others, and
// not changed, against kurs sim: npm's yahoo-finance2 with its validation on, and
// the Go client finance-go. A module of its own, so that what they need is not
// what kurs needs.
//
// It knows kurs only as a program: it builds and starts it.
package clients
