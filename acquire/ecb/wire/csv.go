package wire

import (
	"bytes"
	"strings"
	"time"
)

// readCSV reads a head of currencies and a line a day. Blanks around what stands
// between commas mean nothing; every line ends with a comma, which makes an empty
// last part, so that a line that was cut off shows.
func (d *document) readCSV(text []byte) error {
	var currencies []string
	for number := 1; len(text) > 0; number++ {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		line := text[:end]
		text = text[end:]
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if currencies == nil {
			if len(line) > mostCurrencies*8 {
				return refuse("the head has %d bytes", len(line))
			}
			currencies, d.head = parts(line), line
			continue
		}
		if bytes.Count(line, []byte(",")) != len(currencies)-1 {
			return refuse("line %d has %d parts, the head has %d", number, bytes.Count(line, []byte(","))+1, len(currencies))
		}
		fields := parts(line)
		if err := d.add(fields[0], time.DateOnly, "2 January 2006"); err != nil {
			return err
		}
		for i := 1; i < len(fields); i++ {
			if i == len(fields)-1 && fields[i] == "" && currencies[i] == "" {
				break
			}
			if err := d.quote(currencies[i], fields[i]); err != nil {
				return err
			}
		}
		d.days[len(d.days)-1].text = line
	}
	if n := len(d.days); n > 0 { // lines may be put together anew
		if last := d.days[n-1].text; last[len(last)-1] != '\n' {
			d.days[n-1].text = append(bytes.Clone(last), '\n')
		}
	}
	return nil
}

// parts are what stands between commas.
func parts(line []byte) []string {
	all := strings.Split(string(line), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
