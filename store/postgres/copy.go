package postgres

import (
	"context"
	"io"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// copyFrom has the server take in what is read. Nothing is read any more once it has
// returned.
func (t *tx) copyFrom(ctx context.Context, from io.Reader, command string) (pgconn.CommandTag, error) {
	r := &lent{from: from}
	defer r.takeBack()
	return t.conn.PgConn().CopyFrom(ctx, r, command)
}

// lent is a reader that is taken back: where a connection is lost, pgx reads on for a
// moment after its CopyFrom has returned.
type lent struct {
	mu   sync.Mutex
	from io.Reader // nil: it was taken back
}

// Read implements [io.Reader].
func (l *lent) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from == nil {
		return 0, io.ErrClosedPipe
	}
	return l.from.Read(p)
}

func (l *lent) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.from = nil
}
