package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs/fault"
)

// Format is the format of the schemas that this version writes: the number of the
// newest migration, kept in the table meta.
const Format = 1

// migrations are the steps from each format to the next. They are applied here and
// not by a library: what one would bring, a table of versions and a lock, is a row of
// meta and a line below, and it would not know what else must be looked at before
// anything is touched.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to Format, a transaction a step. The session has the
// lock of the one writer, so nobody else does the same.
func (s *Store) migrate(ctx context.Context, format int64) error {
	was := format
	for format < Format {
		format++
		if err := pgx.BeginFunc(ctx, s.conn, func(t pgx.Tx) error { return s.step(ctx, t, format) }); err != nil {
			return fmt.Errorf("migration of %s to format %d: %w", s.where(), format, err)
		}
	}
	if was != Format {
		s.log.InfoContext(ctx, "database ready", "schema", s.Schema, "format", Format, "was", was)
	}
	return nil
}

func (s *Store) step(ctx context.Context, t pgx.Tx, next int64) error {
	text, err := fs.ReadFile(migrations, fmt.Sprintf("migrations/%04d.sql", next))
	if err != nil {
		return err
	}
	script := string(text)
	if next == 1 {
		// Only where it is missing: who made it for kurs need not have the right to
		// make schemas.
		script = s.createSchema(ctx, t) + script
	}
	extension, err := timescale(ctx, t)
	if err != nil {
		return err
	}
	if extension != "" {
		script = strings.ReplaceAll(script, partitioned, ";") + strings.ReplaceAll(hypertables, "EXTENSION", extension)
	}
	if _, err := t.Exec(ctx, script); err != nil {
		return err
	}
	fault.Point("store.migrate")
	if next == 1 {
		_, err = t.Exec(ctx, "INSERT INTO meta (key, value) VALUES ('format', '1'), ('base_currency', $1), ('created', $2)",
			s.BaseCurrency, time.Now().UTC().Format(time.RFC3339))
		return err
	}
	_, err = t.Exec(ctx, "UPDATE meta SET value = $1 WHERE key = 'format'", strconv.FormatInt(next, 10))
	return err
}

func (s *Store) createSchema(ctx context.Context, t pgx.Tx) string {
	var there bool
	err := t.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", s.Schema).Scan(&there)
	if err == nil && there {
		return ""
	}
	return "CREATE SCHEMA " + pgx.Identifier{s.Schema}.Sanitize() + ";\n"
}

// Where the extension TimescaleDB is in the database, the tables that are partitioned
// elsewhere become its hypertables, which make their chunks themselves.
const (
	partitioned = " PARTITION BY RANGE (time);"
	hypertables = `
SELECT EXTENSION.create_hypertable(format('%I.quotes', current_schema())::regclass, 'time', chunk_time_interval => interval '1 month', create_default_indexes => false);
SELECT EXTENSION.create_hypertable(format('%I.bars', current_schema())::regclass, 'time', chunk_time_interval => interval '1 year', create_default_indexes => false);
`
)

// timescale is the schema, quoted, that the extension's functions are in; empty where
// it is not installed.
func timescale(ctx context.Context, t pgx.Tx) (string, error) {
	var schema string
	err := t.QueryRow(ctx, "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'").Scan(&schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return pgx.Identifier{schema}.Sanitize(), err
}
