-- Format 1. docs/formats.md describes the views, which are a contract; the tables
-- behind them may change with a later format. The schema is the first of
-- search_path. Times are timestamps with milliseconds, decimals are numeric with all
-- their digits, unknown is NULL. Texts that repeat are numbers of the table texts;
-- they may be of any length, which a hash holds apart and a B-tree could not.

CREATE TABLE meta (
  key   text PRIMARY KEY,
  value text NOT NULL
);

CREATE TABLE position (
  one   integer PRIMARY KEY CHECK (one = 1),
  epoch text   NOT NULL,
  seq   bigint NOT NULL
);

-- Counted in the same transaction as the rows, so that nobody has to scan.
CREATE TABLE counts (
  name text PRIMARY KEY,
  n    bigint NOT NULL
);

CREATE TABLE texts (
  id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  text text COLLATE "C" NOT NULL,
  EXCLUDE USING hash (text WITH =)
);

CREATE TABLE units (
  id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  unit     integer NOT NULL,
  currency integer NOT NULL,
  factor   numeric,
  UNIQUE NULLS NOT DISTINCT (unit, currency, factor)
);

CREATE TABLE runs (
  id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source integer NOT NULL,
  run    integer NOT NULL,
  UNIQUE (source, run)
);

-- Raw receipts that are accounted for by committed rows.
CREATE TABLE ledger (
  run      integer PRIMARY KEY,
  counters int8multirange NOT NULL
);

CREATE TABLE instruments (
  id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  symbol    text COLLATE "C" NOT NULL,
  source    text NOT NULL DEFAULT '',
  name      text NOT NULL DEFAULT '',
  kind      text NOT NULL DEFAULT '',
  exchange  text NOT NULL DEFAULT '',
  unit      text NOT NULL DEFAULT '',
  time_zone text NOT NULL DEFAULT '',
  EXCLUDE USING hash (symbol WITH =)
);

-- A row is the newest version of a price: first and last are the receipts between
-- which it is known to have been seen. last_* is NULL where it was seen once;
-- last_attrs is NULL where the last receipt said the same of everything. origin is
-- of texts, 0 where it was not noted.

CREATE TABLE quotes (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  instrument    integer     NOT NULL,
  session       integer     NOT NULL,
  source        integer     NOT NULL,
  unit          integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  approximate   boolean     NOT NULL,
  native        numeric     NOT NULL,
  fx_rate       numeric,
  base          numeric,
  fx_time       timestamptz,
  fx_source     integer,
  bid           numeric,
  ask           numeric,
  volume        bigint,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (instrument, time, session, source)
) PARTITION BY RANGE (time);
CREATE INDEX quotes_waiting ON quotes (unit, time) WHERE base IS NULL;
CREATE INDEX quotes_time ON quotes USING brin (time) WITH (pages_per_range = 32, autosummarize = on);

-- The versions that a newer one took the place of. The same columns.
CREATE TABLE quotes_versions (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  instrument    integer     NOT NULL,
  session       integer     NOT NULL,
  source        integer     NOT NULL,
  unit          integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  approximate   boolean     NOT NULL,
  native        numeric     NOT NULL,
  fx_rate       numeric,
  base          numeric,
  fx_time       timestamptz,
  fx_source     integer,
  bid           numeric,
  ask           numeric,
  volume        bigint,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
);

CREATE TABLE bars (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  instrument    integer     NOT NULL,
  interval      integer     NOT NULL,
  source        integer     NOT NULL,
  unit          integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  approximate   boolean     NOT NULL,
  open          numeric,
  high          numeric,
  low           numeric,
  close         numeric     NOT NULL,
  volume        bigint,
  fx_rate       numeric,
  fx_time       timestamptz,
  fx_source     integer,
  base_open     numeric,
  base_high     numeric,
  base_low      numeric,
  base          numeric,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (instrument, interval, time, source)
) PARTITION BY RANGE (time);
CREATE INDEX bars_waiting ON bars (unit, time) WHERE base IS NULL;
CREATE INDEX bars_time ON bars USING brin (time) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE bars_versions (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  instrument    integer     NOT NULL,
  interval      integer     NOT NULL,
  source        integer     NOT NULL,
  unit          integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  approximate   boolean     NOT NULL,
  open          numeric,
  high          numeric,
  low           numeric,
  close         numeric     NOT NULL,
  volume        bigint,
  fx_rate       numeric,
  fx_time       timestamptz,
  fx_source     integer,
  base_open     numeric,
  base_high     numeric,
  base_low      numeric,
  base          numeric,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (instrument, interval, time, source, received, run, counter)
);

