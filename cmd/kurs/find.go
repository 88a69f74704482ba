package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"kurs"
	"kurs/acquire/yahoo"
	"kurs/acquire/yahoo/wire"
	"kurs/config"
)

// findSymbols looks instruments up by name, as Yahoo Finance's search does. It
// asks whom the config and the environment name.
func findSymbols(ctx context.Context, text string) ([]kurs.SearchHit, error) {
	c, _, err := config.Load(config.Input{NoData: true, NoFile: true, Environ: os.Environ()})
	if err != nil {
		return nil, fmt.Errorf("look %q up: %w", text, err)
	}
	client, err := openClient(c)
	if err != nil {
		return nil, fmt.Errorf("look %q up: %w", text, err)
	}
	defer client.Close()
	return search(ctx, client, text)
}

// openClient makes a client for single calls, which is to be closed.
func openClient(c config.Config) (*yahoo.Client, error) {
	client, err := yahoo.NewClient(yahooConfig(c), wire.Decode, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, usageError(err.Error(), "kurs config check")
	}
	return client, nil
}

func search(ctx context.Context, client *yahoo.Client, text string) ([]kurs.SearchHit, error) {
	raw, err := client.Search(ctx, text)
	if err != nil {
		return nil, err
	}
	raw.Source = wire.Source
	seen, err := wire.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("what Yahoo found is not understood: %w", err)
	}
	return seen.Found, nil
}

// mostUnknown is how many symbols that the provider does not know are looked up.
const mostUnknown = 3

// near suggests what may have been meant by symbols that were not found.
func near(ctx context.Context, w io.Writer, client *yahoo.Client, unknown []string) {
	for _, symbol := range unknown[:min(len(unknown), mostUnknown)] {
		var texts []string
		for _, h := range client.Near(ctx, symbol) {
			texts = append(texts, fmt.Sprintf("%s  %s (%s)", printable(h.Symbol), printable(h.Name), printable(h.Exchange)))
		}
		if len(texts) > 0 {
			fmt.Fprintf(w, "near %s: %s\n", printable(symbol), strings.Join(texts, "    "))
		}
	}
}
