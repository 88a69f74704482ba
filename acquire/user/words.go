package user

import (
	"context"
	"time"

	"kurs"
)

// Name is the source of the messages, and Endpoint what they answer.
const (
	Name                   = kurs.SourceUser
	Endpoint kurs.Endpoint = "say"
)

// Words is what somebody says at once.
type Words struct {
	Decisions   []kurs.Decision
	Corrections []kurs.Correction
	Aliases     []kurs.Alias
}

// Raw is the message of the words, and whether it carries rates: that a person
// keeps one is something that every rate book must learn.
func (w Words) Raw(now time.Time) (kurs.Raw, kurs.RawKind, error) {
	body, err := Encode(w)
	if err != nil {
		return kurs.Raw{}, 0, err
	}
	return kurs.Raw{Endpoint: Endpoint, Received: now, Body: body}, w.kind(), nil
}

func (w Words) kind() kurs.RawKind {
	for i := range w.Decisions {
		if d := &w.Decisions[i]; d.Of.Kind == kurs.AsideRate && d.Action == kurs.ActionKeep {
			return kurs.CarriesRates
		}
	}
	return kurs.CarriesPrices
}

// KindOf is the kind of a message that was received as it is; an error wraps
// [kurs.ErrRejected].
func KindOf(body []byte) (kurs.RawKind, error) {
	w, err := parse(body)
	if err != nil {
		return 0, err
	}
	return w.kind(), nil
}

// Source says some words, one message each, and then has no more.
type Source []Words

// Run implements [kurs.Source].
func (s Source) Run(ctx context.Context, emit kurs.Emit) error {
	for _, w := range s {
		raw, kind, err := w.Raw(time.Now())
		if err != nil {
			return err
		}
		if err := emit(ctx, raw, kind); err != nil {
			return err
		}
	}
	return nil
}