CREATE TABLE rates (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  from_currency integer     NOT NULL,
  to_currency   integer     NOT NULL,
  source        integer     NOT NULL,
  interval      integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  rate          numeric     NOT NULL,
  symbol        integer     NOT NULL,
  valid_for     bigint      NOT NULL,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (from_currency, to_currency, time, source, interval)
);

CREATE TABLE rates_versions (
  time          timestamptz NOT NULL,
  received      timestamptz NOT NULL,
  counter       bigint      NOT NULL,
  from_currency integer     NOT NULL,
  to_currency   integer     NOT NULL,
  source        integer     NOT NULL,
  interval      integer     NOT NULL,
  run           integer     NOT NULL,
  origin        integer     NOT NULL,
  rate          numeric     NOT NULL,
  symbol        integer     NOT NULL,
  valid_for     bigint      NOT NULL,
  last_received timestamptz,
  last_run      integer,
  last_counter  bigint,
  last_origin   integer,
  last_attrs    text,
  PRIMARY KEY (from_currency, to_currency, time, source, interval, received, run, counter)
);

-- Where each instrument stands: points at its newest quote, and has what the newest
-- answer said of it besides the price. delay is milliseconds.
CREATE TABLE latest (
  instrument integer PRIMARY KEY,
  time       timestamptz NOT NULL,
  session    integer     NOT NULL,
  source     integer     NOT NULL,
  received   timestamptz NOT NULL,
  run        integer     NOT NULL,
  counter    bigint      NOT NULL,
  bid        numeric,
  ask        numeric,
  volume     bigint,
  delay      bigint      NOT NULL
) WITH (fillfactor = 50);

-- Fills that came before their price; in the order of the queue there are none.
-- Times among k1 to k4 are milliseconds since 1970, UTC.
CREATE TABLE pending_fills (
  series    text    NOT NULL,
  k1        bigint  NOT NULL,
  k2        bigint  NOT NULL,
  k3        bigint  NOT NULL,
  k4        bigint  NOT NULL,
  received  bigint  NOT NULL,
  run       integer NOT NULL,
  counter   bigint  NOT NULL,
  fx_rate   numeric,
  fx_time   timestamptz,
  fx_source integer,
  base_open numeric,
  base_high numeric,
  base_low  numeric,
  base      numeric,
  at        timestamptz NOT NULL,
  PRIMARY KEY (series, k1, k2, k3, k4, received, run, counter)
);

-- When a base value became known that was not known with its price: the reception
-- of the rate. What was known at a time can so be told afterwards.
CREATE TABLE filled (
  series   text    NOT NULL,
  k1       bigint  NOT NULL,
  k2       bigint  NOT NULL,
  k3       bigint  NOT NULL,
  k4       bigint  NOT NULL,
  received bigint  NOT NULL,
  run      integer NOT NULL,
  counter  bigint  NOT NULL,
  at       timestamptz NOT NULL,
  PRIMARY KEY (series, k1, k2, k3, k4, received, run, counter)
);

