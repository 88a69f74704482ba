package fx_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kurs"
	"kurs/internal/testkit"
	"kurs/process/fx"
)

// model is the rate book as its definition says it, without any cleverness: all
// that was ever learned, looked through for each question.
type model struct {
	known    []learned
	policies []policyAt
}

type learned struct {
	pos uint64
	kurs.Rate
}

type policyAt struct {
	pos uint64
	fx.Policy
}

func (m *model) policy(upTo uint64) fx.Policy {
	p := fx.DefaultPolicy()
	for _, at := range m.policies {
		if at.pos <= upTo {
			p = at.Policy
		}
	}
	return p
}

func daily(r kurs.Rate) bool { return r.Interval == "1d" }

// young tells whether a rate may be used. All times of the test lie in the open
// hours of one day.
func young(p fx.Policy, r kurs.Rate, at time.Time) bool {
	switch age := at.Sub(r.Time); {
	case r.ValidFor > 0:
		return age <= r.ValidFor
	case daily(r):
		return age <= p.MaxAgeDaily
	default:
		return age <= p.MaxAge
	}
}

// leg is the newest rate of a pair, else of its inverse, of one source.
func (m *model) leg(source string, pair kurs.Pair, at time.Time, upTo uint64) (r kurs.Rate, inverse, ok bool) {
	p := m.policy(upTo)
	for _, inverse := range []bool{false, true} {
		if inverse {
			pair = pair.Inverse()
		}
		var best learned
		for _, l := range m.known {
			if l.pos > upTo || l.Pair != pair || l.Source != source || l.Time.After(at) || !young(p, l.Rate, at) {
				continue
			}
			if !best.Known() || !l.Time.Before(best.Time) { // the later learned of one time
				best = l
			}
		}
		if best.Known() {
			return best.Rate, inverse, true
		}
	}
	return kurs.Rate{}, false, false
}

type answer struct {
	value kurs.Decimal
	at    time.Time
	from  string
}

// clock is when the last message with rates up to a position was received.
func (m *model) clock(pos uint64) (at time.Time) {
	for _, l := range m.known {
		if l.pos <= pos && l.Received.After(at) {
			at = l.Received
		}
	}
	return at
}

// asOf is the answer at a position; since is when the question came up, the zero
// time for one about the past.
func (m *model) asOf(pair kurs.Pair, at, since time.Time, upTo uint64) (answer, bool) {
	p := m.policy(upTo)
	sources := p.Sources
	if len(sources) == 0 {
		sources = []string{"ecb", "yahoo"}
	}
	for i, source := range sources {
		if i > 0 && len(p.Sources) > 0 && (m.clock(upTo).Before(at.Add(p.MaxAge)) || m.clock(upTo).Before(since.Add(p.MaxAge))) {
			break // the preferred source may still tell
		}
		if r, inverse, ok := m.leg(source, pair, at, upTo); ok {
			if !inverse {
				return answer{r.Value, r.Time, source}, true
			}
			value, err := kurs.Int(1).Quo(r.Value)
			return answer{value, r.Time, source + " inverse"}, err == nil
		}
		vias := []string{p.Via}
		switch p.Via {
		case fx.ViaAuto:
			vias = []string{"EUR", "USD"}
		case fx.ViaNone:
			vias = nil
		}
		for _, via := range vias {
			if via == pair.From || via == pair.To {
				continue
			}
			a, aInverse, ok := m.leg(source, kurs.Pair{From: pair.From, To: via}, at, upTo)
			if !ok {
				continue
			}
			b, bInverse, ok := m.leg(source, kurs.Pair{From: via, To: pair.To}, at, upTo)
			if !ok {
				continue
			}
			value, err := product(a.Value, b.Value, aInverse, bInverse)
			older := a.Time
			if b.Time.Before(older) {
				older = b.Time
			}
			return answer{value, older, source + " via " + via}, err == nil
		}
	}
	return answer{}, false
}

func product(x, y kurs.Decimal, xInverse, yInverse bool) (kurs.Decimal, error) {
	switch {
	case xInverse && yInverse:
		both, err := x.Mul(y)
		if err != nil {
			return both, err
		}
		return kurs.Int(1).Quo(both)
	case xInverse:
		return y.Quo(x)
	case yInverse:
		return x.Quo(y)
	}
	return x.Mul(y)
}

func (m *model) firstAfter(pair kurs.Pair, at time.Time, known, after, last uint64) (answer, uint64, bool) {
	for pos := after + 1; pos <= last; pos++ {
		if a, ok := m.asOf(pair, at, m.clock(known), pos); ok {
			return a, pos, true
		}
	}
	return answer{}, 0, false
}

// story is a stream of rates and policies, told to a book and to the model.
type story struct {
	*rapid.T
	book *fx.Book
	model
	last uint64
}

var (
	currencies = []string{"DKK", "USD", "EUR", "GBP", "JPY"}
	midday     = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) // a Wednesday
)

func (s *story) pair() kurs.Pair {
	from := rapid.SampledFrom(currencies).Draw(s.T, "from")
	to := rapid.SampledFrom(currencies).Filter(func(c string) bool { return c != from }).Draw(s.T, "to")
	return kurs.Pair{From: from, To: to}
}

func (s *story) time() time.Time {
	return midday.Add(time.Duration(rapid.IntRange(-40, 40).Draw(s.T, "minutes")) * 30 * time.Second)
}

