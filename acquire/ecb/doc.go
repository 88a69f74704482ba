// Package ecb fetches the euro reference rates of the European Central Bank, one
// a working day of some thirty currencies, and hands each file on as published,
// a year a message.
//
// It begins with the file of the last 90 days and then asks seldom, when there
// can be something new: the bank publishes at about 16:00 in Frankfurt. A file
// that did not change is not sent again by a server that can tell. A mirror can be
// asked instead, or a file of this machine read, which is read again when it
// changes. Whatever goes wrong is told once and tried again: prices are
// converted with other rates meanwhile, and nothing ends.
//
// The package must not know what becomes of a file: no queue, no store, no rate
// book. It looks into one only to see whether it is one and of which days.
package ecb
