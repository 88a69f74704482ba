package logs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"time"
)

// mostLine is how much of a line is read; the rest of it is passed over.
const mostLine = 64 << 10

// Relay writes the lines of a stage process again, until r ends or is closed. A
// line that is no record (a panic's trace, a word of the runtime) becomes an
// error that quotes it. ctx goes to the handlers; it does not end the reading,
// since a stage that is told to stop still has something to say. It fails when
// reading fails.
func (l *Logs) Relay(ctx context.Context, stage string, r io.Reader) error {
	lines := bufio.NewReaderSize(r, mostLine)
	for {
		line, err := lines.ReadSlice('\n')
		l.again(ctx, stage, bytes.TrimRight(line, "\r\n"))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = lines.ReadSlice('\n')
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, fs.ErrClosed):
			return nil
		default:
			return fmt.Errorf("read the log of %s: %w", stage, err)
		}
	}
}

// again writes one line of a stage. Loggers have nobody to tell that writing
// failed, here as elsewhere.
func (l *Logs) again(ctx context.Context, stage string, line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	r, err := parseRecord(line, stage)
	if err != nil {
		r = slog.NewRecord(time.Now(), slog.LevelError, "stage wrote", 0)
		r.AddAttrs(slog.String("stage", stage), slog.String("text", string(line)))
	}
	if l.handler.Enabled(ctx, r.Level) {
		_ = l.handler.Handle(ctx, r)
	}
}

// number is a JSON number of at most longest bytes, kept as it was written.
type number string

// MarshalJSON is the number itself.
func (n number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

var errNoRecord = errors.New("no record")

// deepest is how far groups may lie within each other. The longest line could
// hold thousands, each with a name longer than the last.
const deepest = 16

// parseRecord reads a line of [Child]: its own time, level, message, and the
// attributes in their order, those of groups with dots in their names. A line
// that does not name a stage gets the one given.
func parseRecord(line []byte, stage string) (slog.Record, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return slog.Record{}, errNoRecord
	}
	p := recordParser{d: d}
	if err := p.object("", 0); err != nil {
		return slog.Record{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) { // there is more on the line than a record
		return slog.Record{}, errNoRecord
	}
	if p.at.IsZero() || !p.hasLevel || !p.hasMessage {
		return slog.Record{}, errNoRecord
	}
	r := slog.NewRecord(p.at, p.level, p.message, 0)
	if !slices.ContainsFunc(p.attrs, func(a slog.Attr) bool { return a.Key == "stage" }) {
		r.AddAttrs(slog.String("stage", stage))
	}
	r.AddAttrs(p.attrs...)
	return r, nil
}

type recordParser struct {
	d          *json.Decoder
	at         time.Time
	level      slog.Level
	hasLevel   bool
	message    string
	hasMessage bool
	attrs      []slog.Attr
}

// object reads members up to the closing brace.
func (p *recordParser) object(prefix string, depth int) error {
	if depth > deepest {
		return errNoRecord
	}
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return errNoRecord
		}
		if err := p.member(prefix+name, depth); err != nil {
			return err
		}
	}
	_, err := p.d.Token()
	return err
}

func (p *recordParser) member(name string, depth int) error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	switch value := t.(type) {
	case string:
		return p.text(name, value)
	case json.Number:
		if len(value) > longest { // no number that anybody logs
			p.attrs = append(p.attrs, slog.String(name, value.String()))
			return nil
		}
		p.attrs = append(p.attrs, slog.Any(name, number(value)))
	case bool:
		p.attrs = append(p.attrs, slog.Bool(name, value))
	case nil:
		p.attrs = append(p.attrs, slog.String(name, "<nil>"))
	case json.Delim:
		if value == '{' {
			return p.object(name+".", depth+1)
		}
		return p.list(name)
	}
	return nil
}

// text reads a member that is a text. A record begins with its time, level and
// message; an attribute may bear such a name too, and comes later.
func (p *recordParser) text(name, value string) (err error) {
	switch {
	case name == slog.TimeKey && p.at.IsZero():
		p.at, err = time.Parse(time.RFC3339Nano, value)
	case name == slog.LevelKey && !p.hasLevel:
		p.hasLevel = true
		err = p.level.UnmarshalText([]byte(value))
	case name == slog.MessageKey && !p.hasMessage:
		p.hasMessage = true
		p.message = value
	default:
		p.attrs = append(p.attrs, slog.String(name, value))
	}
	return err
}

// list reads an array as one text.
func (p *recordParser) list(name string) error {
	var items []string
	for p.d.More() {
		var item any
		if err := p.d.Decode(&item); err != nil {
			return err
		}
		items = append(items, fmt.Sprint(item))
	}
	p.attrs = append(p.attrs, slog.Any(name, items))
	_, err := p.d.Token()
	return err
}
