package wire

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
)

// Bounds of an archive. The bank's has one file in it, packed to a third.
const (
	mostFiles = 16
	mostRatio = 100     // unpacked to packed, beyond the first megabyte
	freeSize  = 1 << 20 // bytes that may be unpacked whatever the ratio
)

// unzip takes the one CSV file out of an archive, in memory. What an archive says
// of its sizes is not believed: the bounds are of what comes out.
func unzip(body []byte) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, refuse("the archive cannot be read: %.100s", err.Error())
	}
	if len(r.File) > mostFiles {
		return nil, refuse("%d files in the archive", len(r.File))
	}
	for _, file := range r.File {
		if !strings.HasSuffix(strings.ToLower(file.Name), ".csv") {
			continue
		}
		f, err := file.Open()
		if err != nil {
			return nil, refuse("the archive cannot be unpacked: %.100s", err.Error())
		}
		most := int64(min(MaxBody, max(freeSize, mostRatio*len(body))))
		text, err := io.ReadAll(io.LimitReader(f, most+1))
		_ = f.Close() // it was only read
		switch {
		case err != nil:
			return nil, refuse("the archive cannot be unpacked: %.100s", err.Error())
		case int64(len(text)) > most:
			return nil, refuse("more than %d bytes are packed in %d", most, len(body))
		}
		return text, nil
	}
	return nil, refuse("no CSV file is in the archive")
}
