package wire

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"kurs"
)

// Guess tells from an answer's own envelope which endpoint it belongs to. Where
// an error is all that an answer says, and its envelope is that of all endpoints
// ("finance", the plain text of a rate limit), it is taken as a quote's: [Decode]
// reads errors alike for every endpoint. What is not Yahoo's is an error that
// tells the position and wraps [kurs.ErrRejected]. An answer that was guessed may
// still be cut off.
func Guess(body []byte) (kurs.Endpoint, error) {
	endpoint, err := guess(body)
	if err != nil {
		return "", fmt.Errorf("not an answer of Yahoo: %w", err)
	}
	return endpoint, nil
}

func guess(body []byte) (kurs.Endpoint, error) {
	text := bytes.TrimSpace(body)
	if len(text) > 0 && text[0] == '{' {
		return guessObject(body)
	}
	_, err := plain(body)
	if err == nil {
		return kurs.EndpointQuote, nil
	}
	if looksLikeFrame(text) {
		return kurs.EndpointStream, nil
	}
	return "", err
}

// guessObject goes by the first member that only one endpoint has. A v8 spark
// has no envelope, so its members are looked into.
func guessObject(body []byte) (kurs.Endpoint, error) {
	r := reader{b: body}
	spark := false
	for key := range r.members() { // left early: nothing is read after that
		switch string(key) {
		case "quoteResponse", "quoteSummary", "finance":
			return kurs.EndpointQuote, nil
		case "chart":
			return kurs.EndpointChart, nil
		case "spark":
			return kurs.EndpointSpark, nil
		case "quotes":
			return kurs.EndpointSearch, nil
		case "type", "message":
			if r.next() == '"' {
				return kurs.EndpointStream, nil
			}
		default:
			spark = looksLikeSpark(&r) || spark
		}
	}
	switch {
	case r.failed():
		return "", refused(body, r.at, r.msg)
	case spark:
		return kurs.EndpointSpark, nil
	}
	return "", refused(body, bytes.IndexByte(body, '{'), "an object without any member that Yahoo's answers have")
}

func looksLikeSpark(r *reader) (found bool) {
	if r.next() != '{' {
		return false
	}
	var closes, times bool
	for key := range r.members() {
		switch string(key) {
		case "timestamp":
			times = true
		case "close":
			closes = true
		}
	}
	return closes && times
}

// looksLikeFrame tells whether the first word of a text is a version 1 frame:
// base64 of a message that names a symbol.
func looksLikeFrame(text []byte) bool {
	word := text
	if end := bytes.IndexAny(text, " \t\r\n"); end >= 0 {
		word = text[:end]
	}
	message, err := base64.StdEncoding.DecodeString(string(word))
	if err != nil {
		return false
	}
	p, ok := readPricing(message)
	return ok && len(p.id) > 0
}
