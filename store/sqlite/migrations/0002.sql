-- Format 2: where a price came from, what was set aside, what people said, and
-- how rates were computed. Views gain columns at their end, and show a price that
-- a person corrected as he has it.

ALTER TABLE quotes          ADD COLUMN origin INTEGER NOT NULL DEFAULT 0; -- of texts; 0: not noted
ALTER TABLE quotes          ADD COLUMN last_origin INTEGER;
ALTER TABLE quotes_versions ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quotes_versions ADD COLUMN last_origin INTEGER;
ALTER TABLE bars            ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bars            ADD COLUMN last_origin INTEGER;
ALTER TABLE bars_versions   ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bars_versions   ADD COLUMN last_origin INTEGER;
ALTER TABLE rates           ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rates           ADD COLUMN last_origin INTEGER;
ALTER TABLE rates_versions  ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rates_versions  ADD COLUMN last_origin INTEGER;

-- What the rates that prices were converted with were computed from: one leg where
-- a pair was read the other way round, two of a cross. Of a leg that is not there
-- the columns are 0.
CREATE TABLE legs (
  from_currency  INTEGER NOT NULL,
  to_currency    INTEGER NOT NULL,
  time           INTEGER NOT NULL,
  source         INTEGER NOT NULL,
  rate           REAL    NOT NULL,
  first_time     INTEGER NOT NULL,
  second_time    INTEGER NOT NULL,
  first_from     INTEGER NOT NULL,
  first_to       INTEGER NOT NULL,
  first_rate     REAL    NOT NULL,
  first_inverse  INTEGER NOT NULL,
  second_from    INTEGER NOT NULL,
  second_to      INTEGER NOT NULL,
  second_rate    REAL,
  second_inverse INTEGER NOT NULL,
  PRIMARY KEY (from_currency, to_currency, time, source, rate, first_time, second_time)
) WITHOUT ROWID;

-- When a base value became known that was not known with its price: the reception
-- of the rate. What was known at a time can so be told afterwards.
CREATE TABLE filled (
  series   TEXT    NOT NULL,
  k1       INTEGER NOT NULL,
  k2       INTEGER NOT NULL,
  k3       INTEGER NOT NULL,
  k4       INTEGER NOT NULL,
  received INTEGER NOT NULL,
  run      INTEGER NOT NULL,
  counter  INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  PRIMARY KEY (series, k1, k2, k3, k4, received, run, counter)
) WITHOUT ROWID;
ALTER TABLE pending_fills ADD COLUMN at INTEGER NOT NULL DEFAULT 0;

-- Observations that are probably wrong, as they came. state is 'waiting', 'kept'
-- or 'dropped'; time is 0 where there was none, native NULL where it was no number.
CREATE TABLE quarantine (
  id          INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL,
  instrument  INTEGER NOT NULL,
  time        INTEGER NOT NULL,
  session     INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  interval    INTEGER NOT NULL,
  native      REAL,
  open        REAL,
  high        REAL,
  low         REAL,
  unit        INTEGER NOT NULL,
  approximate INTEGER NOT NULL,
  bid         REAL,
  ask         REAL,
  volume      INTEGER,
  fx_rate     REAL,
  fx_time     INTEGER,
  fx_source   INTEGER,
  received    INTEGER NOT NULL,
  run         INTEGER NOT NULL,
  counter     INTEGER NOT NULL,
  origin      INTEGER NOT NULL,
  reason      TEXT    NOT NULL,
  detail      TEXT    NOT NULL,
  state       TEXT    NOT NULL DEFAULT 'waiting',
  decided     INTEGER,
  decided_run     INTEGER,
  decided_counter INTEGER,
  factor      REAL,
  author      TEXT,
  comment     TEXT
);
CREATE UNIQUE INDEX quarantine_key ON quarantine (instrument, time, session, source, interval, kind, unit, coalesce(native, ''));
CREATE INDEX quarantine_waiting ON quarantine (instrument, time) WHERE state = 'waiting';

-- All that people decided of these; what holds, the newest, is in quarantine.
CREATE TABLE decisions (
  aside    INTEGER NOT NULL,
  received INTEGER NOT NULL,
  run      INTEGER NOT NULL,
  counter  INTEGER NOT NULL,
  action   TEXT    NOT NULL,
  factor   REAL,
  author   TEXT    NOT NULL,
  comment  TEXT    NOT NULL,
  PRIMARY KEY (aside, received, run, counter)
) WITHOUT ROWID;

