// Package sim is a simulated exchange: a made-up market that is a pure function
// of a seed, and an HTTP server that answers for it in Yahoo Finance's own
// protocol. It stands in for Yahoo where there is no network (kurs run --demo),
// where a test needs to know what the right answer was (the ledger), and for
// anybody who tests another client of Yahoo's (docs/simulator.md).
//
// The market comes first: any instrument has one price at any second, past or
// future, that does not depend on what was asked before. Answers are sampled
// from it, so a quote, a bar that ends in that second and a spark agree.
//
// It must not know kurs's decoders: a fake that shares code with the client
// under test repeats its mistakes. It knows nothing of queues, stores or
// configuration either. Protocol facts are from public clients and their
// recorded answers; where only a guess was possible the code says so.
//
// Binary floats are at home here: the real service computes in float32, and
// what that does to a price is part of the protocol. The truth is a decimal of
// at most 7 significant digits, which float32 carries there and back.
package sim
