package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	codes "modernc.org/sqlite/lib"
)

// Finding is one thing that was checked of a database.
type Finding struct {
	Check    string   `json:"check"`
	OK       bool     `json:"ok"`
	Detail   string   `json:"detail,omitempty"` // what it found, in a few words
	Problems []string `json:"problems"`         // what is wrong
}

// mostProblems is how many problems of a kind are told.
const mostProblems = 20

// Check looks a database over, also while it is recorded into: it only reads. full
// also compares each index with its table, which takes longer. told is called with
// the name of each check before it begins. What is wrong with the database is in
// the findings; an error is that it could not be looked at, or is not kurs's.
func Check(ctx context.Context, path string, full bool, told func(check string)) ([]Finding, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, noFile(path, err)
	}
	told("file")
	f, err := inspect(ctx, path, readerWait)
	if damaged(err) {
		return []Finding{{Check: "file", Problems: []string{err.Error()}}}, nil
	}
	if err != nil {
		return nil, err
	}
	if f.format == 0 {
		return nil, errNoDatabase(path)
	}
	c := &checker{path: path, full: full, told: told}
	if c.db, err = sql.Open("sqlite", dsn(path, "mode=ro", busyTimeout(readerWait), "query_only(1)")); err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	defer func() { _ = c.db.Close() }() // it was only read
	err = c.run(ctx, f)
	return c.findings, err
}

func noFile(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errNoDatabase(path)
	}
	return fmt.Errorf("sqlite: %w", err)
}

// damaged tells whether an error says that the file itself is not whole.
func damaged(err error) bool {
	code, ok := codeOf(err)
	return ok && (code&0xff == codes.SQLITE_CORRUPT || code&0xff == codes.SQLITE_NOTADB)
}

// checker checks one database.
type checker struct {
	path     string
	full     bool
	told     func(string)
	db       *sql.DB
	findings []Finding
}

func (c *checker) run(ctx context.Context, f found) error {
	how := "quick_check"
	if c.full {
		how = "integrity_check"
	}
	problems, err := c.texts(ctx, fmt.Sprintf("PRAGMA %s(%d)", how, mostProblems))
	if err != nil {
		return err
	}
	if slices.Equal(problems, []string{"ok"}) {
		problems = nil
	}
	c.found("file", how, problems)
	if f.format != Format { // tables of another format are not these
		c.found("format", fmt.Sprintf("format %d: kurs run, or kurs db migrate, brings it to %d", f.format, Format), nil)
		return nil
	}
	c.found("format", fmt.Sprintf("format %d, in %s", f.format, f.base), nil)
	for _, check := range []struct {
		name string
		do   func(context.Context) (detail string, problems []string, err error)
	}{
		{"counts", c.counts},
		{"latest", c.latest},
		{"references", c.references},
		{"ledger", c.ledger},
		{"views", c.views},
	} {
		c.told(check.name)
		detail, problems, err := check.do(ctx)
		if damaged(err) {
			problems = append(problems, err.Error())
		} else if err != nil {
			return fmt.Errorf("check %s: %w", check.name, err)
		}
		c.found(check.name, detail, problems)
	}
	return nil
}

func (c *checker) found(check, detail string, problems []string) {
	if len(problems) > mostProblems {
		problems = append(problems[:mostProblems:mostProblems], fmt.Sprintf("and %d more", len(problems)-mostProblems))
	}
	if problems == nil {
		problems = []string{}
	}
	c.findings = append(c.findings, Finding{Check: check, OK: len(problems) == 0, Detail: detail, Problems: problems})
}

// counts compares what is counted while writing with what is there, both as of one
// moment: a query is one.
func (c *checker) counts(ctx context.Context) (string, []string, error) {
	var parts []string
	for _, table := range countedTables() {
		parts = append(parts, fmt.Sprintf(`SELECT '%s' || ': ' || n || ' counted, ' || real || ' there' FROM
			(SELECT coalesce((SELECT n FROM counts WHERE name = '%s'), 0) AS n, (SELECT count(*) FROM %s) AS real) WHERE n <> real`, table, table, table))
	}
	// The first and the last time are bounds: a row that is gone does not move them.
	parts = append(parts, `SELECT 'quotes: a time outside of the first and the last' WHERE EXISTS (SELECT 1 FROM instruments i WHERE
		(SELECT min(time) FROM quotes WHERE instrument = i.id) < (SELECT n FROM counts WHERE name = 'quotes_first') OR
		(SELECT max(time) FROM quotes WHERE instrument = i.id) > (SELECT n FROM counts WHERE name = 'quotes_last'))`)
	problems, err := c.texts(ctx, strings.Join(parts, " UNION ALL "))
	return fmt.Sprintf("%d tables", len(countedTables())), problems, err
}

