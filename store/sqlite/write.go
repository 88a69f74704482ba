package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"

	codes "modernc.org/sqlite/lib"

	"kurs"
	"kurs/fault"
	"kurs/store/versions"
)

// tx is a group on its way into the database.
type tx struct {
	conn     *conn
	in       tables
	known    *lookups
	counts   map[string]int64 // by how much each count of the table counts grows
	bounds   bounds           // of the times of the quotes written
	args     []driver.Value   // scratch
	memo     memo
	lastLegs kurs.Rate // whose legs were written last
}

// bounds are the first and the last of some times.
type bounds struct {
	first, last int64
	known       bool
}

func (b *bounds) take(ms int64) {
	if !b.known || ms < b.first {
		b.first = ms
	}
	if !b.known || ms > b.last {
		b.last = ms
	}
	b.known = true
}

// memo is the last receipt that was looked up: all rows of an answer share one.
type memo struct {
	asked    kurs.Receipt
	answered versions.Receipt
}

// Write implements [kurs.Store]. A group that was stored before is written again
// and changes nothing, so a commit of unknown outcome may be repeated.
func (s *Store) Write(ctx context.Context, group kurs.Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return errClosed
	}
	if s.broken != nil {
		return fmt.Errorf("%w: %w", ErrBroken, s.broken)
	}
	if err := s.checkBase(group); err != nil {
		return err
	}
	if _, err := s.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		// Cancelled at the last moment it may have begun all the same; a
		// transaction left open would refuse every later write.
		return s.rollback(context.WithoutCancel(ctx), fmt.Errorf("begin: %w", err))
	}
	// From here on it is all or nothing, and soon: see conn.
	work := context.WithoutCancel(ctx)
	t := &tx{conn: s.conn, in: s.tables, known: s.known, counts: map[string]int64{}}
	err := t.write(work, group)
	if err == nil {
		fault.Point("store.before_commit")
		_, err = s.conn.exec(work, "COMMIT")
	}
	if err != nil {
		return s.rollback(work, err)
	}
	fault.Point("store.after_commit")
	return nil
}

// rollback undoes what was written. The ids that were learned meanwhile are not
// in the database either.
func (s *Store) rollback(ctx context.Context, cause error) error {
	s.known = newLookups()
	cause = s.failed(classify(cause))
	_, err := s.conn.exec(ctx, "ROLLBACK")
	if code, _ := codeOf(err); err != nil && code != codes.SQLITE_ERROR {
		s.broken = errors.Join(cause, err)
	}
	// SQLITE_ERROR: no transaction is active. SQLite ends some by itself when
	// they fail, by a full disk for one.
	return cause
}

