package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
	"kurs/store/postgres"
	"kurs/store/postgres/pgtest"
)

func TestOpenRefusesWhatItMustNotTouch(t *testing.T) {
	server := pgtest.Shared(t)
	for i, c := range []struct {
		name  string
		make  func(t *testing.T, c postgres.Config)
		want  error
		says  string
		after string // a query whose answer is 1 where nothing was changed
	}{
		{"another program's schema", func(t *testing.T, c postgres.Config) {
			t.Helper()
			server.Exec(t, "CREATE SCHEMA "+c.Schema, "CREATE TABLE "+c.Schema+".notes AS SELECT 1 AS x")
		}, postgres.ErrForeign, "not made by kurs", "SELECT x FROM notes"},
		{"another program's meta", func(t *testing.T, c postgres.Config) {
			t.Helper()
			server.Exec(t, "CREATE SCHEMA "+c.Schema, "CREATE TABLE "+c.Schema+".meta AS SELECT 1 AS x")
		}, postgres.ErrForeign, "not made by kurs", "SELECT x FROM meta"},
		{"a newer format", func(t *testing.T, c postgres.Config) {
			t.Helper()
			open(t, c).Close()
			server.Exec(t, "UPDATE "+c.Schema+".meta SET value = '99' WHERE key = 'format'")
		}, kurs.ErrNewerFormat, "format 99, this kurs knows up to 1", "SELECT count(*) FROM meta WHERE key = 'format' AND value = '99'"},
		{"another base currency", func(t *testing.T, c postgres.Config) {
			t.Helper()
			open(t, c).Close()
			server.Exec(t, "UPDATE "+c.Schema+".meta SET value = 'EUR' WHERE key = 'base_currency'")
		}, kurs.ErrBaseCurrency, "in EUR, not DKK", "SELECT count(*) FROM meta WHERE key = 'base_currency' AND value = 'EUR'"},
		{"a schema that another kurs writes into", func(t *testing.T, c postgres.Config) {
			t.Helper()
			open(t, c)
		}, postgres.ErrOtherWriter, "another kurs writes", "SELECT count(*) FROM meta WHERE key = 'format' AND value = '1'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := config(server, fmt.Sprintf("refused%d", i))
			c.make(t, config)
			s, err := postgres.Open(t.Context(), config, quiet())
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q, want %v with %q", err, c.want, c.says)
			}
			var e *kurs.Error
			if !errors.As(err, &e) || e.Try == "" || e.Safe == "" || e.Code == "" {
				t.Errorf("no remedy: %#v", e)
			}
			if got := count(t, server, config.Schema, c.after); got != 1 {
				t.Errorf("%s: %d, want 1", c.after, got)
			}
		})
	}
}