-- Prices that were kept, by a decision that another one took the place of: what
-- was known in between can so be told afterwards.
CREATE TABLE withdrawn (
  instrument  INTEGER NOT NULL,
  time        INTEGER NOT NULL,
  session     INTEGER NOT NULL,
  source      INTEGER NOT NULL,
  received    INTEGER NOT NULL,
  run         INTEGER NOT NULL,
  counter     INTEGER NOT NULL,
  aside       INTEGER NOT NULL,
  native      REAL    NOT NULL,
  unit        INTEGER NOT NULL,
  origin      INTEGER NOT NULL,
  approximate INTEGER NOT NULL,
  fx_rate     REAL,
  fx_time     INTEGER,
  fx_source   INTEGER,
  base        REAL,
  bid         REAL,
  ask         REAL,
  volume      INTEGER,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
) WITHOUT ROWID;

-- All that people said of prices, and (corrected) what of it holds: the newest of
-- each price, unless that took the correction back.
CREATE TABLE corrections (
  instrument INTEGER NOT NULL,
  time       INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  counter    INTEGER NOT NULL,
  native     REAL,
  unit       INTEGER NOT NULL,
  fx_rate    REAL,
  fx_time    INTEGER,
  fx_source  INTEGER,
  base       REAL,
  author     TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  PRIMARY KEY (instrument, time, session, source, received, run, counter)
) WITHOUT ROWID;
CREATE TABLE corrected (
  instrument INTEGER NOT NULL,
  time       INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  source     INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  counter    INTEGER NOT NULL,
  native     REAL    NOT NULL,
  unit       INTEGER NOT NULL,
  fx_rate    REAL,
  fx_time    INTEGER,
  fx_source  INTEGER,
  base       REAL,
  author     TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  PRIMARY KEY (instrument, time, session, source)
) WITHOUT ROWID;

-- Other names that instruments had: all that was said, and (renamed) what holds.
-- Limits are milliseconds; -1 and 9223372036854775807 where there is none.
CREATE TABLE aliases (
  instrument INTEGER NOT NULL,
  was        INTEGER NOT NULL,
  from_time  INTEGER NOT NULL,
  until_time INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  run        INTEGER NOT NULL,
  counter    INTEGER NOT NULL,
  removed    INTEGER NOT NULL,
  author     TEXT    NOT NULL,
  PRIMARY KEY (instrument, was, from_time, until_time, received, run, counter)
) WITHOUT ROWID;
CREATE TABLE renamed (
  was        INTEGER NOT NULL,
  from_time  INTEGER NOT NULL,
  until_time INTEGER NOT NULL,
  instrument INTEGER NOT NULL,
  author     TEXT    NOT NULL,
  PRIMARY KEY (was, from_time, until_time, instrument)
) WITHOUT ROWID;

DROP VIEW v_quotes;
DROP VIEW v_latest;
DROP VIEW v_versions;
DROP VIEW v_bars;
DROP VIEW v_bar_versions;

CREATE VIEW v_quotes AS
SELECT i.symbol                                                    AS symbol,
       q.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.time / 1000.0, 'unixepoch') AS time_iso,
       coalesce(c.native, q.native)                                AS price_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       iif(c.native IS NULL, q.fx_rate, c.fx_rate)                 AS fx_rate,
       iif(c.native IS NULL, q.fx_time, c.fx_time) / 1000.0        AS fx_time,
       f.text                                                      AS fx_source,
       iif(c.native IS NULL, q.base, c.base)                       AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       q.bid                                                       AS bid,
       q.ask                                                       AS ask,
       q.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.received / 1000.0, 'unixepoch') AS received_iso,
       q.time                                                      AS time_ms,
       iif(c.native IS NULL, q.approximate, 0)                     AS approximate,
       nullif(i.name, '')                                          AS name,
       iif(c.native IS NULL, g.text, 'correction')                 AS origin,
       c.author                                                    AS corrected_by,
       c.reason                                                    AS correction,
       coalesce((SELECT n.symbol FROM renamed r JOIN instruments n ON n.id = r.instrument WHERE r.was = q.instrument AND q.time >= r.from_time AND q.time < r.until_time), i.symbol) AS instrument
