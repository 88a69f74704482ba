package fx_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kurs"
	"kurs/process/fx"
)

// The files testdata/*.txt tell a book of a stream, a message a line, and ask
// questions in between, so that an example can be written down as it is thought
// of. From # to the end of a line is a remark.
//
//	day Tue 2026-11-24        times without a date are of this day, UTC
//	2 policy max_age 5m via none sources ecb,yahoo
//	3 rate GBPDKK 8.61 @ 09:00
//	4 rate GBPDKK 8.6 @ 00:00 from ecb bar 1d for 1h received 09:02
//	5 nothing
//	6 time 09:30                an answer without rates, received then
//	7 rate GBPDKK 9.9 @ 09:00 kept
//	doubt 7 = GBPDKK=X 9.9: rate moved too far, next to 8.61 of 09:00
//	ask GBPDKK @ 09:05 known at 3 = 8.61 @ 09:00 from yahoo
//	ask GBPDKK @ 08:59 = no rate
//	first GBPDKK @ 09:05 after 2 = 8.61 @ 09:00 at 3
//	floor = 0
//
// A message begins with its position; rates of one position are one message. A
// date is written before the time: 2026-11-20 21:59. Where a rate's line does not
// say so, it is quoted by yahoo and received at its time, or with the message
// before it if that was later. A policy holds what its line says and else the
// default. Where a question does not say up to where the stream was known, it is
// all that was told so far. An answer may also name the rate's source, bar, span
// of validity and reception, in this order and with the words of a rate's line.
//
// Each question is asked of the book, of one that is restored from its snapshot
// there, and of both kinds once more at the end of the file, when the book knows
// more: nothing that is learned later may change an answer, unless its position
// is below the floor by then.

func TestLanguage(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			s := &script{t: t, file: file, book: fx.New()}
			s.run()
		})
	}
}

// script is a file at one of its lines.
type script struct {
	t     *testing.T
	file  string
	line  int
	words []string // what is left of the line

	day      time.Time
	received time.Time // of the newest message
	book     *fx.Book
	pos      uint64      // of the message whose rates are being read
	rates    []kurs.Rate // what was read of it
	asked    []question
}

// question is one that can be asked again.
type question struct {
	where  string // file and line
	upTo   uint64 // the least position that must be known
	answer func(*fx.Book) string
	want   string
}

func (s *script) run() {
	f, err := os.Open(s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		s.line++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if s.words = strings.Fields(text); len(s.words) == 0 {
			continue
		}
		s.read()
		if len(s.words) > 0 {
			s.fail("what is %q?", s.words[0])
		}
	}
	if err := lines.Err(); err != nil {
		s.t.Fatal(err)
	}
	s.send()
	if len(s.asked) == 0 {
		s.t.Fatal("the file asks nothing")
	}
	for _, q := range s.asked {
		if q.upTo >= s.book.Floor() {
			q.where += ", at the end"
			s.check(q)
		}
	}
}

func (s *script) where() string { return fmt.Sprintf("%s:%d", s.file, s.line) }

func (s *script) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s: %s", s.where(), fmt.Sprintf(format, args...))
}

// read reads a line: a message, or what begins with a word.
func (s *script) read() {
	if pos, err := strconv.ParseUint(s.words[0], 10, 64); err == nil {
		s.words = s.words[1:]
		s.message(pos)
		return
	}
	s.send()
	switch word := s.word(); word {
	case "day":
		weekday, date := s.word(), s.word()
		s.day = s.date(date)
		if got := s.day.Format("Mon"); got != weekday {
			s.fail("%s is a %s", date, got)
		}
	case "ask":
		s.ask()
	case "first":
		s.first()
	case "doubt":
		s.doubt()
	case "floor":
		s.expect("=")
		if got, want := s.book.Floor(), s.number(); got != want {
			s.fail("floor is %d, want %d", got, want)
		}
	default:
		s.fail("a line that begins with %q", word)
	}
}

