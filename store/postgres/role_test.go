package postgres_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kurs"
	"kurs/internal/testkit"
	"kurs/store/postgres"
	"kurs/store/postgres/pgtest"
)

// documented are the blocks of SQL of docs/postgres.md.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs", "postgres.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) != 2 {
		t.Fatalf("%d blocks of SQL", len(out))
	}
	return out
}

// TestRoles does what docs/postgres.md says, in a database where nobody has rights that
// were not given, and tries what each role can.
func TestRoles(t *testing.T) {
	server := pgtest.Shared(t)
	blocks := documented(t)
	server.Exec(t, "REVOKE ALL ON DATABASE "+server.Database+" FROM PUBLIC", blocks[0],
		"GRANT CONNECT, TEMPORARY ON DATABASE "+server.Database+" TO kurs_owner, kurs_writer", "GRANT CONNECT ON DATABASE "+server.Database+" TO kurs_reader")
	as := func(role string) postgres.Config {
		c := config(server, "kurs")
		c.DSN = server.DSN(role)
		return c
	}
	// A writer that comes first finds nothing, and may make nothing.
	if _, err := postgres.Open(t.Context(), as("kurs_writer"), quiet()); postgres.Condition(err) != postgres.ConditionRefused {
		t.Errorf("a writer that comes first: %v", err)
	}
	if err := open(t, as("kurs_owner")).Close(); err != nil {
		t.Fatal(err)
	}
	// And after the tables are made, before it may use them.
	if _, err := postgres.Open(t.Context(), as("kurs_writer"), quiet()); postgres.Condition(err) != postgres.ConditionRefused || !strings.Contains(err.Error(), "docs/postgres.md") && !strings.Contains(err.Error(), "may not use") {
		t.Errorf("a writer without rights: %v", err)
	}
	server.Exec(t, blocks[1])

	s := open(t, as("kurs_writer"))
	old := quote("A", 1)
	old.Time = noon.AddDate(-3, 0, 0) // a partition that nobody made
	changed := quote("A", 0)
	changed.Value, changed.Received = kurs.Int(2), changed.Received.AddDate(0, 0, 1)
	for _, g := range []kurs.Group{group(quote("A", 0), old), group(quote("A", 0)), group(changed), everything()} {
		if err := s.Write(t.Context(), g); err != nil {
			t.Fatalf("the writer: %v", err)
		}
	}
	for _, c := range []struct {
		role, statement string
		may             bool
	}{
		{"kurs_reader", "SELECT count(*) FROM kurs.v_quotes", true},
		{"kurs_reader", "SELECT count(*) FROM kurs.v_bars", true},
		{"kurs_reader", "SELECT count(*) FROM kurs.v_quarantine", true},
		{"kurs_reader", "SELECT count(*) FROM kurs.quotes", false},
		{"kurs_reader", "DELETE FROM kurs.v_aliases", false},
		{"kurs_reader", "SELECT kurs.prepare_partitions('quotes', '{}')", false},
		{"kurs_reader", "CREATE TEMPORARY TABLE x (y integer)", false},
		{"kurs_writer", "CREATE TABLE kurs.x (y integer)", false},
		{"kurs_writer", "DROP TABLE kurs.quotes", false},
		{"kurs_writer", "TRUNCATE kurs.quotes", false},
		{"kurs_writer", "SELECT kurs.prepare_partitions('meta', '{}')", false},
	} {
		_, err := server.Connect(t, c.role).Exec(t.Context(), c.statement)
		if (err == nil) != c.may {
			t.Errorf("%s: %s: %v", c.role, c.statement, err)
		}
	}
}

// everything is a group with a row of each kind.
func everything() kurs.Group {
	r := quote("A", 5).Receipt
	p := quote("A", 5)
	return kurs.Group{Position: kurs.StreamPos{Epoch: "e", Seq: 1}, Batches: []kurs.Batch{{
		Raws: []kurs.RawID{r.Raw}, BaseCurrency: "DKK", Prices: []kurs.Price{p},
		Bars:        []kurs.PricedBar{{Bar: kurs.Bar{Symbol: "A", Source: "yahoo", Start: noon, Interval: "1d", Close: kurs.Int(1)}, Receipt: r}},
		Rates:       []kurs.Rate{{Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.Int(7), Time: noon, Received: noon}},
		Events:      []kurs.Event{{Kind: kurs.EventDividend, Symbol: "A", Time: noon, Amount: kurs.Int(1)}},
		Instruments: []kurs.Instrument{{Symbol: "A", Name: "Agilent"}},
		Gaps:        []kurs.Gap{{Symbol: "A", From: noon, To: noon.AddDate(0, 0, 1), Receipt: r}},
		SetAside:    []kurs.SetAside{{Kind: kurs.AsideQuote, Price: p, Reason: kurs.ReasonJump}},
		Decisions:   []kurs.Decision{{Of: kurs.SetAside{Kind: kurs.AsideQuote, Price: p, Reason: kurs.ReasonJump}, Action: kurs.ActionDrop, Receipt: r}},
		Corrections: []kurs.Correction{{Price: p, Author: "me", Reason: "a slip"}},
		Aliases:     []kurs.Alias{{Symbol: "A", Was: "OLD", Receipt: r}},
		Fills: []kurs.Fill{{
			Symbol: "A", Source: "yahoo", Time: p.Time, Session: p.Session, Receipt: r, Base: kurs.Int(9),
			Rate: kurs.Rate{
				Pair: kurs.Pair{From: "USD", To: "DKK"}, Value: kurs.MustDecimal("7.2"), Time: noon, Received: noon, Source: "yahoo inverse",
				Legs: [2]kurs.Leg{{Pair: kurs.Pair{From: "DKK", To: "USD"}, Value: kurs.MustDecimal("0.1389"), Time: noon, Inverse: true}},
			},
		}},
	}}}
}