FROM instruments i
CROSS JOIN quotes q ON q.instrument = i.id
LEFT JOIN corrected c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
JOIN units u ON u.id = coalesce(c.unit, q.unit)
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = iif(c.native IS NULL, q.fx_source, c.fx_source)
LEFT JOIN texts g ON g.id = q.origin;

CREATE VIEW v_latest AS
SELECT i.symbol                                                    AS symbol,
       q.time / 1000.0                                             AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.time / 1000.0, 'unixepoch') AS time_iso,
       coalesce(c.native, q.native)                                AS price_native,
       nullif(u.unit, '')                                          AS unit,
       nullif(u.currency, '')                                      AS currency_native,
       u.factor                                                    AS factor,
       iif(c.native IS NULL, q.fx_rate, c.fx_rate)                 AS fx_rate,
       iif(c.native IS NULL, q.fx_time, c.fx_time) / 1000.0        AS fx_time,
       f.text                                                      AS fx_source,
       iif(c.native IS NULL, q.base, c.base)                       AS price_base,
       (SELECT value FROM meta WHERE key = 'base_currency')        AS currency_base,
       l.bid                                                       AS bid,
       l.ask                                                       AS ask,
       l.volume                                                    AS volume,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', l.received / 1000.0, 'unixepoch') AS received_iso,
       q.time                                                      AS time_ms,
       iif(c.native IS NULL, q.approximate, 0)                     AS approximate,
       nullif(i.name, '')                                          AS name,
       (julianday('now') - 2440587.5) * 86400.0 - q.time / 1000.0  AS age,
       l.delay / 1000.0                                            AS delay,
       iif(c.native IS NULL, g.text, 'correction')                 AS origin,
       c.author                                                    AS corrected_by,
       c.reason                                                    AS correction,
       coalesce((SELECT n.symbol FROM renamed r JOIN instruments n ON n.id = r.instrument WHERE r.was = q.instrument AND q.time >= r.from_time AND q.time < r.until_time), i.symbol) AS instrument
FROM instruments i
CROSS JOIN latest l ON l.instrument = i.id
CROSS JOIN quotes q ON q.instrument = l.instrument AND q.time = l.time
                   AND q.session = l.session AND q.source = l.source
LEFT JOIN corrected c ON c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
JOIN units u ON u.id = coalesce(c.unit, q.unit)
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = iif(c.native IS NULL, q.fx_source, c.fx_source)
LEFT JOIN texts g ON g.id = q.origin;

-- The parts of the union have columns of the same types, or SQLite would read the
-- whole of it for each question.
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
       CASE q.kind WHEN 0 THEN NOT EXISTS (SELECT 1 FROM corrected c WHERE c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source)
                   WHEN 1 THEN 0
                   ELSE EXISTS (SELECT 1 FROM corrected c WHERE c.instrument = q.instrument AND c.time = q.time AND c.session = q.session AND c.source = q.source
                                   AND c.received = q.received AND c.run = q.run AND c.counter = q.counter) END AS shown,
       coalesce(g.text, iif(q.kind = 2, 'correction', NULL))       AS origin,
       q.author                                                    AS corrected_by,
       q.reason                                                    AS correction,
       (SELECT a.source || '/' || a.run FROM runs a WHERE a.id = q.run) || '/' || q.counter AS raw
FROM instruments i
JOIN (
  SELECT q.instrument, q.time, q.session, q.source, q.native, q.unit, q.received, q.run, q.counter, q.approximate, q.fx_rate, q.fx_time,
         q.fx_source, q.base, q.bid, q.ask, q.volume, q.last_received, q.origin, CAST(NULL AS TEXT) AS author, CAST(NULL AS TEXT) AS reason, 0 AS kind
    FROM quotes q
  UNION ALL
  SELECT instrument, time, session, source, native, unit, received, run, counter, approximate, fx_rate, fx_time,
         fx_source, base, bid, ask, volume, last_received, origin, CAST(NULL AS TEXT), CAST(NULL AS TEXT), 1
    FROM quotes_versions
  UNION ALL
  SELECT k.instrument, k.time, k.session, k.source, k.native, k.unit, k.received, k.run, k.counter, CAST(0 AS INTEGER), k.fx_rate, k.fx_time,
         k.fx_source, k.base, CAST(NULL AS REAL), CAST(NULL AS REAL), CAST(NULL AS INTEGER), CAST(NULL AS INTEGER), CAST(0 AS INTEGER), k.author, k.reason, 2
    FROM corrections k
) q ON q.instrument = i.id
JOIN units u ON u.id = q.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
LEFT JOIN texts f ON f.id = q.fx_source
LEFT JOIN texts g ON g.id = q.origin;

