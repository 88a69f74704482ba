-- A database of format 2, as kurs left it: sqlite3 kurs.db .dump, and the numbers of its header.
PRAGMA page_size = 16384;
PRAGMA application_id = 1802859123;
PRAGMA user_version = 2;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES('base_currency','DKK');
INSERT INTO meta VALUES('created','2026-11-25T20:53:27Z');
CREATE TABLE position (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  epoch TEXT    NOT NULL,
  seq   INTEGER NOT NULL
);
INSERT INTO position VALUES(1,'EHAEJ7RP3G75HO7GQDHRVFILWP',17);
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counts VALUES('quotes',4);
INSERT INTO counts VALUES('quotes_first',1795640007000);
INSERT INTO counts VALUES('quotes_last',1795640008000);
INSERT INTO counts VALUES('rates',49);
CREATE TABLE texts (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
);
INSERT INTO texts VALUES(1,'regular');
INSERT INTO texts VALUES(2,'yahoo');
INSERT INTO texts VALUES(3,'poll');
INSERT INTO texts VALUES(4,'stream');
INSERT INTO texts VALUES(5,'correction');
INSERT INTO texts VALUES(6,'GBP');
INSERT INTO texts VALUES(7,'DKK');
INSERT INTO texts VALUES(8,'');
INSERT INTO texts VALUES(9,'EUR');
INSERT INTO texts VALUES(10,'USD');
INSERT INTO texts VALUES(11,'ecb');
INSERT INTO texts VALUES(12,'1d');
INSERT INTO texts VALUES(13,'JPY');
INSERT INTO texts VALUES(14,'CZK');
INSERT INTO texts VALUES(15,'HUF');
INSERT INTO texts VALUES(16,'PLN');
INSERT INTO texts VALUES(17,'RON');
INSERT INTO texts VALUES(18,'SEK');
INSERT INTO texts VALUES(19,'CHF');
INSERT INTO texts VALUES(20,'ISK');
INSERT INTO texts VALUES(21,'NOK');
INSERT INTO texts VALUES(22,'TRY');
INSERT INTO texts VALUES(23,'AUD');
INSERT INTO texts VALUES(24,'BRL');
INSERT INTO texts VALUES(25,'CAD');
INSERT INTO texts VALUES(26,'CNY');
INSERT INTO texts VALUES(27,'HKD');
INSERT INTO texts VALUES(28,'IDR');
INSERT INTO texts VALUES(29,'ILS');
INSERT INTO texts VALUES(30,'INR');
INSERT INTO texts VALUES(31,'KRW');
INSERT INTO texts VALUES(32,'MXN');
INSERT INTO texts VALUES(33,'MYR');
INSERT INTO texts VALUES(34,'NZD');
INSERT INTO texts VALUES(35,'PHP');
INSERT INTO texts VALUES(36,'SGD');
INSERT INTO texts VALUES(37,'THB');
INSERT INTO texts VALUES(38,'ZAR');
INSERT INTO texts VALUES(39,'1m');
INSERT INTO texts VALUES(40,'GBPDKK=X');
INSERT INTO texts VALUES(41,'DKK=X');
CREATE TABLE units (
  id       INTEGER PRIMARY KEY,
  unit     TEXT NOT NULL,
  currency TEXT NOT NULL,
  factor   REAL
);
INSERT INTO units VALUES(1,'USD','USD',1.0);
INSERT INTO units VALUES(2,'GBp','GBP',0.010000000000000000208);
CREATE TABLE runs (
  id     INTEGER PRIMARY KEY,
  source TEXT NOT NULL,
  run    TEXT NOT NULL,
  UNIQUE (source, run)
);
INSERT INTO runs VALUES(1,'yahoo','20261125T205327-53nqvt');
INSERT INTO runs VALUES(2,'ecb','20261125T205327-53nqvt');
INSERT INTO runs VALUES(3,'user','20261125T205330-6od3s5');
INSERT INTO runs VALUES(4,'user','20261125T205330-d6ru4x');
CREATE TABLE ledger (
  run   INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last  INTEGER NOT NULL,
  PRIMARY KEY (run, first)
) WITHOUT ROWID;
INSERT INTO ledger VALUES(1,2,15);
INSERT INTO ledger VALUES(2,1,1);
INSERT INTO ledger VALUES(3,1,1);
INSERT INTO ledger VALUES(4,1,1);
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
INSERT INTO instruments VALUES(2,'VOD.L','yahoo','Vodafone Group Public Limited Company','equity','LSE','GBp','Europe/London');
INSERT INTO instruments VALUES(3,'GBPDKK=X','yahoo','GBP/DKK','currency','CCY','DKK','Europe/London');
INSERT INTO instruments VALUES(4,'DKK=X','yahoo','USD/DKK','currency','CCY','DKK','Europe/London');
INSERT INTO instruments VALUES(5,'APPL','','','','','','');
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
  PRIMARY KEY (instrument, time, session, source)
) WITHOUT ROWID;
INSERT INTO quotes VALUES(1,1795640007000,1,2,263.18999999999999773,1,1795640007923,1,2,0,6.541128999999999749,1795640007000,2,1721.5597415100000943,263.18000000000000681,263.19999999999998863,16366605,1795640007930,1,4,X'010002401a2a1db877ab3201b0e5e0c7c268010402409ae63d2ce0dea80000019af0cd0f',3,3);
INSERT INTO quotes VALUES(1,1795640008000,1,2,263.18999999999999773,1,1795640008450,1,12,0,6.541128999999999749,1795640007000,2,1721.5597415100000943,NULL,NULL,NULL,1795640008932,1,15,NULL,4,4);
INSERT INTO quotes VALUES(2,1795640007000,1,2,105.60999999999999942,2,1795640007923,1,3,0,8.6306499999999992667,1795640007000,2,9.1148294649999996863,105.59999999999999431,105.62000000000000454,67393981,1795640007939,1,6,X'010002402142e48e8a71de01b0e5e0c7c26801040240223acaed799598000001fae6a240',3,3);
INSERT INTO quotes VALUES(2,1795640008000,1,2,105.60999999999999942,2,1795640008398,1,11,0,8.6306499999999992667,1795640007000,2,9.1148294649999996863,105.59999999999999431,105.62000000000000454,67394679,1795640008902,1,14,NULL,3,3);
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
  PRIMARY KEY (from_currency, to_currency, time, source, interval)
) WITHOUT ROWID;
INSERT INTO rates VALUES(6,7,1795639500000,2,39,8.6310699999999993536,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639560000,2,39,8.6305119999999995172,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639620000,2,39,8.6316220000000001277,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639680000,2,39,8.6313030000000008357,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639740000,2,39,8.6306139999999995637,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639800000,2,39,8.630940999999999974,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639860000,2,39,8.6315279999999994231,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639920000,2,39,8.6314399999999995571,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795639980000,2,39,8.6307860000000005129,1795640007954,1,10,40,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(6,7,1795640007000,2,8,8.6306499999999992667,1795640007941,1,7,40,600000,1795640007954,1,10,NULL,0,0);
INSERT INTO rates VALUES(9,6,1795618800000,11,12,0.86523980000000000334,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,7,1795618800000,11,12,7.462021000000000015,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,10,1795618800000,11,12,1.1416049999999999808,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,13,1795618800000,11,12,173.37260000000000558,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,14,1795618800000,11,12,23.733959999999999722,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,15,1795618800000,11,12,381.65320000000002664,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,16,1795618800000,11,12,4.2020710000000001116,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,17,1795618800000,11,12,4.9696879999999996613,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,18,1795618800000,11,12,10.524979999999999336,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,19,1795618800000,11,12,0.91475799999999996003,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,20,1795618800000,11,12,143.17779999999999063,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,21,1795618800000,11,12,11.349740000000000606,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,22,1795618800000,11,12,49.103340000000002874,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,23,1795618800000,11,12,1.7757300000000000306,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,24,1795618800000,11,12,6.1038810000000003341,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,25,1795618800000,11,12,1.6225339999999999207,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,26,1795618800000,11,12,8.3081610000000001292,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,27,1795618800000,11,12,8.8930439999999997269,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,28,1795618800000,11,12,18749.330000000001746,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,29,1795618800000,11,12,3.7262170000000001124,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,30,1795618800000,11,12,101.11289999999999622,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,31,1795618800000,11,12,1629.0309999999999491,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,32,1795618800000,11,12,21.047879999999999256,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,33,1795618800000,11,12,4.7182029999999999247,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,34,1795618800000,11,12,1.9984340000000000436,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,35,1795618800000,11,12,66.76452999999999349,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,36,1795618800000,11,12,1.4588080000000001046,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,37,1795618800000,11,12,36.577649999999998441,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(9,38,1795618800000,11,12,19.79258000000000095,1795640007917,2,1,8,604800000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639500000,2,39,6.5415919999999996292,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639560000,2,39,6.5411880000000000023,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639620000,2,39,6.5415869999999998185,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639680000,2,39,6.5415960000000001883,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639740000,2,39,6.5411479999999997403,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639800000,2,39,6.5410099999999999909,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639860000,2,39,6.5413529999999999731,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639920000,2,39,6.5412819999999998188,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795639980000,2,39,6.5410919999999999063,1795640007944,1,9,41,600000,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO rates VALUES(10,7,1795640007000,2,8,6.541128999999999749,1795640007930,1,5,41,600000,1795640007944,1,9,NULL,0,0);
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
  last_attrs    BLOB, origin INTEGER NOT NULL DEFAULT 0, last_origin INTEGER,
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
INSERT INTO latest VALUES(1,1795640008000,1,2,1795640008932,1,15,NULL,NULL,NULL,0);
INSERT INTO latest VALUES(2,1795640008000,1,2,1795640008902,1,14,105.59999999999999431,105.62000000000000454,67394679,0);
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
  base      REAL, at INTEGER NOT NULL DEFAULT 0,
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
INSERT INTO filled VALUES('quotes',1,1795640007000,1,2,1795640007923,1,2,1795640007930);
INSERT INTO filled VALUES('quotes',1,1795640007000,1,2,1795640007930,1,4,1795640007930);
INSERT INTO filled VALUES('quotes',2,1795640007000,1,2,1795640007923,1,3,1795640007941);
INSERT INTO filled VALUES('quotes',2,1795640007000,1,2,1795640007939,1,6,1795640007941);
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
INSERT INTO corrections VALUES(2,1795640007000,1,2,1795640010353,3,1,99.499999999999999998,2,8.6306499999999992667,1795640007000,2,8.5874967499999996789,'anna','a slip');
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
INSERT INTO corrected VALUES(2,1795640007000,1,2,1795640010353,3,1,99.499999999999999998,2,8.6306499999999992667,1795640007000,2,8.5874967499999996789,'anna','a slip');
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
INSERT INTO aliases VALUES(1,5,-1,1577836800000,1795640010980,4,1,0,'anna');
CREATE TABLE renamed (
  was        INTEGER NOT NULL,
  from_time  INTEGER NOT NULL,
  until_time INTEGER NOT NULL,
  instrument INTEGER NOT NULL,
  author     TEXT    NOT NULL,
  PRIMARY KEY (was, from_time, until_time, instrument)
) WITHOUT ROWID;
INSERT INTO renamed VALUES(5,-1,1577836800000,1,'anna');
CREATE UNIQUE INDEX units_key ON units (unit, currency, coalesce(factor, 'unknown'));
CREATE INDEX quotes_waiting ON quotes (unit, time) WHERE base IS NULL;
CREATE INDEX bars_waiting ON bars (unit, time) WHERE base IS NULL;
CREATE UNIQUE INDEX events_key ON events (instrument, time, kind, source, unit,
  coalesce(amount, ''), coalesce(numerator, ''), coalesce(denominator, ''));
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
CREATE UNIQUE INDEX quarantine_key ON quarantine (instrument, time, session, source, interval, kind, unit, coalesce(native, ''));
CREATE INDEX quarantine_waiting ON quarantine (instrument, time) WHERE state = 'waiting';
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
COMMIT;