-- What the rates that prices were converted with were computed from: one leg where a
-- pair was read the other way round, two of a cross. Of a leg that is not there the
-- columns are 0 and 1970.
CREATE TABLE legs (
  from_currency  integer     NOT NULL,
  to_currency    integer     NOT NULL,
  time           timestamptz NOT NULL,
  source         integer     NOT NULL,
  rate           numeric     NOT NULL,
  first_time     timestamptz NOT NULL,
  second_time    timestamptz NOT NULL,
  first_from     integer     NOT NULL,
  first_to       integer     NOT NULL,
  first_rate     numeric     NOT NULL,
  first_inverse  boolean     NOT NULL,
  second_from    integer     NOT NULL,
  second_to      integer     NOT NULL,
  second_rate    numeric,
  second_inverse boolean     NOT NULL,
  PRIMARY KEY (from_currency, to_currency, time, source, rate, first_time, second_time)
);

-- Events and gaps are sets: one that says something else is another row.
CREATE TABLE events (
  instrument  integer     NOT NULL,
  kind        integer     NOT NULL,
  time        timestamptz NOT NULL,
  source      integer     NOT NULL,
  amount      numeric,
  unit        integer     NOT NULL,
  numerator   numeric,
  denominator numeric,
  UNIQUE NULLS NOT DISTINCT (instrument, time, kind, source, unit, amount, numerator, denominator)
);

CREATE TABLE gaps (
  instrument integer     NOT NULL,
  time       timestamptz NOT NULL,
  to_time    timestamptz NOT NULL,
  source     integer     NOT NULL,
  reason     integer     NOT NULL,
  received   timestamptz NOT NULL,
  PRIMARY KEY (instrument, time, to_time, source, reason)
);

-- Observations that are probably wrong, as they came. state is 'waiting', 'kept' or
-- 'dropped'; time is 1970 where there was none, native NULL where it was no number.
CREATE TABLE quarantine (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind            text        NOT NULL,
  instrument      integer     NOT NULL,
  time            timestamptz NOT NULL,
  session         integer     NOT NULL,
  source          integer     NOT NULL,
  interval        integer     NOT NULL,
  native          numeric,
  open            numeric,
  high            numeric,
  low             numeric,
  unit            integer     NOT NULL,
  approximate     boolean     NOT NULL,
  bid             numeric,
  ask             numeric,
  volume          bigint,
  fx_rate         numeric,
  fx_time         timestamptz,
  fx_source       integer,
  received        timestamptz NOT NULL,
  run             integer     NOT NULL,
  counter         bigint      NOT NULL,
  origin          integer     NOT NULL,
  reason          text        NOT NULL,
  detail          text        NOT NULL,
  state           text        NOT NULL DEFAULT 'waiting',
  decided         timestamptz,
  decided_run     integer,
  decided_counter bigint,
  factor          numeric,
  author          text,
  comment         text,
  UNIQUE NULLS NOT DISTINCT (instrument, time, session, source, interval, kind, unit, native)
);
CREATE INDEX quarantine_waiting ON quarantine (instrument, time) WHERE state = 'waiting';

-- All that people decided of these; what holds, the newest, is in quarantine.
CREATE TABLE decisions (
  aside    bigint      NOT NULL,
  received timestamptz NOT NULL,
  run      integer     NOT NULL,
  counter  bigint      NOT NULL,
  action   text        NOT NULL,
  factor   numeric,
  author   text        NOT NULL,
  comment  text        NOT NULL,
  PRIMARY KEY (aside, received, run, counter)
);

-- Prices that were kept, by a decision that another one took the place of: what was
-- known in between can so be told afterwards.
CREATE TABLE withdrawn (
  time        timestamptz NOT NULL,
  received    timestamptz NOT NULL,
  counter     bigint      NOT NULL,
  aside       bigint      NOT NULL,
  instrument  integer     NOT NULL,
  session     integer     NOT NULL,
  source      integer     NOT NULL,
  unit        integer     NOT NULL,
  run         integer     NOT NULL,
  origin      integer     NOT NULL,
  approximate boolean     NOT NULL,
  native      numeric     NOT NULL,
  fx_rate     numeric,
  base        numeric,
  fx_time     timestamptz,
  fx_source   integer,
  bid         numeric,
  ask         numeric,
  volume      bigint,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
);

