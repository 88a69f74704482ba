package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/config"
	"kurs/process"
	"kurs/process/fx"
)

func quoteCommand(std streams) *cobra.Command {
	var (
		s      settings
		f      viewFlags
		stored bool
		output string
	)
	cmd := &cobra.Command{
		Use:   "quote [SYMBOL...]",
		Short: "Look at prices now, store nothing",
		Long: `Ask for the last prices of symbols and the exchange rates that they need, and
show them converted. Nothing is stored. Without SYMBOL: those of the config.

--stored shows what was recorded last instead, without asking anybody.`,
		Example: `  kurs quote NOVO-B.CO AAPL VOD.L --currency DKK
  kurs quote AAPL -o json
  kurs quote --stored
  kurs quote --stored --currency EUR --as-of 2026-11-24T12:00:00Z`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := tableOrJSON(output); err != nil {
				return err
			}
			s.noData = !stored
			c, err := s.load(std)
			if err != nil {
				return err
			}
			symbols := c.Symbols
			if len(args) > 0 {
				symbols = symbolsOf(args)
			}
			if len(symbols) == 0 && !stored {
				return usageError("there is no symbol to look at", "kurs quote NOVO-B.CO AAPL")
			}
			if stored {
				f.currency = s.overrides()["currency"]
				return quoteStored(cmd.Context(), std, c, f, args, output)
			}
			for _, name := range []string{"as-of", "adjusted"} {
				if cmd.Flags().Changed(name) {
					return usageError("--"+name+" is about stored prices", "kurs quote --stored --"+name)
				}
			}
			return quoteLive(cmd.Context(), std, c, symbols, output)
		},
	}
	s.bind(cmd.Flags())
	for _, path := range []string{"currency"} {
		if k, ok := config.Lookup(path); ok {
			bindKey(cmd.Flags(), k)
		}
	}
	f.bind(cmd.Flags())
	cmd.Flags().BoolVar(&stored, "stored", false, "show what was recorded last")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return cmd
}

// symbolsOf are the symbols of arguments, also with commas between.
func symbolsOf(args []string) []string {
	var out []string
	for _, arg := range args {
		for part := range strings.SplitSeq(arg, ",") {
			if symbol := kurs.CanonicalSymbol(part); symbol != "" && !slices.Contains(out, symbol) {
				out = append(out, symbol)
			}
		}
	}
	return out
}

// looked is a price that was looked up; its JSON is a promise.
type looked struct {
	Symbol       string       `json:"symbol"`
	Name         string       `json:"name,omitempty"`
	Session      kurs.Session `json:"session,omitempty"`
	PriceTime    time.Time    `json:"price_time"`
	Received     time.Time    `json:"received"`
	DelaySeconds int64        `json:"delay_seconds"`
	Native       lookedNative `json:"native"`
	Approximate  bool         `json:"approximate,omitempty"` // the last digits of native are not sure
	FX           *lookedFX    `json:"fx"`                    // null: nothing to convert, or no rate
	Converted    *lookedMoney `json:"converted"`
}

type (
	lookedMoney struct {
		Amount   kurs.Decimal `json:"amount"`
		Currency string       `json:"currency"`
	}
	lookedNative struct {
		lookedMoney
		Unit   string       `json:"unit"`
		Factor kurs.Decimal `json:"factor,omitzero"`
	}
	lookedFX struct {
		Pair   string       `json:"pair"`
		Rate   kurs.Decimal `json:"rate"`
		Time   time.Time    `json:"time"`
		Source string       `json:"source"`
	}
)

// quoteLive asks for prices, then for the rates that they need.
func quoteLive(ctx context.Context, std streams, c config.Config, symbols []string, output string) error {
	client, err := openClient(c)
	if err != nil {
		return err
	}
	defer client.Close()
	raws, failure := client.Quotes(ctx, symbols)
	for i := range raws {
		raws[i].Received = raws[i].Received.UTC().Truncate(time.Millisecond) // as it would be stored
	}
	if len(raws) == 0 && failure != nil {
		return withStored(ctx, std, c, symbols, failure)
	}
	prices, names, err := convertNow(ctx, client, c, raws, symbols)
	if err != nil {
		return err
	}
	shown := make([]looked, len(prices))
	for i := range prices {
		shown[i] = look(prices[i], names[prices[i].Symbol])
	}
	if len(shown) > 0 || output == "json" {
		if err := printLooked(std, c, shown, output); err != nil {
			return err
		}
	}
	e, ok := errors.AsType[*kurs.Error](failure)
	if !ok {
		return failure
	}
	if e.Exit == kurs.ExitNotFound && output != "json" {
		near(ctx, std.err, client, unfound(symbols, prices))
	}
	partly := *e
	if len(shown) > 0 {
		partly.Exit = kurs.ExitPartly
	}
	return &partly
}

