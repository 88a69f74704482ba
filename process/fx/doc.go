// Package fx is the rate book: the currency rates that are known, by pair, event
// time and place in the stream "rates", and the one question asked of them: what
// was this pair worth as of that time, as known at that place.
//
// It must not know where rates come from, what a broker, a store or a price is:
// it is told of each message of the stream in order, and keeps no clock of its
// own. So every answer is a pure function of (a prefix of the stream, the
// question), the same in every process, on every machine, in any order of
// asking, today or on replay.
//
// # As of
//
// [Book.AsOf] takes, of the rates that were learned at or before a position, the
// newest whose time is not after the time asked for, if it is young enough by the
// [Policy] in force at that position. Of several with one time the later learned
// counts. Sources are tried in the policy's order, and within one source first the
// pair itself, then its inverse, then a cross through a third currency, whose
// time is that of its older leg. A cross never mixes sources. Another than the
// preferred source stands in once that had its time to tell: see [Book.FirstAfter].
//
// # Forgetting
//
// Memory is bounded, and what is forgotten is a function of the stream as well.
// The clock is the stream's own: when its messages were received, not the times
// of the rates, so that history that is fetched today (years of daily bars) is
// there for the prices that were fetched with it. A rate is forgotten once it has
// been superseded (by one of a newer time in its series, or from the start when
// it came late) by a message that was received more than [Horizon] before the
// newest, or is among more than two million messages since. The newest rate of a
// pair and source is never forgotten.
//
// It follows that a price whose event time is within the horizon of its reception
// is converted as by a book that forgets nothing, and that one rate a month is
// enough where the policy says so. Rates stay in memory for one more horizon, so
// that a worker that lags behind the stream asks about its past and gets the
// answers of then, down to [Book.Floor].
package fx