func TestADatabaseInAnotherEncodingIsRefused(t *testing.T) {
	server := pgtest.Shared(t)
	server.Exec(t, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
	server.Database = "latin"
	_, err := postgres.Open(t.Context(), config(server, "kurs"), quiet())
	if err == nil || !strings.Contains(err.Error(), "encoding LATIN1; kurs needs UTF8") {
		t.Errorf("got %v", err)
	}
}

// TestDurability has a server of its own, with fsync: what was committed must be there.
func TestDurability(t *testing.T) {
	server := pgtest.New(t)
	t.Run("a restart", func(t *testing.T) { restart(t, server) })
	t.Run("a kill in the middle", func(t *testing.T) { killInTheMiddle(t, server) })
}

// restart writes while the server is stopped in order, killed, and started again.
func restart(t *testing.T, server *pgtest.Server) {
	t.Helper()
	s := open(t, config(server, "kurs"))
	written := 0
	write := func() error {
		err := s.Write(t.Context(), group(quote("A", written)))
		if err == nil {
			written++
		}
		return err
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(testing.TB){"stopped": server.Stop, "killed": server.Kill} {
		end(t)
		for range 2 {
			err := write()
			if postgres.Condition(err) != postgres.ConditionAway || errors.Is(err, kurs.ErrRejected) {
				t.Errorf("%s: got %v (%q)", name, err, postgres.Condition(err))
			}
			if _, err := s.Position(t.Context()); err == nil {
				t.Errorf("%s: it has a position", name)
			}
		}
		server.Start(t)
		if err := write(); err != nil {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
	if got := count(t, server, "kurs", "SELECT count(*) FROM v_quotes"); got != int64(written) {
		t.Errorf("%d quotes, want %d", got, written)
	}
}

// killInTheMiddle kills the server while a large group is on its way. Whatever became
// of it, writing it again gives each price once.
func killInTheMiddle(t *testing.T, server *pgtest.Server) {
	t.Helper()
	s := open(t, config(server, "middle"))
	for round := range 2 {
		var prices []kurs.Price
		for i := range 20_000 {
			prices = append(prices, quote(fmt.Sprintf("ROUND%d", round), i))
		}
		g := group(prices...)
		ended := make(chan error, 1)
		go func() { ended <- s.Write(t.Context(), g) }()
		conn := server.Connect(t, pgtest.Admin)
		for { // until it is at work
			var n int
			if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kurs' AND state = 'active'").Scan(&n); err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				break
			}
		}
		server.Kill(t)
		if err := <-ended; errors.Is(err, kurs.ErrRejected) || err != nil && postgres.Condition(err) == "" {
			t.Errorf("got %v (%q)", err, postgres.Condition(err))
		}
		server.Start(t)
		for range 2 {
			if err := s.Write(t.Context(), g); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := count(t, server, "middle", "SELECT count(*) FROM v_quotes"), int64(20_000*(round+1)); got != want {
			t.Errorf("%d quotes, want %d", got, want)
		}
		if got, want := count(t, server, "middle", "SELECT n FROM counts WHERE name = 'quotes'"), int64(20_000*(round+1)); got != want {
			t.Errorf("counted %d quotes, want %d", got, want)
		}
	}
}

func TestASessionThatIsEndedByTheServer(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	server.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kurs' AND datname = current_database()")
	err := s.Write(t.Context(), group(quote("A", 0)))
	if err != nil && postgres.Condition(err) != postgres.ConditionAway {
		t.Errorf("got %v (%q)", err, postgres.Condition(err))
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestNoRoomForAnotherSession(t *testing.T) {
	server := pgtest.Shared(t)
	server.Exec(t, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 1", "GRANT CREATE, TEMPORARY ON DATABASE "+server.Database+" TO crowded")
	c := config(server, "kurs")
	c.DSN = server.DSN("crowded")
	other := server.Connect(t, "crowded")
	_, err := postgres.Open(t.Context(), c, quiet())
	if postgres.Condition(err) != postgres.ConditionAway || !strings.Contains(err.Error(), "too many connections") {
		t.Errorf("got %v (%q)", err, postgres.Condition(err))
	}
	if err := other.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := openSoon(t, c).Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// openSoon opens the store once the server has noticed that another session ended.
func openSoon(t *testing.T, c postgres.Config) *postgres.Store {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); <-tick.C {
		s, err := postgres.Open(t.Context(), c, quiet())
		if err == nil {
			t.Cleanup(func() { _ = s.Close() }) // it was only written to
			return s
		}
	}
	return open(t, c)
}

// TestALockIsAnOutage: another session holds what a write needs.
func TestALockIsAnOutage(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	other := reader(t, server, "kurs")
	begin, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := begin.Exec(t.Context(), "LOCK TABLE quotes"); err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), group(quote("A", 0)))
	if postgres.Condition(err) != postgres.ConditionLocked || errors.Is(err, kurs.ErrRejected) {
		t.Errorf("got %v (%q)", err, postgres.Condition(err))
	}
	if _, err := s.Position(t.Context()); err != nil { // the session is as good as before
		t.Errorf("position: %v", err)
	}
	// Who waits for a lock can be told to stop.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, group(quote("A", 0))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := begin.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestAReaderHoldsUpNobody: one that takes hours over its query keeps no partition from
// being made.
func TestAReaderHoldsUpNobody(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Fatal(err)
	}
	other := reader(t, server, "kurs")
	if _, err := other.Exec(t.Context(), "BEGIN; SELECT * FROM v_quotes; SELECT * FROM v_bars"); err != nil {
		t.Fatal(err)
	}
	old := quote("A", 0)
	old.Time = noon.AddDate(-7, 0, 0)
	if err := s.Write(t.Context(), group(old)); err != nil {
		t.Error(err)
	}
}

func TestPartitions(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	var prices []kurs.Price
	for i, years := range []int{0, -1, -90, -2000, 200, 7000} {
		p := quote("A", i)
		p.Time = p.Time.AddDate(years, 0, 0)
		prices = append(prices, p)
	}
	if err := s.Write(t.Context(), group(prices...)); err != nil {
		t.Fatal(err)
	}
	if got := count(t, server, "kurs", "SELECT count(*) FROM v_quotes"); got != int64(len(prices)) {
		t.Errorf("%d quotes, want %d", got, len(prices))
	}
	for _, name := range []string{"quotes_202611", "quotes_202511", "quotes_old", "quotes_far"} {
		if got := count(t, server, "kurs", "SELECT count(*) FROM pg_inherits WHERE inhrelid = '"+name+"'::regclass"); got != 1 {
			t.Errorf("there is no partition %s", name)
		}
	}
	// Those of the next month are there before they are needed.
	if got := count(t, server, "kurs", "SELECT count(*) FROM pg_class WHERE relname = to_char(now() + interval '31 days', '\"quotes_\"YYYYMM')"); got != 1 {
		t.Errorf("the next month has %d partitions", got)
	}
}

func TestRejections(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	for _, c := range []struct {
		name string
		make func(p *kurs.Price)
	}{
		{"a counter beyond 2^63", func(p *kurs.Price) { p.Raw.Counter = 1 << 63 }},
		{"a name that is not UTF-8", func(p *kurs.Price) { p.Symbol = "\xff" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := quote("A", 0)
			c.make(&p)
			if err := s.Write(t.Context(), group(p)); !errors.Is(err, kurs.ErrRejected) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestAllDigits: whatever a decimal can hold comes back, through the views and through
// the store's own reading of versions.
func TestAllDigits(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	conn := reader(t, server, "kurs")
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		const limit = 1_000_000_000_000_000_000
		value, err := kurs.NewDecimal(rapid.Int64Range(1-limit, limit-1).Draw(r, "coefficient"), rapid.IntRange(-380, 380).Draw(r, "exponent"))
		if err != nil {
			r.Fatal(err)
		}
		n++
		p := quote("A", n)
		p.Value = value
		other := p // a version of its own, and then the first again: it is read and compared
		other.Value, other.Received, other.Raw.Counter = kurs.Int(7), p.Received.AddDate(0, 0, 1), p.Raw.Counter+1_000_000
		if value == other.Value {
			other.Value = kurs.Int(8)
		}
		for _, g := range []kurs.Group{group(p), group(other), group(p)} {
			if err := s.Write(t.Context(), g); err != nil {
				r.Fatal(err)
			}
		}
		var text string
		err = conn.QueryRow(t.Context(), "SELECT price_native::text FROM v_versions WHERE time = $1 AND NOT shown", p.Time).Scan(&text)
		if err != nil {
			r.Fatal(err)
		}
		if text != value.String() {
			r.Errorf("%s became %s", value, text)
		}
	})
}

// TestSomebodyElseWrote: what was taken for new is there, since another program changed
// the tables. It is looked up then, and not refused.
func TestSomebodyElseWrote(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	g := group(quote("A", 0), quote("B", 1))
	if err := s.Write(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "DELETE FROM kurs.latest WHERE instrument = (SELECT min(id) FROM kurs.instruments)")
	other := quote("A", 0)
	other.Value, other.Received = kurs.Int(2), other.Received.AddDate(0, 0, 1)
	g.Batches[0].Prices = append(g.Batches[0].Prices, quote("B", 2))
	for _, again := range []kurs.Group{g, group(other)} {
		if err := s.Write(t.Context(), again); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int64{
		"SELECT count(*) FROM v_quotes": 3, "SELECT count(*) FROM v_latest": 2, "SELECT count(*) FROM v_versions": 4,
		"SELECT n FROM counts WHERE name = 'quotes'": 3,
	} {
		if got := count(t, server, "kurs", query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func TestAClosedStore(t *testing.T) {
	server := pgtest.Shared(t)
	s := open(t, config(server, "kurs"))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Write(t.Context(), group(quote("A", 0))); err == nil {
		t.Error("it was written to")
	}
	if _, err := s.Position(t.Context()); err == nil {
		t.Error("it has a position")
	}
}
