package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/postgres"
	"kurs/store/postgres/pgtest"
	"kurs/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Run(m) }

func TestStore(t *testing.T) {
	server := pgtest.Shared(t)
	storetest.Run(t, harness(server))
}

// schemas counts, so that each test has one of its own.
var schemas atomic.Int64

func harness(server *pgtest.Server) storetest.Harness {
	return storetest.Harness{New: func(*testing.T) storetest.Data {
		schema := fmt.Sprintf(`my "kurs" %d`, schemas.Add(1))
		return storetest.Data{
			Open: func(t *testing.T) kurs.Store { return open(t, config(server, schema)) },
			Read: func(t *testing.T) storetest.Dump { return dump(t, server, schema) },
		}
	}}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func config(server *pgtest.Server, schema string) postgres.Config {
	return postgres.Config{
		DSN: server.DSN(pgtest.Admin), Schema: schema, Timeout: 10 * time.Second, LockTimeout: 200 * time.Millisecond, BaseCurrency: "DKK",
	}
}

// open opens the store; who closes it may do so twice.
func open(t *testing.T, c postgres.Config) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), c, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// rowColumns are a price as the views have it, with decimals as texts.
func rowColumns(view string) string {
	origin := "coalesce(origin, ''), coalesce(corrected_by, ''), coalesce(nullif(instrument, symbol), '')"
	if strings.HasPrefix(view, "v_versions") {
		origin = "coalesce(origin, ''), coalesce(corrected_by, ''), ''"
	}
	return `SELECT symbol, time, price_native::text, coalesce(unit, ''), coalesce(currency_native, ''), factor::text, fx_rate::text, fx_time,
		coalesce(fx_source, ''), price_base::text, currency_base, bid::text, ask::text, volume, coalesce(session, ''), coalesce(source, ''),
		received_iso, approximate, ` + origin + ` FROM ` + view
}

func scanRow(t *testing.T, rows pgx.Rows) kurs.Row {
	t.Helper()
	var (
		r                                    kurs.Row
		native, factor, rate, base, bid, ask *string
		fxTime                               *time.Time
		received, session, source, origin    string
	)
	err := rows.Scan(&r.Symbol, &r.Time, &native, &r.Unit, &r.CurrencyNative, &factor, &rate, &fxTime, &r.FXSource, &base, &r.CurrencyBase,
		&bid, &ask, &r.Volume, &session, &source, &received, &r.Approximate, &origin, &r.CorrectedBy, &r.Instrument)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []*string{&r.Symbol, &r.Unit, &r.CurrencyNative, &r.FXSource, &session, &source, &r.CorrectedBy, &r.Instrument} {
		*text = postgres.Unescape(*text)
	}
	r.PriceNative, r.Factor, r.FXRate, r.PriceBase, r.Bid, r.Ask = dec(t, native), dec(t, factor), dec(t, rate), dec(t, base), dec(t, bid), dec(t, ask)
	r.Time, r.ReceivedISO = r.Time.UTC(), iso(t, received)
	if fxTime != nil {
		r.FXTime = fxTime.UTC()
	}
	r.Session, r.Source, r.Origin = kurs.Session(session), source, kurs.Origin(origin)
	return r
}