// unfound are the symbols that have no price.
func unfound(symbols []string, prices []kurs.Price) []string {
	return slices.DeleteFunc(slices.Clone(symbols), func(symbol string) bool {
		return slices.ContainsFunc(prices, func(p kurs.Price) bool { return p.Symbol == symbol })
	})
}

// convertNow converts answers as process would, with rates that are asked for
// now, and returns the newest price of each symbol.
func convertNow(ctx context.Context, client *yahoo.Client, c config.Config, raws []kurs.Raw, symbols []string) ([]kurs.Price, map[string]string, error) {
	pairs, oldest, err := pairsOf(raws, c.Currency)
	if err != nil {
		return nil, nil, err
	}
	book := fx.New()
	book.SetPolicy(1, ratePolicy(c))
	at := uint64(1)
	if len(pairs) > 0 {
		rates, err := client.Pairs(ctx, pairs, oldest)
		if err != nil {
			return nil, nil, err
		}
		for _, raw := range rates {
			seen, err := wire.Decode(raw)
			if err != nil {
				continue // an answer without rates; what lacks one says so
			}
			at++
			learned, _ := fx.RatesOf(seen, raw)
			book.Learn(at, learned)
		}
	}
	at++
	book.Tick(at, time.Now().Add(c.FX.MaxAge+time.Minute)) // nobody will tell more
	p := process.Processor{Base: c.Currency, Decode: decoders(), Policy: ratePolicy(c), Rates: allTold{book}}
	last, names := map[string]kurs.Price{}, map[string]string{}
	for _, raw := range raws {
		raw.Source, raw.Listed = wire.Source, symbols
		out, err := p.Process(raw, book.Pos())
		if err != nil {
			return nil, nil, err
		}
		for _, price := range out.Batch.Prices {
			if have, ok := last[price.Symbol]; !ok || price.Time.After(have.Time) {
				last[price.Symbol] = price
			}
		}
		for _, i := range out.Batch.Instruments {
			names[i.Symbol] = i.Name
		}
	}
	var prices []kurs.Price
	for _, symbol := range symbols {
		if price, ok := last[symbol]; ok {
			prices = append(prices, price)
		}
	}
	return prices, names, nil
}

// allTold is a book that is complete: no source will tell more, so that another
// stands in at once for the preferred one.
type allTold struct{ *fx.Book }

func (b allTold) AsReceived(pair kurs.Pair, at time.Time, upTo uint64) (kurs.Rate, bool) {
	return b.AsOf(pair, at, upTo)
}

// pairsOf are the pairs that answers need, and the time of their oldest price.
func pairsOf(raws []kurs.Raw, base string) (pairs []kurs.Pair, oldest time.Time, err error) {
	for _, raw := range raws {
		raw.Source = wire.Source
		seen, err := wire.Decode(raw)
		if err != nil {
			return nil, oldest, fmt.Errorf("what Yahoo answered is not understood: %w", err)
		}
		for i := range seen.Quotes {
			q := &seen.Quotes[i]
			currency, _, ok := kurs.CurrencyOf(q.Unit)
			if !ok || currency == base {
				continue
			}
			if pair := (kurs.Pair{From: currency, To: base}); !slices.Contains(pairs, pair) {
				pairs = append(pairs, pair)
			}
			if oldest.IsZero() || q.Time.Before(oldest) {
				oldest = q.Time
			}
		}
	}
	return pairs, oldest, nil
}

func look(p kurs.Price, name string) looked {
	out := looked{
		Symbol: p.Symbol, Name: name, Session: p.Session, PriceTime: p.Time.UTC(), Received: p.Received.UTC(),
		DelaySeconds: int64(p.Delay / time.Second),
		Native:       lookedNative{lookedMoney{p.Value, p.Currency}, p.Unit, p.Factor}, Approximate: p.Approximate,
	}
	if p.Base.Known() {
		out.Converted = &lookedMoney{p.Base, p.BaseCurrency}
	}
	if p.Rate.Known() && !p.Rate.IsIdentity() {
		out.FX = &lookedFX{Pair: p.Rate.String(), Rate: p.Rate.Value, Time: p.Rate.Time.UTC(), Source: p.Rate.Source}
	}
	return out
}

