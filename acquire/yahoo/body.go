package yahoo

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Bounds of an answer. Yahoo's largest that we ask for, seven days of minutes,
// has about one megabyte.
const (
	maxBody  = 8 << 20 // bytes, as sent and as unpacked
	maxRatio = 200     // unpacked to packed, beyond the first megabyte
	freeSize = 1 << 20 // bytes that may be unpacked whatever the ratio
)

// Why an answer that began is no whole answer.
var (
	errCut      = errors.New("the answer was cut off")
	errTooLarge = fmt.Errorf("the answer has more than %d MiB", maxBody>>20)
	errBomb     = errors.New("the answer is packed too tightly")
)

// readBody reads an answer whole and unpacks it; it is an error if one byte is
// missing. Unpacking is our own, not the transport's, because only so both sizes
// can be bounded and a cut-off answer can be told from a whole one.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > maxBody {
		return nil, errTooLarge
	}
	sent := &counted{from: resp.Body}
	var body []byte
	var err error
	switch encoding := strings.ToLower(resp.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
		body, err = readPlain(sent, resp.ContentLength)
	case "gzip", "x-gzip":
		body, err = unpack(sent)
	default:
		return nil, fmt.Errorf("the answer is packed as %q, which was not asked for", encoding)
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCut
	case err != nil:
		return nil, err
	case resp.ContentLength >= 0 && sent.n != resp.ContentLength:
		return nil, errCut
	}
	return body, nil
}

// counted counts the bytes as they were sent, and refuses too many.
type counted struct {
	from io.Reader
	n    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	if c.n > maxBody {
		return n, errTooLarge
	}
	return n, err
}

func readPlain(sent *counted, length int64) ([]byte, error) {
	var body bytes.Buffer
	if length > 0 {
		body.Grow(int(length) + bytes.MinRead) // the end is found without growing once more
	}
	_, err := body.ReadFrom(sent)
	return body.Bytes(), err
}

var unpackers sync.Pool // of *gzip.Reader: each has tens of kilobytes

func unpack(sent *counted) ([]byte, error) {
	unpacker, ok := unpackers.Get().(*gzip.Reader)
	if !ok {
		unpacker = new(gzip.Reader)
	}
	defer unpackers.Put(unpacker)
	if err := unpacker.Reset(sent); err != nil {
		return nil, packing(err)
	}
	body := bytes.NewBuffer(make([]byte, 0, 32<<10))
	for {
		// A piece at a time: a bomb is noticed before it has gone off.
		_, err := io.CopyN(body, unpacker, 64<<10)
		size := int64(body.Len())
		switch {
		case size > maxBody:
			return nil, errTooLarge
		case size > freeSize && size > maxRatio*sent.n:
			return nil, errBomb
		case errors.Is(err, io.EOF):
			return body.Bytes(), nil
		case err != nil:
			return nil, packing(err)
		}
	}
}

// packing words an error of the unpacker: one that ends too early was cut.
func packing(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("unpack the answer: %w", err)
}
