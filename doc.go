// Package kurs is the vocabulary of the program kurs: what a raw message, a
// quote, a bar, a rate and a price are, the rules that hold for each of them
// alone, and the two small interfaces by which a source and a store are added.
//
// It knows nobody: no other package of kurs, no provider, no broker, no
// database. Everything else may import it. kurs is a program; its Go packages
// promise nothing to other modules. What is promised is the command line, the
// config file, the messages, the views and the files (docs/formats.md).
//
// Data flows one way: [Raw] -> [Quote] and [Bar] -> [Price] -> [Row].
package kurs
