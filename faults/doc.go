// Package faults checks that nothing was lost, doubled or changed: it compares
// the ledger of the simulated exchange, which notes every price that was handed
// out, with what a database of kurs shows. Tests that kill kurs, or take its
// disk or its database away, end with it.
//
// It must not know any package of kurs: it reads the ledger and the views as
// anybody could, and does its own arithmetic, so that it shares no mistake with
// what it checks.
package faults
