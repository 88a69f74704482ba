package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// conn is a connection with its prepared statements. It is not safe for
// concurrent use.
//
// A context that can be cancelled makes the driver start a goroutine for each
// statement, so rows are written with one that cannot.
type conn struct {
	raw   driver.Conn
	stmts map[string]*stmt
}

// stmt is a prepared statement with room for its arguments.
type stmt struct {
	raw   driver.Stmt
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	args  []driver.NamedValue
}

// errDriver cannot be: the driver named in go.mod has all that is asked of it.
var errDriver = errors.New("the SQLite driver lacks an interface")

// dial opens a connection. path must be absolute; mode is one of SQLite's URI
// parameters, "mode=ro" say.
func dial(path, mode string, pragmas ...string) (*conn, error) {
	raw, err := new(sqlite.Driver).Open(dsn(path, mode, pragmas...))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &conn{raw: raw, stmts: map[string]*stmt{}}, nil
}

// dsn is the file as a URI: only in that form does SQLite hear of the mode, and
// no byte of the path can be mistaken for a parameter.
func dsn(path, mode string, pragmas ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	query := url.Values{"_pragma": pragmas, "_dqs": {"0"}, "_error_rc": {"1"}}
	u := url.URL{Scheme: "file", Path: path, RawQuery: mode + "&" + query.Encode()}
	return u.String()
}

func busyTimeout(d time.Duration) string { return fmt.Sprintf("busy_timeout(%d)", d.Milliseconds()) }

// stmt returns the prepared statement, which lives as long as the connection.
func (c *conn) stmt(ctx context.Context, text string) (*stmt, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	preparer, ok := c.raw.(driver.ConnPrepareContext)
	if !ok {
		return nil, errDriver
	}
	raw, err := preparer.PrepareContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	s := &stmt{raw: raw}
	var executes, queries bool
	s.exec, executes = raw.(driver.StmtExecContext)
	s.query, queries = raw.(driver.StmtQueryContext)
	if !executes || !queries {
		return nil, errors.Join(errDriver, raw.Close())
	}
	c.stmts[text] = s
	return s, nil
}

// script runs statements that are needed once.
func (c *conn) script(ctx context.Context, text string) error {
	execer, ok := c.raw.(driver.ExecerContext)
	if !ok {
		return errDriver
	}
	_, err := execer.ExecContext(ctx, text, nil)
	return err
}

// exec runs a statement and tells how many rows it changed.
func (c *conn) exec(ctx context.Context, text string, args ...driver.Value) (int64, error) {
	s, err := c.stmt(ctx, text)
	if err != nil {
		return 0, err
	}
	return s.run(ctx, args...)
}

// row returns the first row of an answer; nil where there is none.
func (c *conn) row(ctx context.Context, text string, args ...driver.Value) ([]driver.Value, error) {
	var first []driver.Value
	err := c.rows(ctx, text, func(row []driver.Value) error {
		if first == nil {
			first = append(first, row...)
		}
		return nil
	}, args...)
	return first, err
}

// number returns the one number that a query answers with; 0 where there is none.
func (c *conn) number(ctx context.Context, text string, args ...driver.Value) (int64, error) {
	row, err := c.row(ctx, text, args...)
	if err != nil || len(row) == 0 {
		return 0, err
	}
	return whole(row[0]), nil
}

// rows calls do with each row of an answer; the slice is used again.
func (c *conn) rows(ctx context.Context, text string, do func([]driver.Value) error, args ...driver.Value) error {
	s, err := c.stmt(ctx, text)
	if err != nil {
		return err
	}
	answer, err := s.query.QueryContext(ctx, s.bind(args))
	if err != nil {
		return err
	}
	row := make([]driver.Value, len(answer.Columns()))
	for err == nil {
		if err = answer.Next(row); err == nil {
			err = do(row)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, answer.Close())
}

// run executes the statement and tells how many rows it changed.
func (s *stmt) run(ctx context.Context, args ...driver.Value) (int64, error) {
	result, err := s.exec.ExecContext(ctx, s.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (s *stmt) bind(args []driver.Value) []driver.NamedValue {
	for len(s.args) < len(args) {
		s.args = append(s.args, driver.NamedValue{Ordinal: len(s.args) + 1})
	}
	for i, arg := range args {
		s.args[i].Value = arg
	}
	return s.args[:len(args)]
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.raw.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// whole is a column's integer; 0 for NULL.
func whole(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

// str is a column's text; empty for NULL.
func str(v driver.Value) string {
	s, _ := v.(string)
	return s
}
