-- Format 1. docs/formats.md describes the views, which are a contract; the
-- tables behind them may change with a later format. Times are milliseconds
-- since 1970-01-01 UTC, decimals are binary64 (15 significant digits come back
-- exactly), unknown is NULL, and where a column is part of a key, ''.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE position (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT    NOT NULL,
  seq   INTEGER NOT NULL
);

-- Counted in the same transaction as the rows, so that nobody has to scan.
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) WITHOUT ROWID;

-- Short texts that repeat in every row: sessions, sources, currencies, intervals.
CREATE TABLE texts (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);

CREATE TABLE units (
  id       INTEGER PRIMARY KEY,
  unit     TEXT NOT NULL,
  currency TEXT NOT NULL,
  factor   REAL
);
CREATE UNIQUE INDEX units_key ON units (unit, currency, coalesce(factor, 'unknown'));

CREATE TABLE runs (
  id     INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  run    TEXT NOT NULL,
  UNIQUE (source, run)
);

-- Raw receipts that are accounted for by committed rows, in merged ranges.
CREATE TABLE ledger (
  run   INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (run, first)
) WITHOUT ROWID;

CREATE TABLE instruments (
  id        INTEGER PRIMARY KEY,
  symbol    TEXT NOT NULL UNIQUE,
  source    TEXT NOT NULL DEFAULT '',
  name      TEXT NOT NULL DEFAULT '',
  kind      TEXT NOT NULL DEFAULT '',
  exchange  TEXT NOT NULL DEFAULT '',
  unit      TEXT NOT NULL DEFAULT '',
  time_zone TEXT NOT NULL DEFAULT ''
);

-- A row is the newest version of a price: first and last are the receipts
-- between which it is known to have been seen. last_* is NULL where it was seen
-- once; last_attrs is NULL where the last receipt said the same of everything.
CREATE TABLE quotes (
  instrument    INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  session       INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  native        REAL    NOT NULL,
  unit          INTEGER NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  approximate   INTEGER NOT NULL,
  fx_rate       REAL,
  fx_time       INTEGER,
  fx_source     INTEGER,
  base          REAL,
  bid           REAL,
  ask           REAL,
  volume        INTEGER,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (instrument, time, session, source)
) WITHOUT ROWID;
CREATE INDEX quotes_waiting ON quotes (unit, time) WHERE base IS NULL;

-- The versions that a newer one took the place of. The same columns.
CREATE TABLE quotes_versions (
  instrument    INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  session       INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  native        REAL    NOT NULL,
  unit          INTEGER NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  approximate   INTEGER NOT NULL,
  fx_rate       REAL,
  fx_time       INTEGER,
  fx_source     INTEGER,
  base          REAL,
  bid           REAL,
  ask           REAL,
  volume        INTEGER,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
) WITHOUT ROWID;

CREATE TABLE bars (
  instrument    INTEGER NOT NULL,
  interval      INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  open          REAL,
  high          REAL,
  low           REAL,
  close         REAL    NOT NULL,
  volume        INTEGER,
  unit          INTEGER NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  approximate   INTEGER NOT NULL,
  fx_rate       REAL,
  fx_time       INTEGER,
  fx_source     INTEGER,
  base_open     REAL,
  base_high     REAL,
  base_low      REAL,
  base          REAL,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (instrument, interval, time, source)
) WITHOUT ROWID;
CREATE INDEX bars_waiting ON bars (unit, time) WHERE base IS NULL;

CREATE TABLE bars_versions (
  instrument    INTEGER NOT NULL,
  interval      INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  open          REAL,
  high          REAL,
  low           REAL,
  close         REAL    NOT NULL,
  volume        INTEGER,
  unit          INTEGER NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  approximate   INTEGER NOT NULL,
  fx_rate       REAL,
  fx_time       INTEGER,
  fx_source     INTEGER,
  base_open     REAL,
  base_high     REAL,
  base_low      REAL,
  base          REAL,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (instrument, interval, time, source, received, run, counter)
) WITHOUT ROWID;

