// Package process is the second stage: it turns raw messages into prices in the
// user's own currency. A pool of workers takes answers from the queue raw,
// decodes and checks them, converts each price with the rate as of its own time
// as known when it was received, and puts the results on the queue priced.
//
// What comes out is a function of what was received and when, not of which
// worker was faster: every worker follows the stream rates whole and in order,
// and uses it only up to the place that the raw message names. A price without
// a rate goes on at once, and is filled in by the first rate of the stream that
// fits; one process at a time does that.
//
// It must not know who acquires, who stores, or where anything runs: it knows
// the queue, the words of package kurs and the rate book, and is handed the
// decoders of the sources.
package process
