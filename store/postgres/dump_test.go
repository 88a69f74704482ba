package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"kurs"
	"kurs/store/postgres"
	"kurs/store/storetest"
)

// dumpPeople reads what people have a say in: with everything that is kept, which the
// views do not all show.
func dumpPeople(t *testing.T, conn *pgx.Conn, d *storetest.Dump) {
	t.Helper()
	each(t, conn, `SELECT q.kind, i.symbol, nullif(q.time, 'epoch'), s.text, o.text, n.text, u1.text, u2.text, q.reason, q.detail, q.state,
			coalesce(q.author, ''), coalesce(q.comment, ''), q.native::text, q.open::text, q.high::text, q.low::text, q.bid::text, q.ask::text,
			u.factor::text, q.fx_rate::text, q.factor::text, q.fx_time, coalesce(f.text, ''), q.volume, q.approximate, q.received, q.decided,
			r1.text, r2.text, q.counter, coalesce(g.text, '')
		FROM quarantine q JOIN instruments i ON i.id = q.instrument JOIN units u ON u.id = q.unit JOIN runs r ON r.id = q.run
		JOIN texts u1 ON u1.id = u.unit JOIN texts u2 ON u2.id = u.currency JOIN texts r1 ON r1.id = r.source JOIN texts r2 ON r2.id = r.run
		JOIN texts s ON s.id = q.session JOIN texts o ON o.id = q.source JOIN texts n ON n.id = q.interval
		LEFT JOIN texts f ON f.id = q.fx_source LEFT JOIN texts g ON g.id = q.origin`, func(rows pgx.Rows) {
		var (
			a                     storetest.Aside
			n                     [9]*string
			at, rateAt, decidedAt *time.Time
			volume                *int64
		)
		err := rows.Scan(&a.Kind, &a.Symbol, &at, &a.Session, &a.Source, &a.Interval, &a.Unit, &a.Currency, &a.Reason, &a.Detail, &a.State,
			&a.Author, &a.Comment, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &rateAt, &a.Rate.Source, &volume, &a.Approximate,
			&a.Received, &decidedAt, &a.Raw.Source, &a.Raw.Run, &a.Raw.Counter, &a.Origin)
		if err != nil {
			t.Fatal(err)
		}
		for i, to := range []*kurs.Decimal{&a.Value, &a.Open, &a.High, &a.Low, &a.Bid, &a.Ask, &a.Price.Factor, &a.Rate.Value, &a.Factor} {
			*to = dec(t, n[i])
		}
		for _, text := range []*string{&a.Symbol, &a.Source, &a.Interval, &a.Unit, &a.Currency, &a.Detail, &a.Author, &a.Comment, (*string)(&a.Reason), (*string)(&a.Session)} {
			*text = postgres.Unescape(*text)
		}
		a.Time, a.Rate.Time, a.Decided, a.Received, a.BaseCurrency = utc(at), utc(rateAt), utc(decidedAt), a.Received.UTC(), "DKK"
		if volume != nil {
			a.Volume = kurs.Volume{N: *volume, Known: true}
		}
		if a.Rate.Known() {
			a.Rate.Pair = kurs.Pair{From: a.Currency, To: a.BaseCurrency}
		}
		d.SetAside = append(d.SetAside, a)
	})
	each(t, conn, `SELECT i.symbol, k.native::text, k.base::text, k.author, k.reason, k.received,
			EXISTS (SELECT 1 FROM corrected c WHERE (c.instrument, c.time, c.session, c.source, c.received, c.run, c.counter)
				= (k.instrument, k.time, k.session, k.source, k.received, k.run, k.counter))
		FROM corrections k JOIN instruments i ON i.id = k.instrument`, func(rows pgx.Rows) {
		var (
			k           storetest.Said
			value, base *string
		)
		if err := rows.Scan(&k.Symbol, &value, &base, &k.Author, &k.Reason, &k.Received, &k.Holds); err != nil {
			t.Fatal(err)
		}
		for _, text := range []*string{&k.Symbol, &k.Author, &k.Reason} {
			*text = postgres.Unescape(*text)
		}
		k.Value, k.Base, k.Received = dec(t, value), dec(t, base), k.Received.UTC()
		d.Said = append(d.Said, k)
	})
	each(t, conn, "SELECT symbol, was, from_iso, until_iso, author FROM v_aliases", func(rows pgx.Rows) {
		var (
			a           kurs.Alias
			from, until *string
		)
		if err := rows.Scan(&a.Symbol, &a.Was, &from, &until, &a.Author); err != nil {
			t.Fatal(err)
		}
		for _, text := range []*string{&a.Symbol, &a.Was, &a.Author} {
			*text = postgres.Unescape(*text)
		}
		if from != nil {
			a.From = iso(t, *from)
		}
		if until != nil {
			a.Until = iso(t, *until)
		}
		d.Aliases = append(d.Aliases, a)
	})
}

// utc is a time that need not be there.
func utc(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.UTC()
}
