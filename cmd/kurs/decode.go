package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

// decodable are the endpoints that kurs decode reads.
var decodable = []kurs.Endpoint{
	kurs.EndpointQuote, kurs.EndpointChart, kurs.EndpointSpark, kurs.EndpointSearch, kurs.EndpointStream,
}

func decodeCommand(std streams) *cobra.Command {
	var endpoint string
	cmd := &cobra.Command{
		Use:   "decode [FILE...]",
		Short: "Show what an answer of Yahoo says, one JSON object a line",
		Long: `Reads recorded answers of Yahoo (quote, chart, spark, search, frames of the
stream, errors) and prints what kurs reads in them, one JSON object a line:
exactly what kurs run would convert. Without FILE, or with -, it reads standard
input. Values that Yahoo did not send are left out.

Recordings that hold an answer together with its request, {"request":...,
"response":{"status":...,"bodyJson" or "body" or "bodyText":...}}, are unwrapped.

An error that Yahoo answered with is printed as {"kind":"error",...}; then the
exit code is 5 (not found), 7 (rate limit) or 1.`,
		Example: `  kurs decode answer.json
  curl -s "$URL" | kurs decode
  kurs decode --endpoint stream frames.b64`,
		RunE: func(_ *cobra.Command, files []string) error {
			if endpoint != "" && !slices.Contains(decodable, kurs.Endpoint(endpoint)) {
				return usageError(fmt.Sprintf("%q is not an endpoint", endpoint), "--endpoint "+endpointNames("|"))
			}
			if len(files) == 0 {
				files = []string{"-"}
			}
			return decodeFiles(std, kurs.Endpoint(endpoint), files)
		},
	}
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "what the files answer: "+endpointNames(", ")+" (default: guessed from each file)")
	return cmd
}

func endpointNames(separator string) string {
	names := make([]string, len(decodable))
	for i, e := range decodable {
		names[i] = string(e)
	}
	return strings.Join(names, separator)
}

// decodeFiles goes on after a file that fails, and ends with the first
// failure's exit code. Errors are printed as they happen, in their place among
// the output.
func decodeFiles(std streams, endpoint kurs.Endpoint, files []string) error {
	code := kurs.ExitOK
	for _, file := range files {
		err := decodeFile(std, endpoint, file)
		if err == nil {
			continue
		}
		if !errors.Is(err, errSilent) {
			printError(std.err, err, false)
		}
		if code == kurs.ExitOK {
			code = kurs.ExitCodeOf(err)
		}
	}
	if code != kurs.ExitOK {
		return exit(code)
	}
	return nil
}

func decodeFile(std streams, endpoint kurs.Endpoint, file string) error {
	name := file
	if file == "-" {
		name = "standard input"
	}
	content, err := readAnswer(std.in, file)
	if err != nil {
		return decodeError(name, err)
	}
	r := unwrapRecording(content)
	observed, endpoint, err := r.decode(endpoint)
	if err != nil {
		return decodeError(name, err)
	}
	w := bufio.NewWriter(std.out)
	n, err := writeDecoded(w, observed)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return decodeError(name, fmt.Errorf("print what it says: %w", err))
	}
	if observed.Failure != nil {
		return exit(failureCode(observed.Failure.Kind))
	}
	switch missing := leftOut(r.asked, endpoint, observed); {
	case len(missing) > 0:
		fmt.Fprintf(std.err, "note: %s: left out by Yahoo: %s\n", name, strings.Join(missing, ", "))
	case n == 0:
		fmt.Fprintf(std.err, "note: %s: an answer of Yahoo that says nothing\n", name)
	}
	return nil
}

func decodeError(name string, err error) error {
	e := &kurs.Error{Code: "KURS-DECODE", Message: name, Exit: kurs.ExitFailed, Err: err}
	if errors.Is(err, kurs.ErrRejected) {
		e.Try = "a whole answer of Yahoo, as it was received; --endpoint " + endpointNames("|") + " if it was guessed wrongly"
	}
	return e
}

// failureCode is the exit code for an error that Yahoo answered with.
func failureCode(kind kurs.ErrorKind) kurs.ExitCode {
	switch kind {
	case kurs.ErrorNotFound:
		return kurs.ExitNotFound
	case kurs.ErrorRateLimit:
		return kurs.ExitRateLimit
	default:
		return kurs.ExitFailed
	}
}

