package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"kurs"
	"kurs/store/postgres"
	"kurs/store/postgres/pgtest"
)

func TestCondition(t *testing.T) {
	coded := func(code string) error { return fmt.Errorf("write: %w", &pgconn.PgError{Code: code}) }
	for _, c := range []struct {
		err  error
		want string
	}{
		{coded("53100"), postgres.ConditionFull},
		{coded("53200"), postgres.ConditionAway},
		{coded("53300"), postgres.ConditionAway},
		{coded("55P03"), postgres.ConditionLocked},
		{coded("57014"), postgres.ConditionAway},
		{coded("57P01"), postgres.ConditionAway},
		{coded("57P03"), postgres.ConditionAway},
		{coded("08006"), postgres.ConditionAway},
		{coded("28P01"), postgres.ConditionRefused},
		{coded("3D000"), postgres.ConditionRefused},
		{coded("42501"), postgres.ConditionRefused},
		{coded("25006"), postgres.ConditionRefused},
		{coded("XX000"), ""},
		{coded(""), ""},
		{nil, ""},
		{errors.New("locked"), ""},
		{kurs.ErrRejected, ""},
		{context.Canceled, ""},
	} {
		if got := postgres.Condition(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestThePasswordIsInNoError(t *testing.T) {
	server := pgtest.Shared(t)
	file := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(file, []byte("postgres://nobody:hunter2@127.0.0.1:1/x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, dsn, file string }{
		{"a port that is none", "postgres://nobody:hunter2@db:port/x", ""},
		{"words that are none", "host=db password=hunter2 sslmode=perhaps", ""},
		{"blanks around the sign", "host=db password = hunter2 sslmode=perhaps", ""},
		{"in quotes, with one in it", `host=db password='it\'s hunter2' sslmode=perhaps`, ""},
		{"with a blank in it", `host=db password=a\ hunter2 sslmode=perhaps`, ""},
		{"nobody there", "postgres://nobody:hunter2@127.0.0.1:1/x", ""},
		{"in a file", "", file},
		{"a role that is none", server.DSN("nobody") + " password=hunter2", ""},
		{"a database that is none", strings.Replace(server.DSN(pgtest.Admin), "dbname="+server.Database, "dbname=none", 1) + " password=hunter2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config(server, "kurs")
			config.DSN, config.DSNFile = c.dsn, c.file
			_, err := postgres.Open(t.Context(), config, quiet())
			if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestTheEnvironmentSaysWhatTheDSNDoesNot: PGHOST and its like are honoured.
func TestTheEnvironmentSaysWhatTheDSNDoesNot(t *testing.T) {
	server := pgtest.Shared(t)
	for word := range strings.FieldsSeq(server.DSN(pgtest.Admin)) {
		name, value, _ := strings.Cut(word, "=")
		t.Setenv(map[string]string{"host": "PGHOST", "user": "PGUSER", "dbname": "PGDATABASE", "sslmode": "PGSSLMODE"}[name], value)
	}
	c := config(server, "kurs")
	c.DSN = ""
	if err := open(t, c).Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Fatal(err)
	}
	if got := count(t, server, "kurs", "SELECT count(*) FROM v_quotes"); got != 1 {
		t.Errorf("%d quotes", got)
	}
}