CREATE TABLE rates (
  from_currency INTEGER NOT NULL,
  to_currency   INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  interval      INTEGER NOT NULL,
  rate          REAL    NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  symbol        INTEGER NOT NULL,
  valid_for     INTEGER NOT NULL,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (from_currency, to_currency, time, source, interval)
) WITHOUT ROWID;

CREATE TABLE rates_versions (
  from_currency INTEGER NOT NULL,
  to_currency   INTEGER NOT NULL,
  time          INTEGER NOT NULL,
  source        INTEGER NOT NULL,
  interval      INTEGER NOT NULL,
  rate          REAL    NOT NULL,
  received      INTEGER NOT NULL,
  run           INTEGER NOT NULL,
  counter       INTEGER NOT NULL,
  symbol        INTEGER NOT NULL,
  valid_for     INTEGER NOT NULL,
  last_received INTEGER,
  last_run      INTEGER,
  last_counter  INTEGER,
  last_attrs    BLOB,
  PRIMARY KEY (from_currency, to_currency, time, source, interval, received, run, counter)
) WITHOUT ROWID;

-- Where each instrument stands: points at its newest quote, and has what the
-- newest answer said of it besides the price.
CREATE TABLE latest (
  instrument INTEGER PRIMARY KEY,
  time       INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  counter    INTEGER NOT NULL,
  bid        REAL,
  ask        REAL,
  volume     INTEGER,
  delay      INTEGER NOT NULL
);

-- Fills that came before their price; in the order of the queue there are none.
CREATE TABLE pending_fills (
  series    TEXT    NOT NULL,
  k1        INTEGER NOT NULL,
  k2        INTEGER NOT NULL,
  k3        INTEGER NOT NULL,
  k4        INTEGER NOT NULL,
  received  INTEGER NOT NULL,
  run       INTEGER NOT NULL,
  counter   INTEGER NOT NULL,
  fx_rate   REAL,
  fx_time   INTEGER,
  fx_source INTEGER,
  base_open REAL,
  base_high REAL,
  base_low  REAL,
  base      REAL,
  PRIMARY KEY (series, k1, k2, k3, k4, received, run, counter)
) WITHOUT ROWID;

-- Events and gaps are sets: one that says something else is another row.
CREATE TABLE events (
  instrument  INTEGER NOT NULL,
  kind        INTEGER NOT NULL,
  time        INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  amount      REAL,
  unit        TEXT    NOT NULL,
  numerator   REAL,
  denominator REAL
);
CREATE UNIQUE INDEX events_key ON events (instrument, time, kind, source, unit,
  coalesce(amount, ''), coalesce(numerator, ''), coalesce(denominator, ''));

CREATE TABLE gaps (
  instrument INTEGER NOT NULL,
  time       INTEGER NOT NULL,
  to_time    INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  received   INTEGER NOT NULL,
  PRIMARY KEY (instrument, time, to_time, source, reason)
) WITHOUT ROWID;

CREATE VIEW v_quotes AS
SELECT i.symbol                                                    AS symbol,
       q.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.time / 1000.0, 'unixepoch') AS time_iso,
       q.native                                                    AS price_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       q.fx_rate                                                   AS fx_rate,
       q.fx_time / 1000.0                                          AS fx_time,
       f.text                                                      AS fx_source,
       q.base                                                      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       q.bid                                                       AS bid,
       q.ask                                                       AS ask,
       q.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.received / 1000.0, 'unixepoch') AS received_iso,
       q.time                                                      AS time_ms,
       q.approximate                                               AS approximate,
       nullif(i.name, '')                                          AS name
FROM instruments i
CROSS JOIN quotes q ON q.instrument = i.id
JOIN units u ON u.id = q.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = q.fx_source;

