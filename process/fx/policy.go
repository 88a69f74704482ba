package fx

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"kurs"
)

// Policy says which rates may be used. A change of policy is a message on the
// stream "rates" and holds from its position on, so that the answers stay a
// function of the stream. Fields that are zero mean [DefaultPolicy]'s.
type Policy struct {
	// MaxAge is how old a quoted rate, or one from an intraday bar, may be at the
	// time asked for. Time in which the currency market is closed (Friday to
	// Sunday 22:00 in London) does not count.
	MaxAge time.Duration
	// MaxAgeClosed bounds the age of such a rate with the closed time counted. It
	// is never below MaxAge.
	MaxAgeClosed time.Duration
	// MaxAgeDaily is how old a rate from a bar of a day or longer may be.
	MaxAgeDaily time.Duration
	// Via is the third currency of a cross: an ISO 4217 code, or ViaAuto, or
	// ViaNone.
	Via string
	// Sources are the sources that may be used, the preferred one first. None:
	// every source, in the order of their names. The others stand in for the first
	// only where that had MaxAge to tell a rate: see the package's comment.
	Sources []string
	// MaxJump is by how much a rate may differ from its neighbour in time, as a
	// part of it; what differs more is doubted. 0.1 is ten percent.
	MaxJump kurs.Decimal
	// Fixed are rates that a person wrote down; their source is "fixed".
	Fixed []Fixed
	// Home is a currency that crosses may go through after all others, whatever Via
	// says: the one that rates were recorded in. It is for reading what is stored
	// and does not travel.
	Home string
}

// Fixed is a rate that holds from a time on, until another of its pair does.
type Fixed struct {
	Pair  kurs.Pair    `json:"pair"`
	Value kurs.Decimal `json:"rate"`
	From  time.Time    `json:"from"`
}

// SourceFixed is the source of rates that a person wrote down.
const SourceFixed = "fixed"

// The values of [Policy.Via] that are no currency.
const (
	ViaAuto = "auto" // through EUR, else USD
	ViaNone = "none"
)

// DefaultPolicy is what holds until the stream says otherwise.
func DefaultPolicy() Policy {
	return Policy{MaxAge: 10 * time.Minute, MaxAgeClosed: 96 * time.Hour, MaxAgeDaily: 7 * 24 * time.Hour, Via: ViaAuto, MaxJump: kurs.MustDecimal("0.1")}
}

// Check tells what is wrong with a policy that a person wrote.
func (p Policy) Check() error {
	for _, d := range []time.Duration{p.MaxAge, p.MaxAgeClosed, p.MaxAgeDaily} {
		if d < 0 {
			return fmt.Errorf("a rate cannot be younger than %s: an age is not negative", d)
		}
	}
	if p.Via != "" && p.Via != ViaAuto && p.Via != ViaNone && !kurs.LooksLikeCurrency(p.Via) {
		return fmt.Errorf("via %q: want %q, %q or a currency as \"EUR\"", p.Via, ViaAuto, ViaNone)
	}
	if slices.Contains(p.Sources, "") {
		return errors.New("a source without a name")
	}
	if p.MaxJump.Sign() < 0 {
		return fmt.Errorf("a rate cannot move by less than nothing: max_jump %s", p.MaxJump)
	}
	if _, err := kurs.Int(1).Add(p.MaxJump); p.MaxJump.Known() && err != nil {
		return fmt.Errorf("max_jump %s: %w", p.MaxJump, err)
	}
	for _, f := range p.Fixed {
		if _, isPair := codeOf(f.Pair); !isPair || f.Pair.From == f.Pair.To || f.Value.Sign() <= 0 {
			return fmt.Errorf("a fixed rate that cannot be: %s %s", f.Pair, f.Value)
		}
	}
	return nil
}

// policyMessage is a policy as it travels: durations as text.
type policyMessage struct {
	MaxAge       string       `json:"max_age,omitempty"`
	MaxAgeClosed string       `json:"max_age_closed,omitempty"`
	MaxAgeDaily  string       `json:"max_age_daily,omitempty"`
	Via          string       `json:"via,omitempty"`
	Sources      []string     `json:"sources,omitempty"`
	MaxJump      kurs.Decimal `json:"max_jump,omitzero"`
	Fixed        []Fixed      `json:"fixed,omitempty"`
}

