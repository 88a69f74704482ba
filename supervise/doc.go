// Package supervise runs the three stages: it holds the data directory and the
// broker, starts each stage as a process of its own (or as goroutines), starts
// one again that dies, ends a run in order, and tells how all of them do.
//
// Stages learn of nothing by signals: what they are to do comes as one line on
// their standard input, its end is the supervisor's death, and how far a run
// goes is on the queue.
//
// It must not know what a stage does, or which sources and stores there are.
package supervise
