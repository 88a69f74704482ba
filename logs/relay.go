package logs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// mostLine is how much of a line is read; the rest of it is passed over.
const mostLine = 64 << 10

// Relay writes the lines of a stage process again, until r ends. A line that is
// no record (a panic's trace, a word of the runtime) becomes an error that
// quotes it.
func (l *Logs) Relay(ctx context.Context, stage string, r io.Reader) error {
	lines := bufio.NewReaderSize(r, mostLine)
	for {
		line, cut, err := lines.ReadLine()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
				return nil
			}
			return fmt.Errorf("read the log of %s: %w", stage, err)
		}
		l.again(ctx, stage, line)
		for cut && err == nil {
			_, cut, err = lines.ReadLine()
		}
	}
}

// again writes one line of a stage. Loggers have nobody to tell that writing
// failed, here as elsewhere.
func (l *Logs) again(ctx context.Context, stage string, line []byte) {
	if len(bytes.TrimSpace(line)) == 0 {
		return
	}
	r, err := parseRecord(line)
	if err != nil {
		r = slog.NewRecord(time.Now(), slog.LevelError, "stage wrote", 0)
		r.AddAttrs(slog.String("stage", stage), slog.String("text", string(line)))
	}
	if l.handler.Enabled(ctx, r.Level) {
		_ = l.handler.Handle(ctx, r)
	}
}

// number is a JSON number, kept as it was written.
type number = json.Number

var errNoRecord = errors.New("no record")

// parseRecord reads a line of [Child]: its own time, level, message, and the
// attributes in their order, those of groups with dots in their names.
func parseRecord(line []byte) (slog.Record, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return slog.Record{}, errNoRecord
	}
	p := recordParser{d: d}
	if err := p.object(""); err != nil {
		return slog.Record{}, err
	}
	if !p.hasLevel || p.at.IsZero() {
		return slog.Record{}, errNoRecord
	}
	r := slog.NewRecord(p.at, p.level, p.message, 0)
	r.AddAttrs(p.attrs...)
	return r, nil
}

type recordParser struct {
	d        *json.Decoder
	at       time.Time
	level    slog.Level
	hasLevel bool
	message  string
	attrs    []slog.Attr
}

// object reads members up to the closing brace.
func (p *recordParser) object(prefix string) error {
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return errNoRecord
		}
		if err := p.member(prefix + name); err != nil {
			return err
		}
	}
	_, err := p.d.Token()
	return err
}

func (p *recordParser) member(name string) error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	switch value := t.(type) {
	case string:
		return p.text(name, value)
	case json.Number:
		p.attrs = append(p.attrs, slog.Any(name, value))
	case bool:
		p.attrs = append(p.attrs, slog.Bool(name, value))
	case nil:
		p.attrs = append(p.attrs, slog.String(name, "<nil>"))
	case json.Delim:
		if value == '{' {
			return p.object(name + ".")
		}
		return p.list(name)
	}
	return nil
}

func (p *recordParser) text(name, value string) (err error) {
	switch name {
	case slog.TimeKey:
		p.at, err = time.Parse(time.RFC3339Nano, value)
	case slog.LevelKey:
		p.hasLevel = true
		err = p.level.UnmarshalText([]byte(value))
	case slog.MessageKey:
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
