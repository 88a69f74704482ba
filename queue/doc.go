// Package queue carries messages from stage to stage: it is the only package
// that knows the broker, NATS JetStream, embedded in kurs or run by the user.
// It speaks the words of package kurs and turns them into messages
// (queue/pb) and back.
//
// What is put is on disk when Put returns (every write is synced, and there is
// no setting for less). Delivery is at least once; what makes an effect happen
// once is that stores keep their position in the same transaction as the rows.
//
// The package must not know what a stage does with a message, nor any source
// or store.
//
// # Streams
//
//	raw       work queue: answers as received, removed when acknowledged
//	rates     kept: answers that carry rates, the policy, snapshots of the book
//	priced    kept until every store has it: batches of prices
//	unpriced  work queue: prices that wait for a rate
//	dead      kept: messages that could not be worked off, whole, with the reason
//	control   the last word on each subject: ends of runs, positions, leases
package queue
