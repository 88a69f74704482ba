package postgres

import (
	"context"
	"encoding/binary"
	"io"
	"math"
)

// rowFunc makes the row of a record.
type rowFunc func(r record, row []cell) error

// stager is rows of a group as COPY reads them: a row a key, made while the server
// takes in those before.
type stager struct {
	s       *series
	records []record
	row     rowFunc
	take    func(at int) bool // whether the key whose first record is there goes along
	merged  map[int][]cell    // rows that are made already, by their first record
	staged  bool              // into the temporary table, where a row has the number of its record

	next    int // of records
	cells   []cell
	buffer  []byte
	unread  []byte
	started bool
	ended   bool
	err     error // of a row, which the group is refused for
}

// copyHead begins what COPY reads in the binary format.
const copyHead = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// flushAt is how many bytes are made before they are handed over.
const flushAt = 60 << 10

// Read implements [io.Reader].
func (g *stager) Read(p []byte) (int, error) {
	if len(g.unread) == 0 {
		if g.ended {
			return 0, io.EOF
		}
		if g.err = g.more(); g.err != nil {
			return 0, g.err
		}
	}
	n := copy(p, g.unread)
	g.unread = g.unread[n:]
	return n, nil
}

// more makes the next rows.
func (g *stager) more() error {
	b := g.buffer[:0]
	if !g.started {
		g.started = true
		b = append(b, copyHead...)
	}
	for g.next < len(g.records) && len(b) < flushAt {
		at := g.next
		for g.next++; g.next < len(g.records) && g.records[g.next].sameKey(g.records[at]); g.next++ {
		}
		if !g.take(at) {
			continue
		}
		row, made := g.merged[at]
		if !made {
			if err := g.row(g.records[at], g.cells); err != nil {
				return err
			}
			row = g.cells
		}
		if g.staged {
			b = appendRow(b, at, g.s.row, row)
		} else {
			b = appendCells(binary.BigEndian.AppendUint16(b, uint16(len(row))), g.s.row, row) //nolint:gosec // some twenty
		}
	}
	if g.next == len(g.records) {
		g.ended = true
		b = binary.BigEndian.AppendUint16(b, math.MaxUint16)
	}
	g.buffer, g.unread = b, b
	return nil
}

func appendRow(b []byte, n int, columns []column, row []cell) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(columns))) //nolint:gosec // some twenty
	return appendCells(appendCell(b, kindID, whole(int64(n))), columns, row)
}

func appendCells(b []byte, columns []column, row []cell) []byte {
	for i, c := range columns {
		b = appendCell(b, c.kind, row[i])
	}
	return b
}

// copyRows sends the rows and tells how many there were.
func (t *tx) copyRows(ctx context.Context, g *stager) (int64, error) {
	command := g.s.copy
	if g.staged {
		command = g.s.stage
	}
	g.cells = make([]cell, len(g.s.row))
	g.buffer = t.buffer
	tag, err := t.copyFrom(ctx, g, command)
	t.buffer = g.buffer
	if g.err != nil {
		return 0, g.err
	}
	return tag.RowsAffected(), err
}
