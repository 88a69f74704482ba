package acquire

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kurs"
)

// mostRepaired is how many answers may be under way between the stream rates and
// raw at most when a process is killed: as many as requests, and plenty.
const mostRepaired = 256

// repair puts the answers on raw that an earlier process had put on the stream
// rates when it was killed, and not yet on raw: the book knows them, so they must
// come to the stores too. One that was put already is the same receipt again and
// changes nothing.
func (s *stage) repair(ctx context.Context) error {
	state, err := s.q.RatesState(ctx)
	if err != nil {
		return err
	}
	done, err := s.q.RatesOnRaw(ctx)
	if err != nil {
		return err
	}
	if done.Epoch != state.Epoch {
		done = kurs.StreamPos{}
	}
	left, err := s.q.RatesAfter(ctx, done.Seq, mostRepaired)
	if err != nil {
		return err
	}
	for _, seq := range slices.Sorted(maps.Keys(left)) {
		raw := left[seq]
		raw.FX = kurs.StreamPos{Epoch: state.Epoch, Seq: seq}
		if _, err := s.q.PutRaw(ctx, raw); err != nil {
			return fmt.Errorf("put %s on raw as well: %w", raw.ID, err)
		}
	}
	if len(left) > 0 {
		s.log.InfoContext(ctx, "rates of a process that was killed are put on raw as well", "answers", len(left))
	}
	return s.noteRates(ctx)
}

// noteRates says that everything on the stream rates is on raw as well. It holds
// while nothing is under way, which cannot be said for other processes.
func (s *stage) noteRates(ctx context.Context) error {
	if s.Shared {
		return nil
	}
	state, err := s.q.RatesState(ctx)
	if err != nil {
		return err
	}
	return s.q.NoteRatesOnRaw(ctx, kurs.StreamPos{Epoch: state.Epoch, Seq: state.Last})
}
