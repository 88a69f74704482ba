package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/config"
)

// convertRun is one run of kurs convert.
type convertRun struct {
	settings
	viewFlags
	rangeFlags
	csvFlags

	to      string
	symbols string
	output  string
}

func convertCommand(std streams) *cobra.Command {
	var r convertRun
	cmd := &cobra.Command{
		Use:   "convert --to CURRENCY",
		Short: "Give stored prices in another currency",
		Long: `Convert the stored prices into any currency, each with the stored rate as of its own
time, as kurs would have done while it recorded. What is stored is not touched. A
price without a rate of its time has no value; how many there are is told at the end.

Only currencies whose rates were recorded can be had; kurs fx PAIR tells what is there.`,
		Example: `  kurs convert --to EUR --since 2026-11-01 > november.csv
  kurs convert --to USD --symbols NOVO-B.CO --since 24h -o jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd.Context(), std) },
	}
	flags := cmd.Flags()
	r.settings.bind(flags)
	r.rangeFlags.bind(flags)
	r.csvFlags.bind(flags)
	flags.StringVar(&r.to, "to", "", "the `CURRENCY` wanted (ISO 4217)")
	flags.StringVar(&r.symbols, "symbols", "", "only these: `A,B`")
	flags.StringVar(&r.asOf, "as-of", "", "with what kurs knew at `TIME`")
	flags.BoolVar(&r.adjusted, "adjusted", false, "apply the splits of shares that came after a price")
	flags.StringVarP(&r.output, "output", "o", "csv", "csv or jsonl")
	return cmd
}

func (r *convertRun) run(ctx context.Context, std streams) error {
	if r.to == "" {
		return usageError("--to is missing: into which currency?", "kurs convert --to EUR")
	}
	if p := config.CurrencyProblem(r.to); p != "" {
		return usageError(fmt.Sprintf("--to %q: %s", r.to, p), "kurs convert --to EUR")
	}
	if r.output != "csv" && r.output != "jsonl" {
		return usageError(fmt.Sprintf("-o %s is not a format: there are csv and jsonl", r.output), "-o csv")
	}
	dialect, err := r.dialect(r.output)
	if err != nil {
		return err
	}
	c, err := r.load(std)
	if err != nil {
		return err
	}
	filter, err := r.filter(c, symbolsOf([]string{r.symbols}))
	if err != nil {
		return err
	}
	r.currency = r.to
	v, err := r.open(ctx, c, filter.Symbols)
	if err != nil {
		return err
	}
	defer v.close()
	e := exported{found: map[string]bool{}, dialect: dialect}
	unvalued := 0
	err = e.writeRows(std.out, r.output, func(row func(kurs.Row) error) error {
		return v.quotes(ctx, filter, func(p kurs.Row) error {
			e.count(&p)
			if !p.PriceBase.Known() {
				unvalued++
			}
			return row(p)
		})
	})
	if err != nil {
		return readerGone(err)
	}
	fmt.Fprintf(std.err, "%s in %s", countOf(e.rows, "price"), v.currency())
	if unvalued > 0 {
		fmt.Fprintf(std.err, ", %d of them without a rate of their time", unvalued)
	}
	fmt.Fprintln(std.err)
	return e.missing(std.err, filter.Symbols)
}
