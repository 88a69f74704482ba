package wire

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"kurs"
)

// failure reads the value of "error": {"code","description"}, or null where
// there is none. The first error counts.
func (d *decoder) failure() {
	e := kurs.ProviderError{}
	switch d.next() {
	case '"':
		e.Description = string(d.text())
	case '{':
		for key := range d.members() {
			switch string(key) {
			case "code":
				e.Code = string(d.text())
			case "description":
				e.Description = string(d.text())
			}
		}
	default:
		return
	}
	if d.out.Failure == nil {
		d.out.Failure = d.provider(e)
	}
}

// provider completes an error by what to do about it and whom it is about.
func (d *decoder) provider(e kurs.ProviderError) *kurs.ProviderError {
	e.Kind = errorKind(e.Code, e.Description)
	for _, asked := range d.asked {
		e.Symbols = append(e.Symbols, kurs.CanonicalSymbol(asked))
	}
	if symbol := symbolIn(e.Description); e.Symbols == nil && symbol != "" {
		e.Symbols = []string{symbol}
	}
	return &e
}

// errorKind sorts Yahoo's errors. The codes and wordings are those of recorded
// answers and public threads: chart 404 "Not Found", chart 400 "Data doesn't
// exist for startDate = ...", quote 401 "Invalid Crumb", "Invalid Cookie" and
// "User is unable to access this feature", 429 "Too Many Requests".
func errorKind(code, description string) kurs.ErrorKind {
	switch {
	case strings.EqualFold(code, "Not Found"),
		strings.HasPrefix(description, "Data doesn't exist"),
		strings.HasPrefix(description, "No data found"):
		return kurs.ErrorNotFound
	case strings.EqualFold(code, tooManyRequests), strings.Contains(description, tooManyRequests):
		return kurs.ErrorRateLimit
	case strings.EqualFold(code, "Unauthorized"),
		strings.HasPrefix(description, "Invalid Crumb"),
		strings.HasPrefix(description, "Invalid Cookie"):
		return kurs.ErrorUnauthorized
	}
	return kurs.ErrorOther
}

// symbolIn is the symbol that quoteSummary names at the end of its description:
// "Quote not found for symbol: XYZ", "Quote not found for ticker symbol: XYZ".
func symbolIn(description string) string {
	_, symbol, ok := strings.Cut(description, "symbol: ")
	if symbol = strings.TrimSpace(symbol); !ok || strings.ContainsAny(symbol, " \t\n") {
		return ""
	}
	return kurs.CanonicalSymbol(symbol)
}

const (
	tooManyRequests = "Too Many Requests"
	maxPlain        = 200 // bytes of a plain text that may be an error; Yahoo's has 23
)

// plain reads an answer that is no JSON object: the rate limit's plain text
// ("Edge: Too Many Requests", or without "Edge:" from getcrumb), the XML error
// of an unknown path. Everything else, pages above all, is refused.
func plain(body []byte) (kurs.ProviderError, error) {
	text := bytes.TrimSpace(body)
	at := bytes.Index(body, text)
	switch {
	case len(text) == 0:
		return kurs.ProviderError{}, refused(body, 0, "the answer is empty")
	case text[0] == '<':
		return markup(body, at)
	case text[0] != '[' && len(text) <= maxPlain && utf8.Valid(text) && bytes.Contains(text, []byte(tooManyRequests)):
		return kurs.ProviderError{Code: tooManyRequests, Description: string(text)}, nil
	}
	return kurs.ProviderError{}, refused(body, at, `no JSON object: "{" expected`)
}

// markup reads the XML error of Yahoo's gateway and names the pages that come
// instead of answers.
func markup(body []byte, at int) (kurs.ProviderError, error) {
	if bytes.Contains(body, []byte("<yahoo:error")) {
		if text := between(body, "<yahoo:description>", "</yahoo:description>"); text != "" {
			return kurs.ProviderError{Description: text}, nil
		}
	}
	const page = "a web page instead of an answer"
	switch title := between(body, "<title>", "</title>"); {
	case bytes.Contains(body, []byte("Will be right back")):
		return kurs.ProviderError{}, refused(body, at, page+`: Yahoo is down ("Will be right back")`)
	case bytes.Contains(body, []byte("collectConsent")), bytes.Contains(body, []byte(`name="csrfToken"`)):
		return kurs.ProviderError{}, refused(body, at, page+": Yahoo asks for consent to cookies")
	case title != "":
		return kurs.ProviderError{}, refused(body, at, page+": "+strconv.Quote(title))
	}
	return kurs.ProviderError{}, refused(body, at, page)
}

// between is the text between two marks where it is there and short, with its
// white space made single.
func between(body []byte, before, after string) string {
	_, rest, _ := bytes.Cut(body, []byte(before))
	text, _, ok := bytes.Cut(rest[:min(len(rest), maxPlain)], []byte(after))
	if !ok || !utf8.Valid(text) {
		return ""
	}
	return strings.Join(strings.Fields(string(text)), " ")
}
