// Package lines is the store that writes files of lines: JSON lines or CSV, a
// line a price, begun anew at a size and at midnight (UTC, of writing), and
// compressed once they are closed, if wanted.
//
// It must not know what the config says, where a price came from, or who reads.
//
// It writes prices, and the rate of a price that had none (a fill), in the order
// of the queue; bars, rates, events and instruments are not written. Nothing that
// was written is ever changed: of a price that was corrected, both are there.
//
// A group is committed by its position file, which names the file that is written
// and how long that is. What lies behind that is cut off at the next opening and
// written again. So a group with a position is in the files once, however kurs
// ended; one without (what a store is filled with that lagged behind too far, and
// what is left of a message after some of it was refused) may be there again.
package lines
