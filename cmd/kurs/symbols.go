package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kurs"
)

// symbolsCommand is kurs symbols: what instruments are called.
func symbolsCommand(std streams) *cobra.Command {
	return groupOf(&cobra.Command{
		Use:     "symbols",
		Short:   "Find what instruments are called, and say what they were called",
		Example: "  kurs symbols search novo nordisk\n  kurs symbols alias META FB --until 2022-06-09",
	}, symbolsAlias(std), symbolsSearch(std))
}

func symbolsSearch(std streams) *cobra.Command {
	s := settings{noData: true}
	output := "table"
	cmd := &cobra.Command{
		Use:   "search TEXT...",
		Short: "Find instruments by a name, a part of one, a symbol or an ISIN",
		Long: `Find instruments by a name, a part of one, a symbol or an ISIN.

What is found is what Yahoo's search finds, at most seven. The unit that prices
come in is not told there: kurs quote SYMBOL tells it.`,
		Example: `  kurs symbols search novo
  kurs symbols search vodafone -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.TrimSpace(strings.Join(args, " "))
			if text == "" {
				return usageError("nothing to search for", "kurs symbols search novo")
			}
			if output != "table" && output != "json" {
				return usageError(fmt.Sprintf("-o %s: not a format; table or json", output), "kurs symbols search "+shellWord(text))
			}
			return searchSymbols(cmd.Context(), std, &s, text, output)
		},
	}
	s.bind(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", output, "table or json")
	return cmd
}

// foundJSON is one instrument in -o json.
type foundJSON struct {
	Symbol   string              `json:"symbol"`
	Name     string              `json:"name"`
	Exchange string              `json:"exchange"`
	Kind     kurs.InstrumentKind `json:"kind"`
}

func searchSymbols(ctx context.Context, std streams, s *settings, text, output string) error {
	c, _, err := s.loadOrigins(std, nil)
	if err != nil {
		return err
	}
	client, err := openClient(c)
	if err != nil {
		return err
	}
	defer client.Close()
	hits, err := search(ctx, client, text)
	if err != nil {
		return err
	}
	if output == "json" {
		found := make([]foundJSON, len(hits))
		for i, h := range hits {
			found[i] = foundJSON{h.Symbol, h.Name, h.Exchange, h.Kind}
		}
		if err := printJSON(std.out, found); err != nil {
			return err
		}
	}
	if len(hits) == 0 {
		return &kurs.Error{
			Code: "KURS-SYMBOL", Message: "Yahoo finds nothing for " + fmt.Sprintf("%q", text), Try: "fewer letters, or finance.yahoo.com",
			Exit: kurs.ExitNotFound,
		}
	}
	if output == "json" {
		return nil
	}
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SYMBOL\tNAME\tEXCHANGE\tKIND")
	for _, h := range hits {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(h.Symbol), printable(h.Name), printable(h.Exchange), h.Kind)
	}
	return w.Flush() //nolint:wrapcheck // writing to the terminal
}
