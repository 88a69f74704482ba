package wire

import (
	"slices"
	"time"
)

// A Part is a stretch of a file that is a whole file again.
type Part struct {
	Year   int
	Newest time.Time // of its rates
	Body   []byte    // the bytes as they were published, of the days of the year
}

// Split cuts a file into one a year, the oldest first: all days since 1999 are
// more than fits one message. An archive is unpacked. It fails as [Decode] does.
func Split(body []byte) ([]Part, error) {
	d, err := read(body)
	if err != nil {
		return nil, err
	}
	var all []Part
	for from := 0; from < len(d.days); {
		p := Part{Year: d.days[from].at.Year()}
		to := from
		for to < len(d.days) && d.days[to].at.Year() == p.Year {
			to++
		}
		p.Newest = d.days[to-1].at
		p.Body = slices.Clone(d.head)
		for i := to - 1; i >= from; i-- { // the newest first, as it was published
			p.Body = append(p.Body, d.days[i].text...)
		}
		p.Body = append(p.Body, d.tail...)
		all = append(all, p)
		from = to
	}
	return all, nil
}
