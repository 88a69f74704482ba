// Package acquire is the first stage: it lets its sources ask, side by side, and
// puts each answer, as received, on the queue raw. An answer is accepted when the
// queue has it on disk; until then the source waits, which is all the
// back-pressure there is.
//
// It must not know what an answer says, which source it is, or who takes what it
// puts on the queue.
package acquire
