package columns

import (
	"time"

	"kurs"
)

// Bars are the columns of a bar, those of v_bars and what only bars that kurs made
// have, and [OutsideName].
func Bars() []Column[kurs.BarRow] {
	type row = kurs.BarRow
	// What a provider's bar was made of is not known, which is not 0.
	made := func(b *row, n int64) (int64, bool) { return n, b.MadeOf == kurs.MadeOfPrices }
	all := []Column[row]{
		required(text("symbol", func(b *row) string { return b.Symbol })),
		required(moment("time", func(b *row) time.Time { return b.Time })),
		text("interval", func(b *row) string { return b.Interval }),
		decimal("open_native", func(b *row) kurs.Decimal { return b.OpenNative }),
		decimal("high_native", func(b *row) kurs.Decimal { return b.HighNative }),
		decimal("low_native", func(b *row) kurs.Decimal { return b.LowNative }),
		decimal("close_native", func(b *row) kurs.Decimal { return b.CloseNative }),
		text("unit", func(b *row) string { return b.Unit }),
		text("currency_native", func(b *row) string { return b.CurrencyNative }),
		decimal("factor", func(b *row) kurs.Decimal { return b.Factor }),
		decimal("fx_rate", func(b *row) kurs.Decimal { return b.FXRate }),
		moment("fx_time", func(b *row) time.Time { return b.FXTime }),
		text("fx_source", func(b *row) string { return b.FXSource }),
		decimal("open_base", func(b *row) kurs.Decimal { return b.OpenBase }),
		decimal("high_base", func(b *row) kurs.Decimal { return b.HighBase }),
		decimal("low_base", func(b *row) kurs.Decimal { return b.LowBase }),
		decimal("close_base", func(b *row) kurs.Decimal { return b.CloseBase }),
		text("currency_base", func(b *row) string { return b.CurrencyBase }),
		whole("volume", func(b *row) (int64, bool) { return volume(b.Volume) }),
		text("source", func(b *row) string { return b.Source }),
		moment("received_iso", func(b *row) time.Time { return b.ReceivedISO }),
		flag("approximate", func(b *row) bool { return b.Approximate }),
		text("origin", func(b *row) string { return string(b.Origin) }),
		text("instrument", func(b *row) string { return b.Instrument }),
		text("made_of", func(b *row) string { return string(b.MadeOf) }),
		whole("prices", func(b *row) (int64, bool) { return made(b, b.Prices) }),
		whole("unconverted", func(b *row) (int64, bool) { return made(b, b.Unconverted) }),
		flag("unfinished", func(b *row) bool { return b.Unfinished }),
		flag("rewritten", func(b *row) bool { return b.Rewritten }),
		decimal("split_factor", func(b *row) kurs.Decimal { return b.SplitFactor }),
	}
	return append(all, outside(all))
}
