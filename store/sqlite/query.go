package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"modernc.org/libc"
	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// This file answers a person's own SQL. Four things keep it from changing or
// holding up anything: the file is opened read-only, query_only is set, an
// authorizer allows reading and nothing else, and who asks sets the time limit.

// Errors of a person's SQL.
var (
	// ErrQuery: the statement is not one that can be answered; the text says why.
	ErrQuery = errors.New("the query cannot be answered")

	// ErrQueryTime: the time for the query was over.
	ErrQueryTime = errors.New("the query took too long")
)

// What one query may use: a value's bytes, its own text, SQLite's memory. Larger
// sorts go to temporary files, which SQLite takes away.
const (
	queryValue  = 16 << 20
	queryText   = 1 << 20
	queryMemory = 256 << 20
)

// Query answers one SELECT, as a person wrote it. head gets the names of the
// columns, once; then row each row: values are nil, int64, float64, string or
// []byte, and the slice is used again. Statements that would do anything but read
// are refused with [ErrQuery]. The end of ctx interrupts it: by its deadline the
// error is [ErrQueryTime].
func (r *Reader) Query(ctx context.Context, text string, head func([]string) error, row func([]any) error) error {
	if err := oneStatement(text); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(r.path, "mode=ro", busyTimeout(readerWait), "query_only(1)", "trusted_schema(0)",
		fmt.Sprintf("hard_heap_limit(%d)", queryMemory)))
	if err != nil {
		return fmt.Errorf("sqlite: open %s: %w", r.path, err)
	}
	defer func() { _ = db.Close() }() // it was only read
	one, err := db.Conn(ctx)
	if err != nil {
		return r.queryError(ctx, err)
	}
	defer func() { _ = one.Close() }()
	interrupted, err := onlyReading(ctx, one)
	if err != nil {
		return err
	}
	defer interrupted()
	return r.queryError(ctx, answer(context.WithoutCancel(ctx), one, text, head, row))
}

// answer runs the statement. The connection is interrupted from outside, since
// the driver only watches a context until the first row is there.
func answer(ctx context.Context, one *sql.Conn, text string, head func([]string) error, row func([]any) error) (err error) {
	rows, err := one.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("%w: it answers with no columns", ErrQuery)
	}
	if err := head(names); err != nil {
		return err
	}
	values, into := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// onlyReading takes from a connection all that is not reading, and interrupts it
// when ctx is done. What it returns ends the watch.
func onlyReading(ctx context.Context, one *sql.Conn) (func(), error) {
	for id, most := range map[int]int{
		codes.SQLITE_LIMIT_LENGTH: queryValue, codes.SQLITE_LIMIT_SQL_LENGTH: queryText, codes.SQLITE_LIMIT_ATTACHED: 0,
		codes.SQLITE_LIMIT_WORKER_THREADS: 0,
	} {
		if _, err := sqlite.Limit(one, id, most); err != nil {
			return nil, fmt.Errorf("limit a query: %w", err)
		}
	}
	var handle uintptr
	err := one.Raw(func(raw any) error {
		guarded, ok := raw.(sqlite.AuthorizerRegisterer)
		// The driver has no call that interrupts a query between two rows; SQLite
		// has, and wants the connection's handle for it.
		field := reflect.Indirect(reflect.ValueOf(raw)).FieldByName("db")
		if !ok || field.Kind() != reflect.Uintptr {
			return errDriver
		}
		handle = uintptr(field.Uint())
		return guarded.RegisterAuthorizer(authorize)
	})
	if err != nil {
		return nil, fmt.Errorf("guard a query: %w", err)
	}
	over := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() { interrupt(ctx, handle, over) })
	return func() {
		close(over)
		watch.Wait()
	}, nil
}

// interrupt stops what the connection does once ctx is done, and whatever it
// begins afterwards, until over is closed.
func interrupt(ctx context.Context, handle uintptr, over <-chan struct{}) {
	const again = 10 * time.Millisecond
	select {
	case <-over:
		return
	case <-ctx.Done():
	}
	thread := libc.NewTLS()
	defer thread.Close()
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		codes.Xsqlite3_interrupt(thread, handle)
		select {
		case <-over:
			return
		case <-tick.C:
		}
	}
}

