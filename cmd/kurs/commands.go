package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kurs"
	"kurs/config"
)

const about = `kurs records live market prices and converts them into your currency.

  kurs run --demo               try it: 30 seconds, offline
  kurs quote NOVO-B.CO AAPL     look now, store nothing
  kurs init                     write a config file
  kurs run                      start recording
  kurs status                   is it healthy?
  kurs export > prices.csv      take it elsewhere

More: kurs help · kurs help errors · kurs <command> --help
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
		barsCommand(std),
		configCommand(std),
		convertCommand(std),
		correctCommand(std),
		dbCommand(std),
		decodeCommand(std),
		explainCommand(std),
		exportCommand(std),
		fxCommand(std),
		gapsCommand(std),
		initCommand(std, findSymbols),
		queryCommand(std),
		quoteCommand(std),
		runCommand(std),
		simCommand(std),
		statusCommand(std),
		symbolsCommand(std),
		versionCommand(std),
	)
	root.AddCommand(stageCommands(std)...)
	root.SetHelpCommand(helpCommand(std))
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

// groupOf makes a command that only has others below it: alone it tells of them.
func groupOf(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return cmd.Help() //nolint:wrapcheck // writing to the terminal
	}
	cmd.AddCommand(below...)
	return cmd
}

func unknownCommand(cmd *cobra.Command, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	try := "kurs help"
	if near := config.Nearest(name, names); near != "" {
		try = cmd.CommandPath() + " " + near
	}
	return usageError(fmt.Sprintf("%q is not a command", name), try)
}

// flagError suggests the flag that was meant. Where a command that does not
// exist came before the flag, that is the mistake to tell of.
func flagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); !cmd.HasParent() && len(words) > 0 {
		return unknownCommand(cmd, words[0])
	}
	try := cmd.CommandPath() + " --help"
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := config.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			try = cmd.CommandPath() + " --" + near
		}
	}
	return usageError(err.Error(), try)
}
