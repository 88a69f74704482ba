package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"kurs"
	"kurs/config"
)

// questions asks a person at a terminal.
type questions struct {
	in   *bufio.Reader
	out  io.Writer // prompts are talk, so they go to standard error
	find symbolFinder
}

func newQuestions(std streams, find symbolFinder) *questions {
	return &questions{in: bufio.NewReader(std.in), out: std.err, find: find}
}

// answer asks for one line. Its end without a line (Ctrl-D) ends the command.
func (q *questions) answer(format string, args ...any) (string, error) {
	fmt.Fprintf(q.out, format, args...)
	line, err := q.in.ReadString('\n')
	if err != nil && line == "" {
		fmt.Fprintln(q.out)
		return "", &kurs.Error{
			Code: "KURS-USAGE", Message: "no answer", Safe: "nothing was written",
			Try: "kurs init --no-input --currency DKK --symbols NOVO-B.CO,AAPL", Exit: kurs.ExitUsage, Err: err,
		}
	}
	return strings.TrimSpace(line), nil
}

func (q *questions) currency(proposed string) (string, error) {
	for {
		text, err := q.answer("Your currency [%s]: ", proposed)
		if err != nil {
			return "", err
		}
		if text == "" {
			return proposed, nil
		}
		if strings.ToLower(text) == text { // letter case says nothing here; in "GBp" it does
			text = strings.ToUpper(text)
		}
		p := config.CurrencyProblem(text)
		if p == "" {
			return text, nil
		}
		fmt.Fprintf(q.out, "  %q: %s\n", text, p)
	}
}

func (q *questions) symbols(ctx context.Context) ([]string, error) {
	text, err := q.answer("Symbols, as on Yahoo Finance (comma between) []: ")
	if err != nil {
		return nil, err
	}
	var symbols []string
	for part := range strings.SplitSeq(text, ",") {
		symbol, err := q.symbol(ctx, strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		if symbol != "" {
			symbols = appendSymbol(symbols, symbol)
		}
	}
	return symbols, nil
}

// symbol turns what somebody typed into a symbol, "" for none. Capitals are
// taken at their word; anything else may be a name, and is looked up.
func (q *questions) symbol(ctx context.Context, text string) (string, error) {
	for text != "" {
		possible := config.SymbolProblem(text) == ""
		if possible && (q.find == nil || strings.ToUpper(text) == text) {
			return text, nil
		}
		hits := q.hits(ctx, text)
		for _, hit := range hits {
			if strings.EqualFold(hit.Symbol, text) {
				return hit.Symbol, nil
			}
		}
		if len(hits) > 0 {
			return q.choose(text, hits)
		}
		again, err := q.answer("  Symbol for %q (empty: none): ", text)
		if err != nil {
			return "", err
		}
		if again == text && possible { // insisted on
			return text, nil
		}
		text = again
	}
	return "", nil
}

// hits are what can be offered for a name.
func (q *questions) hits(ctx context.Context, text string) []kurs.SearchHit {
	if q.find == nil {
		fmt.Fprintf(q.out, "  %q: %s\n", text, config.SymbolProblem(text))
		return nil
	}
	found, err := q.find(ctx, text)
	if err != nil {
		fmt.Fprintf(q.out, "  %q cannot be looked up: %v\n", text, err)
		return nil
	}
	const most = 9
	var hits []kurs.SearchHit
	for _, hit := range found {
		if config.SymbolProblem(hit.Symbol) == "" && len(hits) < most {
			hits = append(hits, hit)
		}
	}
	if len(hits) == 0 {
		fmt.Fprintf(q.out, "  nothing is found for %q\n", text)
	}
	return hits
}

func (q *questions) choose(text string, hits []kurs.SearchHit) (string, error) {
	fmt.Fprintf(q.out, "  %q is not a symbol. Which one?\n", text)
	w := tabwriter.NewWriter(q.out, 0, 0, 2, ' ', 0)
	for i, hit := range hits {
		fmt.Fprintf(w, "    %d\t%s\t%s\t%s\t%s\n", i+1, hit.Symbol, printable(hit.Name), printable(hit.Exchange), hit.Kind)
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("offer symbols: %w", err)
	}
	for {
		answer, err := q.answer("  Choose, 0 is none [1]: ")
		if err != nil {
			return "", err
		}
		if answer == "" {
			return hits[0].Symbol, nil
		}
		switch n, err := strconv.Atoi(answer); {
		case err != nil || n < 0 || n > len(hits):
			fmt.Fprintf(q.out, "  a number from 0 to %d\n", len(hits))
		case n == 0:
			return "", nil
		default:
			return hits[n-1].Symbol, nil
		}
	}
}

// appendSymbol adds a symbol in its canonical form, once.
func appendSymbol(symbols []string, symbol string) []string {
	symbol = kurs.CanonicalSymbol(symbol)
	if slices.Contains(symbols, symbol) {
		return symbols
	}
	return append(symbols, symbol)
}

// printable keeps a provider's text from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}