// countedTables are those whose rows are counted while they are written.
func countedTables() []string {
	return []string{"quotes", "quotes_versions", "bars", "bars_versions", "rates", "rates_versions"}
}

// latest compares where each instrument is said to stand with where it does.
func (c *checker) latest(ctx context.Context) (string, []string, error) {
	problems, err := c.texts(ctx, `SELECT i.symbol || ': ' || CASE
			WHEN l.instrument IS NULL THEN 'has prices, and no latest one'
			WHEN q.instrument IS NULL THEN 'its latest price is not there'
			ELSE 'there is a later price than its latest' END
		FROM instruments i
		LEFT JOIN latest l ON l.instrument = i.id
		LEFT JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time AND q.session = l.session AND q.source = l.source
		WHERE coalesce((SELECT max(time) FROM quotes WHERE instrument = i.id), -1) <> coalesce(l.time, -1)
		   OR l.instrument IS NOT NULL AND q.instrument IS NULL`)
	return "where each symbol stands", problems, err
}

// references looks whether the ids in the rows stand for something.
func (c *checker) references(ctx context.Context) (string, []string, error) {
	columns := map[string]string{
		"instrument": "instruments", "unit": "units", "session": "texts", "source": "texts", "run": "runs", "fx_source": "texts",
		"interval": "texts", "from_currency": "texts", "to_currency": "texts", "symbol": "texts",
	}
	var parts []string
	for _, table := range countedTables() {
		has, err := c.texts(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
		if err != nil {
			return "", nil, err
		}
		for _, column := range has {
			if to := columns[column]; to != "" {
				parts = append(parts, fmt.Sprintf(`SELECT '%s: ' || count(*) || ' rows with an unknown %s' FROM %s WHERE %s NOT IN (SELECT id FROM %s) HAVING count(*) > 0`,
					table, column, table, column, to))
			}
		}
	}
	var problems []string
	for _, part := range parts { // one at a time: none holds the writer's log for long
		found, err := c.texts(ctx, part)
		if err != nil {
			return "", nil, err
		}
		problems = append(problems, found...)
	}
	return "ids of symbols, units, sources and messages", problems, nil
}

// ledger looks whether the ranges of receipts are apart from each other.
func (c *checker) ledger(ctx context.Context) (string, []string, error) {
	problems, err := c.texts(ctx, `SELECT 'receipts of run ' || r.run || ' from ' || l.first || ' on are not in order' FROM ledger l JOIN runs r ON r.id = l.run
		WHERE l.last < l.first OR EXISTS (SELECT 1 FROM ledger m WHERE m.run = l.run AND m.first > l.first AND m.first <= l.last)`)
	return "which messages are accounted for", problems, err
}

// views reads of every view.
func (c *checker) views(ctx context.Context) (string, []string, error) {
	names, err := c.texts(ctx, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
	if err != nil {
		return "", nil, err
	}
	var problems []string
	for _, name := range names {
		quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		if _, err := c.texts(ctx, "SELECT 1 FROM (SELECT * FROM "+quoted+" LIMIT 100)"); err != nil {
			if ctx.Err() != nil {
				return "", nil, err
			}
			problems = append(problems, fmt.Sprintf("%s: %s", name, err))
		}
	}
	return fmt.Sprintf("%d views", len(names)), problems, nil
}

// texts are the first columns of an answer, mostProblems and one at most where
// they are problems.
func (c *checker) texts(ctx context.Context, query string) (out []string, err error) {
	rows, err := c.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", c.path, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, fmt.Errorf("read %s: %w", c.path, err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.path, err)
	}
	return out, nil
}
