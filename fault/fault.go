// Package fault names the places at which kurs can be made to die, so that a
// test can kill it exactly there: between the commit and the acknowledgement,
// say. In the ordinary build a point is an empty function that costs nothing;
// built with the tag "faults" it obeys the environment variable KURS_FAULT.
//
// It must not know what the points mean: it knows names and ways to die.
package fault

// Points are all named points, in the order in which data passes them. A test
// goes through each; one that is not in this list panics in the test build.
func Points() []string {
	return []string{
		"acquire.before_emit",      // an answer is whole, nothing of it is on disk
		"acquire.before_rates",     // before an answer with rates is put on the stream rates
		"acquire.after_rates",      // it is on rates, not yet on raw
		"acquire.before_raw",       // before an answer is put on the queue raw
		"acquire.after_raw",        // it is on raw: accepted
		"acquire.before_end",       // all is put, the end-of-data mark is not
		"acquire.after_end",        // the end-of-data mark is put
		"process.before_decode",    // a raw message is in hand
		"process.before_priced",    // converted, nothing published
		"process.after_priced",     // on priced, not yet on unpriced
		"process.before_ack",       // on priced and unpriced, raw not acknowledged
		"process.after_ack",        // raw acknowledged
		"process.before_dead",      // before a dead letter is put
		"process.after_dead",       // it is put, the message not yet terminated
		"process.before_fill",      // a rate was found for a waiting price
		"process.after_fill",       // the fill is on priced, the waiting price not yet removed
		"process.before_snapshot",  // before the rate book's snapshot is put
		"process.after_snapshot",   // it is put, the rates behind it not yet purged
		"process.before_end",       // raw is worked off, the mark not yet put
		"process.after_end",        // the mark of priced is put
		"store.before_write",       // a group is in hand
		"store.before_commit",      // the transaction is complete but for its commit
		"store.after_commit",       // committed, not yet acknowledged
		"store.before_ack",         // before the broker is told
		"store.after_ack",          // the broker was told
		"store.before_end",         // all is stored, the mark not yet put
		"store.after_end",          // the store said that it is done
		"store.migrate",            // in the middle of a migration
		"queue.before_purge",       // before priced is purged up to the lowest position
		"queue.after_purge",        // after it
		"supervise.before_stages",  // the broker is up, no stage is
		"supervise.after_stages",   // all stages were started
		"supervise.before_cleanup", // all is stored, the broker still up
	}
}
