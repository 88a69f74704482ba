// Package store is the third stage: for each configured store it takes batches
// of prices from the queue priced, in order, writes them in transactions, and
// tells the queue how far it is. Stores do not wait for each other; one that is
// down keeps its place and loses nothing.
//
// A store's own position, committed together with the rows, is the truth. What
// the queue knows of it is for show and for clearing away what all have.
//
// It must not know what kind of store it is, where a price came from, or how it
// was converted.
package store