// readAnswer reads a whole file or standard input, up to the size that is
// decoded.
func readAnswer(stdin io.Reader, file string) ([]byte, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file) //nolint:gosec // the file that the user named
		if err != nil {
			return nil, withoutPath(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, withoutPath(err)
		}
		if info.IsDir() {
			return nil, errors.New("is a directory: name the files in it")
		}
		r = f
	}
	content, err := io.ReadAll(io.LimitReader(r, wire.MaxBody+1))
	switch {
	case err != nil:
		return nil, withoutPath(err)
	case len(content) > wire.MaxBody:
		return nil, fmt.Errorf("larger than %d MiB, which no answer of Yahoo is", wire.MaxBody>>20)
	}
	content = bytes.TrimPrefix(content, []byte("\xEF\xBB\xBF")) // some editors begin with it
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, errors.New("is empty")
	}
	return content, nil
}

// withoutPath leaves out the path that the system's errors repeat.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// A recording is an answer with what is known of its request.
type recording struct {
	body   []byte
	status int // HTTP; 0 where the answer was kept alone
	asked  []string
}

// unwrapRecording takes an answer out of a recorder's envelope, as the HTTP fixtures of
// node-yahoo-finance2 have it; anything else is the answer itself.
func unwrapRecording(content []byte) recording {
	var envelope struct {
		Request struct {
			URL string `json:"url"`
		} `json:"request"`
		Response *struct {
			Status   int             `json:"status"`
			BodyJSON json.RawMessage `json:"bodyJson"`
			Body     json.RawMessage `json:"body"`
			BodyText json.RawMessage `json:"bodyText"`
		} `json:"response"`
	}
	if err := json.Unmarshal(content, &envelope); err != nil || envelope.Response == nil {
		return recording{body: content}
	}
	r := recording{status: envelope.Response.Status, asked: askedIn(envelope.Request.URL)}
	for _, body := range []json.RawMessage{envelope.Response.BodyJSON, envelope.Response.Body, envelope.Response.BodyText} {
		if len(body) == 0 || string(body) == "null" {
			continue
		}
		var text string
		if err := json.Unmarshal(body, &text); err == nil {
			body = []byte(text)
		}
		r.body = body
		break
	}
	return r
}

// askedIn is the symbols that a request asks for: in the query for many, in the
// path for one.
func askedIn(request string) []string {
	u, err := url.Parse(request)
	if err != nil {
		return nil
	}
	list := u.Query().Get("symbols")
	for _, endpoint := range []string{"/chart/", "/quoteSummary/"} {
		if _, symbol, ok := strings.Cut(u.Path, endpoint); ok && list == "" {
			list = symbol
		}
	}
	var asked []string
	for symbol := range strings.SplitSeq(list, ",") {
		if symbol = kurs.CanonicalSymbol(symbol); symbol != "" {
			asked = append(asked, symbol)
		}
	}
	return asked
}

// decode reads the answer and tells which endpoint it belongs to. An empty one is
// guessed. Where Yahoo limited the rate by status alone, that is what it said.
func (r recording) decode(endpoint kurs.Endpoint) (observed kurs.Observed, as kurs.Endpoint, err error) {
	if endpoint == "" {
		endpoint, err = wire.Guess(r.body)
	}
	if err == nil {
		observed, err = wire.Decode(kurs.Raw{Source: wire.Source, Endpoint: endpoint, Asked: r.asked, Body: r.body})
	}
	if err == nil {
		return observed, endpoint, nil
	}
	if r.status == http.StatusTooManyRequests {
		return kurs.Observed{Failure: &kurs.ProviderError{
			Kind: kurs.ErrorRateLimit, Code: http.StatusText(r.status), Symbols: r.asked,
		}}, endpoint, nil
	}
	if r.status != 0 {
		err = fmt.Errorf("recorded with HTTP status %d: %w", r.status, err)
	}
	return kurs.Observed{}, endpoint, err
}

// leftOut is what was asked for and not answered: Yahoo says nothing of symbols
// that it does not know.
func leftOut(asked []string, endpoint kurs.Endpoint, o kurs.Observed) []string {
	if endpoint != kurs.EndpointQuote && endpoint != kurs.EndpointSpark {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(asked), func(symbol string) bool {
		return slices.ContainsFunc(o.Instruments, func(i kurs.Instrument) bool { return i.Symbol == symbol })
	})
}
