// Package ledger writes prices as lines of plain-text accounting: for hledger and
// for beancount.
//
// It must not know where prices come from: it knows names, days and amounts.
package ledger
