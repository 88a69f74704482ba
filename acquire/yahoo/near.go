package yahoo

import (
	"context"
	"slices"
	"strings"
	"time"

	"kurs"
)

// Bounds of suggestions for a symbol that the provider does not know.
const (
	mostNear    = 3
	leastNear   = 3 // letters that are still looked for
	nearTries   = 3 // searches for one symbol
	nearTimeout = 10 * time.Second
)

// Near are instruments that may have been meant by a symbol which Yahoo does not
// know: what its search finds for the symbol without its exchange, or for the
// beginning of that ("NOVOB.CO" finds NOVO-B.CO). It is an aid: where it cannot be
// had there are none.
func (c *Client) Near(ctx context.Context, symbol string) []kurs.SearchHit {
	ctx, cancel := context.WithTimeout(ctx, nearTimeout)
	defer cancel()
	text, suffix, _ := strings.Cut(symbol, ".")
	text, _, _ = strings.Cut(strings.TrimLeft(text, "^"), "=")
	for try := range nearTries {
		if len(text) == 0 {
			return nil
		}
		raw, err := c.Search(ctx, text)
		if err != nil {
			return nil
		}
		seen, err := c.decode(raw)
		if err != nil {
			return nil
		}
		if try > 0 { // a beginning is found in many names that mean something else
			seen.Found = slices.DeleteFunc(seen.Found, func(hit kurs.SearchHit) bool { return !strings.HasPrefix(hit.Symbol, text) })
		}
		if hits := nearest(seen.Found, symbol, suffix); len(hits) > 0 {
			return hits
		}
		if len(text) <= leastNear {
			return nil
		}
		text = text[:len(text)-1]
	}
	return nil
}

// nearest are the first of what was found, those of the exchange that was meant
// before the others.
func nearest(found []kurs.SearchHit, symbol, suffix string) []kurs.SearchHit {
	var here, elsewhere []kurs.SearchHit
	for _, hit := range found {
		switch {
		case hit.Symbol == symbol:
		case suffix != "" && strings.HasSuffix(hit.Symbol, "."+suffix):
			here = append(here, hit)
		default:
			elsewhere = append(elsewhere, hit)
		}
	}
	hits := append(here, elsewhere...)
	return hits[:min(len(hits), mostNear)]
}