func dec(t *testing.T, text *string) kurs.Decimal {
	t.Helper()
	if text == nil {
		return kurs.Decimal{}
	}
	d, err := kurs.ParseDecimal(*text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func iso(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// reader is a session that reads a schema.
func reader(t *testing.T, server *pgtest.Server, schema string) *pgx.Conn {
	t.Helper()
	conn := server.Connect(t, pgtest.Admin)
	if _, err := conn.Exec(t.Context(), "SET search_path = "+pgx.Identifier{schema}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	return conn
}

// dump reads everything from the views.
func dump(t *testing.T, server *pgtest.Server, schema string) (d storetest.Dump) {
	t.Helper()
	conn := reader(t, server, schema)
	defer conn.Close(t.Context())
	for _, part := range []struct {
		query string
		into  *[]kurs.Row
	}{
		{rowColumns("v_quotes"), &d.Quotes},
		{rowColumns("v_versions WHERE NOT shown"), &d.Superseded},
		{rowColumns("v_latest"), &d.Latest},
	} {
		each(t, conn, part.query, func(rows pgx.Rows) { *part.into = append(*part.into, scanRow(t, rows)) })
	}
	dumpBars(t, conn, &d)
	dumpRates(t, conn, &d)
	dumpSmall(t, conn, &d)
	dumpPeople(t, conn, &d)
	return d
}

func each(t *testing.T, conn *pgx.Conn, query string, do func(pgx.Rows)) {
	t.Helper()
	rows, err := conn.Query(context.Background(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		do(rows)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func dumpBars(t *testing.T, conn *pgx.Conn, d *storetest.Dump) {
	t.Helper()
	each(t, conn, `SELECT symbol, source, interval, coalesce(unit, ''), time_iso, received_iso, volume, open_native::text, high_native::text, low_native::text,
		close_native::text, fx_rate::text, open_base::text, high_base::text, low_base::text, close_base::text FROM v_bars`, func(rows pgx.Rows) {
		var (
			b               storetest.Bar
			start, received string
			volume          *int64
			n               [9]*string
		)
		if err := rows.Scan(&b.Symbol, &b.Source, &b.Interval, &b.Unit, &start, &received, &volume, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8]); err != nil {
			t.Fatal(err)
		}
		b.Start, b.Received = iso(t, start), iso(t, received)
		if volume != nil {
			b.Volume = kurs.Volume{N: *volume, Known: true}
		}
		for i, to := range []*kurs.Decimal{&b.Open, &b.High, &b.Low, &b.Close, &b.FXRate, &b.BaseOpen, &b.BaseHigh, &b.BaseLow, &b.BaseClose} {
			*to = dec(t, n[i])
		}
		d.Bars = append(d.Bars, b)
	})
}

func dumpRates(t *testing.T, conn *pgx.Conn, d *storetest.Dump) {
	t.Helper()
	each(t, conn, `SELECT from_currency, to_currency, rate::text, time_iso, coalesce(source, ''), coalesce(symbol, ''), coalesce(interval, ''),
		(valid_for * 1000)::bigint, received_iso FROM v_fx`, func(rows pgx.Rows) {
		var (
			r                  kurs.Rate
			value, at, receive string
			valid              int64
		)
		if err := rows.Scan(&r.From, &r.To, &value, &at, &r.Source, &r.Symbol, &r.Interval, &valid, &receive); err != nil {
			t.Fatal(err)
		}
		r.Value, r.Time, r.Received, r.ValidFor = dec(t, &value), iso(t, at), iso(t, receive), time.Duration(valid)*time.Millisecond
		d.Rates = append(d.Rates, r)
	})
}

func dumpSmall(t *testing.T, conn *pgx.Conn, d *storetest.Dump) {
	t.Helper()
	each(t, conn, `SELECT symbol, coalesce(source, ''), coalesce(name, ''), coalesce(kind, ''), coalesce(exchange, ''), coalesce(unit, ''),
		coalesce(time_zone, '') FROM v_instruments WHERE coalesce(kind, name, unit) IS NOT NULL`, func(rows pgx.Rows) {
		var i kurs.Instrument
		if err := rows.Scan(&i.Symbol, &i.Source, &i.Name, &i.Kind, &i.Exchange, &i.Unit, &i.TimeZone); err != nil {
			t.Fatal(err)
		}
		d.Instruments = append(d.Instruments, i)
	})
	each(t, conn, `SELECT kind, symbol, source, time_iso, amount::text, coalesce(unit, ''), numerator::text, denominator::text FROM v_events`, func(rows pgx.Rows) {
		var (
			e                              kurs.Event
			at                             string
			amount, numerator, denominator *string
		)
		if err := rows.Scan(&e.Kind, &e.Symbol, &e.Source, &at, &amount, &e.Unit, &numerator, &denominator); err != nil {
			t.Fatal(err)
		}
		e.Time, e.Amount, e.Numerator, e.Denominator = iso(t, at), dec(t, amount), dec(t, numerator), dec(t, denominator)
		d.Events = append(d.Events, e)
	})
	each(t, conn, `SELECT v.symbol, v.source, v.time_iso, v.to_iso, v.reason, g.received FROM v_gaps v, gaps g`, func(rows pgx.Rows) {
		var (
			g        kurs.Gap
			from, to string
		)
		if err := rows.Scan(&g.Symbol, &g.Source, &from, &to, &g.Reason, &g.Received); err != nil {
			t.Fatal(err)
		}
		g.From, g.To, g.Received = iso(t, from), iso(t, to), g.Received.UTC()
		d.Gaps = append(d.Gaps, g)
	})
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// quote is a price of symbol that was made and received so many seconds after noon.
func quote(symbol string, second int) kurs.Price {
	at := noon.Add(time.Duration(second) * time.Second)
	return kurs.Price{
		Quote: kurs.Quote{
			Symbol: symbol, Source: "yahoo", Time: at, Session: kurs.SessionRegular, Value: kurs.MustDecimal("1.25"), Unit: "USD",
		},
		Receipt:    kurs.Receipt{Received: at, Raw: kurs.RawID{Source: "yahoo", Run: "r1", Counter: uint64(second + 1)}},
		Conversion: kurs.Conversion{Currency: "USD", Factor: kurs.Int(1), BaseCurrency: "DKK"},
	}
}

func group(prices ...kurs.Price) kurs.Group {
	b := kurs.Batch{BaseCurrency: "DKK", Prices: prices}
	for _, p := range prices {
		b.Raws = append(b.Raws, p.Raw)
	}
	return kurs.Group{Batches: []kurs.Batch{b}}
}

// count is the one number that a query answers with.
func count(t *testing.T, server *pgtest.Server, schema, query string) int64 {
	t.Helper()
	conn := reader(t, server, schema)
	defer conn.Close(t.Context())
	var n int64
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", strings.TrimSpace(query), err)
	}
	return n
}
