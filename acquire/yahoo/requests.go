package yahoo

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// requestLog remembers when the requests of the last minute were made, in a file
// that all processes of a user share and that outlives them: one budget for all,
// and a crash loop is no storm. It is a ring of times; each request overwrites the
// one that is the budget's number of requests older. It is not synced: it
// survives the end of a process, and after that of the machine more than a minute
// has passed.
type requestLog struct {
	path string
	size int // requests a minute
	lock *flock.Flock

	mu sync.Mutex
}

// The file: a mark of its form, then the place of the next time, then the times
// in Unix milliseconds, all of 8 bytes, little endian.
const (
	requestsFile   = "yahoo-requests"
	requestsForm   = 0x315145525352554b // "KURSREQ1"
	mostRemembered = 10_000             // requests a minute; more are not remembered
	requestWidth   = 8
	requestHeader  = 2 * requestWidth
	lockEvery      = 5 * time.Millisecond
)

// openRequestLog is the log in a state directory; nil where nothing is kept.
func openRequestLog(dir string, perMinute int) *requestLog {
	if dir == "" || perMinute <= 0 || perMinute > mostRemembered {
		return nil
	}
	path := filepath.Join(dir, requestsFile)
	return &requestLog{path: path, size: perMinute, lock: flock.New(path+".lock", flock.SetPermissions(0o600))}
}

// take notes a request now, or says how long until one may be made.
func (l *requestLog) take(ctx context.Context) (left time.Duration, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return 0, err
	}
	if ok, err := l.lock.TryLockContext(ctx, lockEvery); err != nil || !ok {
		return 0, fmt.Errorf("lock: %w", err)
	}
	defer func() { err = errors.Join(err, l.lock.Unlock()) }()
	file, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	next, err := l.ready(file)
	if err != nil {
		return 0, err
	}
	var slot [requestWidth]byte
	at := requestHeader + int64(next)*requestWidth
	if _, err := file.ReadAt(slot[:], at); err != nil {
		return 0, err
	}
	now := time.Now()
	if oldest := int64(binary.LittleEndian.Uint64(slot[:])); oldest != 0 { //nolint:gosec // as it was written
		left := time.UnixMilli(oldest).Add(minute).Sub(now)
		if left > 0 && left <= minute { // else the clock was set back
			return left, nil
		}
	}
	binary.LittleEndian.PutUint64(slot[:], uint64(now.UnixMilli()))
	if _, err := file.WriteAt(slot[:], at); err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint64(slot[:], uint64((next+1)%l.size)) //nolint:gosec // not negative
	_, err = file.WriteAt(slot[:], requestWidth)
	return 0, err
}

// ready brings the file into the form for this budget, and returns the place of
// the next time.
func (l *requestLog) ready(file *os.File) (next int, err error) {
	want := int64(requestHeader + l.size*requestWidth)
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	var header [requestHeader]byte
	if info.Size() == want {
		if _, err := file.ReadAt(header[:], 0); err != nil {
			return 0, err
		}
		place := binary.LittleEndian.Uint64(header[requestWidth:])
		if binary.LittleEndian.Uint64(header[:]) == requestsForm && place < uint64(l.size) { //nolint:gosec // not negative
			return int(place), nil //nolint:gosec // less than size
		}
	}
	return l.renew(file, info.Size())
}

// renew writes the file anew, with the newest times of one of another size.
func (l *requestLog) renew(file *os.File, size int64) (next int, err error) {
	was := make([]byte, min(size, requestHeader+mostRemembered*requestWidth))
	if _, err := file.ReadAt(was, 0); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	var times []uint64
	if len(was) >= requestHeader && binary.LittleEndian.Uint64(was) == requestsForm {
		for b := was[requestHeader:]; len(b) >= requestWidth; b = b[requestWidth:] {
			if t := binary.LittleEndian.Uint64(b); t != 0 {
				times = append(times, t)
			}
		}
	}
	slices.Sort(times)
	if len(times) > l.size {
		times = times[len(times)-l.size:]
	}
	next = len(times) % l.size
	out := binary.LittleEndian.AppendUint64(nil, requestsForm)
	out = binary.LittleEndian.AppendUint64(out, uint64(next))
	for i := range l.size {
		t := uint64(0)
		if i < len(times) {
			t = times[i]
		}
		out = binary.LittleEndian.AppendUint64(out, t)
	}
	if err := file.Truncate(0); err != nil {
		return 0, err
	}
	_, err = file.WriteAt(out, 0)
	return next, err
}