-- A provider rewrites its history when shares are split: a bar that was received
-- after a split it is older than counts in the new shares. The bar as it was seen
-- before is shown where there is one; the other stays in v_bar_versions.
CREATE VIEW seen_bars AS
SELECT b.*, EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received) AS rewritten,
       NOT EXISTS (
         SELECT 1 FROM bars_versions v WHERE v.instrument = b.instrument AND v.interval = b.interval AND v.time = b.time AND v.source = b.source
            AND EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received)
            AND v.received < (SELECT min(e.time) FROM events e JOIN texts t ON t.id = e.kind
                               WHERE t.text = 'split' AND e.instrument = b.instrument AND e.time > b.time AND e.time <= b.received)
       ) AS shown
FROM bars b
UNION ALL
SELECT b.*, EXISTS (SELECT 1 FROM events e JOIN texts t ON t.id = e.kind
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
       nullif(i.name, '')                                          AS name,
       g.text                                                      AS origin,
       b.rewritten                                                 AS rewritten
FROM instruments i
CROSS JOIN seen_bars b ON b.instrument = i.id AND b.shown
JOIN units u ON u.id = b.unit
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source
LEFT JOIN texts f ON f.id = b.fx_source
LEFT JOIN texts g ON g.id = b.origin;

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
       b.shown                                                     AS shown,
       b.rewritten                                                 AS rewritten
FROM instruments i
JOIN seen_bars b ON b.instrument = i.id
JOIN units u ON u.id = b.unit
JOIN texts n ON n.id = b.interval
JOIN texts o ON o.id = b.source;

CREATE VIEW v_quarantine AS
SELECT q.id                                                        AS id,
       q.kind                                                      AS kind,
       i.symbol                                                    AS symbol,
       nullif(q.time, 0) / 1000.0                                  AS time,
       strftime('%Y-%m-%dT%H:%M:%fZ', nullif(q.time, 0) / 1000.0, 'unixepoch') AS time_iso,
       nullif(n.text, '')                                          AS interval,
       q.native                                                    AS price_native,
       nullif(u.unit, '')                                          AS unit,
       q.reason                                                    AS reason,
       nullif(q.detail, '')                                        AS detail,
       q.state                                                     AS state,
       q.factor                                                    AS factor,
       q.author                                                    AS author,
       q.comment                                                   AS comment,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.decided / 1000.0, 'unixepoch') AS decided_iso,
       nullif(s.text, '')                                          AS session,
       nullif(o.text, '')                                          AS source,
       strftime('%Y-%m-%dT%H:%M:%fZ', q.received / 1000.0, 'unixepoch') AS received_iso,
       g.text                                                      AS origin,
       (SELECT a.source || '/' || a.run FROM runs a WHERE a.id = q.run) || '/' || q.counter AS raw
FROM quarantine q
JOIN instruments i ON i.id = q.instrument
JOIN units u ON u.id = q.unit
JOIN texts s ON s.id = q.session
JOIN texts o ON o.id = q.source
JOIN texts n ON n.id = q.interval
LEFT JOIN texts g ON g.id = q.origin;

CREATE VIEW v_aliases AS
SELECT i.symbol                                                    AS symbol,
       w.symbol                                                    AS was,
       strftime('%Y-%m-%dT%H:%M:%fZ', nullif(r.from_time, -1) / 1000.0, 'unixepoch') AS from_iso,
       iif(r.until_time < 9223372036854775807, strftime('%Y-%m-%dT%H:%M:%fZ', r.until_time / 1000.0, 'unixepoch'), NULL) AS until_iso,
       r.author                                                    AS author
FROM renamed r
JOIN instruments i ON i.id = r.instrument
JOIN instruments w ON w.id = r.was;