// doubt asks what was not believed of the message at a position.
func (s *script) doubt() {
	pos := s.number()
	s.expect("=")
	want := strings.Join(s.words, " ")
	s.words = nil
	raw := kurs.RawID{Source: "yahoo", Run: "r", Counter: pos}
	answer := func(b *fx.Book) string {
		var texts []string
		for _, d := range b.Doubts(raw) {
			texts = append(texts, strings.TrimSuffix(fmt.Sprintf("%s %s: %s, %s", d.Symbol, d.Value, d.Reason, d.Detail), ", "))
		}
		if texts == nil {
			return "nothing"
		}
		return strings.Join(texts, "; ")
	}
	q := question{where: s.where(), upTo: pos, answer: answer, want: want}
	s.check(q)
	s.asked = append(s.asked, q)
}

func (s *script) message(pos uint64) {
	if pos != s.pos {
		s.send()
	}
	if pos < s.pos || pos <= s.book.Pos() {
		s.fail("position %d after %d", pos, s.book.Pos())
	}
	switch word := s.word(); word {
	case "rate":
		s.pos, s.rates = pos, append(s.rates, s.rate(pos))
	case "policy":
		s.book.SetPolicy(pos, s.policy())
	case "nothing":
		s.book.Advance(pos)
	case "time":
		s.received = s.time()
		s.book.Tick(pos, s.received)
	default:
		s.fail("a message that is %q", word)
	}
}

// send tells the book of the rates that were read.
func (s *script) send() {
	if len(s.rates) > 0 {
		s.book.Learn(s.pos, s.rates)
		s.rates = nil
	}
}

func (s *script) rate(pos uint64) kurs.Rate {
	r := kurs.Rate{Pair: s.pair(), Source: "yahoo", Raw: kurs.RawID{Source: "yahoo", Run: "r", Counter: pos}}
	var err error
	if r.Value, err = kurs.ParseDecimal(s.word()); err != nil {
		s.fail("%v", err)
	}
	s.expect("@")
	r.Time = s.time()
	r.Received = r.Time
	if s.received.After(r.Received) {
		r.Received = s.received
	}
	for len(s.words) > 0 {
		switch word := s.word(); word {
		case "from":
			r.Source = s.word()
		case "bar":
			r.Interval = s.word()
		case "for":
			r.ValidFor = s.duration()
		case "received":
			r.Received = s.time()
		case "kept":
			r.Kept = true
		default:
			s.fail("a rate's %q", word)
		}
	}
	s.received = r.Received
	return r
}

func (s *script) policy() fx.Policy {
	var p fx.Policy
	for len(s.words) > 0 {
		switch word := s.word(); word {
		case "max_age":
			p.MaxAge = s.duration()
		case "max_age_closed":
			p.MaxAgeClosed = s.duration()
		case "max_age_daily":
			p.MaxAgeDaily = s.duration()
		case "via":
			p.Via = s.word()
		case "sources":
			p.Sources = strings.Split(s.word(), ",")
		case "max_jump":
			var err error
			if p.MaxJump, err = kurs.ParseDecimal(s.word()); err != nil {
				s.fail("%v", err)
			}
		case "fixed":
			f := fx.Fixed{Pair: s.pair()}
			var err error
			if f.Value, err = kurs.ParseDecimal(s.word()); err != nil {
				s.fail("%v", err)
			}
			s.expect("@")
			f.From = s.time()
			p.Fixed = append(p.Fixed, f)
		default:
			s.fail("a policy's %q", word)
		}
	}
	if err := p.Check(); err != nil {
		s.fail("%v", err)
	}
	return p
}

func (s *script) ask() {
	pair := s.pair()
	s.expect("@")
	at, upTo := s.time(), s.book.Pos()
	if s.next("known") {
		s.expect("at")
		upTo = s.number()
	}
	want, day, told := s.answer(), s.day, s.book.Pos()
	s.question(question{upTo: upTo, want: want, answer: func(b *fx.Book) string {
		if upTo > told && b.Pos() > told {
			return want // what was the future may bring anything
		}
		r, ok := b.AsOf(pair, at, upTo)
		return describe(r, ok, day, want)
	}})
}

func (s *script) first() {
	pair := s.pair()
	s.expect("@")
	at := s.time()
	s.expect("after")
	after := s.number()
	want, day := s.answer(), s.day
	last := s.book.Pos() // what comes later may well bring a first rate
	s.question(question{upTo: after + 1, want: want, answer: func(b *fx.Book) string {
		r, pos, ok := b.FirstAfter(pair, at, after, after)
		if !ok || pos > last {
			return "no rate"
		}
		return fmt.Sprintf("%s at %d", describe(r, ok, day, want), pos)
	}})
}