-- All that people said of prices, and (corrected) what of it holds: the newest of
-- each price, unless that took the correction back.
CREATE TABLE corrections (
  instrument integer     NOT NULL,
  time       timestamptz NOT NULL,
  session    integer     NOT NULL,
  source     integer     NOT NULL,
  received   timestamptz NOT NULL,
  run        integer     NOT NULL,
  counter    bigint      NOT NULL,
  native     numeric,
  unit       integer     NOT NULL,
  fx_rate    numeric,
  fx_time    timestamptz,
  fx_source  integer,
  base       numeric,
  author     text        NOT NULL,
  reason     text        NOT NULL,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
);
CREATE TABLE corrected (
  instrument integer     NOT NULL,
  time       timestamptz NOT NULL,
  session    integer     NOT NULL,
  source     integer     NOT NULL,
  received   timestamptz NOT NULL,
  run        integer     NOT NULL,
  counter    bigint      NOT NULL,
  native     numeric     NOT NULL,
  unit       integer     NOT NULL,
  fx_rate    numeric,
  fx_time    timestamptz,
  fx_source  integer,
  base       numeric,
  author     text        NOT NULL,
  reason     text        NOT NULL,
  PRIMARY KEY (instrument, time, session, source)
);

-- Other names that instruments had: all that was said, and (renamed) what holds.
CREATE TABLE aliases (
  instrument integer     NOT NULL,
  was        integer     NOT NULL,
  from_time  timestamptz NOT NULL, -- -infinity and infinity where there is no limit
  until_time timestamptz NOT NULL,
  received   timestamptz NOT NULL,
  run        integer     NOT NULL,
  counter    bigint      NOT NULL,
  removed    boolean     NOT NULL,
  author     text        NOT NULL,
  PRIMARY KEY (instrument, was, from_time, until_time, received, run, counter)
);
CREATE TABLE renamed (
  was        integer     NOT NULL,
  from_time  timestamptz NOT NULL,
  until_time timestamptz NOT NULL,
  instrument integer     NOT NULL,
  author     text        NOT NULL,
  PRIMARY KEY (was, from_time, until_time, instrument)
);

-- Makes the partitions that hold the times, where they are missing: months of quotes,
-- years of bars; all before 2000 is one, and all from 2100 on. A new one is attached,
-- which does not wait for readers of the table. A role that only writes may call it.
CREATE FUNCTION prepare_partitions(series text, times timestamptz[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone = 'UTC' AS $$
DECLARE
  step  interval;
  unit  text;
  made  integer := 0;
  at    timestamptz;
  low   timestamptz;
  high  timestamptz;
  part  text;
BEGIN
  CASE series
    WHEN 'quotes' THEN unit := 'month'; step := '1 month';
    WHEN 'bars'   THEN unit := 'year';  step := '1 year';
    ELSE RAISE EXCEPTION 'there are no partitions of %', series;
  END CASE;
  IF (SELECT relkind FROM pg_class WHERE oid = series::regclass) <> 'p' THEN
    RETURN 0; -- a hypertable makes its own
  END IF;
  FOREACH at IN ARRAY times LOOP
    IF at < '2000-01-01' THEN
      low := NULL; high := '2000-01-01'; part := series || '_old';
    ELSIF at >= '2100-01-01' THEN
      low := '2100-01-01'; high := NULL; part := series || '_far';
    ELSE
      low := date_trunc(unit, at); high := low + step;
      part := series || '_' || to_char(low, CASE unit WHEN 'month' THEN 'YYYYMM' ELSE 'YYYY' END);
    END IF;
    IF to_regclass(quote_ident(part)) IS NULL THEN
      EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, series);
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', series, part,
        coalesce(quote_literal(low), 'MINVALUE'), coalesce(quote_literal(high), 'MAXVALUE'));
      made := made + 1;
    END IF;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION prepare_partitions FROM PUBLIC;