// queryError says of an error of SQLite what a person can do with it.
func (r *Reader) queryError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	code, ok := codeOf(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return ErrQueryTime
	case ctx.Err() != nil:
		return ctx.Err()
	case ok && code&0xff == codes.SQLITE_AUTH:
		return fmt.Errorf("%w: only reading is allowed: %w", ErrQuery, err)
	case ok && slices.Contains([]int{codes.SQLITE_ERROR, codes.SQLITE_READONLY, codes.SQLITE_TOOBIG, codes.SQLITE_NOMEM, codes.SQLITE_MISMATCH}, code&0xff):
		return fmt.Errorf("%w: %w", ErrQuery, err)
	case ok:
		return fmt.Errorf("read %s: %w", r.path, err)
	}
	return err
}

// readingPragmas are those that tell of tables and change nothing.
var readingPragmas = []string{
	"table_info", "table_xinfo", "table_list", "index_info", "index_xinfo", "index_list", "foreign_key_list", "collation_list",
	"function_list", "compile_options", "database_list",
}

// settings may be read, and not set.
var readingSettings = []string{"application_id", "user_version", "page_size", "page_count", "freelist_count", "journal_mode", "encoding"}

// authorize is the word on each thing that a statement does, at the time when it
// is compiled: what is not reading is refused, whatever SQLite would say to it.
func authorize(action sqlite.AuthorizerActionCode, first, second, _, _ string) sqlite.AuthorizerReturnCode {
	allowed := action == sqlite.AuthSelect || action == sqlite.AuthRead || action == sqlite.AuthRecursive
	if action == sqlite.AuthFunction {
		allowed = !slices.Contains([]string{"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}, strings.ToLower(second))
	}
	if action == sqlite.AuthPragma {
		name := strings.ToLower(first)
		allowed = slices.Contains(readingPragmas, name) || second == "" && slices.Contains(readingSettings, name)
	}
	if allowed {
		return sqlite.AuthorizerOK
	}
	return sqlite.AuthorizerDeny
}

// oneStatement refuses a text with more than one statement, or none.
func oneStatement(text string) error {
	if strings.ContainsRune(text, 0) {
		return fmt.Errorf("%w: it has a zero byte in it", ErrQuery)
	}
	ended, begun := false, false
	for rest := text; rest != ""; {
		n, space := token(rest)
		switch {
		case space:
		case rest[0] == ';':
			ended = ended || begun
		case ended:
			return fmt.Errorf("%w: it is more than one statement", ErrQuery)
		default:
			begun = true
		}
		rest = rest[n:]
	}
	if !begun {
		return fmt.Errorf("%w: it is empty", ErrQuery)
	}
	return nil
}

// token is the length of what a text of SQL begins with: a comment or white space
// (space), a text or name in quotes, or a single byte. What is not closed goes to
// the end; SQLite has a word on it then.
func token(text string) (n int, space bool) {
	until := func(end string, from int) int {
		if at := strings.Index(text[from:], end); at >= 0 {
			return from + at + len(end)
		}
		return len(text)
	}
	switch {
	case strings.HasPrefix(text, "--"):
		return until("\n", 2), true
	case strings.HasPrefix(text, "/*"):
		return until("*/", 2), true
	case strings.ContainsRune(" \t\r\n\f", rune(text[0])):
		return 1, true
	case text[0] == '\'' || text[0] == '"' || text[0] == '`': // a doubled one is two tokens side by side
		return until(text[:1], 1), false
	case text[0] == '[':
		return until("]", 1), false
	}
	return 1, false
}

// View is a view with its columns: what a person can ask for.
type View struct {
	Name    string   `json:"view"`
	Columns []string `json:"columns"`
}

// Views lists the views that are the contract, by name.
func (r *Reader) Views(ctx context.Context) ([]View, error) {
	var out []View
	err := r.query(ctx, func(row []driver.Value) error {
		name, column := str(row[0]), str(row[1])
		if len(out) == 0 || out[len(out)-1].Name != name {
			out = append(out, View{Name: name})
		}
		v := &out[len(out)-1]
		v.Columns = append(v.Columns, column)
		return nil
	}, `SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c
		WHERE s.type = 'view' AND s.name LIKE 'v\_%' ESCAPE '\' ORDER BY s.name, c.cid`)
	return out, err
}
