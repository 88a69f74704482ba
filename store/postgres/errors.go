package postgres

import (
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"kurs"
)

// Errors that callers tell apart.
var (
	// ErrForeign: the schema is there and not kurs's. It was not touched.
	ErrForeign = errors.New("not a schema of kurs")

	// ErrOtherWriter: another kurs writes into the schema.
	ErrOtherWriter = errors.New("another kurs writes there")
)

// errRights: the role lacks rights that it needs.
var errRights = errors.New("rights are missing")

var errClosed = errors.New("the store is closed")

// The conditions that the server can be in; see [Condition].
const (
	ConditionAway    = "away"    // it cannot be reached, or has no room for another session
	ConditionLocked  = "locked"  // another session holds what is needed, or another kurs writes
	ConditionFull    = "full"    // no space on its disk
	ConditionRefused = "refused" // it refuses the user, the database or the rights
)

// Condition sorts an error by what a person can do about it; empty is any other.
// All of them are outages: the group is kept and tried again.
func Condition(err error) string {
	if errors.Is(err, ErrOtherWriter) {
		return ConditionLocked
	}
	if errors.Is(err, errRights) {
		return ConditionRefused
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return conditionOf(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return ConditionAway
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return ConditionAway
	}
	if errors.Is(err, errGone) {
		return ConditionAway
	}
	return ""
}

const (
	lockNotAvailable = "55P03"
	uniqueViolation  = "23505"
	checkViolation   = "23514" // also a partition that is missing; no content breaks another check
)

// conditionOf sorts a code of PostgreSQL (its appendix A): five characters, of which
// the first two are the class.
func conditionOf(code string) string {
	switch code {
	case "53100": // disk_full
		return ConditionFull
	case lockNotAvailable, "40P01": // deadlock_detected
		return ConditionLocked
	case "57014": // query_canceled: slower than is waited for
		return ConditionAway
	case "42501", "3D000", "3F000", "25006": // no rights, no database, no schema, a standby
		return ConditionRefused
	}
	if len(code) != 5 {
		return ""
	}
	switch code[:2] {
	case "08", "53", "57": // connection, resources, an operator's work
		return ConditionAway
	case "28": // who may
		return ConditionRefused
	}
	return ""
}

// classify adds to an error of a write what the contract of [kurs.Store] needs:
// content that PostgreSQL refuses is rejected, all else is an outage.
func classify(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || errors.Is(err, kurs.ErrRejected) || len(e.Code) != 5 {
		return err
	}
	if e.Code == checkViolation {
		return err // a partition that somebody took out: the next prices are of another month
	}
	switch e.Code[:2] {
	case "22", "23", "54": // data, constraints, limits of the program
		return fmt.Errorf("%w: %w", kurs.ErrRejected, err)
	}
	return err
}

func rejected(format string, args ...any) error {
	return fmt.Errorf("%w: %s", kurs.ErrRejected, fmt.Sprintf(format, args...))
}

// where names a schema as messages show it.
func (c Config) where() string { return fmt.Sprintf("schema %q of PostgreSQL", c.Schema) }

func (c Config) errNewer(found int64) error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: fmt.Sprintf("%s has format %d, this kurs knows up to %d", c.where(), found, Format),
		Safe:    "nothing in it was changed",
		Try:     "use the kurs that wrote it, or a newer one; or record into another schema (store.postgres.schema)",
		Exit:    kurs.ExitFailed,
		Err:     kurs.ErrNewerFormat,
	}
}

func (c Config) errForeign() error {
	return &kurs.Error{
		Code:    "KURS-FORMAT",
		Message: c.where() + " was not made by kurs",
		Safe:    "nothing in it was changed",
		Try:     "name another schema (store.postgres.schema); kurs makes it",
		Exit:    kurs.ExitFailed,
		Err:     ErrForeign,
	}
}

func (c Config) errBase(has string) error {
	return &kurs.Error{
		Code:    "KURS-BASE",
		Message: fmt.Sprintf("the prices in %s are in %s, not %s", c.where(), has, c.BaseCurrency),
		Safe:    "nothing was changed",
		Try:     fmt.Sprintf("record in %s into another schema (store.postgres.schema), or set currency = %q again", c.BaseCurrency, has),
		Exit:    kurs.ExitUsage,
		Err:     kurs.ErrBaseCurrency,
	}
}

func errServer(message string) error {
	return &kurs.Error{
		Code:    "KURS-DB",
		Message: message,
		Safe:    "nothing was changed",
		Try:     "name a database of PostgreSQL 15 or later with the encoding UTF8 (store.postgres.dsn)",
		Exit:    kurs.ExitFailed,
	}
}

// errDSN is that a DSN cannot be read. What pgx says of it quotes it, with not every
// form of a password made out.
func errDSN() error {
	return &kurs.Error{
		Code:    "KURS-CONFIG",
		Message: "store.postgres says of no server how to reach it",
		Safe:    "nothing was started",
		Try:     `a DSN is as "postgres://kurs@db.example/market?sslmode=verify-full" or "host=db.example user=kurs dbname=market"`,
		Exit:    kurs.ExitUsage,
	}
}

func (c Config) errRights() error {
	return &kurs.Error{
		Code:      "KURS-DB",
		Message:   "the role that kurs is may not use " + c.where(),
		Safe:      "nothing was changed; prices are safe in the queue",
		Try:       "give it the rights of docs/postgres.md",
		Exit:      kurs.ExitFailed,
		Retryable: true,
		Err:       errRights,
	}
}

func (c Config) errOtherWriter() error {
	return &kurs.Error{
		Code:      "KURS-LOCK",
		Message:   "another kurs writes into " + c.where(),
		Safe:      "nothing was changed; prices are safe in the queue",
		Try:       "stop the other, or record into another schema (store.postgres.schema)",
		Exit:      kurs.ExitLocked,
		Retryable: true,
		Err:       ErrOtherWriter,
	}
}
