package wire_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kurs"
	"kurs/acquire/yahoo/wire"
)

func TestHours(t *testing.T) {
	const body = `{"chart":{"result":[{"meta":{"symbol":"AAPL","exchangeName":"NMS","currency":"USD","currentTradingPeriod":{
		"pre":{"timezone":"EST","start":1764061200,"end":1764081000,"gmtoffset":-18000},
		"regular":{"timezone":"EST","start":1764081000,"end":1764104400,"gmtoffset":-18000},
		"post":{"timezone":"EST","start":1764104400,"end":1764104400,"gmtoffset":-18000}}},
		"indicators":{"quote":[{}]}}],"error":null}}`
	o, err := wire.Decode(kurs.Raw{Endpoint: kurs.EndpointChart, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	span := func(from, to int64) kurs.Span {
		return kurs.Span{From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC()}
	}
	want := []kurs.Hours{{
		Symbol: "AAPL", Exchange: "NMS", Pre: span(1764061200, 1764081000), Regular: span(1764081000, 1764104400), Post: span(1764104400, 1764104400),
	}}
	if diff := cmp.Diff(want, o.Hours); diff != "" {
		t.Error(diff)
	}
	h := o.Hours[0]
	if !h.Post.Empty() || h.Regular.Empty() || !h.Regular.Holds(h.Regular.From) || h.Regular.Holds(h.Regular.To) {
		t.Errorf("%+v", h)
	}
}

// TestUnitsOfTheMessage: a frame that tells no unit has the one that was sent
// along; what a frame tells itself stays.
func TestUnitsOfTheMessage(t *testing.T) {
	pence, coin := share(), share()
	pence.id = "VOD.L"
	coin.id, coin.currency = "BTC-USD", "USD"
	raw := kurs.Raw{
		Endpoint: kurs.EndpointStream, Asked: []string{"BTC-USD", "VOD.L"}, Units: []string{"EUR", "GBp"},
		Body: []byte(pence.v2() + "\n" + coin.v1() + "\n" + share().v1()),
	}
	units := func() (out []string) {
		o, err := wire.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range o.Quotes {
			out = append(out, q.Symbol+" "+q.Unit)
		}
		return out
	}
	if diff := cmp.Diff([]string{"VOD.L GBp", "BTC-USD USD", "DKNG "}, units()); diff != "" {
		t.Error(diff)
	}
	raw.Units = raw.Units[:1] // not one each: they could be anybody's
	if diff := cmp.Diff([]string{"VOD.L ", "BTC-USD USD", "DKNG "}, units()); diff != "" {
		t.Error(diff)
	}
}
