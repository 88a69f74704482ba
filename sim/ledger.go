package sim

import (
	"fmt"
	"io"
	"strconv"
	"sync"
)

// ledger is where every price that was handed out is written down.
type ledger struct {
	w      io.Writer
	mu     sync.Mutex
	err    error
	failed chan struct{} // closed at the first error
}

// write takes the lines of one answer, at once.
func (l *ledger) write(lines []byte) {
	if l.w == nil || len(lines) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if _, err := l.w.Write(lines); err != nil {
		l.err = fmt.Errorf("write the ledger: %w", err)
		close(l.failed)
	}
}

// error is why the ledger ends, if it does.
func (l *ledger) error() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// hand notes a price that the answer tells.
func (a *answer) hand(in *instrument, t int64, p price) {
	a.prices++
	a.lines = appendLine(a.lines, a.x, in, t, p, a.number)
}

// appendLine writes a line of the ledger, if there is one.
func appendLine(b []byte, x *Exchange, in *instrument, t int64, p price, number uint64) []byte {
	if x.ledger.w == nil {
		return b
	}
	b = append(b, in.symbol...)
	b = append(b, ',')
	b = strconv.AppendInt(b, t*1000, 10)
	b = append(b, ',')
	b = p.appendExact(b)
	b = append(b, ',')
	b = strconv.AppendUint(b, number, 10)
	return append(b, '\n')
}