// failed remembers an error after which nothing more may be written.
func (s *Store) failed(err error) error {
	if breaks(err) {
		s.broken = err
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return err
}

// checkBase refuses prices in another currency than that of the database:
// nobody could tell them apart afterwards.
func (s *Store) checkBase(group kurs.Group) error {
	for _, b := range group.Batches {
		if b.BaseCurrency != "" && b.BaseCurrency != s.base {
			return fmt.Errorf("%w: a batch in %s: %w", kurs.ErrRejected, b.BaseCurrency, kurs.ErrBaseCurrency)
		}
		for i := range b.Prices {
			if c := b.Prices[i].BaseCurrency; c != "" && c != s.base {
				return fmt.Errorf("%w: a price in %s: %w", kurs.ErrRejected, c, kurs.ErrBaseCurrency)
			}
		}
		for i := range b.Bars {
			if c := b.Bars[i].BaseCurrency; c != "" && c != s.base {
				return fmt.Errorf("%w: a bar in %s: %w", kurs.ErrRejected, c, kurs.ErrBaseCurrency)
			}
		}
	}
	return nil
}

// write puts the whole group into the open transaction. Fills come after the
// prices and the ledger: they look for both.
func (t *tx) write(ctx context.Context, group kurs.Group) error {
	ahead, err := t.position(ctx, group.Position)
	if err != nil {
		return err
	}
	if ahead { // what is known of an instrument is the newest in the order of the queue
		if err := t.instruments(ctx, group); err != nil {
			return fmt.Errorf("instruments: %w", err)
		}
	}
	for _, step := range []struct {
		name string
		do   func(context.Context, kurs.Group) error
	}{
		{"quotes", t.quotes},
		{"bars", t.bars},
		{"rates", t.rates},
		{"events", t.events},
		{"gaps", t.gaps},
		{"quarantine", t.aside},
		{"decisions", t.decisions},
		{"corrections", t.corrections},
		{"aliases", t.aliases},
		{"ledger", t.ledger},
		{"fills", t.fills},
		{"counts", t.count},
	} {
		if err := step.do(ctx, group); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// position moves the store's position on. It tells whether the group is ahead of
// it: not, where it or a later one was stored before. The numbers of another
// epoch begin again, so nothing can be said of them but that they are new.
func (t *tx) position(ctx context.Context, pos kurs.StreamPos) (ahead bool, err error) {
	if pos == (kurs.StreamPos{}) {
		return true, nil
	}
	changed, err := t.conn.exec(ctx, `INSERT INTO position (one, epoch, seq) VALUES (1, ?, ?)
		ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq
		WHERE excluded.epoch <> epoch OR excluded.seq > seq`,
		pos.Epoch, int64(pos.Seq)) //nolint:gosec // a stream has fewer than 2^63 messages
	return changed > 0, err
}

// receiptFor is receiptOf with a memory of one.
func (t *tx) receiptFor(ctx context.Context, r kurs.Receipt) (versions.Receipt, error) {
	if t.memo.asked == r && t.memo.answered.Run != 0 {
		return t.memo.answered, nil
	}
	out, err := t.receiptOf(ctx, r)
	if err == nil {
		t.memo = memo{asked: r, answered: out}
	}
	return out, err
}

// sortRecords brings records into the order of the table, so that a transaction
// goes through its pages once, and of one key into that of the receipts.
func sortRecords(records []record) {
	slices.SortStableFunc(records, func(a, b record) int {
		for i := range a.key {
			if a.key[i] != b.key[i] {
				return cmp.Compare(a.key[i], b.key[i])
			}
		}
		return a.Compare(b.Receipt)
	})
}

// quotes writes the prices, and where each instrument stands.
func (t *tx) quotes(ctx context.Context, group kurs.Group) error {
	n := 0
	for _, b := range group.Batches {
		n += len(b.Prices)
	}
	records := make([]record, 0, n)
	for b, batch := range group.Batches {
		for i := range batch.Prices {
			r, err := t.quoteRecord(ctx, &batch.Prices[i])
			if err != nil {
				return fmt.Errorf("%s at %s: %w", quoted(batch.Prices[i].Symbol), batch.Prices[i].Time.UTC().Format(timeFormat), err)
			}
			r.batch, r.index = b, i
			records = append(records, r)
			t.bounds.take(r.key[1])
		}
	}
	records, err := t.keptRecords(ctx, group, "quotes", 1, records)
	if err != nil {
		return err
	}
	sortRecords(records)
	s := t.in.quotes
	row := make([]driver.Value, s.lastAt)
	for _, r := range records {
		p := &group.Batches[r.batch].Prices[r.index]
		if err := t.quoteRow(ctx, s, p, r, row); err != nil {
			return fmt.Errorf("%s at %s: %w", quoted(p.Symbol), p.Time.UTC().Format(timeFormat), err)
		}
		if err := t.put(ctx, s, r, row); err != nil {
			return fmt.Errorf("%s at %s: %w", quoted(p.Symbol), p.Time.UTC().Format(timeFormat), err)
		}
	}
	return t.latest(ctx, group, records)
}

func (t *tx) quoteRecord(ctx context.Context, p *kurs.Price) (r record, err error) {
	if p.Symbol == "" {
		return r, rejected("a price without a symbol")
	}
	if r.key[0], err = t.instrumentID(ctx, p.Symbol); err != nil {
		return r, err
	}
	if r.key[1], err = millis(p.Time); err != nil {
		return r, err
	}
	if r.key[2], err = t.textID(ctx, string(p.Session)); err != nil {
		return r, err
	}
	if r.key[3], err = t.textID(ctx, p.Source); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptFor(ctx, p.Receipt)
	return r, err
}

// head binds the key and the receipt of a record.
func (s *series) head(r record, row []driver.Value) {
	for i := range s.keyWidth {
		row[i] = r.key[i]
	}
	row[s.receiptAt], row[s.receiptAt+1], row[s.receiptAt+2], row[s.receiptAt+3] = r.Received, r.Run, r.Counter, r.Origin
}

func (t *tx) quoteRow(ctx context.Context, s *series, p *kurs.Price, r record, row []driver.Value) (err error) {
	s.head(r, row)
	value, attrs := row[s.keyWidth:s.receiptAt], row[s.attrsAt:]
	if value[0], err = known(p.Value); err != nil {
		return err
	}
	if value[1], err = t.unitID(ctx, unit{unit: p.Unit, currency: p.Currency, factor: p.Factor}); err != nil {
		return err
	}
	attrs[0] = flag(p.Approximate || p.Value.Digits() > kurs.Precision)
	if err = t.conversion(ctx, attrs[1:4], p.Rate); err != nil {
		return err
	}
	if err = reals(attrs[4:7], p.Base, p.Bid, p.Ask); err != nil {
		return err
	}
	attrs[7] = volume(p.Volume)
	return nil
}

// conversion binds a rate: its value, time and source. The rate of a currency
// to itself has neither time nor source.
func (t *tx) conversion(ctx context.Context, columns []driver.Value, r kurs.Rate) (err error) {
	columns[0], columns[1], columns[2] = nil, nil, nil
	if !r.Known() {
		return nil
	}
	if columns[0], err = binary64(r.Value); err != nil {
		return err
	}
	if !r.Time.IsZero() {
		if columns[1], err = millis(r.Time); err != nil {
			return err
		}
	}
	if r.Source != "" {
		if columns[2], err = t.textID(ctx, r.Source); err != nil {
			return err
		}
	}
	return t.legs(ctx, r)
}

// bars writes the bars.
func (t *tx) bars(ctx context.Context, group kurs.Group) error {
	var records []record
	for b, batch := range group.Batches {
		for i := range batch.Bars {
			r, err := t.barRecord(ctx, &batch.Bars[i])
			if err != nil {
				return fmt.Errorf("%s: %w", quoted(batch.Bars[i].Symbol), err)
			}
			r.batch, r.index = b, i
			records = append(records, r)
		}
	}
	records, err := t.keptRecords(ctx, group, "bars", 2, records)
	if err != nil {
		return err
	}
	sortRecords(records)
	s := t.in.bars
	row := make([]driver.Value, s.lastAt)
	for _, r := range records {
		bar := &group.Batches[r.batch].Bars[r.index]
		if err := t.barRow(ctx, s, bar, r, row); err != nil {
			return fmt.Errorf("%s: %w", quoted(bar.Symbol), err)
		}
		if err := t.put(ctx, s, r, row); err != nil {
			return fmt.Errorf("%s: %w", quoted(bar.Symbol), err)
		}
	}
	return nil
}

func (t *tx) barRecord(ctx context.Context, b *kurs.PricedBar) (r record, err error) {
	if b.Symbol == "" {
		return r, rejected("a bar without a symbol")
	}
	if r.key[0], err = t.instrumentID(ctx, b.Symbol); err != nil {
		return r, err
	}
	if r.key[1], err = t.textID(ctx, b.Interval); err != nil {
		return r, err
	}
	if r.key[2], err = millis(b.Start); err != nil {
		return r, err
	}
	if r.key[3], err = t.textID(ctx, b.Source); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptFor(ctx, b.Receipt)
	return r, err
}

func (t *tx) barRow(ctx context.Context, s *series, b *kurs.PricedBar, r record, row []driver.Value) (err error) {
	s.head(r, row)
	value, attrs := row[s.keyWidth:s.receiptAt], row[s.attrsAt:]
	if err = reals(value[0:3], b.Open, b.High, b.Low); err != nil {
		return err
	}
	if value[3], err = known(b.Close); err != nil {
		return err
	}
	value[4] = volume(b.Volume)
	if value[5], err = t.unitID(ctx, unit{unit: b.Unit, currency: b.Currency, factor: b.Factor}); err != nil {
		return err
	}
	digits := max(b.Open.Digits(), b.High.Digits(), b.Low.Digits(), b.Close.Digits())
	attrs[0] = flag(b.Approximate || digits > kurs.Precision)
	if err = t.conversion(ctx, attrs[1:4], b.Rate); err != nil {
		return err
	}
	return reals(attrs[4:8], b.BaseOpen, b.BaseHigh, b.BaseLow, b.BaseClose)
}

// rates writes the rates that were observed.
func (t *tx) rates(ctx context.Context, group kurs.Group) error {
	var records []record
	for b, batch := range group.Batches {
		for i := range batch.Rates {
			r, err := t.rateRecord(ctx, &batch.Rates[i])
			if err != nil {
				return fmt.Errorf("%s: %w", quoted(batch.Rates[i].String()), err)
			}
			r.batch, r.index = b, i
			records = append(records, r)
		}
	}
	records, err := t.keptRecords(ctx, group, "rates", 2, records)
	if err != nil {
		return err
	}
	sortRecords(records)
	s := t.in.rates
	row := make([]driver.Value, s.lastAt)
	for _, r := range records {
		rate := &group.Batches[r.batch].Rates[r.index]
		s.head(r, row)
		var err error
		if row[s.keyWidth], err = known(rate.Value); err != nil {
			return fmt.Errorf("%s: %w", quoted(rate.String()), err)
		}
		symbol, err := t.textID(ctx, rate.Symbol)
		if err != nil {
			return err
		}
		row[s.attrsAt], row[s.attrsAt+1] = symbol, rate.ValidFor.Milliseconds()
		if err := t.put(ctx, s, r, row); err != nil {
			return fmt.Errorf("%s: %w", quoted(rate.String()), err)
		}
	}
	return nil
}

func (t *tx) rateRecord(ctx context.Context, rate *kurs.Rate) (r record, err error) {
	for _, part := range []struct {
		at   int
		text string
	}{{0, rate.From}, {1, rate.To}, {3, rate.Source}, {4, rate.Interval}} {
		if r.key[part.at], err = t.textID(ctx, part.text); err != nil {
			return r, err
		}
	}
	if r.key[2], err = millis(rate.Time); err != nil {
		return r, err
	}
	r.Receipt, err = t.receiptFor(ctx, kurs.Receipt{Received: rate.Received, Raw: rate.Raw})
	return r, err
}