CREATE VIEW v_quotes AS
SELECT i.symbol                                                    AS symbol,
       q.time                                                      AS time,
       to_char(q.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       coalesce(c.native, q.native)                                AS price_native,
       nullif(un.text, '')                                         AS unit,
       nullif(uc.text, '')                                         AS currency_native,
       u.factor                                                    AS factor,
       CASE WHEN c.native IS NULL THEN q.fx_rate ELSE c.fx_rate END AS fx_rate,
       CASE WHEN c.native IS NULL THEN q.fx_time ELSE c.fx_time END AS fx_time,
       f.text                                                      AS fx_source,
       CASE WHEN c.native IS NULL THEN q.base ELSE c.base END      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       q.bid                                                       AS bid,
       q.ask                                                       AS ask,
       q.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       to_char(q.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       (extract(epoch FROM q.time) * 1000)::bigint                 AS time_ms,
       q.approximate AND c.native IS NULL                          AS approximate,
       nullif(i.name, '')                                          AS name,
       CASE WHEN c.native IS NULL THEN g.text ELSE 'correction' END AS origin,
       c.author                                                    AS corrected_by,
       c.reason                                                    AS correction,
       coalesce((SELECT n.symbol FROM renamed r JOIN instruments n ON n.id = r.instrument WHERE r.was = q.instrument AND q.time >= r.from_time AND q.time < r.until_time LIMIT 1), i.symbol) AS instrument
FROM quotes q
JOIN instruments i ON i.id = q.instrument
LEFT JOIN corrected c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
JOIN units u ON u.id = coalesce(c.unit, q.unit)
JOIN texts un ON un.id = u.unit
JOIN texts uc ON uc.id = u.currency
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = CASE WHEN c.native IS NULL THEN q.fx_source ELSE c.fx_source END
LEFT JOIN texts g ON g.id = q.origin;

CREATE VIEW v_latest AS
SELECT i.symbol                                                    AS symbol,
       q.time                                                      AS time,
       to_char(q.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       coalesce(c.native, q.native)                                AS price_native,
       nullif(un.text, '')                                         AS unit,
       nullif(uc.text, '')                                         AS currency_native,
       u.factor                                                    AS factor,
       CASE WHEN c.native IS NULL THEN q.fx_rate ELSE c.fx_rate END AS fx_rate,
       CASE WHEN c.native IS NULL THEN q.fx_time ELSE c.fx_time END AS fx_time,
       f.text                                                      AS fx_source,
       CASE WHEN c.native IS NULL THEN q.base ELSE c.base END      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       l.bid                                                       AS bid,
       l.ask                                                       AS ask,
       l.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       to_char(l.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       (extract(epoch FROM q.time) * 1000)::bigint                 AS time_ms,
       q.approximate AND c.native IS NULL                          AS approximate,
       nullif(i.name, '')                                          AS name,
       extract(epoch FROM clock_timestamp() - q.time)              AS age,
       l.delay / 1000.0                                            AS delay,
       CASE WHEN c.native IS NULL THEN g.text ELSE 'correction' END AS origin,
       c.author                                                    AS corrected_by,
       c.reason                                                    AS correction,
       coalesce((SELECT n.symbol FROM renamed r JOIN instruments n ON n.id = r.instrument WHERE r.was = q.instrument AND q.time >= r.from_time AND q.time < r.until_time LIMIT 1), i.symbol) AS instrument
FROM latest l
JOIN instruments i ON i.id = l.instrument
JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time AND q.session = l.session AND q.source = l.source
LEFT JOIN corrected c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
JOIN units u ON u.id = coalesce(c.unit, q.unit)
JOIN texts un ON un.id = u.unit
JOIN texts uc ON uc.id = u.currency
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = CASE WHEN c.native IS NULL THEN q.fx_source ELSE c.fx_source END
LEFT JOIN texts g ON g.id = q.origin;

CREATE VIEW v_versions AS
SELECT i.symbol                                                    AS symbol,
       q.time                                                      AS time,
       to_char(q.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       q.native                                                    AS price_native,
       nullif(un.text, '')                                         AS unit,
       nullif(uc.text, '')                                         AS currency_native,
       u.factor                                                    AS factor,
       q.fx_rate                                                   AS fx_rate,
       q.fx_time                                                   AS fx_time,
       f.text                                                      AS fx_source,
       q.base                                                      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       q.bid                                                       AS bid,
       q.ask                                                       AS ask,
       q.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       to_char(q.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       (extract(epoch FROM q.time) * 1000)::bigint                 AS time_ms,
       q.approximate                                               AS approximate,
       to_char(coalesce(q.last_received, q.received) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS seen_iso,
       q.shown                                                     AS shown,
       coalesce(g.text, q.said)                                    AS origin,
       q.author                                                    AS corrected_by,
       q.reason                                                    AS correction,
       (SELECT a.text || '/' || b.text FROM runs k JOIN texts a ON a.id = k.source JOIN texts b ON b.id = k.run WHERE k.id = q.run) || '/' || q.counter AS raw
FROM (
  SELECT q.instrument, q.time, q.session, q.source, q.native, q.unit, q.received, q.run, q.counter, q.approximate, q.fx_rate, q.fx_time,
         q.fx_source, q.base, q.bid, q.ask, q.volume, q.last_received, q.origin, NULL::text AS said, NULL::text AS author, NULL::text AS reason,
         NOT EXISTS (SELECT 1 FROM corrected c WHERE c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source) AS shown
    FROM quotes q
  UNION ALL
  SELECT instrument, time, session, source, native, unit, received, run, counter, approximate, fx_rate, fx_time,
         fx_source, base, bid, ask, volume, last_received, origin, NULL, NULL, NULL, false
    FROM quotes_versions
  UNION ALL
  SELECT k.instrument, k.time, k.session, k.source, k.native, k.unit, k.received, k.run, k.counter, false, k.fx_rate, k.fx_time,
         k.fx_source, k.base, NULL, NULL, NULL, NULL, 0, 'correction', k.author, k.reason,
         EXISTS (SELECT 1 FROM corrected c WHERE c.instrument = k.instrument AND c.time = k.time AND c.session = k.session AND c.source = k.source
                    AND c.received = k.received AND c.run = k.run AND c.counter = k.counter)
    FROM corrections k
) q
JOIN instruments i ON i.id = q.instrument
JOIN units u ON u.id = q.unit
JOIN texts un ON un.id = u.unit
JOIN texts uc ON uc.id = u.currency
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = q.fx_source
LEFT JOIN texts g ON g.id = q.origin;

-- A provider rewrites its history when shares are split: a bar that was received after
-- a split it is older than counts in the new shares. The bar as it was seen before is
-- shown where there is one; the other stays in v_bar_versions.
CREATE VIEW seen_bars AS
SELECT b.time, b.received, b.counter, b.instrument, b.interval, b.source, b.unit, b.run, b.origin, b.approximate, b.open, b.high, b.low, b.close, b.volume, b.fx_rate, b.fx_time, b.fx_source, b.base_open, b.base_high, b.base_low, b.base, b.last_received, b.last_run, b.last_counter, b.last_origin, b.last_attrs,
       EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received) AS rewritten,
       NOT EXISTS (
         SELECT 1 FROM bars_versions v WHERE v.instrument = b.instrument AND v.interval = b.interval AND v.time = b.time AND v.source = b.source
            AND v.received < (SELECT min(e.time) FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received)
       ) AS shown
FROM bars b
UNION ALL
SELECT b.time, b.received, b.counter, b.instrument, b.interval, b.source, b.unit, b.run, b.origin, b.approximate, b.open, b.high, b.low, b.close, b.volume, b.fx_rate, b.fx_time, b.fx_source, b.base_open, b.base_high, b.base_low, b.base, b.last_received, b.last_run, b.last_counter, b.last_origin, b.last_attrs,
       EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received) AS rewritten,
       NOT EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received)
       AND EXISTS (
         SELECT 1 FROM bars s WHERE s.instrument = b.instrument AND s.interval = b.interval AND s.time = b.time AND s.source = b.source
            AND EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = s.instrument AND e.time > s.time AND e.time <= s.received)
       )
       AND NOT EXISTS (
         SELECT 1 FROM bars_versions w WHERE w.instrument = b.instrument AND w.interval = b.interval AND w.time = b.time AND w.source = b.source
            AND (w.received, w.run, w.counter) > (b.received, b.run, b.counter)
            AND NOT EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = w.instrument AND e.time > w.time AND e.time <= w.received)
       ) AS shown
FROM bars_versions b;

CREATE VIEW v_bars AS
SELECT i.symbol                                                    AS symbol,
       b.time                                                      AS time,
       to_char(b.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       n.text                                                      AS interval,
       b.open                                                      AS open_native,
       b.high                                                      AS high_native,
       b.low                                                       AS low_native,
       b.close                                                     AS close_native,
       nullif(un.text, '')                                         AS unit,
       nullif(uc.text, '')                                         AS currency_native,
       u.factor                                                    AS factor,
       b.fx_rate                                                   AS fx_rate,
       b.fx_time                                                   AS fx_time,
       f.text                                                      AS fx_source,
       b.base_open                                                 AS open_base,
       b.base_high                                                 AS high_base,
       b.base_low                                                  AS low_base,
       b.base                                                      AS close_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       b.volume                                                    AS volume,
       nullif(o.text, '')                                          AS source,
       to_char(b.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       (extract(epoch FROM b.time) * 1000)::bigint                 AS time_ms,
       b.approximate                                               AS approximate,
       nullif(i.name, '')                                          AS name,
       g.text                                                      AS origin,
       b.rewritten                                                 AS rewritten
FROM seen_bars b
JOIN instruments i ON i.id = b.instrument
JOIN units u ON u.id = b.unit
JOIN texts un ON un.id = u.unit
JOIN texts uc ON uc.id = u.currency
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source
LEFT JOIN texts f ON f.id = b.fx_source
LEFT JOIN texts g ON g.id = b.origin
WHERE b.shown;

CREATE VIEW v_bar_versions AS
SELECT i.symbol                                                    AS symbol,
       b.time                                                      AS time,
       to_char(b.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       n.text                                                      AS interval,
       b.open                                                      AS open_native,
       b.high                                                      AS high_native,
       b.low                                                       AS low_native,
       b.close                                                     AS close_native,
       nullif(un.text, '')                                         AS unit,
       b.volume                                                    AS volume,
       b.fx_rate                                                   AS fx_rate,
       b.base                                                      AS close_base,
       nullif(o.text, '')                                          AS source,
       to_char(b.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       to_char(coalesce(b.last_received, b.received) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS seen_iso,
       b.shown                                                     AS shown,
       b.rewritten                                                 AS rewritten
FROM seen_bars b
JOIN instruments i ON i.id = b.instrument
JOIN units u ON u.id = b.unit
JOIN texts un ON un.id = u.unit
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source;

CREATE VIEW v_fx AS
SELECT nullif(y.text, '')                                          AS symbol,
       a.text || b.text                                            AS pair,
       a.text                                                      AS from_currency,
       b.text                                                      AS to_currency,
       r.time                                                      AS time,
       to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       r.rate                                                      AS rate,
       nullif(n.text, '')                                          AS interval,
       nullif(o.text, '')                                          AS source,
       to_char(r.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       (extract(epoch FROM r.time) * 1000)::bigint                 AS time_ms,
       r.valid_for / 1000.0                                        AS valid_for
FROM rates r
JOIN texts a ON a.id = r.from_currency
JOIN texts b ON b.id = r.to_currency
JOIN texts o ON o.id = r.source
JOIN texts n ON n.id = r.interval
JOIN texts y ON y.id = r.symbol;

CREATE VIEW v_fx_versions AS
SELECT a.text || b.text                                            AS pair,
       r.time                                                      AS time,
       to_char(r.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       r.rate                                                      AS rate,
       nullif(n.text, '')                                          AS interval,
       nullif(o.text, '')                                          AS source,
       to_char(r.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       to_char(coalesce(r.last_received, r.received) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS seen_iso,
       r.shown                                                     AS shown
FROM (
  SELECT from_currency, to_currency, time, source, interval, rate, received, last_received, true AS shown FROM rates
  UNION ALL
  SELECT from_currency, to_currency, time, source, interval, rate, received, last_received, false FROM rates_versions
) r
JOIN texts a ON a.id = r.from_currency
JOIN texts b ON b.id = r.to_currency
JOIN texts o ON o.id = r.source
JOIN texts n ON n.id = r.interval;

CREATE VIEW v_events AS
SELECT i.symbol                                                    AS symbol,
       k.text                                                      AS kind,
       e.time                                                      AS time,
       to_char(e.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       e.amount                                                    AS amount,
       nullif(un.text, '')                                         AS unit,
       e.numerator                                                 AS numerator,
       e.denominator                                               AS denominator,
       nullif(o.text, '')                                          AS source
FROM events e
JOIN instruments i ON i.id = e.instrument
JOIN texts k ON k.id = e.kind
JOIN texts un ON un.id = e.unit
JOIN texts o ON o.id = e.source;

CREATE VIEW v_gaps AS
SELECT nullif(i.symbol, '')                                        AS symbol,
       g.time                                                      AS time,
       to_char(g.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       g.to_time                                                   AS to_time,
       to_char(g.to_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS to_iso,
       nullif(w.text, '')                                          AS reason,
       nullif(o.text, '')                                          AS source
FROM gaps g
JOIN instruments i ON i.id = g.instrument
JOIN texts w ON w.id = g.reason
JOIN texts o ON o.id = g.source;

CREATE VIEW v_instruments AS
SELECT i.symbol                                                    AS symbol,
       nullif(i.name, '')                                          AS name,
       nullif(i.kind, '')                                          AS kind,
       nullif(i.exchange, '')                                      AS exchange,
       nullif(i.unit, '')                                          AS unit,
       nullif(uc.text, '')                                         AS currency,
       nullif(i.time_zone, '')                                     AS time_zone,
       nullif(i.source, '')                                        AS source,
       to_char((SELECT min(q.time) FROM quotes q WHERE q.instrument = i.id) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS first_iso,
       to_char(l.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS last_iso
FROM instruments i
LEFT JOIN latest l ON l.instrument = i.id
LEFT JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time AND q.session = l.session AND q.source = l.source
LEFT JOIN units u ON u.id = q.unit
LEFT JOIN texts uc ON uc.id = u.currency
WHERE i.symbol <> '';

CREATE VIEW v_quarantine AS
SELECT q.id                                                        AS id,
       q.kind                                                      AS kind,
       i.symbol                                                    AS symbol,
       nullif(q.time, 'epoch')                                     AS time,
       to_char(nullif(q.time, 'epoch') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time_iso,
       nullif(n.text, '')                                          AS interval,
       q.native                                                    AS price_native,
       nullif(un.text, '')                                         AS unit,
       q.reason                                                    AS reason,
       nullif(q.detail, '')                                        AS detail,
       q.state                                                     AS state,
       q.factor                                                    AS factor,
       q.author                                                    AS author,
       q.comment                                                   AS comment,
       to_char(q.decided AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS decided_iso,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       to_char(q.received AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_iso,
       g.text                                                      AS origin,
       (SELECT a.text || '/' || b.text FROM runs k JOIN texts a ON a.id = k.source JOIN texts b ON b.id = k.run WHERE k.id = q.run) || '/' || q.counter AS raw
FROM quarantine q
JOIN instruments i ON i.id = q.instrument
JOIN units u ON u.id = q.unit
JOIN texts un ON un.id = u.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
JOIN texts n ON n.id = q.interval
LEFT JOIN texts g ON g.id = q.origin;

CREATE VIEW v_aliases AS
SELECT i.symbol                                                    AS symbol,
       w.symbol                                                    AS was,
       to_char(nullif(r.from_time, '-infinity') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS from_iso,
       to_char(nullif(r.until_time, 'infinity') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS until_iso,
       r.author                                                    AS author
FROM renamed r
JOIN instruments i ON i.id = r.instrument
JOIN instruments w ON w.id = r.was;
