package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kurs"
)

const about = `kurs records live market prices and converts them into your currency.

  kurs init                     write a config file
  kurs config check             is it right?
  kurs decode answer.json       what does this answer of Yahoo say?

More: kurs <command> --help
`

// rootCommand is the list of all commands. Add yours here.
func rootCommand(std streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "kurs",
		Short:         "Record live market prices in your own currency",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			fmt.Fprint(std.out, about)
			return nil
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		configCommand(std),
		decodeCommand(std),
		initCommand(std, nil),
		simCommand(std),
	)
	return root
}

// asUsage gives the errors that the command line library makes itself the shape
// and the exit code of a usage error.
func asUsage(err error) error {
	for _, prefix := range []string{"unknown command", "accepts ", "requires ", "invalid argument"} {
		if strings.HasPrefix(err.Error(), prefix) {
			return usageError(err.Error(), "kurs help")
		}
	}
	return err
}

func usageError(message, try string) error {
	return &kurs.Error{Code: "KURS-USAGE", Message: message, Try: try, Exit: kurs.ExitUsage}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	try := "kurs help"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		try = "kurs " + near[0]
	}
	return usageError(fmt.Sprintf("%q is not a command", name), try)
}

// flagError suggests the flag that was meant.
func flagError(cmd *cobra.Command, err error) error {
	return usageError(err.Error(), cmd.CommandPath()+" --help")
}