// tell adds the next message.
func (s *story) tell() {
	s.last++
	if rapid.IntRange(0, 9).Draw(s.T, "kind") == 0 {
		p := fx.Policy{
			MaxAge:       time.Duration(rapid.IntRange(1, 15).Draw(s.T, "max_age")) * time.Minute,
			MaxAgeClosed: time.Hour, MaxAgeDaily: time.Duration(rapid.IntRange(5, 30).Draw(s.T, "max_age_daily")) * time.Minute,
			Via:     rapid.SampledFrom([]string{fx.ViaAuto, fx.ViaNone, "USD", "GBP"}).Draw(s.T, "via"),
			Sources: rapid.SampledFrom([][]string{nil, {"yahoo"}, {"yahoo", "ecb"}, {"nobody", "ecb"}}).Draw(s.T, "sources"),
		}
		s.book.SetPolicy(s.last, p)
		s.policies = append(s.policies, policyAt{s.last, p})
		return
	}
	var rates []kurs.Rate
	for range rapid.IntRange(0, 3).Draw(s.T, "rates") {
		r := kurs.Rate{
			Pair: s.pair(), Time: s.time(), Source: rapid.SampledFrom([]string{"yahoo", "yahoo", "ecb"}).Draw(s.T, "source"),
			Interval: rapid.SampledFrom([]string{"", "", "1m", "1d"}).Draw(s.T, "interval"),
			Received: midday.Add(time.Duration(s.last) * time.Minute), Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: s.last},
			Kept: true, // or else most would be doubted
		}
		var err error
		if r.Value, err = kurs.NewDecimal(int64(rapid.IntRange(1, 999_999).Draw(s.T, "value")), -4); err != nil {
			s.Fatal(err)
		}
		if rapid.IntRange(0, 7).Draw(s.T, "fixed") == 0 {
			r.ValidFor = 7 * time.Minute
		}
		// Two classes of one pair and time have no order in which they were learned.
		clash := func(l kurs.Rate) bool {
			return l.Pair == r.Pair && l.Source == r.Source && l.Time.Equal(r.Time)
		}
		if slices.ContainsFunc(rates, clash) {
			continue
		}
		rates = append(rates, r)
	}
	s.book.Learn(s.last, rates)
	for _, r := range rates {
		s.known = append(s.known, learned{s.last, r})
	}
}

// ask compares the book with the model.
func (s *story) ask(b *fx.Book) {
	pair, at := s.pair(), s.time()
	upTo := uint64(rapid.IntRange(0, int(s.last)).Draw(s.T, "up_to"))
	for _, c := range []struct {
		name  string
		since time.Time
		ask   func(kurs.Pair, time.Time, uint64) (kurs.Rate, bool)
	}{{"as of", time.Time{}, b.AsOf}, {"as received", s.clock(upTo), b.AsReceived}} {
		want, wantOK := s.asOf(pair, at, c.since, upTo)
		got, ok := c.ask(pair, at, upTo)
		if ok != wantOK || ok && (got.Value != want.value || !got.Time.Equal(want.at) || got.Source != want.from) {
			s.Fatalf("%s, %s at %s up to %d: got %s of %s (%s) %t, want %s of %s (%s) %t", c.name, pair, at, upTo,
				got.Value, got.Time, got.Source, ok, want.value, want.at, want.from, wantOK)
		}
	}
	after := min(s.last, upTo+uint64(rapid.IntRange(0, 3).Draw(s.T, "looked")))
	want, wantPos, wantOK := s.firstAfter(pair, at, upTo, after, s.last)
	got, pos, ok := b.FirstAfter(pair, at, upTo, after)
	if ok != wantOK || ok && (pos != wantPos || got.Value != want.value || !got.Time.Equal(want.at)) {
		s.Fatalf("first of %s at %s after %d: got %s at %d %t, want %s at %d %t", pair, at, upTo, got.Value, pos, ok, want.value, wantPos, wantOK)
	}
}

// TestTheBookIsWhatItsDefinitionSays, before and after a snapshot, and however
// often messages come again.
func TestTheBookIsWhatItsDefinitionSays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := &story{T: rt, book: fx.New()}
		for range rapid.IntRange(1, 40).Draw(rt, "messages") {
			s.tell()
		}
		s.book.Learn(1, []kurs.Rate{rate(1, "USD", "DKK", "1", midday)}) // again: changes nothing
		snapshot, err := s.book.Snapshot()
		if err != nil {
			rt.Fatal(err)
		}
		restored := fx.New()
		if err := restored.Restore(snapshot); err != nil {
			rt.Fatal(err)
		}
		if again, err := restored.Snapshot(); err != nil || !bytes.Equal(again, snapshot) {
			rt.Fatalf("a restored book has another snapshot: %v", err)
		}
		for range 30 {
			s.ask(s.book)
			s.ask(restored)
		}
	})
}

// FuzzRestore: a snapshot that is damaged is an error, and the book stays.
func FuzzRestore(f *testing.F) {
	testkit.Corpus(f)
	good, err := filled().Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add([]byte("kursfx"))
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		b := filled()
		before := b.Pos()
		err := b.Restore(snapshot)
		if err != nil && !errors.Is(err, kurs.ErrRejected) && !errors.Is(err, kurs.ErrNewerFormat) {
			t.Errorf("%v", err)
		}
		if err != nil && b.Pos() != before {
			t.Error("the book has changed")
		}
		if err == nil {
			b.AsOf(kurs.Pair{From: "GBP", To: "DKK"}, tuesday, b.Pos())
		}
	})
}
