package columns

import (
	"time"

	"kurs"
)

// Prices are the columns of a price, those of v_quotes, and [OutsideName].
func Prices() []Column[kurs.Row] {
	type row = kurs.Row
	all := []Column[row]{
		required(text("symbol", func(r *row) string { return r.Symbol })),
		required(moment("time", func(r *row) time.Time { return r.Time })),
		decimal("price_native", func(r *row) kurs.Decimal { return r.PriceNative }),
		text("unit", func(r *row) string { return r.Unit }),
		text("currency_native", func(r *row) string { return r.CurrencyNative }),
		decimal("factor", func(r *row) kurs.Decimal { return r.Factor }),
		decimal("fx_rate", func(r *row) kurs.Decimal { return r.FXRate }),
		moment("fx_time", func(r *row) time.Time { return r.FXTime }),
		text("fx_source", func(r *row) string { return r.FXSource }),
		decimal("price_base", func(r *row) kurs.Decimal { return r.PriceBase }),
		text("currency_base", func(r *row) string { return r.CurrencyBase }),
		decimal("bid", func(r *row) kurs.Decimal { return r.Bid }),
		decimal("ask", func(r *row) kurs.Decimal { return r.Ask }),
		whole("volume", func(r *row) (int64, bool) { return volume(r.Volume) }),
		text("session", func(r *row) string { return string(r.Session) }),
		text("source", func(r *row) string { return r.Source }),
		moment("received_iso", func(r *row) time.Time { return r.ReceivedISO }),
		flag("approximate", func(r *row) bool { return r.Approximate }),
		text("origin", func(r *row) string { return string(r.Origin) }),
		text("corrected_by", func(r *row) string { return r.CorrectedBy }),
		text("instrument", func(r *row) string { return r.Instrument }),
		decimal("split_factor", func(r *row) kurs.Decimal { return r.SplitFactor }),
	}
	return append(all, outside(all))
}