CREATE VIEW v_latest AS
SELECT i.symbol                                                    AS symbol,
       q.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.time / 1000.0, 'unixepoch') AS time_iso,
       q.native                                                    AS price_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       q.fx_rate                                                   AS fx_rate,
       q.fx_time / 1000.0                                          AS fx_time,
       f.text                                                      AS fx_source,
       q.base                                                      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       l.bid                                                       AS bid,
       l.ask                                                       AS ask,
       l.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.received / 1000.0, 'unixepoch') AS received_iso,
       q.time                                                      AS time_ms,
       q.approximate                                               AS approximate,
       nullif(i.name, '')                                          AS name,
       (julianday('now') - 2440587.5) * 86400.0 - q.time / 1000.0  AS age,
       l.delay / 1000.0                                            AS delay
FROM instruments i
CROSS JOIN latest l ON l.instrument = i.id
CROSS JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time
                   AND q.session = l.session AND q.source = l.source
JOIN units u ON u.id = q.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = q.fx_source;

CREATE VIEW v_versions AS
SELECT i.symbol                                                    AS symbol,
       q.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.time / 1000.0, 'unixepoch') AS time_iso,
       q.native                                                    AS price_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       q.fx_rate                                                   AS fx_rate,
       q.fx_time / 1000.0                                          AS fx_time,
       f.text                                                      AS fx_source,
       q.base                                                      AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       q.bid                                                       AS bid,
       q.ask                                                       AS ask,
       q.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.received / 1000.0, 'unixepoch') AS received_iso,
       q.time                                                      AS time_ms,
       q.approximate                                               AS approximate,
       strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(q.last_received, q.received) / 1000.0, 'unixepoch') AS seen_iso,
       q.shown                                                     AS shown
FROM instruments i
JOIN (SELECT *, 1 AS shown FROM quotes UNION ALL SELECT *, 0 AS shown FROM quotes_versions) q
  ON q.instrument = i.id
JOIN units u ON u.id = q.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = q.fx_source;

CREATE VIEW v_bars AS
SELECT i.symbol                                                    AS symbol,
       b.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.time / 1000.0, 'unixepoch') AS time_iso,
       n.text                                                      AS interval,
       b.open                                                      AS open_native,
       b.high                                                      AS high_native,
       b.low                                                       AS low_native,
       b.close                                                     AS close_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       b.fx_rate                                                   AS fx_rate,
       b.fx_time / 1000.0                                          AS fx_time,
       f.text                                                      AS fx_source,
       b.base_open                                                 AS open_base,
       b.base_high                                                 AS high_base,
       b.base_low                                                  AS low_base,
       b.base                                                      AS close_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       b.volume                                                    AS volume,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.received / 1000.0, 'unixepoch') AS received_iso,
       b.time                                                      AS time_ms,
       b.approximate                                               AS approximate,
       nullif(i.name, '')                                          AS name
FROM instruments i
CROSS JOIN bars b ON b.instrument = i.id
JOIN units u ON u.id = b.unit
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source
LEFT JOIN texts f ON f.id = b.fx_source;

CREATE VIEW v_bar_versions AS
SELECT i.symbol                                                    AS symbol,
       b.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.time / 1000.0, 'unixepoch') AS time_iso,
       n.text                                                      AS interval,
       b.open                                                      AS open_native,
       b.high                                                      AS high_native,
       b.low                                                       AS low_native,
       b.close                                                     AS close_native,
       nullif(u.unit, '')                                          AS unit,
       b.volume                                                    AS volume,
       b.fx_rate                                                   AS fx_rate,
       b.base                                                      AS close_base,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', b.received / 1000.0, 'unixepoch') AS received_iso,
       strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(b.last_received, b.received) / 1000.0, 'unixepoch') AS seen_iso,
       b.shown                                                     AS shown
FROM instruments i
JOIN (SELECT *, 1 AS shown FROM bars UNION ALL SELECT *, 0 AS shown FROM bars_versions) b
  ON b.instrument = i.id
