package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"time"
)

// mostDepth is how deep elements may lie in each other. The bank's lie four deep.
const mostDepth = 8

// readXML reads <Envelope> ... <Cube><Cube time="2026-04-13"><Cube currency="USD"
// rate="1.1684"/>. A declaration of a document type, with which entities could be
// declared that grow without end, is refused.
func (d *document) readXML(text []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(text))
	depth, inDay := 0, 0 // inDay: the depth of the day that is open; 0: none
	var start, first, last int64
	for {
		before := dec.InputOffset()
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return refuse("at byte %d: %.100s", dec.InputOffset(), err.Error())
		}
		switch t := token.(type) {
		case xml.Directive:
			return refuse("it declares a document type, which no file of reference rates does")
		case xml.StartElement:
			depth++
			switch date := attribute(t, "time"); {
			case depth > mostDepth:
				return refuse("elements lie more than %d deep", mostDepth)
			case depth == 1 && t.Name.Local != "Envelope":
				return refuse("not a file of reference rates: it begins with <%.20s>", t.Name.Local)
			case t.Name.Local != "Cube":
			case date != "" && inDay == 0:
				if err := d.add(date, time.DateOnly); err != nil {
					return err
				}
				inDay, start = depth, before
				if first == 0 {
					first = before
				}
			case inDay > 0:
				if err := d.quote(attribute(t, "currency"), attribute(t, "rate")); err != nil {
					return err
				}
			case attribute(t, "currency") != "":
				return refuse("a rate without a day at byte %d", before)
			}
		case xml.EndElement:
			if depth == inDay {
				inDay, last = 0, dec.InputOffset()
				d.days[len(d.days)-1].text = text[start:last]
			}
			depth--
		}
	}
	d.head, d.tail = text[:first], text[last:]
	return nil
}

func attribute(element xml.StartElement, name string) string {
	for _, a := range element.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
