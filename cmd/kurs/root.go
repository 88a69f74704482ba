package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kurs"
)

// streams are the three of a command: data goes to out, talk to err.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// execute runs one command line and returns its exit code. It is the only place
// that prints errors.
func execute(ctx context.Context, args []string, std streams) kurs.ExitCode {
	root := rootCommand(std)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return kurs.ExitOK
	}
	err = asUsage(err)
	if !errors.Is(err, errSilent) {
		printError(std.err, err, wantsJSON(cmd))
	}
	return kurs.ExitCodeOf(err)
}

// errSilent ends a command whose output has said everything already; wrap it
// in a kurs.Error that carries the exit code.
var errSilent = errors.New("said already")

// exit is the error that ends a command with a code and no further words.
func exit(code kurs.ExitCode) error { return &kurs.Error{Exit: code, Err: errSilent} }

func wantsJSON(cmd *cobra.Command) bool {
	if cmd == nil {
		return false
	}
	f := cmd.Flags().Lookup("output")
	return f != nil && (f.Value.String() == "json" || f.Value.String() == "jsonl")
}

// printError prints the shape that every error of kurs has: what happened, what
// is safe, what to do.
func printError(w io.Writer, err error, asJSON bool) {
	var e *kurs.Error
	if !errors.As(err, &e) {
		e = &kurs.Error{Code: "KURS-FAILED", Message: err.Error(), Exit: kurs.ExitFailed}
		err = e
	}
	if asJSON {
		line := map[string]any{"error": map[string]any{
			"code": e.Code, "message": err.Error(), "hint": e.Try, "retryable": e.Retryable, "exit_code": e.Exit,
		}}
		if b, jerr := json.Marshal(line); jerr == nil {
			fmt.Fprintln(w, string(b))
			return
		}
	}
	fmt.Fprintf(w, "error: %s   [%s]\n", err, e.Code)
	if e.Safe != "" {
		fmt.Fprintf(w, "  safe: %s\n", e.Safe)
	}
	if e.Try != "" {
		fmt.Fprintf(w, "  try:  %s\n", e.Try)
	}
}
