package archive

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"kurs"
)

// line is a raw message as it is kept; docs/formats.md describes it. A body that
// is no UTF-8 is in Base64.
type line struct {
	Source     string           `json:"source"`
	Run        string           `json:"run"`
	Counter    uint64           `json:"counter"`
	Received   time.Time        `json:"received"`
	Endpoint   kurs.Endpoint    `json:"endpoint"`
	Asked      []string         `json:"asked,omitempty"`
	Listed     []string         `json:"listed,omitempty"`
	Units      []string         `json:"units,omitempty"`
	Neighbours []kurs.Neighbour `json:"neighbours,omitempty"`
	FX         kurs.StreamPos   `json:"fx"`
	Body       string           `json:"body,omitempty"`
	Bytes      []byte           `json:"body_base64,omitempty"`
}

func writeLine(w io.Writer, r *kurs.Raw) error {
	l := line{
		Source: r.Source, Run: r.ID.Run, Counter: r.ID.Counter, Received: r.Received.UTC(), Endpoint: r.Endpoint, Asked: r.Asked, Listed: r.Listed,
		Units: r.Units, Neighbours: r.Neighbours, FX: r.FX,
	}
	if utf8.Valid(r.Body) {
		l.Body = string(r.Body)
	} else {
		l.Bytes = r.Body
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return fmt.Errorf("message %s: %w", r.ID, err)
	}
	return nil
}

// raw is the message that a line holds.
func (l *line) raw() kurs.Raw {
	r := kurs.Raw{
		ID: kurs.RawID{Source: l.Source, Run: l.Run, Counter: l.Counter}, Source: l.Source, Endpoint: l.Endpoint, Asked: l.Asked, Listed: l.Listed,
		Units: l.Units, Neighbours: l.Neighbours, Received: l.Received.UTC(), FX: l.FX, Body: l.Bytes,
	}
	if l.Body != "" {
		r.Body = []byte(l.Body)
	}
	return r
}

const (
	mostMemory = 64 << 20 // of the window of a frame
	mostLine   = 64 << 20 // bytes: a message is at most 8 MiB, and JSON may make six of one
)

// findIn looks through one file. Its end may be half a frame, where a process was
// killed while it wrote, or where it is being written: what is before it counts.
func findIn(ctx context.Context, name string, id kurs.RawID) (kurs.Raw, bool, error) {
	file, err := os.Open(name) //nolint:gosec // below the archive's own folder
	if err != nil {
		return kurs.Raw{}, false, fmt.Errorf("raw archive: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	unzip, err := zstd.NewReader(file, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(mostMemory), zstd.WithDecoderLowmem(true))
	if err != nil {
		return kurs.Raw{}, false, fmt.Errorf("raw archive: %w", err)
	}
	defer unzip.Close()
	lines := bufio.NewScanner(unzip)
	lines.Buffer(nil, mostLine)
	wanted := fmt.Appendf(nil, `"counter":%d,`, id.Counter)
	for lines.Scan() {
		if err := ctx.Err(); err != nil {
			return kurs.Raw{}, false, err
		}
		text := lines.Bytes()
		if !bytes.Contains(text, wanted) {
			continue
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return kurs.Raw{}, false, fmt.Errorf("raw archive: %s: %w", name, err)
		}
		if r := l.raw(); r.ID == id {
			return r, true, nil
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return kurs.Raw{}, false, fmt.Errorf("raw archive: %s: %w", name, err)
	}
	return kurs.Raw{}, false, nil
}