// MarshalJSON writes {"max_age":"10m0s","via":"auto",...}; zero fields are left out.
func (p Policy) MarshalJSON() ([]byte, error) {
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.String()
	}
	return json.Marshal(policyMessage{
		MaxAge: text(p.MaxAge), MaxAgeClosed: text(p.MaxAgeClosed), MaxAgeDaily: text(p.MaxAgeDaily),
		Via: p.Via, Sources: p.Sources, MaxJump: p.MaxJump, Fixed: p.Fixed,
	})
}

// UnmarshalJSON reads what MarshalJSON wrote. It fails for what [Policy.Check]
// refuses, and leaves aside fields that it does not know.
func (p *Policy) UnmarshalJSON(data []byte) error {
	var m policyMessage
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("rate policy: %w", err)
	}
	read := Policy{Via: m.Via, Sources: m.Sources, MaxJump: m.MaxJump, Fixed: m.Fixed}
	for _, f := range []struct {
		name, text string
		into       *time.Duration
	}{
		{"max_age", m.MaxAge, &read.MaxAge},
		{"max_age_closed", m.MaxAgeClosed, &read.MaxAgeClosed},
		{"max_age_daily", m.MaxAgeDaily, &read.MaxAgeDaily},
	} {
		if f.text == "" {
			continue
		}
		d, err := time.ParseDuration(f.text)
		if err != nil {
			return fmt.Errorf("rate policy: %s: %w", f.name, err)
		}
		*f.into = d
	}
	if err := read.Check(); err != nil {
		return fmt.Errorf("rate policy: %w", err)
	}
	*p = read
	return nil
}

// rules are a policy made ready for lookups.
type rules struct {
	open, closed, daily int64        // nanoseconds
	vias                []string     // third currencies, in the order in which they are tried
	sources             []string     // none: every source
	jump                kurs.Decimal // one, and what a rate may differ by
	fixed               map[code][]*series
	fixedSource         *source
}

func (p Policy) rules() rules {
	d := DefaultPolicy()
	or := func(v, otherwise time.Duration) int64 {
		if v <= 0 {
			return int64(otherwise)
		}
		return int64(v)
	}
	r := rules{
		open: or(p.MaxAge, d.MaxAge), closed: or(p.MaxAgeClosed, d.MaxAgeClosed), daily: or(p.MaxAgeDaily, d.MaxAgeDaily),
		sources: slices.Clone(p.Sources), jump: d.jumpLimit(),
	}
	if p.MaxJump.Sign() > 0 {
		r.jump = p.jumpLimit()
	}
	r.closed = max(r.closed, r.open)
	switch {
	case p.Via == "", p.Via == ViaAuto:
		r.vias = []string{"EUR", "USD"}
	case kurs.LooksLikeCurrency(p.Via):
		r.vias = []string{p.Via}
	}
	if p.Home != "" && !slices.Contains(r.vias, p.Home) {
		r.vias = append(r.vias, p.Home)
	}
	r.fixRates(p.Fixed)
	return r
}

// Oldest is the greatest age that any rate may have that does not say its own.
func (p Policy) Oldest() time.Duration {
	r := p.rules()
	return time.Duration(max(r.closed, r.daily))
}

// Vias are the third currencies of crosses, in the order in which they are tried.
func (p Policy) Vias() []string { return p.rules().vias }

// Fits tells whether a rate is young enough for a time that it is not later than,
// leaving aside its source.
func (p Policy) Fits(rate kurs.Rate, at time.Time) bool {
	from, fits := nanos(rate.Time)
	to, ok := nanos(at)
	rules := p.rules()
	return fits && ok && rules.young(classOf(rate), from, to)
}

// young tells whether a rate of the class may be used for the time at. It never
// allows an older rate where it refuses a newer one of the same class, so a
// lookup may stop at the first that is refused.
func (r *rules) young(c class, t, at int64) bool {
	age := at - t
	switch {
	case c.own != 0:
		return age <= c.own
	case c.daily:
		return age <= r.daily
	case age <= r.open:
		return true
	case age > r.closed:
		return false
	}
	return age-closedBetween(t, at) <= r.open
}

// most is the greatest age that young may allow.
func (r *rules) most(c class) int64 {
	switch {
	case c.own != 0:
		return c.own
	case c.daily:
		return r.daily
	}
	return r.closed
}

// loosen makes r allow what o allows too.
func (r *rules) loosen(o rules) {
	r.open, r.closed, r.daily = max(r.open, o.open), max(r.closed, o.closed), max(r.daily, o.daily)
	for _, via := range o.vias {
		if !slices.Contains(r.vias, via) {
			r.vias = append(slices.Clone(r.vias), via)
		}
	}
	r.sources = nil
}
