package config_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"kurs/config"
)

func TestSecretHidesThePassword(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"an address", "postgres://kurs:hunter2@db.example/market?sslmode=require", "postgres://kurs:****@db.example/market?sslmode=require"},
		{"no password", "postgres://kurs@db.example:5432/market", "postgres://kurs@db.example:5432/market"},
		{"an @ in the password", "postgres://kurs:hunter2@hunter2@db/market", "postgres://kurs:****@db/market"},
		{"a slash in the password", "postgres://kurs:hunter2/hunter2@db/market", "postgres://kurs:****@db/market"},
		{"a parameter", "postgres://db/market?user=kurs&password=hunter2&sslmode=require", "postgres://db/market?user=kurs&password=****&sslmode=require"},
		{"words", "host=db user=kurs password=hunter2 dbname=market", "host=db user=kurs password=**** dbname=market"},
		{"words with spaces", "host=db password = 'hunter2 hunter2' dbname=market", "host=db password = **** dbname=market"},
		{"a quote in it", `password='hunter2\'hunter2' host=db`, "password=**** host=db"},
		{"a key's password", "sslkey=k sslpassword=hunter2", "sslkey=k sslpassword=****"},
		{"nothing", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := config.Secret(c.in)
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "dsn", s)
			if s.String() != c.want {
				t.Errorf("got %s, want %s", s, c.want)
			}
			for _, printed := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", struct{ DSN config.Secret }{s}), fmt.Sprintf("%#v", s), log.String()} {
				if strings.Contains(printed, "hunter2") {
					t.Errorf("printed: %s", printed)
				}
			}
		})
	}
}

func TestSecretReachesTheStages(t *testing.T) {
	c := config.Config{}
	c.Store.Postgres.DSN = "postgres://kurs:hunter2@db/market"
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back config.Config
	if err := json.Unmarshal(text, &back); err != nil || back.Store.Postgres.DSN != c.Store.Postgres.DSN {
		t.Errorf("got %q, %v", string(back.Store.Postgres.DSN), err)
	}
}

// TestAMistakeShowsNoPassword, whatever is wrong on the line that it is on.
func TestAMistakeShowsNoPassword(t *testing.T) {
	for _, line := range []string{
		`dsn = postgres://kurs:hunter2@db/market`,
		`dsn = "postgres://kurs:hunter2@db/market`,
		`dsn = "postgres://kurs:hunter2`,
		`dsn = "postgres://kurs:hunter2@db/market" 7`,
		`"dsn" = "host=db password=hun\qter2 hunter2"`,
		`dsn = ["postgres://kurs:hunter2@db/market"]`,
		`dsn = { password = "hunter2" }`,
		`dsn = "host=db password='hunter2 hunter2'\u0000"`,
		`dns = "postgres://kurs:hunter2/hunter2@db/market"`,
		`dns = "host=db password='hunter2 hunter2'"`,
		`dsn = "host=db"; password=hunter2`,
	} {
		_, _, err := config.Load(input(t, write(t, "[store.postgres]\n"+line+"\n")))
		if err == nil {
			t.Errorf("%s is no mistake", line)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s:\n%v", line, err)
		}
		if !strings.Contains(err.Error(), "2:") {
			t.Errorf("the place is not told: %v", err)
		}
	}
}