func printLooked(std streams, c config.Config, prices []looked, output string) error {
	if output == "json" {
		return printJSON(std.out, prices)
	}
	n, now := newNumbers(c.Locale), time.Now()
	t := table{
		head:  []string{"SYMBOL", "NAME", "PRICE " + c.Currency, "NATIVE", "", "FX", "AGE", "MARKET"},
		right: []bool{false, false, true, true, false, true, true, false},
	}
	var missing []string
	for i := range prices {
		p := &prices[i]
		base, rate := "-", "-"
		if p.Converted != nil {
			base = n.price(p.Converted.Amount)
		}
		switch {
		case p.FX != nil:
			rate = n.rate(p.FX.Rate)
		case p.Converted == nil && p.Native.Currency != "":
			pair := p.Native.Currency + c.Currency
			rate = "no " + pair
			if !slices.Contains(missing, pair) {
				missing = append(missing, pair)
			}
		}
		market := string(p.Session)
		if p.DelaySeconds > 0 {
			market += fmt.Sprintf(", %d min delayed", p.DelaySeconds/60)
		}
		t.add(printable(p.Symbol), cutText(printable(p.Name), 24), base, n.native(p.Native.Amount, p.Approximate), printable(p.Native.Unit), rate,
			ageText(now.Sub(p.PriceTime)), market)
	}
	if err := t.print(std.out); err != nil {
		return err
	}
	if slices.ContainsFunc(prices, func(p looked) bool { return p.Approximate }) {
		fmt.Fprintln(std.out, approximately)
	}
	for _, pair := range missing {
		fmt.Fprintf(std.err, "warning: no %s rate young enough for the price (fx.max_age)   [KURS-FX]\n", pair)
	}
	fmt.Fprintf(std.err, "\n%s. Nothing was stored; record with: kurs run\n", countOf(len(prices), "symbol"))
	return nil
}

// withStored adds to an error what is known from before.
func withStored(ctx context.Context, std streams, c config.Config, symbols []string, failure error) error {
	if c.Paths.Database == "" {
		return failure
	}
	r, err := openReader(ctx, c)
	if err != nil {
		return failure
	}
	defer func() { _ = r.Close() }() // it was only read
	rows, err := r.Latest(ctx, symbols, time.Time{})
	if err != nil {
		return failure
	}
	n := newNumbers(c.Locale)
	for i := range rows {
		fmt.Fprintf(std.err, "  last stored price: %s %s %s, %s (kurs quote --stored %s)\n", printable(rows[i].Symbol), n.price(rows[i].PriceNative),
			printable(rows[i].Unit), rows[i].Time.Local().Format(time.DateTime), shellWord(rows[i].Symbol))
	}
	return failure
}

// quoteStored shows what was recorded last.
func quoteStored(ctx context.Context, std streams, c config.Config, f viewFlags, args []string, output string) error {
	symbols := symbolsOf(args)
	v, err := f.open(ctx, c, symbols)
	if err != nil {
		return err
	}
	defer v.close()
	rows, err := v.latest(ctx, symbols)
	if err != nil {
		return err
	}
	c.Currency = v.currency()
	now := time.Now()
	if !v.asOf.IsZero() {
		now = v.asOf
	}
	if output == "json" {
		err = printJSON(std.out, rows)
	} else {
		err = priceTable(std.out, c, rows, now)
	}
	if err != nil {
		return err
	}
	return storedMissing(std.err, c, symbols, rows)
}

// storedMissing names the symbols that nothing is stored of.
func storedMissing(w io.Writer, c config.Config, symbols []string, rows []kurs.Row) error {
	var missing []string
	for _, symbol := range symbols {
		if !slices.ContainsFunc(rows, func(r kurs.Row) bool { return r.Symbol == symbol || r.Instrument == symbol }) {
			missing = append(missing, symbol)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	fmt.Fprintf(w, "nothing is stored of %s in %s\n", strings.Join(missing, ", "), config.Short(c.Paths.Database, os.Environ()))
	if len(rows) == 0 {
		return exit(kurs.ExitNotFound)
	}
	return exit(kurs.ExitPartly)
}
