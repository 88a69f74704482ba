// Command kurs records live market prices and converts them into the user's own
// currency.
//
// This package is the only place that knows everybody: it joins sources,
// stages and stores, and holds one file a command. It must not know how any of
// them works.
package main

import (
	"context"
	"os"
	_ "time/tzdata" // a bare container knows Copenhagen too
)

func main() {
	os.Exit(int(execute(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})))
}
