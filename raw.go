package kurs

import (
	"fmt"
	"slices"
	"time"
)

// Raw is one answer of a source, as received, with its provenance.
type Raw struct {
	ID         RawID
	Source     string      // the source that can decode it: "yahoo"
	Endpoint   Endpoint    // which question it answers
	Asked      []string    // the symbols asked for, so that one left out shows
	Listed     []string    // of Asked, the currency pairs that the user lists as symbols: prices as well as rates
	Units      []string    // of Asked, one each, as known from elsewhere, where the answer itself tells none; empty: not known
	Neighbours []Neighbour // of Asked, one each: what was known of the symbol before this answer; or none at all
	Received   time.Time   // UTC, when the last byte was in
	FX         StreamPos   // the last rate that was known when it was received
	Body       []byte
}

// UnitOf is the unit that the message brings along for a symbol; empty where it
// brings none.
func (r Raw) UnitOf(symbol string) string {
	if len(r.Units) == len(r.Asked) {
		if i := slices.Index(r.Asked, symbol); i >= 0 {
			return r.Units[i]
		}
	}
	return ""
}

// NeighbourOf is what was known of a symbol before the message.
func (r Raw) NeighbourOf(symbol string) Neighbour {
	if len(r.Neighbours) == len(r.Asked) {
		if i := slices.Index(r.Asked, symbol); i >= 0 {
			return r.Neighbours[i]
		}
	}
	return Neighbour{}
}

// Origin is how the message came.
func (r Raw) Origin() Origin {
	switch {
	case r.Source == SourceUser:
		return OriginCorrection
	case r.Endpoint == EndpointStream:
		return OriginStream
	}
	return OriginPoll
}

// Endpoint names the question that an answer belongs to.
type Endpoint string

// The endpoints of Yahoo's protocol.
const (
	EndpointQuote  Endpoint = "quote"
	EndpointChart  Endpoint = "chart"
	EndpointSpark  Endpoint = "spark"
	EndpointSearch Endpoint = "search"
	EndpointStream Endpoint = "stream"
)

// EndpointReference is the European Central Bank's files of reference rates.
const EndpointReference Endpoint = "reference"

// RawID identifies a receipt: which source, in which run of kurs, the how many
// answer of it. It is no hash of the content: the same answer received twice is
// two receipts, while the same receipt published twice is one.
type RawID struct {
	Source  string `json:"source"`
	Run     string `json:"run"`
	Counter uint64 `json:"counter"`
}

// String is the form in logs and messages: "yahoo/20261124T091500-1f3c/17".
func (id RawID) String() string { return fmt.Sprintf("%s/%s/%d", id.Source, id.Run, id.Counter) }

// StreamPos is a place in one of the broker's streams. The epoch tells streams
// apart that were made anew under the same name, whose numbers start again.
type StreamPos struct {
	Epoch string `json:"epoch"`
	Seq   uint64 `json:"seq"`
}
