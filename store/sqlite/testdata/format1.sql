-- A database of format 1, as kurs left it: sqlite3 kurs.db .dump, and the numbers of its header.
PRAGMA page_size = 16384;
PRAGMA application_id = 1802859123;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES('base_currency','DKK');
INSERT INTO meta VALUES('created','2026-11-24T10:39:57Z');
CREATE TABLE position (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT    NOT NULL,
  seq   INTEGER NOT NULL
);
INSERT INTO position VALUES(1,'3C333EP6GUCSMQDHQPGOTRGMJN',10);
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counts VALUES('quotes',7);
INSERT INTO counts VALUES('quotes_first',1795516797000);
INSERT INTO counts VALUES('quotes_last',1795516799000);
INSERT INTO counts VALUES('rates',20);
CREATE TABLE texts (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);
INSERT INTO texts VALUES(1,'regular');
INSERT INTO texts VALUES(2,'yahoo');
INSERT INTO texts VALUES(3,'USD');
INSERT INTO texts VALUES(4,'DKK');
INSERT INTO texts VALUES(5,'');
INSERT INTO texts VALUES(6,'1m');
INSERT INTO texts VALUES(7,'GBP');
INSERT INTO texts VALUES(8,'DKK=X');
INSERT INTO texts VALUES(9,'GBPDKK=X');
CREATE TABLE units (
  id       INTEGER PRIMARY KEY,
  unit     TEXT NOT NULL,
  currency TEXT NOT NULL,
  factor   REAL
);
INSERT INTO units VALUES(1,'USD','USD',1.0);
INSERT INTO units VALUES(2,'DKK','DKK',1.0);
INSERT INTO units VALUES(3,'GBp','GBP',0.010000000000000000208);
CREATE TABLE runs (
  id     INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  run    TEXT NOT NULL,
  UNIQUE (source, run)
);
INSERT INTO runs VALUES(1,'yahoo','20261124T103957-tdwv77');
CREATE TABLE ledger (
  run   INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (run, first)
) WITHOUT ROWID;
INSERT INTO ledger VALUES(1,1,11);
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
INSERT INTO instruments VALUES(1,'AAPL','yahoo','Apple Inc.','equity','NMS','USD','America/New_York');
INSERT INTO instruments VALUES(2,'NOVO-B.CO','yahoo','Novo Nordisk A/S','equity','CPH','DKK','Europe/Copenhagen');
INSERT INTO instruments VALUES(3,'DKK=X','yahoo','USD/DKK','currency','CCY','DKK','Europe/London');
INSERT INTO instruments VALUES(4,'VOD.L','yahoo','Vodafone Group Public Limited Company','equity','LSE','GBp','Europe/London');
INSERT INTO instruments VALUES(5,'GBPDKK=X','yahoo','GBP/DKK','currency','CCY','DKK','Europe/London');
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
INSERT INTO quotes VALUES(1,1795516797000,1,2,262.82999999999998408,1,1795516797936,1,1,0,6.5354429999999998912,1795516797000,2,1717.7104836900000463,262.81999999999999318,262.83999999999997497,13155538,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(1,1795516798000,1,2,262.82999999999998408,1,1795516798935,1,9,0,6.5354429999999998912,1795516797000,2,1717.7104836900000463,262.81999999999999318,262.83999999999997497,13155945,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(2,1795516797000,1,2,317.81000000000000228,2,1795516797936,1,2,0,1.0,NULL,NULL,317.81000000000000228,317.80000000000001136,317.81999999999999318,1705115,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(2,1795516799000,1,2,317.77999999999997271,2,1795516799267,1,10,0,1.0,NULL,NULL,317.77999999999997271,317.76999999999998181,317.79000000000002046,1705173,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(4,1795516797000,1,2,105.0900000000000034,3,1795516797936,1,3,0,8.6109489999999997422,1795516797000,2,9.0492463041000004153,105.07999999999999829,105.09999999999999431,19799684,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(4,1795516798000,1,2,105.07999999999999829,3,1795516798601,1,8,0,8.6109489999999997422,1795516797000,2,9.0483852091999992239,105.06999999999999317,105.0900000000000034,19800165,NULL,NULL,NULL,NULL);
INSERT INTO quotes VALUES(4,1795516799000,1,2,105.0900000000000034,3,1795516799601,1,11,0,8.6109489999999997422,1795516797000,2,9.0492463041000004153,105.07999999999999829,105.09999999999999431,19800647,NULL,NULL,NULL,NULL);
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
INSERT INTO rates VALUES(3,4,1795516260000,2,6,6.5356529999999999347,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516320000,2,6,6.5356759999999995969,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516380000,2,6,6.5358429999999998472,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516440000,2,6,6.5357770000000003918,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516500000,2,6,6.535595999999999961,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516560000,2,6,6.5359740000000003945,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516620000,2,6,6.5355569999999998387,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516680000,2,6,6.5357169999999999987,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516740000,2,6,6.5358270000000002752,1795516797940,1,5,8,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(3,4,1795516797000,2,5,6.5354429999999998912,1795516797937,1,4,8,600000,1795516797940,1,5,NULL);
INSERT INTO rates VALUES(7,4,1795516260000,2,6,8.6100940000000001361,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516320000,2,6,8.6105940000000007472,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516380000,2,6,8.6107739999999992619,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516440000,2,6,8.6110089999999992471,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516500000,2,6,8.6107759999999995415,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516560000,2,6,8.6115580000000004901,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516620000,2,6,8.6106890000000007034,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516680000,2,6,8.6108630000000001558,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516740000,2,6,8.6106569999999997833,1795516797943,1,7,9,600000,NULL,NULL,NULL,NULL);
INSERT INTO rates VALUES(7,4,1795516797000,2,5,8.6109489999999997422,1795516797940,1,6,9,600000,1795516797943,1,7,NULL);
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
INSERT INTO latest VALUES(1,1795516798000,1,2,1795516798935,1,9,262.81999999999999318,262.83999999999997497,13155945,0);
INSERT INTO latest VALUES(2,1795516799000,1,2,1795516799267,1,10,317.76999999999998181,317.79000000000002046,1705173,0);
INSERT INTO latest VALUES(4,1795516799000,1,2,1795516799601,1,11,105.07999999999999829,105.09999999999999431,19800647,0);
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
CREATE TABLE gaps (
  instrument INTEGER NOT NULL,
  time       INTEGER NOT NULL,
  to_time    INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  received   INTEGER NOT NULL,
  PRIMARY KEY (instrument, time, to_time, source, reason)
) WITHOUT ROWID;
CREATE UNIQUE INDEX units_key ON units (unit, currency, coalesce(factor, 'unknown'));
CREATE INDEX quotes_waiting ON quotes (unit, time) WHERE base IS NULL;
CREATE INDEX bars_waiting ON bars (unit, time) WHERE base IS NULL;
CREATE UNIQUE INDEX events_key ON events (instrument, time, kind, source, unit,
  coalesce(amount, ''), coalesce(numerator, ''), coalesce(denominator, ''));
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
COMMIT;