// question asks one, now and at the end.
func (s *script) question(q question) {
	q.where = s.where()
	s.check(q)
	s.asked = append(s.asked, q)
}

func (s *script) check(q question) {
	s.t.Helper()
	if got := q.answer(s.book); got != q.want {
		s.t.Errorf("%s:\n got %s\nwant %s", q.where, got, q.want)
	}
	if got := q.answer(restored(s.t, s.book)); got != q.want {
		s.t.Errorf("%s: of a restored book:\n got %s\nwant %s", q.where, got, q.want)
	}
}

// describe writes an answer as the file does, with the details that it names.
func describe(r kurs.Rate, ok bool, day time.Time, want string) string {
	if !ok {
		return "no rate"
	}
	b := []string{r.Value.String()}
	if !r.IsIdentity() {
		b = append(b, "@", clock(r.Time, day))
	}
	for _, detail := range []struct{ name, value string }{
		{"from", r.Source},
		{"bar", r.Interval},
		{"for", r.ValidFor.String()},
		{"received", clock(r.Received, day)},
	} {
		if slices.Contains(strings.Fields(want), detail.name) {
			b = append(b, detail.name, detail.value)
		}
	}
	return strings.Join(b, " ")
}

// clock writes a time as briefly as the files do.
func clock(t, day time.Time) string {
	layout := "15:04"
	if t.Second() != 0 {
		layout = "15:04:05"
	}
	if !t.Truncate(24 * time.Hour).Equal(day) {
		layout = "2006-01-02 " + layout
	}
	return t.Format(layout)
}

// word takes the next word of the line.
func (s *script) word() string {
	s.t.Helper()
	if len(s.words) == 0 {
		s.fail("the line is too short")
	}
	word := s.words[0]
	s.words = s.words[1:]
	return word
}

// next takes the next word if it is that one.
func (s *script) next(word string) bool {
	if len(s.words) == 0 || s.words[0] != word {
		return false
	}
	s.words = s.words[1:]
	return true
}

func (s *script) expect(word string) {
	s.t.Helper()
	if !s.next(word) {
		s.fail("%q is missing before %q", word, s.words)
	}
}

// answer is the rest of the line, after an equals sign.
func (s *script) answer() string {
	s.t.Helper()
	s.expect("=")
	if len(s.words) == 0 {
		s.fail("no answer")
	}
	rest := strings.Join(s.words, " ")
	s.words = nil
	return rest
}

func (s *script) number() uint64 {
	s.t.Helper()
	n, err := strconv.ParseUint(s.word(), 10, 64)
	if err != nil {
		s.fail("%v", err)
	}
	return n
}

func (s *script) duration() time.Duration {
	s.t.Helper()
	d, err := time.ParseDuration(s.word())
	if err != nil {
		s.fail("%v", err)
	}
	return d
}

func (s *script) pair() kurs.Pair {
	s.t.Helper()
	word := s.word()
	if len(word) != 6 {
		s.fail("%q is no pair", word)
	}
	return kurs.Pair{From: word[:3], To: word[3:]}
}

func (s *script) date(text string) time.Time {
	s.t.Helper()
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		s.fail("%v", err)
	}
	return t
}

// time reads a time of the day, or a date and a time.
func (s *script) time() time.Time {
	s.t.Helper()
	word, day := s.word(), s.day
	if strings.Contains(word, "-") {
		day, word = s.date(word), s.word()
	}
	if day.IsZero() {
		s.fail("a time before the first day")
	}
	if strings.Count(word, ":") == 1 {
		word += ":00"
	}
	t, err := time.Parse(time.TimeOnly, word)
	if err != nil {
		s.fail("%v", err)
	}
	return day.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second)
}

// restored is a book made from another's snapshot.
func restored(tb interface {
	Helper()
	Fatal(args ...any)
}, b *fx.Book,
) *fx.Book {
	tb.Helper()
	snapshot, err := b.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	again := fx.New()
	if err := again.Restore(snapshot); err != nil {
		tb.Fatal(err)
	}
	return again
}
