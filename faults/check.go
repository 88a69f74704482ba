package faults

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Options say what a run may lack.
type Options struct {
	AllowUnfilled bool // prices without a base value
	// MayLose is how many requests may be missing: those whose answers were under
	// way when the process that asked was killed. They were never accepted.
	MayLose int
}

// Report is what a check found.
type Report struct {
	Lines    int  // of the ledger
	Distinct int  // prices in it
	Quotes   int  // rows of v_quotes
	Rates    int  // rows of v_fx
	Bars     int  // rows of v_bars
	Aside    int  // rows of v_quarantine: what was set aside is not lost
	Unfilled int  // prices without a base value
	Lost     int  // requests of which something is not stored
	Doubtful int  // prices that are not stored, and of which the ledger does not know whether they were read
	Cut      bool // the ledger's last line is not whole

	Wrong    int      // problems
	Problems []string // the first of them
}

const mostProblems = 20

// OK tells whether nothing is wrong.
func (r *Report) OK() bool { return r.Wrong == 0 }

// String is a line of counts, and the problems below.
func (r *Report) String() string {
	text := fmt.Sprintf("%d lines of the ledger, %d distinct prices; stored %d prices, %d rates, %d bars, %d set aside, %d without a base value; %d requests lost, %d frames perhaps never read; %d problems",
		r.Lines, r.Distinct, r.Quotes, r.Rates, r.Bars, r.Aside, r.Unfilled, r.Lost, r.Doubtful, r.Wrong)
	return strings.Join(append([]string{text}, r.Problems...), "\n  ")
}

func (r *Report) wrong(format string, args ...any) {
	r.Wrong++
	if len(r.Problems) < mostProblems {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// seen is a price by what names it.
type seen struct {
	symbol string
	ms     int64 // Unix milliseconds
}

// handedOut is a price of the ledger.
type handedOut struct {
	price    string // a decimal in the shortest form
	request  uint64
	stored   bool
	doubtful bool // may never have been read by anybody
}

// Check compares a ledger with a database. Its error is that one of them cannot
// be read; what is wrong with them is in the report.
func Check(ctx context.Context, ledger, database string, o Options) (*Report, error) {
	c := &checker{Report: &Report{}, Options: o, ledger: map[seen]*handedOut{}}
	if err := c.readLedger(ledger); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(database)+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	err = errors.Join(c.readRates(ctx, db), c.readBars(ctx, db), c.readQuotes(ctx, db), c.readAside(ctx, db), db.Close())
	if err != nil {
		return nil, fmt.Errorf("read the database: %w", err)
	}
	c.lost()
	return c.Report, nil
}

// lost tells of prices that were handed out and are not stored.
func (c *checker) lost() {
	requests := map[uint64]bool{}
	for _, h := range c.ledger {
		switch {
		case h.stored:
		case h.doubtful:
			c.Doubtful++
		default:
			requests[h.request] = true
		}
	}
	if c.Lost = len(requests); c.Lost <= c.MayLose {
		return
	}
	for at, h := range c.ledger {
		if !h.stored && !h.doubtful {
			c.wrong("%s at %d: %s was handed out (request %d) and is not stored", at.symbol, at.ms, h.price, h.request)
		}
	}
}

type checker struct {
	*Report
	Options

	ledger map[seen]*handedOut
	rates  map[string][]rate // Yahoo's, by pair, in the order of their times
}

// readLedger reads lines "symbol,time_ms,price,request". The last may be cut off.
func (c *checker) readLedger(name string) error {
	file, err := os.Open(filepath.Clean(name))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			c.Cut = line != ""
			return nil
		}
		c.Lines++
		if err := c.ledgerLine(strings.TrimSuffix(line, "\n")); err != nil {
			return fmt.Errorf("line %d: %w", c.Lines, err)
		}
	}
}

func (c *checker) ledgerLine(line string) error {
	parts := strings.Split(line, ",")
	if len(parts) != 4 {
		return fmt.Errorf("%q has not four parts", line)
	}
	ms, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return err
	}
	// A question mark: a frame of the stream that may never have been read.
	number, doubtful := strings.CutSuffix(parts[3], "?")
	request, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return err
	}
	price, err := shortest(parts[2])
	if err != nil {
		return err
	}
	at := seen{parts[0], ms}
	switch was := c.ledger[at]; {
	case was == nil:
		c.ledger[at] = &handedOut{price: price, request: request, doubtful: doubtful}
		c.Distinct++
	case was.price != price:
		c.wrong("the exchange itself: %s at %d has the prices %s and %s", at.symbol, at.ms, was.price, price)
	case !doubtful:
		was.doubtful = false
	}
	return nil
}

// stored marks a price that is in the database.
func (c *checker) stored(symbol string, ms int64, price, where string) {
	h := c.ledger[seen{symbol, ms}]
	switch {
	case h == nil:
		c.wrong("%s at %d: %s is in %s and was never handed out", symbol, ms, price, where)
	case h.price != price:
		c.wrong("%s at %d: %s in %s, handed out was %s", symbol, ms, price, where, h.price)
	default:
		h.stored = true
	}
}

// shortest is a decimal's one form here: that of the shortest binary64 text.
func shortest(text string) (string, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", err
	}
	return real64(f), nil
}

// real64 is the decimal that a REAL stands for.
func real64(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