JOIN units u ON u.id = b.unit
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source;

CREATE VIEW v_fx AS
SELECT nullif(y.text, '')                                          AS symbol,
       a.text || b.text                                            AS pair,
       a.text                                                      AS from_currency,
       b.text                                                      AS to_currency,
       r.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.time / 1000.0, 'unixepoch') AS time_iso,
       r.rate                                                      AS rate,
       nullif(n.text, '')                                          AS interval,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.received / 1000.0, 'unixepoch') AS received_iso,
       r.time                                                      AS time_ms,
       r.valid_for / 1000.0                                        AS valid_for
FROM rates r
JOIN texts a ON a.id = r.from_currency
JOIN texts b ON b.id = r.to_currency
JOIN texts o ON o.id = r.source
JOIN texts n ON n.id = r.interval
JOIN texts y ON y.id = r.symbol;

CREATE VIEW v_fx_versions AS
SELECT a.text || b.text                                            AS pair,
       r.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.time / 1000.0, 'unixepoch') AS time_iso,
       r.rate                                                      AS rate,
       nullif(n.text, '')                                          AS interval,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', r.received / 1000.0, 'unixepoch') AS received_iso,
       strftime('%Y-%m-%dT%H:%M:%fZ', coalesce(r.last_received, r.received) / 1000.0, 'unixepoch') AS seen_iso,
       r.shown                                                     AS shown
FROM (SELECT *, 1 AS shown FROM rates UNION ALL SELECT *, 0 AS shown FROM rates_versions) r
JOIN texts a ON a.id = r.from_currency
JOIN texts b ON b.id = r.to_currency
JOIN texts o ON o.id = r.source
JOIN texts n ON n.id = r.interval;

CREATE VIEW v_events AS
SELECT i.symbol                                                    AS symbol,
       k.text                                                      AS kind,
       e.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.time / 1000.0, 'unixepoch') AS time_iso,
       e.amount                                                    AS amount,
       nullif(e.unit, '')                                          AS unit,
       e.numerator                                                 AS numerator,
       e.denominator                                               AS denominator,
       nullif(o.text, '')                                          AS source
FROM events e
JOIN instruments i ON i.id = e.instrument
JOIN texts k ON k.id = e.kind
JOIN texts o ON o.id = e.source;

CREATE VIEW v_gaps AS
SELECT nullif(i.symbol, '')                                        AS symbol,
       g.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', g.time / 1000.0, 'unixepoch') AS time_iso,
       g.to_time / 1000.0                                          AS to_time,
       strftime('%Y-%m-%dT%H:%M:%fZ', g.to_time / 1000.0, 'unixepoch') AS to_iso,
       nullif(g.reason, '')                                        AS reason,
       nullif(o.text, '')                                          AS source
FROM gaps g
JOIN instruments i ON i.id = g.instrument
JOIN texts o ON o.id = g.source;

CREATE VIEW v_instruments AS
SELECT i.symbol                                                    AS symbol,
       nullif(i.name, '')                                          AS name,
       nullif(i.kind, '')                                          AS kind,
       nullif(i.exchange, '')                                      AS exchange,
       nullif(i.unit, '')                                          AS unit,
       (SELECT nullif(u.currency, '')
          FROM latest l
          JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time
                       AND q.session = l.session AND q.source = l.source
          JOIN units u ON u.id = q.unit
         WHERE l.instrument = i.id)                                AS currency,
       nullif(i.time_zone, '')                                     AS time_zone,
       nullif(i.source, '')                                        AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ',
         (SELECT min(q.time) FROM quotes q WHERE q.instrument = i.id) / 1000.0, 'unixepoch') AS first_iso,
       strftime('%Y-%m-%dT%H:%M:%fZ',
         (SELECT l.time FROM latest l WHERE l.instrument = i.id) / 1000.0, 'unixepoch')      AS last_iso
FROM instruments i
WHERE i.symbol <> '';
